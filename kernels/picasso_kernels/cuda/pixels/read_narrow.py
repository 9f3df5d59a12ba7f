"""How CUDA kernels sum few taps: two rows, and four columns that hold what two neighbours are made of.

Filters that blend need no more where a picture grows, or shrinks by a half at most. Columns start anywhere in the
source: the words that hold them are read, and turned. Nothing here is a loop, so what both rows of a block share is
read once. The planner makes sure that there are four columns and two rows; taps that a filter has not weigh nothing.

The arithmetic is that of ``filter_rows``: rows are summed and rounded first, then columns.
"""

from __future__ import annotations

from typing import Final

from picasso_kernels.cuda.frame_table import FrameRow
from picasso_kernels.cuda.instructions import (
    Pair,
    Plane,
    Quad,
    load_number,
    load_number_pair,
    load_number_quad,
    load_three_words,
    load_word,
    pick_bytes,
)
from picasso_kernels.cuda.pixels.read import SUM_BITS, SUM_HALF, WIDE_SUM_HALF, PixelPair, index_of, is_bar, to_pixel
from picasso_kernels.cuda.pixels.read_quads import add_columns, add_rows_of_quad, to_bytes
from picasso_kernels.cuda.pixels.read_sums import add_pairs, add_rows, table_pitch, to_wide, weigh
from picasso_kernels.cuda.pixels.write import covered, shared, store_two_bytes, write_black, write_chroma
from picasso_kernels.maths.pixel import clamp8

_FOUR: Final = 0x3210
"""Selector of four bytes in a row; each 0x1111 more takes the next byte of all."""
_EACH: Final = 0x1111
_LOW: Final = 0x5140
_HIGH: Final = 0x7362
"""Selectors that take the low and the high two bytes of two words in turns."""


def turned_word(plane: Plane, at: int) -> int:
    """Read four bytes from any place."""
    shift = at & 3
    words = load_three_words(plane, at - shift, shift + 3)
    return pick_bytes(words[0], words[1], _FOUR + _EACH * shift)


def turned_words(plane: Plane, at: int) -> Pair:
    """Read eight bytes from any place."""
    shift = at & 3
    words, taken = load_three_words(plane, at - shift, shift + 7), _FOUR + _EACH * shift
    return pick_bytes(words[0], words[1], taken), pick_bytes(words[1], words[2], taken)


# Luma and pairs of chroma.


def narrow_luma(frame: FrameRow, column: int, row: int, x: int, y: int) -> Pair:
    """Sum weighted rows, then weighted columns, around two neighbours of luma; ``x`` is the entry of both."""
    at, place = index_of(y) * frame.pitch + index_of(x), 16 * column
    upper, lower = turned_word(frame.source, at), turned_word(frame.source, at + frame.pitch)
    none = (WIDE_SUM_HALF, WIDE_SUM_HALF, WIDE_SUM_HALF, WIDE_SUM_HALF)
    sums = to_wide(add_rows(none, load_number(frame.row_weights, 4 * row), upper, lower, _LOW, _HIGH))
    left = weigh(sums, load_number_quad(frame.column_weights, place), SUM_HALF)
    right = weigh(sums, load_number_quad(frame.column_weights, place + table_pitch(frame.width)), SUM_HALF)
    return clamp8(left >> SUM_BITS), clamp8(right >> SUM_BITS)


def narrow_chroma_pairs(frame: FrameRow, column: int, row: int, x: int, y: int) -> Quad:
    """Sum weighted rows, then weighted columns, around two neighbours; ``x`` is the entry of both."""
    at, place = index_of(y) * frame.chroma_pitch + 2 * index_of(x), 16 * column
    upper, lower = turned_words(frame.source_u, at), turned_words(frame.source_u, at + frame.chroma_pitch)
    none = (WIDE_SUM_HALF, WIDE_SUM_HALF, WIDE_SUM_HALF, WIDE_SUM_HALF)
    rows = load_number(frame.chroma_row_weights, 4 * row)
    first = to_wide(add_rows(none, rows, upper[0], lower[0], frame.red_green, frame.blue_alpha))
    second = to_wide(add_rows(none, rows, upper[1], lower[1], frame.red_green, frame.blue_alpha))
    total = (SUM_HALF, SUM_HALF, SUM_HALF, SUM_HALF)
    total = add_pairs(total, first, load_number_quad(frame.chroma_column_weights, place))
    total = add_pairs(total, second, load_number_quad(frame.chroma_column_weights, place + table_pitch(frame.width)))
    u, v = clamp8(total[0] >> SUM_BITS), clamp8(total[1] >> SUM_BITS)
    return u, v, clamp8(total[2] >> SUM_BITS), clamp8(total[3] >> SUM_BITS)


def narrow_yuv_pixels(frame: FrameRow, column: int, row: int) -> PixelPair:
    """Make two pixels of luma and chroma."""
    x, y = load_number_pair(frame.columns, 8 * column), load_number(frame.rows, 4 * row)
    beside, beneath = load_number_pair(frame.chroma_columns, 8 * column), load_number(frame.chroma_rows, 4 * row)
    luma = narrow_luma(frame, column, row, max(x[0], x[1]), y)
    chroma = narrow_chroma_pairs(frame, column, row, max(beside[0], beside[1]), beneath)
    red, green, blue, alpha = to_pixel(frame, x[0] | y, luma[0], chroma[0], chroma[1])
    red_, green_, blue_, alpha_ = to_pixel(frame, x[1] | y, luma[1], chroma[2], chroma[3])
    return red, green, blue, alpha, red_, green_, blue_, alpha_


