"""Bytes that no encoder writes."""

from __future__ import annotations

import pytest

from picasso.media.packet_bytes import FORBIDDEN, PacketBytes

AVCC = b"\x01\x64\x00\x0a\xff"
HVCC = b"\x01" + bytes(20) + b"\xff"


def unit(payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "big") + payload


@pytest.mark.parametrize(
    ("codec", "extradata", "packet", "is_bad"),
    [
        ("h264", AVCC, unit(b"\x65abc"), False),
        ("h264", AVCC, unit(b"\x65a\0\0\3\1bc") + unit(b"\x65abc"), False),
        ("h264", AVCC, unit(b"\x65abc\0\0\0\0"), False),
        ("h264", AVCC, unit(b"\x65a\0\0\0bc"), True),
        ("h264", AVCC, unit(b"\x65abc") + unit(b"\x65a\0\0\1bc"), True),
        ("hevc", HVCC, unit(b"\x26\1abc"), False),
        ("hevc", HVCC, unit(b"\x26\1a\0\0\2bc"), True),
        ("h264", None, b"\0\0\0\1\x65abc\0\0\1\x65abc\0\0\3\0", False),
        ("h264", None, b"\0\0\0\1\x65abc" + bytes(64) + b"\1\x65abc" + bytes(9), False),
        ("h264", None, b"\0\0\0\1\x65abc" + bytes(64) + b"abc", True),
        ("h264", b"\0\0\0\1\x67", b"\0\0\0\1\x65abc\0\0\2c", True),
        ("vp9", None, b"abc" + bytes(255) + b"abc", False),
        ("vp9", None, b"abc" + bytes(256) + b"abc", True),
        ("gif", None, bytes(5000), False),
        ("rawvideo", None, bytes(5000), False),
        ("h264", AVCC, b"", False),
    ],
)
def test_bytes_that_no_encoder_writes(codec: str, extradata: bytes | None, packet: bytes, is_bad: bool) -> None:
    assert PacketBytes(codec, extradata).fault(packet) == (FORBIDDEN if is_bad else None)
