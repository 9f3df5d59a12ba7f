"""Boxes of ISO base media files (ISO/IEC 14496-12): how they are built, found and read."""

from __future__ import annotations

import itertools
import struct
import sys
from array import array
from collections.abc import Iterable, Iterator
from typing import Final

MATRIX: Final = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
"""The picture as it is: no rotation, no scale."""
MAX_U32: Final = 0xFFFF_FFFF
_HEADER: Final = 8
_LONG_HEADER: Final = 16


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of four letters and its contents."""
    size = _HEADER + sum(map(len, parts))
    return b"".join((size.to_bytes(4, "big"), kind, *parts))


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box that begins with a version and 24 flags."""
    return box(kind, (version << 24 | flags).to_bytes(4, "big"), *parts)


def long_header(kind: bytes, size: int) -> bytes:
    """The 16 bytes that begin a box of any size."""
    return struct.pack(">I4sQ", 1, kind, size)


def free_box(size: int) -> bytes:
    """A box that says nothing, of at least 8 bytes."""
    return box(b"free", bytes(size - _HEADER))


def u32(*values: int) -> bytes:
    """Unsigned numbers of 32 bits each."""
    return struct.pack(f">{len(values)}I", *values)


def table(values: Iterable[int], kind: str = "I") -> bytes:
    """Many numbers of one kind, ``I`` or ``i`` for 32 bits, ``Q`` or ``q`` for 64."""
    numbers: array[int] = values if isinstance(values, array) else array(kind, values)
    if sys.byteorder == "little":
        numbers = array(numbers.typecode, numbers)
        numbers.byteswap()
    return numbers.tobytes()


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the four letters and the contents of each box in turn; what follows a cut one is left out."""
    at = 0
    while at + _HEADER <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        header = _HEADER
        if size == 1 and at + _LONG_HEADER <= len(data):
            (size,) = struct.unpack_from(">Q", data, at + _HEADER)
            header = _LONG_HEADER
        if size < header or at + size > len(data):
            return
        yield kind, data[at + header : at + size]
        at += size


def child(data: bytes, *path: bytes) -> bytes:
    """Return the contents of a box within boxes.

    Raises:
        ValueError: There is none.
    """
    for kind in path:
        found = next((inner for name, inner in boxes(data) if name == kind), None)
        if found is None:
            raise ValueError(f"no box {b'/'.join(path).decode()}")
        data = found
    return data


class Runs:
    """Numbers of which many in a row are equal: how many, and what."""

    def __init__(self) -> None:
        self._counts = array("I")
        self._values = array("q")

    def extend(self, values: Iterable[int]) -> None:
        """Append numbers."""
        for value, group in itertools.groupby(values):
            count = len(list(group))
            if self._values and self._values[-1] == value:
                self._counts[-1] += count
            else:
                self._counts.append(count)
                self._values.append(value)

    def copy(self) -> Runs:
        """The same numbers."""
        copy = Runs()
        copy._counts, copy._values = self._counts[:], self._values[:]
        return copy

    def is_all(self, value: int) -> bool:
        """Whether no other number is in it."""
        return not self._values or (len(self._values) == 1 and self._values[0] == value)

    def table(self) -> bytes:
        """A count of the runs, then length and number of each, 32 bits each."""
        pairs = array("I", bytes(8 * len(self._counts)))
        pairs[::2] = self._counts
        pairs[1::2] = array("I", (value & MAX_U32 for value in self._values))
        return u32(len(self._counts)) + table(pairs)
