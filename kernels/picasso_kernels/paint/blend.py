"""One colour into rows of pixels or samples, by shares that lie at 16 bits a column.

Vector code takes shares by the block, and goes on into the margin behind the last one: shares of 0 change nothing.
"""

from __future__ import annotations

from typing import Final

from picasso_kernels.maths.memory import Bytes, load8, load16, pixel, store8, store16, store_pixel
from picasso_kernels.paint.coverage import FULL, mix, mix_pair

MARGIN: Final = 8
"""Shares of 0 behind those of a row, over which vector code may go; blending by them changes nothing."""


def tint_pixels(
    pixels: Bytes, first: int, pitch: int, over: int, shares: Bytes, shares_at: int, _space: int, count: int, rows: int
) -> None:
    """Blend one colour into ``count`` pixels of ``rows`` rows; see ``tint_samples``.

    Args:
        pixels: Written.
        first: Byte of the first pixel.
        pitch: Bytes from a row to the next.
        over: The colour, as ``pixel`` packs it.
        shares: Its shares, as for ``tint_samples``.
        shares_at: Byte of the first.
        _space: Pixels from the first to the end of the row.
        count: Pixels.
        rows: Rows.
    """
    even, odd = over & 0xFF00FF, over >> 8 & 0xFF00FF
    for y in range(rows):
        for x in range(count):
            share, byte = load16(shares, shares_at + 2 * x), first + y * pitch + 4 * x
            under = pixel(pixels, byte)
            low, high = mix_pair(under & 0xFF00FF, even, share), mix_pair(under >> 8 & 0xFF00FF, odd, share)
            store_pixel(pixels, byte, low | high << 8)


def tint_triples(
    pixels: Bytes, first: int, pitch: int, over: int, shares: Bytes, shares_at: int, _space: int, count: int, rows: int
) -> None:
    """Blend one colour into ``count`` pixels of three bytes, of ``rows`` rows; see ``tint_pixels``."""
    low, middle, high = over & 255, over >> 8 & 255, over >> 16 & 255
    for y in range(rows):
        row = first + y * pitch
        for x in range(count):
            share, byte = load16(shares, shares_at + 2 * x), row + 3 * x
            store8(pixels, byte, mix(load8(pixels, byte), low, share))
            store8(pixels, byte + 1, mix(load8(pixels, byte + 1), middle, share))
            store8(pixels, byte + 2, mix(load8(pixels, byte + 2), high, share))


def tint_samples(
    plane: Bytes,
    place: tuple[int, int, int],
    over: int,
    shares: Bytes,
    shares_at: int,
    _space: int,
    count: int,
    rows: int,
) -> None:
    """Blend one value into ``count`` samples of ``rows`` rows.

    Args:
        plane: Written.
        place: Byte of the first sample, bytes from a row to the next, bytes from a sample to the next.
        over: The value.
        shares: Its shares, 16 bits each, the same in all rows, then ``MARGIN`` of 0 or as many as there is room for.
        shares_at: Byte of the first.
        _space: Samples from the first to the end of the row: how far vector code may go, where there is no share.
        count: Samples.
        rows: Rows.
    """
    first, pitch, step = place
    for y in range(rows):
        for x in range(count):
            byte = first + y * pitch + x * step
            store8(plane, byte, mix(load8(plane, byte), over, load16(shares, shares_at + 2 * x)))


def tint_pixel_run(pixels: Bytes, first: int, over: int, share: int, count: int) -> None:
    """Blend one colour into ``count`` pixels of four bytes from ``first`` on, all by one share."""
    even, odd = over & 0xFF00FF, over >> 8 & 0xFF00FF
    for x in range(count):
        under = pixel(pixels, first + 4 * x)
        low, high = mix_pair(under & 0xFF00FF, even, share), mix_pair(under >> 8 & 0xFF00FF, odd, share)
        store_pixel(pixels, first + 4 * x, low | high << 8)


def tint_triple_run(pixels: Bytes, first: int, over: int, share: int, count: int) -> None:
    """Do as ``tint_pixel_run`` with pixels of three bytes."""
    low, middle, high = over & 255, over >> 8 & 255, over >> 16 & 255
    for x in range(count):
        byte = first + 3 * x
        store8(pixels, byte, mix(load8(pixels, byte), low, share))
        store8(pixels, byte + 1, mix(load8(pixels, byte + 1), middle, share))
        store8(pixels, byte + 2, mix(load8(pixels, byte + 2), high, share))


