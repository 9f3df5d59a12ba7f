"""What writers take: encoded frames from any origin."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final

from picasso.encode import Codec, EncodedUnit
from picasso.engine import OutputMessage
from picasso.errors import MediaError
from picasso.media.times import NS, Ticks
from picasso.primitives import VideoFrame

Written = OutputMessage | VideoFrame | EncodedUnit
"""An output of the engine, its frame, or the unit of an encoder."""
FFMPEG_NAMES: Final = {Codec.H264: "h264", Codec.HEVC: "hevc", Codec.AV1: "av1", Codec.JPEG: "mjpeg"}
"""The codecs that go into a container, as FFmpeg calls them."""
_NANOSECONDS = (1, NS)
"""The time base of what the engine encodes."""


@dataclass(frozen=True, slots=True)
class StreamKind:
    """What stays the same over a stream."""

    codec: Codec
    """What its packets are coded as."""
    size_wh: tuple[int, int]
    """Width and height of its pictures, in pixels."""
    frame_rate: Fraction
    """Nominal frames per second."""


def has_no_pixels(output: Written) -> bool:
    """Whether an output is a frame that came as metadata only: writers of pictures leave it out."""
    return isinstance(output, OutputMessage) and output.is_metadata_only


def frame_of(output: OutputMessage | VideoFrame) -> VideoFrame | None:
    """Return the frame of an output, None for the end of the stream."""
    if isinstance(output, OutputMessage):
        return None if output.is_eos else output.as_video_frame()
    return output


def unit_of(frame: VideoFrame) -> EncodedUnit:
    """Read the encoded bytes and times of a frame.

    Raises:
        MediaError: It holds no bytes.
    """
    content = frame.content
    if not content.is_internal():
        raise MediaError(f"frame of source {frame.source_id!r} at pts {frame.pts} holds no encoded bytes")
    pts, dts, duration = frame.pts, frame.dts, frame.duration
    if frame.time_base != _NANOSECONDS:
        to_ns = Ticks(Fraction(*frame.time_base)).to_ns
        pts = to_ns(pts)
        dts, duration = (None if ticks is None else to_ns(ticks) for ticks in (dts, duration))
    return EncodedUnit(content.get_data(), pts, dts, duration, frame.keyframe is not False)


def codec_of(frame: VideoFrame) -> Codec:
    """Return the codec of a frame's bytes.

    Raises:
        MediaError: The frame names none, or one that we do not know.
    """
    try:
        return _codec_named(frame.codec or "")
    except ValueError as error:
        raise MediaError(f"frame of source {frame.source_id!r}: {error}") from None


def kind_of(frame: VideoFrame) -> StreamKind:
    """Return what the frame says of its stream: the same object while it says the same.

    Raises:
        MediaError: The codec is unknown.
    """
    return _kind(codec_of(frame), (frame.width, frame.height), frame.fps)


@lru_cache(maxsize=64)
def _kind(codec: Codec, size_wh: tuple[int, int], fps: tuple[int, int]) -> StreamKind:
    return StreamKind(codec, size_wh, Fraction(*fps))


@lru_cache(maxsize=64)
def _codec_named(name: str) -> Codec:
    return Codec.from_name(name)
