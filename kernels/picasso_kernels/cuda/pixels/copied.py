"""How CUDA kernels read luma and pairs of chroma of a picture that keeps its size.

From plane to plane every byte is copied, 8 an access. Pixels have luma as it is, and chroma at places of their own:
1/4 before a sample and 1/4 behind it, all along a row. Rows of chroma come from anywhere. Groups of columns lie in the
picture or in a bar as a whole, and rows are aligned for the accesses: the planner makes sure of both. The arithmetic is
that of ``pixels.read_fours``, bit for bit; ``x`` and ``y`` are axis entries.
"""

from __future__ import annotations

from typing import Final

from picasso_kernels.cuda.frame_table import FrameRow
from picasso_kernels.cuda.instructions import (
    Pair,
    load_number,
    load_three_words,
    load_two_between,
    load_word_pair,
    multiply_add_word,
    pick_bytes,
    store_word_pair,
)
from picasso_kernels.cuda.pixels.eights import Eight
from picasso_kernels.cuda.pixels.read import BLEND_HALF, index_of
from picasso_kernels.cuda.pixels.read_fours import (
    Matrix,
    color_of,
    row_weights,
    wide_pair,
    wide_pairs,
    word_of_color,
)

_FARTHER: Final = 512 << 6
"""Share of the farther of two samples of chroma, as ``top_of_blend`` has it; ``_NEARER`` is that of the nearer one."""
_NEARER: Final = 1536 << 6
_GREY: Final = -0x7F7F7F80
"""Four bytes of 128."""


def copied_eight(frame: FrameRow, matrix: Matrix, column: int, at: int, y: int, beneath: int) -> Eight:
    """Make eight pixels, whose luma and chroma begin at byte ``at`` of their rows."""
    luma = load_three_words(frame.source, index_of(y) * frame.pitch + at, 7)
    rows, place = row_weights(beneath), index_of(beneath) * frame.chroma_pitch + at
    before, behind = 8 * column - frame.left, frame.right - 8 * column - 8
    upper = load_two_between(frame.source_u, place, before, behind)
    lower = load_two_between(frame.source_u, place + frame.chroma_next_row, before, behind)
    outer = wide_pair(frame, rows, upper[0], lower[0])
    left, right = wide_pairs(frame, rows, upper[1], lower[1]), wide_pairs(frame, rows, upper[2], lower[2])
    u, v = around(outer[0], left[0], left[1]), around(outer[1], left[2], left[3])
    first, second = pixel_of(matrix, luma[0], 0, u[0], v[0]), pixel_of(matrix, luma[0], 1, u[1], v[1])
    u, v = around(left[0], left[1], right[0]), around(left[2], left[3], right[2])
    third, fourth = pixel_of(matrix, luma[0], 2, u[0], v[0]), pixel_of(matrix, luma[0], 3, u[1], v[1])
    u, v = around(left[1], right[0], right[1]), around(left[3], right[2], right[3])
    fifth, sixth = pixel_of(matrix, luma[1], 0, u[0], v[0]), pixel_of(matrix, luma[1], 1, u[1], v[1])
    outer = wide_pair(frame, rows, upper[3], lower[3])
    u, v = around(right[0], right[1], outer[0]), around(right[2], right[3], outer[1])
    seventh, last = pixel_of(matrix, luma[1], 2, u[0], v[0]), pixel_of(matrix, luma[1], 3, u[1], v[1])
    return first, second, third, fourth, fifth, sixth, seventh, last


def pixel_of(matrix: Matrix, luma: int, place: int, u: int, v: int) -> int:
    """Convert byte ``place`` of a word of luma, and the highest bytes of two of chroma."""
    return word_of_color(color_of(matrix, luma, place, u, v))


def around(left: int, nearest: int, right: int) -> Pair:
    """Blend three wide samples to the highest bytes of two words: places 1/4 before and behind the middle one."""
    shared = multiply_add_word(nearest, _NEARER, BLEND_HALF << 6)
    return multiply_add_word(left, _FARTHER, shared), multiply_add_word(right, _FARTHER, shared)


def write_copied_planes(frame: FrameRow, column: int, row: int) -> None:
    """Write 8x2 of luma of luma, and four pairs of chroma of pairs."""
    if 8 * column < frame.width and 2 * row < frame.height:
        at = 2 * row * frame.target_pitch + 8 * column
        at_chroma = row * frame.chroma_target_pitch + 8 * column
        x, y = load_number(frame.columns, 32 * column), load_number(frame.rows, 8 * row)
        black = frame.luma_black * 0x01010101
        upper = lower = (black, black)
        pairs = (_GREY, _GREY)
        if (x | y) >= 0:
            read = index_of(y) * frame.pitch + index_of(x)
            upper, lower = load_word_pair(frame.source, read), load_word_pair(frame.source, read + frame.pitch)
            read = index_of(load_number(frame.chroma_rows, 4 * row)) * frame.chroma_pitch + index_of(x)
            words = load_word_pair(frame.source_u, read)
            pairs = pick_bytes(words[0], words[0], frame.red_green), pick_bytes(words[1], words[1], frame.red_green)
        store_word_pair(frame.target, at, upper[0], upper[1])
        store_word_pair(frame.target, at + frame.target_pitch, lower[0], lower[1])
        store_word_pair(frame.target_u, at_chroma, pairs[0], pairs[1])
