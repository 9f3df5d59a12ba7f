"""How CUDA kernels blend four neighbours of luma and of pairs of chroma where blending rows loses nothing.

That is so where every weight of a row is a multiple of 16: ``(upper * (2048 - w) + lower * w + 8) >> 4`` then has no
remainder, so columns may be blended first, on bytes as they lie in memory, and the result is rounded once::

    out = ((upper_left * (2048 - x) + upper_right * x) * (2048 - y) + (the lower row's) * y + ...) >> 22

Heights that are multiples of 20 have such weights where 640, 360 or 720 rows are made of them. Two neighbours of luma
lie within eight bytes of a row, two pairs of chroma as well: two words hold them. The planner makes sure of all this,
and of words that are aligned. No column lies in a bar; what is made of a row in a bar means nothing. ``x`` and ``y``
are axis entries.
"""

from __future__ import annotations

from typing import Final

from picasso_kernels.cuda.frame_table import BLEND_BITS, BLEND_MASK, FrameRow
from picasso_kernels.cuda.instructions import (
    Pair,
    Plane,
    Quad,
    dot2_high,
    dot2_low,
    load_two_words,
    multiply_add_word,
    pick_bytes,
)
from picasso_kernels.cuda.pixels.read import BLEND_HALF, index_of
from picasso_kernels.cuda.pixels.read_fours import Matrix, color_of_tops, row_weights, word_of_color
from picasso_kernels.maths.pixel import ONE

LUMA_REACH: Final = 6
"""Where in eight bytes the first of the second pixel's two samples may be."""
CHROMA_REACH: Final = 4
"""Where in eight bytes the first of the second pixel's two pairs may be."""
_BESIDE: Final = 0x10
_EACH_PAIR: Final = 0x1111


def exact_words(frame: FrameRow, matrix: Matrix, x: Quad, y: int, beside: Quad, beneath: int) -> Quad:
    """Make four pixels of luma and pairs of chroma as words, none in a bar."""
    first, second = two_words(frame, matrix, x[0], x[1], y, beside[0], beside[1], beneath)
    third, fourth = two_words(frame, matrix, x[2], x[3], y, beside[2], beside[3], beneath)
    return first, second, third, fourth


def two_words(
    frame: FrameRow, matrix: Matrix, x: int, x_: int, y: int, beside: int, beside_: int, beneath: int
) -> Pair:
    """Make two pixels of luma and pairs of chroma as words."""
    luma, chroma = two_of_luma(frame, x, x_, y), two_of_chroma(frame, beside, beside_, beneath)
    return (
        word_of_color(color_of_tops(matrix, luma[0], chroma[0], chroma[1])),
        word_of_color(color_of_tops(matrix, luma[1], chroma[2], chroma[3])),
    )


def two_of_luma(frame: FrameRow, x: int, x_: int, y: int) -> Pair:
    """Blend two neighbours of luma, to the highest bytes of words."""
    start = (x >> BLEND_BITS) & -4
    first, second = (x >> BLEND_BITS) - start, (x_ >> BLEND_BITS) - start
    taken = 0x11 * first + (0x1100 * second + (_BESIDE + (_BESIDE << 8)))
    upper, lower = rows_of_words(frame.source, index_of(y) * frame.pitch + start, frame.next_row, second + 1)
    above, below = pick_bytes(upper[0], upper[1], taken), pick_bytes(lower[0], lower[1], taken)
    left, right = row_weights(x), row_weights(x_)
    return (
        blend_rows(dot2_low(left, above, 0), dot2_low(left, below, 0), y),
        blend_rows(dot2_high(right, above, 0), dot2_high(right, below, 0), y),
    )


def two_of_chroma(frame: FrameRow, x: int, x_: int, y: int) -> Quad:
    """Blend two neighbouring pairs of chroma, to the highest bytes of words: U and V of the first, of the second."""
    start = (2 * (x >> BLEND_BITS)) & -4
    first, second = 2 * (x >> BLEND_BITS) - start, 2 * (x_ >> BLEND_BITS) - start
    at = index_of(y) * frame.chroma_pitch + start
    upper, lower = rows_of_words(frame.source_u, at, frame.chroma_next_row, second + 3)
    left = pair_of_chroma(upper, lower, frame.red_green + _EACH_PAIR * first, x, y)
    right = pair_of_chroma(upper, lower, frame.red_green + _EACH_PAIR * second, x_, y)
    return left[0], left[1], right[0], right[1]


def pair_of_chroma(upper: Pair, lower: Pair, taken: int, x: int, y: int) -> Pair:
    """Blend one pair of chroma with the next and those below."""
    above, below, weights = pick_bytes(upper[0], upper[1], taken), pick_bytes(lower[0], lower[1], taken), row_weights(x)
    u = blend_rows(dot2_low(weights, above, 0), dot2_low(weights, below, 0), y)
    return u, blend_rows(dot2_high(weights, above, 0), dot2_high(weights, below, 0), y)


def rows_of_words(plane: Plane, at: int, next_row: int, reach: int) -> tuple[Pair, Pair]:
    """Read the words that hold bytes 0 to ``reach`` of two rows."""
    return load_two_words(plane, at, reach), load_two_words(plane, at + next_row, reach)


def blend_rows(upper: int, lower: int, y: int) -> int:
    """Blend two rows whose columns are blended, to the highest byte of a word."""
    weight = (y & BLEND_MASK) << 2
    return multiply_add_word(lower, weight, multiply_add_word(upper, (ONE << 2) - weight, BLEND_HALF << 6))
