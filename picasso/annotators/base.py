"""What all annotators share: what they draw on, of which objects, in which colours."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from picasso.annotators.palettes import Palette, as_color
from picasso.draw.attached import joined
from picasso.draw.cpu import CpuPainter
from picasso.draw.lists import DisplayList
from picasso.draw.styles import packed
from picasso.draw.values import ColorDraw
from picasso.errors import SpecError
from picasso.primitives import VideoFrame
from picasso.primitives.masks import Masks
from picasso.surface import SurfaceView

ColorBy: TypeAlias = Literal["class", "track", "index"]
Ints: TypeAlias = NDArray[np.int32]
Floats: TypeAlias = NDArray[np.float64]
Scene = TypeVar("Scene", NDArray[np.uint8], SurfaceView)
COLOR_BY: Final = ("class", "track", "index")
"""What an annotator can choose colours by."""


@dataclass(slots=True)
class Found:
    """The objects of a picture, as annotators read them: ours, or those of another library with the same columns."""

    source: Any
    """What was given."""
    xyxy: Floats
    """``(N, 4)`` corners in pixels; NaN where they are no box."""

    @classmethod
    def of(cls, detections: Any) -> Found:
        """Read detections: ``Detections``, a ``VideoFrame``, or an object with ``xyxy`` as supervision has.

        Raises:
            TypeError: It has no ``xyxy``.
        """
        if isinstance(detections, Found):
            return detections
        if isinstance(detections, VideoFrame):
            detections = detections.get_detections()
        xyxy = getattr(detections, "xyxy", None)
        if xyxy is None:
            raise TypeError(
                f"detections: expected Detections, VideoFrame, or xyxy, got {type(detections).__name__}; "
                "Detections.of(boxes_xyxy, labels) makes them, Detections.from_ultralytics(result) and others read them"
            )
        boxes = np.array(xyxy, np.float64, order="C").reshape(-1, 4)
        finite, ordered = np.isfinite(boxes), boxes[:, 2:] >= boxes[:, :2]
        if not (finite.all() and ordered.all()):
            boxes[~(finite.all(axis=1) & ordered.all(axis=1))] = np.nan
        return cls(detections, boxes)

    def __len__(self) -> int:
        return len(self.xyxy)

    def column(self, *names: str) -> Any:
        """Return the first column of ``names`` that is there, or None."""
        for name in names:
            value = getattr(self.source, name, None)
            if value is not None:
                return value
        return None

    @property
    def xywha(self) -> Floats:
        """``(N, 5)`` centre, size, angle in degrees; NaN for no angle."""
        given = self.column("xywha")
        if given is not None:
            return np.asarray(given, np.float64).reshape(-1, 5)
        low, high = self.xyxy[:, :2], self.xyxy[:, 2:]
        return np.concatenate([(low + high) / 2, high - low, np.full((len(self), 1), np.nan)], axis=1)

    @property
    def masks(self) -> tuple[list[NDArray[np.bool_]], NDArray[np.int64]] | None:
        """The masks as bitmaps and ``(N, 2)`` the whole pixels where they start; None where there are none."""
        given = self.column("masks", "mask")
        if given is None:
            return None
        if isinstance(given, Masks):
            return list(given.cuts), given.corners_xy
        dense = np.asarray(given)
        return list(dense if dense.dtype.itemsize == 1 else dense != 0), np.zeros((len(dense), 2), np.int64)

    @property
    def keypoints(self) -> Floats:
        """``(N, K, 3)`` x, y, confidence; none where there are none."""
        given = self.column("keypoints")
        if given is None and (xy := self.column("xy")) is not None:
            given = xy
        if given is None:
            return np.zeros((len(self), 0, 3))
        points = np.asarray(given, np.float64)
        if points.shape[-1] == 3:
            return points
        sure = np.ones((*points.shape[:-1], 1))
        return np.concatenate([points, sure], axis=-1)

    @property
    def labels(self) -> list[str]:
        """The label of each: its text, else the name or the number of its class."""
        given = self.column("labels")
        if given is None:
            data = self.column("data") or {}
            given = data.get("class_name")
        if given is None:
            numbers = self.column("class_ids", "class_id")
            given = [""] * len(self) if numbers is None else [str(number) for number in np.asarray(numbers).tolist()]
        return [str(label) for label in given]

    @property
    def confidences(self) -> Floats:
        """``(N,)``, NaN where there is none."""
        given = self.column("confidences", "confidence")
        return np.full(len(self), np.nan) if given is None else np.asarray(given, np.float64)

    @property
    def track_ids(self) -> list[int | None]:
        """The track of each, or None."""
        given = self.column("track_ids", "tracker_id")
        numbers = [None] * len(self) if given is None else np.asarray(given).tolist()
        return [None if number is None or number < 0 else int(number) for number in numbers]


def surface_of(scene: object) -> SurfaceView:
    """Return a picture as a surface; an array's pixels are shared."""
    return scene if isinstance(scene, SurfaceView) else SurfaceView.wrap(scene)


