"""What CUDA kernels do with four pixels beside each other: a thread reads and writes 4x2 pixels of the target.

Addresses, axis entries and weights then serve twice as many pixels as in ``cuda.write``, and stores are as wide as
they can be. That is what bounds kernels whose sources are small: luma and chroma, pixels of 3 bytes. A group of four
lies in the picture or in a bar as a whole, and rows are aligned for the accesses: the planner makes sure of both.

The arithmetic is that of ``cuda.read`` and ``cuda.read_near``; ``x`` and ``y`` are axis entries.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from picasso_kernels.cuda.frame_table import BLEND_MASK, FrameRow
from picasso_kernels.cuda.instructions import (
    Pair,
    Plane,
    Quad,
    byte_of,
    dot2_high,
    dot2_low,
    load_half,
    load_number,
    load_number_pair,
    load_word,
    pick_bytes,
    store_half,
    store_word,
    store_word_quad,
)
from picasso_kernels.cuda.read import Pixel, blend, index_of, split_word
from picasso_kernels.cuda.read_near import blend_pairs, row_weights, to_pixel
from picasso_kernels.maths.color import chroma_of, luma_of

FourPixels: TypeAlias = tuple[Pixel, Pixel, Pixel, Pixel]
Triple: TypeAlias = tuple[int, int, int]

LUMA_SPAN: Final = 6
"""How many samples the first and the last of four neighbours may be apart from plane to plane."""
CHROMA_SPAN: Final = 2
"""The same of the two samples of chroma under them."""
PIXELS_SPAN: Final = 3
"""The same of the four samples of chroma under pixels."""
NEARER: Final = 1536
"""Share in 2048 of the nearer of two samples of chroma, where a picture keeps its size; the other's is ``FARTHER``."""
FARTHER: Final = 512
_WIDE_HALF: Final = 8
_FOUR: Final = 0x3210
_EACH: Final = 0x1111
_IN_TURNS: Final = 0x5140
"""Selector that takes the low two bytes of both words in turns."""
_GREY: Final = -0x7F7F7F80
"""Four bytes of 128."""


def four_pixels(frame: FrameRow, column: int, row: int) -> FourPixels:
    """Read four pixels of a row, from ``4 * column`` on: stands for a reader, which a kernel is built with."""
    return copied_rgb_four(frame, column, row)


# Writers.


def write_four_pixels(frame: FrameRow, column: int, row: int) -> None:
    """Write 4x2 pixels of 4 bytes."""
    if 4 * column < frame.width and 2 * row < frame.height:
        upper = four_pixels(frame, column, 2 * row)
        lower = four_pixels(frame, column, 2 * row + 1)
        store_four_pixels(frame, column, 2 * row, upper)
        if 2 * row + 1 < frame.height:
            store_four_pixels(frame, column, 2 * row + 1, lower)


def store_four_pixels(frame: FrameRow, column: int, row: int, four: FourPixels) -> None:
    """Write four pixels of a row in one access."""
    first, second, third, fourth = four
    at = row * frame.target_pitch + 16 * column
    words = word_of(first), word_of(second), word_of(third), word_of(fourth)
    store_word_quad(frame.target, at, words[0], words[1], words[2], words[3])


def word_of(pixel: Pixel) -> int:
    """Pack a pixel's channels."""
    return four_bytes(pixel[0], pixel[1], pixel[2], pixel[3])


def four_bytes(first: int, second: int, third: int, fourth: int) -> int:
    """Pack four bytes, the first one lowest."""
    return first | second << 8 | third << 16 | fourth << 24


def write_four_yuv420(frame: FrameRow, column: int, row: int) -> None:
    """Write 4x2 pixels of 4:2:0: chroma of the sums of 2x2 colours."""
    if 4 * column < frame.width and 2 * row < frame.height:
        upper = four_pixels(frame, column, 2 * row)
        lower = four_pixels(frame, column, 2 * row + 1)
        at = 2 * row * frame.target_pitch + 4 * column
        store_word(frame.target, at, luma_word(frame, upper))
        store_word(frame.target, at + frame.target_pitch, luma_word(frame, lower))
        left = chroma_pair(frame, upper[0], upper[1], lower[0], lower[1])
        right = chroma_pair(frame, upper[2], upper[3], lower[2], lower[3])
        store_chroma(frame, column, row, left, right)


