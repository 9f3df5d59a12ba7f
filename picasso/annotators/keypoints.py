"""Annotators of keypoints: their points, the lines of a skeleton, their numbers or names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from picasso.annotators.base import Annotator, Found
from picasso.annotators.labels import Captions
from picasso.annotators.shapes import Color, positive
from picasso.draw import batches, outlines
from picasso.draw.lists import DisplayList
from picasso.surface import SurfaceView

Skeleton = Sequence[tuple[int, int]]
COCO_SKELETON: Final[Skeleton] = (
    *((0, 1), (0, 2), (1, 3), (2, 4), (5, 6), (5, 7), (7, 9), (6, 8), (8, 10)),
    *((5, 11), (6, 12), (11, 12), (11, 13), (13, 15), (12, 14), (14, 16)),
)
"""Lines between the 17 keypoints of people in COCO, which start at 0."""


class VertexAnnotator(Annotator):
    """Draws a dot at each keypoint."""

    def __init__(self, color: Color = None, radius: float = 4, min_confidence: float = 0.0, **options: Any) -> None:
        """Draw dots of ``radius`` pixels, of keypoints that are surer than ``min_confidence``."""
        super().__init__(color, **options)
        self._radius, self._least = positive("radius", radius), min_confidence

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        points = found.keypoints
        there = points[..., 2] > self._least
        colors = np.repeat(self._colors(found), points.shape[1]).reshape(there.shape)
        return [batches.discs(points[..., :2][there], self._radius, colors[there], size_wh)]


class EdgeAnnotator(Annotator):
    """Draws the lines of a skeleton between keypoints."""

    def __init__(
        self,
        color: Color = None,
        thickness: float = 2,
        skeleton: Skeleton = COCO_SKELETON,
        min_confidence: float = 0.0,
        **options: Any,
    ) -> None:
        """Draw lines ``thickness`` pixels wide.

        Args:
            color: As for ``Annotator``.
            thickness: In pixels.
            skeleton: Pairs of keypoints, counted from 0; those that the model has not are left out.
            min_confidence: Of both ends, which are surer than this.
            options: As for ``Annotator``.
        """
        super().__init__(color, **options)
        self._width, self._least = positive("thickness", thickness), min_confidence
        self._skeleton = np.array(list(skeleton), np.int64).reshape(-1, 2)

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        points = found.keypoints
        pairs = self._skeleton[(self._skeleton < points.shape[1]).all(axis=1)]
        ends = points[:, pairs]
        there = (ends[..., 2] > self._least).all(axis=-1)
        colors = np.repeat(self._colors(found), len(pairs)).reshape(there.shape)[there]
        lines = ends[there][..., :2]
        return [batches.lines(lines[:, 0], lines[:, 1], self._width, colors, size_wh)]


class VertexLabelAnnotator(Annotator):
    """Writes the number or the name of each keypoint beside it."""

    def __init__(
        self,
        color: Color = None,
        names: Sequence[str] | None = None,
        font_px: float = 10,
        min_confidence: float = 0.0,
        **options: Any,
    ) -> None:
        """Write ``names``, or numbers from 0, in a font of ``font_px`` pixels."""
        super().__init__(color, **options)
        self._names, self._least = names, min_confidence
        self._captions = Captions(font_px, padding=2)

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        points = found.keypoints
        names = [str(number) for number in range(points.shape[1])] if self._names is None else list(self._names)
        there = points[..., 2] > self._least
        owners, numbers = np.nonzero(there)
        texts = [names[number] if number < len(names) else str(number) for number in numbers.tolist()]
        anchors = points[..., :2][there]
        return [self._captions.drawing(texts, self._colors(found)[owners], anchors, (0.5, 0.5), size_wh)]


class VertexRingAnnotator(Annotator):
    """Draws a ring around each keypoint that is the wider, the less sure the keypoint is."""

    def __init__(
        self, color: Color = None, thickness: float = 2, radius: float = 12, filled: bool = False, **options: Any
    ) -> None:
        """Draw rings of up to ``radius`` pixels, or discs where ``filled``."""
        super().__init__(color, **options)
        self._width, self._radius, self._filled = positive("thickness", thickness), positive("radius", radius), filled

    def _lists(self, found: Found, size_wh: tuple[int, int], _surface: SurfaceView | None) -> list[DisplayList]:
        points = found.keypoints
        there = points[..., 2] > 0
        colors = np.repeat(self._colors(found), points.shape[1]).reshape(there.shape)[there]
        radii = self._radius * (1.25 - np.clip(points[..., 2][there], 0.0, 1.0))
        if self._filled:
            return [batches.discs(points[..., :2][there], radii, colors, size_wh)]
        return [outlines.circles(points[..., :2][there], radii, self._width, colors, size_wh)]
