"""The switches of ``eval_expr`` that existing code sets: resolvers by name.

Here ``env``, ``config`` and the predicates are always on, and so is ``etcd`` in a module that names hosts. Registering
adds to that: further keys for ``config``, an etcd for code that runs outside of a module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from picasso.module.params import evaluate
from picasso.module.params.evaluate import use_dynamic, use_symbols

if TYPE_CHECKING:
    from picasso.module.params.etcd import EtcdMirror

_CONFIG: Final = "config-resolver"
_ENV: Final = "env-resolver"
_ETCD: Final = "etcd-resolver"
_UTILITY: Final = "utility-resolver"


@dataclass(slots=True)
class EtcdStorageConfig:
    """Where dynamic parameters come from, as ``parameters.etcd`` says it."""

    hosts: Sequence[str]
    """``host:port``."""
    credentials: Mapping[str, str] | None = None
    """``username`` and ``password``."""
    tls: Mapping[str, str] | None = None
    """Files: ``ca_certificate``, ``certificate``, ``key``."""
    watch_path: str = "savant"
    connect_timeout: float = 5
    """Seconds."""
    watch_path_wait_timeout: float = 5
    """Seconds."""


@dataclass(frozen=True, slots=True)
class EtcdCredentials:
    """Who asks etcd."""

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class TlsConfig:
    """Certificates for etcd, as PEM text."""

    ca_cert: str
    client_cert: str
    client_key: str


_mirrors: list[EtcdMirror] = []


def utility_resolver_name() -> str:
    """Return the name of the resolver of the predicates."""
    return _UTILITY


def env_resolver_name() -> str:
    """Return the name of the resolver of ``env``."""
    return _ENV


def config_resolver_name() -> str:
    """Return the name of the resolver of ``config``."""
    return _CONFIG


def etcd_resolver_name() -> str:
    """Return the name of the resolver of ``etcd``."""
    return _ETCD


def register_utility_resolver() -> None:
    """Have no effect: the predicates are always there."""


def register_env_resolver() -> None:
    """Have no effect: ``env`` is always there."""


def register_config_resolver(symbols: Mapping[str, str]) -> None:
    """Give ``config`` the ``symbols``, texts by key, beside the module's parameters; those before are forgotten."""
    use_symbols(symbols)


def update_config_resolver(symbols: Mapping[str, str]) -> None:
    """Add ``symbols``, texts by key, to those that ``config`` knows."""
    register_config_resolver({**evaluate.symbols(), **symbols})


def register_etcd_resolver(
    hosts: Sequence[str] = ("127.0.0.1:2379",),
    credentials: EtcdCredentials | None = None,
    tls_config: TlsConfig | None = None,
    watch_path: str = "savant",
    connect_timeout: float = 5,
    watch_path_wait_timeout: float = 5,
) -> None:
    """Have ``etcd`` read an etcd, which is mirrored from now on.

    Args:
        hosts: ``host:port``.
        credentials: Who asks.
        tls_config: Must be None; a module takes certificates from files, ``parameters.etcd.tls``.
        watch_path: What keys are relative to.
        connect_timeout: Seconds, > 0.
        watch_path_wait_timeout: Seconds, > 0.

    Raises:
        EtcdError: It cannot be reached, which is a ``RuntimeError``.
        ValueError: A time is not greater than 0, or ``tls_config`` is given.
    """
    from picasso.module.params.etcd import open_etcd

    for name, value in (("connect_timeout", connect_timeout), ("watch_path_wait_timeout", watch_path_wait_timeout)):
        if not value > 0:
            raise ValueError(f"register_etcd_resolver: {name} must be greater than 0 seconds, got {value}")
    if tls_config is not None:
        raise ValueError("register_etcd_resolver: tls_config is not supported; name the files in parameters.etcd.tls")
    settings: dict[str, Any] = {
        "hosts": list(hosts),
        "watch_path": watch_path,
        "connect_timeout": connect_timeout,
        "watch_path_wait_timeout": watch_path_wait_timeout,
    }
    if credentials is not None:
        settings["credentials"] = {"username": credentials.username, "password": credentials.password}
    mirror = open_etcd(settings)
    unregister_resolver(_ETCD)
    if mirror is not None:
        _mirrors.append(mirror)
        use_dynamic(mirror)


def unregister_resolver(name: str) -> None:
    """Undo what registering the resolver ``name`` added; a name that is not known is not an error."""
    if name == _CONFIG:
        use_symbols({})
    elif name == _ETCD and _mirrors:
        use_dynamic(None)
        while _mirrors:
            _mirrors.pop().close()
