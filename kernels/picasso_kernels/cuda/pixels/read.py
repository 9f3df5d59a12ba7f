"""How CUDA kernels read the source: two neighbouring target pixels of a row at a time, as channels 0..255.

A reader is a function ``(frame, column, row) -> (red, green, blue, alpha, red, green, blue, alpha)`` of the pixels
``2 * column`` and ``2 * column + 1`` of a row. Pixels in a bar, or beyond the target, are opaque black. ``x`` and ``y``
are the axis entries of a pixel. The arithmetic is that of ``resample.bilinear_row``, both roundings included, so every
bit is the same::

    wide = (upper * (2048 - w) + lower * w + 8) >> 4              one DP2A and a shift
    out = (left * (2048 - w) + right * w + 1024 + 2 ** 17) >> 18  two IMAD and a shift
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from picasso_kernels.cuda.frame_table import BLEND_BITS, BLEND_MASK, INDEX_MASK, FrameRow
from picasso_kernels.cuda.instructions import (
    Plane,
    byte_of,
    dot2_high,
    dot2_low,
    load_byte,
    load_number,
    load_number_pair,
    load_word,
    load_word_pair,
    load_word_quad,
    pick_bytes,
)
from picasso_kernels.maths.color import channel_of
from picasso_kernels.maths.filter_rows import SUM_FRACTION_BITS, TAP_BITS
from picasso_kernels.maths.pixel import ONE, clamp8

Pixel: TypeAlias = tuple[int, int, int, int]
PixelPair: TypeAlias = tuple[int, int, int, int, int, int, int, int]
FourPixels: TypeAlias = tuple[Pixel, Pixel, Pixel, Pixel]

_WIDE_HALF: Final = 8
BLEND_HALF: Final = 1024 + (1 << 17)
WIDE_SUM_BITS: Final = TAP_BITS - SUM_FRACTION_BITS
WIDE_SUM_HALF: Final = 1 << (WIDE_SUM_BITS - 1)
SUM_BITS: Final = TAP_BITS + SUM_FRACTION_BITS
SUM_HALF: Final = 1 << (SUM_BITS - 1)


def index_of(entry: int) -> int:
    """Which sample an axis entry names."""
    return (entry >> BLEND_BITS) & INDEX_MASK


def weights_of(x: int, y: int) -> int:
    """Weights of the upper and the lower row as a pair of halves; none where column or row lie in a bar."""
    lower = y & BLEND_MASK
    return 0 if (x | y) < 0 else (ONE - lower) | lower << 16


def is_bar(frame: FrameRow, column: int, row: int) -> bool:
    """Tell whether all of a block of 2x2 target pixels lies in a bar."""
    x, y = load_number_pair(frame.columns, 8 * column), load_number_pair(frame.rows, 8 * row)
    return (x[0] & x[1]) < 0 or (y[0] & y[1]) < 0


def blend(left: int, right: int, weight: int) -> int:
    """Blend two wide samples and round to a byte."""
    return (left * (ONE - weight) + right * weight + BLEND_HALF) >> 18


def opaque_outside(x: int, y: int, alpha: int, value: int) -> int:
    """Return the alpha of a pixel: 255 in a bar, and where the source has none."""
    return 255 if (x | y) < 0 or alpha < 0 else value


# Pixels of a packed source, as words of red, green, blue and alpha in the order of the selectors.


def word_of_four(frame: FrameRow, offset: int) -> int:
    """Read a pixel of 4 aligned bytes as it is."""
    return load_word(frame.source, offset)


def word_of_bytes(frame: FrameRow, offset: int) -> int:
    """Gather a pixel's channels from any place, into the order red, green, blue, alpha."""
    color = load_byte(frame.source, offset + frame.red) | load_byte(frame.source, offset + frame.green) << 8
    alpha = load_byte(frame.source, offset + max(frame.alpha, 0))
    return color | load_byte(frame.source, offset + frame.blue) << 16 | alpha << 24


def pixel_word(frame: FrameRow, offset: int) -> int:
    """Read one pixel of the source: stands for one of the two above, which a kernel is built with."""
    return word_of_bytes(frame, offset)


def blend_pixel(frame: FrameRow, x: int, y: int) -> Pixel:
    """Blend four neighbouring pixels."""
    at = index_of(y) * frame.pitch + index_of(x) * frame.step
    upper_left = pixel_word(frame, at)
    upper_right = pixel_word(frame, at + frame.next_column)
    lower_left = pixel_word(frame, at + frame.next_row)
    lower_right = pixel_word(frame, at + frame.next_row + frame.next_column)
    return blend_words(frame, x, y, upper_left, upper_right, lower_left, lower_right)


