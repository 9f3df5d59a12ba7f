"""How CUDA kernels shrink to the half by area: means of 2x2 samples whose rows are halves of aligned accesses.

Two taps of half the weight make ``(sum << 18) + (1 << 19) >> 20`` of ``filter_rows``, and nothing is lost between.
Where a picture of luma and chroma becomes pixels, each pixel has a sample of chroma of its own, which is copied.
Pixels of four bytes are in ``pixels.read``.
"""

from __future__ import annotations

from typing import Final

from picasso_kernels.cuda.frame_table import FrameRow
from picasso_kernels.cuda.instructions import (
    Pair,
    Quad,
    byte_of,
    dot2_high,
    dot2_low,
    load_number,
    load_number_pair,
    load_word,
    load_word_quad,
    pick_bytes,
    store_word_pair,
)
from picasso_kernels.cuda.pixels.read import Pixel, PixelPair, index_of, to_pixel

_EACH: Final = 0x10001
_HALF: Final = 2
_GREY: Final = -0x7F7F7F80
"""Four bytes of 128."""


def means_of_word(upper: int, lower: int) -> Pair:
    """Take the means of the first and of the second two bytes of two rows."""
    left = dot2_low(_EACH, upper, dot2_low(_EACH, lower, _HALF)) >> 2
    return left, dot2_high(_EACH, upper, dot2_high(_EACH, lower, _HALF)) >> 2


def averaged_yuv_pixels(frame: FrameRow, column: int, row: int) -> PixelPair:
    """Make two pixels of the means of luma, and of chroma as it is."""
    x, y = load_number_pair(frame.columns, 8 * column), load_number(frame.rows, 4 * row)
    at = index_of(y) * frame.pitch + index_of(x[0])
    luma = means_of_word(load_word(frame.source, at), load_word(frame.source, at + frame.pitch))
    beside, beneath = load_number(frame.chroma_columns, 8 * column), load_number(frame.chroma_rows, 4 * row)
    pairs = load_word(frame.source_u, index_of(beneath) * frame.chroma_pitch + 2 * index_of(beside))
    first, second = pick_bytes(pairs, pairs, frame.red_green), pick_bytes(pairs, pairs, frame.blue_alpha)
    red, green, blue, alpha = to_pixel(frame, x[0] | y, luma[0], byte_of(first, 0), byte_of(first, 2))
    red_, green_, blue_, alpha_ = to_pixel(frame, x[1] | y, luma[1], byte_of(second, 0), byte_of(second, 2))
    return red, green, blue, alpha, red_, green_, blue_, alpha_


def averaged_rgb_pixels(frame: FrameRow, column: int, row: int) -> PixelPair:
    """Take the means of 2x2 pixels of 3 bytes for two neighbours, whose rows are three words each."""
    x, y = load_number_pair(frame.columns, 8 * column), load_number(frame.rows, 4 * row)
    at = index_of(y) * frame.pitch + 3 * index_of(x[0])
    below = at + frame.pitch
    first, second = load_word(frame.source, at), load_word(frame.source, at + 4)
    third = load_word(frame.source, at + 8)
    first_, second_ = load_word(frame.source, below), load_word(frame.source, below + 4)
    third_ = load_word(frame.source, below + 8)
    colors = means_of_word(pick_bytes(first, second, 0x4130), pick_bytes(first_, second_, 0x4130))
    last = means_of_word(pick_bytes(first, second, 0x5252), pick_bytes(first_, second_, 0x5252))
    red, green, blue, alpha = mean_pixel(frame, x[0] | y, colors[0], colors[1], last[0])
    colors = means_of_word(pick_bytes(second, third, 0x6352), pick_bytes(second_, third_, 0x6352))
    last = means_of_word(pick_bytes(third, third, 0x3030), pick_bytes(third_, third_, 0x3030))
    red_, green_, blue_, alpha_ = mean_pixel(frame, x[1] | y, colors[0], colors[1], last[0])
    return red, green, blue, alpha, red_, green_, blue_, alpha_


def mean_pixel(frame: FrameRow, outside: int, first: int, second: int, third: int) -> Pixel:
    """Put channels in the order of the selectors; in a bar, where ``outside`` is negative, they are black."""
    if outside < 0:
        return 0, 0, 0, 255
    word = first | second << 8 | third << 16
    low, high = pick_bytes(word, word, frame.red_green), pick_bytes(word, word, frame.blue_alpha)
    return byte_of(low, 0), byte_of(low, 2), byte_of(high, 0), 255


# From plane to plane: 8x2 samples of luma and 4x1 pairs of chroma a thread.


def write_averaged_planes(frame: FrameRow, column: int, row: int) -> None:
    """Write 8x2 of luma of luma, and four pairs of chroma of pairs."""
    if 8 * column < frame.width and 2 * row < frame.height:
        at = 2 * row * frame.target_pitch + 8 * column
        at_chroma = row * frame.chroma_target_pitch + 8 * column
        x, y = load_number(frame.columns, 32 * column), load_number(frame.rows, 8 * row)
        if (x | y) < 0:
            black = frame.luma_black * 0x01010101
            store_word_pair(frame.target, at, black, black)
            store_word_pair(frame.target, at + frame.target_pitch, black, black)
            store_word_pair(frame.target_u, at_chroma, _GREY, _GREY)
        else:
            read = index_of(y) * frame.pitch + index_of(x)
            upper = eight_means(load_word_quad(frame.source, read), load_word_quad(frame.source, read + frame.pitch))
            read += 2 * frame.pitch
            lower = eight_means(load_word_quad(frame.source, read), load_word_quad(frame.source, read + frame.pitch))
            store_word_pair(frame.target, at, upper[0], upper[1])
            store_word_pair(frame.target, at + frame.target_pitch, lower[0], lower[1])
            beside, beneath = load_number(frame.chroma_columns, 16 * column), load_number(frame.chroma_rows, 4 * row)
            read = index_of(beneath) * frame.chroma_pitch + 2 * index_of(beside)
            above, below = (
                load_word_quad(frame.source_u, read),
                load_word_quad(frame.source_u, read + frame.chroma_pitch),
            )
            left = chroma_means(frame, above[0], below[0]) | chroma_means(frame, above[1], below[1]) << 16
            right = chroma_means(frame, above[2], below[2]) | chroma_means(frame, above[3], below[3]) << 16
            store_word_pair(frame.target_u, at_chroma, left, right)


def eight_means(upper: Quad, lower: Quad) -> Pair:
    """Take eight means of two rows of sixteen bytes, and pack them."""
    left = packed_means(upper[0], lower[0]) | packed_means(upper[1], lower[1]) << 16
    return left, packed_means(upper[2], lower[2]) | packed_means(upper[3], lower[3]) << 16


def packed_means(upper: int, lower: int) -> int:
    """Take two means, and pack them."""
    means = means_of_word(upper, lower)
    return means[0] | means[1] << 8


def chroma_means(frame: FrameRow, upper: int, lower: int) -> int:
    """Take the mean of two pairs of chroma and of the two below, in the order of the selector, and pack it."""
    return packed_means(pick_bytes(upper, upper, frame.red_green), pick_bytes(lower, lower, frame.red_green))
