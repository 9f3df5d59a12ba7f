"""How CUDA kernels read four neighbours of luma and chroma that lie near each other in the source.

Four samples of luma lie within eight bytes of a row, those of chroma within ten: three words hold them. Which words
these are, and which bytes are taken of them, depends on the columns alone, as every row begins at a word: the compiler
sees that it is the same for all rows of a thread. The planner makes sure of the spans, of words that are aligned, and
of two samples a row. No column lies in a bar: writers see to that; what is made of a row in a bar means nothing.

What bounds these kernels is neither memory nor the number of instructions, but those of them that the integer units
do: adding, shifting, picking. So blends end in the highest byte of a word, from where bytes are picked without a
shift, and clamping and packing are one instruction. The arithmetic is that of ``pixels.read``, bit for bit; ``x`` and
``y`` are axis entries.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from picasso_kernels.cuda.frame_table import BLEND_BITS, BLEND_MASK, FrameRow
from picasso_kernels.cuda.instructions import (
    Pair,
    Quad,
    Triple,
    dot2_high,
    dot2_low,
    load_number,
    load_number_pair,
    load_three_words,
    multiply_add_word,
    pack_saturated,
    pick_bytes,
)
from picasso_kernels.cuda.pixels.read import BLEND_HALF, index_of
from picasso_kernels.maths.color import TO_RGB_BITS
from picasso_kernels.maths.pixel import ONE

Wide: TypeAlias = tuple[int, int, int, int, int, int, int, int]
"""Four samples whose rows are blended: left and right neighbour of each."""

Matrix: TypeAlias = tuple[int, int, int, int, int, int, int]
"""Coefficients of luma and chroma as pairs of halves: of red, green, green again, blue; what each starts from."""

LUMA_SPAN: Final = 6
"""How many samples the first and the last of four neighbours of luma may be apart."""
CHROMA_SPAN: Final = 2
"""The same of the two samples of chroma under them, from plane to plane."""
PIXELS_SPAN: Final = 3
"""The same of the four samples of chroma under pixels."""
_WIDE_HALF: Final = 8
_FOUR: Final = 0x3210
"""Selector of four bytes in a row; each 0x1111 more takes the next byte of all."""
_EACH: Final = 0x1111
_IN_TURNS: Final = 0x5140
"""Selector that takes the low two bytes of both words in turns."""
_TOPS: Final = 0x0073
_TOP_OF_SECOND: Final = 0x0070
"""Selector of a byte of the first word, which is added, and of the second one's highest byte."""
_OF_TWO: Final = 0x5410


def row_weights(y: int) -> int:
    """Return the weights of the upper and the lower row, ``ONE - w`` and ``w``, as a pair of halves."""
    return (y & BLEND_MASK) * 0xFFFF + ONE


def top_of_blend(left: int, right: int, weight: int) -> int:
    """Blend two wide samples to the highest byte of a word."""
    part = (weight & BLEND_MASK) << 6
    return multiply_add_word(right, part, multiply_add_word(left, (ONE << 6) - part, BLEND_HALF << 6))


def pack_tops(first: int, second: int, third: int, fourth: int) -> int:
    """Pack the highest bytes of four words."""
    return pick_bytes(pick_bytes(first, second, _TOPS), pick_bytes(third, fourth, _TOPS), _OF_TWO)


# Luma.


def wide_luma(frame: FrameRow, x: Quad, y: int) -> Wide:
    """Read four neighbours of luma, and blend their rows."""
    first, last = x[0] >> BLEND_BITS, x[3] >> BLEND_BITS
    shift, rows = first & 3, row_weights(y)
    at, reach, taken = index_of(y) * frame.pitch + (first & -4), shift + last - first + 1, _FOUR + _EACH * shift
    upper = load_three_words(frame.source, at, reach)
    lower = load_three_words(frame.source, at + frame.next_row, reach)
    above = pick_bytes(upper[0], upper[1], taken), pick_bytes(upper[1], upper[2], taken)
    below = pick_bytes(lower[0], lower[1], taken), pick_bytes(lower[1], lower[2], taken)
    left = pick_bytes(above[0], below[0], _IN_TURNS)
    second = two_columns(above, below, (x[1] >> BLEND_BITS) - first)
    third = two_columns(above, below, (x[2] >> BLEND_BITS) - first)
    right = two_columns(above, below, last - first)
    return (
        dot2_low(rows, left, _WIDE_HALF) >> 4,
        dot2_high(rows, left, _WIDE_HALF) >> 4,
        dot2_low(rows, second, _WIDE_HALF) >> 4,
        dot2_high(rows, second, _WIDE_HALF) >> 4,
        dot2_low(rows, third, _WIDE_HALF) >> 4,
        dot2_high(rows, third, _WIDE_HALF) >> 4,
        dot2_low(rows, right, _WIDE_HALF) >> 4,
        dot2_high(rows, right, _WIDE_HALF) >> 4,
    )