def blend_words(
    frame: FrameRow, x: int, y: int, upper_left: int, upper_right: int, lower_left: int, lower_right: int
) -> Pixel:
    """Blend four pixels by the weights of their axis entries."""
    rows, weight = weights_of(x, y), x & BLEND_MASK
    first, second = frame.red_green, frame.blue_alpha
    left, right = pick_bytes(upper_left, lower_left, first), pick_bytes(upper_right, lower_right, first)
    red = blend(dot2_low(rows, left, _WIDE_HALF) >> 4, dot2_low(rows, right, _WIDE_HALF) >> 4, weight)
    green = blend(dot2_high(rows, left, _WIDE_HALF) >> 4, dot2_high(rows, right, _WIDE_HALF) >> 4, weight)
    left, right = pick_bytes(upper_left, lower_left, second), pick_bytes(upper_right, lower_right, second)
    blue = blend(dot2_low(rows, left, _WIDE_HALF) >> 4, dot2_low(rows, right, _WIDE_HALF) >> 4, weight)
    alpha = blend(dot2_high(rows, left, _WIDE_HALF) >> 4, dot2_high(rows, right, _WIDE_HALF) >> 4, weight)
    return red, green, blue, opaque_outside(x, y, frame.alpha, alpha)


def bilinear_pixels(frame: FrameRow, column: int, row: int) -> PixelPair:
    """Blend two neighbours."""
    x, y = load_number_pair(frame.columns, 8 * column), load_number(frame.rows, 4 * row)
    red, green, blue, alpha = blend_pixel(frame, x[0], y)
    red_, green_, blue_, alpha_ = blend_pixel(frame, x[1], y)
    return red, green, blue, alpha, red_, green_, blue_, alpha_


def halved_pixels(frame: FrameRow, column: int, row: int) -> PixelPair:
    """Blend two neighbours of a picture shrunk to the half across, whose four columns are one aligned access."""
    x, y = load_number_pair(frame.columns, 8 * column), load_number(frame.rows, 4 * row)
    at = index_of(y) * frame.pitch + index_of(x[0]) * 4
    upper = load_word_quad(frame.source, at)
    lower = load_word_quad(frame.source, at + frame.next_row)
    red, green, blue, alpha = blend_words(frame, x[0], y, upper[0], upper[1], lower[0], lower[1])
    red_, green_, blue_, alpha_ = blend_words(frame, x[1], y, upper[2], upper[3], lower[2], lower[3])
    return red, green, blue, alpha, red_, green_, blue_, alpha_


def averaged_pixels(frame: FrameRow, column: int, row: int) -> PixelPair:
    """Take the means of 2x2 pixels for two neighbours of a picture shrunk to the half, each row one aligned access.

    Two taps of half the weight make ``(sum << 18) + (1 << 19) >> 20`` of ``filter_rows``, and nothing is lost between.
    """
    x, y = load_number_pair(frame.columns, 8 * column), load_number(frame.rows, 4 * row)
    at = index_of(y) * frame.pitch + index_of(x[0]) * 4
    upper = load_word_quad(frame.source, at)
    lower = load_word_quad(frame.source, at + frame.pitch)
    red, green, blue, alpha = mean_of_words(frame, x[0] | y, upper[0], upper[1], lower[0], lower[1])
    red_, green_, blue_, alpha_ = mean_of_words(frame, x[1] | y, upper[2], upper[3], lower[2], lower[3])
    return red, green, blue, alpha, red_, green_, blue_, alpha_


def mean_of_words(
    frame: FrameRow, outside: int, upper_left: int, upper_right: int, lower_left: int, lower_right: int
) -> Pixel:
    """Take the mean of four pixels; in a bar, where ``outside`` is negative, it is black."""
    each = 0 if outside < 0 else 0x10001
    left, right = (
        pick_bytes(upper_left, lower_left, frame.red_green),
        pick_bytes(upper_right, lower_right, frame.red_green),
    )
    red, green = dot2_low(each, right, dot2_low(each, left, 2)), dot2_high(each, right, dot2_high(each, left, 2))
    left = pick_bytes(upper_left, lower_left, frame.blue_alpha)
    right = pick_bytes(upper_right, lower_right, frame.blue_alpha)
    blue, alpha = dot2_low(each, right, dot2_low(each, left, 2)), dot2_high(each, right, dot2_high(each, left, 2))
    return red >> 2, green >> 2, blue >> 2, opaque_outside(outside, outside, frame.alpha, alpha >> 2)