def luma_word(frame: FrameRow, four: FourPixels) -> int:
    """Return the luma of four pixels, packed."""
    return four_bytes(luma(frame, four[0]), luma(frame, four[1]), luma(frame, four[2]), luma(frame, four[3]))


def luma(frame: FrameRow, pixel: Pixel) -> int:
    """Return the luma of a pixel."""
    return luma_of(pixel[0], pixel[1], pixel[2], frame.y_red, frame.y_green, frame.y_blue, frame.luma_floor)


def chroma_pair(frame: FrameRow, first: Pixel, second: Pixel, third: Pixel, fourth: Pixel) -> Pair:
    """Return the chroma of four pixels."""
    red = first[0] + second[0] + third[0] + fourth[0]
    green = first[1] + second[1] + third[1] + fourth[1]
    blue = first[2] + second[2] + third[2] + fourth[2]
    u = chroma_of(red, green, blue, frame.u_red, frame.u_green, frame.u_blue)
    return u, chroma_of(red, green, blue, frame.v_red, frame.v_green, frame.v_blue)


def store_chroma(frame: FrameRow, column: int, row: int, left: Pair, right: Pair) -> None:
    """Write two samples of each chroma."""
    at = row * frame.chroma_target_pitch + 2 * frame.chroma_target_step * column
    if frame.chroma_target_step == 2:
        store_word(frame.target_u, at, four_bytes(left[0], left[1], right[0], right[1]))
    else:
        store_half(frame.target_u, at, left[0] | right[0] << 8)
        store_half(frame.target_v, at, left[1] | right[1] << 8)


def write_near_planes(frame: FrameRow, column: int, row: int) -> None:
    """Write 4x2 of luma of luma, and 2x1 pairs of chroma of pairs."""
    if 4 * column < frame.width and 2 * row < frame.height:
        at = 2 * row * frame.target_pitch + 4 * column
        at_chroma = row * frame.chroma_target_pitch + 4 * column
        if (load_number(frame.columns, 16 * column) | load_number(frame.rows, 8 * row)) < 0:
            store_word(frame.target, at, frame.luma_black * 0x01010101)
            store_word(frame.target, at + frame.target_pitch, frame.luma_black * 0x01010101)
            store_word(frame.target_u, at_chroma, _GREY)
        else:
            store_word(frame.target, at, near_luma_four(frame, column, 2 * row))
            store_word(frame.target, at + frame.target_pitch, near_luma_four(frame, column, 2 * row + 1))
            store_word(frame.target_u, at_chroma, near_chroma_two(frame, column, row))


# Pixels of a picture that keeps its size.


def copied_rgb_four(frame: FrameRow, column: int, row: int) -> FourPixels:
    """Copy four pixels of 3 bytes, which are three words."""
    x, y = load_number(frame.columns, 16 * column), load_number(frame.rows, 4 * row)
    at = index_of(y) * frame.pitch + 3 * index_of(x)
    first, second = load_word(frame.source, at), load_word(frame.source, at + 4)
    third = load_word(frame.source, at + 8)
    return (
        split_word(frame, x, y, first),
        split_word(frame, x, y, pick_bytes(first, second, 0x6543)),
        split_word(frame, x, y, pick_bytes(second, third, 0x5432)),
        split_word(frame, x, y, pick_bytes(third, third, 0x0321)),
    )


def copied_yuv_four(frame: FrameRow, column: int, row: int) -> FourPixels:
    """Convert four pixels, luma as it is, from four samples of chroma: the middle two lie under the pixels.

    The outer two are those before and behind, or, where the crop ends, the middle ones again.
    """
    x, y = load_number(frame.columns, 16 * column), load_number(frame.rows, 4 * row)
    word, outside = load_word(frame.source, index_of(y) * frame.pitch + index_of(x)), x | y
    beneath = load_number(frame.chroma_rows, 4 * row)
    at, rows = index_of(beneath) * frame.chroma_pitch, row_weights(beneath)
    before = at + 2 * index_of(load_number(frame.chroma_columns, 16 * column))
    behind = at + 2 * index_of(load_number(frame.chroma_columns, 16 * column + 12)) + 2
    middle = at + index_of(x)
    inner = blend_rows(frame, rows, load_word(frame.source_u, middle), below_word(frame, middle))
    outer = blend_rows(frame, rows, outer_word(frame, before, behind), outer_below(frame, before, behind))
    return (
        to_pixel(frame, outside, byte_of(word, 0), mix(outer[0], inner[0], NEARER), mix(outer[1], inner[1], NEARER)),
        to_pixel(frame, outside, byte_of(word, 1), mix(inner[0], inner[2], FARTHER), mix(inner[1], inner[3], FARTHER)),
        to_pixel(frame, outside, byte_of(word, 2), mix(inner[0], inner[2], NEARER), mix(inner[1], inner[3], NEARER)),
        to_pixel(frame, outside, byte_of(word, 3), mix(inner[2], outer[2], FARTHER), mix(inner[3], outer[3], FARTHER)),
    )


