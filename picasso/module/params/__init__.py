"""Parameters at run time: those of the file, and those that change while the module runs."""

from picasso.errors import ExpressionError
from picasso.module.params.evaluate import Dynamic, eval_expr, use_dynamic
from picasso.module.params.resolvers import (
    EtcdCredentials,
    EtcdStorageConfig,
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
from picasso.module.params.storage import Parameters, fill, param_storage

__all__ = [
    "Dynamic",
    "EtcdCredentials",
    "EtcdStorageConfig",
    "ExpressionError",
    "Parameters",
    "TlsConfig",
    "config_resolver_name",
    "env_resolver_name",
    "etcd_resolver_name",
    "eval_expr",
    "fill",
    "param_storage",
    "register_config_resolver",
    "register_env_resolver",
    "register_etcd_resolver",
    "register_utility_resolver",
    "unregister_resolver",
    "update_config_resolver",
    "use_dynamic",
    "utility_resolver_name",
]
