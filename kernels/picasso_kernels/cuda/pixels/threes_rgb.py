"""How CUDA kernels shrink pixels of 3 bytes to two thirds across, and write them as luma and chroma.

As in ``pixels.threes``: twelve pixels, which are nine words, make eight, by weights that never change. The target's
coefficients know the order of red and blue. Groups of eight lie in the picture or in a bar as a whole, and begin at a
word: the planner makes sure of both. ``y`` is an axis entry.
"""

from __future__ import annotations

from typing import TypeAlias

from picasso_kernels.cuda.frame_table import FrameRow
from picasso_kernels.cuda.instructions import (
    Pair,
    Triple,
    byte_of,
    load_nine_words,
    load_number,
    load_number_pair,
    pack_saturated,
    store_word,
    store_word_pair,
)
from picasso_kernels.cuda.pixels.read import FourPixels, Pixel, index_of, weights_of
from picasso_kernels.cuda.pixels.threes import two_of_three, wide_bytes
from picasso_kernels.cuda.pixels.wide import chroma_pair, luma_word

TwoPixels: TypeAlias = tuple[Pixel, Pixel]
EightPixels: TypeAlias = tuple[FourPixels, FourPixels]


def write_threes_yuv420(frame: FrameRow, column: int, row: int) -> None:
    """Write 8x2 pixels of 4:2:0: chroma of the sums of 2x2 colours."""
    if 8 * column < frame.width and 2 * row < frame.height:
        x, y = load_number(frame.columns, 32 * column), load_number_pair(frame.rows, 8 * row)
        at = 2 * row * frame.target_pitch + 8 * column
        if (x | (y[0] & y[1])) < 0:
            black = frame.luma_black * 0x01010101
            store_word_pair(frame.target, at, black, black)
            store_word_pair(frame.target, at + frame.target_pitch, black, black)
            store_pairs(frame, column, row, (128, 128), (128, 128), (128, 128), (128, 128))
        else:
            upper, lower = eight_of_rgb(frame, index_of(x), y[0]), eight_of_rgb(frame, index_of(x), y[1])
            store_word_pair(frame.target, at, luma_word(frame, upper[0]), luma_word(frame, upper[1]))
            at += frame.target_pitch
            store_word_pair(frame.target, at, luma_word(frame, lower[0]), luma_word(frame, lower[1]))
            first = chroma_pair(frame, upper[0][0], upper[0][1], lower[0][0], lower[0][1])
            second = chroma_pair(frame, upper[0][2], upper[0][3], lower[0][2], lower[0][3])
            third = chroma_pair(frame, upper[1][0], upper[1][1], lower[1][0], lower[1][1])
            fourth = chroma_pair(frame, upper[1][2], upper[1][3], lower[1][2], lower[1][3])
            store_pairs(frame, column, row, first, second, third, fourth)


def eight_of_rgb(frame: FrameRow, start: int, y: int) -> EightPixels:
    """Blend twelve pixels of two rows, from pixel ``start`` of a row on, to eight; in a bar's row they are black."""
    rows, place = rows_or_none(y), index_of(y) * frame.pitch + 3 * start
    upper, lower = load_nine_words(frame.source, place), load_nine_words(frame.source, place + frame.next_row)
    a, b = wide_bytes(rows, upper[0], lower[0]), wide_bytes(rows, upper[1], lower[1])
    c, d = wide_bytes(rows, upper[2], lower[2]), wide_bytes(rows, upper[3], lower[3])
    e, f = wide_bytes(rows, upper[4], lower[4]), wide_bytes(rows, upper[5], lower[5])
    g, h = wide_bytes(rows, upper[6], lower[6]), wide_bytes(rows, upper[7], lower[7])
    i = wide_bytes(rows, upper[8], lower[8])
    first = two_pixels((a[0], a[1], a[2]), (a[3], b[0], b[1]), (b[2], b[3], c[0]))
    second = two_pixels((c[1], c[2], c[3]), (d[0], d[1], d[2]), (d[3], e[0], e[1]))
    third = two_pixels((e[2], e[3], f[0]), (f[1], f[2], f[3]), (g[0], g[1], g[2]))
    fourth = two_pixels((g[3], h[0], h[1]), (h[2], h[3], i[0]), (i[1], i[2], i[3]))
    return (first[0], first[1], second[0], second[1]), (third[0], third[1], fourth[0], fourth[1])


def rows_or_none(y: int) -> int:
    """Return the weights of the upper and the lower row, none of a row in a bar: those of a filter, as in threes."""
    return weights_of(0, y)


def two_pixels(left: Triple, middle: Triple, right: Triple) -> TwoPixels:
    """Blend three wide pixels to two."""
    red, green = two_of_three(left[0], middle[0], right[0]), two_of_three(left[1], middle[1], right[1])
    blue = two_of_three(left[2], middle[2], right[2])
    first = byte_of(red[0], 3), byte_of(green[0], 3), byte_of(blue[0], 3), 255
    return first, (byte_of(red[1], 3), byte_of(green[1], 3), byte_of(blue[1], 3), 255)


def store_pairs(frame: FrameRow, column: int, row: int, first: Pair, second: Pair, third: Pair, fourth: Pair) -> None:
    """Write four samples of each chroma."""
    at = row * frame.chroma_target_pitch + 4 * frame.chroma_target_step * column
    if frame.chroma_target_step == 2:
        left = pack_saturated(first[0], first[1], pack_saturated(second[0], second[1], 0))
        right = pack_saturated(third[0], third[1], pack_saturated(fourth[0], fourth[1], 0))
        store_word_pair(frame.target_u, at, left, right)
    else:
        u = pack_saturated(first[0], second[0], pack_saturated(third[0], fourth[0], 0))
        store_word(frame.target_u, at, u)
        store_word(frame.target_v, at, pack_saturated(first[1], second[1], pack_saturated(third[1], fourth[1], 0)))
