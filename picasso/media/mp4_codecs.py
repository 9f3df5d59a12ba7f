"""What FFmpeg's muxer knows of codecs: headers of tracks, and the form of a frame within a file."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import av

from picasso.encode import Codec
from picasso.errors import MediaError
from picasso.media.mp4_boxes import box, boxes, child
from picasso.media.mp4_tracks import TrackHeader
from picasso.media.packets import FFMPEG_NAMES, StreamKind

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.stream import Stream

_START_CODE: Final = re.compile(b"\0\0\1")
_TEMPORAL_DELIMITER: Final = b"\x12\0"
_TABLES: Final = frozenset({b"stbl"})
_H264_SPS, _HEVC_SPS = 7, 33
"""Kinds of units that begin a stream."""
_KINDS: Final[Mapping[Codec, Callable[[int], bool]]] = {
    Codec.H264: lambda first: first & 0x1F in (7, 8),
    Codec.HEVC: lambda first: first >> 1 & 0x3F in (32, 33, 34),
}
"""Whether a unit is a parameter set, by its first byte (ITU-T H.264, table 7-1; H.265, table 7-1)."""
_ADTS_BYTES: Final = 7
_SHAPE_BYTES: Final = 52
"""The end of ``tkhd`` that is the same in both versions."""

Packed = tuple[Sequence[bytes | memoryview], int]
"""The bytes of a frame in pieces, and how many they are."""


def add_sound(target: OutputContainer, stream: Stream) -> Stream:
    """Make the track of a stream that is copied, with its language.

    Raises:
        ValueError: The container cannot hold it.
    """
    track: Stream = target.add_stream_from_template(stream)
    if "language" in stream.metadata:
        track.metadata["language"] = stream.metadata["language"]
    return track


def track_headers(
    container: str, kind: StreamKind, timescale: int, keyframe: bytes, sound: Sequence[tuple[Stream, av.Packet[Any]]]
) -> tuple[bytes, list[TrackHeader]]:
    """Let FFmpeg write a file of one frame, and take ``ftyp`` and the headers of its tracks from it.

    Args:
        container: ``mp4`` or ``mov``.
        kind: Of the video track, which is the first.
        timescale: Of the video track, ticks a second.
        keyframe: A frame with its parameter sets.
        sound: The stream of each further track, and its first packet.

    Raises:
        av.FFmpegError, ValueError: FFmpeg cannot write such a track to such a file.
    """
    memory = io.BytesIO()
    with av.open(memory, "w", format=container) as target:
        width, height = kind.size_wh
        video = target.add_mux_stream(
            FFMPEG_NAMES[kind.codec], rate=kind.frame_rate, width=width, height=height, time_base=Fraction(1, timescale)
        )
        others = [add_sound(target, stream) for stream, _packet in sound]
        _mux(target, video, av.Packet(keyframe), Fraction(1, timescale))
        for other, (stream, packet) in zip(others, sound, strict=True):
            assert stream.time_base is not None
            _mux(target, other, av.Packet(bytes(packet)), stream.time_base)
    written = memory.getvalue()
    scales = [timescale, *(ticks_per_s(stream) for stream, _packet in sound)]
    traks = [contents for name, contents in boxes(child(written, b"moov")) if name == b"trak"]
    return box(b"ftyp", child(written, b"ftyp")), [
        _track_header(trak, scale) for trak, scale in zip(traks, scales, strict=True)
    ]


def ticks_per_s(stream: Stream) -> int:
    """A whole number of ticks a second in which the stream's times are exact."""
    assert stream.time_base is not None
    return stream.time_base.denominator


def _mux(target: Any, stream: Any, packet: av.Packet[Any], time_base: Fraction) -> None:
    packet.stream, packet.time_base = stream, time_base
    packet.pts = packet.dts = 0
    packet.is_keyframe = True
    target.mux_one(packet)


