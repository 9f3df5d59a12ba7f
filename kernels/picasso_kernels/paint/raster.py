"""From polygons to runs of a display list: exact areas, in integers.

Each edge leaves two numbers in every pixel that it crosses: by how much the winding of what lies to the right of the
pixel changes (``cover``), and how much of that is missing inside of the pixel (``area``). Summed from left to right
they are the area of the pixel that is inside, as in the rasterisers of fonts (D. Turner, FreeType).
Where parts of one shape overlap within a pixel, the area is theirs together, at most 1.

Convention: positions count 1/256 pixel, and (0, 0) is the corner of the top left pixel.
"""

from __future__ import annotations

import math
from typing import Any, Final, TypeAlias

from picasso_kernels.maths.memory import Bytes, Ints, load8, store8, tail
from picasso_kernels.paint import display_list as at
from picasso_kernels.paint.coverage import FULL
from picasso_kernels.paint.display_list import alpha_of

Floats: TypeAlias = Any
"""Flat table of numbers: a 1-D C-contiguous float64 array, or in the reference a list."""

CELL_X: Final = 0
CELL_ROW: Final = 1
CELL_COVER: Final = 2
CELL_AREA: Final = 3
CELL_NEXT: Final = 4
CELL_SIZE: Final = 5
"""Numbers of a pixel that an edge crosses: where it is, cover, area, and the next one of its column or row, or -1."""
NO_ROOM: Final = -1
PEN_MARGIN: Final = 1.0
"""Pixels from a pen that are looked at."""
FEW: Final = 3
"""Pixels side by side that are spots although they are covered alike."""


def heads_size(width: int, height: int) -> int:
    """Return how many numbers of working memory there are: a list for each column, one for the left, and each row."""
    return width + 1 + height


def cover_shapes(
    vertices: Floats,
    points: Ints,
    contour_ends: Ints,
    shape_ends: Ints,
    colors: Ints,
    even_odd: bool,
    width: int,
    height: int,
    heads: Ints,
    cells: Ints,
    spots: Bytes,
    glyphs: Ints,
    commands: Ints,
) -> int:
    """Write the runs of some shapes, and the commands of those that can be seen.

    Args:
        vertices: x and y of each, in pixels; all shapes' contours one after another. A shape with one that is not
            finite is left out.
        points: Working memory: the same in 1/256 pixel.
        contour_ends: For each contour, which is closed, the number of points up to its end.
        shape_ends: For each shape, the number of contours up to its end.
        colors: One for each shape, packed.
        even_odd: What is surrounded twice is outside; otherwise it is inside, where both go round the same way.
        width: Of the surface.
        height: Of the surface.
        heads: ``heads_size`` numbers of working memory; written to the first: how many ``spots`` there are.
        cells: Working memory: ``CELL_SIZE`` numbers of each pixel that an edge crosses, for one row of a shape or more.
        spots: Written: the coverages of runs whose pixels have each their own.
        glyphs: Written: the runs.
        commands: Written: room for one for each shape.

    Returns:
        How many commands there are; ``NO_ROOM`` where cells, spots or glyphs have too little room.
    """
    listed = tail(heads, 0)
    for head in range(width + 1 + height):
        listed[head] = -1
    contours, fixed, room, spot_room = tail(contour_ends, 0), tail(points, 0), len(glyphs) // at.GLYPH_SIZE, len(spots)
    cell_list, spot_list, runs, rows = tail(cells, 0), tail(spots, 0), tail(glyphs, 0), tail(commands, 0)
    cell_room = len(cells) // CELL_SIZE
    contour, used_spots, count, end = 0, 0, 0, 0
    for shape in range(len(shape_ends)):
        start, last, color = count, shape_ends[shape], colors[shape]
        row, bottom = 0, 0
        if alpha_of(color) > 0 and fix_points(vertices, contours, contour, last, fixed):
            row, bottom = rows_of(fixed, contours, contour, last, height)
        band = bottom - row
        while row < bottom:
            stop = min(row + band, bottom)
            used = add_contours(fixed, contours, contour, last, width, row, stop, cell_list, cell_room)
            if used >= 0:
                order_cells(cell_list, used, width, listed)
                for y in range(row, stop):
                    used_spots, count = sweep_row(
                        y, width, listed, cell_list, even_odd, start, spot_list, spot_room, used_spots,
                        runs, room, count,
                    )  # fmt: skip
                    if count < 0:
                        return NO_ROOM
                row = stop
            elif band == 1:
                return NO_ROOM
            else:
                band = max((stop - row) >> 1, 1)
        contour = last
        end = put_runs(runs, start, count, color, rows, end)
    listed[0] = used_spots
    return end


