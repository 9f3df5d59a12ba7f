"""How CUDA kernels sum many taps over pixels: four columns in one access, two rows in one DP2A.

Pixels of four bytes are one access of 16, those of three bytes are three words.

Filters that read every pixel of a picture that shrinks are bound by the caches: what is read twice comes from the L2
twice, or from further away. Here the taps of two neighbours start at one quad, twelve or eight columns are read
together, and so each quad is read once. The planner makes sure of the alignment, and that each quad has a pixel of the
source; taps that a filter has not weigh nothing.

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
    load_number_quad,
    load_word,
    load_word_quad,
    pick_bytes,
)
from picasso_kernels.cuda.pixels.read import (
    SUM_BITS,
    SUM_HALF,
    WIDE_SUM_BITS,
    WIDE_SUM_HALF,
    Pixel,
    PixelPair,
    index_of,
)
from picasso_kernels.cuda.pixels.read_sums import table_pitch, turn_words
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


def add_rows_of_quad(frame: FrameRow, weights: int, sums: FourPixels, upper: Quad, lower: Quad) -> FourPixels:
    """Add two weighted pixels of each of four columns."""
    first, second = (
        add_rows(frame, weights, sums[0], upper[0], lower[0]),
        add_rows(frame, weights, sums[1], upper[1], lower[1]),
    )
    third = add_rows(frame, weights, sums[2], upper[2], lower[2])
    return first, second, third, add_rows(frame, weights, sums[3], upper[3], lower[3])


def sum_rows_of_quads(frame: FrameRow, at: int, row: int) -> tuple[FourPixels, FourPixels, FourPixels]:
    """Sum the weighted rows of twelve source columns, or of eight, whose first pixel is at ``at``."""
    taps, place, across = frame.row_taps, 4 * row * ((frame.row_taps + 1) >> 1), 4 * frame.step
    none = (WIDE_SUM_HALF, WIDE_SUM_HALF, WIDE_SUM_HALF, WIDE_SUM_HALF)
    first = second = third = (none, none, none, none)
    while taps > 1:
        weights, below = load_number(frame.row_weights, place), at + frame.pitch
        upper, upper_, upper__ = quad_at(frame, at), quad_at(frame, at + across), quad_in_turn(frame, at + 2 * across)
        lower, lower_ = quad_at(frame, below), quad_at(frame, below + across)
        lower__ = quad_in_turn(frame, below + 2 * across)
        first = add_rows_of_quad(frame, weights, first, upper, lower)
        second = add_rows_of_quad(frame, weights, second, upper_, lower_)
        third = add_rows_of_quad(frame, weights, third, upper__, lower__)
        at += 2 * frame.pitch
        place += 4
        taps -= 2
    if taps > 0:
        weights = load_number(frame.row_weights, place)
        last, last_, last__ = quad_at(frame, at), quad_at(frame, at + across), quad_in_turn(frame, at + 2 * across)
        first = add_rows_of_quad(frame, weights, first, last, last)
        second = add_rows_of_quad(frame, weights, second, last_, last_)
        third = add_rows_of_quad(frame, weights, third, last__, last__)
    return first, second, third


def quad_in_turn(frame: FrameRow, at: int) -> Quad:
    """Read the third four pixels of a turn; what a turn of two has there means nothing."""
    if turn_words() > 2:
        return quad_at(frame, at)
    return 0, 0, 0, 0


def add_column(total: Pixel, sums: Pixel, weight: int) -> Pixel:
    """Add a column, weighted."""
    red, green = total[0] + sums[0] * weight, total[1] + sums[1] * weight
    return red, green, total[2] + sums[2] * weight, total[3] + sums[3] * weight


def to_wide(sums: Pixel) -> Pixel:
    """Shift the sums of a column to wide channels."""
    red, green = sums[0] >> WIDE_SUM_BITS, sums[1] >> WIDE_SUM_BITS
    return red, green, sums[2] >> WIDE_SUM_BITS, sums[3] >> WIDE_SUM_BITS


def add_columns(frame: FrameRow, totals: tuple[Pixel, Pixel], sums: FourPixels, place: int) -> tuple[Pixel, Pixel]:
    """Add four columns, weighted for the left and for the right neighbour."""
    weights = load_number_quad(frame.column_weights, place)
    weights_ = load_number_quad(frame.column_weights, place + table_pitch(frame.width))
    wide = to_wide(sums[0])
    left, right = add_column(totals[0], wide, weights[0]), add_column(totals[1], wide, weights_[0])
    wide = to_wide(sums[1])
    left, right = add_column(left, wide, weights[1]), add_column(right, wide, weights_[1])
    wide = to_wide(sums[2])
    left, right = add_column(left, wide, weights[2]), add_column(right, wide, weights_[2])
    wide = to_wide(sums[3])
    return add_column(left, wide, weights[3]), add_column(right, wide, weights_[3])


def to_bytes(frame: FrameRow, outside: int, total: Pixel) -> Pixel:
    """Shift a pixel's sums to bytes; in a bar, where ``outside`` is negative, it is black."""
    if outside < 0:
        return 0, 0, 0, 255
    red, green = clamp8(total[0] >> SUM_BITS), clamp8(total[1] >> SUM_BITS)
    return red, green, clamp8(total[2] >> SUM_BITS), 255 if frame.alpha < 0 else clamp8(total[3] >> SUM_BITS)


def summed_quads(frame: FrameRow, column: int, row: int) -> PixelPair:
    """Sum weighted rows, then weighted columns, around two neighbours, whose taps start at the same quad."""
    x, y = load_number_pair(frame.columns, 8 * column), load_number(frame.rows, 4 * row)
    if (x[0] & x[1]) < 0 or y < 0:
        return 0, 0, 0, 255, 0, 0, 0, 255
    at = index_of(y) * frame.pitch + index_of(max(x[0], x[1])) * frame.step
    place, next_, quads = 16 * column, 2 * table_pitch(frame.width), frame.column_taps
    none = (SUM_HALF, SUM_HALF, SUM_HALF, SUM_HALF)
    totals = (none, none)
    while quads > 0:
        sums = sum_rows_of_quads(frame, at, row)
        totals = add_columns(frame, totals, sums[0], place)
        totals = add_columns(frame, totals, sums[1], place + next_)
        if turn_words() > 2:
            totals = add_columns(frame, totals, sums[2], place + 2 * next_)
        place += turn_words() * next_
        at += 4 * turn_words() * frame.step
        quads -= turn_words()
    red, green, blue, alpha = to_bytes(frame, x[0], totals[0])
    red_, green_, blue_, alpha_ = to_bytes(frame, x[1], totals[1])
    return red, green, blue, alpha, red_, green_, blue_, alpha_