class Annotator(ABC):
    """Draws something for each object of a picture. For one thread at a time."""

    def __init__(
        self, color: ColorDraw | Palette | str | None = None, *, color_by: ColorBy = "class", opacity: float = 1.0
    ) -> None:
        """Choose the colours.

        Args:
            color: One for all, also as ``"#E69F00"``, a palette or the name of one; None is the palette ``safe``.
            color_by: Which number of an object picks the colour of a palette: ``class``, ``track`` or ``index``.
            opacity: 0..1.

        Raises:
            SpecError: There is no such palette, ``color_by`` is another word, or ``opacity`` is out of range.
            TypeError: ``color`` is something else.
        """
        if str(color_by) not in COLOR_BY:
            raise SpecError(f"color_by must be one of {', '.join(COLOR_BY)}, got {color_by!r}")
        if not 0 <= opacity <= 1:
            raise SpecError(f"opacity must be in 0..1, got {opacity}")
        color = as_color(color)
        if color is None or isinstance(color, str):
            color = Palette.named(color or "safe")
        if not isinstance(color, ColorDraw | Palette):
            raise TypeError(
                f"color: expected a ColorDraw, a Palette, '#RRGGBB' or the name of a palette, got {color!r}"
            )
        if isinstance(color, ColorDraw):
            color = Palette((color,))
        self._palette = color
        self._table = np.array([packed(_faded(one, opacity)) for one in color.colors], np.int32)
        self._color_by = color_by
        self._classes: dict[str, int] = {}
        self._painter = CpuPainter()

    def annotate(self, scene: Scene, detections: Any) -> Scene:
        """Draw on a picture, in place, and return it.

        Args:
            scene: ``(H, W, 3)`` RGB, ``(H, W, 4)`` RGBA or ``(H, W)`` gray of uint8; or a surface in host memory, of
                any format that the painter draws on, such as BGR or the planes of an encoder.
            detections: Of the picture: ``Detections``, a ``VideoFrame``, or supervision's.
        """
        surface = surface_of(scene)
        self._painter.paint(surface, self.drawing(detections, surface.size_wh, surface))
        return scene

    def drawing(self, detections: Any, size_wh: tuple[int, int], surface: SurfaceView | None = None) -> DisplayList:
        """Return what is drawn, as a display list: ``picasso.draw.attached.attach`` gives it to the engine.

        Args:
            detections: As for ``annotate``.
            size_wh: Of the picture.
            surface: The picture, for those that look at its pixels.
        """
        found = Found.of(detections)
        return joined(self._lists(found, size_wh, surface))

    @abstractmethod
    def _lists(self, found: Found, size_wh: tuple[int, int], surface: SurfaceView | None) -> list[DisplayList]:
        """Return what is drawn, lowest first, at least one list."""

    def _colors(self, found: Found) -> Ints:
        """Return the packed colour of each object."""
        count, table = len(found), self._table
        if len(table) == 1:
            return np.full(count, table[0], np.int32)
        return table[self._numbers(found) % len(table)]

    def _numbers(self, found: Found) -> NDArray[np.int64]:
        if self._color_by == "index":
            return np.arange(len(found))
        if self._color_by == "track":
            return np.array([-1 if number is None else number for number in found.track_ids], np.int64)
        numbers = found.column("class_ids", "class_id")
        if numbers is not None and (known := np.asarray(numbers, np.int64)).size and known.min() >= 0:
            return known
        names = self._classes
        return np.array([names.setdefault(label, len(names)) for label in found.labels], np.int64)


def _faded(color: ColorDraw, opacity: float) -> ColorDraw:
    return ColorDraw(color.red, color.green, color.blue, round(color.alpha * opacity))
