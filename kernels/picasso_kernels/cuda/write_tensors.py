"""What CUDA kernels write into a detector's input: a thread makes 4x2 numbers of three planes of words of NV12.

Four neighbours lie in the picture or in a bar as a whole, and rows are aligned for stores of four: the planner makes
sure of both. Where a row of the two lies in a bar, the other is written apart.
"""

from __future__ import annotations

from picasso_kernels.cuda.frame_table import FrameRow
from picasso_kernels.cuda.instructions import (
    Plane,
    Quad,
    load_number_pair,
    load_number_quad,
    number_of_byte,
    scaled_half,
    scaled_single,
    store_word_pair,
    store_word_quad,
)
from picasso_kernels.cuda.read_fours import matrix_of
from picasso_kernels.cuda.read_spots import yuv_words


def store_fours(frame: FrameRow, column: int, row: int, words: Quad) -> None:
    """Write four numbers of a row to each plane: stands for one of the two below, which a kernel is built with."""
    store_halves(frame, column, row, words)


def write_tensor(frame: FrameRow, column: int, row: int) -> None:
    """Write 4x2 numbers of each plane."""
    if 4 * column < frame.width and 2 * row < frame.height:
        x, y = load_number_quad(frame.columns, 16 * column), load_number_pair(frame.rows, 8 * row)
        upper = lower = (frame.pad, frame.pad, frame.pad, frame.pad)
        if x[0] >= 0 and (y[0] & y[1]) >= 0:
            beside = load_number_quad(frame.chroma_columns, 16 * column)
            beneath, matrix = load_number_pair(frame.chroma_rows, 8 * row), matrix_of(frame, column)
            made = yuv_words(frame, matrix, x, y[0], beside, beneath[0])
            upper = made if y[0] >= 0 else upper
            made = yuv_words(frame, matrix, x, y[1], beside, beneath[1])
            lower = made if y[1] >= 0 else lower
        store_fours(frame, column, 2 * row, upper)
        if 2 * row + 1 < frame.height:
            store_fours(frame, column, 2 * row + 1, lower)


def store_halves(frame: FrameRow, column: int, row: int, words: Quad) -> None:
    """Write four float16 of a row to each plane."""
    at = row * frame.target_pitch + 8 * column
    store_four_halves(frame.target, at, words, 0, frame.scale_red, frame.bias_red)
    store_four_halves(frame.target_u, at, words, 1, frame.scale_green, frame.bias_green)
    store_four_halves(frame.target_v, at, words, 2, frame.scale_blue, frame.bias_blue)


def store_four_halves(plane: Plane, at: int, words: Quad, channel: int, scale: int, bias: int) -> None:
    """Write four float16 of one plane."""
    first = scaled_half(number_of_byte(words[0], channel), scale, bias)
    second = scaled_half(number_of_byte(words[1], channel), scale, bias)
    third = scaled_half(number_of_byte(words[2], channel), scale, bias)
    fourth = scaled_half(number_of_byte(words[3], channel), scale, bias)
    store_word_pair(plane, at, first | second << 16, third | fourth << 16)


def store_singles(frame: FrameRow, column: int, row: int, words: Quad) -> None:
    """Write four float32 of a row to each plane."""
    at = row * frame.target_pitch + 16 * column
    store_four_singles(frame.target, at, words, 0, frame.scale_red, frame.bias_red)
    store_four_singles(frame.target_u, at, words, 1, frame.scale_green, frame.bias_green)
    store_four_singles(frame.target_v, at, words, 2, frame.scale_blue, frame.bias_blue)


def store_four_singles(plane: Plane, at: int, words: Quad, channel: int, scale: int, bias: int) -> None:
    """Write four float32 of one plane."""
    first = scaled_single(number_of_byte(words[0], channel), scale, bias)
    second = scaled_single(number_of_byte(words[1], channel), scale, bias)
    third = scaled_single(number_of_byte(words[2], channel), scale, bias)
    fourth = scaled_single(number_of_byte(words[3], channel), scale, bias)
    store_word_quad(plane, at, first, second, third, fourth)
