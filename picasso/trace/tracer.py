"""Which frames are traced, and the spans of one that is."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final, final

from picasso.trace.context import read_context
from picasso.trace.log_events import log_lines_as_events
from picasso.trace.span import Span, sound

if TYPE_CHECKING:
    from picasso.primitives import VideoFrame
    from picasso.trace.export import ExportCounts, SpanPipe

MAX_NESTED: Final = 1024
"""Nested spans of a trace that are ended with it where nothing else ended them."""
FRAME_JSON: Final = "frame_json"
"""The attribute that holds a frame's metadata at the end of a stage."""
Takes = Callable[[logging.LogRecord], bool]
logger: logging.Logger = logging.getLogger("picasso.trace")


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
        self._root_span_name = sound(root_span_name)
        self._period = sampling_period
        self._frame_json = frame_json
        self._now_ns = now_ns
        self._takes = takes
        self._numbers = itertools.count(1)
        self._lasting = ExitStack()
        self._lasting.enter_context(log_lines_as_events())
        self._closing = threading.Lock()
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
        with self._closing:
            was_closed, self._is_closed = self._is_closed, True
        if not was_closed:
            self._lasting.close()
            counts = self._pipe.close(timeout_s)
            lost = counts.failed + counts.overflow
            log = logger.warning if lost else logger.info
            log("traces: %d spans were sent to %s, %d were lost", counts.sent, self._pipe.endpoint.shown, lost)
        return self._pipe.counts


@final
class FrameTrace:
    """The trace of one frame: its root span, and a child of it for each stage. One thread at a time.

    Times are those of the tracer's clock. Stages follow each other without a gap: a frame comes to one when it leaves
    the one before. A stage that has spans below it begins by ``enter``; those of the others are made at the end.
    """

    __slots__ = (
        "_began_ns", "_first_json", "_frame", "_is_over", "_live", "_lock", "_nested", "_offset_ns", "_says_json",
        "root", "stage",
    )  # fmt: skip

    def __init__(
        self, frame: VideoFrame, root: Span, nested: list[Span], began_ns: int, offset_ns: int, *, says_json: bool
    ) -> None:
        """Begin.

        Args:
            frame: What is traced.
            root: The span of its whole way.
            nested: Where spans are noted that are nested anywhere below it.
            began_ns: When it came.
            offset_ns: What the clock's times lack to be nanoseconds since 1970.
            says_json: Whether stages say what the frame's metadata was at their ends.
        """
        self.root: Span = root
        """The span of its whole way, whose context travels on."""
        self.stage: Span = root
        """The span of the stage that it is in; the root where that has none yet."""
        self._frame = frame
        self._nested = nested
        self._began_ns = began_ns
        self._offset_ns = offset_ns
        self._says_json = says_json
        self._first_json = frame.json if says_json else ""
        self._live: dict[str, Span] = {}
        self._is_over = False
        self._lock = threading.Lock()

    def enter(self, stage: str, began_ns: int) -> Span:
        """Begin the span of the ``stage`` that the frame came to at ``began_ns``; return it."""
        name = f"stage/{stage}"
        span = self.stage = self._live[stage] = self.root.child(name, began_ns + self._offset_ns)
        return span

    def leave(self, ended_ns: int) -> None:
        """End the span of the stage that was entered last, at ``ended_ns``."""
        span, self.stage = self.stage, self.root
        if span is not self.root:
            self._end(span, ended_ns, is_new=True)

    def finish(self, trail: Sequence[tuple[str, int]], ended_ns: int, reason: str = "") -> None:
        """End the trace, with a span for each stage. May be called again, by any thread.

        Args:
            trail: The stages that the frame has passed, and when it left each.
            ended_ns: When its way ended.
            reason: Why it did not come out; empty where it did.
        """
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
        left_ns, is_new, kind = self._began_ns, False, "add"
        for stage, group in groupby(trail, key=itemgetter(0)):
            *_, (_, until_ns) = group
            span = self._live.pop(stage, None)
            if span is None:
                span = self.root.child(f"{kind}/{stage}", left_ns + self._offset_ns)
            else:
                is_new = True
            self._end(span, until_ns, is_new=is_new)
            left_ns, kind = until_ns, "stage"
        if reason:
            self.root.add_event("dropped", {"reason": reason})
            self.root.set_string_attribute("drop_reason", reason)
        for span in [*self._nested, *self._live.values(), self.root]:
            span.end(ended_ns + self._offset_ns)

    def _end(self, span: Span, ended_ns: int, *, is_new: bool) -> None:
        if self._says_json and span.is_open:
            span.set_string_attribute(FRAME_JSON, self._frame.json if is_new else self._first_json)
        span.end(ended_ns + self._offset_ns)
