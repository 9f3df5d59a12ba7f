"""Finds what is bright in a picture, and says which process found it."""

import os

import numpy as np

from picasso.module import Frame, ObjectMeta
from picasso.primitives import BBox


def find_bright(frame: Frame) -> None:
    """Put one box around everything bright."""
    bright = frame.image()[..., 0] > 128
    rows, columns = np.flatnonzero(bright.any(1)), np.flatnonzero(bright.any(0))
    if not rows.size:
        return
    left, top, right, bottom = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    box = BBox((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
    found = ObjectMeta("finder", "square", box, confidence=0.9)
    found.add_attr_meta("finder", "process", os.getpid())
    frame.add_obj_meta(found)