def fix_points(vertices: Floats, contour_ends: Ints, contour: int, last: int, points: Ints) -> bool:
    """Write the points of some contours in 1/256 pixel; return whether all are finite."""
    for number in range(2 * first_point(contour_ends, contour), 2 * first_point(contour_ends, last)):
        value = vertices[number]
        if not math.isfinite(value):
            return False
        points[number] = math.floor(min(max(value, -at.FAR / 2), at.FAR / 2) * at.ONE_PIXEL + 0.5)
    return True


def first_point(contour_ends: Ints, contour: int) -> int:
    """Return the number of the first point of a contour."""
    return contour_ends[contour - 1] if contour > 0 else 0


def rows_of(points: Ints, contour_ends: Ints, contour: int, last: int, height: int) -> tuple[int, int]:
    """Return the rows that some contours touch."""
    top, bottom = height << at.PIXEL_BITS, 0
    for point in range(first_point(contour_ends, contour), first_point(contour_ends, last)):
        y = points[2 * point + 1]
        top, bottom = min(top, y), max(bottom, y)
    return max(top >> at.PIXEL_BITS, 0), min((bottom >> at.PIXEL_BITS) + 1, height)


def add_contours(
    points: Ints,
    contour_ends: Ints,
    contour: int,
    last: int,
    width: int,
    row: int,
    end: int,
    cells: Ints,
    room: int,
) -> int:
    """Collect the cells that some contours cross in rows ``row..end``; return how many, or ``NO_ROOM``."""
    used, first = 0, first_point(contour_ends, contour)
    for number in range(contour, last):
        stop = contour_ends[number]
        for point in range(first, stop):
            other = point + 1 if point + 1 < stop else first
            x, y = points[2 * point], points[2 * point + 1]
            used = add_edge(x, y, points[2 * other], points[2 * other + 1], width, row, end, cells, room, used)
            if used < 0:
                return NO_ROOM
        first = stop
    return used


def add_edge(
    x0: int, y0: int, x1: int, y1: int, width: int, row: int, end: int, cells: Ints, room: int, used: int
) -> int:
    """Add the cells of an edge in rows ``row..end``; return how many are used, or ``NO_ROOM``."""
    sign = 1
    if y0 > y1:
        x0, y0, x1, y1, sign = x1, y1, x0, y0, -1
    y, bottom = max(y0, row << at.PIXEL_BITS), min(y1, end << at.PIXEL_BITS)
    if y >= bottom:
        return used
    x = x0 + (y - y0) * (x1 - x0) // (y1 - y0)
    while y < bottom and used >= 0:
        line = y >> at.PIXEL_BITS
        start = line << at.PIXEL_BITS
        next_y = min(start + at.ONE_PIXEL, bottom)
        next_x = x0 + (next_y - y0) * (x1 - x0) // (y1 - y0) if x1 != x0 else x0
        used = add_piece(x, y - start, next_x, next_y - start, sign, width, line, cells, room, used)
        x, y = next_x, next_y
    return used


def add_piece(
    xa: int, ya: int, xb: int, yb: int, sign: int, width: int, row: int, cells: Ints, room: int, used: int
) -> int:
    """Add the cells of a part of an edge that lies in one row, ``ya < yb``."""
    if xa > xb:  # from left to right; what counts is how far it goes down
        xa, ya, xb, yb = xb, yb, xa, ya
    limit = width << at.PIXEL_BITS
    if xb <= 0 or xa >= limit:
        return add_cell(-1, sign * abs(yb - ya), 0, row, cells, room, used) if xb <= 0 else used
    across, down = xb - xa, yb - ya
    y = ya
    if xa < 0:
        y = ya - xa * down // across
        used = add_cell(-1, sign * abs(y - ya), 0, row, cells, room, used)
    x, end = max(xa, 0), min(xb, limit)
    while used >= 0:
        cell = x >> at.PIXEL_BITS
        left = cell << at.PIXEL_BITS
        next_x = min(left + at.ONE_PIXEL, end)
        next_y = yb if next_x == xb else ya + (next_x - xa) * down // across
        cover = sign * abs(next_y - y)
        if cover != 0:
            used = add_cell(cell, cover, cover * (x + next_x - 2 * left), row, cells, room, used)
        x, y = next_x, next_y
        if x >= end:
            break
    return used


