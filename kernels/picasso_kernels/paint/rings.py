"""From rings to runs of a display list: circles, boxes with round corners, and arcs of ellipses, drawn with a pen.

The coverage of a pixel is ``0.5 - distance`` of its centre to the pen's edge, in pixels, kept in 0..1. Only the pixels
along the pen are looked at, a row at a time; what is straight is looked at once. The distance to an ellipse is that of
the first order (G. Taubin, "Distance approximations for rasterizing implicit curves", 1994).

Convention: positions are in pixels, and the centre of the top left pixel is (0.5, 0.5).
"""

from __future__ import annotations

import math
from typing import Final, TypeAlias

from picasso_kernels.maths.memory import Bytes, Ints, load8, store8, tail
from picasso_kernels.paint import display_list as at
from picasso_kernels.paint.coverage import FULL
from picasso_kernels.paint.display_list import alpha_of
from picasso_kernels.paint.raster import NO_ROOM, Floats, add_run, put_run, put_runs

RING_X: Final = 0
RING_Y: Final = 1
RING_W: Final = 2
"""Half of the width, to the middle of the pen; of an ellipse, its radius along x."""
RING_H: Final = 3
RING_RADIUS: Final = 4
"""Of the corners, at most half of the shorter side; negative for an ellipse."""
RING_SIZE: Final = 5
"""Numbers of a ring."""

ARC_PEN: Final = 4
"""Half of the width of the pen; before it, cosine and sine of where the arc begins and of where it ends."""
ARC_KIND: Final = 5
ARC_SIZE: Final = 6
"""Numbers of an arc."""
WHOLE: Final = 0
"""Nothing is cut off."""
SHORT: Final = 1
"""It goes half around at most."""
LONG: Final = 2
NONE: Final = 0
SOME: Final = 1
ALL: Final = 2
"""Which of some pixels an arc has."""
LANES: Final = 16
"""Pixels that are looked at together; compilers make vectors of 16, and single pixels of 8."""
ROOTS: Final = 8
"""The same where each needs several roots."""
_THIN: Final = 8.0
"""How often half of a pen's width fits into the radius of the sharpest bend of an ellipse at least, where the distance
to the middle of the pen serves for both of its edges."""
_LARGE: Final = 12.0
"""Radius in pixels from which on the distance to a circle needs no root."""
_MARGIN: Final = 1.0
"""Pixels from the pen that are looked at."""
Arc: TypeAlias = tuple[float, float, float, float, float]
"""Cosine and sine of where an arc begins and of where it ends, and its kind."""
_CUT: Final = 4.0
"""Pixels from the end of a pen where it is cut straight; farther away the angle decides."""


def cover_rings(
    rings: Floats,
    colors: Ints,
    arc: Floats,
    width: int,
    height: int,
    spots: Bytes,
    glyphs: Ints,
    sizes: Ints,
    commands: Ints,
) -> int:
    """Write the runs of some rings, and the commands of those that can be seen.

    Args:
        rings: ``RING_SIZE`` numbers each. One that is not finite, or has a negative side, is left out.
        colors: One for each, packed.
        arc: ``ARC_SIZE`` numbers, of all rings. Angles count on the circle that an ellipse is a stretched form of.
        width: Of the surface.
        height: Of the surface.
        spots: Written: the coverages of runs whose pixels have each their own.
        glyphs: Written: the runs.
        sizes: Written: how many spots and how many runs there are.
        commands: Written: room for one for each ring.

    Returns:
        How many commands there are; ``NO_ROOM`` where spots or glyphs have too little room.
    """
    room, spot_room, runs, rows = len(glyphs) // at.GLYPH_SIZE, len(spots), tail(glyphs, 0), tail(commands, 0)
    pen, ends, spot_list = arc[ARC_PEN], (arc[0], arc[1], arc[2], arc[3], arc[ARC_KIND]), tail(spots, 0)
    used, count, end = 0, 0, 0
    for number in range(len(colors)):
        ring, start, color = number * RING_SIZE, count, colors[number]
        x, y, half_w, half_h = rings[ring], rings[ring + RING_Y], rings[ring + RING_W], rings[ring + RING_H]
        radius = rings[ring + RING_RADIUS]
        if alpha_of(color) > 0 and is_ring(x, y, half_w, half_h, radius):
            reach = half_h + pen + _MARGIN
            top, bottom = column_of(y - reach, height), column_of(y + reach + 1.0, height)
            if radius < 0:
                used, count = cover_ellipse(
                    x, y, half_w, half_h, pen, ends, top, bottom, width,
                    spot_list, spot_room, used, runs, room, count,
                )  # fmt: skip
            else:
                used, count = cover_round(
                    x, y, half_w, half_h, min(radius, half_w, half_h), pen, top, bottom, width,
                    spot_list, spot_room, used, runs, room, count,
                )  # fmt: skip
            if count < 0:
                return NO_ROOM
        end = put_runs(runs, start, count, color, rows, end)
    sizes[0], sizes[1] = used, count
    return end


