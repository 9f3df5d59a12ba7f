"""The routes that need no encoder, and what every route works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, final

from picasso.encode import Encoder, EncoderConfig
from picasso.engine.callbacks import ErrorStage
from picasso.engine.clock import Clock
from picasso.engine.hooks import Hooks
from picasso.engine.messages import FrameMessage, OutputMessage
from picasso.engine.permits import Turn
from picasso.engine.policies import PtsResetPolicy
from picasso.engine.stats import DropReason, Meter
from picasso.primitives import VideoFrameTranscodingMethod
from picasso.primitives.orientation import UPRIGHT
from picasso.surface.turning import turned

EncoderFactory = Callable[[EncoderConfig], Encoder]


@final
@dataclass(frozen=True, slots=True)
class SourceContext:
    """What a source's pipeline works with."""

    hooks: Hooks
    meter: Meter
    clock: Clock
    encoder_factory: EncoderFactory
    pts_reset_policy: PtsResetPolicy
    turn: Turn


class Route(Protocol):
    """What a mode does with frames and with the end of a stream."""

    stage: ErrorStage
    """What is being done, for the report of an error."""

    def process(self, message: FrameMessage) -> None:
        """Do it to a frame; an exception means that the frame is lost."""

    def end_stream(self) -> None:
        """Deliver what is held, then a sentinel. Does not raise."""

    def close(self, *, deliver: bool) -> None:
        """Give everything back; what is held is delivered, or reported as lost. Does not raise."""


@final
class DropRoute:
    """Counts frames, and sends sentinels where encoded frames would go."""

    __slots__ = ("_context", "stage")

    def __init__(self, context: SourceContext) -> None:
        self.stage = ErrorStage.INPUT
        self._context = context

    def process(self, message: FrameMessage) -> None:
        """Count the frame."""
        self._context.meter.dropped[DropReason.SPEC] += 1
        message.frame.release()

    def end_stream(self) -> None:
        """Send a sentinel."""
        self._context.hooks.end_of_encoded_stream()

    def close(self, *, deliver: bool) -> None:
        """Nothing is held."""


@final
class BypassRoute:
    """Moves boxes back to the original picture, and passes frames on."""

    __slots__ = ("_context", "stage")

    def __init__(self, context: SourceContext) -> None:
        self.stage = ErrorStage.BYPASS
        self._context = context

    def process(self, message: FrameMessage) -> None:
        """Pass the frame on."""
        frame, surface = message.frame, message.surface
        chain = tuple(frame.transformations)
        turn = frame.orientation if len(chain) > 1 else UPRIGHT
        frame.transform_backward()
        frame.transcoding_method = VideoFrameTranscodingMethod.Copy
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

    def close(self, *, deliver: bool) -> None:
        """Nothing is held."""
