"""How CUDA kernels sum many taps over pixels: four columns in one access, two rows in one DP2A.

Pixels of four bytes are one access of 16, those of three bytes are three words.

Filters that read every pixel of a picture that shrinks are bound by the caches: a warp's pixels need more of the source
than the L1 holds, so what is read twice comes from the L2 twice. Here a column of taps starts at an aligned pixel, and
all that is wanted of a quad is taken when it is read. The planner makes sure of the alignment, of taps in fours and
rows in twos, and that none lies outside of the crop's own quads; taps that a filter has not weigh nothing.

The arithmetic is that of ``filter_rows``: rows are summed and rounded first, then columns.
"""

from __future__ import annotations

from typing import TypeAlias

from picasso_kernels.cuda.frame_table import FrameRow
from picasso_kernels.cuda.instructions import (
    Quad,
    dot2_high,
    dot2_low,
    load_number,
    load_number_pair,
    load_word,
    load_word_quad,
    pick_bytes,
)
from picasso_kernels.cuda.read import (
    SUM_BITS,
    SUM_HALF,
    WIDE_SUM_BITS,
    WIDE_SUM_HALF,
    Pixel,
    PixelPair,
    index_of,
)
from picasso_kernels.maths.pixel import clamp8

FourPixels: TypeAlias = tuple[Pixel, Pixel, Pixel, Pixel]


def quad_of_words(frame: FrameRow, at: int) -> Quad:
    """Read four pixels of 4 bytes."""
    return load_word_quad(frame.source, at)


def quad_of_rgb(frame: FrameRow, at: int) -> Quad:
    """Read four pixels of 3 bytes, which are three words; the last byte of each word that is returned means nothing."""
    first, second, third = load_word(frame.source, at), load_word(frame.source, at + 4), load_word(frame.source, at + 8)
    return first, pick_bytes(first, second, 0x6543), pick_bytes(second, third, 0x5432), pick_bytes(third, third, 0x0321)


def quad_at(frame: FrameRow, at: int) -> Quad:
    """Read four pixels: stands for one of the two above, which a kernel is built with."""
    return quad_of_words(frame, at)


def add_rows(frame: FrameRow, weights: int, sums: Pixel, upper: int, lower: int) -> Pixel:
    """Add two weighted pixels of a column."""
    low, high = pick_bytes(upper, lower, frame.red_green), pick_bytes(upper, lower, frame.blue_alpha)
    red, green = dot2_low(weights, low, sums[0]), dot2_high(weights, low, sums[1])
    return red, green, dot2_low(weights, high, sums[2]), dot2_high(weights, high, sums[3])


def sum_rows_of_quad(frame: FrameRow, at: int, row: int) -> FourPixels:
    """Sum the weighted rows of four source columns, whose first pixel is at ``at``."""
    first = second = third = fourth = (0, 0, 0, 0)
    pairs = frame.row_taps >> 1
    for pair in range(pairs):
        weights = load_number(frame.row_weights, 4 * (row * pairs + pair))
        upper, lower = quad_at(frame, at), quad_at(frame, at + frame.pitch)
        first = add_rows(frame, weights, first, upper[0], lower[0])
        second = add_rows(frame, weights, second, upper[1], lower[1])
        third = add_rows(frame, weights, third, upper[2], lower[2])
        fourth = add_rows(frame, weights, fourth, upper[3], lower[3])
        at += 2 * frame.pitch
    return first, second, third, fourth


def add_column(total: Pixel, sums: Pixel, weight: int) -> Pixel:
    """Round the sum of a column and add it, weighted."""
    red = total[0] + ((sums[0] + WIDE_SUM_HALF) >> WIDE_SUM_BITS) * weight
    green = total[1] + ((sums[1] + WIDE_SUM_HALF) >> WIDE_SUM_BITS) * weight
    blue = total[2] + ((sums[2] + WIDE_SUM_HALF) >> WIDE_SUM_BITS) * weight
    return red, green, blue, total[3] + ((sums[3] + WIDE_SUM_HALF) >> WIDE_SUM_BITS) * weight


def sum_quads(frame: FrameRow, column: int, row: int) -> Pixel:
    """Sum weighted rows, then weighted columns, around one pixel."""
    x, y = load_number(frame.columns, 4 * column), load_number(frame.rows, 4 * row)
    if (x | y) < 0:
        return 0, 0, 0, 255
    at = index_of(y) * frame.pitch + index_of(x) * frame.step
    weights = 4 * column * frame.column_taps
    total = (0, 0, 0, 0)
    for quad in range(frame.column_taps >> 2):
        sums = sum_rows_of_quad(frame, at + 4 * frame.step * quad, row)
        left = load_number_pair(frame.column_weights, weights + 16 * quad)
        right = load_number_pair(frame.column_weights, weights + 16 * quad + 8)
        total = add_column(total, sums[0], left[0])
        total = add_column(total, sums[1], left[1])
        total = add_column(total, sums[2], right[0])
        total = add_column(total, sums[3], right[1])
    red, green = clamp8((total[0] + SUM_HALF) >> SUM_BITS), clamp8((total[1] + SUM_HALF) >> SUM_BITS)
    blue, alpha = clamp8((total[2] + SUM_HALF) >> SUM_BITS), clamp8((total[3] + SUM_HALF) >> SUM_BITS)
    return red, green, blue, 255 if frame.alpha < 0 else alpha


def summed_quads(frame: FrameRow, column: int, row: int) -> PixelPair:
    """Sum two neighbours; the one beyond an odd target's edge is read from its padded table."""
    red, green, blue, alpha = sum_quads(frame, 2 * column, row)
    red_, green_, blue_, alpha_ = sum_quads(frame, 2 * column + 1, row)
    return red, green, blue, alpha, red_, green_, blue_, alpha_