def is_ring(x: float, y: float, half_w: float, half_h: float, radius: float) -> bool:
    """Tell whether a ring has a place and a size."""
    place = math.isfinite(x) and math.isfinite(y) and math.isfinite(radius)
    return place and 0 <= half_w < math.inf and 0 <= half_h < math.inf


def cover_round(
    x: float,
    y: float,
    half_w: float,
    half_h: float,
    radius: float,
    pen: float,
    top: int,
    bottom: int,
    width: int,
    spots: Bytes,
    spot_room: int,
    used: int,
    glyphs: Ints,
    room: int,
    count: int,
) -> tuple[int, int]:
    """Write the runs of a box with round corners; return how many spots and runs there are, or ``NO_ROOM`` runs."""
    grow, flat_w, flat_h = pen + _MARGIN, half_w - radius, half_h - radius
    flat_left, flat_right = column_of(x - flat_w + 1.0, width), column_of(x + flat_w - 1.0, width)
    first, kept = count, -1
    for row in range(top, bottom):
        down = abs(row + 0.5 - y)
        outer, inner = round_reach(down, half_w, half_h, radius, grow), 0.0
        if outer <= 0:
            continue
        if down < half_h - grow:
            inner = max(round_reach(down, half_w, half_h, radius, -grow), 0.0)
        if kept >= 0 and down <= flat_h and inner > 0:  # as the row before
            for run in range(first, kept):
                glyph = run * at.GLYPH_SIZE
                left, offset = glyphs[glyph + at.GLYPH_LEFT], glyphs[glyph + at.GLYPH_OFFSET]
                right = left + glyphs[glyph + at.GLYPH_WIDTH]
                count = put_run(left, right, row, offset, glyphs, room, count)
                if count < 0:
                    return used, NO_ROOM
            continue
        first = count
        left, right = column_of(x - outer, width), column_of(x + outer + 1.0, width)
        hole, behind = column_of(x - inner + 1.0, width), column_of(x + inner, width)
        if inner <= 0 or behind <= hole:
            hole, behind = flat_left, flat_right
        if behind - hole > LANES:
            used, count = spot_round(
                left, hole, row, x, y, half_w, half_h, radius, pen, spots, spot_room, used, glyphs, room, count
            )
            if count >= 0 and inner <= 0:
                middle = round_coverage(x, row + 0.5, x, y, half_w, half_h, radius, pen)
                count = add_run(hole, behind, row, math.floor(middle * FULL + 0.5), first, glyphs, room, count)
            left = behind
        if count >= 0:
            used, count = spot_round(
                left, right, row, x, y, half_w, half_h, radius, pen, spots, spot_room, used, glyphs, room, count
            )
        if count < 0:
            return used, NO_ROOM
        kept = count if down <= flat_h and inner > 0 else -1
    return used, count


def column_of(x: float, width: int) -> int:
    """Return the column that a position lies in, kept within the surface."""
    return math.floor(min(max(x, 0.0), float(width)))


def round_reach(down: float, half_w: float, half_h: float, radius: float, grow: float) -> float:
    """Return how far a box with round corners reaches from its middle, ``down`` pixels below; grown by ``grow``."""
    around = down - (half_h - radius)
    corner = radius + grow
    if around <= 0 or (corner <= 0 and down < half_h + grow):
        return half_w + grow
    if corner <= 0 or around >= corner:
        return 0.0
    return half_w - radius + math.sqrt(corner * corner - around * around)


