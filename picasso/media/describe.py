"""From an open decoder to a description: what the container, the stream and the first frame say."""

from __future__ import annotations

import functools
import math
import struct
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from picasso.media.info import AudioInfo, MediaInfo
from picasso.media.pictures import color_of
from picasso.media.times import to_ns
from picasso.primitives import Orientation

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.buffer import Buffer
    from av.video.frame import VideoFrame

    from picasso.media.decoder import Decoder

# numbers of ITU-T H.273, by FFmpeg's names
_TRANSFERS: Final = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    9: "log100",
    10: "log316",
    11: "iec61966-2-4",
    12: "bt1361e",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    17: "smpte428",
    18: "arib-std-b67",
}
_PRIMARIES: Final = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "film",
    9: "bt2020",
    10: "smpte428",
    11: "smpte431",
    12: "smpte432",
    22: "ebu3213",
}
_MATRICES: Final = {
    0: "gbr",
    1: "bt709",
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "ycgco",
    9: "bt2020nc",
    10: "bt2020c",
    11: "smpte2085",
    12: "chroma-derived-nc",
    13: "chroma-derived-c",
    14: "ictcp",
}
_RANGES: Final = {1: "tv", 2: "pc"}
_FIELD_ORDERS: Final = {2: "tt", 3: "bb", 4: "tb", 5: "bt"}
"""AVFieldOrder of libavcodec/defs.h."""
_UNTOLD_LANGUAGE: Final = "und"
_MATRIX: Final = struct.Struct("=9i")
_ONE: Final = 1 << 16
_NEARLY: Final = 0.01
"""How far a display matrix may be from a turn by quarters."""


def describe(decoder: Decoder) -> MediaInfo:
    """Collect what the container, the stream and the first frame say."""
    stream, (first, ticks) = decoder.stream, decoder.first
    context = stream.codec_context
    return MediaInfo(
        location=decoder.place,
        container=decoder.container.format.name,
        codec=context.codec.canonical_name,
        width=first.width,
        height=first.height,
        pixel_format=first.format.name,
        color=color_of(first),
        rotation_deg=first.rotation,
        frame_rate=decoder.rate,
        time_base=decoder.time_base,
        start_ns=to_ns(ticks or 0, decoder.time_base),
        duration_ns=_duration_ns(decoder),
        frame_count=stream.frames or None,
        bit_rate=context.bit_rate or decoder.container.bit_rate or None,
        sample_aspect_ratio=_aspect(decoder),
        orientation=orientation_of(first),
        field_order=_FIELD_ORDERS.get(context.field_order, "unknown" if first.interlaced_frame else "progressive"),
        bit_depth=max((component.bits for component in first.format.components), default=8),
        color_transfer=_TRANSFERS.get(first.color_trc),
        color_primaries=_PRIMARIES.get(first.color_primaries),
        color_matrix=_MATRICES.get(first.colorspace),
        color_range=_RANGES.get(first.color_range),
        audio=tuple(_audio(stream) for stream in decoder.container.streams.audio),
    )


def orientation_of(frame: VideoFrame) -> Orientation | None:
    """Read the display matrix of a frame: upright where there is none, None where it is not a turn by quarters."""
    _take_unnamed_side_data()
    data: Buffer | None = frame.side_data.get("DISPLAYMATRIX")  # type: ignore[assignment]  # typed as a text
    return Orientation() if data is None else orientation_of_matrix(bytes(data))


@functools.cache
def _take_unnamed_side_data() -> None:
    """Let PyAV read the side data of frames that have some which it does not name, as the EXIF data of photos."""
    from av.sidedata.sidedata import Type

    def missing(cls: type[Type], value: object) -> Type | None:
        if not isinstance(value, int):
            return None
        unnamed = object.__new__(cls)
        vars(unnamed).update(_name_=f"UNNAMED_{value}", _value_=value)
        return unnamed

    if "_missing_" not in vars(Type):
        setattr(Type, "_missing_", classmethod(missing))  # noqa: B010  # no attribute of the class that mypy sees


def orientation_of_matrix(matrix: bytes) -> Orientation | None:
    """Read a display matrix: nine 16.16 numbers, of which the first two of the first two rows map positions.

    A position ``(x, y)`` goes to ``(a x + c y, b x + d y)`` for a matrix ``a b . c d``; scale and shift are not looked
    at. None where the edges of the picture do not stay upright.
    """
    if len(matrix) < _MATRIX.size:
        return Orientation()
    numbers = [number / _ONE for number in _MATRIX.unpack(matrix[: _MATRIX.size])]
    (a, b), (c, d) = numbers[:2], numbers[3:5]
    if not (math.hypot(a, b) and math.hypot(c, d)):
        return Orientation()
    mirrored = a * d - b * c < 0
    if mirrored:
        a, b = -a, -b
    turns_deg = [math.degrees(math.atan2(b, a)) % 360, math.degrees(math.atan2(-c, d)) % 360]
    quarter = round(turns_deg[0] / 90)
    if any(abs((turn / 90 - quarter + 2) % 4 - 2) > _NEARLY for turn in turns_deg):
        return None
    return Orientation(quarter % 4 * 90, mirrored)


def _aspect(decoder: Decoder) -> Fraction:
    """Return the shape of a pixel as the container says, or else the codec; square where neither does."""
    ratio = decoder.stream.sample_aspect_ratio
    if ratio is None or ratio.numerator <= 0 or ratio.denominator <= 0:
        return Fraction(1)
    return Fraction(ratio.numerator, ratio.denominator)


def _audio(stream: AudioStream) -> AudioInfo:
    context = stream.codec_context
    tags: Mapping[str, str] = stream.metadata
    language = tags.get("language", _UNTOLD_LANGUAGE)
    told = None if language == _UNTOLD_LANGUAGE else language
    if context is None:
        return AudioInfo("unknown", None, None, told)
    return AudioInfo(context.codec.canonical_name, context.sample_rate or None, context.channels or None, told)


def _duration_ns(decoder: Decoder) -> int | None:
    """Return the length of the stream, or else that of the whole file."""
    length_s = decoder.said_length_s
    return None if length_s is None else to_ns(1, length_s)
