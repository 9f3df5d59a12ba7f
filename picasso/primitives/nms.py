"""Which of many boxes stand for one object: overlaps of boxes as arrays, and non-maximum suppression."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from picasso.errors import ShapeError
from picasso.primitives.geometry import FloatArray, wrapping_xyxy

_WHOLE_MATRIX = 256
"""Boxes up to which all pairs are compared at once; among more, the best ones remove many at a time."""
_ALL_GROUPS = 128
"""Boxes up to which all pairs are compared at once, those of different groups too: that is one step for all groups."""


def box_iou(boxes: ArrayLike, others: ArrayLike) -> NDArray[np.float64]:
    """Return intersection over union of each box with each other one, ``(N, M)``, 0 where both are empty.

    Args:
        boxes: ``(N, 4)`` corners, or ``(N, 5)`` rotated boxes: centre, size, angle in degrees, NaN for none.
        others: ``(M, 4)`` or ``(M, 5)``, as ``boxes``.

    Raises:
        ShapeError: They have other shapes, or not the same one.

    >>> box_iou([[0, 0, 2, 2]], [[1, 0, 3, 2], [5, 5, 6, 6]]).round(3).tolist()
    [[0.333, 0.0]]
    """
    one, two = _as_rows(boxes), _as_rows(others)
    if one.shape[1] != two.shape[1]:
        raise ShapeError(f"boxes: expected one form, got {one.shape} and {two.shape}")
    if one.shape[1] == 4:
        return _upright_iou(one[:, None], two[None])
    common = _rotated_intersections(one, two)
    both = (one[:, 2] * one[:, 3])[:, None] + (two[:, 2] * two[:, 3])[None] - common
    return np.divide(common, both, out=np.zeros_like(common), where=both > 0)


def nms(
    boxes: ArrayLike, confidences: ArrayLike, iou: float = 0.5, groups: ArrayLike | None = None
) -> NDArray[np.intp]:
    """Return the rows that stay when each box removes those that overlap it more and are less certain; best first.

    Of equally certain boxes the first one is better.

    Args:
        boxes: ``(N, 4)`` corners, or ``(N, 5)`` rotated boxes: centre, size, angle in degrees, NaN for none.
        confidences: ``(N,)``, no NaN.
        iou: A box is removed where its intersection over union is more than this, 0 … 1.
        groups: ``(N,)`` integers; boxes of different groups do not remove each other; by default all are one group.

    Raises:
        ShapeError: An array has another shape, or not N rows.
        ValueError: ``iou`` is not in 0 … 1.

    >>> nms([[0, 0, 10, 10], [0, 0, 10, 9], [20, 0, 30, 10]], [0.6, 0.9, 0.5]).tolist()
    [1, 2]
    """
    rows = _as_rows(boxes)
    scores = np.asarray(confidences, np.float64).reshape(-1)
    if len(scores) != len(rows):
        raise ShapeError(f"confidences: expected {len(rows)}, one for each box, got {len(scores)}")
    if not 0 <= iou <= 1:
        raise ValueError(f"iou: expected 0 to 1, got {iou}")
    group = None if groups is None else np.asarray(groups).reshape(-1)
    if group is not None and len(group) != len(rows):
        raise ShapeError(f"groups: expected {len(rows)}, one for each box, got {len(group)}")
    order = np.argsort(-scores, kind="stable")
    return order[nms_of_sorted(rows[order], iou, None if group is None else group[order])]


def nms_of_sorted(boxes: NDArray[Any], iou: float, groups: NDArray[Any] | None = None) -> NDArray[np.intp]:
    """Do what ``nms`` does for boxes that lie from the most certain to the least; upright ones without the GIL.

    Args:
        boxes: ``(N, 4)`` or ``(N, 5)``.
        iou: As of ``nms``.
        groups: ``(N,)`` integers, or None.
    """
    from picasso_kernels.cpu.compile import ready
    from picasso_kernels.maths.overlap import suppress

    count = len(boxes)
    machine = ready(suppress) if boxes.shape[1] == 4 and count else None
    if machine is not None:
        group = np.zeros(count, np.int64) if groups is None else groups.astype(np.int64, copy=False)
        corners, kept = np.ascontiguousarray(boxes, np.float64).reshape(-1), np.empty(count, np.int32)
        number = machine(corners, np.ascontiguousarray(group), np.array([iou], np.float64), count, kept)
        return kept[:number].astype(np.intp)
    return _by_numpy(boxes.astype(np.float64, copy=False), iou, groups)


def _by_numpy(boxes: NDArray[np.float64], iou: float, groups: NDArray[Any] | None) -> NDArray[np.intp]:
    """Do what ``nms_of_sorted`` does."""
    if groups is None:
        return _greedy(boxes, iou)
    if len(boxes) <= _ALL_GROUPS:
        return _greedy_by_matrix(_covers(boxes, iou) & _equal(groups))
    order = np.argsort(groups, kind="stable")
    edges = np.flatnonzero(np.diff(groups[order])) + 1
    return np.sort(np.concatenate([part[_greedy(boxes[part], iou)] for part in np.split(order, edges)]))


def _equal(group: NDArray[Any]) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = group[:, None] == group
    return same


def _as_rows(boxes: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(boxes, np.float64)
    if array.size == 0 and array.ndim <= 2:
        width = array.shape[1] if array.ndim == 2 and array.shape[1] == 5 else 4
        return array.reshape(0, width)
    if array.ndim != 2 or array.shape[1] not in (4, 5):
        raise ShapeError(f"boxes: expected (N, 4) or (N, 5), got {array.shape}")
    return array


def _greedy(boxes: NDArray[np.float64], iou: float) -> NDArray[np.intp]:
    """Return which boxes stay, of boxes from the most certain to the least."""
    count = len(boxes)
    if count < 2:
        return np.arange(count)
    if boxes.shape[1] == 5 or count <= _WHOLE_MATRIX:
        return _greedy_by_matrix(_covers(boxes, iou))
    alive = np.arange(count)
    kept = []
    while alive.size:
        best, rest = alive[0], alive[1:]
        kept.append(best)
        alive = rest[~_covers(boxes[rest], iou, boxes[best : best + 1])[0]]
    return np.array(kept, np.intp)


def _covers(boxes: NDArray[np.float64], iou: float, others: NDArray[np.float64] | None = None) -> NDArray[np.bool_]:
    """Return ``(M, N)``: which of M others, by default the boxes themselves, overlap N boxes by more than ``iou``."""
    if boxes.shape[1] == 5:
        return box_iou(boxes, boxes) > iou
    x0, y0, x1, y1 = np.ascontiguousarray(boxes.T)
    left, top, right, bottom = (x0, y0, x1, y1) if others is None else others.T
    common = np.minimum(right[:, None], x1)
    common -= np.maximum(left[:, None], x0)
    height = np.minimum(bottom[:, None], y1)
    height -= np.maximum(top[:, None], y0)
    np.maximum(common, 0, out=common)
    np.maximum(height, 0, out=height)
    common *= height
    area = (x1 - x0) * (y1 - y0)
    both = np.add(((right - left) * (bottom - top))[:, None], area, out=height)
    both -= common
    both *= iou
    covered: NDArray[np.bool_] = common > both
    return covered


def _greedy_by_matrix(covers: NDArray[np.bool_]) -> NDArray[np.intp]:
    alive = np.ones(len(covers), bool)
    kept = []
    row = 0
    while row < len(covers):
        kept.append(row)
        alive[: row + 1] = False
        alive[covers[row]] = False
        following = int(alive.argmax())
        if not alive[following]:
            break
        row = following
    return np.array(kept, np.intp)


def _upright_iou(one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.float64]:
    sizes = np.minimum(one[..., 2:], two[..., 2:]) - np.maximum(one[..., :2], two[..., :2])
    np.maximum(sizes, 0, out=sizes)
    common = sizes[..., 0] * sizes[..., 1]
    both = _area(one) + _area(two) - common
    found: NDArray[np.float64] = np.divide(common, both, out=np.zeros_like(common), where=both > 0)
    return found


def _area(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    sides: NDArray[np.float64] = corners[..., 2:] - corners[..., :2]
    return sides[..., 0] * sides[..., 1]


def _rotated_intersections(boxes: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the common area ``(N, M)``; only pairs whose upright boxes meet are cut."""
    common = np.zeros((len(boxes), len(others)))
    upright, other_upright = wrapping_xyxy(boxes), wrapping_xyxy(others)
    meet = (upright[:, None, :2] < other_upright[None, :, 2:]).all(2)
    meet &= (other_upright[None, :, :2] < upright[:, None, 2:]).all(2)
    rows, columns = np.nonzero(meet)
    if rows.size:
        corners, other_corners = corners_of(boxes), corners_of(others)
        common[rows, columns] = _convex_intersections(corners[rows], other_corners[columns])
    return common


