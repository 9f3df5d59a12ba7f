"""YOLO as its exporters write it: boxes by centre and size beside the scores of classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from picasso.errors import ModelError
from picasso.infer.heads.candidates import Floats, best_class, objects_of, only_output, scales_of
from picasso.infer.heads.protocol import HeadSettings, Outputs, ScaleXY
from picasso.primitives import Detections


class YoloV8:
    """YOLO v8, v9, v11, v12: one output ``(B, 4 + C, N)``, rows of cx, cy, w, h in pixels, then a score each class."""

    name = "yolov8"

    def decode(
        self, outputs: Outputs, settings: HeadSettings, scales_xy: Sequence[ScaleXY] | None = None
    ) -> list[Detections]:
        """Decode as ``ObjectHead.decode`` says."""
        batch = only_output(self.name, outputs, 3)
        if batch.shape[1] < 5:
            raise ModelError(f"{self.name}: expected (B, 4 + classes, N), got {batch.shape}")
        scales = scales_of(len(batch), scales_xy)
        return [_decode_one(rows, settings, scale) for rows, scale in zip(batch, scales, strict=True)]


def _decode_one(rows: Floats, settings: HeadSettings, scale_xy: ScaleXY) -> Detections:
    candidates, confidences, classes = best_class(rows[4:], settings)
    xywh = np.ascontiguousarray(rows[:4, candidates].T)
    chosen = settings.selector.select(xywh, confidences, classes, scale_xy)
    return objects_of(xywh, confidences, chosen)
