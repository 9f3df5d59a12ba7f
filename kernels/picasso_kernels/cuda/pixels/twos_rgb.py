"""How CUDA kernels enlarge pixels by half across, and write them as pixels, or as luma and chroma.

As in ``pixels.twos``: eight pixels, and one on each side, make twelve, by weights that never change. Groups of twelve
lie in the picture or in a bar as a whole, and begin where the accesses want it: the planner makes sure of both. ``y``
is an axis entry; ``start`` is the first of the eight pixels in its row.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from picasso_kernels.cuda.frame_table import FrameRow
from picasso_kernels.cuda.instructions import (
    Quad,
    Triple,
    byte_of,
    dot2_high,
    dot2_low,
    load_number,
    load_number_pair,
    load_three_words,
    load_word,
    load_word_quad,
    pick_bytes,
    store_three_words,
)
from picasso_kernels.cuda.pixels.eights import room_of
from picasso_kernels.cuda.pixels.read import FourPixels, index_of, weights_of
from picasso_kernels.cuda.pixels.read_fours import pack_tops
from picasso_kernels.cuda.pixels.threes import GREY, wide_bytes
from picasso_kernels.cuda.pixels.twos import NO_ROW, Twelve, store_twelve, three_of_four
from picasso_kernels.cuda.pixels.wide import chroma_pair, luma_word, pack_pairs

FourWide: TypeAlias = tuple[Quad, Quad, Quad, Quad]
Ten: TypeAlias = tuple[Quad, FourWide, FourWide, Quad]
"""Wide pixels: the one before, eight, the one behind."""
TwelvePixels: TypeAlias = tuple[FourPixels, FourPixels, FourPixels]

_WIDE_HALF: Final = 8
_WIDE_OPAQUE: Final = 255 << 7
_OPAQUE: Final = -0x1000000
"""A black pixel."""


def wide_ten(frame: FrameRow, column: int, start: int, y: int) -> Ten:
    """Blend ten pixels of two rows: stands for a reader, which a kernel is built with."""
    raise NotImplementedError


def write_twelve_yuv420(frame: FrameRow, column: int, row: int) -> None:
    """Write 12x2 pixels of 4:2:0: chroma of the sums of 2x2 colours; threads beyond the target come to the end, too."""
    room = frame.width - 12 * column if 2 * row < frame.height else NO_ROW
    black = frame.luma_black * 0x01010101
    upper = lower = (black, black, black)
    pairs = (GREY, GREY, GREY)
    x = -1
    y = (-1, -1)
    if room > 0:
        x, y = load_number(frame.columns, 48 * column + 4), load_number_pair(frame.rows, 8 * row)
    if (x | (y[0] & y[1])) >= 0:
        above, below = twelve(frame, column, index_of(x), y[0]), twelve(frame, column, index_of(x), y[1])
        upper, lower = three_of_luma(frame, above), three_of_luma(frame, below)
        first, second = two_pairs(frame, above[0], below[0]), two_pairs(frame, above[1], below[1])
        pairs = first, second, two_pairs(frame, above[2], below[2])
    at = 2 * row * frame.target_pitch + 12 * column
    store_three_words(frame.target_u, row * frame.chroma_target_pitch + 12 * column, room, pairs[0], pairs[1], pairs[2])
    store_three_words(frame.target, at, room, upper[0], upper[1], upper[2])
    store_three_words(frame.target, at + frame.target_pitch, room, lower[0], lower[1], lower[2])


def three_of_luma(frame: FrameRow, pixels: TwelvePixels) -> Triple:
    """Return the luma of twelve pixels, packed."""
    return luma_word(frame, pixels[0]), luma_word(frame, pixels[1]), luma_word(frame, pixels[2])


def two_pairs(frame: FrameRow, upper: FourPixels, lower: FourPixels) -> int:
    """Return the chroma of 4x2 pixels, packed."""
    left = chroma_pair(frame, upper[0], upper[1], lower[0], lower[1])
    return pack_pairs(left, chroma_pair(frame, upper[2], upper[3], lower[2], lower[3]))


def twelve(frame: FrameRow, column: int, start: int, y: int) -> TwelvePixels:
    """Make twelve pixels; in a bar's row they are black."""
    before, left, right, behind = wide_ten(frame, column, start, y)
    first, second = three_pixels(before, left[0], left[1], left[2]), three_pixels(left[1], left[2], left[3], right[0])
    third, last = (
        three_pixels(left[3], right[0], right[1], right[2]),
        three_pixels(right[1], right[2], right[3], behind),
    )
    return (
        (first[0], first[1], first[2], second[0]),
        (second[1], second[2], third[0], third[1]),
        (third[2], last[0], last[1], last[2]),
    )


def three_pixels(before: Quad, left: Quad, right: Quad, behind: Quad) -> tuple[Quad, Quad, Quad]:
    """Blend four wide pixels to three."""
    red = three_of_four(before[0], left[0], right[0], behind[0])
    green = three_of_four(before[1], left[1], right[1], behind[1])
    blue = three_of_four(before[2], left[2], right[2], behind[2])
    return (
        (byte_of(red[0], 3), byte_of(green[0], 3), byte_of(blue[0], 3), 255),
        (byte_of(red[1], 3), byte_of(green[1], 3), byte_of(blue[1], 3), 255),
        (byte_of(red[2], 3), byte_of(green[2], 3), byte_of(blue[2], 3), 255),
    )


