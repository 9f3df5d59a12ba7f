"""Channels as the numbers of a tensor: one look-up each.

``numbers`` is memory of three tables of 256 entries, what each level of the first, second and third channel becomes,
then three factors and three offsets, float32. An entry is ``level * factor + offset``, rounded once to float32,
and from there to the type of the tensor: ``table_of``. So vector code may compute what the loops look up.

The channels of a pixel lie ``lane_step`` bytes apart, pixels ``step`` bytes: planes and interleaved channels alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from picasso_kernels.maths.memory import Bytes, load8, load16, load32, store8, store16, store32

LEVELS: Final = 256
CHANNELS: Final = 3
ENTRIES: Final = CHANNELS * LEVELS
"""Behind as many entries lie the factors, then the offsets."""


def numbers32(out: Bytes, step: int, lane_step: int, row: Bytes, numbers: Bytes, _stream: int, count: int) -> None:
    """Write the numbers of four bytes of ``count`` pixels.

    Args:
        out: The first number.
        step: Bytes from a pixel to the next.
        lane_step: Bytes from a channel to the next.
        row: Row of pixels.
        numbers: See above.
        _stream: Whether the tensor is larger than the caches: a hint.
        count: Pixels.
    """
    for x in range(count):
        for channel in range(3):
            level = load8(row, 4 * x + channel)
            store32(out, x * step + channel * lane_step, load32(numbers, 4 * (256 * channel + level)))


def numbers16(out: Bytes, step: int, lane_step: int, row: Bytes, numbers: Bytes, _stream: int, count: int) -> None:
    """Write the numbers of two bytes of ``count`` pixels, as ``numbers32`` does."""
    for x in range(count):
        for channel in range(3):
            level = load8(row, 4 * x + channel)
            store16(out, x * step + channel * lane_step, load16(numbers, 2 * (256 * channel + level)))


def numbers8(out: Bytes, step: int, lane_step: int, row: Bytes, numbers: Bytes, count: int) -> None:
    """Write the numbers of one byte of ``count`` pixels, as ``numbers32`` does."""
    for x in range(count):
        for channel in range(3):
            level = load8(row, 4 * x + channel)
            store8(out, x * step + channel * lane_step, load8(numbers, 256 * channel + level))


def level_numbers(factors: Sequence[float], offsets: Sequence[float], dtype: str) -> npt.NDArray[Any]:
    """Return what each channel's 256 levels become: ``(3, 256)``.

    Args:
        factors: Of the three channels; rounded to float32.
        offsets: Of the three channels; rounded to float32.
        dtype: ``float32``; ``float16``, rounded from that; or ``uint8``, rounded half to even from that and held in
            0..255.
    """
    factor, offset = (np.array(values, np.float32).astype(float)[:, None] for values in (factors, offsets))
    single = sum_rounded_once(np.arange(LEVELS) * factor, offset)  # 8 bits times 24: exact
    if dtype == "uint8":
        return np.rint(single).clip(0, 255).astype(np.uint8)
    with np.errstate(over="ignore"):
        return single.astype(dtype)


def sum_rounded_once(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Return the float32 that is nearest to the exact sum, as a fused multiplication and addition gives it.

    The sum is rounded to float64 first. Where that loses something, its last bit is set: float32 then rounds as the
    exact sum does ("round to odd").
    """
    total = a + b
    b_there = total - a
    lost = (a - (total - b_there)) + (b - b_there)
    bits = total.view(np.int64).copy()
    is_even = bits % 2 == 0
    away = np.where((lost > 0) == (total > 0), 1, -1)
    bits[(lost != 0) & is_even] += away[(lost != 0) & is_even]
    with np.errstate(over="ignore"):
        return bits.view(np.float64).astype(np.float32)


def table_of(factors: Sequence[float], offsets: Sequence[float], dtype: str) -> npt.NDArray[np.uint8]:
    """Return the memory that the loops above look up."""
    tables = level_numbers(factors, offsets, dtype)
    behind = np.array([*factors, *offsets], np.float32)
    return np.concatenate([np.ascontiguousarray(tables).reshape(-1).view(np.uint8), behind.view(np.uint8)])
