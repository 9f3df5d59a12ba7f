"""Numbers for moving boxes: each box continues the track that it overlaps most."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatBoxes = npt.NDArray[np.float32]
IntIds = npt.NDArray[np.int64]


def iou_matrix(a_xyxy: FloatBoxes, b_xyxy: FloatBoxes) -> npt.NDArray[np.float32]:
    """Intersection over union of each box of ``a_xyxy`` (A, 4) with each of ``b_xyxy`` (B, 4), as (A, B) in 0..1.

    Convention: corners ``x0 y0 x1 y1``. A box without area, or with a NaN, overlaps nothing.
    """
    low = np.maximum(a_xyxy[:, None, :2], b_xyxy[None, :, :2])
    high = np.minimum(a_xyxy[:, None, 2:], b_xyxy[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    union = _areas(a_xyxy)[:, None] + _areas(b_xyxy)[None, :] - shared
    iou: npt.NDArray[np.float32] = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return iou


class IouTracker:
    """Greedy tracker: the pair of track and box that overlaps most is matched first, then the next.

    It knows nothing of motion or appearance: a track lives while its box overlaps itself from frame to frame.
    Ids count from 1 and are never used twice. Not thread-safe; one tracker a source.

    Args:
        min_iou: Least overlap that continues a track, greater than 0, at most 1.
        max_gap: Frames that a track survives unseen.
    """

    def __init__(self, *, min_iou: float = 0.3, max_gap: int = 8) -> None:
        self._min_iou = min_iou
        self._max_gap = max_gap
        self._boxes = np.empty((0, 4), np.float32)
        self._ids = np.empty(0, np.int64)
        self._gaps = np.empty(0, np.int64)
        self._next_id = 1

    def update(self, boxes_xyxy: FloatBoxes) -> IntIds:
        """Give each box of the next frame the id of its track.

        Args:
            boxes_xyxy: float32 (N, 4) corners ``x0 y0 x1 y1``.

        Returns:
            int64 (N,), the track of each box, in the order of the boxes.
        """
        tracks, boxes = match_greedily(iou_matrix(self._boxes, boxes_xyxy), self._min_iou)
        ids = np.zeros(len(boxes_xyxy), np.int64)
        ids[boxes] = self._ids[tracks]
        fresh = np.flatnonzero(ids == 0)
        ids[fresh] = np.arange(self._next_id, self._next_id + len(fresh))
        self._next_id += len(fresh)
        self._remember(boxes_xyxy, ids, unseen=np.setdiff1d(np.arange(len(self._ids)), tracks))
        return ids

    def _remember(self, boxes_xyxy: FloatBoxes, ids: IntIds, unseen: IntIds) -> None:
        kept = unseen[self._gaps[unseen] < self._max_gap]
        self._gaps = np.concatenate([np.zeros(len(ids), np.int64), self._gaps[kept] + 1])
        self._boxes = np.concatenate([boxes_xyxy, self._boxes[kept]])
        self._ids = np.concatenate([ids, self._ids[kept]])


def match_greedily(scores: npt.NDArray[np.float32], least: float) -> tuple[IntIds, IntIds]:
    """Pair rows with columns, best score first, each row and column once, none below ``least``.

    Ties go to the lower row, then to the lower column, so that equal input gives equal pairs.

    Returns:
        The rows and the columns of the pairs, int64, in the order in which they were made.
    """
    rows, columns = np.nonzero(scores >= least)
    best_first = np.argsort(-scores[rows, columns], kind="stable")
    free_rows = np.ones(scores.shape[0], bool)
    free_columns = np.ones(scores.shape[1], bool)
    pairs = []
    for row, column in zip(rows[best_first].tolist(), columns[best_first].tolist(), strict=True):
        if free_rows[row] and free_columns[column]:
            free_rows[row] = free_columns[column] = False
            pairs.append((row, column))
    matched = np.array(pairs, np.int64).reshape(-1, 2)
    return matched[:, 0], matched[:, 1]


def _areas(boxes_xyxy: FloatBoxes) -> npt.NDArray[np.float32]:
    sides: npt.NDArray[np.float32] = np.maximum(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], 0)
    areas: npt.NDArray[np.float32] = np.prod(sides, axis=1)
    return areas
