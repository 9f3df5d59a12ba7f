"""How CUDA kernels blend two neighbours of usual layouts wherever in the source they lie: luma and chroma, and RGB.

The two samples of a row that are blended lie beside each other, so each row costs one address: two bytes of luma, two
pairs of chroma, or the three words that hold two pixels of 3 bytes. The planner makes sure of the layout, of the
alignment that the accesses want, and of two samples a row. The arithmetic is that of ``pixels.read``, bit for bit;
``x`` and ``y`` are axis entries.
"""

from __future__ import annotations

from typing import Final

from picasso_kernels.cuda.frame_table import BLEND_MASK, FrameRow
from picasso_kernels.cuda.instructions import (
    Pair,
    Plane,
    Quad,
    Triple,
    dot2_high,
    dot2_low,
    load_byte_pair,
    load_half_pair,
    load_number,
    load_number_pair,
    load_number_quad,
    load_three_words,
    pick_bytes,
)
from picasso_kernels.cuda.pixels.read import FourPixels, Pixel, PixelPair, blend, index_of, weights_of
from picasso_kernels.cuda.pixels.read_fours import (
    Matrix,
    color_of_tops,
    matrix_of,
    row_weights,
    top_of_blend,
    word_of_color,
)
from picasso_kernels.maths.pixel import ONE, clamp8

_WIDE_HALF: Final = 8
_FOUR: Final = 0x3210
_EACH: Final = 0x1111
_LOW: Final = 0x5140
_HIGH: Final = 0x7362
"""Selectors that take the low and the high two bytes of two words in turns."""


# Luma and chroma.


def blend_bytes(plane: Plane, at: int, next_row: int, x: int, y: int) -> int:
    """Blend two neighbouring bytes with those below, to the highest byte of a word."""
    upper, lower = load_byte_pair(plane, at), load_byte_pair(plane, at + next_row)
    above, below = ONE - (y & BLEND_MASK), y & BLEND_MASK
    left = (upper[0] * above + (lower[0] * below + _WIDE_HALF)) >> 4
    return top_of_blend(left, (upper[1] * above + (lower[1] * below + _WIDE_HALF)) >> 4, x)


def paired_spot(frame: FrameRow, x: int, y: int) -> Pair:
    """Return U and V of a plane where they take turns, as the highest bytes of words."""
    at, rows = index_of(y) * frame.chroma_pitch + 2 * index_of(x), row_weights(y)
    upper, lower = load_half_pair(frame.source_u, at), load_half_pair(frame.source_u, at + frame.chroma_next_row)
    left = pick_bytes(upper[0], lower[0], frame.red_green)
    right = pick_bytes(upper[1], lower[1], frame.red_green)
    u = top_of_blend(dot2_low(rows, left, _WIDE_HALF) >> 4, dot2_low(rows, right, _WIDE_HALF) >> 4, x)
    return u, top_of_blend(dot2_high(rows, left, _WIDE_HALF) >> 4, dot2_high(rows, right, _WIDE_HALF) >> 4, x)


def planar_spot(frame: FrameRow, x: int, y: int) -> Pair:
    """Return U and V of a plane each, as the highest bytes of words."""
    at = index_of(y) * frame.chroma_pitch + index_of(x)
    u = blend_bytes(frame.source_u, at, frame.chroma_next_row, x, y)
    return u, blend_bytes(frame.source_v, at, frame.chroma_next_row, x, y)


def chroma_spot(frame: FrameRow, x: int, y: int) -> Pair:
    """Read the chroma of a pixel: stands for one of the two above, which a kernel is built with."""
    return paired_spot(frame, x, y)


def yuv_spot(frame: FrameRow, matrix: Matrix, x: int, y: int, beside: int, beneath: int) -> Pixel:
    """Make a pixel of luma and chroma; in a bar it is black."""
    at = index_of(y) * frame.pitch + index_of(x)
    luma = blend_bytes(frame.source, at, frame.next_row, x, y)
    chroma = chroma_spot(frame, beside, beneath)
    red, green, blue = color_of_tops(matrix, luma, chroma[0], chroma[1])
    if (x | y) < 0:
        return 0, 0, 0, 255
    return clamp8(red), clamp8(green), clamp8(blue), 255


def yuv_spots(frame: FrameRow, column: int, row: int) -> PixelPair:
    """Make two pixels of luma and chroma."""
    x, y = load_number_pair(frame.columns, 8 * column), load_number(frame.rows, 4 * row)
    beside, beneath = load_number_pair(frame.chroma_columns, 8 * column), load_number(frame.chroma_rows, 4 * row)
    matrix = matrix_of(frame, column)
    red, green, blue, alpha = yuv_spot(frame, matrix, x[0], y, beside[0], beneath)
    red_, green_, blue_, alpha_ = yuv_spot(frame, matrix, x[1], y, beside[1], beneath)
    return red, green, blue, alpha, red_, green_, blue_, alpha_


