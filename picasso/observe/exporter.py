"""Metrics in a registry of their own, and a small server that Prometheus reads them from."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from picasso.engine.threads import EngineThread
from picasso.errors import TransportError, require

if TYPE_CHECKING:
    from types import TracebackType
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from prometheus_client import CollectorRegistry, Metric

PATH: Final = "/metrics"
PATIENCE_S: Final = 10.0
"""Seconds that a client may be silent."""
DEADLINE_S: Final = 20.0
"""Seconds that a client may take in all, from the connection to the last byte of the answer."""
LOOK_S: Final = 0.5
"""Seconds between two looks at that."""
MOST_CLIENTS: Final = 16
"""Clients that are answered at once; further ones wait, and are turned away after ``QUEUE_S``."""
QUEUE_S: Final = 1.0
Collect = Callable[[], "Iterable[Metric]"]


@final
class Registry:
    """A registry of families that are collected again for each scrape, with the same labels added to every series."""

    def __init__(self, collect: Collect, labels: Mapping[str, str] | None = None) -> None:
        """Make a registry.

        Args:
            collect: Yields the families; may be called from several threads at once.
            labels: Added to every series.

        Raises:
            MissingDependencyError: prometheus-client is not installed.
        """
        client = require("prometheus_client", extra="metrics")
        self._collect = collect
        self._labels = {name: str(value) for name, value in sorted((labels or {}).items())}
        self.registry: CollectorRegistry = client.CollectorRegistry(auto_describe=False)
        """As prometheus-client's functions take it."""
        self.registry.register(self)
        self._process = client.ProcessCollector(registry=None)

    def collect(self) -> Iterable[Metric]:
        """Yield the families, and those of the process: its processor time, memory, open files."""
        for families in (self._collect(), self._process.collect()):
            for family in families:
                if self._labels:
                    family.samples = [
                        sample._replace(labels={**sample.labels, **self._labels}) for sample in family.samples
                    ]
                yield family

    def text(self) -> str:
        """Return everything as Prometheus reads it."""
        text: bytes = require("prometheus_client", extra="metrics").generate_latest(self.registry)
        return text.decode()


@final
class MetricsServer:
    """Answers ``GET /metrics``, and nothing else. It reads no body, and a slow client holds up no other one.

    ``close`` may be called again, and from any thread.
    """

    def __init__(self, registry: Registry, port: int, host: str = "") -> None:
        """Listen.

        Args:
            registry: What is answered.
            port: TCP port; 0 takes a free one, which ``port`` tells.
            host: Address to listen at; empty for every interface, IPv6 too where there is any.

        Raises:
            TransportError: The port is in use, or may not be used.
        """
        client = require("prometheus_client", extra="metrics")
        application = _only_metrics(client.make_wsgi_app(registry.registry))
        try:
            self._server = _Server(host, port, application)
        except OSError as error:
            where = f"port {port}" if not host else f"{host}:{port}"
            raise TransportError(f"metrics: {where} cannot be listened at: {error.strerror}") from None
        self.port: int = self._server.server_address[1]
        """Where it listens."""
        self._closing = threading.Lock()
        self._is_closed = False
        self._thread = EngineThread(target=self._server.serve_forever, args=(LOOK_S,), name="metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        with self._closing:
            if not self._is_closed:
                self._is_closed = True
                self._server.shutdown()
                self._server.server_close()
                self._thread.join()

    def __enter__(self) -> MetricsServer:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()


class _Handler(WSGIRequestHandler):
    """Reads one request; says nothing into the log."""

    timeout = PATIENCE_S

    def log_message(self, format: str, *args: Any) -> None:
        """Keep scrapes out of the log."""


class _Server(WSGIServer):
    """Answers each client on a thread of its own."""

    request_queue_size = 64
    allow_reuse_address = True

    def __init__(self, host: str, port: int, application: WSGIApplication) -> None:
        is_dual = not host and socket.has_dualstack_ipv6()
        self.address_family = socket.AF_INET6 if is_dual or ":" in host else socket.AF_INET
        self._is_dual = is_dual
        self._turns = threading.BoundedSemaphore(MOST_CLIENTS)
        self._deadlines_s: dict[int, tuple[float, Any]] = {}
        """When the connection of a client is cut off, by its number."""
        self._deadline_s = DEADLINE_S
        super().__init__((host or ("::" if is_dual else "0.0.0.0"), port), _Handler)
        self.set_app(application)

    def server_bind(self) -> None:
        """Bind without asking a name server who this host is."""
        if self._is_dual:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "metrics", self.server_address[1]
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer on another thread, where not too many are busy."""
        if not self._turns.acquire(timeout=QUEUE_S):
            self.shutdown_request(request)
            return
        EngineThread(target=self._answer, args=(request, client_address), name="metrics-client", daemon=True).start()

    def service_actions(self) -> None:
        """Cut off clients that take too long; called from time to time."""
        now_s = time.monotonic()
        for due_s, request in list(self._deadlines_s.values()):
            if now_s > due_s:
                with suppress(OSError):
                    request.shutdown(socket.SHUT_RDWR)  # its thread wakes, and ends

    def _answer(self, request: Any, client_address: Any) -> None:
        number = id(request)
        self._deadlines_s[number] = time.monotonic() + self._deadline_s, request
        try:
            self.finish_request(request, client_address)
        except OSError:
            pass  # the client is gone, or took too long
        finally:
            self._deadlines_s.pop(number, None)
            self.shutdown_request(request)
            self._turns.release()


def _only_metrics(metrics: WSGIApplication) -> WSGIApplication:
    """Return an application that answers one path, and only reads."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH:
            return _refuse(start_response, "404 Not Found", [])
        if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            return _refuse(start_response, "405 Method Not Allowed", [("Allow", "GET, HEAD")])
        answer = metrics({**environ, "REQUEST_METHOD": "GET"}, start_response)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else answer

    return application


def _refuse(start_response: StartResponse, status: str, headers: list[tuple[str, str]]) -> list[bytes]:
    start_response(status, [("Content-Type", "text/plain; charset=utf-8"), *headers])
    return [status[4:].encode() + b"\n"]
