"""What the engine calls: the user's callbacks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from picasso.engine.policies import EvictionDecision, StreamResetReason
from picasso.engine.stages import ErrorStage, Step

if TYPE_CHECKING:
    from picasso.draw import ObjectDraw
    from picasso.engine.messages import OutputMessage
    from picasso.primitives import BorrowedVideoObject, VideoFrame


__all__ = ["Callbacks", "ErrorStage"]

OnOutput = Callable[["OutputMessage"], object]
OnRender = Callable[[str, int, int, int, "VideoFrame"], object]
OnObjectDrawSpec = Callable[[str, "BorrowedVideoObject", "ObjectDraw | None"], "ObjectDraw | None"]
OnGpuMat = Callable[[str, "VideoFrame", int, int, int, int, int], object]
OnEviction = Callable[[str], EvictionDecision]
OnStreamReset = Callable[[str, StreamResetReason], object]
OnStep = Callable[[str, "VideoFrame", Step, int, int], object]
OnError = Callable[[str, ErrorStage, BaseException, "VideoFrame | None"], object]


@dataclass(slots=True, repr=False, eq=False)
class Callbacks:
    """The functions that the engine calls; any of them may be None.

    The engine copies the slots when it is made. Each source calls from its own thread, one call at a time; different
    sources call concurrently. What a callback raises is reported to ``on_error`` and never stops a source. Every
    callback may call every method of the engine.
    """

    on_encoded_frame: OnOutput | None = None
    """``(output)``: an encoded frame, or the sentinel of an encoded, passed-through or dropped source."""
    on_bypass_frame: OnOutput | None = None
    """``(output)``: a frame passed on, or the sentinel of a bypassed source."""
    on_render: OnRender | None = None
    """``(source_id, fbo_id, width, height, frame)``: draw on ``picasso.draw.current_canvas()``; ``fbo_id`` is 0."""
    on_object_draw_spec: OnObjectDrawSpec | None = None
    """``(source_id, obj, current) -> ObjectDraw | None``: what to draw for an object; None keeps ``current``, an empty
    ``ObjectDraw()`` draws nothing."""
    on_gpumat: OnGpuMat | None = None
    """``(source_id, frame, data_ptr, pitch, width, height, cuda_stream)``: change the pixels that will be encoded; on
    the CPU a host address and stream 0."""
    on_eviction: OnEviction | None = None
    """``(source_id) -> EvictionDecision``: a source was idle for too long; absent, it terminates."""
    on_stream_reset: OnStreamReset | None = None
    """``(source_id, reason)``: the encoded stream begins again."""
    on_error: OnError | None = None
    """``(source_id, stage, error, frame)``: something failed; absent, it is logged. ``frame`` is None where no frame is
    concerned."""
    on_gated_frame: OnOutput | None = None
    """``(output)``: a frame that the gate ``ConditionalSpec.encode_attribute`` holds back, without pixels, as it was
    sent and in its place among the others; absent, such a frame is dropped and counted."""
    on_step: OnStep | None = None
    """``(source_id, frame, step, start_ns, end_ns)``: a step of a frame has ended well, in nanoseconds of the engine's
    clock; for traces. Absent, it costs nothing."""

    def __setattr__(self, name: str, value: object) -> None:
        if value is not None and not callable(value):
            raise TypeError(f"Callbacks.{name}: expected a callable or None, got {value!r}")
        object.__setattr__(self, name, value)

    def copy(self) -> Callbacks:
        """Return an object with the same slots that changes on its own."""
        return replace(self)

    def __repr__(self) -> str:
        active = [field.name for field in fields(self) if getattr(self, field.name) is not None]
        return f"Callbacks(active=[{', '.join(active)}])"
