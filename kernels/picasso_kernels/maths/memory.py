"""How kernels touch memory: little-endian numbers at byte offsets.

Rows, planes and scratch space are all bytes, so one kernel serves planes of any stride and any alignment. Kernels are
called with flat ``uint8`` arrays; inside they pass on *tails*, what lies from some byte on: in compiled code a bare
pointer. Tables of integers have tails as well, which are indexed as they are.

These are the reference: offsets and values are checked, so that a kernel which runs here stays inside its arrays and
its number formats when it is compiled. Compilers put unchecked machine loads and stores in their place.
"""

from __future__ import annotations

from typing import Any, TypeAlias

Bytes: TypeAlias = Any
"""Bytes in memory: a 1-D C-contiguous uint8 array, in the reference also a ``bytearray``; or a tail of one."""

Ints: TypeAlias = Any
"""A table of integers: a 1-D C-contiguous array, in the reference also a list; or a tail of one."""

Planes: TypeAlias = tuple[Bytes, Bytes, Bytes]
"""The memory of three planes."""


class Tail:
    """What lies in a sequence from some entry on; indices count from there and may be negative, down to its start."""

    __slots__ = ("_memory", "_start")

    def __init__(self, memory: Bytes, start: int) -> None:
        self._memory = memory
        self._start = start

    def __getitem__(self, index: int) -> int:
        return int(self._memory[self._place(index)])

    def __setitem__(self, index: int, value: int) -> None:
        self._memory[self._place(index)] = value

    def tail(self, start: int) -> Tail:
        """Return what lies from ``start`` on, which may be before this one."""
        return Tail(self._memory, self._start + start)

    def _place(self, index: int) -> int:
        if self._start + index < 0:
            raise IndexError(f"entry {self._start + index} lies before the array")
        return self._start + index


def tail(memory: Bytes | Ints, start: int) -> Bytes | Ints:
    """Return what lies from entry ``start`` on. It lives as long as its array, which it does not keep alive."""
    return memory.tail(start) if isinstance(memory, Tail) else Tail(memory, start)


def load8(memory: Bytes, at: int) -> int:
    """Return the byte at ``at``."""
    if at < 0 and not isinstance(memory, Tail):
        raise IndexError(f"byte {at} lies before the array")
    return int(memory[at])


def store8(memory: Bytes, at: int, value: int) -> None:
    """Write the byte ``value``, 0..255, at ``at``."""
    if not 0 <= value <= 255 or (at < 0 and not isinstance(memory, Tail)):
        raise IndexError(f"cannot store {value} as a byte at {at}")
    memory[at] = value


def load16(memory: Bytes, at: int) -> int:
    """Return the signed 16-bit number at bytes ``at`` and ``at + 1``."""
    value = load8(memory, at) | load8(memory, at + 1) << 8
    return value - 65536 if value >= 32768 else value


def store16(memory: Bytes, at: int, value: int) -> None:
    """Write ``value``, -32768..32767, at bytes ``at`` and ``at + 1``."""
    if not -32768 <= value <= 32767:
        raise OverflowError(f"{value} does not fit in 16 bits")
    store8(memory, at, value & 255)
    store8(memory, at + 1, value >> 8 & 255)


def load32(memory: Bytes, at: int) -> int:
    """Return the signed 32-bit number at bytes ``at`` to ``at + 3``."""
    value = load8(memory, at) | load8(memory, at + 1) << 8 | load8(memory, at + 2) << 16 | load8(memory, at + 3) << 24
    return value - (1 << 32) if value >= 1 << 31 else value


def store32(memory: Bytes, at: int, value: int) -> None:
    """Write ``value``, -2**31..2**31 - 1, at bytes ``at`` to ``at + 3``."""
    if not -(1 << 31) <= value < 1 << 31:
        raise OverflowError(f"{value} does not fit in 32 bits")
    for byte in range(4):
        store8(memory, at + byte, value >> 8 * byte & 255)


def load64(memory: Bytes, at: int) -> int:
    """Return the signed 64-bit number at bytes ``at`` to ``at + 7``."""
    return load32(memory, at) & 0xFFFFFFFF | load32(memory, at + 4) << 32


def store64(memory: Bytes, at: int, value: int) -> None:
    """Write ``value``, -2**63..2**63 - 1, at bytes ``at`` to ``at + 7``."""
    low = value & 0xFFFFFFFF
    store32(memory, at, low - (1 << 32) if low >= 1 << 31 else low)
    store32(memory, at + 4, value >> 32)


def copy(out: Bytes, memory: Bytes, count: int) -> None:
    """Copy ``count`` bytes; source and target must not overlap."""
    for i in range(count):
        store8(out, i, load8(memory, i))


def prefetch(_memory: Bytes, _at: int) -> None:
    """Hint that the cache line at ``_at`` is wanted soon; it may lie anywhere. Here it does nothing."""


def pixel(memory: Bytes, at: int) -> int:
    """Return the four channels at ``at`` as one number 0..2**32 - 1, the first channel in the lowest bits."""
    return load32(memory, at) & 0xFFFFFFFF


def store_pixel(memory: Bytes, at: int, value: int) -> None:
    """Write four channels, packed as ``pixel`` returns them."""
    if not 0 <= value < 1 << 32:
        raise OverflowError(f"{value} does not fit in four channels")
    store32(memory, at, value - (1 << 32) if value >= 1 << 31 else value)
