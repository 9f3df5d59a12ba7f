"""Which frames are traced, and the spans of one that is."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, final

from picasso.trace.context import read_context
from picasso.trace.log_events import log_lines_as_events
from picasso.trace.span import Span

if TYPE_CHECKING:
    from picasso.primitives import VideoFrame
    from picasso.trace.export import ExportCounts, SpanPipe

MAX_NESTED: Final = 1024
"""Nested spans of a trace that are ended with it where nothing else ended them."""
FRAME_JSON: Final = "frame_json"
"""The attribute that holds a frame's metadata at the end of a stage."""
Takes = Callable[[logging.LogRecord], bool]
logger = logging.getLogger("picasso.trace")


def _all(_record: logging.LogRecord) -> bool:
    return True


@final
class Tracer:
    """Decides which frames are traced, and begins their traces. Safe from any thread.

    Every ``sampling_period``-th frame over all sources is, and every frame that brings the context of a trace.
    """

    def __init__(
        self,
        pipe: SpanPipe,
        root_span_name: str,
        *,
        sampling_period: int = 100,
        frame_json: bool = False,
        now_ns: Callable[[], int] = time.monotonic_ns,
        takes: Takes = _all,
    ) -> None:
        """Begin to count frames.

        Args:
            pipe: Where spans go.
            root_span_name: What the span of a whole frame is called.
            sampling_period: Every which frame begins a trace; 0 or less: none does.
            frame_json: Whether spans of stages say what the frame's metadata was at their ends.
            now_ns: The clock by which stages are timed.
            takes: Which lines of the log become events.
        """
        self._pipe = pipe
        self._root_span_name = root_span_name
        self._period = sampling_period
        self._frame_json = frame_json
        self._now_ns = now_ns
        self._takes = takes
        self._numbers = itertools.count(1)
        self._lasting = ExitStack()
        self._lasting.enter_context(log_lines_as_events())
        self._is_closed = False

    def begin(
        self, frame: VideoFrame, headers: Mapping[str, str] | None = None, began_ns: int | None = None
    ) -> FrameTrace | None:
        """Begin the trace of a frame if it is to be traced; else return None.

        Args:
            frame: The frame, which has just come in.
            headers: What came with it: the context of a trace, or nothing.
            began_ns: When it was received, of the tracer's clock; by default now.
        """
        number = next(self._numbers)
        if not headers and (self._period <= 0 or number % self._period):
            return None
        context = read_context(headers) if headers else None
        if context is None and (self._period <= 0 or number % self._period):
            return None
        now_ns = self._now_ns()
        began_ns = now_ns if began_ns is None else began_ns
        offset_ns = time.time_ns() - now_ns
        sdk = self._pipe.start(self._root_span_name, context, began_ns + offset_ns)
        nested: list[Span] = []
        root = Span(
            sdk,
            self._pipe.start,
            state="" if context is None else context.state,
            takes=self._takes,
            on_nested=lambda span: nested.append(span) if len(nested) < MAX_NESTED else None,
        )
        root.set_string_attribute("source_id", frame.source_id)
        root.set_int_attribute("pts", frame.pts)
        return FrameTrace(frame, root, nested, began_ns, offset_ns, says_json=self._frame_json)

    def close(self, timeout_s: float) -> ExportCounts:
        """Send the spans that wait, for at most ``timeout_s`` seconds. May be called again."""
        if not self._is_closed:
            self._is_closed = True
            self._lasting.close()
            counts = self._pipe.close(timeout_s)
            lost = counts.failed + counts.overflow
            log = logger.warning if lost else logger.info
            log("traces: %d spans were sent to %s, %d were lost", counts.sent, self._pipe.endpoint.url, lost)
        return self._pipe.counts


@final
class FrameTrace:
    """The trace of one frame: its root span, and a child of it for each stage. One thread at a time.

    Times are those of the tracer's clock. Stages follow each other without a gap: a frame comes to one when it leaves
    the one before.
    """

    __slots__ = (
        "_frame", "_is_first", "_is_over", "_left_ns", "_lock", "_nested", "_offset_ns", "_open", "_says_json", "root",
    )  # fmt: skip

    def __init__(
        self, frame: VideoFrame, root: Span, nested: list[Span], began_ns: int, offset_ns: int, *, says_json: bool
    ) -> None:
        """Begin with the first stage.

        Args:
            frame: What is traced.
            root: The span of its whole way.
            nested: Where spans are noted that are nested anywhere below it.
            began_ns: When it came.
            offset_ns: What the clock's times lack to be nanoseconds since 1970.
            says_json: Whether stages say what the frame's metadata was at their ends.
        """
        self.root = root
        """The span of its whole way, whose context travels on."""
        self._frame = frame
        self._nested = nested
        self._left_ns = began_ns
        self._offset_ns = offset_ns
        self._says_json = says_json
        self._open: dict[str, Span] = {}
        self._is_first = True
        self._is_over = False
        self._lock = threading.Lock()

    def enter(self, stage: str) -> Span:
        """Begin the span of the ``stage`` that the frame is in now, for spans below it; ``leave`` ends it."""
        span = self._open[stage] = self._begin(stage)
        return span

    def leave(self, stage: str, ended_ns: int) -> None:
        """Say that the frame has left a ``stage`` at ``ended_ns``."""
        if self._is_over:
            return
        span = self._open.pop(stage, None) or self._begin(stage)
        self._left_ns = ended_ns
        if self._says_json:
            span.set_string_attribute(FRAME_JSON, self._frame.json)
        span.end(ended_ns + self._offset_ns)

    def end(self, ended_ns: int, reason: str = "") -> None:
        """End the trace. May be called again, by any thread.

        Args:
            ended_ns: When the frame's way ended.
            reason: Why it did not come out; empty where it did.
        """
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
        when_ns = ended_ns + self._offset_ns
        if reason:
            self.root.add_event("dropped", {"reason": reason})
            self.root.set_string_attribute("drop_reason", reason)
        for span in [*self._nested, *self._open.values()]:
            span.end(when_ns)
        self.root.end(when_ns)

    def _begin(self, stage: str) -> Span:
        kind = "add" if self._is_first else "stage"
        self._is_first = False
        return self.root.child(f"{kind}/{stage}", self._left_ns + self._offset_ns)
