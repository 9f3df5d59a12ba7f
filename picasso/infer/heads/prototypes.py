"""Masks of YOLO: a sum of prototypes for each object, read at the pixels of its box."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picasso.infer.heads.candidates import Floats
from picasso.primitives import Masks


def masks_of(coefficients: Floats, prototypes: Floats, xywh: Floats, input_wh: tuple[int, int]) -> Masks:
    """Return the masks of the objects of one picture, in pixels of the input.

    A pixel is of the object if its centre lies in the object's box and the sum of prototypes, read bilinearly there,
    is above 0: the model thinks so with a probability above a half.

    Args:
        coefficients: ``(N, P)``.
        prototypes: ``(P, h, w)``; they cover the input.
        xywh: ``(N, 4)`` centre and size of the boxes in pixels of the input.
        input_wh: Width and height of the input in pixels.
    """
    corners = np.zeros((len(xywh), 2), np.int64)
    cuts = []
    for number, (x, y, width, height) in enumerate(xywh.astype(float).tolist()):
        left, right = _pixels(x - width / 2, x + width / 2, input_wh[0])
        top, bottom = _pixels(y - height / 2, y + height / 2, input_wh[1])
        corners[number] = left, top
        rows = _positions(top, bottom, prototypes.shape[1] / input_wh[1], prototypes.shape[1])
        columns = _positions(left, right, prototypes.shape[2] / input_wh[0], prototypes.shape[2])
        cuts.append(_above_zero(coefficients[number], prototypes, rows, columns))
    return Masks(input_wh, corners, tuple(cuts))


Positions = tuple[NDArray[np.intp], Floats]
"""For each pixel, the prototype's one before it and how far it lies behind that, 0 … 1."""


def _pixels(start: float, end: float, size: int) -> tuple[int, int]:
    """Return the first pixel whose centre lies in ``start`` … ``end``, and the one behind the last."""
    first = min(max(math.ceil(start - 0.5), 0), size)
    return first, max(min(math.ceil(end - 0.5), size), first)


def _positions(first: int, end: int, scale: float, size: int) -> Positions:
    places = np.clip((np.arange(first, end) + 0.5) * scale - 0.5, 0, size - 1)
    before = np.minimum(places.astype(np.intp), max(size - 2, 0))
    return before, (places - before).astype(np.float32)


def _above_zero(coefficients: Floats, prototypes: Floats, rows: Positions, columns: Positions) -> NDArray[np.bool_]:
    """Return where the sum is above 0; it is computed for the prototypes' pixels around the box only."""
    (above, down), (left, across) = rows, columns
    if not above.size or not left.size:
        return np.zeros((above.size, left.size), bool)
    top, start = above[0], left[0]
    around = prototypes[:, top : above[-1] + 2, start : left[-1] + 2]
    total = np.tensordot(coefficients, around, 1)
    total = _between(total, left - start, across, 1)
    found: NDArray[np.bool_] = _between(total, above - top, down[:, None], 0) > 0
    return found


def _between(values: Floats, before: NDArray[np.intp], share: Floats, axis: int) -> NDArray[Any]:
    low = values.take(before, axis)
    high = values.take(np.minimum(before + 1, values.shape[axis] - 1), axis)
    found: NDArray[Any] = low + (high - low) * share
    return found