def split_word(frame: FrameRow, x: int, y: int, word: int) -> Pixel:
    """Return the channels of one pixel as they are."""
    first, second = frame.red_green, frame.blue_alpha
    if (x | y) < 0:
        return 0, 0, 0, 255
    low, high = pick_bytes(word, word, first), pick_bytes(word, word, second)
    alpha = 255 if frame.alpha < 0 else byte_of(high, 2)
    return byte_of(low, 0), byte_of(low, 2), byte_of(high, 0), alpha


def nearest_pixels(frame: FrameRow, column: int, row: int) -> PixelPair:
    """Copy two pixels that the axes name."""
    x, y = load_number_pair(frame.columns, 8 * column), load_number(frame.rows, 4 * row)
    row = index_of(y) * frame.pitch
    word, word_ = (
        pixel_word(frame, row + index_of(x[0]) * frame.step),
        pixel_word(frame, row + index_of(x[1]) * frame.step),
    )
    red, green, blue, alpha = split_word(frame, x[0], y, word)
    red_, green_, blue_, alpha_ = split_word(frame, x[1], y, word_)
    return red, green, blue, alpha, red_, green_, blue_, alpha_


def copied_pixels(frame: FrameRow, column: int, row: int) -> PixelPair:
    """Copy two neighbours that are one aligned access."""
    x, y = load_number_pair(frame.columns, 8 * column), load_number(frame.rows, 4 * row)
    words = load_word_pair(frame.source, index_of(y) * frame.pitch + index_of(x[0]) * 4)
    red, green, blue, alpha = split_word(frame, x[0], y, words[0])
    red_, green_, blue_, alpha_ = split_word(frame, x[1], y, words[1])
    return red, green, blue, alpha, red_, green_, blue_, alpha_


def sum_pixel(frame: FrameRow, column: int, row: int) -> Pixel:
    """Sum weighted rows, then weighted columns, around one pixel, as ``filter_rows`` does."""
    x, y = load_number(frame.columns, 4 * column), load_number(frame.rows, 4 * row)
    if (x | y) < 0:
        return 0, 0, 0, 255
    red = green = blue = alpha = SUM_HALF
    for tap in range(frame.column_taps):
        at = index_of(y) * frame.pitch + (index_of(x) + tap) * frame.step
        weight = load_number(frame.column_weights, 4 * (column * frame.column_taps + tap))
        wide = sum_rows(frame, at, row)
        red, green = red + wide[0] * weight, green + wide[1] * weight
        blue, alpha = blue + wide[2] * weight, alpha + wide[3] * weight
    opaque = 255 if frame.alpha < 0 else clamp8(alpha >> SUM_BITS)
    return clamp8(red >> SUM_BITS), clamp8(green >> SUM_BITS), clamp8(blue >> SUM_BITS), opaque


def sum_rows(frame: FrameRow, offset: int, row: int) -> Pixel:
    """Sum the weighted rows of one source column, to wide channels."""
    red = green = blue = alpha = WIDE_SUM_HALF
    for tap in range(frame.row_taps):
        weight = load_number(frame.row_weights, 4 * (row * frame.row_taps + tap))
        word = pixel_word(frame, offset + tap * frame.pitch)
        low, high = pick_bytes(word, word, frame.red_green), pick_bytes(word, word, frame.blue_alpha)
        red, green = red + byte_of(low, 0) * weight, green + byte_of(low, 2) * weight
        blue, alpha = blue + byte_of(high, 0) * weight, alpha + byte_of(high, 2) * weight
    return red >> WIDE_SUM_BITS, green >> WIDE_SUM_BITS, blue >> WIDE_SUM_BITS, alpha >> WIDE_SUM_BITS


def summed_pixels(frame: FrameRow, column: int, row: int) -> PixelPair:
    """Sum two neighbours; the one beyond an odd target's edge is read from its padded table."""
    red, green, blue, alpha = sum_pixel(frame, 2 * column, row)
    red_, green_, blue_, alpha_ = sum_pixel(frame, 2 * column + 1, row)
    return red, green, blue, alpha, red_, green_, blue_, alpha_


# Planes of single samples: luma, chroma.