def corners_of(boxes: FloatArray) -> NDArray[np.float64]:
    """Return the corners ``(N, 4, 2)`` of boxes ``(N, 5)``, clockwise from the one at the top left before rotation."""
    boxes = np.asarray(boxes, np.float64)
    angle = np.radians(np.nan_to_num(boxes[:, 4]))
    cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
    x = boxes[:, 2:3] * np.array([-0.5, 0.5, 0.5, -0.5])
    y = boxes[:, 3:4] * np.array([-0.5, -0.5, 0.5, 0.5])
    turned = np.stack([x * cosine - y * sine, x * sine + y * cosine], axis=-1)
    corners: NDArray[np.float64] = boxes[:, None, :2] + turned
    return corners


def _convex_intersections(subject: NDArray[np.float64], clip: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the common area of pairs of convex outlines ``(P, 4, 2)``: cut along one edge after the other."""
    for edge in range(clip.shape[1]):
        start, end = clip[:, edge, None], clip[:, (edge + 1) % clip.shape[1], None]
        subject = _cut(subject, start, end)
    x, y = subject[..., 0], subject[..., 1]
    x1, y1 = np.roll(x, -1, axis=1), np.roll(y, -1, axis=1)
    area: NDArray[np.float64] = np.maximum(0.5 * (x * y1 - x1 * y).sum(axis=1), 0)
    return area


def _cut(outline: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keep what lies on the inner side of a line: ``(P, V, 2)`` to ``(P, V + 1, 2)``, the last corner repeated.

    A corner that is there twice adds no area, so outlines of fewer corners share one array.
    """
    direction = end - start
    offset = outline - start
    side = direction[..., 0] * offset[..., 1] - direction[..., 1] * offset[..., 0]
    before, side_before = np.roll(outline, 1, axis=1), np.roll(side, 1, axis=1)
    crosses = side * side_before < 0
    span = np.where(crosses, side_before - side, 1)
    crossing = before + (outline - before) * (side_before / span)[..., None]
    pairs, count = outline.shape[:2]
    points = np.stack([crossing, outline], axis=2).reshape(pairs, 2 * count, 2)
    kept = np.stack([crosses, side >= 0], axis=2).reshape(pairs, 2 * count)
    order = np.argsort(~kept, axis=1, kind="stable")
    last = np.maximum(kept.sum(axis=1) - 1, 0)
    picked = np.take_along_axis(order, np.minimum(np.arange(count + 1), last[:, None]), axis=1)
    cut = np.take_along_axis(points, picked[..., None], axis=1)
    cut[~kept.any(axis=1)] = 0
    return cut
