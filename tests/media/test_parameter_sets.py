"""What the header of an MP4 track says once, frames need not say again; what it does not say, they keep."""

from __future__ import annotations

import pytest

from picasso.encode import Codec
from picasso.media.mp4_codecs import ParameterSets, length_prefixed

START = b"\0\0\0\1"
SPS, PPS, IDR, SEI = b"\x67\1\2", b"\x68\3", b"\x65\4\5\6", b"\x06\7"
VPS, HEVC_SPS, HEVC_PPS, HEVC_IDR = b"\x40\1\1", b"\x42\1\2", b"\x44\1\3", b"\x26\1\4"


def frame(*units: bytes) -> bytes:
    return START + START.join(units)


def kept(sets: ParameterSets, *units: bytes) -> list[bytes]:
    parts, size = sets.without(length_prefixed(frame(*units)))
    assert size == sum(map(len, parts))
    assert [int.from_bytes(length, "big") for length in parts[::2]] == [len(unit) for unit in parts[1::2]]
    return [bytes(unit) for unit in parts[1::2]]


@pytest.mark.parametrize(
    ("codec", "first", "rest"),
    [
        (Codec.H264, (SPS, PPS, SEI, IDR), [SEI, IDR]),
        (Codec.HEVC, (VPS, HEVC_SPS, HEVC_PPS, HEVC_IDR), [HEVC_IDR]),
    ],
    ids=["h264", "hevc"],
)
def test_sets_of_the_header_are_left_out_again_and_again(
    codec: Codec, first: tuple[bytes, ...], rest: list[bytes]
) -> None:
    sets = ParameterSets(codec, length_prefixed(frame(*first)))
    for _keyframe in range(3):
        assert kept(sets, *first) == rest


def test_other_sets_stay_and_from_then_on_those_of_the_header_too() -> None:
    sets = ParameterSets(Codec.H264, length_prefixed(frame(SPS, PPS, IDR)))
    other = SPS + b"\x09"
    assert kept(sets, other, PPS, IDR) == [other, PPS, IDR]
    assert kept(sets, SPS, PPS, IDR) == [SPS, PPS, IDR]


def test_codecs_without_sets_are_left_alone() -> None:
    sets = ParameterSets(Codec.JPEG, ((b"\xff\xd8\x67",), 3))
    assert sets.without(((b"\xff\xd8\x67",), 3)) == ((b"\xff\xd8\x67",), 3)
