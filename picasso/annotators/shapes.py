"""Annotators of boxes and of marks at boxes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np

from picasso.annotators.base import Annotator, Floats, Found
from picasso.annotators.palettes import Palette, one_color
from picasso.draw import batches, outlines
from picasso.draw.lists import DisplayList
from picasso.draw.values import ColorDraw
from picasso.errors import SpecError
from picasso.surface import SurfaceView

Color = ColorDraw | Palette | str | None
ANCHORS: Final = {
    "center": (0.5, 0.5),
    "top_left": (0.0, 0.0),
    "top_center": (0.5, 0.0),
    "top_right": (1.0, 0.0),
    "center_left": (0.0, 0.5),
    "center_right": (1.0, 0.5),
    "bottom_left": (0.0, 1.0),
    "bottom_center": (0.5, 1.0),
    "bottom_right": (1.0, 1.0),
}
"""Points of a box by name, as shares of its width and height."""
_CORNERS: Final = np.array([[[0, 1]], [[2, 1]], [[2, 3]], [[0, 3]]]).repeat(6, axis=1)
"""Columns of the four corners of a box, six times each."""
_INWARD: Final = np.array([[[1.0, 1.0]], [[-1.0, 1.0]], [[-1.0, -1.0]], [[1.0, -1.0]]])
_FLAT: Final = np.array([1.0, 0.35])
"""Radii of the ellipse at an object's foot, as shares of its width."""


def anchor_of(name: str) -> tuple[float, float]:
    """Return a point of a box by its name, or by a member of an enumeration with such values, as supervision has.

    Raises:
        SpecError: There is none of this name.
    """
    try:
        return ANCHORS[str(getattr(name, "value", name)).lower()]
    except KeyError:
        raise SpecError(f"position must be one of {', '.join(ANCHORS)}, got {name!r}") from None


def outside_share(anchor: tuple[float, float]) -> tuple[float, float]:
    """Return which point of something lies on a point of a box, so that it stands outside of the box, if it can."""
    across, down = anchor
    if down == 0.5:
        return 1.0 - across, 0.5
    return across, 1.0 - down


def points_at(xyxy: Floats, anchor: tuple[float, float]) -> Floats:
    """Return ``(N, 2)`` points of boxes."""
    found: Floats = xyxy[:, 2:] - xyxy[:, :2]
    found *= _share_of(anchor)
    found += xyxy[:, :2]
    return found


@lru_cache(maxsize=len(ANCHORS))
def _share_of(anchor: tuple[float, float]) -> Floats:
    return np.array(anchor)


def positive(name: str, value: float) -> float:
    """Return ``value``; ``SpecError`` unless it is above 0 and finite."""
    if not 0 < value < float("inf"):
        raise SpecError(f"{name} must be more than 0, got {value}")
    return value


class BoxAnnotator(Annotator):
    """Draws the edges of boxes."""

    def __init__(self, color: Color = None, thickness: float = 2, **options: Any) -> None:
        """Draw edges ``thickness`` pixels wide; ``color`` and ``options`` are those of ``Annotator``."""
        super().__init__(color, **options)
        self._edge = positive("thickness", thickness) / 2

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        return [batches.boxes(found.xyxy, self._colors(found), size_wh, edge=self._edge)]


class OrientedBoxAnnotator(BoxAnnotator):
    """Draws the edges of boxes as they are turned."""

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        corners = (found.column("data") or {}).get("xyxyxyxy")  # supervision's
        if found.column("xywha") is None and corners is not None:
            rings = np.asarray(corners, np.float64).reshape(-1, 4, 2)
            return [outlines.polylines(list(rings), 2 * self._edge, closed=True).filled(self._colors(found), size_wh)]
        turned = found.xywha
        if not np.isfinite(turned[:, 4]).any():
            return super()._lists(found, size_wh, _surface)
        return [batches.turned(turned, self._colors(found), size_wh, edge=self._edge)]