def spot_round(
    left: int,
    right: int,
    row: int,
    x: float,
    y: float,
    half_w: float,
    half_h: float,
    radius: float,
    pen: float,
    spots: Bytes,
    spot_room: int,
    used: int,
    glyphs: Ints,
    room: int,
    count: int,
) -> tuple[int, int]:
    """Append the run of columns ``left..right`` of a row; return how many spots and runs there are."""
    if left >= right:
        return used, count
    if used + right - left + LANES > spot_room:
        return used, NO_ROOM
    flat_w, down = half_w - radius, max(abs(row + 0.5 - y) - (half_h - radius), 0.0)
    if radius >= _LARGE and (flat_w <= 0.0 or down > 0.0):
        per, below, most = 0.5 / radius, down * down - radius * radius, min(2.0 * pen, 1.0)
        for block in range(0, right - left, LANES):
            for lane in range(LANES):
                over = max(abs(left + block + lane + 0.5 - x) - flat_w, 0.0)
                coverage = min(max(0.5 + pen - abs(far_from((over * over + below) * per, per)), 0.0), most)
                store8(spots, used + block + lane, math.floor(coverage * 255.0 + 0.5))
    else:
        for block in range(0, right - left, LANES):
            for lane in range(LANES):
                coverage = round_coverage(left + block + lane + 0.5, row + 0.5, x, y, half_w, half_h, radius, pen)
                store8(spots, used + block + lane, math.floor(coverage * 255.0 + 0.5))
    return trim_spots(left, right, row, spots, used, glyphs, room, count)


def far_from(off: float, per: float) -> float:
    """Return how far a point is outside of a circle of radius ``r``, without a root: near to it, within 1/50 pixel.

    Args:
        off: ``(distance² - r²) / 2r``, of the distance from the middle.
        per: ``1 / 2r``.
    """
    share = off * per
    return off * (1.0 - share + 2.0 * share * share)


def round_coverage(
    at_x: float, at_y: float, x: float, y: float, half_w: float, half_h: float, radius: float, pen: float
) -> float:
    """Return the coverage of the pixel around a point by a box with round corners."""
    across, down = abs(at_x - x) - (half_w - radius), abs(at_y - y) - (half_h - radius)
    over_x, over_y = max(across, 0.0), max(down, 0.0)
    distance = math.sqrt(over_x * over_x + over_y * over_y) + min(max(across, down), 0.0) - radius
    return min(max(0.5 + pen - abs(distance), 0.0), 2.0 * pen, 1.0)


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


def cover_ellipse(
    x: float,
    y: float,
    radius_x: float,
    radius_y: float,
    pen: float,
    arc: Arc,
    top: int,
    bottom: int,
    width: int,
    spots: Bytes,
    spot_room: int,
    used: int,
    glyphs: Ints,
    room: int,
    count: int,
) -> tuple[int, int]:
    """Write the runs of an arc of an ellipse; return as ``cover_round``."""
    grow = pen + _MARGIN
    for row in range(top, bottom):
        down = abs(row + 0.5 - y)
        outer = ellipse_reach(down, radius_x + grow, radius_y + grow)
        inner = ellipse_reach(down, radius_x - grow, radius_y - grow)
        left, right = column_of(x - outer, width), column_of(x + outer + 1.0, width)
        hole, behind = column_of(x - inner + 1.0, width), column_of(x + inner, width)
        if inner > 0 and behind - hole > LANES:
            used, count = spot_ellipse(
                left, hole, row, x, y, radius_x, radius_y, pen, arc, spots, spot_room, used, glyphs, room, count
            )
            left = behind
        if count >= 0 and outer > 0:
            used, count = spot_ellipse(
                left, right, row, x, y, radius_x, radius_y, pen, arc, spots, spot_room, used, glyphs, room, count
            )
        if count < 0:
            return used, NO_ROOM
    return used, count


def ellipse_reach(down: float, radius_x: float, radius_y: float) -> float:
    """Return how far an ellipse reaches from its middle, ``down`` pixels below."""
    if radius_x <= 0 or down >= radius_y:
        return 0.0
    share = down / radius_y
    return radius_x * math.sqrt(1.0 - share * share)