def to_pixel(frame: FrameRow, outside: int, luma: int, u: int, v: int) -> Pixel:
    """Convert one pixel; in a bar, where ``outside`` is negative, it is black."""
    if outside < 0:
        return 0, 0, 0, 255
    grey, blue, red = (luma - frame.rgb_floor) * frame.luma, u - 128, v - 128
    green = channel_of(grey, frame.green_u * blue + frame.green_v * red)
    return channel_of(grey, frame.red_v * red), green, channel_of(grey, frame.blue_u * blue), 255


class Grid(NamedTuple):
    """A plane of samples, and the axis tables from a grid of target samples to it."""

    pitch: int
    step: int
    next_row: int
    next_column: int
    columns: Plane
    rows: Plane
    column_weights: Plane
    row_weights: Plane
    column_taps: int
    row_taps: int


def luma_grid(frame: FrameRow) -> Grid:
    """Return how luma lies under the target's pixels."""
    return Grid(
        frame.pitch,
        frame.step,
        frame.next_row,
        frame.next_column,
        frame.columns,
        frame.rows,
        frame.column_weights,
        frame.row_weights,
        frame.column_taps,
        frame.row_taps,
    )


def chroma_grid(frame: FrameRow) -> Grid:
    """Return how chroma lies under the target's pixels, or under its chroma from plane to plane."""
    return Grid(
        frame.chroma_pitch,
        frame.chroma_step,
        frame.chroma_next_row,
        frame.chroma_next_column,
        frame.chroma_columns,
        frame.chroma_rows,
        frame.chroma_column_weights,
        frame.chroma_row_weights,
        frame.chroma_column_taps,
        frame.chroma_row_taps,
    )


def blend_sample(grid: Grid, plane: Plane, column: int, row: int) -> int:
    """Blend four neighbouring samples."""
    x, y = load_number(grid.columns, 4 * column), load_number(grid.rows, 4 * row)
    at = index_of(y) * grid.pitch + index_of(x) * grid.step
    lower, weight = y & BLEND_MASK, x & BLEND_MASK
    left = load_byte(plane, at) * (ONE - lower) + load_byte(plane, at + grid.next_row) * lower
    at += grid.next_column
    right = load_byte(plane, at) * (ONE - lower) + load_byte(plane, at + grid.next_row) * lower
    return blend((left + _WIDE_HALF) >> 4, (right + _WIDE_HALF) >> 4, weight)


def nearest_sample(grid: Grid, plane: Plane, column: int, row: int) -> int:
    """Copy the sample that the axes name."""
    x, y = load_number(grid.columns, 4 * column), load_number(grid.rows, 4 * row)
    return load_byte(plane, index_of(y) * grid.pitch + index_of(x) * grid.step)


def sum_sample(grid: Grid, plane: Plane, column: int, row: int) -> int:
    """Sum weighted rows, then weighted columns."""
    x, y = load_number(grid.columns, 4 * column), load_number(grid.rows, 4 * row)
    total = SUM_HALF
    for tap in range(grid.column_taps):
        at = index_of(y) * grid.pitch + (index_of(x) + tap) * grid.step
        wide = WIDE_SUM_HALF
        for line in range(grid.row_taps):
            weight = load_number(grid.row_weights, 4 * (row * grid.row_taps + line))
            wide += load_byte(plane, at + line * grid.pitch) * weight
        weight = load_number(grid.column_weights, 4 * (column * grid.column_taps + tap))
        total += (wide >> WIDE_SUM_BITS) * weight
    return clamp8(total >> SUM_BITS)


def sample(grid: Grid, plane: Plane, column: int, row: int) -> int:
    """Read one sample of a plane: stands for one of the three above, which a kernel is built with."""
    return blend_sample(grid, plane, column, row)


def yuv_pixel(frame: FrameRow, column: int, row: int) -> Pixel:
    """Resample luma and chroma, and convert."""
    outside = load_number(frame.columns, 4 * column) | load_number(frame.rows, 4 * row)
    if outside < 0:
        return 0, 0, 0, 255
    luma, grid = sample(luma_grid(frame), frame.source, column, row), chroma_grid(frame)
    u, v = sample(grid, frame.source_u, column, row), sample(grid, frame.source_v, column, row)
    return to_pixel(frame, outside, luma, u, v)


def yuv_pixels(frame: FrameRow, column: int, row: int) -> PixelPair:
    """Make two pixels of luma and chroma."""
    red, green, blue, alpha = yuv_pixel(frame, 2 * column, row)
    red_, green_, blue_, alpha_ = yuv_pixel(frame, 2 * column + 1, row)
    return red, green, blue, alpha, red_, green_, blue_, alpha_
