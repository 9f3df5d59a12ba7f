"""What CUDA kernels write into a detector's input: a thread makes 4x2 numbers of three planes of words of NV12.

Four neighbours lie in the picture or in a bar as a whole, and rows are aligned for stores of four: the planner makes
sure of both. Where a row of the two lies in a bar, the other is written apart.
"""

from __future__ import annotations

from typing import Final

from picasso_kernels.cuda.frame_table import FrameRow
from picasso_kernels.cuda.instructions import (
    LEAD,
    Plane,
    Quad,
    Triple,
    load_number_pair,
    load_number_quad,
    number_behind_lead,
    pick_bytes,
    scaled_half,
    scaled_single,
    store_word_pair,
    store_word_quad,
)
from picasso_kernels.cuda.pixels.read_fours import Matrix, matrix_of
from picasso_kernels.cuda.pixels.read_spots import yuv_words

_FIRST: Final = 0x7440
"""Selectors that put a byte of a word behind the lead."""
_SECOND: Final = 0x7441
_THIRD: Final = 0x7442


def store_fours(frame: FrameRow, column: int, row: int, words: Quad) -> None:
    """Write four numbers of a row to each plane: stands for one of the two below, which a kernel is built with."""
    store_halves(frame, column, row, words)


def four_words(frame: FrameRow, matrix: Matrix, x: Quad, y: int, beside: Quad, beneath: int) -> Quad:
    """Read four pixels of a row: stands for a reader, which a kernel is built with."""
    return yuv_words(frame, matrix, x, y, beside, beneath)


def write_tensor(frame: FrameRow, column: int, row: int) -> None:
    """Write 4x2 numbers of each plane."""
    if 4 * column < frame.width and 2 * row < frame.height:
        x, y = load_number_quad(frame.columns, 16 * column), load_number_pair(frame.rows, 8 * row)
        upper = lower = (frame.pad, frame.pad, frame.pad, frame.pad)
        if x[0] >= 0 and (y[0] & y[1]) >= 0:
            beside = load_number_quad(frame.chroma_columns, 16 * column)
            beneath, matrix = load_number_pair(frame.chroma_rows, 8 * row), matrix_of(frame, column)
            made = four_words(frame, matrix, x, y[0], beside, beneath[0])
            upper = made if y[0] >= 0 else upper
            made = four_words(frame, matrix, x, y[1], beside, beneath[1])
            lower = made if y[1] >= 0 else lower
        store_fours(frame, column, 2 * row, upper)
        if 2 * row + 1 < frame.height:
            store_fours(frame, column, 2 * row + 1, lower)


def store_halves(frame: FrameRow, column: int, row: int, words: Quad) -> None:
    """Write four float16 of a row to each plane."""
    at, lead = row * frame.target_pitch + 8 * column, lead_of(column)
    bias = bias_of(frame, column)
    store_four_halves(frame.target, at, words, lead, _FIRST, frame.scale_red, bias[0])
    store_four_halves(frame.target_u, at, words, lead, _SECOND, frame.scale_green, bias[1])
    store_four_halves(frame.target_v, at, words, lead, _THIRD, frame.scale_blue, bias[2])


def store_four_halves(plane: Plane, at: int, words: Quad, lead: int, taken: int, scale: int, bias: int) -> None:
    """Write four float16 of one plane."""
    first = scaled_half(number_behind_lead(pick_bytes(words[0], lead, taken)), scale, bias)
    second = scaled_half(number_behind_lead(pick_bytes(words[1], lead, taken)), scale, bias)
    third = scaled_half(number_behind_lead(pick_bytes(words[2], lead, taken)), scale, bias)
    fourth = scaled_half(number_behind_lead(pick_bytes(words[3], lead, taken)), scale, bias)
    store_word_pair(plane, at, first | second << 16, third | fourth << 16)


def store_singles(frame: FrameRow, column: int, row: int, words: Quad) -> None:
    """Write four float32 of a row to each plane."""
    at, lead = row * frame.target_pitch + 16 * column, lead_of(column)
    bias = bias_of(frame, column)
    store_four_singles(frame.target, at, words, lead, _FIRST, frame.scale_red, bias[0])
    store_four_singles(frame.target_u, at, words, lead, _SECOND, frame.scale_green, bias[1])
    store_four_singles(frame.target_v, at, words, lead, _THIRD, frame.scale_blue, bias[2])


def store_four_singles(plane: Plane, at: int, words: Quad, lead: int, taken: int, scale: int, bias: int) -> None:
    """Write four float32 of one plane."""
    first = scaled_single(number_behind_lead(pick_bytes(words[0], lead, taken)), scale, bias)
    second = scaled_single(number_behind_lead(pick_bytes(words[1], lead, taken)), scale, bias)
    third = scaled_single(number_behind_lead(pick_bytes(words[2], lead, taken)), scale, bias)
    fourth = scaled_single(number_behind_lead(pick_bytes(words[3], lead, taken)), scale, bias)
    store_word_quad(plane, at, first, second, third, fourth)


def lead_of(column: int) -> int:
    """Return the lead as a number of the thread's own, as ``matrix_of`` does: no column is negative."""
    return LEAD + (column >> 31)


def bias_of(frame: FrameRow, column: int) -> Triple:
    """Return what is added to each plane's numbers, in the same way."""
    return frame.bias_red + (column >> 31), frame.bias_green + (column >> 31), frame.bias_blue + (column >> 31)