def mix(left: int, right: int, weight: int) -> int:
    """Blend two wide samples; ``weight`` is the share of the right one."""
    return blend(left, right, weight)


def below_word(frame: FrameRow, at: int) -> int:
    """Read the two samples of chroma below those at ``at``."""
    return load_word(frame.source_u, at + frame.chroma_next_row)


def outer_word(frame: FrameRow, before: int, behind: int) -> int:
    """Read two samples of chroma that do not lie beside each other."""
    return load_half(frame.source_u, before) | load_half(frame.source_u, behind) << 16


def outer_below(frame: FrameRow, before: int, behind: int) -> int:
    """Read the two below."""
    return outer_word(frame, before + frame.chroma_next_row, behind + frame.chroma_next_row)


def blend_rows(frame: FrameRow, rows: int, upper: int, lower: int) -> Quad:
    """Blend two samples of chroma with those below, to wide U, V, U, V in the order of the selectors."""
    left, right = pick_bytes(upper, lower, frame.red_green), pick_bytes(upper, lower, frame.blue_alpha)
    u, v = dot2_low(rows, left, _WIDE_HALF) >> 4, dot2_high(rows, left, _WIDE_HALF) >> 4
    return u, v, dot2_low(rows, right, _WIDE_HALF) >> 4, dot2_high(rows, right, _WIDE_HALF) >> 4


# Samples that lie near each other, from plane to plane.


def eight_bytes(plane: Plane, at: int, last: int) -> Pair:
    """Return the eight bytes from ``at`` on as two words; those behind ``last`` mean nothing."""
    start, end = at & -4, last & -4
    first, second = load_word(plane, start), load_word(plane, min(start + 4, end))
    third, taken = load_word(plane, min(start + 8, end)), _FOUR + _EACH * (at & 3)
    return pick_bytes(first, second, taken), pick_bytes(second, third, taken)


def near_luma_four(frame: FrameRow, column: int, row: int) -> int:
    """Blend four neighbours of luma, and pack them."""
    x, x_ = load_number_pair(frame.columns, 16 * column), load_number_pair(frame.columns, 16 * column + 8)
    luma = near_luma(frame, x, x_, load_number(frame.rows, 4 * row))
    return four_bytes(luma[0], luma[1], luma[2], luma[3])


def near_luma(frame: FrameRow, x: Pair, x_: Pair, y: int) -> Quad:
    """Blend four neighbours of luma."""
    first = index_of(x[0])
    second, third, fourth = index_of(x[1]) - first, index_of(x_[0]) - first, index_of(x_[1]) - first
    at, rows = index_of(y) * frame.pitch + first, row_weights(y)
    last = at + fourth + 1
    upper = eight_bytes(frame.source, at, last)
    lower = eight_bytes(frame.source, at + frame.next_row, last + frame.next_row)
    return (
        blend_columns(rows, pick_bytes(upper[0], lower[0], _IN_TURNS), x[0] & BLEND_MASK),
        blend_columns(rows, two_columns(upper, lower, second), x[1] & BLEND_MASK),
        blend_columns(rows, two_columns(upper, lower, third), x_[0] & BLEND_MASK),
        blend_columns(rows, two_columns(upper, lower, fourth), x_[1] & BLEND_MASK),
    )


def two_columns(upper: Pair, lower: Pair, offset: int) -> int:
    """Take the bytes ``offset`` and ``offset + 1`` of two rows, in turns."""
    taken = 0x10 + 0x11 * offset
    return pick_bytes(pick_bytes(upper[0], upper[1], taken), pick_bytes(lower[0], lower[1], taken), _IN_TURNS)


