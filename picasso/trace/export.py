"""Spans on their way out: a bounded queue, a thread that sends batches by OTLP, and a count of what became of them."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, final

from picasso.errors import require
from picasso.trace.span import sound

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
    from opentelemetry.trace import Span as SdkSpan

    from picasso.trace.context import TraceContext
    from picasso.trace.endpoint import TraceEndpoint

SCOPE: Final = "picasso"
"""Who makes the spans, in the words of OpenTelemetry."""
TIMEOUT_S: Final = 10.0
"""Seconds for a batch, attempts after a failure included."""
logger: logging.Logger = logging.getLogger("picasso.trace")


@dataclass(frozen=True, slots=True)
class ExportCounts:
    """What became of the spans that have ended: ``ended == sent + failed + overflow + waiting``."""

    ended: int
    """Spans that have ended."""
    sent: int
    """Spans that the collector has taken."""
    failed: int
    """Spans of batches that could not be sent."""
    overflow: int
    """Spans that were dropped as too many waited; counted when the pipe is closed."""
    waiting: int
    """Spans that are still to be sent."""


@final
class SpanPipe:
    """Begins spans, and sends those that have ended. Safe from any thread; no caller waits for the network.

    Up to 2048 spans wait (``$OTEL_BSP_MAX_QUEUE_SIZE``), and leave in batches, every 5 seconds at least
    (``$OTEL_BSP_SCHEDULE_DELAY``). Where more come, the oldest are dropped and counted.
    """

    def __init__(
        self,
        endpoint: TraceEndpoint,
        service_name: str,
        *,
        headers: Mapping[str, str] | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        """Start the thread that sends.

        Args:
            endpoint: Where to.
            service_name: Who sends, as the traces show it.
            headers: Of each request, such as ``Authorization``.
            attributes: What else is said of this program; ``$OTEL_RESOURCE_ATTRIBUTES`` adds to it.

        Raises:
            MissingDependencyError: The extra ``traces`` is not installed.
        """
        http = require("opentelemetry.exporter.otlp.proto.http.trace_exporter", extra="traces")
        sdk = require("opentelemetry.sdk.trace", extra="traces")
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON

        self.endpoint = endpoint
        exporter = http.OTLPSpanExporter(endpoint=endpoint.url, headers=dict(headers or {}) or None, timeout=TIMEOUT_S)
        self._exporter = _counting(exporter, endpoint.shown)
        library = logging.getLogger(http.__name__)
        if _held_back not in library.filters:
            library.addFilter(_held_back)
        self._processor = BatchSpanProcessor(self._exporter)
        said = {sound(key): sound(value) for key, value in (attributes or {}).items()}
        self._provider = sdk.TracerProvider(
            sampler=ALWAYS_ON,  # the caller that begins a trace has decided
            resource=Resource.create({**said, "service.name": sound(service_name)}),
            id_generator=_id_generator(),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(_counting_ends(self._exporter))
        self._provider.add_span_processor(self._processor)
        self._tracer = self._provider.get_tracer(SCOPE)
        self._is_closed = False

    def start(self, name: str, parent: TraceContext | None, start_ns: int | None = None) -> SdkSpan:
        """Begin a span below ``parent``, or a trace.

        Args:
            name: Its name.
            parent: What it is below; None begins a trace.
            start_ns: When it began, nanoseconds since 1970; by default now.
        """
        from opentelemetry.context import Context
        from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState, set_span_in_context

        context = Context()
        if parent is not None:
            state = TraceState.from_header([parent.state]) if parent.state else None
            above = SpanContext(parent.trace_id, parent.span_id, True, TraceFlags(TraceFlags.SAMPLED), state)
            context = set_span_in_context(NonRecordingSpan(above), context)
        span: SdkSpan = self._tracer.start_span(
            name, context, start_time=start_ns, record_exception=False, set_status_on_exception=False
        )
        return span

    @property
    def counts(self) -> ExportCounts:
        """What became of the spans so far."""
        exporter = self._exporter
        with exporter.lock:
            ended, sent, failed = exporter.ended, exporter.sent, exporter.failed
        rest = ended - sent - failed
        return ExportCounts(ended, sent, failed, rest if self._is_closed else 0, 0 if self._is_closed else rest)

    def close(self, timeout_s: float) -> ExportCounts:
        """Send what waits, for at most ``timeout_s`` seconds, and stop. What is left then is dropped and counted."""
        flush = threading.Thread(target=self._processor.shutdown, name="traces-close", daemon=True)
        flush.start()
        flush.join(max(timeout_s, 0.0))
        if flush.is_alive():
            self._exporter.give_up()  # ends waiting for the next attempt; one that is under way ends on its thread
            flush.join(0.5)
        self._is_closed = True
        return self.counts

    def force_flush(self) -> bool:
        """Send what waits now, and return when that is done; tell whether everything was sent."""
        self._processor.force_flush()
        return self.counts.failed == 0


def _id_generator() -> Any:
    """Return what makes ids without Python's own random numbers, which users seed for repeatable runs."""
    from opentelemetry.sdk.trace.id_generator import IdGenerator

    class _Ids(IdGenerator):
        def generate_span_id(self) -> int:
            return int.from_bytes(os.urandom(8)) or 1

        def generate_trace_id(self) -> int:
            return int.from_bytes(os.urandom(16)) or 1

    return _Ids()