def narrow_chroma(frame: FrameRow, column: int, row: int) -> Pair:
    """Sum weighted rows, then weighted columns, of two pairs of chroma."""
    x, y = load_number(frame.chroma_columns, 4 * column), load_number(frame.chroma_rows, 4 * row)
    at = index_of(y) * frame.chroma_pitch + 2 * index_of(x)
    upper, lower = turned_word(frame.source_u, at), turned_word(frame.source_u, at + frame.chroma_pitch)
    none = (WIDE_SUM_HALF, WIDE_SUM_HALF, WIDE_SUM_HALF, WIDE_SUM_HALF)
    rows = load_number(frame.chroma_row_weights, 4 * row)
    sums = to_wide(add_rows(none, rows, upper, lower, frame.red_green, frame.blue_alpha))
    weights = load_number_pair(frame.chroma_column_weights, 8 * column)
    u, v = sums[0] * weights[0] + sums[2] * weights[1], sums[1] * weights[0] + sums[3] * weights[1]
    return clamp8((u + SUM_HALF) >> SUM_BITS), clamp8((v + SUM_HALF) >> SUM_BITS)


def write_narrow_planes(frame: FrameRow, column: int, row: int) -> None:
    """Write a block of 4:2:0 plane by plane; chroma that lies half in a bar is mixed with it."""
    if 2 * column < frame.width and 2 * row < frame.height:
        if is_bar(frame, column, row):
            write_black(frame, column, row)
            return
        x, y = load_number_pair(frame.columns, 8 * column), load_number_pair(frame.rows, 8 * row)
        upper = narrow_luma(frame, column, 2 * row, max(x[0], x[1]), y[0])
        lower = narrow_luma(frame, column, 2 * row + 1, max(x[0], x[1]), y[1])
        write_luma_pair(frame, column, 2 * row, x, y[0], upper)
        write_luma_pair(frame, column, 2 * row + 1, x, y[1], lower)
        shown = covered(column, frame.left, frame.right) * covered(row, frame.top, frame.bottom)
        chroma = narrow_chroma(frame, column, row)
        write_chroma(frame, column, row, shared(chroma[0], shown), shared(chroma[1], shown))


def write_luma_pair(frame: FrameRow, column: int, row: int, x: Pair, y: int, luma: Pair) -> None:
    """Write two neighbours of luma; those in a bar are black."""
    left, right = frame.luma_black if (x[0] | y) < 0 else luma[0], frame.luma_black if (x[1] | y) < 0 else luma[1]
    store_two_bytes(frame, frame.target, row * frame.target_pitch + 2 * column, left, right)


# Pixels of 4 and of 3 bytes.


def any_words(frame: FrameRow, at: int) -> Quad:
    """Read four pixels of 4 bytes, each aligned."""
    first, second = load_word(frame.source, at), load_word(frame.source, at + 4)
    return first, second, load_word(frame.source, at + 8), load_word(frame.source, at + 12)


def any_rgb(frame: FrameRow, at: int) -> Quad:
    """Read four pixels of 3 bytes from any place; the last byte of each word that is returned means nothing."""
    shift = at & 3
    start, end = (
        load_three_words(frame.source, at - shift, 7),
        load_three_words(frame.source, at - shift + 8, shift + 3),
    )
    taken = _FOUR + _EACH * shift
    first, second = pick_bytes(start[0], start[1], taken), pick_bytes(start[1], end[0], taken)
    third = pick_bytes(end[0], end[1], taken)
    return first, pick_bytes(first, second, 0x6543), pick_bytes(second, third, 0x5432), pick_bytes(third, third, 0x0321)


def any_quad(frame: FrameRow, at: int) -> Quad:
    """Read four pixels: stands for one of the two above, which a kernel is built with."""
    return any_words(frame, at)


def narrow_pixels(frame: FrameRow, column: int, row: int) -> PixelPair:
    """Sum weighted rows, then weighted columns, around two neighbours."""
    x, y = load_number_pair(frame.columns, 8 * column), load_number(frame.rows, 4 * row)
    at = index_of(y) * frame.pitch + index_of(max(x[0], x[1])) * frame.step
    none = (WIDE_SUM_HALF, WIDE_SUM_HALF, WIDE_SUM_HALF, WIDE_SUM_HALF)
    upper, lower = any_quad(frame, at), any_quad(frame, at + frame.pitch)
    sums = add_rows_of_quad(frame, load_number(frame.row_weights, 4 * row), (none, none, none, none), upper, lower)
    none = (SUM_HALF, SUM_HALF, SUM_HALF, SUM_HALF)
    totals = add_columns(frame, (none, none), sums, 16 * column)
    red, green, blue, alpha = to_bytes(frame, x[0] | y, totals[0])
    red_, green_, blue_, alpha_ = to_bytes(frame, x[1] | y, totals[1])
    return red, green, blue, alpha, red_, green_, blue_, alpha_
