"""The names of ``savant_rs.match_query``: which objects are meant, and what expressions know."""

from __future__ import annotations

from picasso.module.params import (
    EtcdCredentials,
    TlsConfig,
    config_resolver_name,
    env_resolver_name,
    etcd_resolver_name,
    register_config_resolver,
    register_env_resolver,
    register_etcd_resolver,
    register_utility_resolver,
    unregister_resolver,
    update_config_resolver,
    utility_resolver_name,
)
from picasso.primitives import FloatExpression, IntExpression, MatchQuery, QueryFunctions, StringExpression

__all__ = [
    "EtcdCredentials",
    "FloatExpression",
    "IntExpression",
    "MatchQuery",
    "QueryFunctions",
    "StringExpression",
    "TlsConfig",
    "config_resolver_name",
    "env_resolver_name",
    "etcd_resolver_name",
    "register_config_resolver",
    "register_env_resolver",
    "register_etcd_resolver",
    "register_utility_resolver",
    "unregister_resolver",
    "update_config_resolver",
    "utility_resolver_name",
]
