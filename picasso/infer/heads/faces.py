"""Detectors of faces as YuNet: a grid for each stride, and five points of each face."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np

from picasso.errors import ModelError
from picasso.infer.heads.candidates import Floats, cells, named_output, objects_of, scales_of
from picasso.infer.heads.protocol import HeadSettings, Outputs, ScaleXY
from picasso.primitives import Detections

STRIDES: Final = (8, 16, 32)
PARTS: Final = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
"""Numbers of a cell, by the first part of an output's name."""


class YuNet:
    """YuNet: ``cls_8``, ``obj_8``, ``bbox_8``, ``kps_8``, and the same of 16 and 32, each ``(B, cells, numbers)``.

    One class, 0, a face. Keypoints: right eye, left eye, tip of the nose, right and left corner of the mouth, as the
    person has them; each has the face's confidence.
    """

    name = "yunet"
    class_names: ClassVar[tuple[str, ...]] = ("face",)

    def decode(
        self, outputs: Outputs, settings: HeadSettings, scales_xy: Sequence[ScaleXY] | None = None
    ) -> list[Detections]:
        """Decode as ``ObjectHead.decode`` says."""
        parts = {part: self._joined(outputs, part, numbers) for part, numbers in PARTS.items()}
        corners, strides = cells(settings.input_wh, STRIDES)
        count, rows = parts["cls"].shape[:2]
        if any(part.shape[:2] != (count, len(corners)) for part in parts.values()):
            width, height = settings.input_wh
            raise ModelError(f"{self.name}: {rows} cells, the grids of {width}x{height} have {len(corners)}")
        scores = np.sqrt(parts["cls"][..., 0].clip(0, 1) * parts["obj"][..., 0].clip(0, 1))
        found = []
        for index, scale in enumerate(scales_of(count, scales_xy)):
            kept = np.flatnonzero(scores[index] > settings.selector.floor)
            at, stride, box = corners[kept], strides[kept], parts["bbox"][index, kept]
            with np.errstate(over="ignore"):  # what becomes infinite is no object
                xywh = np.concatenate([box[:, :2] + at, np.exp(box[:, 2:])], axis=1) * stride
            confidences = scores[index, kept]
            chosen = settings.selector.select(xywh, confidences, np.zeros(len(kept), np.int64), scale)
            rows = chosen.rows
            points = (parts["kps"][index, kept[rows]].reshape(-1, 5, 2) + at[rows][:, None]) * stride[rows][:, None]
            sure = np.broadcast_to(confidences[rows][:, None, None], (len(rows), 5, 1))
            found.append(objects_of(xywh, confidences, chosen, keypoints=np.concatenate([points, sure], axis=2)))
        return found

    def _joined(self, outputs: Outputs, part: str, numbers: int) -> Floats:
        """Return one part of all grids, ``(B, cells, numbers)``."""
        grids = [named_output(self.name, outputs, f"{part}_{stride}", 3) for stride in STRIDES]
        if any(grid.shape[2] != numbers for grid in grids):
            shapes = ", ".join(str(grid.shape) for grid in grids)
            raise ModelError(f"{self.name}: {part}: expected (B, cells, {numbers}), got {shapes}")
        return np.concatenate(grids, axis=1)