def blend_columns(rows: int, columns: int, weight: int) -> int:
    """Blend two columns of two rows."""
    return blend(dot2_low(rows, columns, _WIDE_HALF) >> 4, dot2_high(rows, columns, _WIDE_HALF) >> 4, weight)


def near_chroma_two(frame: FrameRow, column: int, row: int) -> int:
    """Blend two neighbours of chroma, and pack them."""
    x, y = load_number_pair(frame.chroma_columns, 8 * column), load_number(frame.chroma_rows, 4 * row)
    first, rows = index_of(x[0]), row_weights(y)
    apart, at = index_of(x[1]) - first, index_of(y) * frame.chroma_pitch + 2 * first
    last = at + 2 * apart + 3
    upper = eight_bytes(frame.source_u, at, last)
    lower = eight_bytes(frame.source_u, at + frame.chroma_next_row, last + frame.chroma_next_row)
    left = blend_pairs(frame, rows, upper[0], lower[0], x[0] & BLEND_MASK)
    taken = _FOUR + 2 * _EACH * apart
    above, below = pick_bytes(upper[0], upper[1], taken), pick_bytes(lower[0], lower[1], taken)
    right = blend_pairs(frame, rows, above, below, x[1] & BLEND_MASK)
    return four_bytes(left[0], left[1], right[0], right[1])


def near_yuv_four(frame: FrameRow, column: int, row: int) -> FourPixels:
    """Make four pixels of luma, and of pairs of chroma that are at most one apart."""
    x, x_ = load_number_pair(frame.columns, 16 * column), load_number_pair(frame.columns, 16 * column + 8)
    y = load_number(frame.rows, 4 * row)
    outside = x[0] | y
    luma = near_luma(frame, x, x_, y)
    beside = load_number_pair(frame.chroma_columns, 16 * column)
    beside_ = load_number_pair(frame.chroma_columns, 16 * column + 8)
    beneath = load_number(frame.chroma_rows, 4 * row)
    first, rows = index_of(beside[0]), row_weights(beneath)
    second, third, fourth = index_of(beside[1]) - first, index_of(beside_[0]) - first, index_of(beside_[1]) - first
    at = index_of(beneath) * frame.chroma_pitch + 2 * first
    last = at + 2 * fourth + 3
    upper = ten_bytes(frame.source_u, at, last)
    lower = ten_bytes(frame.source_u, at + frame.chroma_next_row, last + frame.chroma_next_row)
    chroma = blend_pairs(frame, rows, upper[0], lower[0], beside[0] & BLEND_MASK)
    chroma_ = blend_pairs(frame, rows, two_pairs(upper, second), two_pairs(lower, second), beside[1] & BLEND_MASK)
    left = to_pixel(frame, outside, luma[0], chroma[0], chroma[1])
    left_ = to_pixel(frame, outside, luma[1], chroma_[0], chroma_[1])
    chroma = blend_pairs(frame, rows, two_pairs(upper, third), two_pairs(lower, third), beside_[0] & BLEND_MASK)
    chroma_ = blend_pairs(frame, rows, last_pairs(upper, fourth), last_pairs(lower, fourth), beside_[1] & BLEND_MASK)
    right = to_pixel(frame, outside, luma[2], chroma[0], chroma[1])
    return left, left_, right, to_pixel(frame, outside, luma[3], chroma_[0], chroma_[1])


def ten_bytes(plane: Plane, at: int, last: int) -> Triple:
    """Return the ten bytes from an even ``at`` on as three words; those behind ``last`` mean nothing."""
    start, end = at & -4, last & -4
    first, second = load_word(plane, start), load_word(plane, min(start + 4, end))
    third, taken = load_word(plane, min(start + 8, end)), _FOUR + _EACH * (at & 3)
    return pick_bytes(first, second, taken), pick_bytes(second, third, taken), pick_bytes(third, third, taken)


def two_pairs(bytes_: Triple, offset: int) -> int:
    """Take the pairs ``offset``, 0..2, and the next."""
    return pick_bytes(bytes_[0], bytes_[1], _FOUR + 2 * _EACH * offset)


def last_pairs(bytes_: Triple, offset: int) -> int:
    """Take the pairs ``offset``, 0..3, and the next."""
    low, high = (bytes_[0], bytes_[1]) if offset < 2 else (bytes_[1], bytes_[2])
    return pick_bytes(low, high, _FOUR + 2 * _EACH * (offset & 1))
