"""Detectors that say boxes, scores and classes each in an output of its own, or a set of queries: DETR and SSD."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from picasso.errors import ModelError
from picasso.infer.heads.candidates import (
    Floats,
    best_class,
    check_classes,
    class_numbers,
    named_output,
    objects_of,
    only_output,
    scales_of,
    shown,
)
from picasso.infer.heads.protocol import HeadSettings, Outputs, ScaleXY
from picasso.primitives import Detections


def _objects(
    xywh: Floats, confidences: Floats, classes: NDArray[Any], settings: HeadSettings, scale_xy: ScaleXY
) -> Detections:
    chosen = settings.selector.select(xywh, confidences, class_numbers(classes), scale_xy)
    return objects_of(xywh, confidences, chosen)


def _centers(xyxy: Floats) -> Floats:
    """Return centre and size ``(N, 4)`` of corners."""
    return np.concatenate([(xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]], axis=1)


def _sides(settings: HeadSettings) -> Floats:
    """Return the input's width, height, width, height."""
    return np.array(settings.input_wh * 2, np.float32)


class RtDetr:
    """RT-DETR as ultralytics exports it: one output ``(B, N, 4 + C)``: cx, cy, w, h in 0 … 1, a score each class.

    Args:
        classes: How many classes the model has; None for those that its output has.
    """

    name = "rtdetr"

    def __init__(self, classes: int | None = None) -> None:
        self.classes = classes

    def decode(
        self, outputs: Outputs, settings: HeadSettings, scales_xy: Sequence[ScaleXY] | None = None
    ) -> list[Detections]:
        """Decode as ``ObjectHead.decode`` says."""
        batch = only_output(self.name, outputs, 3)
        check_classes(self.name, batch.shape[2] - 4, self.classes)
        found = []
        for rows, scale in zip(batch, scales_of(len(batch), scales_xy), strict=True):
            index, confidences, classes = best_class(rows[:, 4:].T, settings)
            found.append(_objects(rows[index, :4] * _sides(settings), confidences, classes, settings, scale))
        return found


class Detr:
    """DETR and its heirs as Transformers exports them: ``logits`` ``(B, N, C)`` and ``pred_boxes`` ``(B, N, 4)``.

    Boxes are cx, cy, w, h in 0 … 1.

    Args:
        softmax: Whether the last class means no object, as DETR has it; else each class has a probability of its own,
            as RT-DETR, D-FINE and Deformable DETR have it.
        classes: How many classes the model has; None for those that its output has.
    """

    def __init__(self, *, softmax: bool = False, classes: int | None = None) -> None:
        self.softmax: bool = softmax
        self.classes: int | None = classes
        self.name = "detr-softmax" if softmax else "detr"

    def decode(
        self, outputs: Outputs, settings: HeadSettings, scales_xy: Sequence[ScaleXY] | None = None
    ) -> list[Detections]:
        """Decode as ``ObjectHead.decode`` says."""
        logits = named_output(self.name, outputs, "logits", 3)
        boxes = named_output(self.name, outputs, "pred_boxes", 3)
        if boxes.shape != (*logits.shape[:2], 4):
            raise ModelError(f"{self.name}: expected logits (B, N, C) and pred_boxes (B, N, 4), got {shown(outputs)}")
        check_classes(self.name, logits.shape[2] - self.softmax, self.classes)
        found = []
        for rows, scores, scale in zip(boxes, logits, scales_of(len(logits), scales_xy), strict=True):
            odds = softmax(scores)[:, :-1] if self.softmax else sigmoid(scores)
            index, confidences, classes = best_class(odds.T, settings)
            found.append(_objects(rows[index] * _sides(settings), confidences, classes, settings, scale))
        return found


class DFine:
    """RT-DETR and D-FINE as their authors export them: ``labels`` and ``scores`` ``(B, N)``, ``boxes`` ``(B, N, 4)``.

    Boxes are corners in the pixels that the input ``orig_target_sizes`` names: those of the model's input, see
    ``extra_feeds``. Models of torchvision for one picture, without the axis of the batch, are read too.
    """

    name = "dfine"
    _relative = False

    def decode(
        self, outputs: Outputs, settings: HeadSettings, scales_xy: Sequence[ScaleXY] | None = None
    ) -> list[Detections]:
        """Decode as ``ObjectHead.decode`` says."""
        boxes, scores, labels = (
            self._output(outputs, names) for names in (("boxes", "bboxes"), ("scores",), ("labels",))
        )
        if not boxes.shape[:-1] == scores.shape == labels.shape or boxes.shape[-1] != 4:
            raise ModelError(f"{self.name}: expected (B, N, 4), (B, N), (B, N), got {shown(outputs)}")
        if boxes.ndim == 2:
            boxes, scores, labels = boxes[None], scores[None], labels[None]
        unit = _sides(settings) if self._relative else np.float32(1)
        scales = scales_of(len(boxes), scales_xy)
        return [
            _objects(_centers(rows * unit), confidences, classes, settings, scale)
            for rows, confidences, classes, scale in zip(boxes, scores, labels, scales, strict=True)
        ]

    def _output(self, outputs: Outputs, names: Sequence[str]) -> Floats:
        for name in names:
            if name in outputs:
                return named_output(self.name, outputs, name, outputs[name].ndim)
        raise ModelError(f"{self.name}: there is no output {names[0]!r}: got {shown(outputs)}")


class Ssd(DFine):
    """SSD with its suppression in the graph: ``bboxes`` or ``boxes``, ``labels``, ``scores``; corners in 0 … 1."""

    name = "ssd"
    _relative = True


