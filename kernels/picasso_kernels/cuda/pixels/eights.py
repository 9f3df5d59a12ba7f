"""How CUDA kernels write eight pixels beside each other, two rows a thread, whose readers know all columns' weights.

A thread reads more words together than with four pixels, and its addresses serve twice as many. It would write half of
each sector at a time, so threads beside each other change halves. The planner makes sure that eight pixels lie in the
picture or in a bar as a whole.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from picasso_kernels.cuda.frame_table import FrameRow
from picasso_kernels.cuda.instructions import load_number, load_number_pair, store_eight_words
from picasso_kernels.cuda.pixels.read import index_of
from picasso_kernels.cuda.pixels.read_fours import Matrix, matrix_of

Eight: TypeAlias = tuple[int, int, int, int, int, int, int, int]

_OPAQUE: Final = -0x1000000
"""A black pixel."""


def eight_pixels(frame: FrameRow, matrix: Matrix, column: int, at: int, y: int, beneath: int) -> Eight:
    """Make eight pixels of a row, from ``8 * column`` on: stands for a reader, which a kernel is built with.

    ``at`` is the first byte of luma, and of pairs of chroma, in their rows; ``y`` and ``beneath`` are axis entries of
    luma and chroma, of which none lies in a bar.
    """
    raise NotImplementedError


def write_eight_pixels(frame: FrameRow, column: int, row: int) -> None:
    """Write 8x2 pixels of 4 bytes; threads beyond the target come to the end with the others of their warp."""
    column = turned(frame, column)
    room, at = room_of(frame, 32 * column, 2 * row), 2 * row * frame.target_pitch + 32 * column
    x = -1
    y = beneath = (-1, -1)
    if room > 0:
        x, y = load_number(frame.columns, 32 * column), load_number_pair(frame.rows, 8 * row)
        beneath = load_number_pair(frame.chroma_rows, 8 * row)
    matrix = matrix_of(frame, column)
    upper = lower = (_OPAQUE, _OPAQUE, _OPAQUE, _OPAQUE, _OPAQUE, _OPAQUE, _OPAQUE, _OPAQUE)
    if (x | y[0]) >= 0:
        upper = eight_pixels(frame, matrix, column, index_of(x), y[0], beneath[0])
    store_eight(frame, at, room, upper)
    if (x | y[1]) >= 0:
        lower = eight_pixels(frame, matrix, column, index_of(x), y[1], beneath[1])
    store_eight(frame, at + frame.target_pitch, room_of(frame, 32 * column, 2 * row + 1), lower)


def turned(frame: FrameRow, column: int) -> int:
    """Let the first threads of a row do the picture, and the last ones the bars: fewer warps then do some of both.

    Pairs of threads stay pairs of columns.
    """
    columns, turn = frame.width >> 3, (frame.left >> 4) << 1
    if column >= columns or columns & 1:
        return column
    return column + turn - columns if column + turn >= columns else column + turn


def room_of(frame: FrameRow, start: int, row: int) -> int:
    """Return how many bytes of a row are left from byte ``start`` on; 0 or less beyond the target."""
    return 4 * frame.width - start if row < frame.height else 0


def store_eight(frame: FrameRow, at: int, room: int, eight: Eight) -> None:
    """Write eight pixels of a row."""
    first, second, third, fourth, fifth, sixth, seventh, last = eight
    store_eight_words(frame.target, at, room, first, second, third, fourth, fifth, sixth, seventh, last)
