"""Outlines of many shapes at once, as closed contours for ``rasters.cover``: rings, round boxes, polylines.

Convention: positions are pixels, the centre of the top left one is (0.5, 0.5).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from picasso.draw import rasters
from picasso.draw.lists import DisplayList

Floats: TypeAlias = NDArray[np.float64]
Whole: TypeAlias = NDArray[np.int64]
_ARC: Final = 48
"""Points of a whole ellipse."""
_CORNER: Final = 7
"""Points of a quarter of a circle."""
_NONE: Final = np.zeros((0, 2))


class Contours(NamedTuple):
    """Closed contours, and which shape each belongs to."""

    points: Floats
    """``(P, 2)``."""
    contour_ends: Whole
    """``(C,)`` the number of points up to each contour's end."""
    shape_ends: Whole
    """``(N,)`` the number of contours up to each shape's end."""

    def filled(self, colors: ArrayLike, size_wh: tuple[int, int], *, even_odd: bool = False) -> DisplayList:
        """Return the shapes filled; see ``rasters.cover``."""
        return rasters.cover(self.points, self.contour_ends, self.shape_ends, colors, size_wh, even_odd=even_odd)


def of_equal(points: Floats, contours: int = 1) -> Contours:
    """Return shapes of ``contours`` contours each, of as many points: ``(N, contours * points, 2)``."""
    count, each = points.shape[:2]
    ends = np.arange(1, count * contours + 1) * (each // contours)
    return Contours(points.reshape(-1, 2), ends, np.arange(1, count + 1) * contours)


def polygons(rings: Sequence[Sequence[ArrayLike]]) -> Contours:
    """Return shapes, each of its rings ``(V, 2)``."""
    flat = [np.asarray(ring, np.float64).reshape(-1, 2) for shape in rings for ring in shape]
    sizes = np.array([len(ring) for ring in flat], np.int64)
    counts = np.array([len(shape) for shape in rings], np.int64)
    return Contours(np.concatenate([_NONE, *flat]), np.cumsum(sizes), np.cumsum(counts))


def ellipse_rings(
    centers: Floats, radii: Floats, width: float, *, start_deg: float = 0.0, end_deg: float = 360.0
) -> Contours:
    """Return arcs of ellipses drawn with a pen, cut straight at their ends.

    Args:
        centers: ``(N, 2)``.
        radii: ``(N, 2)`` along x and y.
        width: Of the pen, its middle on the ellipse.
        start_deg: Where arcs begin, clockwise from the right.
        end_deg: Where they end.
    """
    unit = _arc(start_deg, end_deg)
    outer = centers[:, None] + unit * (radii[:, None] + width / 2)
    inner = centers[:, None] + unit[::-1] * np.maximum(radii[:, None] - width / 2, 0.0)
    whole = abs(end_deg - start_deg) >= 360.0
    return of_equal(np.concatenate([outer, inner], axis=1), 2 if whole else 1)


@lru_cache(maxsize=16)
def _arc(start_deg: float, end_deg: float) -> Floats:
    share = min(abs(end_deg - start_deg) / 360.0, 1.0)
    angles = np.radians(np.linspace(start_deg, end_deg, max(round(_ARC * share), 4) + 1))
    found: Floats = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return found[:-1] if share == 1.0 else found


def round_boxes(xyxy: Floats, radii: Floats) -> Floats:
    """Return boxes ``(N, 4)`` with corners of ``(N,)`` radii, at most half the shorter side: ``(N, P, 2)``."""
    low, high = xyxy[:, :2], xyxy[:, 2:]
    reach = np.maximum(np.minimum(radii, (high - low).min(axis=1) / 2), 0.0)[:, None]
    near, far = low + reach, high - reach
    unit = _corner()
    corners = [
        (far, 0),
        (np.stack([near[:, 0], far[:, 1]], 1), 1),
        (near, 2),
        (np.stack([far[:, 0], near[:, 1]], 1), 3),
    ]
    parts = [center[:, None] + _turned(unit, quarter) * reach[:, None] for center, quarter in corners]
    return np.concatenate(parts, axis=1)


def round_rings(xyxy: Floats, radii: Floats, width: float) -> Contours:
    """Return boxes with round corners drawn with a pen, its middle on the edge; fill them by the even-odd rule."""
    grow = np.array([-1.0, -1.0, 1.0, 1.0]) * (width / 2)
    inside = xyxy - grow
    middle = (inside[:, :2] + inside[:, 2:]) / 2
    inside[:, :2], inside[:, 2:] = np.minimum(inside[:, :2], middle), np.maximum(inside[:, 2:], middle)
    outer, inner = round_boxes(xyxy + grow, radii + width / 2), round_boxes(inside, np.maximum(radii - width / 2, 0.0))
    return of_equal(np.concatenate([outer, inner], axis=1), 2)


@lru_cache(maxsize=1)
def _corner() -> Floats:
    angles = np.linspace(0.0, math.pi / 2, _CORNER)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _turned(points: Floats, quarters: int) -> Floats:
    for _ in range(quarters):
        points = np.stack([-points[:, 1], points[:, 0]], axis=1)
    return points


def polylines(paths: Sequence[ArrayLike], width: float, *, closed: bool = False) -> Contours:
    """Return paths ``(V, 2)`` drawn with a round pen, ``width`` pixels wide; one point is a dot."""
    points, contours, shapes = [_NONE], [np.zeros(0, np.int64)], []
    for path in paths:
        vertices = np.asarray(path, np.float64).reshape(-1, 2)
        ends = np.roll(vertices, -1, axis=0) if closed and len(vertices) > 2 else vertices[1:]
        quads = _quads(vertices[: len(ends)], ends, width / 2)
        joints = vertices if closed or len(vertices) == 1 else vertices[1:-1]
        dots = joints[:, None] + _round(width / 2) if width > 2 or len(vertices) == 1 else np.zeros((0, 1, 2))
        points += [quads.reshape(-1, 2), dots.reshape(-1, 2)]
        contours += [np.full(len(quads), 4), np.full(len(dots), dots.shape[1])]
        shapes.append(len(quads) + len(dots))
    return Contours(np.concatenate(points), np.cumsum(np.concatenate(contours)), np.cumsum(shapes, dtype=np.int64))


def _quads(starts: Floats, ends: Floats, half: float) -> Floats:
    """Return segments as rectangles ``(N, 4, 2)`` that all go round the same way; those of no length are none."""
    along = ends - starts
    lengths = np.hypot(along[:, 0], along[:, 1])
    kept = lengths > 0
    starts, ends, along = starts[kept], ends[kept], along[kept] / lengths[kept, None]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) * half
    return np.stack([starts - across, ends - across, ends + across, starts + across], axis=1)


@lru_cache(maxsize=16)
def _round(radius: float) -> Floats:
    """Return a disc around the origin that goes round as the rectangles do."""
    angles = np.linspace(0.0, 2 * math.pi, max(8, min(int(4 * radius), 48)), endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius
