"""How an area filter shrinks to two thirds, across and down: what takes the place of blends in ``pixels.threes``.

Two samples of three are each made of a whole one and half of the middle one. That is a blend of two neighbours as a
bilinear filter's at the same places, with weights 1/3 and 2/3 instead of 1/4 and 3/4, in 16384ths, and the roundings of
``filter_rows``: between the passes samples have 6 more bits. Chroma that pixels are made of grows by a third, by
weights in eighths: there both filters have the same bits, and the bilinear one serves.
"""

from __future__ import annotations

from typing import Final

from picasso_kernels.cuda.frame_table import BLEND_BITS, FrameRow
from picasso_kernels.cuda.instructions import Pair, Quad, dot2_high, dot2_low, multiply_add_word, pick_bytes
from picasso_kernels.cuda.pixels.read import SUM_BITS, SUM_HALF, WIDE_SUM_BITS, WIDE_SUM_HALF
from picasso_kernels.maths.filter_rows import TAP_BITS

ONE_THIRD: Final = 5461
"""Weight of the middle sample of three, of ``1 << TAP_BITS``; the other sample has the rest."""
TWO_THIRDS: Final = (1 << TAP_BITS) - ONE_THIRD
_TOP_BITS: Final = 24 - SUM_BITS
"""How far sums are shifted up, so that they end in a word's highest byte."""
_LOW: Final = 0x5140
_HIGH: Final = 0x7362
"""Selectors that take the low and the high two bytes of two words in turns."""


def rows_of_thirds(y: int) -> int:
    """Return the weights of the upper and the lower row, of which the entry says 1/4 and 3/4, as a pair of halves."""
    lower = ONE_THIRD + ((y >> (BLEND_BITS - 2)) & 1) * (TWO_THIRDS - ONE_THIRD)
    return lower * 0xFFFF + (1 << TAP_BITS)


def rows_or_none(y: int) -> int:
    """Return the same; none of a row in a bar."""
    return 0 if y < 0 else rows_of_thirds(y)


def bytes_of_thirds(rows: int, upper: int, lower: int) -> Quad:
    """Sum four bytes of a row and those below to wide samples."""
    left, right = pick_bytes(upper, lower, _LOW), pick_bytes(upper, lower, _HIGH)
    first, second = wide_of_two(rows, left)
    third, fourth = wide_of_two(rows, right)
    return first, second, third, fourth


def pairs_of_thirds(frame: FrameRow, rows: int, upper: int, lower: int) -> Quad:
    """Sum the rows of two pairs of chroma: U of both, V of both, in the order of the selectors."""
    u, v = wide_of_two(rows, pick_bytes(upper, lower, frame.red_green))
    u_, v_ = wide_of_two(rows, pick_bytes(upper, lower, frame.blue_alpha))
    return u, u_, v, v_


def wide_of_two(rows: int, word: int) -> Pair:
    """Sum the first and the last two bytes of a word."""
    return dot2_low(rows, word, WIDE_SUM_HALF) >> WIDE_SUM_BITS, dot2_high(rows, word, WIDE_SUM_HALF) >> WIDE_SUM_BITS


def two_of_thirds(left: int, middle: int, right: int) -> Pair:
    """Make two samples of three wide ones, as the highest bytes of two words."""
    shared = multiply_add_word(middle, ONE_THIRD << _TOP_BITS, SUM_HALF << _TOP_BITS)
    outer = TWO_THIRDS << _TOP_BITS
    return multiply_add_word(left, outer, shared), multiply_add_word(right, outer, shared)