class RoundBoxAnnotator(Annotator):
    """Draws the edges of boxes with round corners."""

    def __init__(self, color: Color = None, thickness: float = 2, roundness: float = 0.6, **options: Any) -> None:
        """Draw edges ``thickness`` pixels wide.

        Args:
            color: As for ``Annotator``.
            thickness: In pixels.
            roundness: Radius of a corner as a share of half the shorter side, 0..1.
            options: As for ``Annotator``.

        Raises:
            SpecError: A number is out of range.
        """
        super().__init__(color, **options)
        if not 0 <= roundness <= 1:
            raise SpecError(f"roundness must be in 0..1, got {roundness}")
        self._width, self._roundness = positive("thickness", thickness), roundness

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        sides = found.xyxy[:, 2:] - found.xyxy[:, :2]
        radii = np.minimum(sides[:, 0], sides[:, 1]) * (self._roundness / 2)
        return [outlines.round_rings(found.xyxy, radii, self._width, self._colors(found), size_wh)]


class BoxCornerAnnotator(Annotator):
    """Draws the corners of boxes."""

    def __init__(self, color: Color = None, thickness: float = 4, corner_length: float = 15, **options: Any) -> None:
        """Draw two lines at each corner, ``corner_length`` pixels long and ``thickness`` wide."""
        super().__init__(color, **options)
        half, length = positive("thickness", thickness) / 2, positive("corner_length", corner_length)
        # a corner is an L: six points, from the outer corner on
        ell = [(-half, -half), (length, -half), (length, half), (half, half), (half, length), (-half, length)]
        self._steps = np.array(ell) * _INWARD
        self._steps[1::2] = self._steps[1::2, ::-1]  # all go round the same way

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        points = found.xyxy[:, _CORNERS] + self._steps
        colors = self._colors(found)
        return [outlines.of_equal(points.reshape(len(found), 24, 2), 4).filled(colors, size_wh)]


class EllipseAnnotator(Annotator):
    """Draws an arc of an ellipse around the foot of each object."""

    def __init__(
        self, color: Color = None, thickness: float = 2, start_deg: float = -45, end_deg: float = 235, **options: Any
    ) -> None:
        """Draw an arc ``thickness`` pixels wide from ``start_deg`` to ``end_deg``, clockwise from the right."""
        super().__init__(color, **options)
        self._width, self._arc = positive("thickness", thickness), (float(start_deg), float(end_deg))

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        radii = (found.xyxy[:, 2:3] - found.xyxy[:, :1]) * _FLAT
        feet = points_at(found.xyxy, ANCHORS["bottom_center"])
        return [outlines.ellipse_rings(feet, radii, self._width, self._colors(found), size_wh, self._arc)]


class CircleAnnotator(Annotator):
    """Draws a circle around each box, through its corners."""

    def __init__(self, color: Color = None, thickness: float = 2, **options: Any) -> None:
        """Draw circles ``thickness`` pixels wide."""
        super().__init__(color, **options)
        self._width = positive("thickness", thickness)

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        sides = found.xyxy[:, 2:] - found.xyxy[:, :2]
        radii, middles = np.hypot(sides[:, 0], sides[:, 1]) / 2, points_at(found.xyxy, ANCHORS["center"])
        return [outlines.circles(middles, radii, self._width, self._colors(found), size_wh)]


class DotAnnotator(Annotator):
    """Draws a dot at a point of each box."""

    def __init__(self, color: Color = None, radius: float = 4, position: str = "center", **options: Any) -> None:
        """Draw dots of ``radius`` pixels at ``position``, one of ``ANCHORS``."""
        super().__init__(color, **options)
        self._radius, self._anchor = positive("radius", radius), anchor_of(position)

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        return [batches.discs(points_at(found.xyxy, self._anchor), self._radius, self._colors(found), size_wh)]


