"""How CUDA kernels shrink luma and pairs of chroma to a third across: 1080p to 640 pixels, say.

The places of four target pixels in the source are then the same in every group of four: the middle ones of each three
samples of luma, and chroma a quarter and three quarters behind a pair. Twelve bytes of a row hold them, which are three
words, at the same place in both planes; weights and selectors are known when the kernel is compiled. Rows come from
anywhere, but blending them leaves nothing to round, as in ``pixels.read_exact``. The planner makes sure of it. No
column lies in a bar; what is made of a row in a bar means nothing. ``x`` and ``y`` are axis entries.
"""

from __future__ import annotations

from typing import Final

from picasso_kernels.cuda.frame_table import BLEND_BITS, BLEND_MASK, FrameRow
from picasso_kernels.cuda.instructions import (
    Pair,
    Quad,
    dot2_high,
    dot2_low,
    load_three_words,
    multiply_add_word,
    pick_bytes,
)
from picasso_kernels.cuda.pixels.read import BLEND_HALF, index_of
from picasso_kernels.cuda.pixels.read_fours import Matrix, color_of_tops, row_weights, word_of_color
from picasso_kernels.maths.pixel import ONE

LUMA_PLACES: Final = (1, 4, 7, 10)
"""Samples of luma that four pixels are, from the first byte of the words on."""
CHROMA_PLACES: Final = (0, 1, 3, 4)
"""Pairs of chroma that are blended with the next ones."""
CHROMA_WEIGHTS: Final = (512, 1536, 512, 1536)
"""Shares of these."""
_LAST_BYTE: Final = 11
_NEAR: Final = 1 << 16 | 3
"""Shares of a pair and of the next in four, as a pair of halves."""
_FAR: Final = 3 << 16 | 1
_BEHIND: Final = 0x2222
"""What a selector of two pairs has more where they begin in the middle of a word."""
_SECOND: Final = 0x0051
"""Selectors of byte 1 or 2 of two words, or of bytes 0 and 3, in turns."""
_THIRD: Final = 0x0062
_OUTER: Final = 0x7340
_ROWS_UP: Final = 3
_TO_TOP: Final = 1 << (13 - _ROWS_UP)
"""Weights of rows are 8 times as large; what is missing moves a blend to the highest byte."""
_LUMA_HALF: Final = 1 << (10 + _ROWS_UP)


def middle_words(frame: FrameRow, matrix: Matrix, x: Quad, y: int, _beside: Quad, beneath: int) -> Quad:
    """Make four pixels of luma and pairs of chroma as words, none in a bar."""
    start = (x[0] >> BLEND_BITS) - 1
    luma = four_of_luma(frame, start, y)
    at = index_of(beneath) * frame.chroma_pitch + start
    upper = load_three_words(frame.source_u, at, _LAST_BYTE)
    lower = load_three_words(frame.source_u, at + frame.chroma_next_row, _LAST_BYTE)
    taken = frame.red_green
    first = chroma_of(upper[0], upper[0], lower[0], lower[0], taken, _NEAR, beneath)
    second = chroma_of(upper[0], upper[1], lower[0], lower[1], taken + _BEHIND, _FAR, beneath)
    third = chroma_of(upper[1], upper[2], lower[1], lower[2], taken + _BEHIND, _NEAR, beneath)
    fourth = chroma_of(upper[2], upper[2], lower[2], lower[2], taken, _FAR, beneath)
    return (
        word_of_color(color_of_tops(matrix, luma[0], first[0], first[1])),
        word_of_color(color_of_tops(matrix, luma[1], second[0], second[1])),
        word_of_color(color_of_tops(matrix, luma[2], third[0], third[1])),
        word_of_color(color_of_tops(matrix, luma[3], fourth[0], fourth[1])),
    )


def four_of_luma(frame: FrameRow, start: int, y: int) -> Quad:
    """Blend the rows of four samples of luma, to the highest bytes of words."""
    at, rows = index_of(y) * frame.pitch + start, row_weights(y) << _ROWS_UP
    upper = load_three_words(frame.source, at, _LAST_BYTE)
    lower = load_three_words(frame.source, at + frame.next_row, _LAST_BYTE)
    middle = pick_bytes(upper[1], lower[1], _OUTER)
    return (
        dot2_low(rows, pick_bytes(upper[0], lower[0], _SECOND), _LUMA_HALF) * _TO_TOP,
        dot2_low(rows, middle, _LUMA_HALF) * _TO_TOP,
        dot2_high(rows, middle, _LUMA_HALF) * _TO_TOP,
        dot2_low(rows, pick_bytes(upper[2], lower[2], _THIRD), _LUMA_HALF) * _TO_TOP,
    )


def chroma_of(upper: int, upper_: int, lower: int, lower_: int, taken: int, weights: int, y: int) -> Pair:
    """Blend one pair of chroma with the next and those below, to the highest bytes of words."""
    above, below = pick_bytes(upper, upper_, taken), pick_bytes(lower, lower_, taken)
    share = (y & BLEND_MASK) << BLEND_BITS - 1
    rest = (ONE << BLEND_BITS - 1) - share
    u = multiply_add_word(dot2_low(weights, above, 0), rest, BLEND_HALF << 6)
    v = multiply_add_word(dot2_high(weights, above, 0), rest, BLEND_HALF << 6)
    return (
        multiply_add_word(dot2_low(weights, below, 0), share, u),
        multiply_add_word(dot2_high(weights, below, 0), share, v),
    )
