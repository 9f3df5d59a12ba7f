"""Builders of sources and sinks: each ``with_…`` returns a new builder that differs in one thing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from picasso.client.sink_runner import AsyncSinkRunner, SinkRunner
from picasso.client.source_runner import AsyncSourceRunner, HealthCheck, SourceRunner
from picasso.errors import SpecError
from picasso.wire import Endpoint, Reader, Writer

if TYPE_CHECKING:
    from picasso.client.logs import LogProvider


class _NoSocketError(SpecError, AssertionError):
    """A builder that was told no socket."""


@dataclass(frozen=True)
class _Builder:
    """What both builders have."""

    socket: str | None = None
    """The endpoint, such as ``dealer+connect:tcp://host:5555``."""
    log_provider: LogProvider | None = None
    """Where results fetch logs."""
    module_health_check_url: str | None = None
    """The health endpoint of a module that is waited for; None waits for none."""
    module_health_check_timeout: float = 60.0
    """Longest wait for the module in seconds."""
    module_health_check_interval: float = 5.0
    """Seconds between two questions."""

    def with_socket(self, socket: str) -> Self:
        """Name the endpoint of the ``socket``."""
        return replace(self, socket=socket)

    def with_log_provider(self, provider: LogProvider) -> Self:
        """Let results fetch logs from a ``provider``."""
        return replace(self, log_provider=provider)

    def with_module_health_check_url(self, url: str | None) -> Self:
        """Wait for the module whose health endpoint ``url`` is, before the first message."""
        return replace(self, module_health_check_url=url)

    def with_module_health_check_timeout(self, seconds: float) -> Self:
        """Wait for the module, at most ``seconds``."""
        return replace(self, module_health_check_timeout=seconds)

    def with_module_health_check_interval(self, seconds: float) -> Self:
        """Ask the module once in ``seconds``."""
        return replace(self, module_health_check_interval=seconds)

    def _checked_socket(self, *, reads: bool) -> str:
        if self.socket is None:
            raise _NoSocketError("socket is required; call with_socket")
        Endpoint.parse(self.socket, reads=reads)
        return self.socket

    def _health(self) -> HealthCheck | None:
        url = self.module_health_check_url
        if not url:
            return None
        return HealthCheck(url, self.module_health_check_timeout, self.module_health_check_interval)


@dataclass(frozen=True)
class SourceBuilder(_Builder):
    """Builds what sends frames.

    ::

        source = SourceBuilder().with_socket("dealer+connect:tcp://127.0.0.1:5555").build()
        result = source(JpegSource("cam-1", "street.jpg"))
        result.status, result.trace_id
    """

    retries: int = 3
    """Further attempts to send, and to get an answer."""
    telemetry_enabled: bool = True
    """Whether each frame gets a trace."""
    send_timeout: float = 5.0
    """Longest wait for room at the reader in seconds, for each attempt."""
    receive_timeout: float = 5.0
    """Longest wait for an answer in seconds, for each attempt."""

    def with_retries(self, retries: int) -> Self:
        """Try to send, and to get an answer, ``retries`` more times."""
        return replace(self, retries=retries)

    def with_send_timeout(self, seconds: float) -> Self:
        """Wait ``seconds`` for room at the reader, for each attempt."""
        return replace(self, send_timeout=seconds)

    def with_receive_timeout(self, seconds: float) -> Self:
        """Wait ``seconds`` for an answer, for each attempt."""
        return replace(self, receive_timeout=seconds)

    def with_telemetry_enabled(self) -> Self:
        """Give each frame a trace."""
        return replace(self, telemetry_enabled=True)

    def with_telemetry_disabled(self) -> Self:
        """Give frames no traces."""
        return replace(self, telemetry_enabled=False)

    def build(self) -> SourceRunner:
        """Open the socket.

        Raises:
            SpecError: No socket is set, or it is one of a reader; the first is an ``AssertionError``, too.
            TransportError: It cannot be opened.
        """
        socket = self._checked_socket(reads=False)
        options: dict[str, Any] = {
            "send_retries": self.retries,
            "receive_retries": self.retries,
            "send_timeout_s": self.send_timeout,
            "receive_timeout_s": self.receive_timeout,
        }
        return SourceRunner(
            lambda: Writer(socket, **options),
            health=self._health(),
            log_provider=self.log_provider,
            telemetry=self.telemetry_enabled,
        )

    def build_async(self) -> AsyncSourceRunner:
        """Open the socket for use with ``await``; errors as ``build``."""
        return AsyncSourceRunner(self.build)


@dataclass(frozen=True)
class SinkBuilder(_Builder):
    """Builds what receives frames.

    ::

        sink = SinkBuilder().with_socket("sub+connect:tcp://127.0.0.1:5556").with_idle_timeout(60).build()
        for result in sink:
            result.frame_meta, result.pixels()
    """

    idle_timeout: float | None = None
    """Seconds without a message that end the iteration; None never ends it."""
    source_id: str | None = None
    """The only source that is taken; it wins over the prefix."""
    source_id_prefix: str | None = None
    """What the ids of sources begin with that are taken."""
    reader_options: dict[str, Any] = field(default_factory=dict)
    """Further arguments of ``Reader``."""

    def with_source_id(self, source_id: str | None) -> Self:
        """Take one source only, by its ``source_id``."""
        return replace(self, source_id=source_id)

    def with_source_id_prefix(self, prefix: str | None) -> Self:
        """Take sources only whose ids begin with ``prefix``."""
        return replace(self, source_id_prefix=prefix)

    def with_idle_timeout(self, seconds: float | None) -> Self:
        """End the iteration when nothing has come for ``seconds``."""
        return replace(self, idle_timeout=seconds)

    def build(self) -> SinkRunner:
        """Open the socket.

        Raises:
            SpecError: No socket is set, or it is one of a writer; the first is an ``AssertionError``, too.
            TransportError: It cannot be opened.
        """
        socket = self._checked_socket(reads=True)
        prefix = None if self.source_id is not None else self.source_id_prefix
        options = {"source_id": self.source_id, "source_id_prefix": prefix, **self.reader_options}
        return SinkRunner(
            lambda: Reader(socket, **options),
            idle_timeout_s=self.idle_timeout,
            health=self._health(),
            log_provider=self.log_provider,
        )

    def build_async(self) -> AsyncSinkRunner:
        """Open the socket for use with ``async for``; errors as ``build``."""
        return AsyncSinkRunner(self.build)
