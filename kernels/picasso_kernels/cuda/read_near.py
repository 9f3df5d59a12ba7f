"""How CUDA kernels read bytes where two neighbouring target pixels lie near each other in the source.

Where a picture shrinks by at most 2, the samples that both need lie within a few bytes. Two aligned words hold them
(four, for pixels of 3 bytes), wherever the first byte lies in its word. So a row costs two accesses instead of four,
eight or sixteen. Only words that hold a needed byte are read: nothing outside of a plane's own words is touched.

The arithmetic is that of ``cuda.read``; ``x`` and ``y`` are axis entries. The planner makes sure of ``LUMA_REACH`` and
``CHROMA_REACH``, of words that are aligned, and of two samples a row.
"""

from __future__ import annotations

from typing import Final

from picasso_kernels.cuda.frame_table import BLEND_MASK, FrameRow
from picasso_kernels.cuda.instructions import (
    Pair,
    Plane,
    Quad,
    dot2_high,
    dot2_low,
    load_number,
    load_number_pair,
    load_word,
    pick_bytes,
)
from picasso_kernels.cuda.read import Pixel, PixelPair, blend, blend_words, index_of
from picasso_kernels.maths.color import channel_of
from picasso_kernels.maths.pixel import ONE

LUMA_REACH: Final = 2
"""How many samples the two pixels of a pair may be apart, in luma and in packed pixels."""
CHROMA_REACH: Final = 1
"""The same in chroma, which has half as many."""
_WIDE_HALF: Final = 8
_FOUR: Final = 0x3210
"""Selector of four bytes in a row; each 0x1111 more takes the next byte of all."""
_EACH: Final = 0x1111


def row_weights(y: int) -> int:
    """Return the weights of the upper and the lower row as a pair of halves."""
    return (ONE - (y & BLEND_MASK)) | (y & BLEND_MASK) << 16


def near_pair(x: Pair) -> Pair:
    """Return the first sample of two pixels, and how far the second's is from it; one in a bar is at the other's."""
    first = index_of(x[1]) if x[0] < 0 else index_of(x[0])
    second = first if x[1] < 0 else index_of(x[1])
    return first, second - first


def window(plane: Plane, at: int, last: int) -> int:
    """Return the four bytes from ``at`` on; those behind ``last``, at most three on, mean nothing."""
    first, second = load_word(plane, at & -4), load_word(plane, last & -4)
    return pick_bytes(first, second, _FOUR + _EACH * (at & 3))


def blend_window(rows: int, upper: int, lower: int, offset: int, weight: int) -> int:
    """Blend the bytes ``offset`` and ``offset + 1`` of two rows."""
    picked = pick_bytes(upper, lower, 0x5140 + _EACH * offset)
    return blend(dot2_low(rows, picked, _WIDE_HALF) >> 4, dot2_high(rows, picked, _WIDE_HALF) >> 4, weight)


def near_samples(plane: Plane, pitch: int, next_row: int, x: Pair, y: int) -> Pair:
    """Blend two neighbours of a plane of single bytes."""
    first, apart = near_pair(x)
    at = index_of(y) * pitch + first
    last = at + apart + 1
    upper, lower = window(plane, at, last), window(plane, at + next_row, last + next_row)
    rows = row_weights(y)
    left = blend_window(rows, upper, lower, 0, x[0] & BLEND_MASK)
    return left, blend_window(rows, upper, lower, apart, x[1] & BLEND_MASK)


def blend_pairs(frame: FrameRow, rows: int, upper: int, lower: int, weight: int) -> Pair:
    """Blend U and V of two words of two samples each, in the order of the selectors."""
    left, right = pick_bytes(upper, lower, frame.red_green), pick_bytes(upper, lower, frame.blue_alpha)
    u = blend(dot2_low(rows, left, _WIDE_HALF) >> 4, dot2_low(rows, right, _WIDE_HALF) >> 4, weight)
    return u, blend(dot2_high(rows, left, _WIDE_HALF) >> 4, dot2_high(rows, right, _WIDE_HALF) >> 4, weight)


