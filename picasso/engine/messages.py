"""What goes into a source's inbox, and what comes out of the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from picasso.errors import OutputKindError

if TYPE_CHECKING:
    from picasso.engine.settings import SourceSettings
    from picasso.primitives import EndOfStream, VideoFrame, VideoFrameContent, VideoFrameTransformation
    from picasso.surface import SurfaceView
    from picasso.transform import Placement, Rect


@final
class OutputMessage:
    """A frame that is done, or the end of a stream; the argument of ``on_encoded_frame`` and ``on_bypass_frame``."""

    __slots__ = (
        "_content", "_is_eos", "_source_id", "is_metadata_only", "placement", "source_transformations", "surface",
    )  # fmt: skip

    is_metadata_only: bool
    """Whether this is a frame that came without pixels, or whose pixels a gate held back: it is as it was sent."""

    placement: Placement | None
    """How source pixels became output pixels; ``unplace`` brings boxes back. None for bypassed frames and sentinels."""
    source_transformations: tuple[VideoFrameTransformation, ...]
    """The chain that the frame was sent with: how the picture that was sent came of the one that was coded; empty for
    sentinels."""
    surface: SurfaceView | None
    """The pixels of a bypassed frame: those that were sent, turned back where a reader had turned them upright, so that
    boxes fit; None for encoded frames and sentinels."""

    def __init__(
        self,
        content: VideoFrame | EndOfStream,
        *,
        is_eos: bool,
        source_id: str | None = None,
        placement: Placement | None = None,
        surface: SurfaceView | None = None,
        source_transformations: tuple[VideoFrameTransformation, ...] = (),
        is_metadata_only: bool = False,
    ) -> None:
        self._content = content
        self._is_eos = is_eos
        self._source_id = source_id
        self.placement = placement
        self.surface = surface
        self.source_transformations = source_transformations
        self.is_metadata_only = is_metadata_only

    @property
    def source_id(self) -> str:
        """The source that it came out of: what ``send_frame`` and ``send_eos`` were told, not what the frame says."""
        return self._content.source_id if self._source_id is None else self._source_id

    @property
    def is_video_frame(self) -> bool:
        """Whether this is a frame."""
        return not self._is_eos

    @property
    def is_eos(self) -> bool:
        """Whether this is the end of a stream."""
        return self._is_eos

    def as_video_frame(self) -> VideoFrame:
        """Return the frame: the very object that was sent.

        Raises:
            OutputKindError: This is the end of a stream.
        """
        if self._is_eos:
            raise OutputKindError("OutputMessage is EndOfStream, not VideoFrame")
        return self._content  # type: ignore[return-value]  # which of the two it is, _is_eos says

    def as_eos(self) -> EndOfStream:
        """Return the end of the stream, which names its source.

        Raises:
            OutputKindError: This is a frame.
        """
        if not self._is_eos:
            raise OutputKindError("OutputMessage is VideoFrame, not EndOfStream")
        return self._content  # type: ignore[return-value]  # which of the two it is, _is_eos says

    def __repr__(self) -> str:
        if self._is_eos:
            return f'OutputMessage.EndOfStream(source_id="{self.as_eos().source_id}")'
        return f"OutputMessage.VideoFrame({self._content!r})"


@final
@dataclass(frozen=True, slots=True)
class Payload:
    """Coded bytes that pass through, and what the frame is to say of them; None leaves a field as it is."""

    content: VideoFrameContent
    codec: str | None
    keyframe: bool | None


@final
class FrameMessage:
    """A frame on its way to the worker: with pixels, with a payload that is coded already, or with neither."""

    __slots__ = ("frame", "is_withdrawn", "payload", "sent_ns", "src_rect", "surface")

    is_withdrawn: bool
    """Set by an interrupt that kept the frame out of the queue; not there otherwise."""

    def __init__(
        self,
        frame: VideoFrame,
        surface: SurfaceView | None,
        src_rect: Rect | None,
        sent_ns: int,
        payload: Payload | None = None,
    ) -> None:
        self.frame: VideoFrame = frame
        self.surface = surface
        self.src_rect: Rect | None = src_rect
        self.sent_ns: int = sent_ns
        self.payload = payload

    def release(self) -> None:
        """Let the pixels and the payload go, so that no one who still holds this message holds them."""
        self.surface = self.payload = None


@final
@dataclass(frozen=True, slots=True)
class SpecUpdate:
    """Go on under these settings."""

    settings: SourceSettings


@final
class Signal:
    """A message that says nothing but its name."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


END_STREAM = Signal("END_STREAM")
"""End the stream with a sentinel; the worker stays."""
KEYFRAME = Signal("KEYFRAME")
"""Make the next frame that is encoded a keyframe."""
STOP = Signal("STOP")
"""Deliver what is held, then end. Always the last message of an inbox."""

Message = FrameMessage | SpecUpdate | Signal
