"""Annotators that remember: the ways of tracks, and where objects were."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from picasso.annotators.base import Annotator, ColorBy, Found
from picasso.annotators.shapes import Color, anchor_of, points_at, positive
from picasso.draw import batches, outlines
from picasso.draw.lists import DisplayList
from picasso.errors import SpecError
from picasso.surface import SurfaceView

_KEPT_TRACKS: Final = 4096


class TraceAnnotator(Annotator):
    """Draws the way that each track came; needs one for each source."""

    def __init__(
        self,
        color: Color = None,
        trace_length: int = 30,
        thickness: float = 2,
        position: str = "center",
        color_by: ColorBy = "track",
        **options: Any,
    ) -> None:
        """Draw lines.

        Args:
            color: As for ``Annotator``.
            trace_length: How many of a track's last positions are drawn, at least 2.
            thickness: In pixels.
            position: Point of the box that is followed: one of ``ANCHORS``.
            color_by: As for ``Annotator``.
            options: As for ``Annotator``.

        Raises:
            SpecError: A number is out of range.
        """
        super().__init__(color, color_by=color_by, **options)
        if trace_length < 2:
            raise SpecError(f"trace_length must be at least 2, got {trace_length}")
        self._length, self._width, self._anchor = trace_length, positive("thickness", thickness), anchor_of(position)
        self._paths: OrderedDict[int, deque[tuple[float, float]]] = OrderedDict()

    def reset(self) -> None:
        """Forget all tracks."""
        self._paths.clear()

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        points, tracks = points_at(found.xyxy, self._anchor), found.track_ids
        paths, rows = [], []
        for row, (track, point) in enumerate(zip(tracks, points.tolist(), strict=True)):
            if track is not None and np.isfinite(point).all():
                path = self._paths.setdefault(track, deque(maxlen=self._length))
                path.append((point[0], point[1]))
                self._paths.move_to_end(track)
                if len(path) > 1:
                    paths.append(np.array(path))
                    rows.append(row)
        while len(self._paths) > _KEPT_TRACKS:
            self._paths.popitem(last=False)
        return [outlines.polylines(paths, self._width).filled(self._colors(found)[rows], size_wh)]


class HeatMapAnnotator(Annotator):
    """Shows where objects were, as a glow from blue over green to red; needs one for each source."""

    def __init__(
        self, radius: float = 40, opacity: float = 0.4, position: str = "bottom_center", decay: float = 1.0
    ) -> None:
        """Show a heat map.

        Args:
            radius: Of the spot that an object leaves, in pixels.
            opacity: Of the map, 0..1.
            position: Point of the box that leaves the spot: one of ``ANCHORS``.
            decay: What is left of the heat after a frame, 0..1; by default everything.

        Raises:
            SpecError: A number is out of range.
        """
        super().__init__(opacity=opacity)
        if not 0 <= decay <= 1:
            raise SpecError(f"decay must be in 0..1, got {decay}")
        self._opacity, self._anchor, self._decay = opacity, anchor_of(position), decay
        self._cell = max(int(positive("radius", radius) / 10), 1)
        self._spot = _spot(radius / self._cell)
        self._heat = np.zeros((0, 0), np.float32)

    def reset(self) -> None:
        """Forget where objects were."""
        self._heat = np.zeros((0, 0), np.float32)

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        cell, (width, height) = self._cell, size_wh
        shape = -(-height // cell), -(-width // cell)
        if self._heat.shape != shape:
            self._heat = np.zeros(shape, np.float32)
        self._heat *= self._decay
        for x, y in (points_at(found.xyxy, self._anchor) / cell).tolist():
            if np.isfinite((x, y)).all():
                _add(self._heat, self._spot, round(x), round(y))
        most = float(self._heat.max(initial=0.0))
        if not most:
            return [batches.boxes([], 0, size_wh)]
        colors = _RAMP[(self._heat * (255 / most)).astype(np.uint8)]
        rows, columns = np.flatnonzero(self._heat.any(axis=1)), np.flatnonzero(self._heat.any(axis=0))
        top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
        part = colors[top:bottom, left:right].view(np.uint32)[..., 0]
        large = np.repeat(np.repeat(part, cell, axis=0), cell, axis=1).view(np.uint8)
        picture = large.reshape(part.shape[0] * cell, part.shape[1] * cell, 4)
        return [batches.image(picture, left * cell, top * cell, size_wh, opacity=self._opacity)]


def _spot(radius: float) -> NDArray[np.float32]:
    """Return the heat that an object leaves: a hill, 1 in the middle and 0 at ``radius``."""
    reach = int(np.ceil(radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    spot: NDArray[np.float32] = np.clip(1.0 - np.hypot(x, y) / radius, 0.0, 1.0).astype(np.float32)
    return spot


def _add(heat: NDArray[np.float32], spot: NDArray[np.float32], x: int, y: int) -> None:
    reach, (height, width) = len(spot) // 2, heat.shape
    top, bottom, left, right = (
        max(y - reach, 0),
        min(y + reach + 1, height),
        max(x - reach, 0),
        min(x + reach + 1, width),
    )
    if top < bottom and left < right:
        from_y, from_x = top - y + reach, left - x + reach
        heat[top:bottom, left:right] += spot[from_y : from_y + bottom - top, from_x : from_x + right - left]


def _ramp() -> NDArray[np.uint8]:
    """Return red, green, blue and alpha for each heat: blue, cyan, green, yellow, red."""
    stops = np.array([[0, 0, 255], [0, 255, 255], [0, 255, 0], [255, 255, 0], [255, 0, 0]], np.float64)
    places = np.linspace(0, 255, len(stops))
    channels = [np.interp(np.arange(256), places, stops[:, channel]) for channel in range(3)]
    alpha = np.clip(np.arange(256) * 6, 0, 255)
    return np.stack([*channels, alpha], axis=1).astype(np.uint8)


_RAMP: Final = _ramp()
