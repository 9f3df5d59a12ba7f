"""Tags frames in which something moves, and a while after that, and marks where it moves."""

import numpy as np
from numpy.typing import NDArray

from picasso.module import Frame, ObjectMeta, PyFunc
from picasso.primitives import BBox

STEP = 4
"""Pixels between two that are looked at."""


class TagMotion(PyFunc):
    share: float = 0.02  # of the pixels that must change
    level: int = 24  # by which a pixel must change
    hold_s: float = 0.5  # for which frames are tagged after the last motion

    def on_start(self) -> bool:
        self.before: dict[str, NDArray[np.int16]] = {}
        self.until_ns: dict[str, int] = {}
        return True

    def on_source_eos(self, source_id: str) -> None:
        self.before.pop(source_id, None)
        self.until_ns.pop(source_id, None)

    def __call__(self, frame: Frame) -> None:
        now = frame.image()[::STEP, ::STEP, :3].mean(axis=2).astype(np.int16)
        before = self.before.get(frame.source_id)
        self.before[frame.source_id] = now
        if before is None:
            return
        moved = abs(now - before) > self.level
        if moved.mean() >= self.share:
            self.until_ns[frame.source_id] = frame.pts + round(self.hold_s * 1e9)
            rows, columns = np.nonzero(moved)
            left, top = columns.min() * STEP, rows.min() * STEP
            box = BBox.ltrb(left, top, (columns.max() + 1) * STEP, (rows.max() + 1) * STEP)
            frame.add_obj_meta(ObjectMeta("motion", "area", box, confidence=round(float(moved.mean()), 2)))
        if frame.pts <= self.until_ns.get(frame.source_id, -1):
            frame.set_tag("motion")
