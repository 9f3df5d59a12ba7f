"""Outlines of many shapes at once, as closed contours for ``rasters.cover``: rings, round boxes, polylines.

Convention: positions are pixels, the centre of the top left one is (0.5, 0.5).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from picasso.draw import rasters
from picasso.draw.lists import DisplayList
from picasso_kernels.paint import rings

Floats: TypeAlias = NDArray[np.float64]
Whole: TypeAlias = NDArray[Any]
_NONE: Final = np.zeros((0, 2))


class Contours(NamedTuple):
    """Closed contours, and which shape each belongs to."""

    points: Floats
    """``(P, 2)``."""
    contour_ends: Whole
    """``(C,)`` the number of points up to each contour's end."""
    shape_ends: Whole
    """``(N,)`` the number of contours up to each shape's end."""

    fits: bool = False
    """Whether the ends are those of the arrays, and of int32."""

    def filled(self, colors: ArrayLike, size_wh: tuple[int, int], *, even_odd: bool = False) -> DisplayList:
        """Return the shapes filled; see ``rasters.cover``."""
        if self.fits:
            vertices = np.ascontiguousarray(self.points).reshape(-1)
            return rasters.cover_checked(
                vertices, self.contour_ends, self.shape_ends, colors, size_wh, even_odd=even_odd
            )
        return rasters.cover(self.points, self.contour_ends, self.shape_ends, colors, size_wh, even_odd=even_odd)


def of_equal(points: Floats, contours: int = 1) -> Contours:
    """Return shapes of ``contours`` contours each, of as many points: ``(N, contours * points, 2)``."""
    count, each = points.shape[:2]
    return Contours(points.reshape(-1, 2), *_equal_ends(count, each, contours), fits=True)


@lru_cache(maxsize=64)
def _equal_ends(count: int, each: int, contours: int) -> tuple[Whole, Whole]:
    ends = np.arange(1, count * contours + 1, dtype=np.int32) * np.int32(each // contours)
    return ends, np.arange(1, count + 1, dtype=np.int32) * np.int32(contours)


def polygons(rings: Sequence[Sequence[ArrayLike]]) -> Contours:
    """Return shapes, each of its rings ``(V, 2)``."""
    flat = [np.asarray(ring, np.float64).reshape(-1, 2) for shape in rings for ring in shape]
    sizes = np.array([len(ring) for ring in flat], np.int64)
    counts = np.array([len(shape) for shape in rings], np.int64)
    return Contours(np.concatenate([_NONE, *flat]), np.cumsum(sizes), np.cumsum(counts))


def ellipse_rings(
    centers: Floats,
    radii: Floats,
    width: float,
    colors: ArrayLike,
    size_wh: tuple[int, int],
    arc: tuple[float, float] | None = None,
) -> DisplayList:
    """Return arcs of ellipses drawn with a pen, cut straight at their ends.

    Args:
        centers: ``(N, 2)``.
        radii: ``(N, 2)`` along x and y.
        width: Of the pen, its middle on the ellipse.
        colors: ``(N,)`` packed, or one for all.
        size_wh: Of the picture.
        arc: Where arcs begin and end, in degrees clockwise from the right; None for whole ellipses.
    """
    table = np.empty((len(centers), rings.RING_SIZE))
    table[:, :2], table[:, 2:4], table[:, 4] = centers, radii, -1.0
    return rasters.rings(table, width / 2, arc, colors, size_wh)


def round_rings(
    xyxy: Floats, radii: ArrayLike, width: float, colors: ArrayLike, size_wh: tuple[int, int]
) -> DisplayList:
    """Return boxes ``(N, 4)`` with round corners drawn with a pen, its middle on the edge.

    The radii are at most half the shorter side, where a square box becomes a circle.
    """
    table = np.empty((len(xyxy), rings.RING_SIZE))
    table[:, :2] = xyxy[:, :2]
    table[:, :2] += xyxy[:, 2:]
    table[:, 2:4] = xyxy[:, 2:]
    table[:, 2:4] -= xyxy[:, :2]
    table[:, :4] *= 0.5
    table[:, 4] = radii
    return rasters.rings(table, width / 2, None, colors, size_wh)


def circles(
    centers: Floats, radii: ArrayLike, width: float, colors: ArrayLike, size_wh: tuple[int, int]
) -> DisplayList:
    """Return circles around ``(N, 2)`` points drawn with a pen, its middle at ``(N,)`` radii."""
    table = np.empty((len(centers), rings.RING_SIZE))
    table[:, :2] = centers
    table[:, 2:] = np.asarray(radii, np.float64)[..., None]
    return rasters.rings(table, width / 2, None, colors, size_wh)


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