class TriangleAnnotator(Annotator):
    """Draws a triangle that points down at a point of each box."""

    def __init__(
        self, color: Color = None, base: float = 10, height: float = 10, position: str = "top_center", **options: Any
    ) -> None:
        """Draw triangles ``base`` pixels wide and ``height`` high, their tips at ``position``, one of ``ANCHORS``."""
        super().__init__(color, **options)
        width, tall = positive("base", base), positive("height", height)
        self._steps = np.array([(-width / 2, -tall), (width / 2, -tall), (0.0, 0.0)])
        self._anchor = anchor_of(position)

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        points = points_at(found.xyxy, self._anchor)[:, None] + self._steps
        return [outlines.of_equal(points).filled(self._colors(found), size_wh)]


class ColorAnnotator(Annotator):
    """Fills boxes."""

    def __init__(self, color: Color = None, opacity: float = 0.5, **options: Any) -> None:
        """Fill boxes by ``opacity``, 0..1; ``color`` and ``options`` are those of ``Annotator``."""
        super().__init__(color, opacity=opacity, **options)

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        return [batches.boxes(_whole(found.xyxy), self._colors(found), size_wh)]


class BlurAnnotator(Annotator):
    """Blurs what lies in boxes."""

    def __init__(self, sigma: float | None = None) -> None:
        """Blur by a Gaussian of ``sigma`` pixels, up to 40; None is a tenth of each box's shorter side, 2..40."""
        super().__init__()
        self._sigma = None if sigma is None else positive("sigma", sigma)

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        return [batches.blurs(_whole(found.xyxy), size_wh, sigma=self._sigma)]


class PixelateAnnotator(Annotator):
    """Shows what lies in boxes as large squares."""

    def __init__(self, pixel_size: int = 20) -> None:
        """Show squares of ``pixel_size`` pixels a side."""
        super().__init__()
        self._cell = int(positive("pixel_size", pixel_size))

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        return [batches.mosaics(_whole(found.xyxy), self._cell, size_wh)]


class PercentageBarAnnotator(Annotator):
    """Draws a bar at each box that is as full as the object is sure."""

    def __init__(
        self,
        color: Color = None,
        width: float = 80,
        height: float = 16,
        position: str = "top_center",
        border_color: ColorDraw | str | None = None,
        border_thickness: float | None = None,
        **options: Any,
    ) -> None:
        """Draw bars.

        Args:
            color: As for ``Annotator``.
            width: Of a bar, in pixels.
            height: Of a bar.
            position: Where it stands, outside of the box: one of ``ANCHORS``.
            border_color: Of its frame, also as ``"#000000"``; black by default.
            border_thickness: Of its frame, in pixels; by default 15 % of the height.
            options: As for ``Annotator``.
        """
        super().__init__(color, **options)
        self._wh = np.array([positive("width", width), positive("height", height)])
        self._anchor = anchor_of(position)
        self._outside = self._wh * outside_share(self._anchor)
        self._border = Palette((one_color("border_color", border_color or ColorDraw(0, 0, 0)),)).pick([0])[0]
        self._edge = (0.15 * height if border_thickness is None else border_thickness) / 2

    def values(self, found: Found) -> Floats:
        """Return how full the bar of each object in ``found`` is, 0..1: the confidences; override it for others."""
        return found.confidences

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        full = np.empty((len(found), 4))
        full[:, :2] = points_at(found.xyxy, self._anchor)
        full[:, :2] -= self._outside
        full[:, 2:] = full[:, :2]
        full[:, 2:] += self._wh
        share = np.asarray(self.values(found), np.float64)
        filled = full.copy()
        np.fmin(np.fmax(share, 0.0), 1.0, out=filled[:, 2])  # NaN is 0
        filled[:, 2] *= self._wh[0]
        filled[:, 2] += full[:, 0]
        parts = [(filled, self._colors(found), None), (full, self._border, self._edge)]
        return [batches.layers(parts[: 1 if self._edge <= 0 else 2], size_wh)]


def _whole(xyxy: Floats) -> Floats:
    """Return boxes of whole pixels, so that what fills them has no soft edge."""
    found: Floats = np.concatenate([np.floor(xyxy[:, :2] + 0.5), np.floor(xyxy[:, 2:] + 0.5)], axis=1)
    return found
