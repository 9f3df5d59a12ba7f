"""Annotators that show pictures: crops of objects as insets, and icons."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from picasso.annotators.base import Annotator, Found
from picasso.annotators.shapes import Color, anchor_of, outside_share, points_at, positive
from picasso.draw import batches
from picasso.draw.lists import DisplayList
from picasso.errors import SpecError
from picasso.surface import SurfaceView, VideoFormat

Bytes = NDArray[np.uint8]
_LIMIT: Final = 1 << 19
"""Pixels from the picture up to which an inset may stand."""


class CropAnnotator(Annotator):
    """Shows each object once more, larger, beside its box."""

    def __init__(
        self,
        color: Color = None,
        scale: float = 2.0,
        position: str = "top_center",
        border_thickness: float = 2,
        **options: Any,
    ) -> None:
        """Show insets.

        Args:
            color: Of the frames around the insets, as for ``Annotator``.
            scale: Pixels of an inset for one of the object.
            position: Where the inset stands, outside of the box: one of ``ANCHORS``.
            border_thickness: Of the frames, in pixels; 0 for none.
            options: As for ``Annotator``.
        """
        super().__init__(color, **options)
        self._scale, self._anchor, self._edge = positive("scale", scale), anchor_of(position), border_thickness / 2

    def _lists(self, found: Found, size_wh: tuple[int, int], surface: SurfaceView | None) -> list[DisplayList]:
        if surface is None:
            raise SpecError("crops are taken from the picture: drawing() needs surface")
        width, height = size_wh
        whole = np.nan_to_num(np.round(found.xyxy)).clip(0, (width, height, width, height)).astype(int)
        anchors = points_at(found.xyxy, self._anchor)
        shown = (whole[:, 2:] > whole[:, :2]).all(axis=1) & np.isfinite(anchors).all(axis=1)
        sizes = np.clip(np.round((whole[:, 2:] - whole[:, :2]) * self._scale), 16, 4096).astype(np.int64)[shown]
        corners = np.round(np.clip(anchors[shown] - sizes * outside_share(self._anchor), -_LIMIT, _LIMIT))
        pictures = batches.pictures(corners, sizes, size_wh)
        source = _readable(surface)
        for ltrb, pixels in zip(whole[shown].tolist(), pictures.parts, strict=True):
            _enlarge(source, ltrb, pixels)
        parts = [pictures.drawing]
        if self._edge > 0:
            places = np.concatenate([corners, corners + sizes], axis=1)
            parts.append(batches.boxes(places, self._colors(found)[shown], size_wh, edge=self._edge))
        return parts


class IconAnnotator(Annotator):
    """Shows an icon at each box."""

    def __init__(self, icon: Bytes, position: str = "top_center", opacity: float = 1.0) -> None:
        """Show ``icon``, ``(height, width, 3 or 4)`` RGB or RGBA, outside of the box at ``position``.

        ``opacity`` is 0..1. Another icon is a ``SpecError``.
        """
        super().__init__()
        if icon.ndim != 3 or icon.shape[2] not in {3, 4} or icon.dtype != np.uint8:
            raise SpecError(f"icon: expected (height, width, 3 or 4) of uint8, got {icon.dtype} {icon.shape}")
        self._icon, self._anchor, self._opacity = icon, anchor_of(position), opacity

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        places = points_at(found.xyxy, self._anchor)
        places = places[np.isfinite(places).all(axis=1)]
        height, width = self._icon.shape[:2]
        corners = [_outside(anchor, self._anchor, width, height) for anchor in places.tolist()]
        return [batches.images(self._icon, corners, size_wh, opacity=self._opacity)]


def _outside(point: list[float], anchor: tuple[float, float], width: int, height: int) -> tuple[int, int]:
    """Return the corner of a picture that stands outside of a box at a point of it."""
    share = outside_share(anchor)
    left, top = point[0] - width * share[0], point[1] - height * share[1]
    return round(min(max(left, -_LIMIT), _LIMIT)), round(min(max(top, -_LIMIT), _LIMIT))


def _readable(surface: SurfaceView) -> SurfaceView:
    """Return a surface that can be scaled."""
    if surface.format is VideoFormat.GRAY8:
        return SurfaceView.wrap(np.repeat(surface.to_numpy()[..., None], 3, axis=2))
    return surface


def _enlarge(source: SurfaceView, ltrb: tuple[int, int, int, int], pixels: Bytes) -> None:
    """Write a part of a surface as RGBA, scaled to fill ``(height, width, 4)`` pixels."""
    from picasso.transform import Placement, Rect
    from picasso.transform.cpu import transform

    left, top, right, bottom = ltrb
    part = Rect(top=top, left=left, width=right - left, height=bottom - top)
    target = SurfaceView.wrap(pixels)
    transform(source, Placement.compute(source.size_wh, target.size_wh, src_rect=part), target)
