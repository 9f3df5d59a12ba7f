"""Where the parameter sets stand in an access unit."""

from __future__ import annotations

from collections.abc import Iterator

from picasso.encode.enums import Codec

START_CODE = b"\0\0\0\1"
# nal_unit_type: SPS and PPS of H.264 (ITU-T H.264 table 7-1), VPS, SPS and PPS of HEVC (ITU-T H.265 table 7-1)
H264_PARAMETER_SETS = {7, 8}
HEVC_PARAMETER_SETS = {32, 33, 34}
# obu_type of the sequence header (AV1 specification, 6.2.2)
AV1_SEQUENCE_HEADER = 1


def parameter_sets(codec: Codec, unit: bytes) -> bytes:
    """Return what a decoder, or the header of a container, has to know before the first frame.

    Args:
        codec: What the unit is.
        unit: The data of a keyframe, Annex-B or OBUs.

    Returns:
        The parameter sets, Annex-B or OBUs; empty where the unit or the codec has none.
    """
    if codec is Codec.H264:
        return b"".join(START_CODE + nal for nal in _nal_units(unit) if nal[0] & 31 in H264_PARAMETER_SETS)
    if codec is Codec.HEVC:
        return b"".join(START_CODE + nal for nal in _nal_units(unit) if nal[0] >> 1 & 63 in HEVC_PARAMETER_SETS)
    if codec is Codec.AV1:
        return b"".join(obu for obu in _obus(unit) if obu[0] >> 3 & 15 == AV1_SEQUENCE_HEADER)
    return b""


def _nal_units(unit: bytes) -> Iterator[bytes]:
    """Split an Annex-B unit; zeros before a start code belong to it, as no NAL unit ends in one."""
    for nal in unit.split(START_CODE[1:])[1:]:
        if nal := nal.rstrip(b"\0"):
            yield nal


def _obus(unit: bytes) -> Iterator[bytes]:
    """Split a temporal unit in low-overhead format, where every OBU says its size (AV1 specification, 5.3)."""
    start = 0
    while start < len(unit):
        at = start + (2 if unit[start] & 4 else 1)
        size = shift = 0
        while True:
            byte = unit[at]
            size |= (byte & 127) << shift
            at, shift = at + 1, shift + 7
            if byte < 128:
                break
        yield unit[start : at + size]
        start = at + size