def spot_ellipse(
    left: int,
    right: int,
    row: int,
    x: float,
    y: float,
    radius_x: float,
    radius_y: float,
    pen: float,
    arc: Arc,
    spots: Bytes,
    spot_room: int,
    used: int,
    glyphs: Ints,
    room: int,
    count: int,
) -> tuple[int, int]:
    """Append the run of columns ``left..right`` of a row; return how many spots and runs there are."""
    down = row + 0.5 - y
    kept = arc_side(left + 0.5 - x, right - 0.5 - x, down, radius_x, radius_y, pen, arc)
    if left >= right or kept == NONE:
        return used, count
    if used + right - left + LANES > spot_room:
        return used, NO_ROOM
    if _THIN * pen * max(radius_x, radius_y) <= min(radius_x, radius_y) ** 2:
        per_x, per_y, most = 1.0 / radius_x, 1.0 / radius_y, min(2.0 * pen, 1.0)
        for block in range(0, right - left, LANES):
            for lane in range(LANES):
                off = outside_ellipse(left + block + lane + 0.5 - x, down, per_x, per_y)
                coverage = min(max(0.5 + pen - abs(off), 0.0), most)
                store8(spots, used + block + lane, math.floor(coverage * 255.0 + 0.5))
    else:
        outer_x, outer_y = 1.0 / (radius_x + pen), 1.0 / (radius_y + pen)
        inner_x, inner_y = 1.0 / max(radius_x - pen, 1e-3), 1.0 / max(radius_y - pen, 1e-3)
        for block in range(0, right - left, ROOTS):
            for lane in range(ROOTS):
                across = left + block + lane + 0.5 - x
                outside = min(max(0.5 - outside_ellipse(across, down, outer_x, outer_y), 0.0), 1.0)
                hole = min(max(0.5 - outside_ellipse(across, down, inner_x, inner_y), 0.0), 1.0)
                store8(spots, used + block + lane, math.floor(max(outside - hole, 0.0) * 255.0 + 0.5))
    if kept == SOME:
        for spot in range(right - left):
            share = inside_arc(left + spot + 0.5 - x, down, radius_x, radius_y, pen, arc)
            store8(spots, used + spot, math.floor(load8(spots, used + spot) * share + 0.5))
    return trim_spots(left, right, row, spots, used, glyphs, room, count)


def outside_ellipse(across: float, down: float, per_x: float, per_y: float) -> float:
    """Return how far a point is outside of an ellipse around the origin; ``per_x``, ``per_y``: one by its radii."""
    u, v = across * per_x, down * per_y
    along, aside = u * per_x, v * per_y
    slope = math.sqrt(along * along + aside * aside)
    return (u * u + v * v - 1.0) / (2.0 * slope + 1e-9)


def arc_side(left: float, right: float, down: float, radius_x: float, radius_y: float, pen: float, arc: Arc) -> int:
    """Tell whether an arc has all, none or some of the pen's pixels between two columns of a row."""
    if arc[4] == WHOLE:
        return ALL
    near = 2.0 * pen + _CUT + 1.0
    for end in range(2):
        cos, sin = (arc[0], arc[1]) if end == 0 else (arc[2], arc[3])
        if abs(down - sin * radius_y) < near and left - near < cos * radius_x < right + near:
            return SOME
    first = inside_arc(left, down, radius_x, radius_y, pen, arc)
    last = inside_arc(right, down, radius_x, radius_y, pen, arc)
    if first != last:
        return SOME
    return ALL if first > 0 else NONE


def inside_arc(across: float, down: float, radius_x: float, radius_y: float, pen: float, arc: Arc) -> float:
    """Return how much of the pixel around a point lies between the ends of an arc."""
    behind = past(across, down, radius_x, radius_y, pen, arc[0], arc[1])
    before = 1.0 - past(across, down, radius_x, radius_y, pen, arc[2], arc[3])
    return min(behind, before) if arc[4] == SHORT else max(behind, before)


def past(across: float, down: float, radius_x: float, radius_y: float, pen: float, cos: float, sin: float) -> float:
    """Return how much of the pixel around a point lies clockwise of an angle of an ellipse: 0..1."""
    from_x, from_y = across - cos * radius_x, down - sin * radius_y
    if abs(from_x) + abs(from_y) < 2.0 * pen + _CUT:
        return min(max(0.5 + from_y * cos - from_x * sin, 0.0), 1.0)
    return 1.0 if down * cos * radius_x >= across * sin * radius_y else 0.0
