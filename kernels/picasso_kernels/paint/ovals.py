"""From arcs of ellipses to runs of a display list: what ``rings`` does with those of its shapes that have no corners.

The distance to an ellipse is that of the first order (G. Taubin, "Distance approximations for rasterizing implicit
curves", 1994).
"""

from __future__ import annotations

import math
from typing import Final, TypeAlias

from picasso_kernels.maths.memory import Bytes, Ints, load8, store8
from picasso_kernels.paint.raster import NO_ROOM, PEN_MARGIN, column_of, trim_spots

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
Arc: TypeAlias = tuple[float, float, float, float, float]
"""Cosine and sine of where an arc begins and of where it ends, and its kind."""
_CUT: Final = 4.0
"""Pixels from the end of a pen where it is cut straight; farther away the angle decides."""


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
    grow = pen + PEN_MARGIN
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


def most_of_hole(half_w: float, half_h: float, area: float) -> float:
    """Return how much of a pixel a hole can take at most, which a distance to its edge does not know.

    Args:
        half_w: Half of its width; negative where a pen leaves none.
        half_h: Half of its height.
        area: Of the hole, where it has sides.
    """
    return min(2.0 * half_w, 2.0 * half_h, area, 1.0) if half_w > 0.0 and half_h > 0.0 else 0.0


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
    if _THIN * pen * max(radius_x, radius_y) < min(radius_x, radius_y) ** 2:  # none is 0
        per_x, per_y, most = 1.0 / radius_x, 1.0 / radius_y, min(2.0 * pen, 1.0)
        for block in range(0, right - left, LANES):
            for lane in range(LANES):
                off = outside_ellipse(left + block + lane + 0.5 - x, down, per_x, per_y)
                coverage = min(max(0.5 + pen - abs(off), 0.0), most)
                store8(spots, used + block + lane, math.floor(coverage * 255.0 + 0.5))
    else:
        outer_x, outer_y = 1.0 / max(radius_x + pen, 1e-3), 1.0 / max(radius_y + pen, 1e-3)
        inner_x, inner_y = 1.0 / max(radius_x - pen, 1e-3), 1.0 / max(radius_y - pen, 1e-3)
        hole_w, hole_h = radius_x - pen, radius_y - pen
        hole_most = most_of_hole(hole_w, hole_h, math.pi * hole_w * hole_h)
        for block in range(0, right - left, ROOTS):
            for lane in range(ROOTS):
                across = left + block + lane + 0.5 - x
                outside = min(max(0.5 - outside_ellipse(across, down, outer_x, outer_y), 0.0), 1.0)
                hole = min(max(0.5 - outside_ellipse(across, down, inner_x, inner_y), 0.0), hole_most)
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
