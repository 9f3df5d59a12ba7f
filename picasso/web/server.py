"""A server in a thread of its own: its sockets, its limits, its end."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, final

from picasso.errors import TransportError, require
from picasso.web.listener import ALL, CONNECTIONS, IDLE_S, WAITING, Listener

if TYPE_CHECKING:
    from picasso.web.live import Live
    from picasso.web.operations import Operated

PING_S: Final = 20
"""Seconds between two pings of a WebSocket, and seconds that an answer may take."""
MESSAGE_BYTES: Final = 64 << 10
"""Most bytes of a message that a page sends."""
END_S: Final = 5.0
"""Seconds that the end of a server takes at most."""
logger: logging.Logger = logging.getLogger("picasso.web")


@final
class WebServer:
    """Serves a module at one or several addresses, from one thread.

    Guarantees:

    - ``start`` returns when every address listens, or raises; ``stop`` returns when none does any more.
    - A client that is slow, silent or wrong costs its own connection and nothing else.
    """

    def __init__(self, module: Operated, listeners: Sequence[Listener], live: Live | None = None) -> None:
        """Take what is served; nothing listens yet.

        Args:
            module: What is shown and controlled.
            listeners: Where.
            live: Pictures for viewers; needed by listeners with ``is_control``.

        Raises:
            MissingDependencyError: The ``web`` extra is not installed.
        """
        for name in ("starlette", "uvicorn", "websockets"):
            require(name, extra="web")
        self._module = module
        self._listeners = list(listeners)
        self._live = live
        self._sockets: list[socket.socket] = []
        self._servers: list[Any] = []
        self._started = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def addresses(self) -> list[str]:
        """Where each listener can be reached, as ``http://host:port``; empty while none listens."""
        return [_address(listener.host, one) for listener, one in zip(self._listeners, self._sockets, strict=False)]

    def start(self) -> None:
        """Listen everywhere, and answer.

        Raises:
            TransportError: An address cannot be used; nothing listens then.
        """
        try:
            for listener in self._listeners:
                self._sockets.append(_bound(listener))
        except TransportError:
            self._close_sockets()
            raise
        self._thread = threading.Thread(target=self._run, name="picasso-web", daemon=True)
        self._thread.start()
        self._started.wait(END_S)

    def stop(self) -> None:
        """Close every connection and every socket. May be called again."""
        for server in self._servers:
            server.should_exit = True
        if self._thread is not None:
            self._thread.join(END_S)
            self._thread = None
        self._close_sockets()

    def _close_sockets(self) -> None:
        for one in self._sockets:
            one.close()
        self._sockets = []

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception:
            logger.exception("the web server has failed")
        finally:
            self._started.set()

    async def _serve(self) -> None:
        import uvicorn

        from picasso.web.application import application
        from picasso.web.connections import HttpConnection, WebSocketConnection

        workers = 2 * WAITING * len(self._listeners) + 1  # and one for statistics
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(workers, "picasso-web-call"))
        self._servers = [
            uvicorn.Server(
                uvicorn.Config(
                    application(self._module, listener, self._live, one.getsockname()[1]),
                    http=HttpConnection,
                    ws=WebSocketConnection,
                    ws_max_size=MESSAGE_BYTES,
                    ws_ping_interval=PING_S,
                    ws_ping_timeout=PING_S,
                    ws_per_message_deflate=False,
                    lifespan="off",
                    log_config=None,
                    log_level="error",  # what clients do wrong must not fill the log
                    access_log=False,
                    server_header=False,
                    proxy_headers=False,
                    limit_concurrency=CONNECTIONS,
                    timeout_keep_alive=IDLE_S,
                    timeout_graceful_shutdown=2,
                )
            )
            for listener, one in zip(self._listeners, self._sockets, strict=True)
        ]
        tasks = [
            asyncio.create_task(server.serve(sockets=[one]))
            for server, one in zip(self._servers, self._sockets, strict=True)
        ]
        if self._live is not None:
            self._live.attach(asyncio.get_running_loop(), self._module)
        while not all(server.started or task.done() for server, task in zip(self._servers, tasks, strict=True)):
            await asyncio.sleep(0.001)
        self._started.set()
        try:
            await asyncio.gather(*tasks)
        finally:
            if self._live is not None:
                self._live.detach()


def _bound(listener: Listener) -> socket.socket:
    """Return a socket that is bound to the address of a listener.

    Raises:
        TransportError: It cannot be bound.
    """
    where = f"{listener.host or 'every interface'}:{listener.port}"
    is_dual = listener.host == ALL and socket.has_dualstack_ipv6()
    try:
        place = (listener.host or ("::" if is_dual else "0.0.0.0"), listener.port)
        family, _kind, _protocol, _name, address = socket.getaddrinfo(*place, type=socket.SOCK_STREAM)[0]
        made = socket.create_server(address, family=family, backlog=128, dualstack_ipv6=is_dual)
    except OSError as error:
        raise TransportError(f"{where}: {error.strerror or error}") from None
    made.setblocking(False)
    return made


def _address(host: str, bound: socket.socket) -> str:
    shown = "127.0.0.1" if host in (ALL, "0.0.0.0") else host.strip("[]")
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{bound.getsockname()[1]}"
