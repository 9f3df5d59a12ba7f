"""How CUDA kernels enlarge luma and pairs of chroma by half across: 720p to 1080p, say, two samples to three.

As in ``pixels.threes``, places and weights are the same in every group, here of twelve target pixels: luma comes from
eight bytes and one on each side, chroma from the four pairs beneath them and one on each side. Rows come from anywhere.
Groups of twelve lie in the picture or in a bar as a whole, and begin at a word: the planner makes sure of both. The
arithmetic is that of ``pixels.read_fours``, bit for bit; ``y`` is an axis entry.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from picasso_kernels.cuda.frame_table import FrameRow
from picasso_kernels.cuda.instructions import (
    Pair,
    Quad,
    Triple,
    dot2_low,
    load_number,
    load_number_pair,
    load_two_between,
    pick_bytes,
    store_three_words,
    store_twelve_words,
)
from picasso_kernels.cuda.pixels.eights import room_of
from picasso_kernels.cuda.pixels.read import index_of
from picasso_kernels.cuda.pixels.read_fours import (
    Matrix,
    color_of_tops,
    matrix_of,
    pack_tops,
    row_weights,
    top_of_blend,
    wide_pair,
    wide_pairs,
    word_of_color,
)
from picasso_kernels.cuda.pixels.threes import wide_bytes

Six: TypeAlias = tuple[int, int, int, int, int, int]
Twelve: TypeAlias = tuple[Six, Six]

NO_ROW: Final = -1024
"""Room in a row that is not there."""
_WIDE_HALF: Final = 8
_GREY: Final = -0x7F7F7F80
"""Four bytes of 128."""
_OPAQUE: Final = -0x1000000
"""A black pixel."""


def three_of_four(before: int, left: int, right: int, behind: int) -> Triple:
    """Blend four wide samples to the highest bytes of three words: places 1/6 before the second, half, 1/6 behind."""
    middle = top_of_blend(left, right, 1024)
    return top_of_blend(before, left, 1707), middle, top_of_blend(right, behind, 341)


def six_of_six(before: int, first: Quad, behind: int) -> Six:
    """Blend four wide samples, one before and one behind them, to the highest bytes of six words."""
    left, right = (
        three_of_four(before, first[0], first[1], first[2]),
        three_of_four(first[1], first[2], first[3], behind),
    )
    return left[0], left[1], left[2], right[0], right[1], right[2]


def twelve_of_luma(frame: FrameRow, column: int, at: int, y: int) -> Twelve:
    """Blend ten bytes of two rows, eight of them from ``at`` in a row on, to the highest bytes of twelve words."""
    rows, place = row_weights(y), index_of(y) * frame.pitch + at
    before, behind = 12 * column - frame.left, frame.right - 12 * column - 12
    upper = load_two_between(frame.source, place, before, behind)
    lower = load_two_between(frame.source, place + frame.next_row, before, behind)
    start, end = wide_bytes(rows, upper[1], lower[1]), wide_bytes(rows, upper[2], lower[2])
    outer = pick_bytes(upper[0], lower[0], 0x0051 if before else 0x0040)
    first = dot2_low(rows, outer, _WIDE_HALF) >> 4
    outer = pick_bytes(upper[3], lower[3], 0x0040 if behind else 0x0051)
    last = dot2_low(rows, outer, _WIDE_HALF) >> 4
    return six_of_six(first, start, end[0]), six_of_six(start[3], end, last)


# To pixels, which have chroma at places of their own: 1/3 before a sample, on it, 1/3 behind it.


def write_twelve_pixels(frame: FrameRow, column: int, row: int) -> None:
    """Write 12x2 pixels of 4 bytes; threads beyond the target come to the end with the others of their warp."""
    room, at = room_of(frame, 48 * column, 2 * row), 2 * row * frame.target_pitch + 48 * column
    x = -1
    y = beneath = (-1, -1)
    if room > 0:
        x, y = load_number(frame.columns, 48 * column + 4), load_number_pair(frame.rows, 8 * row)
        beneath = load_number_pair(frame.chroma_rows, 8 * row)
    matrix = matrix_of(frame, column)
    six = (_OPAQUE, _OPAQUE, _OPAQUE, _OPAQUE, _OPAQUE, _OPAQUE)
    upper = lower = (six, six)
    if (x | y[0]) >= 0:
        upper = twelve_pixels(frame, matrix, column, index_of(x), y[0], beneath[0])
    store_twelve(frame, at, room, upper)
    if (x | y[1]) >= 0:
        lower = twelve_pixels(frame, matrix, column, index_of(x), y[1], beneath[1])
    store_twelve(frame, at + frame.target_pitch, room_of(frame, 48 * column, 2 * row + 1), lower)


def store_twelve(frame: FrameRow, at: int, room: int, twelve: Twelve) -> None:
    """Write twelve pixels of a row."""
    (a, b, c, d, e, f), (g, h, i, j, k, m) = twelve
    store_twelve_words(frame.target, at, room, a, b, c, d, e, f, g, h, i, j, k, m)


def twelve_pixels(frame: FrameRow, matrix: Matrix, column: int, at: int, y: int, beneath: int) -> Twelve:
    """Make twelve pixels, whose luma and chroma begin at byte ``at`` of their rows; ``beneath`` is chroma's entry."""
    luma = twelve_of_luma(frame, column, at, y)
    rows, place = row_weights(beneath), index_of(beneath) * frame.chroma_pitch + at
    before, behind = 12 * column - frame.left, frame.right - 12 * column - 12
    upper = load_two_between(frame.source_u, place, before, behind)
    lower = load_two_between(frame.source_u, place + frame.chroma_next_row, before, behind)
    outer = wide_pair(frame, rows, upper[0], lower[0])
    start, end = wide_pairs(frame, rows, upper[1], lower[1]), wide_pairs(frame, rows, upper[2], lower[2])
    first = three_pixels(matrix, luma[0][:3], outer, (start[0], start[2]), (start[1], start[3]))
    second = three_pixels(matrix, luma[0][3:], (start[0], start[2]), (start[1], start[3]), (end[0], end[2]))
    third = three_pixels(matrix, luma[1][:3], (start[1], start[3]), (end[0], end[2]), (end[1], end[3]))
    outer = wide_pair(frame, rows, upper[3], lower[3])
    last = three_pixels(matrix, luma[1][3:], (end[0], end[2]), (end[1], end[3]), outer)
    return (
        (first[0], first[1], first[2], second[0], second[1], second[2]),
        (third[0], third[1], third[2], last[0], last[1], last[2]),
    )


