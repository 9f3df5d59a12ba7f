"""YOLO as its exporters write it: where boxes, scores and the rest lie in a row, and what the rest becomes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from picasso.errors import ModelError
from picasso.infer.heads.candidates import Floats, best_class, cells, class_numbers, objects_of, only_output, scales_of
from picasso.infer.heads.protocol import HeadSettings, Outputs, ScaleXY
from picasso.infer.heads.prototypes import masks_of
from picasso.primitives import Detections

Task = Literal["boxes", "masks", "keypoints", "rotated"]
"""What a row says beside box and classes: coefficients of masks, x, y and confidence of points, an angle in radians."""

STRIDES: Final = (8, 16, 32)
"""Pixels of the input a cell of each grid."""


class Candidates(NamedTuple):
    """Rows of one picture that may be objects."""

    xywh: Floats
    """``(M, 4)`` centre and size in pixels of the input."""
    confidences: Floats
    """``(M,)``."""
    class_ids: NDArray[np.int64]
    """``(M,)``."""
    extras: Floats
    """``(M, E)`` what the task reads."""


class Yolo:
    """What the layouts share; each of them reads the rows of one picture.

    Args:
        task: What the rows say beside boxes and classes.
        classes: How many classes the model has; None for those that its output has.
        keypoints: Points of an object, and numbers of each: 3 with confidence, 2 without.

    Raises:
        ModelError: Keypoints are the task and ``keypoints`` does not say how many, or in another form.
    """

    layout: ClassVar[str]

    def __init__(
        self, task: Task = "boxes", classes: int | None = None, keypoints: tuple[int, int] | None = None
    ) -> None:
        self.task: Task = task
        self.classes: int | None = classes
        self.keypoints: tuple[int, int] | None = keypoints
        self.name: str = self.layout if task == "boxes" else f"{self.layout}-{SUFFIXES[task]}"
        if task == "keypoints" and (keypoints is None or keypoints[0] < 1 or keypoints[1] not in {2, 3}):
            raise ModelError(
                f"{self.name}: keypoints: expected how many points, and 2 or 3 numbers of each, got {keypoints}"
            )

    def decode(
        self, outputs: Outputs, settings: HeadSettings, scales_xy: Sequence[ScaleXY] | None = None
    ) -> list[Detections]:
        """Decode as ``ObjectHead.decode`` says."""
        batch = only_output(self.name, outputs, 3)
        prototypes = only_output(self.name, outputs, 4) if self.task == "masks" else None
        if prototypes is not None and len(prototypes) != len(batch):
            raise ModelError(f"{self.name}: {len(batch)} pictures of rows, {len(prototypes)} of prototypes")
        extras = self._extras(prototypes)
        return [
            self._decode_one(rows, extras, None if prototypes is None else prototypes[index], settings, scale)
            for index, (rows, scale) in enumerate(zip(batch, scales_of(len(batch), scales_xy), strict=True))
        ]

    def _extras(self, prototypes: Floats | None) -> int:
        """Return how many numbers of a row are neither box nor score."""
        if self.task == "masks":
            return 0 if prototypes is None else prototypes.shape[1]
        if self.task == "keypoints":
            return self.keypoints[0] * self.keypoints[1] if self.keypoints else 0
        return int(self.task == "rotated")

    def _decode_one(
        self, rows: Floats, extras: int, prototypes: Floats | None, settings: HeadSettings, scale_xy: ScaleXY
    ) -> Detections:
        found = self.read(rows, extras, settings)
        boxes = found.xywh
        if self.task == "rotated":
            boxes = np.concatenate([boxes, np.degrees(found.extras)], axis=1)
        chosen = settings.selector.select(boxes, found.confidences, found.class_ids, scale_xy)
        columns: dict[str, Any] = {}
        if self.keypoints and self.task == "keypoints":
            columns["keypoints"] = found.extras[chosen.rows].reshape(-1, *self.keypoints)
        if prototypes is not None:
            kept = found.xywh[chosen.rows]
            columns["masks"] = masks_of(found.extras[chosen.rows], prototypes, kept, settings.input_wh)
        return objects_of(boxes, found.confidences, chosen, **columns)

    def read(self, rows: Floats, extras: int, settings: HeadSettings) -> Candidates:
        """Return the candidates of one picture; each has ``extras`` numbers more."""
        raise NotImplementedError

    def class_count(self, numbers: int, others: int) -> int:
        """Return how many of a row's ``numbers`` are scores, where ``others`` are not.

        Raises:
            ModelError: None is left, or another number than the model has classes.
        """
        count = numbers - others
        if count < 1 or self.classes not in {None, count}:
            wanted = "at least 1 class" if self.classes is None else f"{self.classes} classes"
            raise ModelError(
                f"{self.name}: rows of {numbers} numbers, {others} of which are not scores: expected {wanted}"
            )
        return count


class YoloV8(Yolo):
    """YOLO v8, v9, v11, v12: ``(B, 4 + C + E, N)``: cx, cy, w, h in pixels, a score each class, the rest.

    Rows that lie along the second axis, ``(B, N, 4 + C + E)``, are taken too, where ``classes`` says so.
    """

    layout = "yolov8"

    def read(self, rows: Floats, extras: int, settings: HeadSettings) -> Candidates:
        """Return the candidates of ``(4 + C + E, N)``."""
        if self.classes is not None and rows.shape[0] != 4 + self.classes + extras == rows.shape[1]:
            rows = rows.T
        count = self.class_count(rows.shape[0], 4 + extras)
        index, confidences, classes = best_class(rows[4 : 4 + count], settings)
        if not len(index):
            return Candidates(np.zeros((0, 4), np.float32), confidences, classes, np.zeros((0, extras), np.float32))
        return Candidates(rows[:4, index].T, confidences, classes, rows[4 + count :, index].T)


class YoloV5(Yolo):
    """YOLO v5, v7: ``(B, N, 5 + C + E)``: cx, cy, w, h in pixels, objectness, a score each class, the rest."""

    layout = "yolov5"

    def read(self, rows: Floats, extras: int, settings: HeadSettings) -> Candidates:
        """Return the candidates of ``(N, 5 + C + E)``: the confidence is objectness times score."""
        count = self.class_count(rows.shape[1], 5 + extras)
        rows = rows[rows[:, 4] > settings.selector.floor]
        index, confidences, classes = best_class((rows[:, 5 : 5 + count] * rows[:, 4:5]).T, settings)
        picked = rows[index]
        return Candidates(picked[:, :4], confidences, classes, picked[:, 5 + count :])


class YoloXDecoded(YoloV5):
    """YOLOX exported with its decoding, and YOLO v6: rows as YOLO v5 has them."""

    layout = "yolox-decoded"


class YoloX(YoloV5):
    """YOLOX as it is exported by default: offsets within cells of grids, and logarithms of sizes, in cells."""

    layout = "yolox"

    def read(self, rows: Floats, extras: int, settings: HeadSettings) -> Candidates:
        """Return the candidates of ``(N, 5 + C)``, one row a cell of each grid."""
        corners, strides = cells(settings.input_wh, STRIDES)
        if len(rows) != len(corners):
            width, height = settings.input_wh
            raise ModelError(f"{self.name}: {len(rows)} rows, the grids of {width}x{height} have {len(corners)} cells")
        kept = rows[:, 4] > settings.selector.floor
        rows, corners, strides = rows[kept].copy(), corners[kept], strides[kept]
        rows[:, :2] = (rows[:, :2] + corners) * strides
        with np.errstate(over="ignore"):  # what becomes infinite is no object
            rows[:, 2:4] = np.exp(rows[:, 2:4]) * strides
        return super().read(rows, extras, settings)


class YoloV10(Yolo):
    """YOLO v10, and others that suppress within the graph: ``(B, N, 6 + E)``: x0, y0, x1, y1, score, class, the rest.

    Of rotated boxes the first four numbers are cx, cy, w, h.
    """

    layout = "yolov10"

    def read(self, rows: Floats, extras: int, settings: HeadSettings) -> Candidates:
        """Return the candidates of ``(N, 6 + E)``."""
        if rows.shape[1] != 6 + extras:
            raise ModelError(f"{self.name}: expected rows of {6 + extras} numbers, got {rows.shape[1]}")
        rows = rows[rows[:, 4] > settings.selector.floor]
        boxes = rows[:, :4]
        if self.task != "rotated":
            boxes = np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)
        return Candidates(boxes, rows[:, 4], class_numbers(rows[:, 5]), rows[:, 6:])


SUFFIXES: Final[dict[Task, str]] = {"masks": "seg", "keypoints": "pose", "rotated": "obb"}
"""What follows a layout's name, by task."""
