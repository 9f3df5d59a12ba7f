"""Calling the user: one source's callbacks, with everything they raise reported and nothing passed on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, NoneType
from typing import TYPE_CHECKING, ParamSpec, TypeVar, final

from picasso.draw import ObjectDraw
from picasso.engine.callbacks import Callbacks, ErrorStage
from picasso.engine.messages import OutputMessage
from picasso.engine.path.tracebacks import clear, clear_ended, forget_earlier_trips, running_frames
from picasso.engine.policies import EvictionDecision, StreamResetReason
from picasso.engine.stats import DropReason, Meter
from picasso.primitives import EndOfStream

if TYPE_CHECKING:
    from picasso.engine.path.steps import Steps
    from picasso.engine.stats import Step
    from picasso.primitives import BorrowedVideoObject, VideoFrame
    from picasso.surface import SurfaceView

P = ParamSpec("P")
R = TypeVar("R")
logger: logging.Logger = logging.getLogger("picasso.engine")


@final
class Hooks:
    """The callbacks of one source.

    No method raises. What a callback raises, ``SystemExit`` and its like included, goes to ``on_error``; what
    ``on_error`` raises goes to the log. Called by the source's worker only, except ``count_lost`` and ``report`` at a
    shutdown that has run out of time.

    Who keeps an error keeps the frames of all functions that ran when it was raised. Those of this package lose their
    locals as soon as they have ended, by ``let_go``, so that pixels go back to their pool; no one else's are touched.
    """

    __slots__ = (
        "_callbacks",
        "_failures",
        "_label",
        "_meter",
        "_steps",
        "frames",
        "source_id",
    )

    def __init__(self, source_id: str, callbacks: Callbacks, meter: Meter, steps: Steps, label: str) -> None:
        self.source_id: str = source_id
        self._callbacks = callbacks
        self._meter = meter
        self._steps = steps
        self._label = label
        self._failures = 0
        self.frames: list[FrameType] = []
        """Functions of this package that ran when an error was reported, for ``let_go``."""
        if callbacks.on_step is not None:
            steps.progress.observe = self._observe

    @property
    def has_render(self) -> bool:
        """Whether there is an ``on_render``."""
        return self._callbacks.on_render is not None

    @property
    def has_gpumat(self) -> bool:
        """Whether there is an ``on_gpumat``."""
        return self._callbacks.on_gpumat is not None

    @property
    def has_object_draw_spec(self) -> bool:
        """Whether there is an ``on_object_draw_spec``."""
        return self._callbacks.on_object_draw_spec is not None

    def encoded(self, output: OutputMessage, sent_ns: int) -> None:
        """Deliver an encoded frame that was sent at ``sent_ns``."""
        self._deliver(ErrorStage.ON_ENCODED_FRAME, self._callbacks.on_encoded_frame, output, sent_ns)

    def bypassed(self, output: OutputMessage, sent_ns: int) -> None:
        """Deliver a bypassed frame that was sent at ``sent_ns``."""
        self._deliver(ErrorStage.ON_BYPASS_FRAME, self._callbacks.on_bypass_frame, output, sent_ns)

    @property
    def gated(self) -> Callable[[OutputMessage, int], None] | None:
        """What delivers a frame that a gate holds back and that was sent at some time; None without a callback."""
        return None if self._callbacks.on_gated_frame is None else self._deliver_gated

    def _deliver_gated(self, output: OutputMessage, sent_ns: int) -> None:
        self._deliver(ErrorStage.ON_GATED_FRAME, self._callbacks.on_gated_frame, output, sent_ns)

    def end_of_encoded_stream(self) -> None:
        """Deliver a sentinel to ``on_encoded_frame``."""
        self._sentinel(ErrorStage.ON_ENCODED_FRAME, self._callbacks.on_encoded_frame)

    def end_of_bypassed_stream(self) -> None:
        """Deliver a sentinel to ``on_bypass_frame``."""
        self._sentinel(ErrorStage.ON_BYPASS_FRAME, self._callbacks.on_bypass_frame)

    def render(self, frame: VideoFrame, width: int, height: int) -> None:
        """Let ``on_render`` draw on the current canvas."""
        if on_render := self._callbacks.on_render:
            self._call(ErrorStage.ON_RENDER, frame, on_render, self.source_id, 0, width, height, frame)

    def gpumat(self, frame: VideoFrame, surface: SurfaceView) -> None:
        """Let ``on_gpumat`` change the pixels of ``surface``."""
        if on_gpumat := self._callbacks.on_gpumat:
            address = (surface.data_ptr, surface.pitch, surface.width, surface.height, surface.cuda_stream)
            self._call(ErrorStage.ON_GPUMAT, frame, on_gpumat, self.source_id, frame, *address)

    def object_draw(self, frame: VideoFrame, obj: BorrowedVideoObject, current: ObjectDraw | None) -> ObjectDraw | None:
        """Ask what to draw for ``obj``; None means ``current``, and so does an answer of the wrong type."""
        on_object_draw_spec = self._callbacks.on_object_draw_spec
        if on_object_draw_spec is None:
            return None
        place = (ErrorStage.ON_OBJECT_DRAW_SPEC, frame)
        return self._call(*place, _ask, (ObjectDraw, NoneType), on_object_draw_spec, self.source_id, obj, current)

    def eviction(self) -> EvictionDecision:
        """Ask what to do with the idle source; it terminates unless it gets a decision."""
        decision = None
        if on_eviction := self._callbacks.on_eviction:
            with self._steps.calling:
                decision = self._call(
                    ErrorStage.ON_EVICTION, None, _ask, (EvictionDecision,), on_eviction, self.source_id
                )
        return decision or EvictionDecision.terminate()

    def stream_reset(self, reason: StreamResetReason) -> None:
        """Say that the encoded stream begins again."""
        if on_stream_reset := self._callbacks.on_stream_reset:
            with self._steps.calling:
                self._call(ErrorStage.ON_STREAM_RESET, None, on_stream_reset, self.source_id, reason)

    def lost(self, stage: ErrorStage, error: BaseException, frame: VideoFrame) -> None:
        """Report a frame that will not come out; it is released, and may be sent once more."""
        self.count_lost(frame)
        self.report(stage, error, frame)

    def count_lost(self, frame: VideoFrame) -> None:
        """Count a frame that will not come out, and leave the report to someone else. Any thread."""
        self._meter.dropped[DropReason.ERROR] += 1
        frame.release()

    def report(self, stage: ErrorStage, error: BaseException, frame: VideoFrame | None = None) -> None:
        """Hand an error to ``on_error``; without one, log the first, second, fourth, eighth… of its stage."""
        count = self._meter.errors[stage] = self._meter.errors.get(stage, 0) + 1
        forget_earlier_trips(error)
        if on_error := self._callbacks.on_error:
            try:
                on_error(self.source_id, stage, error, frame)
            except BaseException as failure:  # noqa: BLE001  # there is no one left to tell but the log
                forget_earlier_trips(failure)
                self._failures += 1
                if _is_power_of_two(self._failures):
                    self._log("on_error raised", failure)
        elif _is_power_of_two(count):
            self._log(f"error no. {count} at stage {stage}", error)
        if not stage.is_callback:
            clear_ended(error)
        self.frames += running_frames()

    @property
    def said_unmatched(self) -> set[tuple[str, str]]:
        """Entries of the source's drawing spec of which it was said that they match nothing."""
        return self._meter.said_unmatched

    def warn(self, text: str) -> None:
        """Write a warning about the source into the log."""
        with suppress(BaseException):  # handlers are the user's
            logger.warning("%s: source %r: %s", self._label, self.source_id, text)

    def let_go(self) -> None:
        """Clear the locals of this package's functions that ran at a report and have ended since."""
        frames, self.frames = self.frames, []
        clear(frames)

    def _log(self, what: str, error: BaseException) -> None:
        message = f"{self._label}: source {self.source_id!r}: {what}"
        try:
            logger.error("%s", message, exc_info=error)
        except BaseException:  # noqa: BLE001  # handlers are the user's, and so is what the error says of itself
            with suppress(BaseException):
                logger.error("%s: %s", message, type(error).__name__)

    def _deliver(
        self,
        stage: ErrorStage,
        callback: Callable[[OutputMessage], object] | None,
        output: OutputMessage,
        sent_ns: int,
    ) -> None:
        frame, steps, meter = output.as_video_frame(), self._steps, self._meter
        frame.release()
        steps.progress.frame = frame
        steps.callback.begin()
        if callback is not None:
            try:
                callback(output)
            except BaseException as error:  # noqa: BLE001  # no error of a callback may end the worker
                self.report(stage, error, frame)
        ended_ns = steps.callback.end()
        meter.frames_out += 1
        steps.end(frame, sent_ns, ended_ns)
        meter.last_out_ns = ended_ns

    def _sentinel(self, stage: ErrorStage, callback: Callable[[OutputMessage], object] | None) -> None:
        if callback is not None:
            output = OutputMessage(EndOfStream(self.source_id), is_eos=True, source_id=self.source_id)
            with self._steps.calling:
                self._call(stage, None, callback, output)

    def _observe(self, frame: VideoFrame, step: Step, start_ns: int, end_ns: int) -> None:
        """Tell ``on_step`` of a step that has ended."""
        if on_step := self._callbacks.on_step:
            self._call(ErrorStage.ON_STEP, frame, on_step, self.source_id, frame, step, start_ns, end_ns)

    def _call(
        self, stage: ErrorStage, frame: VideoFrame | None, callback: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R | None:
        try:
            return callback(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001  # no error of a callback may end the worker
            self.report(stage, error, frame)
            return None


def _is_power_of_two(count: int) -> bool:
    return count & (count - 1) == 0


def _ask(kinds: tuple[type, ...], callback: Callable[..., R], *args: object) -> R:
    """Return what ``callback`` answers; ``TypeError`` if it is of none of ``kinds``."""
    answer = callback(*args)
    if not isinstance(answer, kinds):
        raise TypeError(f"expected {' or '.join(kind.__name__ for kind in kinds)}, got {answer!r}")
    return answer
