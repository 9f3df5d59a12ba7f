"""Annotators of masks, polygons and what lies around objects."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from picasso.annotators.base import Annotator, Found, Ints
from picasso.annotators.palettes import faded
from picasso.annotators.shapes import Color, positive
from picasso.draw import batches, outlines, rasters
from picasso.draw.cpu import CpuPainter
from picasso.draw.lists import DisplayList
from picasso.draw.values import ColorDraw
from picasso.surface import SurfaceView

_WHITE = -1


def mask_runs(
    found: Found, colors: Ints, size_wh: tuple[int, int], rows: NDArray[np.intp] | None = None
) -> DisplayList:
    """Return the masks of objects, those of ``rows`` in this order; no commands where there are no masks."""
    given = found.masks
    if given is None:
        return batches.boxes([], 0, size_wh)
    bitmaps, corners = given
    order = range(len(bitmaps)) if rows is None else rows.tolist()
    return rasters.scan([bitmaps[row] for row in order], corners[list(order)], colors[list(order)], size_wh)


class MaskAnnotator(Annotator):
    """Lays a colour over the pixels of each object, the largest objects lowest."""

    def __init__(self, color: Color = None, opacity: float = 0.5, **options: Any) -> None:
        """Cover by ``opacity``, 0..1; ``color`` and ``options`` are those of ``Annotator``."""
        super().__init__(color, opacity=opacity, **options)

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        sides = found.xyxy[:, 2:] - found.xyxy[:, :2]
        largest_first = np.argsort(-sides[:, 0] * sides[:, 1], kind="stable")
        return [mask_runs(found, self._colors(found), size_wh, largest_first)]


class PolygonAnnotator(Annotator):
    """Draws the outlines of objects: their polygons, or those around their masks."""

    def __init__(self, color: Color = None, thickness: float = 2, opacity: float = 0.0, **options: Any) -> None:
        """Draw outlines ``thickness`` pixels wide, and fill polygons by ``opacity``, 0..1."""
        super().__init__(color, **options)
        self._width, self._fill = positive("thickness", thickness), opacity

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        colors, given = self._colors(found), found.column("polygons")
        if given is None:
            return self._around_masks(found, colors, size_wh)
        rings = [[np.asarray(ring, np.float64) for ring in shape] for shape in given]
        owners = np.array([row for row, shape in enumerate(rings) for _ in shape], np.int64)
        edges = outlines.polylines([ring for shape in rings for ring in shape], self._width, closed=True)
        lines = edges.filled(colors[owners], size_wh)
        if not self._fill:
            return [lines]
        inside = outlines.polygons(rings).filled(faded(colors, self._fill), size_wh, even_odd=True)
        return [inside, lines]

    def _around_masks(self, found: Found, colors: Ints, size_wh: tuple[int, int]) -> list[DisplayList]:
        given = found.masks
        if given is None:
            return [batches.boxes([], 0, size_wh)]
        bands = [band(bitmap, self._width) for bitmap in given[0]]
        corners = given[1] + np.array([step for _, *step in bands], np.int64).reshape(-1, 2)
        lines = rasters.scan([bitmap for bitmap, *_ in bands], corners, colors, size_wh)
        return [mask_runs(found, faded(colors, self._fill), size_wh), lines] if self._fill else [lines]


def band(bitmap: NDArray[np.bool_], width: float) -> tuple[NDArray[np.bool_], int, int]:
    """Return the pixels along the edge of a bitmap, half of ``width`` of them on either side, and where they start."""
    rows, columns = np.flatnonzero(bitmap.any(axis=1)), np.flatnonzero(bitmap.any(axis=0))
    if not len(rows):
        return np.zeros((0, 0), bool), 0, 0
    outside, inside = max(round(width / 2), 1), max(round(width) - max(round(width / 2), 1), 0)
    top, left = int(rows[0]), int(columns[0])
    cut = np.pad(bitmap[top : rows[-1] + 1, left : columns[-1] + 1] != 0, outside + 1)
    wide, narrow = cut, cut
    for _ in range(outside):
        wide = _grown(wide)
    for _ in range(inside):
        narrow = ~_grown(~narrow)
    return wide & ~narrow, left - outside - 1, top - outside - 1


def _grown(bitmap: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a bitmap, and its neighbours in four directions."""
    found = bitmap.copy()
    found[1:] |= bitmap[:-1]
    found[:-1] |= bitmap[1:]
    found[:, 1:] |= bitmap[:, :-1]
    found[:, :-1] |= bitmap[:, 1:]
    return found


class BackgroundOverlayAnnotator(Annotator):
    """Covers what belongs to no object: outside of masks where there are some, else of boxes."""

    def __init__(self, color: ColorDraw | None = None, opacity: float = 0.5, force_box: bool = False) -> None:
        """Cover by ``color``, black by default, and ``opacity`` 0..1; ``force_box`` ignores masks."""
        super().__init__(color or ColorDraw(0, 0, 0), opacity=opacity)
        self._force_box = force_box

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        shown = None if self._force_box else mask_runs(found, np.full(len(found), _WHITE, np.int32), size_wh)
        if shown is None or found.masks is None:
            shown = batches.boxes(np.round(found.xyxy), _WHITE, size_wh)
        outside = coverage_of(shown, size_wh, 0) == 0
        return [rasters.scan([outside], [(0, 0)], self._table[:1], size_wh)]


class HaloAnnotator(Annotator):
    """Lays a glow around objects: around their masks, or their boxes where there are none."""

    def __init__(self, color: Color = None, opacity: float = 0.8, sigma: float = 10.0, **options: Any) -> None:
        """Glow by ``opacity``, 0..1, as far as a Gaussian of ``sigma`` pixels goes, up to 40."""
        super().__init__(color, opacity=opacity, **options)
        self._sigma = min(positive("sigma", sigma), 40.0)

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        colors, parts = self._colors(found), []
        for color in np.unique(colors).tolist():
            rows = np.flatnonzero(colors == color)
            parts.append(self._glow(found, rows, color, size_wh))
        return parts or [batches.boxes([], 0, size_wh)]

    def _glow(self, found: Found, rows: NDArray[np.intp], color: int, size_wh: tuple[int, int]) -> DisplayList:
        white = np.full(len(found), _WHITE, np.int32)
        inside = mask_runs(found, white, size_wh, rows)
        if found.masks is None:
            inside = batches.boxes(found.xyxy[rows], _WHITE, size_wh)
        if not len(inside):
            return inside
        reach = int(3 * self._sigma)
        bounds = inside.commands[:, 1:5]
        left, top = (max(int(low) - reach, 0) for low in bounds[:, :2].min(axis=0))
        right, bottom = (
            min(int(high) + reach, side) for high, side in zip(bounds[:, 2:].max(axis=0), size_wh, strict=True)
        )
        sharp = coverage_of(inside, size_wh, 0)[top:bottom, left:right]
        soft = np.ascontiguousarray(sharp)
        edge = batches.blurs([(0, 0, right - left, bottom - top)], (right - left, bottom - top), sigma=self._sigma)
        CpuPainter().paint(SurfaceView.wrap(soft), edge)
        soft[sharp > 0] = 0
        return batches.letters([(left, top, soft)], color, size_wh)


def coverage_of(drawing: DisplayList, size_wh: tuple[int, int], under: int) -> NDArray[np.uint8]:
    """Return what a white drawing makes of a gray picture ``(H, W)`` that is all ``under``."""
    gray = np.full((size_wh[1], size_wh[0]), under, np.uint8)
    CpuPainter().paint(SurfaceView.wrap(gray), drawing)
    return gray
