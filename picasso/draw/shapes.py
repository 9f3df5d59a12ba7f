"""Shapes that no command of a display list has, as coverage: rings, round corners, polygons.

Coverage is ``0.5 - distance`` to the edge, in pixels, kept in 0..1: within 1/2 level of the exact area along straight
edges that are upright, within 1/9 of a pixel along others. Convention: the centre of the top left pixel is (0.5, 0.5).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Corner = tuple[float, float]
_FAR: Final = float(1 << 20)
"""Pixels from the picture beyond which it makes no difference how far a point is."""
_TINY: Final = 1e-6
"""Square of the length of an edge that is a point."""


class Mask(NamedTuple):
    """Coverage of a rectangle of pixels."""

    left: int
    """Column of its first pixel."""
    top: int
    coverage: npt.NDArray[np.uint8]
    """``(height, width)``, 0..255."""


def ring(center: Corner, radius: float, width: float, size_wh: tuple[int, int]) -> Mask | None:
    """Return a circle drawn with a pen, ``width`` pixels wide, its middle on the circle.

    ``size_wh`` is that of the picture, outside of which nothing is drawn, as for all shapes here.
    """
    reach = radius + width / 2
    area = _Area.around([center], reach, size_wh)
    if area is None:
        return None
    x, y = area.grid()
    return area.mask(np.abs(np.hypot(x - np.float32(center[0]), y - np.float32(center[1])) - radius) - width / 2)


def rounded_rect(box_ltrb: tuple[float, float, float, float], radius: float, size_wh: tuple[int, int]) -> Mask | None:
    """Return a filled rectangle with round corners; at most half the shorter side counts of their ``radius``.

    ``box_ltrb`` is left, top, right and bottom, ``size_wh`` that of the picture.
    """
    left, top, right, bottom = box_ltrb
    area = _Area.around([(left, top), (right, bottom)], 0, size_wh)
    if area is None:
        return None
    half_w, half_h = (right - left) / 2, (bottom - top) / 2
    radius = max(min(radius, half_w, half_h), 0.0)
    x, y = area.grid()
    across = np.abs(x - np.float32(left + half_w)) - np.float32(half_w - radius)
    down = np.abs(y - np.float32(top + half_h)) - np.float32(half_h - radius)
    outside = np.hypot(np.maximum(across, 0), np.maximum(down, 0))
    return area.mask(outside + np.minimum(np.maximum(across, down), 0) - radius)


def polygon(vertices: Sequence[Corner], size_wh: tuple[int, int]) -> Mask | None:
    """Return a filled polygon; where its edges cross, what is surrounded twice is left out."""
    area = _Area.around(vertices, 0, size_wh)
    if area is None:
        return None
    x, y = area.grid()
    inside = np.zeros((len(y), x.shape[1]), bool)
    for (x0, y0), (x1, y1) in _edges(vertices, is_closed=True):
        between = (y < y0) != (y < y1)
        is_left = (x - x0) * (y1 - y0) < (y - y0) * (x1 - x0)
        inside ^= between & (is_left if y1 > y0 else ~is_left)
    distance = _distance(x, y, vertices, is_closed=True)
    return area.mask(np.where(inside, -distance, distance))


def outline(
    vertices: Sequence[Corner], width: float, size_wh: tuple[int, int], *, is_closed: bool = True
) -> Mask | None:
    """Return the edges of a polygon drawn with a round pen, ``width`` pixels wide."""
    area = _Area.around(vertices, width / 2, size_wh)
    if area is None:
        return None
    return area.mask(_distance(*area.grid(), vertices, is_closed=is_closed) - width / 2)


class _Area(NamedTuple):
    """The pixels that a shape may touch."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def around(cls, points: Sequence[Corner], reach: float, size_wh: tuple[int, int]) -> _Area | None:
        """Return those around some points; None where there are none in the picture, or a point is not finite."""
        xs, ys = [x for x, _ in points], [y for _, y in points]
        if not points or not all(map(math.isfinite, [*xs, *ys, reach])):
            return None
        width, height = size_wh
        left, right = max(min(xs) - reach - 1, 0), min(max(xs) + reach + 1, width)
        top, bottom = max(min(ys) - reach - 1, 0), min(max(ys) + reach + 1, height)
        if left >= right or top >= bottom:
            return None
        return cls(math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom))

    def grid(self) -> tuple[Floats, Floats]:
        """Return the centres of the pixels: a row of x, a column of y."""
        x = np.arange(self.left, self.right, dtype=np.float32) + np.float32(0.5)
        y = np.arange(self.top, self.bottom, dtype=np.float32) + np.float32(0.5)
        return x[None, :], y[:, None]

    def mask(self, distance: Floats) -> Mask:
        """Return the coverage of what lies within a distance of 0."""
        coverage = np.clip(np.float32(0.5) - distance, 0, 1) * np.float32(255) + np.float32(0.5)
        return Mask(self.left, self.top, coverage.astype(np.uint8))


def _edges(vertices: Sequence[Corner], *, is_closed: bool) -> list[tuple[Corner, Corner]]:
    held = [(max(min(x, _FAR), -_FAR), max(min(y, _FAR), -_FAR)) for x, y in vertices]
    last = [(held[-1], held[0])] if is_closed else []
    return [*pairwise(held), *last] or [(held[0], held[0])]


def _distance(x: Floats, y: Floats, vertices: Sequence[Corner], *, is_closed: bool) -> Floats:
    """Return how far each pixel is from the nearest edge."""
    nearest = np.full((len(y), x.shape[1]), np.inf, np.float32)
    for (x0, y0), (x1, y1) in _edges(vertices, is_closed=is_closed):
        dx, dy = x1 - x0, y1 - y0
        square = dx * dx + dy * dy
        along = np.clip(((x - x0) * dx + (y - y0) * dy) / square, 0, 1) if square > _TINY else np.float32(0)
        np.minimum(nearest, np.hypot(x - x0 - along * dx, y - y0 - along * dy), out=nearest)
    return nearest
