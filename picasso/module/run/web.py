"""The addresses of a module: its health on every interface, its control and its page where the file says so."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Unpack, final

from picasso.errors import TransportError
from picasso.module.config import ConfigError
from picasso.module.run.operations import Operations, Parts
from picasso.module.run.overrides import Overrides
from picasso.module.run.views import Views
from picasso.web import Listener, WebServer
from picasso.web.listener import ALL

if TYPE_CHECKING:
    from collections.abc import Callable

    from picasso.engine import OutputMessage
    from picasso.engine.clock import Clock
    from picasso.flow import Runner, Source
    from picasso.module.config import ModuleConfig
    from picasso.module.config.problem import Path
    from picasso.module.elements import CodePath
    from picasso.module.run.books import Books
    from picasso.module.run.ingresses import Ingresses

LOCAL: Final = "127.0.0.1"
WEB: Final[Path] = ("parameters", "web", "port")
HEALTH: Final[Path] = ("parameters", "healthcheck_port")
logger: logging.Logger = logging.getLogger("picasso.module")


@final
class ModuleWeb:
    """The server of a module, where the configuration asks for one."""

    def __init__(
        self,
        config: Callable[[], ModuleConfig],
        code: CodePath,
        clock: Clock,
        sources: list[Source],
        ingresses: Ingresses,
        books: Books,
        **parts: Unpack[Parts],
    ) -> None:
        """Read what is asked for; nothing listens yet.

        Args:
            config: The module's.
            code: Where filters are looked for.
            clock: What new sources wait by.
            sources: Those of the module's file; those that come are added.
            ingresses: Its sockets.
            books: Where what leaves the module goes through.
            parts: What operations need of the module.

        Raises:
            MissingDependencyError: Something is asked for, and the ``web`` extra is not installed.
        """
        self.overrides: Overrides = Overrides()
        """What control changes for single sources."""
        self._config = config()
        self._views = Views(config, self.overrides)
        self.operations = Operations(
            config, code, clock, sources, ingresses, self.overrides, self._views, books.registry, **parts
        )
        """What can be asked of the module and done to it, also where it listens nowhere."""
        listeners = dict(_listeners(self._config))
        self.listeners: list[Listener] = list(listeners.values())
        """Where it listens while it runs."""
        self._paths = list(listeners)
        self._has_page = WEB in listeners
        self._put = books.emit
        if self._has_page:
            books.emit = self._emit
        self._server: WebServer | None = None
        if listeners:
            live = self._views.live if self._has_page else None
            self._server = WebServer(self.operations, self.listeners, live)

    @property
    def views(self) -> Views | None:
        """Those who watch; None where no one can."""
        return self._views if self._has_page else None

    @property
    def awaits_sources(self) -> bool:
        """Whether the last source was removed by request, so that the module waits for another."""
        return self.operations.awaits_sources

    def await_no_source(self) -> None:
        """Let the module end when its sources have."""
        self.operations.close_door()

    def has(self, source_id: str) -> bool:
        """Whether there is a source of that name."""
        return self.operations.has(source_id)

    def use(self, runner: Runner) -> None:
        """Control a runner from now on."""
        self.operations.runner = runner
        self._views.keyframe = runner.engine.request_keyframe
        self._views.is_source = self.operations.has

    def _emit(self, output: OutputMessage) -> None:
        """Show what leaves the module to those who watch, and hand it to the sinks."""
        self._views.stream(output)
        self._put(output)

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

    def close_views(self) -> None:
        """Make no further picture: the module stops."""
        self._views.close()

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


def with_port(config: ModuleConfig, port: int | None) -> ModuleConfig:
    """Return a configuration whose page is at a port; None leaves it."""
    if port is None:
        return config
    block = {**(config.parameters.get("web") or {}), "port": port}
    return replace(config, parameters={**config.parameters, "web": block})


def _listeners(config: ModuleConfig) -> list[tuple[Path, Listener]]:
    found: list[tuple[Path, Listener]] = []
    port = config.parameters.get("healthcheck_port")
    if port is not None:
        found.append((HEALTH, Listener(ALL, port)))
    block: dict[str, Any] | None = config.parameters.get("web")
    if block is not None:
        found.append(
            (WEB, Listener(block.get("host") or LOCAL, block["port"], is_control=True, token=block.get("token")))
        )
    return found


def _port(config: ModuleConfig, path: Path) -> Any:
    value: Any = {"parameters": config.parameters}
    for part in path:
        value = value[part]
    return value
