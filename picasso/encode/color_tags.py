"""Writes what the numbers of a picture mean into a stream whose encoder cannot be told."""

from __future__ import annotations

import io
from typing import Final

import av
from av.bitstream import BitStreamFilterContext

from picasso.encode.enums import Codec
from picasso.surface.formats import ColorSpace, Matrix

# ITU-T H.273: matrix, primaries and transfer have one number, BT.709's or that of SMPTE 170M, which is BT.601's
CODES: Final = {Matrix.BT709: 1, Matrix.BT601: 6}
_H26X: Final = (
    "{}_metadata=colour_primaries={code}:transfer_characteristics={code}:matrix_coefficients={code}"
    ":video_full_range_flag={full}"
)
_AV1: Final = (
    "av1_metadata=color_primaries={code}:transfer_characteristics={code}:matrix_coefficients={code}:color_range={range}"
)
_ENCODERS: Final = {Codec.H264: "libx264", Codec.HEVC: "libx265", Codec.AV1: "libsvtav1"}
"""Any encoder of the codec: PyAV takes the name of the codec from a stream, and a stream from an encoder."""


class ColorTags:
    """Sets primaries, transfer, matrix and range in the parameter sets of access units, with FFmpeg's own filters."""

    def __init__(self, codec: Codec, color: ColorSpace) -> None:
        code, full = CODES[color.matrix], int(color.full_range)
        if codec is Codec.AV1:
            text = _AV1.format(code=code, range="pc" if full else "tv")
        else:
            text = _H26X.format("h264" if codec is Codec.H264 else "hevc", code=code, full=full)
        with av.open(io.BytesIO(), "w", format="matroska") as container:
            self._filter = BitStreamFilterContext(text, container.add_stream(_ENCODERS[codec]))

    def apply(self, unit: bytes) -> bytes:
        """Return a keyframe's access unit with its parameter sets tagged."""
        return b"".join(bytes(packet) for packet in self._filter.filter(av.Packet(unit)))
