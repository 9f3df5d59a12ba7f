"""Finds the orange square of the test picture; a detector would stand here."""

import numpy as np

from picasso.module import Frame, ObjectMeta
from picasso.primitives import BBox


def find_orange(frame: Frame) -> None:
    image = frame.image().astype(np.int16)
    rows, columns = np.nonzero((image[..., 0] > 200) & (abs(image[..., 1] - 128) < 40) & (image[..., 2] < 60))
    if len(rows):
        box = BBox.ltrb(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        frame.add_obj_meta(ObjectMeta("finder", "box", box, confidence=0.9))
