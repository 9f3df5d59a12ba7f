"""From masks to runs of a display list: bitmaps as they lie in memory, and runs that are stretched over a rectangle."""

from __future__ import annotations

from typing import Final

from picasso_kernels.maths.memory import Bytes, Ints, load8, load64, tail
from picasso_kernels.paint import display_list as at
from picasso_kernels.paint.coverage import FULL
from picasso_kernels.paint.raster import NO_ROOM, add_run, bound_runs

BITMAP_START: Final = 0
"""Byte of the top left pixel."""
BITMAP_PITCH: Final = 1
"""Bytes from a row to the next."""
BITMAP_WIDTH: Final = 2
BITMAP_HEIGHT: Final = 3
BITMAP_LEFT: Final = 4
"""Column of the surface where the bitmap's first one lies."""
BITMAP_TOP: Final = 5
BITMAP_SIZE: Final = 6
"""Numbers of a bitmap."""

GRID_FIRST: Final = 0
"""Which of the runs is its first, one of pixels that are outside; those inside and outside take turns."""
GRID_END: Final = 1
"""Which of the runs is the first behind its last."""
GRID_WIDTH: Final = 2
"""Cells a row."""
GRID_HEIGHT: Final = 3
GRID_LEFT: Final = 4
"""Edges of the rectangle over which it is stretched, in 1/256 pixel: four numbers."""
GRID_TOP: Final = 5
GRID_RIGHT: Final = 6
GRID_BOTTOM: Final = 7
GRID_SIZE: Final = 8
"""Numbers of a grid."""
_ALL: Final = 0x0101010101010101
"""Eight pixels that are inside."""


def scan_bitmaps(memory: Bytes, bitmaps: Ints, width: int, height: int, glyphs: Ints, commands: Ints) -> int:
    """Write the runs of bitmaps, a byte a pixel, which is inside unless it is 0.

    Args:
        memory: Of the bitmaps.
        bitmaps: ``BITMAP_SIZE`` numbers each.
        width: Of the surface.
        height: Of the surface.
        glyphs: Written: the runs.
        commands: Written: for each bitmap its bounds, FIRST and COUNT.

    Returns:
        How many runs there are; ``NO_ROOM`` where glyphs have too little room.
    """
    count, room = 0, len(glyphs) // at.GLYPH_SIZE
    bytes_of, runs, rows = tail(memory, 0), tail(glyphs, 0), tail(commands, 0)
    for number in range(len(bitmaps) // BITMAP_SIZE):
        bitmap, first = number * BITMAP_SIZE, count
        left, top = bitmaps[bitmap + BITMAP_LEFT], bitmaps[bitmap + BITMAP_TOP]
        start, end = max(-left, 0), min(bitmaps[bitmap + BITMAP_WIDTH], width - left)
        for row in range(max(-top, 0), min(bitmaps[bitmap + BITMAP_HEIGHT], height - top)):
            pixels = bitmaps[bitmap + BITMAP_START] + row * bitmaps[bitmap + BITMAP_PITCH]
            x = start
            while x < end:
                x = skip(bytes_of, pixels, x, end, 0)
                inside = x
                x = skip(bytes_of, pixels, x, end, 1)
                count = add_run(left + inside, left + x, top + row, FULL, first, runs, room, count)
                if count < 0:
                    return NO_ROOM
        bound_runs(runs, first, count, rows, number * at.COMMAND_SIZE)
    return count


def skip(memory: Bytes, pixels: int, x: int, end: int, kind: int) -> int:
    """Return the first column from ``x`` on, before ``end``, where a row of a bitmap is not of a kind.

    The kind is 0 outside and 1 inside.
    """
    word = _ALL * kind
    while x < end:
        if x + 8 <= end and load64(memory, pixels + x) == word:
            x += 8
        elif (load8(memory, pixels + x) != 0) == (kind != 0):
            x += 1
        else:
            break
    return x


def stretch_grids(runs: Ints, grids: Ints, width: int, height: int, glyphs: Ints, commands: Ints) -> int:
    """Write the runs of grids that are stretched over rectangles: a pixel is inside where the cell under its centre is.

    Args:
        runs: Lengths in cells, row by row without gaps, of all grids.
        grids: ``GRID_SIZE`` numbers each.
        width: Of the surface.
        height: Of the surface.
        glyphs: Written: the runs.
        commands: Written: for each grid its bounds, FIRST and COUNT.

    Returns:
        How many runs there are; ``NO_ROOM`` where glyphs have too little room.
    """
    count, room = 0, len(glyphs) // at.GLYPH_SIZE
    lengths, numbers, found, rows = tail(runs, 0), tail(grids, 0), tail(glyphs, 0), tail(commands, 0)
    for number in range(len(grids) // GRID_SIZE):
        first = count
        count = stretch_grid(lengths, numbers, number * GRID_SIZE, width, height, found, room, count)
        if count < 0:
            return NO_ROOM
        bound_runs(found, first, count, rows, number * at.COMMAND_SIZE)
    return count


def stretch_grid(
    runs: Ints, grids: Ints, grid: int, width: int, height: int, glyphs: Ints, room: int, count: int
) -> int:
    """Write the runs of one grid; return how many there are, or ``NO_ROOM``."""
    first, columns, rows = count, grids[grid + GRID_WIDTH], grids[grid + GRID_HEIGHT]
    left, top = grids[grid + GRID_LEFT], grids[grid + GRID_TOP]
    across, down = grids[grid + GRID_RIGHT] - left, grids[grid + GRID_BOTTOM] - top
    run, passed, last = grids[grid + GRID_FIRST], 0, grids[grid + GRID_END]
    if across <= 0 or down <= 0:
        return count
    for y in range(max(centre_at(top), 0), min(centre_at(top + down), height)):
        begin = ((y * at.ONE_PIXEL + at.ONE_PIXEL // 2 - top) * rows // down) * columns
        while run < last and passed + runs[run] <= begin:
            passed += runs[run]
            run += 1
        part, start = run, passed
        while part < last and start < begin + columns:
            end = start + runs[part]
            if (part - grids[grid + GRID_FIRST]) & 1:
                from_x = column_of(max(start - begin, 0), columns, left, across)
                to_x = column_of(min(end - begin, columns), columns, left, across)
                count = add_run(max(from_x, 0), min(to_x, width), y, FULL, first, glyphs, room, count)
                if count < 0:
                    return NO_ROOM
            start = end
            part += 1
    return count


def centre_at(edge: int) -> int:
    """Return the first pixel whose centre does not lie before an edge, in 1/256 pixel."""
    return (edge + at.ONE_PIXEL // 2 - 1) >> at.PIXEL_BITS


def column_of(cell: int, cells: int, left: int, across: int) -> int:
    """Return the first pixel whose centre does not lie before a cell of a row, ``across`` 1/256 pixels wide."""
    return centre_at(left - (-cell * across) // cells)