def two_columns(upper: Pair, lower: Pair, offset: int) -> int:
    """Take the bytes ``offset`` and ``offset + 1`` of two rows, in turns."""
    taken = 0x10 + 0x11 * offset
    return pick_bytes(pick_bytes(upper[0], upper[1], taken), pick_bytes(lower[0], lower[1], taken), _IN_TURNS)


def near_luma_word(frame: FrameRow, x: Quad, y: int) -> int:
    """Blend four neighbours of luma, and pack them."""
    wide = wide_luma(frame, x, y)
    return pack_tops(
        top_of_blend(wide[0], wide[1], x[0]),
        top_of_blend(wide[2], wide[3], x[1]),
        top_of_blend(wide[4], wide[5], x[2]),
        top_of_blend(wide[6], wide[7], x[3]),
    )


# Chroma in pairs.


def near_pairs(frame: FrameRow, first: int, last: int, y: int) -> tuple[Triple, Triple]:
    """Return the ten bytes of two rows that hold the pairs from ``first`` to the one behind ``last``."""
    shift = 2 * (first & 1)
    at, reach = index_of(y) * frame.chroma_pitch + (2 * first & -4), shift + 2 * (last - first) + 3
    upper = load_three_words(frame.source_u, at, reach)
    lower = load_three_words(frame.source_u, at + frame.chroma_next_row, reach)
    return ten_bytes(upper, _FOUR + _EACH * shift), ten_bytes(lower, _FOUR + _EACH * shift)


def ten_bytes(words: Triple, taken: int) -> Triple:
    """Let words begin at an even byte of the first."""
    first, second = pick_bytes(words[0], words[1], taken), pick_bytes(words[1], words[2], taken)
    return first, second, pick_bytes(words[2], words[2], taken)


def wide_pairs(frame: FrameRow, rows: int, upper: int, lower: int) -> Quad:
    """Blend the rows of two pairs: U of both, V of both, in the order of the selectors."""
    left, right = pick_bytes(upper, lower, frame.red_green), pick_bytes(upper, lower, frame.blue_alpha)
    u, v = dot2_low(rows, left, _WIDE_HALF) >> 4, dot2_high(rows, left, _WIDE_HALF) >> 4
    return u, dot2_low(rows, right, _WIDE_HALF) >> 4, v, dot2_high(rows, right, _WIDE_HALF) >> 4


def wide_pair(frame: FrameRow, rows: int, upper: int, lower: int) -> Pair:
    """Blend the rows of one pair, which is the low half of two words: U, V in the order of the selectors."""
    pair = pick_bytes(upper, lower, frame.red_green)
    return dot2_low(rows, pair, _WIDE_HALF) >> 4, dot2_high(rows, pair, _WIDE_HALF) >> 4


def near_chroma_word(frame: FrameRow, column: int, row: int) -> int:
    """Blend two neighbouring pairs of chroma, and pack them."""
    x, y = load_number_pair(frame.chroma_columns, 8 * column), load_number(frame.chroma_rows, 4 * row)
    first, last, rows = x[0] >> BLEND_BITS, x[1] >> BLEND_BITS, row_weights(y)
    upper, lower = near_pairs(frame, first, last, y)
    left = wide_pairs(frame, rows, upper[0], lower[0])
    right = wide_pairs(frame, rows, two_pairs(upper, last - first), two_pairs(lower, last - first))
    return pack_tops(
        top_of_blend(left[0], left[1], x[0]),
        top_of_blend(left[2], left[3], x[0]),
        top_of_blend(right[0], right[1], x[1]),
        top_of_blend(right[2], right[3], x[1]),
    )


def two_pairs(bytes_: Triple, offset: int) -> int:
    """Take the pairs ``offset``, 0..2, and the next."""
    return pick_bytes(bytes_[0], bytes_[1], _FOUR + 2 * _EACH * offset)


