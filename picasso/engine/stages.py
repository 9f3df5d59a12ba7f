"""What happens to a frame on its way: the steps that are measured, the stages of errors, the reasons of drops."""

from __future__ import annotations

from enum import StrEnum


class ErrorStage(StrEnum):
    """Where something went wrong; the second argument of ``on_error``.

    At the stages named after callbacks the callback itself raised, and the frame goes on without it. At every other
    stage that comes with a frame, that frame is lost.
    """

    INPUT = "input"
    """The frame cannot be processed as it is: timestamps, transformation chain, crop, size of its surface."""
    BYPASS = "bypass"
    """The boxes cannot be moved back to the original picture."""
    OPEN = "open"
    """The encoder cannot be opened, or waits for its next attempt."""
    TRANSFORM = "transform"
    """The pixels cannot be read, scaled or converted."""
    DRAW = "draw"
    ENCODE = "encode"
    FLUSH = "flush"
    """The encoder failed, or was told to forget, while it held frames back."""
    QUEUE = "queue"
    """The engine or the source ended before the frame's turn came."""
    WORKER = "worker"
    """The source's thread failed outside of any frame: a defect of this package."""
    ON_ENCODED_FRAME = "on_encoded_frame"
    ON_BYPASS_FRAME = "on_bypass_frame"
    ON_GATED_FRAME = "on_gated_frame"
    ON_RENDER = "on_render"
    ON_OBJECT_DRAW_SPEC = "on_object_draw_spec"
    ON_GPUMAT = "on_gpumat"
    ON_EVICTION = "on_eviction"
    ON_STREAM_RESET = "on_stream_reset"
    ON_STEP = "on_step"

    @property
    def is_callback(self) -> bool:
        """Whether it is a callback that raised: the frame, if there is one, is not lost."""
        return self.value.startswith("on_")


class DropReason(StrEnum):
    """Why a frame that was sent did not come out."""

    SPEC = "spec"
    """The source drops frames."""
    GATE = "gate"
    """The frame lacks the attribute that ``ConditionalSpec.encode_attribute`` asks for, and no ``on_gated_frame`` takes
    it."""
    OVERFLOW = "overflow"
    """The queue was full and the source's ``OverflowPolicy`` discards."""
    ERROR = "error"
    """Processing failed; ``on_error`` was told."""


class Step(StrEnum):
    """A part of a frame's way whose duration is measured."""

    QUEUE = "queue"
    """From ``send_frame`` until the worker takes the frame; waiting for room is part of it."""
    TRANSFORM = "transform"
    """Crop, scale, letterbox, colour."""
    DRAW = "draw"
    """Drawing, ``on_render``, ``on_gpumat``, and colour conversion between and after them."""
    ENCODE = "encode"
    CALLBACK = "callback"
    """``on_encoded_frame``, ``on_bypass_frame`` or ``on_gated_frame``."""
    TOTAL = "total"
    """From ``send_frame`` until that callback has returned."""
