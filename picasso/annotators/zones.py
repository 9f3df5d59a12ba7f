"""Zones and lines that count objects, and annotators that draw them with their counts."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter, OrderedDict
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from picasso.annotators.base import Annotator, Floats, Found, surface_of
from picasso.annotators.labels import Captions
from picasso.annotators.palettes import faded
from picasso.annotators.shapes import anchor_of, points_at, positive
from picasso.draw import outlines
from picasso.draw.attached import joined
from picasso.draw.lists import DisplayList
from picasso.draw.values import ColorDraw
from picasso.errors import ShapeError, SpecError
from picasso.primitives import Point
from picasso.surface import SurfaceView

_KEPT_TRACKS: Final = 4096
_WHITE: Final = ColorDraw(255, 255, 255)


Position = tuple[float, float] | Point
"""``(x, y)`` in pixels, or a point."""


def _positions(points: Any) -> Any:
    """Return pairs of numbers for points with ``x`` and ``y``, ours or those of another library; others as they are."""
    if not isinstance(points, list | tuple):
        return points
    return [(point.x, point.y) if hasattr(point, "x") and hasattr(point, "y") else point for point in points]


class PolygonZone:
    """An area that tells which objects stand in it.

    >>> zone = PolygonZone([(0, 0), (100, 0), (100, 100), (0, 100)])
    >>> from picasso.primitives import Detections
    >>> zone.trigger(Detections.of([[10, 10, 30, 30], [200, 10, 230, 30]])).tolist(), zone.count
    ([True, False], 1)
    """

    def __init__(self, polygon: ArrayLike | Sequence[Point], position: str = "bottom_center") -> None:
        """Take an area.

        Args:
            polygon: ``(V, 2)`` pixels, or as many points with ``x`` and ``y``; at least 3 corners.
            position: Point of a box that counts: one of ``picasso.annotators.ANCHORS``.

        Raises:
            ShapeError: The polygon is no such array.
            SpecError: There is no such position.
        """
        self.polygon: Floats = np.asarray(_positions(polygon), np.float64)
        if self.polygon.ndim != 2 or self.polygon.shape[1] != 2 or len(self.polygon) < 3:
            raise ShapeError(f"polygon: expected (V, 2), V at least 3, got shape {self.polygon.shape}")
        self.count: int = 0
        """How many objects stood in it when it was asked last."""
        self._anchor = anchor_of(position)

    def trigger(self, detections: Any) -> NDArray[np.bool_]:
        """Return ``(N,)`` which of the detections stand in it, and count them."""
        inside = contains(self.polygon, points_at(Found.of(detections).xyxy, self._anchor))
        self.count = int(inside.sum())
        return inside


def contains(polygon: Floats, points: Floats) -> NDArray[np.bool_]:
    """Tell which points ``(N, 2)`` a polygon ``(V, 2)`` contains, by the even-odd rule."""
    x, y = points[:, :1], points[:, 1:]
    (x0, y0), (x1, y1) = polygon.T, np.roll(polygon, -1, axis=0).T
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
    crossed = ((y0 <= y) != (y1 <= y)) & (x < crossing)
    found: NDArray[np.bool_] = crossed.sum(axis=1) % 2 == 1
    return found


class LineZone:
    """A line that counts the tracks that cross it, each time in their direction.

    ``in`` is from the right of the line to its left, seen from ``start`` to ``end``.
    """

    def __init__(self, start: Position, end: Position, position: str = "bottom_center") -> None:
        """Take a line from ``start`` to ``end``, in pixels.

        Args:
            start: Where it begins: ``(x, y)``, or a point with ``x`` and ``y``.
            end: Where it ends.
            position: Point of a box that counts: one of ``picasso.annotators.ANCHORS``.

        Raises:
            ShapeError: The line has no length.
            SpecError: There is no such position.
        """
        self.ends: Floats = np.array(_positions([start, end]), np.float64).reshape(-1, 2)
        if self.ends.shape != (2, 2) or not np.isfinite(self.ends).all() or (self.ends[0] == self.ends[1]).all():
            raise ShapeError(f"line: expected two points that differ, got {start} and {end}")
        self.in_count_of: Counter[str] = Counter()
        """By label, how many tracks went in."""
        self.out_count_of: Counter[str] = Counter()
        """By label, how many tracks went out."""
        self._anchor = anchor_of(position)
        self._sides: OrderedDict[int, bool] = OrderedDict()

    @property
    def in_count(self) -> int:
        """How many tracks went in."""
        return self.in_count_of.total()

    @property
    def out_count(self) -> int:
        """How many tracks went out."""
        return self.out_count_of.total()

    def trigger(self, detections: Any) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return ``(N,)`` which of the detections went in and which went out, since their tracks were last seen.

        Detections without a track do not count, nor do tracks beyond the ends of the line.
        """
        found = Found.of(detections)
        points = points_at(found.xyxy, self._anchor)
        start, along = self.ends[0], self.ends[1] - self.ends[0]
        steps = points - start
        side = along[0] * steps[:, 1] - along[1] * steps[:, 0]
        share = steps @ along / (along @ along)
        went_in, went_out = np.zeros(len(found), bool), np.zeros(len(found), bool)
        labels = found.labels
        for row, track in enumerate(found.track_ids):
            if track is None or not 0 <= share[row] <= 1 or not side[row]:
                continue
            is_left = bool(side[row] < 0)
            before = self._sides.get(track)
            self._sides[track] = is_left
            self._sides.move_to_end(track)
            if before is not None and before != is_left:
                (went_in if is_left else went_out)[row] = True
                (self.in_count_of if is_left else self.out_count_of)[labels[row]] += 1
        while len(self._sides) > _KEPT_TRACKS:
            self._sides.popitem(last=False)
        return went_in, went_out


