"""What a GPU's memory and byte instructions do, in plain Python: the meaning that their compiled forms have to keep.

CUDA kernels are written against these functions. The simulator and the reference run them as they stand, on
``HostMemory``; ``cuda`` puts the instruction named in each docstring in its place, on device addresses. Offsets are in
bytes, signed, and fit 32 bits.

Convention: a *word* is 32 bits, little endian, whose sign no one may read: bytes are taken out of it by ``byte_of``,
``pick_bytes`` and ``dot2_low``/``dot2_high`` only.
"""

from __future__ import annotations

import struct
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from picasso_kernels.maths.numbers import sum_rounded_once

Plane: TypeAlias = Any
"""Device memory from some byte on: ``HostMemory`` on the host, an address on the device."""

Table: TypeAlias = Any
"""Signed 32-bit numbers in device memory: a flat int32 array on the host, a typed pointer on the device."""

LEAD: Final = 0x4B000000
"""Bits of 2**23 as float32: a number below it may lie in its low 23 bits, and the sum is exact."""

Pair: TypeAlias = tuple[int, int]
Triple: TypeAlias = tuple[int, int, int]
Quad: TypeAlias = tuple[int, int, int, int]
Quint: TypeAlias = tuple[int, int, int, int, int]
Nine: TypeAlias = tuple[int, int, int, int, int, int, int, int, int]


class HostMemory:
    """A flat uint8 array that stands for device memory, and refuses what a device would fault on or corrupt."""

    __slots__ = ("array", "base")

    def __init__(self, array: npt.NDArray[Any], base: int = 0) -> None:
        self.array = array.reshape(-1).view(np.uint8)
        self.base = base

    def read(self, offset: int, size: int) -> bytes:
        """Return ``size`` bytes from ``offset`` on."""
        at = self._place(offset, size)
        return self.array[at : at + size].tobytes()

    def write(self, offset: int, value: int, size: int) -> None:
        """Write the low ``size`` bytes of ``value``."""
        _check_ahead(offset)
        at = self._place(offset, size)
        self.array[at : at + size] = np.frombuffer((value % (1 << 8 * size)).to_bytes(size, "little"), np.uint8)

    def _place(self, offset: int, size: int) -> int:
        at = self.base + offset
        if at < 0 or at + size > self.array.size:
            raise IndexError(f"bytes {at}..{at + size} lie outside of {self.array.size}")
        if at % size:
            raise IndexError(f"an access of {size} bytes at {at} is not aligned")
        return at


def load_byte(plane: Plane, offset: int) -> int:
    """Read one byte, 0..255 (LDG.U8)."""
    value: int = plane.read(offset, 1)[0]
    return value


def load_half(plane: Plane, offset: int) -> int:
    """Read two bytes, 0..65535 (LDG.U16)."""
    return int.from_bytes(plane.read(offset, 2), "little")


def load_number(plane: Plane, offset: int) -> int:
    """Read a signed number of 4 bytes of a table (LDG)."""
    _check_ahead(offset)
    return int.from_bytes(plane.read(offset, 4), "little", signed=True)


def load_number_pair(plane: Plane, offset: int) -> Pair:
    """Read 2 signed numbers of 4 bytes of a table in one access (LDG.64)."""
    _check_ahead(offset)
    first, second = struct.unpack("<2i", plane.read(offset, 8))
    return first, second


def load_number_quad(plane: Plane, offset: int) -> Quad:
    """Read 4 signed numbers of 4 bytes of a table in one access (LDG.128)."""
    _check_ahead(offset)
    first, second, third, fourth = struct.unpack("<4i", plane.read(offset, 16))
    return first, second, third, fourth


def load_byte_pair(plane: Plane, offset: int) -> Pair:
    """Read two bytes beside each other, from any place that is not before the plane (LDG.U8 twice, one address)."""
    _check_ahead(offset)
    return plane.read(offset, 1)[0], plane.read(offset + 1, 1)[0]


def load_half_pair(plane: Plane, offset: int) -> Pair:
    """Read two bytes and the next two, from an even place not before the plane (LDG.U16 twice, one address)."""
    _check_ahead(offset)
    return load_half(plane, offset), load_half(plane, offset + 2)


