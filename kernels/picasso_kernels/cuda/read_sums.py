"""How CUDA kernels sum many taps over luma and pairs of chroma: a word of columns in one access, two rows in one DP2A.

Filters that read all of a picture that shrinks are bound by how often a thread asks for memory. Here a column of taps
starts at an aligned word: four samples of luma, or two pairs of chroma. The planner makes sure of the alignment, of
taps in fours and twos, of rows in twos, and that no word lies outside of the crop's own; taps that a filter has not
weigh nothing.

The arithmetic is that of ``filter_rows``: rows are summed and rounded first, then columns.
"""

from __future__ import annotations

from picasso_kernels.cuda.frame_table import FrameRow
from picasso_kernels.cuda.instructions import (
    Pair,
    Plane,
    Quad,
    dot2_high,
    dot2_low,
    load_number,
    load_number_pair,
    load_word,
    pick_bytes,
)
from picasso_kernels.cuda.read import (
    SUM_BITS,
    SUM_HALF,
    WIDE_SUM_BITS,
    WIDE_SUM_HALF,
    PixelPair,
    index_of,
    is_bar,
    to_pixel,
)
from picasso_kernels.cuda.write import covered, shared, store_two_bytes, write_black, write_chroma
from picasso_kernels.maths.pixel import clamp8

_LOW: int = 0x5140
_HIGH: int = 0x7362
"""Selectors that take the low and the high two bytes of two words in turns."""


def sum_rows_of_word(
    plane: Plane, at: int, pitch: int, weights: Plane, first_weight: int, pairs: int, low: int, high: int
) -> Quad:
    """Sum the weighted rows, ``pairs`` of two, of the four bytes of a word, and round; selectors order the bytes."""
    first = second = third = fourth = WIDE_SUM_HALF
    for pair in range(pairs):
        both = load_number(weights, first_weight + 4 * pair)
        upper, lower = load_word(plane, at), load_word(plane, at + pitch)
        left, right = pick_bytes(upper, lower, low), pick_bytes(upper, lower, high)
        first, second = dot2_low(both, left, first), dot2_high(both, left, second)
        third, fourth = dot2_low(both, right, third), dot2_high(both, right, fourth)
        at += 2 * pitch
    return first >> WIDE_SUM_BITS, second >> WIDE_SUM_BITS, third >> WIDE_SUM_BITS, fourth >> WIDE_SUM_BITS


def sum_luma(frame: FrameRow, column: int, row: int) -> int:
    """Sum weighted rows, then weighted columns, around one sample of luma; what a bar has means nothing."""
    x, y = load_number(frame.columns, 4 * column), load_number(frame.rows, 4 * row)
    at, total, pairs = index_of(y) * frame.pitch + index_of(x), SUM_HALF, frame.row_taps >> 1
    weights = 4 * column * frame.column_taps
    for word in range(frame.column_taps >> 2):
        sums = sum_rows_of_word(
            frame.source, at + 4 * word, frame.pitch, frame.row_weights, 4 * row * pairs, pairs, _LOW, _HIGH
        )
        left = load_number_pair(frame.column_weights, weights + 16 * word)
        right = load_number_pair(frame.column_weights, weights + 16 * word + 8)
        total += sums[0] * left[0] + sums[1] * left[1] + sums[2] * right[0] + sums[3] * right[1]
    return clamp8(total >> SUM_BITS)


def sum_chroma(frame: FrameRow, column: int, row: int) -> Pair:
    """Sum weighted rows, then weighted columns, around one pair of chroma, in the order of the selectors."""
    x, y = load_number(frame.chroma_columns, 4 * column), load_number(frame.chroma_rows, 4 * row)
    at, pairs = index_of(y) * frame.chroma_pitch + 2 * index_of(x), frame.chroma_row_taps >> 1
    first = second = SUM_HALF
    weights = 4 * column * frame.chroma_column_taps
    for word in range(frame.chroma_column_taps >> 1):
        sums = sum_rows_of_word(
            frame.source_u,
            at + 4 * word,
            frame.chroma_pitch,
            frame.chroma_row_weights,
            4 * row * pairs,
            pairs,
            frame.red_green,
            frame.blue_alpha,
        )
        both = load_number_pair(frame.chroma_column_weights, weights + 8 * word)
        first += sums[0] * both[0] + sums[2] * both[1]
        second += sums[1] * both[0] + sums[3] * both[1]
    return clamp8(first >> SUM_BITS), clamp8(second >> SUM_BITS)


def summed_yuv_pixels(frame: FrameRow, column: int, row: int) -> PixelPair:
    """Make two pixels of luma and chroma."""
    x, y = load_number_pair(frame.columns, 8 * column), load_number(frame.rows, 4 * row)
    if (x[0] & x[1]) < 0 or y < 0:
        return 0, 0, 0, 255, 0, 0, 0, 255
    luma, luma_ = sum_luma(frame, 2 * column, row), sum_luma(frame, 2 * column + 1, row)
    chroma, chroma_ = sum_chroma(frame, 2 * column, row), sum_chroma(frame, 2 * column + 1, row)
    red, green, blue, alpha = to_pixel(frame, x[0] | y, luma, chroma[0], chroma[1])
    red_, green_, blue_, alpha_ = to_pixel(frame, x[1] | y, luma_, chroma_[0], chroma_[1])
    return red, green, blue, alpha, red_, green_, blue_, alpha_


def write_summed_planes(frame: FrameRow, column: int, row: int) -> None:
    """Write a block of 4:2:0 plane by plane; chroma that lies half in a bar is mixed with it."""
    if 2 * column < frame.width and 2 * row < frame.height:
        if is_bar(frame, column, row):
            write_black(frame, column, row)
            return
        at = 2 * row * frame.target_pitch + 2 * column
        for line in range(2):
            left = luma_or_black(frame, 2 * column, 2 * row + line)
            right = luma_or_black(frame, 2 * column + 1, 2 * row + line)
            store_two_bytes(frame, frame.target, at + line * frame.target_pitch, left, right)
        shown = covered(column, frame.left, frame.right) * covered(row, frame.top, frame.bottom)
        chroma = sum_chroma(frame, column, row)
        write_chroma(frame, column, row, shared(chroma[0], shown), shared(chroma[1], shown))


def luma_or_black(frame: FrameRow, column: int, row: int) -> int:
    """Sum a sample of luma, or return that of the bars."""
    outside = load_number(frame.columns, 4 * column) | load_number(frame.rows, 4 * row)
    return frame.luma_black if outside < 0 else sum_luma(frame, column, row)
