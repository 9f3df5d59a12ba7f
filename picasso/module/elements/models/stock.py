"""What code of modules for the reference derives from and calls beside its converters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from picasso.errors import require
from picasso.module.elements.base import BasePyFuncCallableImpl
from picasso.primitives.nms import nms

Rows = NDArray[np.float32]
"""``(N, 6)`` or ``(N, 7)``: class, confidence, centre, width, height, and perhaps the angle in degrees."""


class BasePreprocessObjectMeta(BasePyFuncCallableImpl):
    """Gives the box that a model looks at instead of an object's own.

    Define ``__call__(self, object_meta)``: it gets a copy of the object and returns a ``BBox``.
    """


class BasePreprocessObjectImage(BasePyFuncCallableImpl):
    """Changes the picture of an object before a model sees it.

    Define ``__call__(self, image)``: it changes ``(height, width, 4)`` RGBA in place, or returns other pixels.
    """


class BaseSelector(BasePyFuncCallableImpl):
    """Says which candidates of a class are objects.

    Define ``__call__(self, rows)``: it gets rows of class, confidence, centre and size, and returns those that stay.
    """


class BBoxSelector(BaseSelector):
    """Keeps the certain ones of those that overlap, within limits of sizes."""

    def __init__(
        self,
        confidence_threshold: float = 0.5,
        nms_iou_threshold: float = 0.5,
        top_k: int | None = None,
        min_width: int | None = None,
        min_height: int | None = None,
        max_width: int | None = None,
        max_height: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Take the limits: confidence and overlap 0..1, sizes in pixels."""
        super().__init__(**kwargs)
        self.confidence_threshold = confidence_threshold
        self.nms_iou_threshold = nms_iou_threshold
        self.top_k = top_k
        self.min_width: int = min_width or 0
        self.min_height: int = min_height or 0
        self.max_width: float = max_width or np.inf
        self.max_height: float = max_height or np.inf

    def __call__(self, rows: Rows) -> Rows:
        """Return the ``rows`` ``(N, 6)`` that stay, the most certain first."""
        width, height = rows[:, 4], rows[:, 5]
        good = (rows[:, 1] > self.confidence_threshold) & (width >= self.min_width) & (height >= self.min_height)
        kept = rows[good & (width <= self.max_width) & (height <= self.max_height)]
        return kept[nms(_corners(kept[:, 2:6]), kept[:, 1], self.nms_iou_threshold)][: self.top_k]


def nms_cpu(
    bboxes: ArrayLike, confidences: ArrayLike, thresh: float = 0.5, top_k: int | None = None
) -> NDArray[np.bool_]:
    """Return which boxes stay when each removes those that overlap it more and are less certain.

    Args:
        bboxes: ``(N, 4)`` centre, width and height in pixels.
        confidences: ``(N,)``.
        thresh: Overlap above which a box is removed, 0..1.
        top_k: The most boxes that stay, the most certain ones; None or 0 for any number.

    Returns:
        ``(N,)``, to pick rows by.

    Raises:
        ShapeError: The arrays do not fit.
        ValueError: ``thresh`` is not in 0..1.
    """
    boxes = np.asarray(bboxes, np.float32).reshape(-1, 4)
    kept = nms(_corners(boxes), np.asarray(confidences, np.float32).reshape(-1), float(thresh))
    stays = np.zeros(len(boxes), bool)
    stays[kept[: top_k or None]] = True
    return stays


def nms_gpu(bboxes: Any, confidences: Any, thresh: float = 0.5, top_k: int | None = None) -> Any:
    """Do as ``nms_cpu`` with arrays of CuPy, and return one; the work is done in host memory.

    Args:
        bboxes: ``(N, 4)`` centre, width and height in pixels.
        confidences: ``(N,)``.
        thresh: Overlap above which a box is removed, 0..1.
        top_k: The most boxes that stay.

    Raises:
        MissingDependencyError: CuPy is not installed.
    """
    cupy = require("cupy", extra="cuda12")
    return cupy.asarray(nms_cpu(cupy.asnumpy(bboxes), cupy.asnumpy(confidences), thresh, top_k))


def _corners(boxes: Rows) -> Rows:
    half = boxes[:, 2:4] / 2
    made: Rows = np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)
    return made
