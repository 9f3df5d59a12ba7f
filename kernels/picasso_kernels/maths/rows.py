"""Loops over one row: the only code that runs once a sample, so each does one thing and branches on nothing.

A row is the tail of memory from its first byte on. A *wide* row holds 16-bit samples between the two passes of a
resampling. A *pixel* has four channels; a *sample* is one value of a plane.
"""

from __future__ import annotations

from typing import Final

from picasso_kernels.maths.color import channel_of, chroma_of, luma_of
from picasso_kernels.maths.memory import Bytes, Ints, load8, load16, pixel, store8, store16, store_pixel
from picasso_kernels.maths.pixel import lerp, narrow, widen

BLACK: Final = 0xFF000000
"""An opaque black pixel as ``pixel`` packs it."""


def collect_samples(out: Bytes, row: Bytes, step: int, count: int) -> None:
    """Gather bytes that lie ``step`` apart, which may be negative, into a tight row."""
    for x in range(count):
        store8(out, x, load8(row, x * step))


def spread_samples(out: Bytes, step: int, row: Bytes, count: int) -> None:
    """Write a tight row to bytes that lie ``step`` apart."""
    for x in range(count):
        store8(out, x * step, load8(row, x))


def collect_pixels(out: Bytes, row: Bytes, step: int, lane_step: int, count: int) -> None:
    """Gather pixels of four channels from any pixel step and channel step."""
    for x in range(count):
        for lane in range(4):
            store8(out, 4 * x + lane, load8(row, x * step + lane * lane_step))


def collect_opaque(out: Bytes, row: Bytes, step: int, lane_step: int, count: int) -> None:
    """Gather pixels of three channels from any pixel step and channel step, and give them an opaque fourth."""
    for x in range(count):
        at = x * step
        low = load8(row, at) | load8(row, at + lane_step) << 8 | load8(row, at + 2 * lane_step) << 16
        store_pixel(out, 4 * x, low | BLACK)


def spread_pixels(out: Bytes, step: int, lane_step: int, lanes: int, row: Bytes, count: int) -> None:
    """Write a tight row of pixels to any pixel step and channel step, its first ``lanes`` channels only."""
    for x in range(count):
        for lane in range(lanes):
            store8(out, x * step + lane * lane_step, load8(row, 4 * x + lane))


def pick_pixels(out: Bytes, row: Bytes, step: int, lane_step: int, index: Ints, count: int) -> None:
    """Copy the pixels that the table names, of any pixel step and channel step."""
    for x in range(count):
        for lane in range(4):
            store8(out, 4 * x + lane, load8(row, index[x] * step + lane * lane_step))


def pick_opaque(out: Bytes, row: Bytes, step: int, lane_step: int, index: Ints, count: int) -> None:
    """Copy the pixels of three channels that the table names, and give them an opaque fourth."""
    for x in range(count):
        at = index[x] * step
        low = load8(row, at) | load8(row, at + lane_step) << 8 | load8(row, at + 2 * lane_step) << 16
        store_pixel(out, 4 * x, low | BLACK)


def pick_samples(out: Bytes, row: Bytes, step: int, index: Ints, count: int) -> None:
    """Copy the samples that the table names."""
    for x in range(count):
        store8(out, x, load8(row, index[x] * step))


def blend_rows(out: Bytes, upper: Bytes, lower: Bytes, weight: int, _soon: Bytes, _size: int, count: int) -> None:
    """Blend two rows of ``count`` bytes into a wide row.

    Args:
        out: The wide row.
        upper: Upper row.
        lower: Lower row.
        weight: Share of the lower row in 2048ths, 0..2047.
        _soon: Memory that is wanted next: a hint.
        _size: Bytes of it, 0 or more.
        count: Samples.
    """
    for i in range(count):
        a, b = widen(load8(upper, i)), widen(load8(lower, i))
        store16(out, 2 * i, lerp(a, b, weight))


def narrow_row(out: Bytes, wide: Bytes, count: int) -> None:
    """Round a wide row of ``count`` samples to bytes."""
    for i in range(count):
        store8(out, i, narrow(load16(wide, 2 * i)))


