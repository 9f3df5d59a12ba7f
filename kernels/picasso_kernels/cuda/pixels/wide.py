"""What CUDA kernels do with four pixels beside each other: a thread reads and writes 4x2 pixels of the target.

Addresses, axis entries and weights then serve twice as many pixels as in ``pixels.write``, and stores are as wide as
they can be. That is what bounds kernels whose sources are small: luma and chroma, pixels of 3 bytes. A group of four
lies in the picture or in a bar as a whole, and rows are aligned for the accesses: the planner makes sure of both.

The arithmetic is that of ``pixels.read`` and ``pixels.read_fours``; ``x`` and ``y`` are axis entries.
"""

from __future__ import annotations

from typing import Final

from picasso_kernels.cuda.frame_table import FrameRow
from picasso_kernels.cuda.instructions import (
    Pair,
    Quad,
    byte_of,
    load_number,
    load_number_pair,
    load_number_quad,
    load_word,
    pack_saturated,
    pick_bytes,
    store_half,
    store_word,
    store_word_quad,
)
from picasso_kernels.cuda.pixels.read import FourPixels, Pixel, index_of, split_word
from picasso_kernels.cuda.pixels.read_fours import matrix_of, near_chroma_word, near_luma_word, near_yuv_words
from picasso_kernels.maths.color import CHROMA_CENTRE, TO_YUV_BITS

_GREY: Final = -0x7F7F7F80
"""Four bytes of 128."""
_THIRD: Final = 0x0062
"""Selector of the third bytes of two words."""
_OPAQUE: Final = -0x1000000
"""A black pixel."""


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


def write_four_words(frame: FrameRow, column: int, row: int) -> None:
    """Write 4x2 pixels of 4 bytes of luma and pairs of chroma that lie near each other."""
    if 4 * column < frame.width and 2 * row < frame.height:
        x, y = load_number_quad(frame.columns, 16 * column), load_number_pair(frame.rows, 8 * row)
        upper = lower = (_OPAQUE, _OPAQUE, _OPAQUE, _OPAQUE)
        if x[0] >= 0 and (y[0] & y[1]) >= 0:
            beside = load_number_quad(frame.chroma_columns, 16 * column)
            beneath = load_number_pair(frame.chroma_rows, 8 * row)
            matrix = matrix_of(frame, column)
            made = near_yuv_words(frame, matrix, x, y[0], beside, beneath[0])
            upper = made if y[0] >= 0 else upper
            made = near_yuv_words(frame, matrix, x, y[1], beside, beneath[1])
            lower = made if y[1] >= 0 else lower
        store_words(frame, column, 2 * row, upper)
        if 2 * row + 1 < frame.height:
            store_words(frame, column, 2 * row + 1, lower)


def store_words(frame: FrameRow, column: int, row: int, words: Quad) -> None:
    """Write four pixels of a row in one access."""
    store_word_quad(frame.target, row * frame.target_pitch + 16 * column, words[0], words[1], words[2], words[3])


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
    first, second = luma_in_third(frame, four[0]), luma_in_third(frame, four[1])
    third, fourth = luma_in_third(frame, four[2]), luma_in_third(frame, four[3])
    return pick_bytes(pick_bytes(first, second, _THIRD), pick_bytes(third, fourth, _THIRD), 0x5410)


def luma_in_third(frame: FrameRow, pixel: Pixel) -> int:
    """Return the luma of a pixel as the third byte of a word: twice ``luma_of`` before its shift."""
    floor = (1 << TO_YUV_BITS) + (frame.luma_floor << (TO_YUV_BITS + 1))
    blue = pixel[2] * (2 * frame.y_blue) + floor
    return pixel[0] * (2 * frame.y_red) + (pixel[1] * (2 * frame.y_green) + blue)


def chroma_pair(frame: FrameRow, first: Pixel, second: Pixel, third: Pixel, fourth: Pixel) -> Pair:
    """Return the chroma of four pixels, which may lie outside of 0..255."""
    red = first[0] + second[0] + third[0] + fourth[0]
    green = first[1] + second[1] + third[1] + fourth[1]
    blue = first[2] + second[2] + third[2] + fourth[2]
    u = red * frame.u_red + (green * frame.u_green + (blue * frame.u_blue + CHROMA_CENTRE))
    v = red * frame.v_red + (green * frame.v_green + (blue * frame.v_blue + CHROMA_CENTRE))
    return u >> (TO_YUV_BITS + 2), v >> (TO_YUV_BITS + 2)


def pack_pairs(left: Pair, right: Pair) -> int:
    """Clamp and pack two pairs of chroma."""
    return pack_saturated(left[0], left[1], pack_saturated(right[0], right[1], 0))


def store_chroma(frame: FrameRow, column: int, row: int, left: Pair, right: Pair) -> None:
    """Write two samples of each chroma."""
    at = row * frame.chroma_target_pitch + 2 * frame.chroma_target_step * column
    if frame.chroma_target_step == 2:
        store_word(frame.target_u, at, pack_pairs(left, right))
    else:
        store_half(frame.target_u, at, pack_saturated(left[0], right[0], 0))
        store_half(frame.target_v, at, pack_saturated(left[1], right[1], 0))


def write_near_planes(frame: FrameRow, column: int, row: int) -> None:
    """Write 4x2 of luma of luma, and 2x1 pairs of chroma of pairs."""
    if 4 * column < frame.width and 2 * row < frame.height:
        at = 2 * row * frame.target_pitch + 4 * column
        at_chroma = row * frame.chroma_target_pitch + 4 * column
        x, y = load_number_quad(frame.columns, 16 * column), load_number_pair(frame.rows, 8 * row)
        if (x[0] | y[0]) < 0:
            store_word(frame.target, at, frame.luma_black * 0x01010101)
            store_word(frame.target, at + frame.target_pitch, frame.luma_black * 0x01010101)
            store_word(frame.target_u, at_chroma, _GREY)
        else:
            store_word(frame.target_u, at_chroma, near_chroma_word(frame, column, row))
            store_word(frame.target, at, near_luma_word(frame, x, y[0]))
            store_word(frame.target, at + frame.target_pitch, near_luma_word(frame, x, y[1]))


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


# Samples that lie near each other.


def near_yuv_four(frame: FrameRow, column: int, row: int) -> FourPixels:
    """Make four pixels of luma and of pairs of chroma."""
    x, y, black = load_number_quad(frame.columns, 16 * column), load_number(frame.rows, 4 * row), (0, 0, 0, 255)
    if (x[0] | y) < 0:
        return black, black, black, black
    beside, beneath = load_number_quad(frame.chroma_columns, 16 * column), load_number(frame.chroma_rows, 4 * row)
    words = near_yuv_words(frame, matrix_of(frame, column), x, y, beside, beneath)
    return channels(words[0]), channels(words[1]), channels(words[2]), channels(words[3])


def channels(word: int) -> Pixel:
    """Split a pixel."""
    return byte_of(word, 0), byte_of(word, 1), byte_of(word, 2), byte_of(word, 3)
