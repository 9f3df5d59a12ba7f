"""From rings to runs of a display list: circles, boxes with round corners, and arcs of ellipses, drawn with a pen.

The coverage of a pixel is ``0.5 - distance`` of its centre to the pen's edge, in pixels, kept in 0..1. Only the pixels
along the pen are looked at, a row at a time; what is straight is looked at once. Ellipses are in ``ovals``.

Convention: positions are in pixels, and the centre of the top left pixel is (0.5, 0.5).
"""

from __future__ import annotations

import math
from typing import Final

from picasso_kernels.maths.memory import Bytes, Ints, store8, tail
from picasso_kernels.paint import display_list as at
from picasso_kernels.paint.coverage import FULL
from picasso_kernels.paint.display_list import alpha_of
from picasso_kernels.paint.ovals import LANES, cover_ellipse
from picasso_kernels.paint.raster import (
    NO_ROOM,
    PEN_MARGIN,
    Floats,
    add_run,
    column_of,
    put_run,
    put_runs,
    trim_spots,
)

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
_LARGE: Final = 12.0
"""Radius in pixels from which on the distance to a circle needs no root."""
_SMALL: Final = 1.0
"""Half of the width of a hole, in pixels, below which its coverage is taken by quarters of a pixel."""


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
            reach = half_h + pen + PEN_MARGIN
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
    grow, flat_w, flat_h = pen + PEN_MARGIN, half_w - radius, half_h - radius
    small = min(half_w, half_h) < pen + _SMALL
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
                left, hole, row, x, y, half_w, half_h, radius, pen, small,
                spots, spot_room, used, glyphs, room, count,
            )  # fmt: skip
            if count >= 0 and inner <= 0:
                middle = round_coverage(x, row + 0.5, x, y, half_w, half_h, radius, pen, small)
                count = add_run(hole, behind, row, math.floor(middle * FULL + 0.5), first, glyphs, room, count)
            left = behind
        if count >= 0:
            used, count = spot_round(
                left, right, row, x, y, half_w, half_h, radius, pen, small,
                spots, spot_room, used, glyphs, room, count,
            )  # fmt: skip
        if count < 0:
            return used, NO_ROOM
        kept = count if down <= flat_h and inner > 0 else -1
    return used, count


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
    small: bool,
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
    if radius >= max(_LARGE, pen + 1.0) and (flat_w <= 0.0 or down > 0.0):
        per, below, most = 0.5 / radius, down * down - radius * radius, min(2.0 * pen, 1.0)
        for block in range(0, right - left, LANES):
            for lane in range(LANES):
                over = max(abs(left + block + lane + 0.5 - x) - flat_w, 0.0)
                coverage = min(max(0.5 + pen - abs(far_from((over * over + below) * per, per)), 0.0), most)
                store8(spots, used + block + lane, math.floor(coverage * 255.0 + 0.5))
    else:
        for block in range(0, right - left, LANES):
            for lane in range(LANES):
                at_x = left + block + lane + 0.5
                coverage = round_coverage(at_x, row + 0.5, x, y, half_w, half_h, radius, pen, small)
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
    at_x: float,
    at_y: float,
    x: float,
    y: float,
    half_w: float,
    half_h: float,
    radius: float,
    pen: float,
    small: bool,
) -> float:
    """Return the coverage of the pixel around a point by a box with round corners; ``small`` of one whose hole is."""
    distance = round_distance(at_x - x, at_y - y, half_w, half_h, radius)
    if small and distance < 0.0:
        hole = small_hole(at_x - x, at_y - y, half_w - pen, half_h - pen, max(radius - pen, 0.0))
        return max(min(0.5 + pen - distance, 1.0) - hole, 0.0)
    return min(max(0.5 + pen - abs(distance), 0.0), 2.0 * pen, 1.0)


def round_distance(across: float, down: float, half_w: float, half_h: float, radius: float) -> float:
    """Return how far a point is outside of a box with round corners around the origin."""
    over_x, over_y = abs(across) - (half_w - radius), abs(down) - (half_h - radius)
    beside, beneath = max(over_x, 0.0), max(over_y, 0.0)
    return math.sqrt(beside * beside + beneath * beneath) + min(max(over_x, over_y), 0.0) - radius


def small_hole(across: float, down: float, half_w: float, half_h: float, radius: float) -> float:
    """Return how much of the pixel around a point lies in a small hole around the origin: by quarters of the pixel.

    None takes more than the hole's sides and its area, which a distance to its edge does not know.
    """
    if half_w <= 0.0 or half_h <= 0.0:
        return 0.0
    area = 4.0 * half_w * half_h - (4.0 - math.pi) * radius * radius
    most, share = min(4.0 * half_w, 4.0 * half_h, 4.0 * area, 1.0), 0.0
    for quarter in range(4):
        left, top = across + 0.5 * (quarter & 1) - 0.25, down + 0.5 * (quarter >> 1) - 0.25
        share += min(max(0.5 - 2.0 * round_distance(left, top, half_w, half_h, radius), 0.0), most)
    return 0.25 * share
