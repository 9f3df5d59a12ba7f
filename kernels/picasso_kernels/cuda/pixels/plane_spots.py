"""How a CUDA kernel makes luma of luma and pairs of chroma of pairs, wherever in source and target they lie.

Pictures that shrink by more than 2, those whose bars begin at any column, and targets of any even width: a thread makes
4x2 of luma, each of which may lie in a bar. Two samples that are blended lie beside each other, so each row costs one
address, as in ``read_spots``.
"""

from __future__ import annotations

from picasso_kernels.cuda.frame_table import FrameRow
from picasso_kernels.cuda.instructions import (
    Pair,
    Plane,
    Quad,
    byte_of,
    load_number,
    load_number_pair,
    load_number_quad,
    store_half,
    store_word,
)
from picasso_kernels.cuda.pixels.read import index_of
from picasso_kernels.cuda.pixels.read_fours import pack_tops
from picasso_kernels.cuda.pixels.read_spots import blend_bytes, paired_spot
from picasso_kernels.cuda.pixels.write import covered, shared

_GREY: int = 0x80808080
_ALL: int = 4
"""Pixels of luma that a pair of chroma lies under."""


def write_spot_planes(frame: FrameRow, column: int, row: int) -> None:
    """Write 4x2 of luma and two pairs of chroma, or, at the end of a row, half as much."""
    if 4 * column < frame.width and 2 * row < frame.height:
        at = 2 * row * frame.target_pitch + 4 * column
        at_chroma = row * frame.chroma_target_pitch + 4 * column
        x, y = load_number_quad(frame.columns, 16 * column), load_number_pair(frame.rows, 8 * row)
        whole = 4 * column + 4 <= frame.width
        if (x[0] & x[1] & x[2] & x[3]) < 0 or (y[0] & y[1]) < 0:
            store_part(frame.target, at, frame.luma_black * 0x01010101, whole)
            store_part(frame.target, at + frame.target_pitch, frame.luma_black * 0x01010101, whole)
            store_part(frame.target_u, at_chroma, _GREY, whole)
        else:
            store_part(frame.target_u, at_chroma, chroma_word(frame, column, row), whole)
            store_part(frame.target, at, luma_word(frame, x, y[0]), whole)
            store_part(frame.target, at + frame.target_pitch, luma_word(frame, x, y[1]), whole)


def store_part(plane: Plane, at: int, word: int, whole: bool) -> None:
    """Write four bytes, or the first two of them."""
    if whole:
        store_word(plane, at, word)
    else:
        store_half(plane, at, word & 0xFFFF)


def luma_word(frame: FrameRow, x: Quad, y: int) -> int:
    """Blend four samples of luma, and pack them."""
    at = index_of(y) * frame.pitch
    return pack_tops(
        luma_spot(frame, at, x[0], y),
        luma_spot(frame, at, x[1], y),
        luma_spot(frame, at, x[2], y),
        luma_spot(frame, at, x[3], y),
    )


def luma_spot(frame: FrameRow, row: int, x: int, y: int) -> int:
    """Blend a sample of luma to the highest byte of a word; in a bar it is black."""
    luma = blend_bytes(frame.source, row + index_of(x), frame.next_row, x, y)
    return frame.luma_black << 24 if (x | y) < 0 else luma


def chroma_word(frame: FrameRow, column: int, row: int) -> int:
    """Blend two pairs of chroma, and pack them; one that lies partly in a bar is mixed with it."""
    x, y = load_number_pair(frame.chroma_columns, 8 * column), load_number(frame.chroma_rows, 4 * row)
    left, right = paired_spot(frame, x[0], y), paired_spot(frame, x[1], y)
    down = covered(row, frame.top, frame.bottom)
    shown = covered(2 * column, frame.left, frame.right) * down
    shown_ = covered(2 * column + 1, frame.left, frame.right) * down
    if shown + shown_ == 2 * _ALL:
        return pack_tops(left[0], left[1], right[0], right[1])
    return mixed_pair(left, shown) | mixed_pair(right, shown_) << 16


def mixed_pair(chroma: Pair, shown: int) -> int:
    """Mix a pair, the highest bytes of two words, with the grey of a bar."""
    return shared(byte_of(chroma[0], 3), shown) | shared(byte_of(chroma[1], 3), shown) << 8
