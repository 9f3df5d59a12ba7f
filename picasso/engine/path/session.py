"""One encoder from opening to closing: its surfaces, and the frames it holds."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from picasso.encode import EncodedUnit
from picasso.engine.callbacks import ErrorStage
from picasso.engine.messages import OutputMessage
from picasso.engine.path.surfaces import open_surfaces
from picasso.engine.path.tracebacks import text_of
from picasso.engine.policies import NS_PER_S
from picasso.errors import EncoderError

if TYPE_CHECKING:
    from collections.abc import Callable

    from picasso.encode import Encoder, EncoderConfig
    from picasso.engine.clock import Clock
    from picasso.engine.path.hooks import Hooks
    from picasso.engine.path.routes import MetadataFrame
    from picasso.engine.path.steps import Steps
    from picasso.engine.path.surfaces import Surfaces
    from picasso.primitives import FrameGeometry, VideoFrame
    from picasso.surface import SurfaceView
    from picasso.transform import Placement

FIRST_RETRY_NS = 1 * NS_PER_S
LAST_RETRY_NS = 30 * NS_PER_S


@final
@dataclass(slots=True, eq=False)
class Pending:
    """A frame on its way through the encoder."""

    frame: VideoFrame
    geometry: FrameGeometry
    """What ``frame.save_geometry()`` returned before the boxes moved."""
    placement: Placement
    pts_ns: int
    duration_ns: int | None
    sent_ns: int


@final
class EncoderSession:
    """Feeds one encoder, and delivers its units with the frames they belong to.

    Frames are matched in the order of submission: encoders do not reorder, and the timestamps of a session rise.
    Every frame that ``encode`` took is delivered or reported as lost, once; a lost frame gets its geometry back.
    Frames without pixels stand in the same line, and come out when those before them have.
    """

    __slots__ = (
        "_codec", "_encoder", "_hooks", "_keeps_matrix", "_matrix", "_meter", "_pending", "_steps", "surfaces"
    )  # fmt: skip

    def __init__(
        self,
        encoder: Encoder,
        config: EncoderConfig,
        hooks: Hooks,
        steps: Steps,
        *,
        source_on_gpu: bool = False,
        keeps_matrix: bool = True,
    ) -> None:
        self._encoder = encoder
        self._codec = config.codec.name()
        self._matrix = config.color_matrix
        self._keeps_matrix = keeps_matrix
        self._hooks = hooks
        self._steps, self._meter = steps, steps.progress.meter
        self._pending: deque[Pending | MetadataFrame] = deque()
        self.surfaces: Surfaces = open_surfaces(config, encoder, source_on_gpu=source_on_gpu)

    def encode(self, surface: SurfaceView, pending: Pending, *, force_keyframe: bool = False) -> list[EncodedUnit]:
        """Encode a frame, and return the units that became ready: they are to be given to ``deliver``.

        Raises:
            EncoderError: The encoder failed on this frame, and has not taken it.
        """
        if force_keyframe:
            units = self._encoder.encode(surface, pending.pts_ns, pending.duration_ns, force_keyframe=True)
        else:  # encoders of users need not know of it
            units = self._encoder.encode(surface, pending.pts_ns, pending.duration_ns)
        if type(units) is not list or len(units) != 1 or type(units[0]) is not EncodedUnit:  # which is seldom so
            units = _checked(units)
        self._pending.append(pending)
        return units

    def deliver(self, units: list[EncodedUnit]) -> None:
        """Complete the frames that ``units`` belong to, and hand them to ``on_encoded_frame``."""
        line = self._pending
        for unit in units:
            if line and type(first := line[0]) is Pending and first.pts_ns == unit.pts_ns:  # as nearly always
                line.popleft()
                self._complete(first, unit)
            else:
                self._deliver_late(unit)
        if line:
            self._next_pending()

    def _deliver_late(self, unit: EncodedUnit) -> None:
        """Deliver or report the frames that stand before that of ``unit``, then complete that one."""
        while (pending := self._next_pending()) is not None and pending.pts_ns < unit.pts_ns:
            self._pending.popleft()
            self._lose(pending, ErrorStage.ENCODE, EncoderError("the encoder left this frame out"))
        if pending is not None and pending.pts_ns == unit.pts_ns:
            self._pending.popleft()
            self._complete(pending, unit)
        else:
            error = EncoderError(f"the encoder returned a unit of pts {unit.pts_ns} ns, which no frame has")
            self._hooks.report(ErrorStage.ENCODE, error)

    def hand_on(self, metadata: MetadataFrame) -> None:
        """Deliver a frame without pixels behind the frames that the encoder has."""
        self._pending.append(metadata)
        self._next_pending()

    def _next_pending(self) -> Pending | None:
        """Deliver the frames without pixels that are first in line; return the frame that the encoder is to return."""
        while self._pending:
            first = self._pending[0]
            if isinstance(first, Pending):
                return first
            self._pending.popleft()
            first.deliver(first.output, first.sent_ns)
        return None

    def reconfigure(self, config: EncoderConfig) -> bool:
        """Go on under another configuration, if the encoder can. Does not raise."""
        keeps_matrix = config.color_matrix is None
        if keeps_matrix and not self._keeps_matrix:
            return False  # the matrix that was asked for is so no more: the next picture decides
        if keeps_matrix and self._matrix is not None:
            config = config.copy().matrix(self._matrix)
        try:
            done = self._encoder.reconfigure(config)
        except BaseException as error:  # noqa: BLE001  # a new encoder will do
            self._hooks.report(ErrorStage.OPEN, error)
            return False
        if done:
            self._codec, self._matrix, self._keeps_matrix = config.codec.name(), config.color_matrix, keeps_matrix
        return done

    def finish(self) -> None:
        """Deliver what the encoder still holds, and close it. Does not raise."""
        error: BaseException = EncoderError("the encoder did not return this frame")
        try:
            with self._steps.flush:
                units = _checked(self._encoder.flush())
        except BaseException as failure:  # noqa: BLE001  # reported with each frame that it costs
            error = failure
            if not self._pending:
                self._hooks.report(ErrorStage.FLUSH, failure)
        else:
            self.deliver(units)
        self.discard(error)

    def discard(self, error: BaseException, *, deliver: bool = True) -> None:
        """Close the encoder; frames that it still holds are lost because of ``error``. Does not raise.

        Frames without pixels between them are delivered, or lost as well unless ``deliver``.
        """
        while self._pending:
            pending = self._pending.popleft()
            if isinstance(pending, Pending):
                self._lose(pending, ErrorStage.FLUSH, error)
            elif deliver:
                pending.deliver(pending.output, pending.sent_ns)
            else:
                self._hooks.lost(ErrorStage.FLUSH, error, pending.output.as_video_frame())
        try:
            self._encoder.close()
            self.surfaces.close()
        except BaseException as failure:  # noqa: BLE001  # it is gone either way
            self._hooks.report(ErrorStage.FLUSH, failure)

    def _complete(self, pending: Pending, unit: EncodedUnit) -> None:
        frame, data, duration_ns = pending.frame, unit.data, unit.duration_ns
        if duration_ns is None:
            duration_ns = pending.duration_ns
        try:
            frame.set_encoded(data, self._codec, unit.keyframe, unit.pts_ns, unit.dts_ns, duration_ns)
        except Exception as error:  # noqa: BLE001  # no bytes, or times below zero
            self._lose(pending, ErrorStage.ENCODE, error)
            return
        self._meter.encoded_bytes += len(data)
        hooks = self._hooks
        output = OutputMessage(
            frame,
            is_eos=False,
            source_id=hooks.source_id,
            placement=pending.placement,
            source_transformations=pending.geometry.transformations,
        )
        hooks.encoded(output, pending.sent_ns)

    def _lose(self, pending: Pending, stage: ErrorStage, error: BaseException) -> None:
        pending.frame.restore_geometry(pending.geometry)
        self._hooks.lost(stage, error, pending.frame)


def _checked(units: object) -> list[EncodedUnit]:
    """Return what an encoder answered; ``EncoderError`` unless it is a list of units."""
    if not isinstance(units, list) or not all(isinstance(unit, EncodedUnit) for unit in units):
        raise EncoderError(f"the encoder answered {units!r:.80}: expected a list of EncodedUnit")
    return units


@final
class Opener:
    """Opens encoders. After a failure it waits before it tries again: 1 s, then twice as long each time, up to 30 s."""

    __slots__ = ("_clock", "_delay_ns", "_factory", "_failure", "_retry_ns")

    def __init__(self, factory: Callable[[EncoderConfig], Encoder], clock: Clock) -> None:
        self._factory = factory
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Forget failures."""
        self._failure: str | None = (
            None  # not the error itself, which would keep everything that its traceback refers to
        )
        self._delay_ns = 0
        self._retry_ns = 0

    def open(self, config: EncoderConfig) -> Encoder:
        """Open the encoder for ``config``.

        Raises:
            EncoderError: It is not yet time for the next attempt.
            BaseException: What the attempt raised.
        """
        wait_ns = self._retry_ns - self._clock.now_ns()
        if self._failure is not None and 0 < wait_ns <= self._delay_ns:  # longer than that, and the clock went back
            when = f"{wait_ns / 1e9:.1f} s"
            raise EncoderError(f"the encoder could not be opened, next attempt in {when}: {self._failure}")
        try:
            encoder = self._factory(config)
        except BaseException as error:
            self._failure = text_of(error)
            self._delay_ns = min(max(2 * self._delay_ns, FIRST_RETRY_NS), LAST_RETRY_NS)
            self._retry_ns = self._clock.now_ns() + self._delay_ns
            raise
        self.reset()
        return encoder