def add_cell(x: int, cover: int, area: int, row: int, cells: Ints, room: int, used: int) -> int:
    """Append a cell, or add to the last one if it is the same; return how many are used, or ``NO_ROOM``."""
    place = used * CELL_SIZE
    last = place - CELL_SIZE
    if last >= 0 and cells[last + CELL_X] == x and cells[last + CELL_ROW] == row:
        cells[last + CELL_COVER] += cover
        cells[last + CELL_AREA] += area
        return used
    if used >= room:
        return NO_ROOM
    cells[place + CELL_X] = x
    cells[place + CELL_ROW] = row
    cells[place + CELL_COVER] = cover
    cells[place + CELL_AREA] = area
    return used + 1


def order_cells(cells: Ints, used: int, width: int, heads: Ints) -> None:
    """Put the cells into the lists of their rows, from left to right: first into lists of columns, then into rows."""
    first, last = width, 0
    for place in range(0, used * CELL_SIZE, CELL_SIZE):
        column = cells[place + CELL_X] + 1
        cells[place + CELL_NEXT] = heads[column]
        heads[column] = place
        first, last = min(first, column), max(last, column)
    for column in range(last, first - 1, -1):
        place = heads[column]
        heads[column] = -1
        while place >= 0:
            head, following = width + 1 + cells[place + CELL_ROW], cells[place + CELL_NEXT]
            cells[place + CELL_NEXT] = heads[head]
            heads[head] = place
            place = following


def sweep_row(
    y: int,
    width: int,
    heads: Ints,
    cells: Ints,
    even_odd: bool,
    start: int,
    spots: Bytes,
    spot_room: int,
    used: int,
    glyphs: Ints,
    room: int,
    count: int,
) -> tuple[int, int]:
    """Write the runs of a row and empty its list; return how many spots and runs there are, or ``NO_ROOM`` runs."""
    place, cover, x = heads[width + 1 + y], 0, 0
    heads[width + 1 + y] = -1
    while place >= 0 and count >= 0:
        column, area = cells[place + CELL_X], 0
        if column > x:
            value = covered(cover * 2 * FULL, even_odd)
            used, count = add_part(x, column, y, value, start, spots, spot_room, used, glyphs, room, count)
        while place >= 0 and cells[place + CELL_X] == column:
            cover += cells[place + CELL_COVER]
            area += cells[place + CELL_AREA]
            place = cells[place + CELL_NEXT]
        if column >= 0 and count >= 0:
            value = covered(cover * 2 * FULL - area, even_odd)
            used, count = add_part(column, column + 1, y, value, start, spots, spot_room, used, glyphs, room, count)
        x = column + 1
    if cover != 0 and x < width and count >= 0:
        value = covered(cover * 2 * FULL, even_odd)
        used, count = add_part(x, width, y, value, start, spots, spot_room, used, glyphs, room, count)
    return used, count


def covered(area: int, even_odd: bool) -> int:
    """Return the coverage 0..256 of a pixel, of which ``area`` is inside, in 1/131072, counted once a winding."""
    value = (abs(area) + FULL) >> 9
    if even_odd:
        value &= 2 * FULL - 1
        return min(value, 2 * FULL - value)
    return min(value, FULL)


def add_run(left: int, right: int, y: int, coverage: int, start: int, glyphs: Ints, room: int, count: int) -> int:
    """Append a run, or make the last one longer; return how many there are, or ``NO_ROOM``."""
    if coverage == 0 or left >= right:
        return count
    if count > start:
        last = (count - 1) * at.GLYPH_SIZE
        reached = glyphs[last + at.GLYPH_LEFT] + glyphs[last + at.GLYPH_WIDTH]
        if glyphs[last + at.GLYPH_TOP] == y and reached == left and glyphs[last + at.GLYPH_OFFSET] == coverage:
            glyphs[last + at.GLYPH_WIDTH] += right - left
            return count
    return put_run(left, right, y, coverage, glyphs, room, count)


