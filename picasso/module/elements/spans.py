"""The spans that code of the user's runs in: one for each traced frame that it works on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Final

from picasso.trace.current import enter, leave

if TYPE_CHECKING:
    from picasso.module.meta import Frame
    from picasso.trace import Span

PROCESS_FRAME: Final = "process-frame"
"""The name of such a span, as the reference calls it."""
_NO_SPANS: Final = nullcontext()


def in_spans(frames: Iterable[Frame]) -> AbstractContextManager[None]:
    """Work on ``frames``: those that are traced have a span of it, their ``telemetry_span`` meanwhile.

    A line of the log becomes an event of the last one.
    """
    traced = [frame for frame in frames if frame.trace is not None]
    return _in_spans(traced) if traced else _NO_SPANS


@contextmanager
def _in_spans(frames: Iterable[Frame]) -> Iterator[None]:
    with ExitStack() as stack:
        for frame in frames:
            if (trace := frame.trace) is not None:
                span = frame.telemetry_span = trace.stage.child(PROCESS_FRAME)
                enter(span)
                stack.callback(_close, frame, span, trace.root)
        yield


def _close(frame: Frame, span: Span, root: Span) -> None:
    leave(span)
    span.end()
    frame.telemetry_span = root


def tell_spans(frames: Iterable[Frame], error: BaseException) -> None:
    """Tell the spans of traced ``frames`` of an ``error`` that left the user's code, as their blocks do not."""
    for frame in frames:
        if frame.trace is not None:
            frame.telemetry_span.fail(error)