def paired_chroma(frame: FrameRow, x: Pair, y: int) -> Quad:
    """Return U, V, U, V of two neighbours, of a plane where they take turns."""
    first, apart = near_pair(x)
    at = index_of(y) * frame.chroma_pitch + 2 * first
    last, below = at + 2 * apart + 3, at + frame.chroma_next_row
    upper, upper_ = load_word(frame.source_u, at & -4), load_word(frame.source_u, last & -4)
    last += frame.chroma_next_row
    lower, lower_ = load_word(frame.source_u, below & -4), load_word(frame.source_u, last & -4)
    rows, taken = row_weights(y), _FOUR + _EACH * (at & 3)
    u, v = blend_pairs(
        frame, rows, pick_bytes(upper, upper_, taken), pick_bytes(lower, lower_, taken), x[0] & BLEND_MASK
    )
    taken += 2 * _EACH * apart
    second = blend_pairs(
        frame, rows, pick_bytes(upper, upper_, taken), pick_bytes(lower, lower_, taken), x[1] & BLEND_MASK
    )
    return u, v, second[0], second[1]


def planar_chroma(frame: FrameRow, x: Pair, y: int) -> Quad:
    """Return U, V, U, V of two neighbours, of a plane each."""
    u = near_samples(frame.source_u, frame.chroma_pitch, frame.chroma_next_row, x, y)
    v = near_samples(frame.source_v, frame.chroma_pitch, frame.chroma_next_row, x, y)
    return u[0], v[0], u[1], v[1]


def near_chroma(frame: FrameRow, x: Pair, y: int) -> Quad:
    """Read the chroma of two neighbours: stands for one of the two above, which a kernel is built with."""
    return paired_chroma(frame, x, y)


def to_pixel(frame: FrameRow, outside: int, luma: int, u: int, v: int) -> Pixel:
    """Convert one pixel; in a bar, where ``outside`` is negative, it is black."""
    if outside < 0:
        return 0, 0, 0, 255
    grey, blue, red = (luma - frame.rgb_floor) * frame.luma, u - 128, v - 128
    green = channel_of(grey, frame.green_u * blue + frame.green_v * red)
    return channel_of(grey, frame.red_v * red), green, channel_of(grey, frame.blue_u * blue), 255


def near_yuv_pixels(frame: FrameRow, column: int, row: int) -> PixelPair:
    """Make two pixels of luma and chroma."""
    x, y = load_number_pair(frame.columns, 8 * column), load_number(frame.rows, 4 * row)
    luma = near_samples(frame.source, frame.pitch, frame.next_row, x, y)
    beside, beneath = load_number_pair(frame.chroma_columns, 8 * column), load_number(frame.chroma_rows, 4 * row)
    chroma = near_chroma(frame, beside, beneath)
    red, green, blue, alpha = to_pixel(frame, x[0] | y, luma[0], chroma[0], chroma[1])
    red_, green_, blue_, alpha_ = to_pixel(frame, x[1] | y, luma[1], chroma[2], chroma[3])
    return red, green, blue, alpha, red_, green_, blue_, alpha_


def pixels_in_row(plane: Plane, at: int, last: int) -> Quad:
    """Return four pixels of 3 bytes from ``at`` on as words; those behind byte ``last`` mean nothing."""
    start, end = at & -4, last & -4
    first, second = load_word(plane, start), load_word(plane, min(start + 4, end))
    third, fourth = load_word(plane, min(start + 8, end)), load_word(plane, min(start + 12, end))
    taken = _FOUR + _EACH * (at & 3)
    left, middle = pick_bytes(first, second, taken), pick_bytes(second, third, taken)
    right = pick_bytes(third, fourth, taken)
    return left, pick_bytes(left, middle, 0x6543), pick_bytes(middle, right, 0x5432), pick_bytes(right, right, 0x0321)


def near_rgb_pixels(frame: FrameRow, column: int, row: int) -> PixelPair:
    """Blend two neighbours of pixels of 3 bytes."""
    x, y = load_number_pair(frame.columns, 8 * column), load_number(frame.rows, 4 * row)
    first, apart = near_pair(x)
    at = index_of(y) * frame.pitch + 3 * first
    last = at + 3 * apart + 5
    upper = pixels_in_row(frame.source, at, last)
    lower = pixels_in_row(frame.source, at + frame.next_row, last + frame.next_row)
    red, green, blue, alpha = blend_words(frame, x[0], y, upper[0], upper[1], lower[0], lower[1])
    upper_left = upper[0] if apart == 0 else upper[1] if apart == 1 else upper[2]
    upper_right = upper[1] if apart == 0 else upper[2] if apart == 1 else upper[3]
    lower_left = lower[0] if apart == 0 else lower[1] if apart == 1 else lower[2]
    lower_right = lower[1] if apart == 0 else lower[2] if apart == 1 else lower[3]
    red_, green_, blue_, alpha_ = blend_words(frame, x[1], y, upper_left, upper_right, lower_left, lower_right)
    return red, green, blue, alpha, red_, green_, blue_, alpha_
