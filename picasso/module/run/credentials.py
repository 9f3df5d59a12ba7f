"""Credentials that a configuration may hold and no client can use: refused by name, before anything is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from picasso.module.config import ConfigError
from picasso.module.params.etcd import NO_CREDENTIALS

if TYPE_CHECKING:
    from picasso.module.config import ModuleConfig


def refuse_credentials(config: ModuleConfig) -> None:
    """Refuse credentials of etcd: its client knows none, and would go on without them.

    Args:
        config: The configuration of the module.

    Raises:
        ConfigError: There are some; the error names their line.
    """
    if (config.parameters.get("etcd") or {}).get("credentials"):
        raise ConfigError([config.problem(("parameters", "etcd", "credentials"), NO_CREDENTIALS)])
