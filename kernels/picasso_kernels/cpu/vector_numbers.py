"""Numbers of tensors and scores by the register, as ``vector_rows`` does it with pixels and samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from picasso_kernels.cpu import resample_blocks, score_blocks
from picasso_kernels.cpu.color_blocks import spread_rgb_block
from picasso_kernels.cpu.score_blocks import raise_to_many, raise_to_one
from picasso_kernels.cpu.tensor_blocks import (
    packed16_block,
    packed32_block,
    planar8_block,
    planar16_block,
    planar16_stream_block,
    planar32_block,
    planar32_stream_block,
)
from picasso_kernels.maths import numbers, scores
from picasso_kernels.maths.memory import Bytes, Ints, load32, tail

PIXELS: Final = resample_blocks.PIXELS
SCORES: Final = score_blocks.SCORES
MANY_ROWS: Final = score_blocks.MANY_ROWS
ONE_BITS: Final = 0x3F800000
"""A float32 of 1."""
BEHIND: Final = numbers.ENTRIES
"""Where the factors of a tensor's bytes start; the offsets are 12 bytes on."""

numbers32_plain, numbers16_plain, numbers8_plain = numbers.numbers32, numbers.numbers16, numbers.numbers8
raise_to_rows_plain = scores.raise_to_rows


def numbers32(out: Bytes, step: int, lane_step: int, row: Bytes, table: Bytes, stream: int, count: int) -> None:
    """See ``numbers.numbers32``."""
    if count >= PIXELS and step == 4:
        for start in range(0, count, PIXELS):
            i = min(start, count - PIXELS)
            first = tail(out, 4 * i)
            second, third = tail(first, lane_step), tail(first, 2 * lane_step)
            if stream:
                planar32_stream_block(first, second, third, tail(row, 4 * i), table)
            else:
                planar32_block(first, second, third, tail(row, 4 * i), table)
    elif count >= PIXELS and step == 12 and lane_step == 4:
        for start in range(0, count, PIXELS):
            i = min(start, count - PIXELS)
            packed32_block(tail(out, 12 * i), tail(row, 4 * i), table)
    else:
        numbers32_plain(out, step, lane_step, row, table, stream, count)


def numbers16(out: Bytes, step: int, lane_step: int, row: Bytes, table: Bytes, stream: int, count: int) -> None:
    """See ``numbers.numbers16``."""
    if count >= PIXELS and step == 2:
        for start in range(0, count, PIXELS):
            i = min(start, count - PIXELS)
            first = tail(out, 2 * i)
            second, third = tail(first, lane_step), tail(first, 2 * lane_step)
            if stream:
                planar16_stream_block(first, second, third, tail(row, 4 * i), table)
            else:
                planar16_block(first, second, third, tail(row, 4 * i), table)
    elif count >= PIXELS and step == 6 and lane_step == 2:
        for start in range(0, count, PIXELS):
            i = min(start, count - PIXELS)
            packed16_block(tail(out, 6 * i), tail(row, 4 * i), table)
    else:
        numbers16_plain(out, step, lane_step, row, table, stream, count)


def numbers8(out: Bytes, step: int, lane_step: int, row: Bytes, table: Bytes, count: int) -> None:
    """See ``numbers.numbers8``. Blocks are for numbers that are the levels themselves."""
    same = True
    for channel in range(3):
        place = BEHIND + 4 * channel
        same = same and load32(table, place) == ONE_BITS and load32(table, place + 12) == 0
    if count >= PIXELS and same and step == 1:
        for start in range(0, count, PIXELS):
            i = min(start, count - PIXELS)
            first = tail(out, i)
            planar8_block(first, tail(first, lane_step), tail(first, 2 * lane_step), tail(row, 4 * i))
    elif count >= PIXELS and same and step == 3 and lane_step == 1:
        for start in range(0, count, PIXELS):
            i = min(start, count - PIXELS)
            spread_rgb_block(tail(out, 3 * i), tail(row, 4 * i))
    else:
        numbers8_plain(out, step, lane_step, row, table, count)


def raise_to_rows(best: Ints, scores_of: Ints, pitch: int, number: int, count: int) -> None:
    """See ``scores.raise_to_rows``."""
    if count < SCORES:
        raise_to_rows_plain(best, scores_of, pitch, number, count)
        return
    together = number // MANY_ROWS * MANY_ROWS
    for row in range(0, together, MANY_ROWS):
        for start in range(0, count, SCORES):
            x = min(start, count - SCORES)
            raise_to_many(tail(best, x), tail(scores_of, row * pitch + x), pitch)
    for row in range(together, number):
        for start in range(0, count, SCORES):
            x = min(start, count - SCORES)
            raise_to_one(tail(best, x), tail(scores_of, row * pitch + x), pitch)


NUMBER_FORMS: Final[dict[Callable[..., Any], Callable[..., Any]]] = {
    numbers.numbers32: numbers32,
    numbers.numbers16: numbers16,
    numbers.numbers8: numbers8,
    scores.raise_to_rows: raise_to_rows,
}
"""Loop by loop, what runs in its place."""