def load_two_words(plane: Plane, offset: int, reach: int) -> Pair:
    """Read the words that hold bytes 0 to ``reach`` from ``offset`` on, as ``load_three_words`` does."""
    _check_ahead(offset)
    return load_word(plane, offset), load_word(plane, offset + 4) if reach >= 4 else 0


def load_three_words(plane: Plane, offset: int, reach: int) -> Triple:
    """Read the words that hold bytes 0 to ``reach`` from ``offset`` on; those behind mean nothing (LDG, predicated).

    ``offset`` is not before the plane.
    """
    _check_ahead(offset)
    second = load_word(plane, offset + 4) if reach >= 4 else 0
    return load_word(plane, offset), second, load_word(plane, offset + 8) if reach >= 8 else 0


def load_two_between(plane: Plane, offset: int, before: int, behind: int) -> Quad:
    """Read two bytes before two words, the words, and two bytes behind them (LDG, predicated).

    The two are the low half of their word; its high half means nothing. Where ``before`` or ``behind`` is 0 there are
    none, and the outermost two bytes of the words take their place. ``offset`` is not before the plane.
    """
    _check_ahead(offset)
    first, second = load_word(plane, offset), load_word(plane, offset + 4)
    left = load_half(plane, offset - 2) if before else first
    return left, first, second, load_half(plane, offset + 8) if behind else second >> 16


def load_three_between(plane: Plane, offset: int, before: int, behind: int) -> Quint:
    """Read two bytes before three words, the words, and two bytes behind them, as ``load_two_between`` does."""
    first, second, third = load_three_words(plane, offset, 11)
    left = load_half(plane, offset - 2) if before else first
    return left, first, second, third, load_half(plane, offset + 12) if behind else third >> 16


def _check_ahead(offset: int) -> None:
    if offset < 0:
        raise IndexError(f"offset {offset} is negative, and is read as a large one")


def load_word(plane: Plane, offset: int) -> int:
    """Read a word (LDG)."""
    return int.from_bytes(plane.read(offset, 4), "little")


def load_word_pair(plane: Plane, offset: int) -> Pair:
    """Read 2 words in one access (LDG.64)."""
    first, second = struct.unpack("<2I", plane.read(offset, 8))
    return first, second


def load_word_quad(plane: Plane, offset: int) -> Quad:
    """Read 4 words in one access (LDG.128)."""
    first, second, third, fourth = struct.unpack("<4I", plane.read(offset, 16))
    return first, second, third, fourth


def load_nine_words(plane: Plane, offset: int) -> Nine:
    """Read 9 words (LDG, one address); ``offset`` is not before the plane."""
    _check_ahead(offset)
    first, second, third = load_three_words(plane, offset, 11)
    fourth, fifth, sixth = load_three_words(plane, offset + 12, 11)
    return first, second, third, fourth, fifth, sixth, *load_three_words(plane, offset + 24, 11)


def store_byte(plane: Plane, offset: int, value: int) -> None:
    """Write the low byte of ``value`` (STG.U8)."""
    plane.write(offset, value, 1)


def store_half(plane: Plane, offset: int, value: int) -> None:
    """Write the low 2 bytes of ``value`` (STG.U16)."""
    plane.write(offset, value, 2)


def store_word(plane: Plane, offset: int, value: int) -> None:
    """Write a word (STG)."""
    plane.write(offset, value, 4)


def store_word_pair(plane: Plane, offset: int, first: int, second: int) -> None:
    """Write 2 words in one access (STG.64)."""
    plane.write(offset, first % (1 << 32) | second % (1 << 32) << 32, 8)


def store_word_quad(plane: Plane, offset: int, first: int, second: int, third: int, fourth: int) -> None:
    """Write 4 words in one access (STG.128)."""
    words = first % (1 << 32), second % (1 << 32), third % (1 << 32), fourth % (1 << 32)
    plane.write(offset, words[0] | words[1] << 32 | words[2] << 64 | words[3] << 96, 16)


def store_eight_words(plane: Plane, offset: int, room: int, *words: int) -> None:
    """Write 8 words in two accesses, each of whole sectors, which two threads of a warp share (SHFL, STG.128).

    All threads of the warp have to be there; what one of them writes in a row lies beside what the next one writes.
    ``room`` is how many bytes of the row are left from ``offset`` on: where there are none nothing is written.
    """
    if room > 0:
        store_word_quad(plane, offset, *words[:4])
        store_word_quad(plane, offset + 16, *words[4:])


