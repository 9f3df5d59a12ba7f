"""The routes that need no encoder, and what every route works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, final

from picasso.encode import Encoder, EncoderConfig
from picasso.engine.callbacks import ErrorStage
from picasso.engine.clock import Clock
from picasso.engine.messages import FrameMessage, OutputMessage, Payload
from picasso.engine.path.hooks import Hooks
from picasso.engine.path.steps import Steps
from picasso.engine.policies import PtsResetPolicy
from picasso.engine.runtime.permits import Permits
from picasso.engine.stats import DropReason, Meter
from picasso.errors import SpecError
from picasso.primitives import VideoFrameTranscodingMethod
from picasso.primitives.orientation import UPRIGHT
from picasso.surface.turning import turned

if TYPE_CHECKING:
    from picasso.primitives import VideoFrame, VideoFrameTransformation
    from picasso.primitives.orientation import Orientation

EncoderFactory = Callable[[EncoderConfig], Encoder]


Deliver = Callable[[OutputMessage, int], None]
"""Hands an output that was sent at this time, nanoseconds, to its callback."""

NO_PIXELS: Final = "a payload passes only under CodecSpec.pass_through(); this source takes pixels"


@final
@dataclass(frozen=True, slots=True)
class SourceContext:
    """What a source's pipeline works with."""

    hooks: Hooks
    meter: Meter
    clock: Clock
    encoder_factory: EncoderFactory
    pts_reset_policy: PtsResetPolicy
    permits: Permits
    steps: Steps


@final
@dataclass(frozen=True, slots=True, eq=False)
class MetadataFrame:
    """A frame that comes out as it was sent, without pixels, when those before it have come out."""

    output: OutputMessage
    sent_ns: int
    deliver: Deliver


class Route(Protocol):
    """What a mode does with frames and with the end of a stream."""

    @property
    def outlet(self) -> Deliver | None:
        """Where frames come out; None where none do."""

    def process(self, message: FrameMessage) -> None:
        """Do it to a frame; an exception means that the frame is lost."""

    def hand_on(self, metadata: MetadataFrame) -> None:
        """Deliver a frame when those before it have come out. Does not raise."""

    def end_stream(self) -> None:
        """Deliver what is held, then a sentinel. Does not raise."""

    def close(self, *, deliver: bool) -> None:
        """Give everything back; what is held is delivered, or reported as lost. Does not raise."""


class _HoldsNothing:
    """A route where each frame comes out before the next is looked at."""

    __slots__ = ("_context", "outlet")

    def __init__(self, context: SourceContext, outlet: Deliver | None) -> None:
        self._context = context
        self.outlet: Deliver | None = outlet
        """Where frames come out; None where none do."""

    def hand_on(self, metadata: MetadataFrame) -> None:
        """Deliver at once."""
        metadata.deliver(metadata.output, metadata.sent_ns)

    def end_stream(self) -> None:
        """Send a sentinel to where encoded frames go."""
        self._context.hooks.end_of_encoded_stream()

    def close(self, *, deliver: bool) -> None:
        """Nothing is held."""

    def _to_coded_picture(self, frame: VideoFrame) -> tuple[tuple[VideoFrameTransformation, ...], Orientation]:
        """Move boxes back to the picture as it was coded; return the chain before, and how the picture lay then."""
        self._context.steps.progress.stage = ErrorStage.BYPASS
        chain = tuple(frame.transformations)
        turn = frame.orientation if len(chain) > 1 else UPRIGHT
        frame.transform_backward()
        frame.transcoding_method = VideoFrameTranscodingMethod.Copy
        return chain, turn


@final
class DropRoute(_HoldsNothing):
    """Counts frames, and sends sentinels where encoded frames would go."""

    __slots__ = ()

    def __init__(self, context: SourceContext) -> None:
        super().__init__(context, None)

    def process(self, message: FrameMessage) -> None:
        """Count the frame."""
        self._context.meter.dropped[DropReason.SPEC] += 1
        message.frame.release()


@final
class BypassRoute(_HoldsNothing):
    """Moves boxes back to the original picture, and passes frames on."""

    __slots__ = ()

    def __init__(self, context: SourceContext) -> None:
        super().__init__(context, context.hooks.bypassed)

    def process(self, message: FrameMessage) -> None:
        """Pass the frame on."""
        frame, surface = message.frame, message.surface
        if surface is None:
            raise SpecError(NO_PIXELS)
        chain, turn = self._to_coded_picture(frame)
        if turn is not UPRIGHT and not turn.is_upright and not surface.is_cuda:
            surface = turned(surface, turn.inverse)
        hooks = self._context.hooks
        output = OutputMessage(
            frame, is_eos=False, source_id=hooks.source_id, surface=surface, source_transformations=chain
        )
        hooks.bypassed(output, message.sent_ns)

    def end_stream(self) -> None:
        """Send a sentinel."""
        self._context.hooks.end_of_bypassed_stream()


@final
class PassThroughRoute(_HoldsNothing):
    """Moves boxes back to the original picture, and passes frames on with the bytes that they were coded as."""

    __slots__ = ()

    def __init__(self, context: SourceContext) -> None:
        super().__init__(context, context.hooks.encoded)

    def process(self, message: FrameMessage) -> None:
        """Pass the frame on with its payload, which is the frame's content where none came with it."""
        frame, hooks = message.frame, self._context.hooks
        payload = message.payload or Payload(frame.content, None, None)
        message.release()
        if payload.content.is_none():
            raise SpecError("the frame has no payload: give it to send_payload, or set frame.content")
        chain, _ = self._to_coded_picture(frame)
        frame.content = payload.content
        if payload.codec is not None:
            frame.codec = payload.codec
        if payload.keyframe is not None:
            frame.keyframe = payload.keyframe
        output = OutputMessage(frame, is_eos=False, source_id=hooks.source_id, source_transformations=chain)
        hooks.encoded(output, message.sent_ns)