def lerp_pixels(out: Bytes, wide: Bytes, axis: Ints, _near: int, _soon: Bytes, _size: int, count: int) -> None:
    """Blend neighbours of a wide row of pixels to ``count`` pixels of bytes.

    Args:
        out: Row of pixels.
        wide: Wide row of pixels.
        axis: For each target pixel the index of its left neighbour, then for each the weight of the right one, then
            what only vector code reads: see ``plan.vector_entries``.
        _near: Whether neighbouring target pixels are at most two source pixels apart, which vector code relies on.
        _soon: Memory that is wanted next: a hint.
        _size: Bytes of it, 0 or more.
        count: Pixels.
    """
    for x in range(count):
        at, weight = 8 * axis[x], axis[count + x]
        for lane in range(4):
            mixed = lerp(load16(wide, at + 2 * lane), load16(wide, at + 8 + 2 * lane), weight)
            store8(out, 4 * x + lane, narrow(mixed))


def mix_pixels(
    out: Bytes, upper: Bytes, lower: Bytes, weight: int, axis: Ints, _soon: Bytes, _size: int, count: int
) -> None:
    """Do what ``blend_rows`` and ``lerp_pixels`` do, for the pixels that are needed only.

    Args:
        out: Row of pixels.
        upper: Upper row of pixels.
        lower: Lower row.
        weight: Share of the lower row in 2048ths, 0..2047.
        axis: As for ``lerp_pixels``; the right neighbour of every index is in the row.
        _soon: Memory that is wanted next: a hint.
        _size: Bytes of it, 0 or more.
        count: Pixels.
    """
    for x in range(count):
        at, share = 4 * axis[x], axis[count + x]
        for lane in range(at, at + 4):
            left = lerp(widen(load8(upper, lane)), widen(load8(lower, lane)), weight)
            right = lerp(widen(load8(upper, lane + 4)), widen(load8(lower, lane + 4)), weight)
            store8(out, 4 * x + lane - at, narrow(lerp(left, right, share)))


def mix_opaque(
    out: Bytes, upper: Bytes, lower: Bytes, weight: int, axis: Ints, _soon: Bytes, _size: int, count: int
) -> None:
    """Do what ``mix_pixels`` does, of rows of three bytes a pixel, and give the pixels an opaque fourth channel."""
    for x in range(count):
        at, share, value = 3 * axis[x], axis[count + x], BLACK
        for lane in range(3):
            left = lerp(widen(load8(upper, at + lane)), widen(load8(lower, at + lane)), weight)
            right = lerp(widen(load8(upper, at + lane + 3)), widen(load8(lower, at + lane + 3)), weight)
            value |= narrow(lerp(left, right, share)) << (8 * lane)
        store_pixel(out, 4 * x, value)


def lerp_samples(out: Bytes, wide: Bytes, axis: Ints, _near: int, _soon: Bytes, _size: int, count: int) -> None:
    """Blend neighbours of a wide row of samples to bytes, as ``lerp_pixels`` does."""
    for x in range(count):
        at, weight = 2 * axis[x], axis[count + x]
        store8(out, x, narrow(lerp(load16(wide, at), load16(wide, at + 2), weight)))


def halve_samples(out: Bytes, upper: Bytes, lower: Bytes, _soon: Bytes, _size: int, count: int) -> None:
    """Do what ``blend_rows`` and ``lerp_samples`` do where every weight is a half: no blend but the last then rounds.

    Args:
        out: Row of samples.
        upper: Upper row, two samples for each of ``out``.
        lower: Lower row.
        _soon: Memory that is wanted next: a hint.
        _size: Bytes of it, 0 or more.
        count: Samples.
    """
    for x in range(count):
        at = 2 * x
        total = load8(upper, at) + load8(upper, at + 1) + load8(lower, at) + load8(lower, at + 1)
        store8(out, x, (total + 2) >> 2)


def order_pixels(out: Bytes, row: Bytes, swap: int, opaque: int, count: int) -> None:
    """Copy pixels, with the first and third channel swapped if ``swap``, with an opaque fourth if ``opaque``."""
    keep = 0 if swap else 0x00FF00FF
    turn = 0x00FF00FF - keep
    alpha = BLACK if opaque else 0
    for x in range(count):
        value = pixel(row, 4 * x)
        turned = (value & turn) << 16 & 0x00FF0000 | value >> 16 & turn & 0xFF
        store_pixel(out, 4 * x, value & keep | turned | value & 0xFF00FF00 | alpha)


