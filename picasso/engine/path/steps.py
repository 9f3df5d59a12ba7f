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


class Span:
    """A step while it runs: ``with steps.flush:``. Spans of one source do not nest, and are entered again and again."""

    __slots__ = ("_meter", "_now_ns", "_progress", "started_ns", "step")

    def __init__(self, progress: Progress, step: Step) -> None:
        """Make a step that ``progress`` says when it runs."""
        self._progress, self._meter, self._now_ns = progress, progress.meter, progress.now_ns
        self.step: Step = step
        """What it is called."""
        self.started_ns: int = 0
        """When it last began."""

    def __enter__(self) -> None:
        self.started_ns = self._now_ns()
        self._meter.current = self

    def __exit__(self, _kind: object, _error: object, _traceback: object) -> None:
        self._meter.current = None


class MeasuredSpan:
    """A step whose durations count, and which is observed: ``begin``, then ``end`` if all went well, else ``stop``.

    Every frame goes through several. So they are no context managers, which take twice the time, and there is a class
    for what would be a question.
    """

    __slots__ = ("_meter", "_note", "_now_ns", "_progress", "started_ns", "step")

    def __init__(self, progress: Progress, step: Step) -> None:
        self._progress, self._meter, self._now_ns = progress, progress.meter, progress.now_ns
        self._note = progress.meter.steps[step].note
        self.step: Step = step
        """What it is called."""
        self.started_ns: int = 0
        """When it last began."""

    def begin(self) -> None:
        """Begin."""
        self.started_ns = self._now_ns()
        self._meter.current = self

    def end(self) -> int:
        """End well, and return when that was."""
        self._meter.current = None
        ended_ns = self._now_ns()
        self._note(ended_ns - self.started_ns)
        if self._progress.observe is not None:
            self._tell(ended_ns)
        return ended_ns

    def _tell(self, ended_ns: int) -> None:
        """Tell the observer, if the step belongs to a frame."""
        progress = self._progress
        if progress.observe is not None and progress.frame is not None:
            progress.observe(progress.frame, self.step, self.started_ns, ended_ns)


@final
class StagedSpan(MeasuredSpan):
    """A measured span to whose stage an error inside belongs."""

    __slots__ = ("_stage",)

    def __init__(self, progress: Progress, step: Step, stage: ErrorStage) -> None:
        super().__init__(progress, step)
        self._stage = stage

    def begin(self) -> None:
        """Begin."""
        self._progress.stage = self._stage
        self.started_ns = self._now_ns()
        self._meter.current = self


@final
class Steps:
    """The steps of one source, for its worker."""

    __slots__ = (
        "_add_queue", "_add_total", "_fresh", "_sort_in", "callback", "calling", "draw", "encode", "flush", "opening",
        "progress", "transform",
    )  # fmt: skip

    def __init__(self, meter: Meter, clock: Clock) -> None:
        self.progress: Progress = Progress(meter, clock)
        progress = self.progress
        self._sort_in = meter.sort_in
        self._fresh = 0
        self._add_queue = meter.steps[Step.QUEUE].note
        self._add_total = meter.steps[Step.TOTAL].note
        self.opening: Span = Span(progress, Step.ENCODE)
        self.transform: StagedSpan = StagedSpan(progress, Step.TRANSFORM, ErrorStage.TRANSFORM)
        self.draw: StagedSpan = StagedSpan(progress, Step.DRAW, ErrorStage.DRAW)
        self.encode: StagedSpan = StagedSpan(progress, Step.ENCODE, ErrorStage.ENCODE)
        self.flush: Span = Span(progress, Step.ENCODE)
        self.callback: MeasuredSpan = MeasuredSpan(progress, Step.CALLBACK)
        """A callback that gets a frame which is done."""
        self.calling: Span = Span(progress, Step.CALLBACK)
        """A callback that gets no frame."""

    def open(self) -> Span:
        """Return the step in which an encoder opens; an error inside is of stage ``OPEN``."""
        self.progress.stage = ErrorStage.OPEN
        return self.opening

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

    def stop(self) -> None:
        """Say that no step runs: the one that did has failed."""
        self.progress.meter.current = None

    def end(self, frame: VideoFrame, sent_ns: int, ended_ns: int) -> None:
        """End with a frame whose callback has returned at ``ended_ns``."""
        progress = self.progress
        self._add_total(ended_ns - sent_ns)
        progress.frame = None
        if progress.observe is not None:
            progress.observe(frame, Step.TOTAL, sent_ns, ended_ns)