def last_pairs(bytes_: Triple, offset: int) -> int:
    """Take the pairs ``offset``, 0..3, and the next."""
    low, high = (bytes_[0], bytes_[1]) if offset < 2 else (bytes_[1], bytes_[2])
    return pick_bytes(low, high, _FOUR + 2 * _EACH * (offset & 1))


# Pixels.


def near_yuv_words(frame: FrameRow, matrix: Matrix, x: Quad, y: int, beside: Quad, beneath: int) -> Quad:
    """Make four pixels of luma and of pairs of chroma, as words.

    ``matrix`` is that of ``matrix_of``; ``beside`` and ``beneath`` are entries of chroma.
    """
    luma = wide_luma(frame, x, y)
    first, rows = beside[0] >> BLEND_BITS, row_weights(beneath)
    second, third = (beside[1] >> BLEND_BITS) - first, (beside[2] >> BLEND_BITS) - first
    last = (beside[3] >> BLEND_BITS) - first
    upper, lower = near_pairs(frame, first, first + last, beneath)
    pairs = wide_pairs(frame, rows, upper[0], lower[0])
    left = word_of_yuv(matrix, luma[0], luma[1], x[0], pairs, beside[0])
    pairs = wide_pairs(frame, rows, two_pairs(upper, second), two_pairs(lower, second))
    left_ = word_of_yuv(matrix, luma[2], luma[3], x[1], pairs, beside[1])
    pairs = wide_pairs(frame, rows, two_pairs(upper, third), two_pairs(lower, third))
    right = word_of_yuv(matrix, luma[4], luma[5], x[2], pairs, beside[2])
    pairs = wide_pairs(frame, rows, last_pairs(upper, last), last_pairs(lower, last))
    return left, left_, right, word_of_yuv(matrix, luma[6], luma[7], x[3], pairs, beside[3])


def word_of_yuv(matrix: Matrix, left: int, right: int, x: int, chroma: Quad, beside: int) -> int:
    """Blend the columns of luma and chroma, and convert them to a pixel, opaque and packed."""
    u, v = top_of_blend(chroma[0], chroma[1], beside), top_of_blend(chroma[2], chroma[3], beside)
    return word_of_color(color_of_tops(matrix, top_of_blend(left, right, x), u, v))


def matrix_of(frame: FrameRow, column: int) -> Matrix:
    """Return what converts a picture's pixels: luma's floor, 128 of chroma and the half to round are in the sums.

    No column is negative: its sign adds nothing. But with it the numbers are the thread's own, and stay in registers;
    without, the assembler copies each of them there for each pixel.
    """
    none, luma = (1 << (TO_RGB_BITS - 1)) - frame.rgb_floor * frame.luma, (frame.luma & 0xFFFF) + (column >> 31)
    return (
        luma | frame.red_v << 16,
        luma | frame.green_v << 16,
        (frame.green_u << 16) + (column >> 31),
        luma | frame.blue_u << 16,
        none - 128 * frame.red_v + (column >> 31),
        none - 128 * (frame.green_u + frame.green_v) + (column >> 31),
        none - 128 * frame.blue_u + (column >> 31),
    )


def color_of_tops(matrix: Matrix, luma: int, u: int, v: int) -> Triple:
    """Convert the highest bytes of three words to red, green and blue, which may lie outside of 0..255."""
    return color_of(matrix, luma, 3, u, v)


def color_of(matrix: Matrix, luma: int, place: int, u: int, v: int) -> Triple:
    """Convert byte ``place`` of a word of luma, and the highest bytes of two of chroma, as ``color_of_tops`` does."""
    with_u, with_v = pick_bytes(luma, u, _TOP_OF_SECOND + place), pick_bytes(luma, v, _TOP_OF_SECOND + place)
    red, blue = dot2_low(matrix[0], with_v, matrix[4]), dot2_low(matrix[3], with_u, matrix[6])
    green = dot2_low(matrix[1], with_v, dot2_low(matrix[2], with_u, matrix[5]))
    return red >> TO_RGB_BITS, green >> TO_RGB_BITS, blue >> TO_RGB_BITS


def word_of_color(color: Triple) -> int:
    """Clamp and pack an opaque pixel."""
    return pack_saturated(color[0], color[1], pack_saturated(color[2], 255, 0))
