"""How CUDA kernels shrink luma and pairs of chroma to two thirds across: 1080p to 720p, say, three samples to two.

The places of eight target pixels in the source are then the same in every group of eight. Luma comes from twelve bytes,
which are three words; chroma from the six pairs beneath them and, for pixels, the pairs before and behind. Which
samples are blended, and by how much, is known when the kernel is compiled, and each sample's rows are blended once.
Rows come from anywhere. Groups of eight lie in the picture or in a bar as a whole, and begin at a word: the planner
makes sure of both. The arithmetic is that of ``pixels.read_fours``, bit for bit; ``y`` is an axis entry.
"""

from __future__ import annotations

from typing import Final

from picasso_kernels.cuda.frame_table import FrameRow
from picasso_kernels.cuda.instructions import (
    Pair,
    Plane,
    Quad,
    dot2_high,
    dot2_low,
    load_number,
    load_number_pair,
    load_three_between,
    load_three_words,
    multiply_add_word,
    pick_bytes,
    store_word_pair,
)
from picasso_kernels.cuda.pixels.eights import Eight
from picasso_kernels.cuda.pixels.read import BLEND_HALF, index_of
from picasso_kernels.cuda.pixels.read_fours import (
    Matrix,
    color_of_tops,
    pack_tops,
    row_weights,
    top_of_blend,
    wide_pair,
    wide_pairs,
    word_of_color,
)

_FARTHER: Final = 512 << 6
"""Share of the middle one of three samples, as ``top_of_blend`` has it; ``_NEARER`` is that of either outer one."""
_NEARER: Final = 1536 << 6
_LAST_BYTE: Final = 11
_WIDE_HALF: Final = 8
_LOW: Final = 0x5140
_HIGH: Final = 0x7362
"""Selectors that take the low and the high two bytes of two words in turns."""
GREY: Final = -0x7F7F7F80
"""Four bytes of 128."""


def rows_of(y: int) -> int:
    """Return the weights of the upper and the lower row of planes as a pair of halves.

    This, ``wide_bytes``, ``two_of_three`` and, from plane to plane, ``wide_pairs`` stand for those of a bilinear filter
    or those of ``pixels.thirds``, which a kernel is built with.
    """
    return row_weights(y)


def wide_bytes(rows: int, upper: int, lower: int) -> Quad:
    """Blend four bytes of a row with those below."""
    left, right = pick_bytes(upper, lower, _LOW), pick_bytes(upper, lower, _HIGH)
    first, second = dot2_low(rows, left, _WIDE_HALF) >> 4, dot2_high(rows, left, _WIDE_HALF) >> 4
    return first, second, dot2_low(rows, right, _WIDE_HALF) >> 4, dot2_high(rows, right, _WIDE_HALF) >> 4


def two_of_three(left: int, middle: int, right: int) -> Pair:
    """Blend three wide samples to the highest bytes of two words: places 1/4 and 1 3/4."""
    shared = multiply_add_word(middle, _FARTHER, BLEND_HALF << 6)
    return multiply_add_word(left, _NEARER, shared), multiply_add_word(right, _NEARER, shared)


def eight_of_luma(frame: FrameRow, at: int, y: int) -> Eight:
    """Blend twelve bytes of two rows, from ``at`` in a row on, to the highest bytes of eight words."""
    rows, place = rows_of(y), index_of(y) * frame.pitch + at
    upper = load_three_words(frame.source, place, _LAST_BYTE)
    lower = load_three_words(frame.source, place + frame.next_row, _LAST_BYTE)
    start, middle = wide_bytes(rows, upper[0], lower[0]), wide_bytes(rows, upper[1], lower[1])
    end = wide_bytes(rows, upper[2], lower[2])
    first, second = two_of_three(start[0], start[1], start[2]), two_of_three(start[3], middle[0], middle[1])
    third, fourth = two_of_three(middle[2], middle[3], end[0]), two_of_three(end[1], end[2], end[3])
    return first[0], first[1], second[0], second[1], third[0], third[1], fourth[0], fourth[1]


# To pixels, which have chroma at places of their own: 1/8 before a sample, 5/8, 3/8 and 1/8 behind one, and again.