def tint_sample_run(samples: Bytes, first: int, over: int, share: int, count: int) -> None:
    """Do as ``tint_pixel_run`` with samples of one byte."""
    for x in range(count):
        store8(samples, first + x, mix(load8(samples, first + x), over, share))


def tint_pixel_spots(
    pixels: Bytes, first: int, over: int, alpha: int, spots: Bytes, spots_at: int, _space: int, count: int
) -> None:
    """Blend one colour into ``count`` pixels of four bytes, each by its own coverage.

    Args:
        pixels: Written.
        first: Byte of the first pixel.
        over: The colour, as ``pixel`` packs it.
        alpha: Its opacity, 0..256.
        spots: Coverage, a byte a pixel.
        spots_at: Of the first pixel.
        _space: Pixels from the first to the end of the row, or bytes of coverage from its own if they are fewer.
        count: Pixels.
    """
    even, odd = over & 0xFF00FF, over >> 8 & 0xFF00FF
    for x in range(count):
        share, byte = spot_share(spots, spots_at + x, alpha), first + 4 * x
        under = pixel(pixels, byte)
        low, high = mix_pair(under & 0xFF00FF, even, share), mix_pair(under >> 8 & 0xFF00FF, odd, share)
        store_pixel(pixels, byte, low | high << 8)


def tint_triple_spots(
    pixels: Bytes, first: int, over: int, alpha: int, spots: Bytes, spots_at: int, _space: int, count: int
) -> None:
    """Do as ``tint_pixel_spots`` with pixels of three bytes."""
    low, middle, high = over & 255, over >> 8 & 255, over >> 16 & 255
    for x in range(count):
        share, byte = spot_share(spots, spots_at + x, alpha), first + 3 * x
        store8(pixels, byte, mix(load8(pixels, byte), low, share))
        store8(pixels, byte + 1, mix(load8(pixels, byte + 1), middle, share))
        store8(pixels, byte + 2, mix(load8(pixels, byte + 2), high, share))


def tint_sample_spots(
    samples: Bytes, first: int, over: int, alpha: int, spots: Bytes, spots_at: int, _space: int, count: int
) -> None:
    """Do as ``tint_pixel_spots`` with samples of one byte."""
    for x in range(count):
        store8(samples, first + x, mix(load8(samples, first + x), over, spot_share(spots, spots_at + x, alpha)))


def spot_share(spots: Bytes, at: int, alpha: int) -> int:
    """Return the share of a pixel whose coverage is a byte, 0..256; ``alpha`` is the colour's opacity, 0..256."""
    value = load8(spots, at)
    return ((value + (value >> 7)) * alpha + FULL // 2) >> 8


def blend_samples(plane: Bytes, first: int, step: int, over: Bytes, over_at: int, shares_at: int, count: int) -> None:
    """Blend a row of ``count`` values into samples; the shares lie in the memory of the values."""
    for x in range(count):
        byte = first + x * step
        share = load16(over, shares_at + 2 * x)
        store8(plane, byte, mix(load8(plane, byte), load8(over, over_at + x), share))


def average_shares(shares: Bytes, width: int, start: int, end: int) -> None:
    """Write the means over 2x2 of the shares of two rows, columns ``start..end``; and as many of 0 as ``MARGIN``."""
    lower, mean = 2 * width, 4 * width
    for x in range(start, end):
        total = load16(shares, 4 * x) + load16(shares, 4 * x + 2)
        total += load16(shares, lower + 4 * x) + load16(shares, lower + 4 * x + 2)
        store16(shares, mean + 2 * x, (total + 2) >> 2)
    clear_margin(shares, mean, end, width >> 1)


def clear_margin(shares: Bytes, row: int, end: int, width: int) -> None:
    """Write the shares of 0 behind those of a row, ``MARGIN`` or as many as ``width`` has room for."""
    for x in range(end, min(end + MARGIN, width)):
        store16(shares, row + 2 * x, 0)