class SsdTensorFlow:
    """SSD as TensorFlow exports it: ``detection_boxes``, ``detection_classes``, ``detection_scores``.

    Boxes are y0, x0, y1, x1 in 0 … 1. ``num_detections``, where it is there, says how many rows count.
    """

    name = "ssd-tensorflow"

    def decode(
        self, outputs: Outputs, settings: HeadSettings, scales_xy: Sequence[ScaleXY] | None = None
    ) -> list[Detections]:
        """Decode as ``ObjectHead.decode`` says."""
        boxes = named_output(self.name, outputs, "detection_boxes", 3)
        classes = named_output(self.name, outputs, "detection_classes", 2)
        scores = named_output(self.name, outputs, "detection_scores", 2)
        counts = outputs.get("num_detections", np.full(len(boxes), boxes.shape[1])).reshape(-1).astype(int)
        if boxes.shape != (*scores.shape, 4) or classes.shape != scores.shape or len(counts) != len(boxes):
            raise ModelError(f"{self.name}: expected boxes (B, N, 4), the rest (B, N), got {shown(outputs)}")
        found = []
        for index, scale in enumerate(scales_of(len(boxes), scales_xy)):
            rows = slice(0, counts[index])
            corners = boxes[index, rows][:, [1, 0, 3, 2]] * _sides(settings)
            found.append(_objects(_centers(corners), scores[index, rows], classes[index, rows], settings, scale))
        return found


class SsdScores:
    """SSD whose boxes are decoded in the graph: ``scores`` ``(B, N, C)`` and ``boxes`` ``(B, N, 4)``.

    Boxes are corners in 0 … 1; class 0 is the background, and the others count from 1.
    """

    name = "ssd-scores"

    def decode(
        self, outputs: Outputs, settings: HeadSettings, scales_xy: Sequence[ScaleXY] | None = None
    ) -> list[Detections]:
        """Decode as ``ObjectHead.decode`` says."""
        scores = named_output(self.name, outputs, "scores", 3)
        boxes = named_output(self.name, outputs, "boxes", 3)
        if boxes.shape != (*scores.shape[:2], 4) or scores.shape[2] < 2:
            raise ModelError(f"{self.name}: expected (B, N, C) and (B, N, 4), got {shown(outputs)}")
        backwards = (boxes[..., 2:] < boxes[..., :2]).any(axis=-1)
        if backwards.mean() > _MOST_BACKWARDS:
            raise ModelError(
                f"{self.name}: {backwards.sum()} of {backwards.size} boxes end before they begin: they look like "
                f"offsets from anchors, not corners; {NO_ANCHORS}"
            )
        found = []
        for rows, odds, scale in zip(boxes, scores, scales_of(len(boxes), scales_xy), strict=True):
            index, confidences, classes = best_class(odds[:, 1:].T, settings)
            found.append(_objects(_centers(rows[index] * _sides(settings)), confidences, classes + 1, settings, scale))
        return found


class Rows:
    """Rows as converters return them, ``(B, N, 6)`` or ``(B, N, 7)``: class, confidence, cx, cy, w, h, angle.

    Pixels of the input, and degrees. A row of class −1 is none.
    """

    name = "rows"

    def decode(
        self, outputs: Outputs, settings: HeadSettings, scales_xy: Sequence[ScaleXY] | None = None
    ) -> list[Detections]:
        """Decode as ``ObjectHead.decode`` says."""
        batch = only_output(self.name, outputs, 3)
        if batch.shape[2] not in {6, 7}:
            raise ModelError(f"{self.name}: expected (B, N, 6) or (B, N, 7), got {shown(outputs)}")
        return [
            _objects(rows[:, 2:], rows[:, 1], rows[:, 0], settings, scale)
            for rows, scale in zip(batch, scales_of(len(batch), scales_xy), strict=True)
        ]


class EndToEnd:
    """YOLO with its suppression in the graph for a whole batch: ``(N, 7)``: picture, x0, y0, x1, y1, class, score."""

    name = "yolov7-end2end"

    def decode(
        self, outputs: Outputs, settings: HeadSettings, scales_xy: Sequence[ScaleXY] | None = None
    ) -> list[Detections]:
        """Decode as ``ObjectHead.decode`` says; ``scales_xy`` says how many pictures there are.

        Rows of pictures behind these are of what fills up a fixed batch.
        """
        rows = only_output(self.name, outputs, 2)
        if rows.shape[1] != 7:
            raise ModelError(f"{self.name}: expected (N, 7), got {shown(outputs)}")
        pictures = rows[:, 0].astype(int)
        count = len(scales_xy) if scales_xy is not None else 1 + int(pictures.max(initial=0))
        if pictures.size and pictures.min() < 0:
            raise ModelError(f"{self.name}: a row names the picture {pictures.min()}: expected 0 or more")
        found = []
        for number, scale in enumerate(scales_of(count, scales_xy)):
            mine = rows[pictures == number]
            found.append(_objects(_centers(mine[:, 1:5]), mine[:, 6], mine[:, 5], settings, scale))
        return found


_MOST_BACKWARDS: Final = 0.1
"""Share of boxes that may end before they begin, as those of candidates that are none do now and then."""
NO_ANCHORS: Final = (
    "anchors are not in the graph: export the model with its decoding, or name a converter in output.converter"
)
TARGET_SIZES: Final = "orig_target_sizes"
"""Name of an input that says in which pixels boxes are wanted."""


def sigmoid(values: Floats) -> Floats:
    """Return probabilities of logits, without overflow."""
    found: Floats = 0.5 * (1 + np.tanh(0.5 * values))
    return found


def softmax(values: Floats) -> Floats:
    """Return probabilities of logits along the last axis, without overflow."""
    raised = np.exp(values - values.max(axis=-1, keepdims=True))
    found: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return found