def three_pixels(matrix: Matrix, luma: Triple, left: Pair, middle: Pair, right: Pair) -> Triple:
    """Make the pixels around one pair of chroma."""
    u, v = top_of_blend(left[0], middle[0], 1365), top_of_blend(left[1], middle[1], 1365)
    first = word_of_color(color_of_tops(matrix, luma[0], u, v))
    u, v = top_of_blend(middle[0], middle[0], 0), top_of_blend(middle[1], middle[1], 0)
    second = word_of_color(color_of_tops(matrix, luma[1], u, v))
    u, v = top_of_blend(middle[0], right[0], 683), top_of_blend(middle[1], right[1], 683)
    return first, second, word_of_color(color_of_tops(matrix, luma[2], u, v))


# From plane to plane, where chroma lies as luma does.


def write_twelve_planes(frame: FrameRow, column: int, row: int) -> None:
    """Write 12x2 of luma of luma, and six pairs of chroma of pairs; threads beyond the target come to the end, too."""
    room = frame.width - 12 * column if 2 * row < frame.height else NO_ROW
    black = frame.luma_black * 0x01010101
    upper = lower = (black, black, black)
    pairs = (_GREY, _GREY, _GREY)
    x = -1
    y = (-1, -1)
    if room > 0:
        x, y = load_number(frame.columns, 48 * column + 4), load_number_pair(frame.rows, 8 * row)
    if (x | y[0]) >= 0:
        pairs = six_pairs(frame, column, index_of(x), load_number(frame.chroma_rows, 4 * row))
        upper = packed_twelve(twelve_of_luma(frame, column, index_of(x), y[0]))
        lower = packed_twelve(twelve_of_luma(frame, column, index_of(x), y[1]))
    at = 2 * row * frame.target_pitch + 12 * column
    store_three_words(frame.target_u, row * frame.chroma_target_pitch + 12 * column, room, pairs[0], pairs[1], pairs[2])
    store_three_words(frame.target, at, room, upper[0], upper[1], upper[2])
    store_three_words(frame.target, at + frame.target_pitch, room, lower[0], lower[1], lower[2])


def six_pairs(frame: FrameRow, column: int, at: int, y: int) -> Triple:
    """Blend six pairs of chroma of two rows to six pairs, packed."""
    rows, place = row_weights(y), index_of(y) * frame.chroma_pitch + at
    before, behind = 12 * column - frame.left, frame.right - 12 * column - 12
    upper = load_two_between(frame.source_u, place, before, behind)
    lower = load_two_between(frame.source_u, place + frame.chroma_next_row, before, behind)
    first, last = wide_pair(frame, rows, upper[0], lower[0]), wide_pair(frame, rows, upper[3], lower[3])
    start, end = wide_pairs(frame, rows, upper[1], lower[1]), wide_pairs(frame, rows, upper[2], lower[2])
    u = six_of_six(first[0], (start[0], start[1], end[0], end[1]), last[0])
    v = six_of_six(first[1], (start[2], start[3], end[2], end[3]), last[1])
    return (
        pack_tops(u[0], v[0], u[1], v[1]),
        pack_tops(u[2], v[2], u[3], v[3]),
        pack_tops(u[4], v[4], u[5], v[5]),
    )


def packed_twelve(tops: Twelve) -> Triple:
    """Pack the highest bytes of twelve words."""
    (a, b, c, d, e, f), (g, h, i, j, k, m) = tops
    return pack_tops(a, b, c, d), pack_tops(e, f, g, h), pack_tops(i, j, k, m)