def write_twelve_words(frame: FrameRow, column: int, row: int) -> None:
    """Write 12x2 pixels of 4 bytes; threads beyond the target come to the end with the others of their warp."""
    room, at = room_of(frame, 48 * column, 2 * row), 2 * row * frame.target_pitch + 48 * column
    x = -1
    y = (-1, -1)
    if room > 0:
        x, y = load_number(frame.columns, 48 * column + 4), load_number_pair(frame.rows, 8 * row)
    six = (_OPAQUE, _OPAQUE, _OPAQUE, _OPAQUE, _OPAQUE, _OPAQUE)
    upper = lower = (six, six)
    if (x | y[0]) >= 0:
        upper = twelve_words(frame, column, index_of(x), y[0])
    store_twelve(frame, at, room, upper)
    if (x | y[1]) >= 0:
        lower = twelve_words(frame, column, index_of(x), y[1])
    store_twelve(frame, at + frame.target_pitch, room_of(frame, 48 * column, 2 * row + 1), lower)


def twelve_words(frame: FrameRow, column: int, start: int, y: int) -> Twelve:
    """Make twelve pixels, packed."""
    before, left, right, behind = wide_ten(frame, column, start, y)
    first, second = three_words(before, left[0], left[1], left[2]), three_words(left[1], left[2], left[3], right[0])
    third, last = three_words(left[3], right[0], right[1], right[2]), three_words(right[1], right[2], right[3], behind)
    return (
        (first[0], first[1], first[2], second[0], second[1], second[2]),
        (third[0], third[1], third[2], last[0], last[1], last[2]),
    )


def three_words(before: Quad, left: Quad, right: Quad, behind: Quad) -> Triple:
    """Blend four wide pixels to three, packed."""
    red = three_of_four(before[0], left[0], right[0], behind[0])
    green = three_of_four(before[1], left[1], right[1], behind[1])
    blue = three_of_four(before[2], left[2], right[2], behind[2])
    alpha = three_of_four(before[3], left[3], right[3], behind[3])
    first, second = pack_tops(red[0], green[0], blue[0], alpha[0]), pack_tops(red[1], green[1], blue[1], alpha[1])
    return first, second, pack_tops(red[2], green[2], blue[2], alpha[2])


# Readers.


def ten_words(frame: FrameRow, column: int, start: int, y: int) -> Ten:
    """Blend words, in the order of the selectors."""
    rows, place = weights_of(0, y), index_of(y) * frame.pitch + 4 * start
    before = -4 if 12 * column > frame.left else 0
    behind = 32 if 12 * column + 12 < frame.right else 28
    below = place + frame.next_row
    first = wide_word(frame, rows, load_word(frame.source, place + before), load_word(frame.source, below + before))
    left = four_words(frame, rows, load_word_quad(frame.source, place), load_word_quad(frame.source, below))
    right = four_words(frame, rows, load_word_quad(frame.source, place + 16), load_word_quad(frame.source, below + 16))
    last = wide_word(frame, rows, load_word(frame.source, place + behind), load_word(frame.source, below + behind))
    return first, left, right, last


def four_words(frame: FrameRow, rows: int, upper: Quad, lower: Quad) -> FourWide:
    """Blend four words with those below."""
    first, second = wide_word(frame, rows, upper[0], lower[0]), wide_word(frame, rows, upper[1], lower[1])
    return first, second, wide_word(frame, rows, upper[2], lower[2]), wide_word(frame, rows, upper[3], lower[3])


def wide_word(frame: FrameRow, rows: int, upper: int, lower: int) -> Quad:
    """Blend a word with the one below, to red, green, blue and alpha."""
    made = wide_picked(rows, upper, lower, frame.red_green, frame.blue_alpha)
    return made[0], made[1], made[2], _WIDE_OPAQUE if frame.alpha < 0 else made[3]


def wide_picked(rows: int, upper: int, lower: int, first: int, second: int) -> Quad:
    """Blend four bytes with those below, which two selectors take."""
    pair, last = pick_bytes(upper, lower, first), pick_bytes(upper, lower, second)
    red, green = dot2_low(rows, pair, _WIDE_HALF) >> 4, dot2_high(rows, pair, _WIDE_HALF) >> 4
    return red, green, dot2_low(rows, last, _WIDE_HALF) >> 4, dot2_high(rows, last, _WIDE_HALF) >> 4


def ten_of_rgb(frame: FrameRow, column: int, start: int, y: int) -> Ten:
    """Blend pixels of 3 bytes; the target's coefficients know the order. Those outside are in words of their own."""
    rows, place = weights_of(0, y), index_of(y) * frame.pitch + 3 * start
    below = place + frame.next_row
    left = four_of_rgb(rows, load_three_words(frame.source, place, 11), load_three_words(frame.source, below, 11))
    right = four_of_rgb(
        rows, load_three_words(frame.source, place + 12, 11), load_three_words(frame.source, below + 12, 11)
    )
    before, behind = 12 * column > frame.left, 12 * column + 12 < frame.right
    shift, first, second = (-4, 0x6251, 0x0073) if before else (0, 0x5140, 0x0062)
    upper, lower = load_word(frame.source, place + shift), load_word(frame.source, below + shift)
    outer = wide_picked(rows, upper, lower, first, second)
    shift, first, second = (24, 0x5140, 0x0062) if behind else (20, 0x6251, 0x0073)
    upper, lower = load_word(frame.source, place + shift), load_word(frame.source, below + shift)
    return outer, left, right, wide_picked(rows, upper, lower, first, second)


def four_of_rgb(rows: int, upper: Triple, lower: Triple) -> FourWide:
    """Blend three words of four pixels with those below."""
    a, b = wide_bytes(rows, upper[0], lower[0]), wide_bytes(rows, upper[1], lower[1])
    c = wide_bytes(rows, upper[2], lower[2])
    return (
        (a[0], a[1], a[2], _WIDE_OPAQUE),
        (a[3], b[0], b[1], _WIDE_OPAQUE),
        (b[2], b[3], c[0], _WIDE_OPAQUE),
        (c[1], c[2], c[3], _WIDE_OPAQUE),
    )
