"""One construct for a step of a frame: what error reports, latencies, statistics and the observer say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from picasso.engine.callbacks import ErrorStage
from picasso.engine.stats import FRESH, Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from picasso.engine.clock import Clock
    from picasso.engine.stats import Meter
    from picasso.primitives import VideoFrame

    Observe = Callable[[VideoFrame, Step, int, int], object]
    """Takes a frame, a step, its start and its end, nanoseconds of the engine's clock; does not raise."""


@final
class Progress:
    """Where a source is. Its worker writes; ``meter.current`` may be read by any thread."""

    __slots__ = ("frame", "meter", "now_ns", "observe", "stage")

    def __init__(self, meter: Meter, clock: Clock) -> None:
        self.meter: Meter = meter
        self.now_ns: Callable[[], int] = clock.now_ns
        self.observe: Observe | None = None
        """Told of each step that ended well; None for no one."""
        self.stage: ErrorStage = ErrorStage.INPUT
        """What is being done, for the report of an error."""
        self.frame: VideoFrame | None = None
        """Whose steps they are, while there is an observer."""


@final
class Span:
    """A step while it runs: ``with steps.transform:``. Spans of one source do not nest.

    An error inside belongs to the span's stage. A step that fails counts in no latency, and no one observes it.
    """

    __slots__ = ("_add", "_meter", "_now_ns", "_progress", "_stage", "ended_ns", "started_ns", "step")

    def __init__(
        self, progress: Progress, step: Step, stage: ErrorStage | None = None, *, is_measured: bool = True
    ) -> None:
        """Make a step that can be entered again and again.

        Args:
            progress: Where it is written that the step runs.
            step: What it is called.
            stage: Of errors inside; None leaves the stage as it is.
            is_measured: Whether its durations count, and whether it is observed.
        """
        self._progress, self._meter, self._now_ns = progress, progress.meter, progress.now_ns
        self._stage = stage
        self._add = progress.meter.steps[step].note if is_measured else None
        self.step: Step = step
        """What it is called."""
        self.started_ns: int = 0
        """When it last began."""
        self.ended_ns: int = 0
        """When it last ended, if it is measured."""

    def __enter__(self) -> None:
        if self._stage is not None:
            self._progress.stage = self._stage
        self.started_ns = self._now_ns()
        self._meter.current = self

    def __exit__(self, kind: object, _error: object, _traceback: object) -> None:
        self._meter.current = None
        if kind is None and self._add is not None:
            self.ended_ns = ended_ns = self._now_ns()
            self._add(ended_ns - self.started_ns)
            progress = self._progress
            if progress.observe is not None and progress.frame is not None:
                progress.observe(progress.frame, self.step, self.started_ns, ended_ns)


@final
class Steps:
    """The steps of one source, for its worker."""

    __slots__ = (
        "_add_queue", "_add_total", "_fresh", "_sort_in", "callback", "calling", "draw", "encode", "flush", "open",
        "progress", "transform",
    )  # fmt: skip

    def __init__(self, meter: Meter, clock: Clock) -> None:
        self.progress: Progress = Progress(meter, clock)
        progress = self.progress
        self._sort_in = meter.sort_in
        self._fresh = 0
        self._add_queue = meter.steps[Step.QUEUE].note
        self._add_total = meter.steps[Step.TOTAL].note
        self.open: Span = Span(progress, Step.ENCODE, ErrorStage.OPEN, is_measured=False)
        self.transform: Span = Span(progress, Step.TRANSFORM, ErrorStage.TRANSFORM)
        self.draw: Span = Span(progress, Step.DRAW, ErrorStage.DRAW)
        self.encode: Span = Span(progress, Step.ENCODE, ErrorStage.ENCODE)
        self.flush: Span = Span(progress, Step.ENCODE, is_measured=False)
        self.callback: Span = Span(progress, Step.CALLBACK)
        """A callback that gets a frame which is done."""
        self.calling: Span = Span(progress, Step.CALLBACK, is_measured=False)
        """A callback that gets no frame."""

    def begin(self, frame: VideoFrame, sent_ns: int) -> None:
        """Begin with a frame that was sent at ``sent_ns`` and has waited until now."""
        progress = self.progress
        progress.stage = ErrorStage.INPUT
        now_ns = progress.now_ns()
        self._add_queue(now_ns - sent_ns)
        self._fresh += 1
        if self._fresh >= FRESH:
            self._fresh = 0
            self._sort_in()
        if progress.observe is not None:
            progress.frame = frame
            progress.observe(frame, Step.QUEUE, sent_ns, now_ns)

    def end(self, frame: VideoFrame, sent_ns: int) -> int:
        """End with a frame whose callback has just returned; return when that was."""
        progress, ended_ns = self.progress, self.callback.ended_ns
        self._add_total(ended_ns - sent_ns)
        progress.frame = None
        if progress.observe is not None:
            progress.observe(frame, Step.TOTAL, sent_ns, ended_ns)
        return ended_ns
