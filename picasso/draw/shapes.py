"""Shapes that no command of a display list has, as coverage: rings, round corners, polygons.

Coverage of curves and pens is ``0.5 - distance`` to the edge, in pixels, kept in 0..1: exact along upright edges at
whole pixels, within 1/9 of a pixel along others. Convention: the centre of the top left pixel is (0.5, 0.5).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Corner = tuple[float, float]
_FAR: Final = float(1 << 20)
"""Pixels from the picture beyond which it makes no difference how far a point is."""
_CUTS: Final = 4
"""Parts of a row of a polygon."""
_KEPT: Final = 8
"""Polygons kept: zones are the same from frame to frame."""
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


@lru_cache(maxsize=_KEPT)
def polygon(vertices: tuple[Corner, ...], size_wh: tuple[int, int]) -> Mask | None:
    """Return a filled polygon; where its edges cross, what is surrounded twice is left out.

    Each row is cut into four, and each quarter is covered exactly from left to right. ``size_wh`` is that of the
    picture.
    """
    area = _Area.around(vertices, 0, size_wh)
    if area is None:
        return None
    width, height = area.right - area.left, area.bottom - area.top
    y = area.top + (np.arange(height * _CUTS) + 0.5) / _CUTS
    crossings = np.full((height * _CUTS, len(vertices)), np.inf)
    for number, ((x0, y0), (x1, y1)) in enumerate(_edges(vertices, is_closed=True)):
        if y0 != y1:
            first, last = np.searchsorted(y, sorted((y0, y1)))
            share = (y[first:last] - y0) / (y1 - y0)
            crossings[first:last, number] = x0 * (1 - share) + x1 * share
    crossings.sort(axis=1)
    quarters, orders = np.nonzero(np.isfinite(crossings))
    x = np.clip(crossings[quarters, orders] - area.left, 0, width)
    columns = x.astype(np.int64)
    begins = np.where(orders % 2, -1.0, 1.0) / _CUTS
    changes = np.zeros((height, width + 2))
    np.add.at(changes, (quarters // _CUTS, columns), begins * (1 - (x - columns)))
    np.add.at(changes, (quarters // _CUTS, columns + 1), begins * (x - columns))
    inside = np.cumsum(changes, axis=1)[:, :width]
    return Mask(area.left, area.top, (inside * 255 + 0.5).astype(np.uint8))


@lru_cache(maxsize=_KEPT)
def outline(
    vertices: tuple[Corner, ...], width: float, size_wh: tuple[int, int], *, is_closed: bool = True
) -> Mask | None:
    """Return the edges of a polygon drawn with a round pen, ``width`` pixels wide.

    ``size_wh`` is that of the picture.
    """
    area = _Area.around(vertices, width / 2, size_wh)
    if area is None:
        return None
    x, y = area.grid()
    nearest = np.full((area.bottom - area.top, area.right - area.left), np.inf, np.float32)
    for (x0, y0), (x1, y1) in _edges(vertices, is_closed=is_closed):
        part = _Area.around([(x0, y0), (x1, y1)], width / 2, size_wh)
        if part is not None:
            rows, columns = part.slices(area)
            target = nearest[rows, columns]
            np.minimum(target, _distance(x[:, columns], y[rows], x0, y0, x1, y1), out=target)
    return area.mask(nearest - width / 2)


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

    def slices(self, whole: _Area) -> tuple[slice, slice]:
        """Return its rows and columns in an area that holds it."""
        rows = slice(self.top - whole.top, self.bottom - whole.top)
        return rows, slice(self.left - whole.left, self.right - whole.left)

    def mask(self, distance: Floats) -> Mask:
        """Return the coverage of what lies within a distance of 0."""
        coverage = np.clip(np.float32(0.5) - distance, 0, 1) * np.float32(255) + np.float32(0.5)
        return Mask(self.left, self.top, coverage.astype(np.uint8))


def _edges(vertices: Sequence[Corner], *, is_closed: bool) -> list[tuple[Corner, Corner]]:
    held = [(max(min(x, _FAR), -_FAR), max(min(y, _FAR), -_FAR)) for x, y in vertices]
    last = [(held[-1], held[0])] if is_closed else []
    return [*pairwise(held), *last]


def _distance(x: Floats, y: Floats, x0: float, y0: float, x1: float, y1: float) -> Floats:
    """Return how far each pixel is from an edge."""
    dx, dy = x1 - x0, y1 - y0
    square = dx * dx + dy * dy
    along = np.clip(((x - x0) * dx + (y - y0) * dy) / square, 0, 1) if square > _TINY else np.float32(0)
    found: Floats = np.hypot(x - x0 - along * dx, y - y0 - along * dy)
    return found