def _track_header(trak: bytes, timescale: int) -> TrackHeader:
    minf = child(trak, b"mdia", b"minf")
    return TrackHeader(
        timescale,
        shape=child(trak, b"tkhd")[-_SHAPE_BYTES:],
        handler=box(b"hdlr", child(trak, b"mdia", b"hdlr")),
        media=b"".join(box(name, contents) for name, contents in boxes(minf) if name not in _TABLES),
        description=box(b"stsd", child(minf, b"stbl", b"stsd")),
        language=int.from_bytes(child(trak, b"mdia", b"mdhd")[-4:-2]),
    )


def is_adts(stream: Stream) -> bool:
    """Whether the packets of a stream are AAC with headers of their own, as in MPEG-TS."""
    return stream.codec_context.name == "aac" and not stream.codec_context.extradata


def without_adts(packet: bytes) -> bytes:
    """Take the header off a packet of AAC: a file says the same once, for all of them."""
    if len(packet) < _ADTS_BYTES or packet[0] != 0xFF or packet[1] & 0xF6 != 0xF0:
        return packet
    return packet[_ADTS_BYTES if packet[1] & 1 else _ADTS_BYTES + 2 :]  # a checksum follows unless that bit is set


def packing(codec: Codec) -> Callable[[bytes], Packed]:
    """Return what turns a frame of this codec, as encoders make it, into its form within a file."""
    if codec in {Codec.H264, Codec.HEVC}:
        return length_prefixed
    return _without_delimiter if codec is Codec.AV1 else _as_it_is


def check_parameters(codec: Codec, parts: Sequence[bytes | memoryview]) -> None:
    """Make sure that a first frame brings what the header of its track is made of.

    Raises:
        MediaError: H.264 or HEVC without a sequence parameter set.
    """
    if codec is Codec.H264:
        has_set = any(unit and unit[0] & 0x1F == _H264_SPS for unit in parts[1::2])
    else:
        has_set = codec is not Codec.HEVC or any(unit and unit[0] >> 1 & 0x3F == _HEVC_SPS for unit in parts[1::2])
    if not has_set:
        raise MediaError(f"the first frame of {codec.name()} has no parameter sets, so that no player could read it")


class ParameterSets:
    """The parameter sets that stand in the header of a track, which its frames need not repeat.

    As soon as a frame brings others under the same numbers, frames keep theirs: the header is no longer what counts.
    """

    def __init__(self, codec: Codec, first: Packed) -> None:
        """Take those of the first frame, of which the header is made."""
        self._kind_of = _KINDS.get(codec)
        self._known = frozenset(unit for unit in map(bytes, first[0][1::2]) if self._is_set(unit))

    def without(self, packed: Packed) -> Packed:
        """Leave out of a keyframe what the header holds."""
        parts, size = packed
        if not self._known:
            return packed
        kept: list[bytes | memoryview] = []
        for length, unit in zip(parts[::2], parts[1::2], strict=True):
            if self._is_set(unit):
                if bytes(unit) not in self._known:
                    self._known = frozenset()
                    return packed
                size -= len(length) + len(unit)
            else:
                kept += (length, unit)
        return kept, size

    def _is_set(self, unit: bytes | memoryview) -> bool:
        return self._kind_of is not None and bool(unit) and self._kind_of(unit[0])


def length_prefixed(data: bytes) -> Packed:
    """Put lengths where the start codes of H.264 and HEVC were.

    Raises:
        MediaError: The data does not begin with a start code.
    """
    starts = [match.end() for match in _START_CODE.finditer(data)]
    if not starts or data[: starts[0] - 3].strip(b"\0"):
        raise MediaError("expected H.264 or HEVC with start codes (Annex B)")
    parts: list[bytes | memoryview] = []
    view, total = memoryview(data), 0
    starts.append(len(data) + 3)
    for start, next_start in itertools.pairwise(starts):
        end = next_start - 3
        while end > start and not data[end - 1]:  # zeros between two units belong to neither
            end -= 1
        parts.append((end - start).to_bytes(4, "big"))
        parts.append(view[start:end])
        total += 4 + end - start
    return parts, total


def _without_delimiter(data: bytes) -> Packed:
    """Leave out what stands between two frames of an AV1 stream, and does not belong into a file."""
    data = data.removeprefix(_TEMPORAL_DELIMITER)
    return (data,), len(data)


def _as_it_is(data: bytes) -> Packed:
    return (data,), len(data)