def yuv_word(frame: FrameRow, matrix: Matrix, x: int, y: int, beside: int, beneath: int) -> int:
    """Make a pixel of luma and pairs of chroma as a word; what it is in a bar means nothing."""
    at = index_of(y) * frame.pitch + index_of(x)
    luma, chroma = blend_bytes(frame.source, at, frame.next_row, x, y), paired_spot(frame, beside, beneath)
    return word_of_color(color_of_tops(matrix, luma, chroma[0], chroma[1]))


def yuv_words(frame: FrameRow, matrix: Matrix, x: Quad, y: int, beside: Quad, beneath: int) -> Quad:
    """Make four pixels of luma and pairs of chroma as words, none in a bar."""
    first, second = (
        yuv_word(frame, matrix, x[0], y, beside[0], beneath),
        yuv_word(frame, matrix, x[1], y, beside[1], beneath),
    )
    third = yuv_word(frame, matrix, x[2], y, beside[2], beneath)
    return first, second, third, yuv_word(frame, matrix, x[3], y, beside[3], beneath)


# Pixels of 3 bytes.


def rgb_spot(frame: FrameRow, rows: int, x: int, y: int) -> Triple:
    """Blend two neighbouring pixels with those below, as the source orders them; ``rows`` are the rows' weights."""
    start, weight = 3 * index_of(x), x & BLEND_MASK
    at, shift = index_of(y) * frame.pitch + (start & -4), start & 3
    upper = load_three_words(frame.source, at, shift + 5)
    lower = load_three_words(frame.source, at + frame.next_row, shift + 5)
    taken = _FOUR + _EACH * shift
    above, below = pick_bytes(upper[0], upper[1], taken), pick_bytes(lower[0], lower[1], taken)
    left, middle = pick_bytes(above, below, _LOW), pick_bytes(above, below, _HIGH)
    above, below = pick_bytes(upper[1], upper[2], taken), pick_bytes(lower[1], lower[2], taken)
    right = pick_bytes(above, below, _LOW)
    return (
        blend(dot2_low(rows, left, _WIDE_HALF) >> 4, dot2_high(rows, middle, _WIDE_HALF) >> 4, weight),
        blend(dot2_high(rows, left, _WIDE_HALF) >> 4, dot2_low(rows, right, _WIDE_HALF) >> 4, weight),
        blend(dot2_low(rows, middle, _WIDE_HALF) >> 4, dot2_high(rows, right, _WIDE_HALF) >> 4, weight),
    )


def in_order(frame: FrameRow, pixel: Triple) -> Pixel:
    """Put red first where the source has it third, or blue where the target wants it."""
    if frame.red:
        return pixel[2], pixel[1], pixel[0], 255
    return pixel[0], pixel[1], pixel[2], 255


def rgb_spots(frame: FrameRow, column: int, row: int) -> PixelPair:
    """Blend two pixels of 3 bytes."""
    x, y = load_number_pair(frame.columns, 8 * column), load_number(frame.rows, 4 * row)
    red, green, blue, alpha = in_order(frame, rgb_spot(frame, weights_of(x[0], y), x[0], y))
    red_, green_, blue_, alpha_ = in_order(frame, rgb_spot(frame, weights_of(x[1], y), x[1], y))
    return red, green, blue, alpha, red_, green_, blue_, alpha_


def rgb_four_spots(frame: FrameRow, column: int, row: int) -> FourPixels:
    """Blend four pixels of 3 bytes, which lie in a bar or do not together; the target's coefficients know the order."""
    x, y = load_number_quad(frame.columns, 16 * column), load_number(frame.rows, 4 * row)
    rows = weights_of(x[0], y)
    first, second = rgb_spot(frame, rows, x[0], y), rgb_spot(frame, rows, x[1], y)
    third, fourth = rgb_spot(frame, rows, x[2], y), rgb_spot(frame, rows, x[3], y)
    return opaque(first), opaque(second), opaque(third), opaque(fourth)


def opaque(pixel: Triple) -> Pixel:
    """Add alpha."""
    return pixel[0], pixel[1], pixel[2], 255


def rgb_four_in_order(frame: FrameRow, column: int, row: int) -> FourPixels:
    """Blend four pixels of 3 bytes to red, green, blue and alpha."""
    first, second, third, fourth = rgb_four_spots(frame, column, row)
    return (
        in_order(frame, first[:3]),
        in_order(frame, second[:3]),
        in_order(frame, third[:3]),
        in_order(frame, fourth[:3]),
    )
