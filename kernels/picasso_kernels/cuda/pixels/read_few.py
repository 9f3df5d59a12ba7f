"""How CUDA kernels sum some taps of luma and pairs of chroma: four rows at most, of eight columns anywhere.

That is what filters need that shrink to a third or less, such as 4K to 720p. As in ``pixels.read_narrow`` nothing is a
loop, so what both rows of a block share is read once. The planner makes sure that there are eight columns and three
rows; taps that a filter has not weigh nothing, and of three rows the last is read twice.

The arithmetic is that of ``filter_rows``: rows are summed and rounded first, then columns.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from picasso_kernels.cuda.frame_table import FrameRow
from picasso_kernels.cuda.instructions import Pair, Plane, Quad, load_number, load_number_pair, load_number_quad
from picasso_kernels.cuda.pixels.read import SUM_BITS, SUM_HALF, WIDE_SUM_HALF, PixelPair, index_of, is_bar, to_pixel
from picasso_kernels.cuda.pixels.read_narrow import narrow_chroma_pairs, turned_words, write_luma_pair
from picasso_kernels.cuda.pixels.read_sums import add_rows, table_pitch, to_wide, weigh
from picasso_kernels.cuda.pixels.write import covered, shared, write_black, write_chroma
from picasso_kernels.maths.pixel import clamp8

_LOW: Final = 0x5140
_HIGH: Final = 0x7362
"""Selectors that take the low and the high two bytes of two words in turns."""

TwoQuads: TypeAlias = tuple[Quad, Quad]


def four_rows(plane: Plane, at: int, pitch: int, taps: int, rows: Pair, low: int, high: int) -> TwoQuads:
    """Sum the weighted rows of eight bytes to wide samples; ``rows`` are two weights each, selectors order bytes."""
    first, second = turned_words(plane, at), turned_words(plane, at + pitch)
    third = turned_words(plane, at + 2 * pitch)
    fourth = turned_words(plane, at + 2 * pitch + (pitch if taps > 3 else 0))
    none = (WIDE_SUM_HALF, WIDE_SUM_HALF, WIDE_SUM_HALF, WIDE_SUM_HALF)
    left = add_rows(none, rows[0], first[0], second[0], low, high)
    right = add_rows(none, rows[0], first[1], second[1], low, high)
    left = add_rows(left, rows[1], third[0], fourth[0], low, high)
    return to_wide(left), to_wide(add_rows(right, rows[1], third[1], fourth[1], low, high))


def few_luma(frame: FrameRow, column: int, row: int, x: int, y: int) -> Pair:
    """Sum weighted rows, then weighted columns, around two neighbours of luma; ``x`` is the entry of both."""
    at, rows = index_of(y) * frame.pitch + index_of(x), load_number_pair(frame.row_weights, 8 * row)
    sums = four_rows(frame.source, at, frame.pitch, frame.row_taps, rows, _LOW, _HIGH)
    place, next_ = 16 * column, table_pitch(frame.width)
    left = weigh(sums[0], load_number_quad(frame.column_weights, place), SUM_HALF)
    right = weigh(sums[0], load_number_quad(frame.column_weights, place + next_), SUM_HALF)
    left = weigh(sums[1], load_number_quad(frame.column_weights, place + 2 * next_), left)
    right = weigh(sums[1], load_number_quad(frame.column_weights, place + 3 * next_), right)
    return clamp8(left >> SUM_BITS), clamp8(right >> SUM_BITS)


def few_yuv_pixels(frame: FrameRow, column: int, row: int) -> PixelPair:
    """Make two pixels of luma and chroma."""
    x, y = load_number_pair(frame.columns, 8 * column), load_number(frame.rows, 4 * row)
    if (x[0] & x[1]) < 0 or y < 0:
        return 0, 0, 0, 255, 0, 0, 0, 255
    beside, beneath = load_number_pair(frame.chroma_columns, 8 * column), load_number(frame.chroma_rows, 4 * row)
    luma = few_luma(frame, column, row, max(x[0], x[1]), y)
    chroma = narrow_chroma_pairs(frame, column, row, max(beside[0], beside[1]), beneath)
    red, green, blue, alpha = to_pixel(frame, x[0] | y, luma[0], chroma[0], chroma[1])
    red_, green_, blue_, alpha_ = to_pixel(frame, x[1] | y, luma[1], chroma[2], chroma[3])
    return red, green, blue, alpha, red_, green_, blue_, alpha_


def few_chroma(frame: FrameRow, column: int, row: int) -> Pair:
    """Sum weighted rows, then weighted columns, of four pairs of chroma."""
    x, y = load_number(frame.chroma_columns, 4 * column), load_number(frame.chroma_rows, 4 * row)
    at, rows = index_of(y) * frame.chroma_pitch + 2 * index_of(x), load_number_pair(frame.chroma_row_weights, 8 * row)
    first, second, pitch = frame.red_green, frame.blue_alpha, frame.chroma_pitch
    sums = four_rows(frame.source_u, at, pitch, frame.chroma_row_taps, rows, first, second)
    left = load_number_pair(frame.chroma_column_weights, 8 * column)
    right = load_number_pair(frame.chroma_column_weights, 8 * column + table_pitch(frame.width >> 1))
    u = SUM_HALF + sums[0][0] * left[0] + sums[0][2] * left[1] + sums[1][0] * right[0] + sums[1][2] * right[1]
    v = SUM_HALF + sums[0][1] * left[0] + sums[0][3] * left[1] + sums[1][1] * right[0] + sums[1][3] * right[1]
    return clamp8(u >> SUM_BITS), clamp8(v >> SUM_BITS)


def write_few_planes(frame: FrameRow, column: int, row: int) -> None:
    """Write a block of 4:2:0 plane by plane; chroma that lies half in a bar is mixed with it."""
    if 2 * column < frame.width and 2 * row < frame.height:
        if is_bar(frame, column, row):
            write_black(frame, column, row)
            return
        x, y = load_number_pair(frame.columns, 8 * column), load_number_pair(frame.rows, 8 * row)
        write_luma_pair(frame, column, 2 * row, x, y[0], few_luma(frame, column, 2 * row, max(x[0], x[1]), y[0]))
        lower = few_luma(frame, column, 2 * row + 1, max(x[0], x[1]), y[1])
        write_luma_pair(frame, column, 2 * row + 1, x, y[1], lower)
        shown = covered(column, frame.left, frame.right) * covered(row, frame.top, frame.bottom)
        chroma = few_chroma(frame, column, row)
        write_chroma(frame, column, row, shared(chroma[0], shown), shared(chroma[1], shown))
