"""The addresses of a module: its health on every interface, its control and its page where the file says so."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, final

from picasso.errors import TransportError
from picasso.module.config import ConfigError
from picasso.web import Listener, WebServer

if TYPE_CHECKING:
    from picasso.module.config import ModuleConfig
    from picasso.module.config.problem import Path
    from picasso.module.run.operations import Operations
    from picasso.module.run.views import Views

ALL: Final = "0.0.0.0"
LOCAL: Final = "127.0.0.1"
WEB: Final[Path] = ("parameters", "web", "port")
HEALTH: Final[Path] = ("parameters", "healthcheck_port")
logger = logging.getLogger("picasso.module")


@final
class ModuleWeb:
    """The server of a module, where the configuration asks for one."""

    def __init__(self, config: ModuleConfig, operations: Operations, views: Views) -> None:
        """Read what is asked for; nothing listens yet.

        Args:
            config: The module's.
            operations: What is served.
            views: Those who watch.

        Raises:
            MissingDependencyError: Something is asked for, and the ``web`` extra is not installed.
        """
        self._config = config
        listeners = dict(_listeners(config))
        self._paths = list(listeners)
        self.has_page = WEB in listeners
        """Whether the module can be watched and controlled."""
        self._server: WebServer | None = None
        if listeners:
            self._server = WebServer(operations, list(listeners.values()), views.live if self.has_page else None)

    def start(self) -> None:
        """Listen.

        Raises:
            ConfigError: An address cannot be used.
        """
        if self._server is None:
            return
        try:
            self._server.start()
        except TransportError as error:
            path = next((path for path in self._paths if f":{_port(self._config, path)}:" in f"{error}:"), HEALTH)
            raise ConfigError([self._config.problem(path, f"cannot listen: {error}")]) from error
        if self.page is not None:
            logger.info("module %r: live page and control at %s", self._config.name, self.page)

    def stop(self) -> None:
        """Close every connection. May be called again."""
        if self._server is not None:
            self._server.stop()

    @property
    def page(self) -> str | None:
        """The address of the page and of control; None where it is off or does not listen."""
        return self._address(WEB)

    @property
    def health(self) -> str | None:
        """The address of ``healthcheck_port``; None where it is not set or does not listen."""
        return self._address(HEALTH)

    def _address(self, path: Path) -> str | None:
        addresses = [] if self._server is None else self._server.addresses
        return dict(zip(self._paths, addresses, strict=False)).get(path)


def _listeners(config: ModuleConfig) -> list[tuple[Path, Listener]]:
    found: list[tuple[Path, Listener]] = []
    port = config.parameters.get("healthcheck_port")
    if port is not None:
        found.append((HEALTH, Listener(ALL, port)))
    block: dict[str, Any] | None = config.parameters.get("web")
    if block is not None:
        found.append((WEB, Listener(block.get("host") or LOCAL, block["port"], True, block.get("token"))))
    return found


def _port(config: ModuleConfig, path: Path) -> Any:
    value: Any = {"parameters": config.parameters}
    for part in path:
        value = value[part]
    return value