def store_three_words(plane: Plane, offset: int, room: int, first: int, second: int, third: int) -> None:
    """Write 3 words in three accesses, each of 32 words beside each other of all threads of a warp (SHFL, STG).

    All of them have to be there; what one writes in a row lies beside what the next one writes. ``room`` is how many
    bytes of the row are left from ``offset`` on, negative behind its end: there nothing is written. Of rows that are
    not there it is below ``-12 * 32``.
    """
    if room > 0:
        store_word(plane, offset, first)
        store_word(plane, offset + 4, second)
        store_word(plane, offset + 8, third)


def store_twelve_words(plane: Plane, offset: int, room: int, *words: int) -> None:
    """Write 12 words in three accesses, as ``store_eight_words`` writes 8 in two."""
    if room > 0:
        for start in range(0, 12, 4):
            store_word_quad(plane, offset + 4 * start, *words[start : start + 4])


def byte_of(word: int, index: int) -> int:
    """Return byte ``index`` 0..3 of a word, the lowest first."""
    return (word >> 8 * index) & 255


def pick_bytes(low: int, high: int, selector: int) -> int:
    """Make a word of 4 of the 8 bytes of ``low`` and ``high``: hex digit i of ``selector`` names byte i (PRMT)."""
    picked = 0
    for place in range(4):
        source = (selector >> 4 * place) & 7
        picked |= byte_of(low if source < 4 else high, source & 3) << 8 * place
    return picked


def pack_saturated(low: int, high: int, rest: int) -> int:
    """Make a word of two numbers, clamped to bytes, below the low half of ``rest`` (I2IP)."""
    return min(max(low, 0), 255) | min(max(high, 0), 255) << 8 | (rest & 0xFFFF) << 16


def multiply_add_word(first: int, second: int, third: int) -> int:
    """Return ``first * second + third`` as a word, whose highest bit may be set (IMAD)."""
    return (first * second + third) % (1 << 32)


def dot2_low(weights: int, word: int, accumulator: int) -> int:
    """Add bytes 0 and 1 of ``word``, weighed by the signed low and high half of ``weights`` (DP2A.LO)."""
    return accumulator + _signed_half(weights) * byte_of(word, 0) + _signed_half(weights >> 16) * byte_of(word, 1)


def dot2_high(weights: int, word: int, accumulator: int) -> int:
    """Add bytes 2 and 3 of ``word``, weighed by the signed low and high half of ``weights`` (DP2A.HI)."""
    return dot2_low(weights, word >> 16, accumulator)


def _signed_half(value: int) -> int:
    return ((value & 0xFFFF) ^ 0x8000) - 0x8000


def number_of(value: int) -> int:
    """Return the bits of ``float32(value)`` of a byte (I2FP)."""
    return int(np.float32(value).view(np.uint32))


def number_behind_lead(word: int) -> int:
    """Return the bits of ``float32`` of the low bits of a word whose high 9 are those of ``LEAD`` (FADD)."""
    return number_of(word ^ LEAD)


def scaled_half(number: int, scale: int, bias: int) -> int:
    """Return the bits of ``float16(number * scale + bias)``; all three are bits of float32 (FFMA, F2F)."""
    return int(_fused(number, scale, bias).astype(np.float16).view(np.uint16))


def scaled_single(number: int, scale: int, bias: int) -> int:
    """Return the bits of ``float32(number * scale + bias)``; all three are bits of float32 (FFMA)."""
    return int(_fused(number, scale, bias).view(np.uint32))


def _fused(number: int, scale: int, bias: int) -> np.float32:
    """Multiply and add without rounding in between."""
    value, factor, offset = np.array([number, scale, bias], np.int64).astype(np.uint32).view(np.float32).astype(float)
    made: np.float32 = sum_rounded_once(np.array([value * factor]), np.array([offset]))[0]  # 8 bits times 24 are exact
    return made


def lanes() -> int:
    """Return how many threads do the same at the same time: 32 in a warp, on the host one."""
    return 1


def lane() -> int:
    """Return the thread's number in its warp (S2R)."""
    return 0


def vote(value: bool) -> int:
    """Return a bit for each lane whose value is true; all lanes have to be there (VOTE)."""
    return int(value)


def lowest_vote(votes: int) -> int:
    """Return the number of the lowest bit that is set (BREV, FLO)."""
    return (votes & -votes).bit_length() - 1
