"""What a configuration may say and this version does not run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from picasso.module.config import ConfigError
from picasso.module.params.etcd import NO_CREDENTIALS

if TYPE_CHECKING:
    from picasso.module.config import ModuleConfig, Problem


def refuse_what_is_not_built(config: ModuleConfig) -> None:
    """Refuse what a configuration may say and this version does not run.

    Raises:
        ConfigError: With a line for each such place.
    """
    found: list[Problem] = []
    if (config.parameters.get("etcd") or {}).get("credentials"):
        found.append(config.problem(("parameters", "etcd", "credentials"), NO_CREDENTIALS))
    if found:
        raise ConfigError(found)