def _counting_ends(exporter: Any) -> Any:
    """Return what counts the spans that end."""
    from opentelemetry.sdk.trace import SpanProcessor

    class _Ends(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:  # noqa: ARG002 - that of the base class
            with exporter.lock:
                exporter.ended += 1

    return _Ends()


_said: Final[ContextVar[list[str] | None]] = ContextVar("picasso_export_says", default=None)
"""What the library says while one of our batches is sent; None elsewhere."""


def _held_back(record: logging.LogRecord) -> bool:
    """Keep what the library says of each attempt for our own line, which does not come with every attempt."""
    said = _said.get()
    if said is not None:
        said.append(record.getMessage())
    return said is None


def _counting(inner: SpanExporter, where: str) -> Any:
    """Return an exporter that counts what ``inner`` sends to ``where``."""
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

    class _Counting(SpanExporter):
        def __init__(self) -> None:
            self.lock = threading.Lock()
            self.ended = self.sent = self.failed = 0
            self._is_given_up = False
            self._failures = 0

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            result = SpanExportResult.FAILURE
            said: list[str] = []
            _said.set(said)
            try:
                if not self._is_given_up:
                    result = inner.export(spans)
            finally:
                _said.set(None)
                is_sent = result is SpanExportResult.SUCCESS
                with self.lock:
                    self.sent += len(spans) * is_sent
                    self.failed += len(spans) * (not is_sent)
            self._report(len(spans), is_sent, said)
            return result

        def _report(self, count: int, is_sent: bool, said: Sequence[str]) -> None:
            """Log the first, second, fourth, eighth… batch that is lost, and that batches arrive again."""
            if is_sent and self._failures:
                logger.warning("traces: %s takes spans again, after %d batches were lost", where, self._failures)
                self._failures = 0
            elif not is_sent and not self._is_given_up:
                self._failures += 1
                if self._failures & (self._failures - 1) == 0:
                    why = said[0][:200] if said else "no answer"
                    logger.warning(
                        "traces: %d spans could not be sent to %s (batch no. %d): %s", count, where, self._failures, why
                    )

        def give_up(self) -> None:
            with self.lock:  # of the thread that closes and the one that sends, one is first: the library warns of two
                was_given_up, self._is_given_up = self._is_given_up, True
            if not was_given_up:
                inner.shutdown()

        def shutdown(self) -> None:
            self.give_up()

    return _Counting()