class _ZoneAnnotator(Annotator):
    """What annotators of zones share: they need no detections; numbers out of range are a ``SpecError``."""

    def __init__(self, color: ColorDraw | None, thickness: float, opacity: float, font_px: float) -> None:
        super().__init__(color or _WHITE)
        if not 0 <= opacity <= 1:
            raise SpecError(f"opacity must be in 0..1, got {opacity}")
        self._width, self._fill = positive("thickness", thickness), opacity
        self._captions = Captions(positive("font_px", font_px), padding=6)
        self._kept: tuple[Any, DisplayList | None] = None, None

    def annotate(self, scene: Any, detections: Any = None) -> Any:  # noqa: ARG002  # there may be none
        """Draw the zone on a picture, in place, and return it; see ``Annotator.annotate``."""
        surface = surface_of(scene)
        self._painter.paint(surface, self._drawn(surface.size_wh))
        return scene

    def _lists(self, _found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        return [self._drawn(size_wh)]

    def _drawn(self, size_wh: tuple[int, int]) -> DisplayList:
        """Return what is drawn: made again where points, texts or size are others than those of the picture before."""
        points, texts = self._points(), self._texts()
        key = points.tobytes(), texts, size_wh
        kept, drawing = self._kept
        if drawing is None or kept != key:
            drawing = joined(self._made(points, texts, size_wh))
            self._kept = key, drawing
        return drawing

    @abstractmethod
    def _points(self) -> Floats:
        """Return where the zone is."""

    @abstractmethod
    def _texts(self) -> tuple[str, ...]:
        """Return what is written."""

    @abstractmethod
    def _made(self, points: Floats, texts: tuple[str, ...], size_wh: tuple[int, int]) -> list[DisplayList]:
        """Return what is drawn, lowest first."""

    def _caption(self, texts: Sequence[str], anchors: Floats, size_wh: tuple[int, int]) -> DisplayList:
        colors = np.repeat(self._table[:1], len(texts))
        return self._captions.drawing(texts, colors, anchors, (0.5, 0.5), size_wh)


class PolygonZoneAnnotator(_ZoneAnnotator):
    """Draws a zone, and in its middle how many objects stand in it."""

    def __init__(
        self,
        zone: PolygonZone,
        color: ColorDraw | None = None,
        thickness: float = 2,
        opacity: float = 0.0,
        font_px: float = 18,
        show_count: bool = True,
    ) -> None:
        """Draw ``zone``.

        Args:
            zone: What is drawn.
            color: White by default.
            thickness: Of its edge, in pixels.
            opacity: Of its inside, 0..1.
            font_px: Height of the count's font, in pixels.
            show_count: Whether the count is shown.

        Raises:
            SpecError: A number is out of range.
        """
        super().__init__(color, thickness, opacity, font_px)
        self._zone, self._show_count = zone, show_count

    def _points(self) -> Floats:
        return self._zone.polygon

    def _texts(self) -> tuple[str, ...]:
        return (str(self._zone.count),) if self._show_count else ()

    def _made(self, points: Floats, texts: tuple[str, ...], size_wh: tuple[int, int]) -> list[DisplayList]:
        color, parts = self._table[:1], []
        if self._fill:
            area = outlines.polygons([[points]])
            parts.append(area.filled(faded(color, self._fill), size_wh, even_odd=True))
        parts.append(outlines.polylines([points], self._width, closed=True).filled(color, size_wh))
        if texts:
            middle = (points.min(axis=0) + points.max(axis=0))[None] / 2
            parts.append(self._caption(texts, middle, size_wh))
        return parts


class LineZoneAnnotator(_ZoneAnnotator):
    """Draws a line, and beside it how many tracks went in and out; by label, where wanted."""

    def __init__(
        self,
        zone: LineZone,
        color: ColorDraw | None = None,
        thickness: float = 2,
        font_px: float = 14,
        by_label: bool = False,
        in_text: str = "in",
        out_text: str = "out",
    ) -> None:
        """Draw ``zone``.

        Args:
            zone: What is drawn.
            color: White by default.
            thickness: In pixels.
            font_px: Height of the counts' font, in pixels.
            by_label: Show a line of text for each label.
            in_text: Stands before the count of those that went in.
            out_text: Stands before the count of those that went out.

        Raises:
            SpecError: A number is out of range.
        """
        super().__init__(color, thickness, 0.0, font_px)
        self._zone, self._by_label, self._words = zone, by_label, (in_text, out_text)

    def _points(self) -> Floats:
        return self._zone.ends

    def _texts(self) -> tuple[str, ...]:
        texts = []
        for word, counts in zip(self._words, (self._zone.in_count_of, self._zone.out_count_of), strict=True):
            by_label = [f"{word} {label}: {count}" for label, count in sorted(counts.items())]
            texts.append("\n".join(by_label) if self._by_label and by_label else f"{word}: {counts.total()}")
        return tuple(texts)

    def _made(self, points: Floats, texts: tuple[str, ...], size_wh: tuple[int, int]) -> list[DisplayList]:
        start, end = points
        along = (end - start) / np.hypot(*(end - start))
        across = np.array([along[1], -along[0]]) * 24
        middle = (start + end) / 2
        line = outlines.polylines([points], self._width).filled(self._table[:1], size_wh)
        return [line, self._caption(texts, np.stack([middle + across, middle - across]), size_wh)]