def three_halves(frame: FrameRow, matrix: Matrix, column: int, at: int, y: int, beneath: int) -> Eight:
    """Make eight pixels, whose luma and chroma begin at byte ``at`` of their rows."""
    luma = eight_of_luma(frame, at, y)
    rows, place = row_weights(beneath), index_of(beneath) * frame.chroma_pitch + at
    before, behind = 8 * column - frame.left, frame.right - 8 * column - 8
    upper = load_three_between(frame.source_u, place, before, behind)
    lower = load_three_between(frame.source_u, place + frame.chroma_next_row, before, behind)
    outer = wide_pair(frame, rows, upper[0], lower[0])
    pairs = wide_pairs(frame, rows, upper[1], lower[1])
    first = pixel_of(matrix, luma[0], outer, (pairs[0], pairs[2]), 1792)
    second = pixel_of(matrix, luma[1], (pairs[0], pairs[2]), (pairs[1], pairs[3]), 1280)
    more = wide_pairs(frame, rows, upper[2], lower[2])
    third = pixel_of(matrix, luma[2], (pairs[1], pairs[3]), (more[0], more[2]), 768)
    fourth = pixel_of(matrix, luma[3], (more[0], more[2]), (more[1], more[3]), 256)
    fifth = pixel_of(matrix, luma[4], (more[0], more[2]), (more[1], more[3]), 1792)
    last = wide_pairs(frame, rows, upper[3], lower[3])
    sixth = pixel_of(matrix, luma[5], (more[1], more[3]), (last[0], last[2]), 1280)
    seventh = pixel_of(matrix, luma[6], (last[0], last[2]), (last[1], last[3]), 768)
    outer = wide_pair(frame, rows, upper[4], lower[4])
    return (
        first,
        second,
        third,
        fourth,
        fifth,
        sixth,
        seventh,
        pixel_of(matrix, luma[7], (last[1], last[3]), outer, 256),
    )


def pixel_of(matrix: Matrix, luma: int, left: Pair, right: Pair, share: int) -> int:
    """Blend two wide pairs by the ``share`` of the right one, and convert them."""
    u, v = top_of_blend(left[0], right[0], share), top_of_blend(left[1], right[1], share)
    return word_of_color(color_of_tops(matrix, luma, u, v))


# From plane to plane, where chroma lies as luma does.


def write_three_halves_planes(frame: FrameRow, column: int, row: int) -> None:
    """Write 8x2 of luma of luma, and four pairs of chroma of pairs."""
    if 8 * column < frame.width and 2 * row < frame.height:
        at = 2 * row * frame.target_pitch + 8 * column
        at_chroma = row * frame.chroma_target_pitch + 8 * column
        x, y = load_number(frame.columns, 32 * column), load_number_pair(frame.rows, 8 * row)
        if (x | y[0]) < 0:
            black = frame.luma_black * 0x01010101
            store_word_pair(frame.target, at, black, black)
            store_word_pair(frame.target, at + frame.target_pitch, black, black)
            store_word_pair(frame.target_u, at_chroma, GREY, GREY)
        else:
            chroma = four_pairs(frame, index_of(x), load_number(frame.chroma_rows, 4 * row))
            store_packed(frame.target_u, at_chroma, chroma)
            store_packed(frame.target, at, eight_of_luma(frame, index_of(x), y[0]))
            store_packed(frame.target, at + frame.target_pitch, eight_of_luma(frame, index_of(x), y[1]))


def four_pairs(frame: FrameRow, at: int, y: int) -> Eight:
    """Blend six pairs of chroma of two rows to the highest bytes of eight words."""
    rows, place = rows_of(y), index_of(y) * frame.chroma_pitch + at
    upper = load_three_words(frame.source_u, place, _LAST_BYTE)
    lower = load_three_words(frame.source_u, place + frame.chroma_next_row, _LAST_BYTE)
    start, middle = wide_pairs(frame, rows, upper[0], lower[0]), wide_pairs(frame, rows, upper[1], lower[1])
    end = wide_pairs(frame, rows, upper[2], lower[2])
    u, v = two_of_three(start[0], start[1], middle[0]), two_of_three(start[2], start[3], middle[2])
    u_, v_ = two_of_three(middle[1], end[0], end[1]), two_of_three(middle[3], end[2], end[3])
    return u[0], v[0], u[1], v[1], u_[0], v_[0], u_[1], v_[1]


def store_packed(plane: Plane, at: int, tops: Eight) -> None:
    """Write the highest bytes of eight words."""
    left = pack_tops(tops[0], tops[1], tops[2], tops[3])
    store_word_pair(plane, at, left, pack_tops(tops[4], tops[5], tops[6], tops[7]))