def grey_pixels(out: Bytes, row: Bytes, count: int) -> None:
    """Make opaque grey pixels of samples."""
    for x in range(count):
        store_pixel(out, 4 * x, load8(row, x) * 0x010101 | BLACK)


def fill_pixels(out: Bytes, value: int, count: int) -> None:
    """Write ``count`` times the same pixel."""
    for x in range(count):
        store_pixel(out, 4 * x, value)


def luma_row(out: Bytes, row: Bytes, k: Ints, count: int) -> None:
    """Make the luma of ``count`` pixels; ``k`` is a ``color.ToYuv``."""
    red, green, blue, floor = k[0], k[1], k[2], k[3]
    for x in range(count):
        value = pixel(row, 4 * x)
        store8(out, x, luma_of(value & 255, value >> 8 & 255, value >> 16 & 255, red, green, blue, floor))


def block_chroma(upper: Bytes, lower: Bytes, at: int, red: int, green: int, blue: int) -> int:
    """Return one chroma sample of the 2x2 pixels that start at the byte ``at`` of two rows."""
    reds = load8(upper, at) + load8(upper, at + 4) + load8(lower, at) + load8(lower, at + 4)
    greens = load8(upper, at + 1) + load8(upper, at + 5) + load8(lower, at + 1) + load8(lower, at + 5)
    blues = load8(upper, at + 2) + load8(upper, at + 6) + load8(lower, at + 2) + load8(lower, at + 6)
    return chroma_of(reds, greens, blues, red, green, blue)


def yuv_planar(
    luma0: Bytes, luma1: Bytes, u: Bytes, v: Bytes, upper: Bytes, lower: Bytes, k: Ints, _ahead: int, count: int
) -> None:
    """Convert two rows of pixels to two rows of luma, one of U and one of V.

    Args:
        luma0: Luma of the upper row.
        luma1: Luma of the lower row.
        u: A sample for each 2x2 pixels.
        v: A sample for each 2x2 pixels.
        upper: Upper row of pixels.
        lower: Lower row of pixels.
        k: A ``color.ToYuv``.
        _ahead: How far behind these two rows the ones lie that are wanted next: a hint.
        count: Pixels a row, an even number.
    """
    luma_row(luma0, upper, k, count)
    luma_row(luma1, lower, k, count)
    for x in range(count >> 1):
        store8(u, x, block_chroma(upper, lower, 8 * x, k[4], k[5], k[6]))
        store8(v, x, block_chroma(upper, lower, 8 * x, k[7], k[8], k[9]))


def yuv_paired(
    luma0: Bytes, luma1: Bytes, chroma: Bytes, upper: Bytes, lower: Bytes, k: Ints, _ahead: int, count: int
) -> None:
    """Convert as ``yuv_planar`` does, but U and V to one row of pairs."""
    luma_row(luma0, upper, k, count)
    luma_row(luma1, lower, k, count)
    for x in range(count >> 1):
        store8(chroma, 2 * x, block_chroma(upper, lower, 8 * x, k[4], k[5], k[6]))
        store8(chroma, 2 * x + 1, block_chroma(upper, lower, 8 * x, k[7], k[8], k[9]))


def rgb_row(out: Bytes, luma: Bytes, u: Bytes, v: Bytes, k: Ints, count: int) -> None:
    """Make opaque pixels of three rows of samples; ``k`` is a ``color.ToRgb``."""
    scale, floor, red_v, green_u, green_v, blue_u = k[0], k[1], k[2], k[3], k[4], k[5]
    for x in range(count):
        grey, cu, cv = (load8(luma, x) - floor) * scale, load8(u, x) - 128, load8(v, x) - 128
        green = channel_of(grey, green_u * cu + green_v * cv)
        value = channel_of(grey, red_v * cv) | green << 8 | channel_of(grey, blue_u * cu) << 16
        store_pixel(out, 4 * x, value | BLACK)
