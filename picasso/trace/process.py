"""Traces of a program that is no module: one place where its spans go, and spans without a frame."""

from __future__ import annotations

import atexit
import threading
from contextlib import ExitStack
from typing import Any, Final, final

from picasso.trace.current import current_span
from picasso.trace.endpoint import TraceEndpoint
from picasso.trace.log_events import log_lines_as_events
from picasso.trace.none import NO_SPAN
from picasso.trace.span import Span, sound

CLOSE_S: Final = 3.0
"""Seconds that the exit of a program waits for spans to be sent."""


@final
class _Process:
    """Where the spans of this program go."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.pipe: Any = None
        self.lasting = ExitStack()


_process: Final = _Process()


def init_jaeger_tracer(service_name: str, endpoint: str) -> None:
    """Send the spans of ``TelemetrySpan`` by OTLP over HTTP until the program ends.

    Another call replaces the one before.

    Args:
        service_name: Who sends, as the traces show it.
        endpoint: As ``tracing.provider_params.endpoint`` of a module: ``host:6831`` sends to port 4318 of the host, a
            URL is taken as it is.

    Raises:
        SpecError: The endpoint is none.
        MissingDependencyError: The extra ``traces`` is not installed.
    """
    from picasso.trace.export import SpanPipe

    where = TraceEndpoint.parse(endpoint)
    with _process.lock:
        _close(CLOSE_S)
        _process.pipe = SpanPipe(where, service_name)
        _process.lasting.enter_context(log_lines_as_events())
        atexit.register(close_tracer)


def close_tracer(timeout_s: float = CLOSE_S) -> None:
    """Send the spans that wait, for at most ``timeout_s`` seconds, and begin no further ones."""
    with _process.lock:
        _close(timeout_s)


def _close(timeout_s: float) -> None:
    """Close what there is; the caller has the lock."""
    pipe, _process.pipe = _process.pipe, None
    if pipe is not None:
        atexit.unregister(close_tracer)
        _process.lasting.close()
        pipe.close(timeout_s)


class TelemetrySpan:
    """A span without a frame: ``with TelemetrySpan("name") as span:``.

    It begins a trace, and has the calls of ``frame.telemetry_span``. Before ``init_jaeger_tracer`` it has no effect.
    """

    def __new__(cls, name: str) -> Any:
        """Begin a span, ``name``."""
        pipe = _process.pipe
        if pipe is None:
            return NO_SPAN
        return Span(pipe.start(sound(name), None), pipe.start, takes=_takes_all, ends_itself=True)

    @staticmethod
    def current() -> Any:
        """Return the span that the running code is in; one without effect outside of any."""
        return current_span() or NO_SPAN


def _takes_all(_record: object) -> bool:
    return True
