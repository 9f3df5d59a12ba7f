"""How the tests make a stream and look into it."""

from __future__ import annotations

import io
import re

import av
import numpy as np
import numpy.typing as npt
from av.bitstream import BitStreamFilterContext

from picasso.encode import Codec, EncodedUnit, Encoder
from picasso.surface.formats import VideoFormat
from picasso.surface.view import SurfaceView

Picture = npt.NDArray[np.uint8]

SIZE_WH = (128, 96)
FRAME_NS = 33_333_333
DECODERS = {Codec.H264: "h264", Codec.HEVC: "hevc", Codec.AV1: "libdav1d"}
STREAMS = {Codec.H264: "libx264", Codec.HEVC: "libx265", Codec.AV1: "libsvtav1"}


def surface_of(encoder: Encoder, picture: Picture) -> SurfaceView:
    """A surface of its own memory with the pixels of an I420 picture, tagged as the encoder wants it."""
    assert encoder.input_format is VideoFormat.I420
    return SurfaceView.wrap(picture.copy(), VideoFormat.I420, color=encoder.color)


def encode_all(encoder: Encoder, pictures: list[Picture], *, forced: frozenset[int] = frozenset()) -> list[EncodedUnit]:
    """Encode pictures 1/30 s apart and flush; every frame must come out of its own call."""
    units: list[EncodedUnit] = []
    for index, picture in enumerate(pictures):
        pts_ns = index * FRAME_NS
        ready = encoder.encode(surface_of(encoder, picture), pts_ns, FRAME_NS, force_keyframe=index in forced)
        assert [unit.pts_ns for unit in ready] == [pts_ns]
        units += ready
    assert encoder.flush() == []
    return units


def decode(codec: Codec, units: list[EncodedUnit]) -> list[av.VideoFrame]:
    """Decode a stream from its first unit, with nothing but the units."""
    context = av.CodecContext.create(DECODERS[codec], "r")
    context.thread_count = 1
    frames = [frame for unit in units for frame in context.decode(av.Packet(unit.data))]
    return frames + context.decode(None)


def psnr(frames: list[av.VideoFrame], pictures: list[Picture]) -> float:
    """Peak signal to noise ratio of the luma of a whole stream, dB; infinite where nothing differs."""
    height = pictures[0].shape[0] * 2 // 3
    pairs = [(f.to_ndarray()[:height].astype(int), p[:height]) for f, p in zip(frames, pictures, strict=True)]
    error = np.mean([np.mean((decoded - source) ** 2) for decoded, source in pairs])
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def nal_types(codec: Codec, data: bytes) -> list[int]:
    """Types of the NAL units of an Annex-B access unit."""
    assert data.startswith((b"\0\0\1", b"\0\0\0\1"))
    starts, at = [], data.find(b"\0\0\1")
    while at >= 0:
        starts.append(at + 3)
        at = data.find(b"\0\0\1", at + 3)
    return [data[i] & 31 if codec is Codec.H264 else data[i] >> 1 & 63 for i in starts]


def obu_types(data: bytes) -> list[int]:
    """Types of the open bitstream units of an AV1 temporal unit."""
    types, at = [], 0
    while at < len(data):
        header, length, shift = data[at], 0, 0
        assert header & 2, "an OBU without its size"
        types.append(header >> 3 & 15)
        at += 2 if header & 4 else 1
        while True:
            byte = data[at]
            length |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:
                break
        at += length
    assert at == len(data)
    return types


def syntax(codec: Codec, unit: EncodedUnit, *names: str) -> dict[str, int]:
    """Read syntax elements out of a unit by FFmpeg's own parser; the last of each name counts."""
    with av.open(io.BytesIO(), "w", format="matroska") as container:
        tracer = BitStreamFilterContext("trace_headers", container.add_stream(STREAMS[codec]))
    before = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)
    try:
        with av.logging.Capture() as lines:
            tracer.filter(av.Packet(unit.data))
    finally:
        av.logging.set_level(before)
    found = (re.fullmatch(r"\d+\s+(\S+)\s+[01]* = (-?\d+)", text.strip()) for _, _, text in lines)
    return {match[1]: int(match[2]) for match in found if match and match[1] in names}