def add_part(
    left: int,
    right: int,
    y: int,
    coverage: int,
    start: int,
    spots: Bytes,
    spot_room: int,
    used: int,
    glyphs: Ints,
    room: int,
    count: int,
) -> tuple[int, int]:
    """Append pixels of one coverage; return how many spots and runs there are, or ``NO_ROOM`` runs.

    Few of them become spots, and continue the run before where that has spots as well.
    """
    if right - left > FEW:
        return used, add_run(left, right, y, coverage, start, glyphs, room, count)
    if coverage == 0 or left >= right:
        return used, count
    if used + right - left > spot_room:
        return used, NO_ROOM
    value = coverage - (coverage >> 7 & 1 | coverage >> 8)
    for spot in range(used, used + right - left):
        store8(spots, spot, value)
    return used + right - left, add_spots(left, right, y, used, start, glyphs, room, count)


def add_spots(left: int, right: int, y: int, used: int, start: int, glyphs: Ints, room: int, count: int) -> int:
    """Append a run whose spots are the next after ``used``, or make the last one longer; return how many there are."""
    if count > start:
        last = (count - 1) * at.GLYPH_SIZE
        reached = glyphs[last + at.GLYPH_LEFT] + glyphs[last + at.GLYPH_WIDTH]
        if glyphs[last + at.GLYPH_TOP] == y and reached == left and glyphs[last + at.GLYPH_OFFSET] >= at.SPOTS:
            glyphs[last + at.GLYPH_WIDTH] += right - left
            return count
    return put_run(left, right, y, at.SPOTS + used, glyphs, room, count)


def put_run(left: int, right: int, y: int, offset: int, glyphs: Ints, room: int, count: int) -> int:
    """Append a run; return how many there are, or ``NO_ROOM``."""
    if count >= room:
        return NO_ROOM
    glyph = count * at.GLYPH_SIZE
    glyphs[glyph + at.GLYPH_LEFT] = left
    glyphs[glyph + at.GLYPH_TOP] = y
    glyphs[glyph + at.GLYPH_WIDTH] = right - left
    glyphs[glyph + at.GLYPH_HEIGHT] = 1
    glyphs[glyph + at.GLYPH_OFFSET] = offset
    return count + 1


def put_runs(glyphs: Ints, first: int, last: int, color: int, commands: Ints, end: int) -> int:
    """Append the command of some runs; return how many commands there are."""
    if first >= last:
        return end
    command = end * at.COMMAND_SIZE
    for column in range(at.COMMAND_SIZE):
        commands[command + column] = 0
    commands[command + at.KIND] = at.RUNS
    commands[command + at.COLOR] = color
    bound_runs(glyphs, first, last, commands, command)
    return end + 1


def bound_runs(glyphs: Ints, first: int, end: int, commands: Ints, command: int) -> None:
    """Write which runs a command has, and its bounds; those of none are empty."""
    left, right = at.FAR, 0
    for glyph in range(first * at.GLYPH_SIZE, end * at.GLYPH_SIZE, at.GLYPH_SIZE):
        left = min(left, glyphs[glyph + at.GLYPH_LEFT])
        right = max(right, glyphs[glyph + at.GLYPH_LEFT] + glyphs[glyph + at.GLYPH_WIDTH])
    commands[command + at.FIRST] = first
    commands[command + at.COUNT] = end - first
    commands[command + at.LEFT] = left if end > first else 0
    commands[command + at.RIGHT] = right
    commands[command + at.TOP] = glyphs[first * at.GLYPH_SIZE + at.GLYPH_TOP] if end > first else 0
    commands[command + at.BOTTOM] = glyphs[(end - 1) * at.GLYPH_SIZE + at.GLYPH_TOP] + 1 if end > first else 0


def column_of(x: float, width: int) -> int:
    """Return the column that a position lies in, kept within the surface."""
    return math.floor(min(max(x, 0.0), float(width)))


def trim_spots(
    left: int, right: int, row: int, spots: Bytes, used: int, glyphs: Ints, room: int, count: int
) -> tuple[int, int]:
    """Append the run of what is covered of ``right - left`` new spots; return how many spots and runs there are."""
    start, end = used, used + right - left
    while start < end and load8(spots, start) == 0:
        start += 1
    while start < end and load8(spots, end - 1) == 0:
        end -= 1
    if start >= end:
        return used, count
    left += start - used
    return end, put_run(left, left + end - start, row, at.SPOTS + start, glyphs, room, count)
