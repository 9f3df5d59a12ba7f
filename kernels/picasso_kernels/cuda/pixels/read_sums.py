"""How CUDA kernels sum many taps over luma and pairs of chroma: three words of columns a turn, two rows in one DP2A.

Filters that read all of a picture that shrinks are bound by how often a thread asks for memory. Here two neighbours
share what they read: the taps of both start at one aligned word, of four samples of luma or two pairs of chroma, and
each word is read once. The planner makes sure of the alignment and that no word lies outside of the crop's own; taps
that a filter has not weigh nothing. Weights lie as threads read them: those of a word for all neighbours, then those
of the next word.

The arithmetic is that of ``filter_rows``: rows are summed and rounded first, then columns.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from picasso_kernels.cuda.frame_table import FrameRow
from picasso_kernels.cuda.instructions import (
    Pair,
    Plane,
    Quad,
    dot2_high,
    dot2_low,
    load_number,
    load_number_pair,
    load_number_quad,
    load_three_words,
    pick_bytes,
)
from picasso_kernels.cuda.pixels.read import (
    SUM_BITS,
    SUM_HALF,
    WIDE_SUM_BITS,
    WIDE_SUM_HALF,
    PixelPair,
    index_of,
    to_pixel,
)
from picasso_kernels.cuda.pixels.write import covered, shared, store_two_bytes, write_chroma
from picasso_kernels.maths.pixel import clamp8

Words: TypeAlias = tuple[Quad, Quad, Quad]
"""What the rows of the bytes of three words sum to."""

_LOW: Final = 0x5140
_HIGH: Final = 0x7362
"""Selectors that take the low and the high two bytes of two words in turns."""


def three_words() -> int:
    """Take twelve columns a turn."""
    return 3


def two_words() -> int:
    """Take eight columns a turn."""
    return 2


def turn_words() -> int:
    """Return how many words of a row are summed together, of which neighbours read a multiple.

    It stands for one of the two above, which a kernel is built with.
    """
    return three_words()


def add_rows(sums: Quad, weights: int, upper: int, lower: int, low: int, high: int) -> Quad:
    """Add the weighted bytes of two rows of a word; selectors order the bytes."""
    left, right = pick_bytes(upper, lower, low), pick_bytes(upper, lower, high)
    first, second = dot2_low(weights, left, sums[0]), dot2_high(weights, left, sums[1])
    return first, second, dot2_low(weights, right, sums[2]), dot2_high(weights, right, sums[3])


def to_wide(sums: Quad) -> Quad:
    """Shift sums of rows to wide samples."""
    first, second = sums[0] >> WIDE_SUM_BITS, sums[1] >> WIDE_SUM_BITS
    return first, second, sums[2] >> WIDE_SUM_BITS, sums[3] >> WIDE_SUM_BITS


def sum_rows_of_words(
    plane: Plane, at: int, pitch: int, weights: Plane, row: int, taps: int, low: int, high: int
) -> Words:
    """Sum the weighted rows of three words to wide samples, or of two; the third then means nothing."""
    first = second = third = (WIDE_SUM_HALF, WIDE_SUM_HALF, WIDE_SUM_HALF, WIDE_SUM_HALF)
    place, reach = 4 * row * ((taps + 1) >> 1), 4 * turn_words() - 1
    while taps > 1:
        both = load_number(weights, place)
        upper, lower = load_three_words(plane, at, reach), load_three_words(plane, at + pitch, reach)
        first = add_rows(first, both, upper[0], lower[0], low, high)
        second = add_rows(second, both, upper[1], lower[1], low, high)
        if turn_words() > 2:
            third = add_rows(third, both, upper[2], lower[2], low, high)
        at += 2 * pitch
        place += 4
        taps -= 2
    if taps > 0:
        both = load_number(weights, place)
        last = load_three_words(plane, at, reach)
        first = add_rows(first, both, last[0], last[0], low, high)
        second = add_rows(second, both, last[1], last[1], low, high)
        if turn_words() > 2:
            third = add_rows(third, both, last[2], last[2], low, high)
    return to_wide(first), to_wide(second), to_wide(third)


def weigh(sums: Quad, weights: Quad, total: int) -> int:
    """Add four weighted columns."""
    return total + sums[0] * weights[0] + sums[1] * weights[1] + sums[2] * weights[2] + sums[3] * weights[3]


def table_pitch(count: int) -> int:
    """Return the bytes of two numbers for each of ``count`` targets, whose tables are padded to fours."""
    return ((count + 3) >> 2) * 32


def sum_luma(frame: FrameRow, column: int, row: int, x: int, y: int) -> Pair:
    """Sum weighted rows, then weighted columns, around two neighbours of luma; ``x`` is the entry of both."""
    at, left, right = index_of(y) * frame.pitch + index_of(x), SUM_HALF, SUM_HALF
    place, next_, words = 16 * column, table_pitch(frame.width), frame.column_taps
    while words > 0:
        sums = sum_rows_of_words(frame.source, at, frame.pitch, frame.row_weights, row, frame.row_taps, _LOW, _HIGH)
        left = weigh(sums[0], load_number_quad(frame.column_weights, place), left)
        right = weigh(sums[0], load_number_quad(frame.column_weights, place + next_), right)
        left = weigh(sums[1], load_number_quad(frame.column_weights, place + 2 * next_), left)
        right = weigh(sums[1], load_number_quad(frame.column_weights, place + 3 * next_), right)
        if turn_words() > 2:
            left = weigh(sums[2], load_number_quad(frame.column_weights, place + 4 * next_), left)
            right = weigh(sums[2], load_number_quad(frame.column_weights, place + 5 * next_), right)
        place += 2 * turn_words() * next_
        at += 4 * turn_words()
        words -= turn_words()
    return clamp8(left >> SUM_BITS), clamp8(right >> SUM_BITS)


def wide_chroma(frame: FrameRow, at: int, row: int) -> Words:
    """Sum the weighted rows of pairs of chroma, in the order of the selectors."""
    weights, taps = frame.chroma_row_weights, frame.chroma_row_taps
    first, second = frame.red_green, frame.blue_alpha
    return sum_rows_of_words(frame.source_u, at, frame.chroma_pitch, weights, row, taps, first, second)


def sum_chroma_pairs(frame: FrameRow, column: int, row: int, x: int, y: int) -> Quad:
    """Sum weighted rows, then weighted columns, around two neighbours; ``x`` is the entry of both."""
    at, words = index_of(y) * frame.chroma_pitch + 2 * index_of(x), frame.chroma_column_taps
    place, next_ = 16 * column, table_pitch(frame.width)
    total = (SUM_HALF, SUM_HALF, SUM_HALF, SUM_HALF)
    while words > 0:
        sums = wide_chroma(frame, at, row)
        total = add_pairs(total, sums[0], load_number_quad(frame.chroma_column_weights, place))
        total = add_pairs(total, sums[1], load_number_quad(frame.chroma_column_weights, place + next_))
        if turn_words() > 2:
            total = add_pairs(total, sums[2], load_number_quad(frame.chroma_column_weights, place + 2 * next_))
        place += turn_words() * next_
        at += 4 * turn_words()
        words -= turn_words()
    u, v = clamp8(total[0] >> SUM_BITS), clamp8(total[1] >> SUM_BITS)
    return u, v, clamp8(total[2] >> SUM_BITS), clamp8(total[3] >> SUM_BITS)


def add_pairs(total: Quad, sums: Quad, weights: Quad) -> Quad:
    """Add two columns of pairs, weighted for the left and for the right neighbour."""
    u = total[0] + sums[0] * weights[0] + sums[2] * weights[1]
    v = total[1] + sums[1] * weights[0] + sums[3] * weights[1]
    u_ = total[2] + sums[0] * weights[2] + sums[2] * weights[3]
    return u, v, u_, total[3] + sums[1] * weights[2] + sums[3] * weights[3]


def sum_chroma(frame: FrameRow, column: int, row: int) -> Pair:
    """Sum weighted rows, then weighted columns, around one pair of chroma."""
    x, y = load_number(frame.chroma_columns, 4 * column), load_number(frame.chroma_rows, 4 * row)
    at, words = index_of(y) * frame.chroma_pitch + 2 * index_of(x), frame.chroma_column_taps
    place, next_, u, v = 8 * column, table_pitch(frame.width >> 1), SUM_HALF, SUM_HALF
    while words > 0:
        sums = wide_chroma(frame, at, row)
        first = load_number_pair(frame.chroma_column_weights, place)
        second = load_number_pair(frame.chroma_column_weights, place + next_)
        u += sums[0][0] * first[0] + sums[0][2] * first[1] + sums[1][0] * second[0] + sums[1][2] * second[1]
        v += sums[0][1] * first[0] + sums[0][3] * first[1] + sums[1][1] * second[0] + sums[1][3] * second[1]
        if turn_words() > 2:
            third = load_number_pair(frame.chroma_column_weights, place + 2 * next_)
            u += sums[2][0] * third[0] + sums[2][2] * third[1]
            v += sums[2][1] * third[0] + sums[2][3] * third[1]
        place += turn_words() * next_
        at += 4 * turn_words()
        words -= turn_words()
    return clamp8(u >> SUM_BITS), clamp8(v >> SUM_BITS)


def summed_yuv_pixels(frame: FrameRow, column: int, row: int) -> PixelPair:
    """Make two pixels of luma and chroma."""
    x, y = load_number_pair(frame.columns, 8 * column), load_number(frame.rows, 4 * row)
    if (x[0] & x[1]) < 0 or y < 0:
        return 0, 0, 0, 255, 0, 0, 0, 255
    beside, beneath = load_number_pair(frame.chroma_columns, 8 * column), load_number(frame.chroma_rows, 4 * row)
    luma = sum_luma(frame, column, row, max(x[0], x[1]), y)
    chroma = sum_chroma_pairs(frame, column, row, max(beside[0], beside[1]), beneath)
    red, green, blue, alpha = to_pixel(frame, x[0] | y, luma[0], chroma[0], chroma[1])
    red_, green_, blue_, alpha_ = to_pixel(frame, x[1] | y, luma[1], chroma[2], chroma[3])
    return red, green, blue, alpha, red_, green_, blue_, alpha_


def write_summed_planes(frame: FrameRow, column: int, row: int) -> None:
    """Write a block of 4:2:0 plane by plane; chroma that lies half in a bar is mixed with it."""
    if 2 * column < frame.width and 2 * row < frame.height:
        at = 2 * row * frame.target_pitch + 2 * column
        for line in range(2):
            luma = luma_or_black(frame, column, 2 * row + line)
            store_two_bytes(frame, frame.target, at + line * frame.target_pitch, luma[0], luma[1])
        shown = covered(column, frame.left, frame.right) * covered(row, frame.top, frame.bottom)
        chroma = sum_chroma(frame, column, row) if shown > 0 else (128, 128)
        write_chroma(frame, column, row, shared(chroma[0], shown), shared(chroma[1], shown))


def luma_or_black(frame: FrameRow, column: int, row: int) -> Pair:
    """Sum two neighbours of luma, or return that of the bars."""
    x, y, black = load_number_pair(frame.columns, 8 * column), load_number(frame.rows, 4 * row), frame.luma_black
    if (x[0] & x[1]) < 0 or y < 0:
        return black, black
    luma = sum_luma(frame, column, row, max(x[0], x[1]), y)
    return black if x[0] < 0 else luma[0], black if x[1] < 0 else luma[1]
