"""A mosaic: squares of a picture that each show their mean."""

from __future__ import annotations

from picasso_kernels.maths.memory import Bytes, copy, load8, load32, store8, store32, tail


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
    pixels: Bytes,
    first: int,
    pitch: int,
    step: int,
    width: int,
    height: int,
    cell: int,
    channels: int,
    scratch: Bytes,
    at: int,
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
        scratch: Working memory.
        at: Where five bytes for each byte of a row are free.
    """
    size = step * width
    sums, shown = tail(scratch, at), tail(scratch, at + 4 * size)
    for top in range(0, height, cell):
        bottom = min(top + cell, height)
        clear_sums(sums, size)
        for y in range(top, bottom):
            add_row(sums, tail(pixels, first + y * pitch), size)
        for left in range(0, width, cell):
            right = min(left + cell, width)
            count = (right - left) * (bottom - top)
            for channel in range(channels):
                total = 0
                for x in range(left, right):
                    total += load32(sums, 4 * (x * step + channel))
                value = (total + count // 2) // count
                for x in range(left, right):
                    store8(shown, x * step + channel, value)
        for y in range(top, bottom):
            row = tail(pixels, first + y * pitch)
            if step == channels:
                copy(row, shown, size)
            else:
                copy_channels(row, shown, step, channels, width)


def clear_sums(sums: Bytes, count: int) -> None:
    """Write 0 to numbers of 32 bits."""
    for i in range(count):
        store32(sums, 4 * i, 0)


def add_row(sums: Bytes, row: Bytes, count: int) -> None:
    """Add the bytes of a row to numbers of 32 bits."""
    for i in range(count):
        store32(sums, 4 * i, load32(sums, 4 * i) + load8(row, i))


def copy_channels(out: Bytes, row: Bytes, step: int, channels: int, count: int) -> None:
    """Copy the colours of pixels, and leave what else they have."""
    for x in range(count):
        for channel in range(channels):
            store8(out, x * step + channel, load8(row, x * step + channel))


def mean_of_tile(plane: Bytes, first: int, pitch: int, step: int, left: int, top: int, right: int, bottom: int) -> int:
    """Return the mean of a rectangle of samples, whose edges count from the sample at ``first``."""
    total, count = 0, (right - left) * (bottom - top)
    for y in range(top, bottom):
        row = first + y * pitch
        for x in range(left, right):
            total += load8(plane, row + x * step)
    return (total + count // 2) // count
