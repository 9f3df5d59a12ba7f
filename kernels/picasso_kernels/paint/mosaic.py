"""A mosaic: squares of a picture that each show their mean."""

from __future__ import annotations

from picasso_kernels.maths.memory import Bytes, load8, store8


def tile_plane(
    plane: Bytes, first: int, pitch: int, step: int, width: int, height: int, cell: int, out: Bytes, out_at: int
) -> None:
    """Write a copy of a rectangle of samples in which each square is its mean, rows without gaps.

    Args:
        plane: Memory of the samples.
        first: Byte of the top left one, where the first square starts.
        pitch: Bytes from a row to the next.
        step: Bytes from a sample to the next.
        width: Samples a row.
        height: Rows.
        cell: Samples of a side of a square, at least 1; those at the right and the lower edge are cut.
        out: Written.
        out_at: Where the result starts, ``width * height`` bytes.
    """
    for top in range(0, height, cell):
        bottom = min(top + cell, height)
        for left in range(0, width, cell):
            right = min(left + cell, width)
            value = mean_of_tile(plane, first, pitch, step, left, top, right, bottom)
            for y in range(top, bottom):
                for x in range(left, right):
                    store8(out, out_at + y * width + x, value)


def tile_pixels(
    pixels: Bytes, first: int, pitch: int, step: int, width: int, height: int, cell: int, channels: int
) -> None:
    """Show the means of squares in a rectangle of pixels that lies inside of its command altogether.

    Args:
        pixels: Written.
        first: Byte of the first channel of the top left pixel; channels lie side by side.
        pitch: Bytes from a row to the next.
        step: Bytes from a pixel to the next.
        width: Pixels a row.
        height: Rows.
        cell: Pixels of a side of a square.
        channels: How many of a pixel's bytes are colours: 1 or 3.
    """
    for top in range(0, height, cell):
        bottom = min(top + cell, height)
        for left in range(0, width, cell):
            right = min(left + cell, width)
            count = (right - left) * (bottom - top)
            low = middle = high = 0
            for y in range(top, bottom):
                byte = first + y * pitch + left * step
                for _ in range(right - left):
                    low += load8(pixels, byte)
                    if channels > 1:
                        middle += load8(pixels, byte + 1)
                        high += load8(pixels, byte + 2)
                    byte += step
            low, middle, high = (
                (low + count // 2) // count,
                (middle + count // 2) // count,
                (high + count // 2) // count,
            )
            for y in range(top, bottom):
                byte = first + y * pitch + left * step
                for _ in range(right - left):
                    store8(pixels, byte, low)
                    if channels > 1:
                        store8(pixels, byte + 1, middle)
                        store8(pixels, byte + 2, high)
                    byte += step


def mean_of_tile(plane: Bytes, first: int, pitch: int, step: int, left: int, top: int, right: int, bottom: int) -> int:
    """Return the mean of a rectangle of samples, whose edges count from the sample at ``first``."""
    total, count = 0, (right - left) * (bottom - top)
    for y in range(top, bottom):
        row = first + y * pitch
        for x in range(left, right):
            total += load8(plane, row + x * step)
    return (total + count // 2) // count
