"""The arguments of a tracker as arrays that fit each other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from picasso.errors import ShapeError
from picasso.track.protocol import Boxes


class Seen(NamedTuple):
    """The boxes of one frame."""

    boxes: Boxes
    """``(N, 4)`` corners in pixels."""
    confidences: NDArray[np.float32]
    """``(N,)``; 1 where the detector did not say."""
    classes: NDArray[np.int64]
    """``(N,)``."""
    usable: NDArray[np.bool_]
    """``(N,)``: the corners are finite and in order."""


def seen(xyxy: ArrayLike, confidences: ArrayLike, classes: ArrayLike) -> Seen:
    """Check what ``Tracker.update`` is given.

    Raises:
        ShapeError: The arrays do not have N rows.
    """
    boxes = np.asarray(xyxy, np.float32)
    if boxes.size == 0:
        boxes = boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ShapeError(f"xyxy: expected (N, 4), got {boxes.shape}")
    sure, kinds = np.asarray(confidences, np.float32), np.asarray(classes, np.int64)
    for name, column in (("confidences", sure), ("classes", kinds)):
        if column.shape != (len(boxes),):
            raise ShapeError(f"{name}: expected ({len(boxes)},), one for each box, got {column.shape}")
    usable: NDArray[np.bool_] = np.asarray(np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] >= boxes[:, :2]).all(axis=1))
    return Seen(boxes, np.where(np.isnan(sure), np.float32(1), sure), kinds, usable)
