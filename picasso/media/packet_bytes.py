"""Bytes that no encoder writes: what a lost block of a disk leaves in a file, and decoders pass over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

FORBIDDEN: Final = "holds bytes that no encoder writes, such as a block of zeros"
_IN_UNIT: Final = re.compile(rb"\x00\x00[\x00-\x02]")
"""Within a unit, an encoder puts a 3 after two zeros that precede 0, 1, 2 or 3."""
_IN_STREAM: Final = re.compile(rb"\x00\x00(?:\x02|\x00+[^\x00\x01])")
"""Between units there may be zeros, but only before a start code."""
_ZEROS: Final = re.compile(rb"\x00{256}")
"""An arithmetic coder writes no such run."""
_ARITHMETIC: Final = frozenset({"vp8", "vp9"})
_AVCC_LENGTH, _HVCC_LENGTH = 4, 21
"""Where the configuration of a track says how many bytes the length of a unit has."""


class PacketBytes:
    """Looks at the packets of one stream."""

    def __init__(self, codec: str, extradata: bytes | None) -> None:
        """Learn how units are told apart.

        Args:
            codec: FFmpeg's name of the codec.
            extradata: The configuration that the container holds; it begins with 1 where units have lengths.
        """
        at = {"h264": _AVCC_LENGTH, "hevc": _HVCC_LENGTH}.get(codec)
        self._has_units = at is not None
        self._is_arithmetic = codec in _ARITHMETIC
        self._length_size = 0
        if at is not None and extradata and extradata[0] == 1 and len(extradata) > at:
            self._length_size = (extradata[at] & 3) + 1

    def fault(self, packet: bytes) -> str | None:
        """Say what is wrong with the bytes of a packet, None if nothing is seen."""
        if self._is_arithmetic:
            is_bad = _ZEROS.search(packet) is not None
        elif self._length_size:
            is_bad = any(_IN_UNIT.search(unit.rstrip(b"\0")) for unit in self._units(packet))
        else:
            is_bad = self._has_units and _IN_STREAM.search(packet) is not None
        return FORBIDDEN if is_bad else None

    def _units(self, packet: bytes) -> Iterator[bytes]:
        at = 0
        while at + self._length_size <= len(packet):
            begin = at + self._length_size
            at = begin + int.from_bytes(packet[at:begin], "big")
            yield packet[begin:at]
