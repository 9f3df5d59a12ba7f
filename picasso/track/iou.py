"""The tracker that needs no library: boxes that overlap where a track is expected belong to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from picasso.errors import SpecError
from picasso.track.checks import Seen, seen
from picasso.track.protocol import UNTRACKED, Boxes, TrackIds

_SMOOTHING: Final = 0.5
"""Share of the newest step in the velocity of a track."""
_NS_PER_S: Final = 1e9
Rows: TypeAlias = NDArray[np.intp]
_NONE: Final[Rows] = np.zeros(0, np.intp)


@dataclass(slots=True)
class _Tracks:
    """The tracks that are alive, row by row."""

    ids: TrackIds
    boxes: Boxes
    """``(T, 4)`` where each was seen last."""
    velocities: NDArray[np.float64]
    """``(T, 2)`` of the centres, pixels a second."""
    seen_ns: NDArray[np.int64]
    hits: NDArray[np.int64]
    """Frames in which each was seen."""
    classes: NDArray[np.int64]

    @classmethod
    def none(cls) -> _Tracks:
        whole = np.zeros(0, np.int64)
        return cls(whole, np.zeros((0, 4), np.float32), np.zeros((0, 2)), whole, whole, whole)

    def keep(self, rows: NDArray[np.bool_]) -> None:
        if len(rows) and not rows.all():
            for name in self.__slots__:
                setattr(self, name, getattr(self, name)[rows])


class IouTracker:
    """A tracker by overlap and constant velocity: deterministic, and without a library.

    Each track is expected where its velocity takes it. Pairs of a track and a box of its class are matched by their
    overlap (intersection over union), the largest first; of equal ones the older track, then the first box.
    """

    def __init__(
        self, min_iou: float = 0.3, max_lost_s: float = 1.0, min_confidence: float = 0.0, min_hits: int = 1
    ) -> None:
        """Begin without tracks.

        Args:
            min_iou: Smallest overlap of a box with its track, above 0, at most 1.
            max_lost_s: Seconds that a track waits to be seen again.
            min_confidence: Boxes below it belong to no track.
            min_hits: Frames in which a track was seen before it has an id.

        Raises:
            SpecError: A value is out of its range.
        """
        if not 0 < min_iou <= 1:
            raise SpecError(f"min_iou = {min_iou}: expected more than 0, at most 1")
        if not max_lost_s >= 0:
            raise SpecError(f"max_lost_s = {max_lost_s}: expected 0 or more seconds")
        if not 0 <= min_confidence <= 1:
            raise SpecError(f"min_confidence = {min_confidence}: expected 0 to 1")
        if min_hits < 1:
            raise SpecError(f"min_hits = {min_hits}: expected 1 or more frames")
        self._min_iou = min_iou
        self._max_lost_ns = max_lost_s * _NS_PER_S
        self._min_confidence = min_confidence
        self._min_hits = min_hits
        self._tracks = _Tracks.none()
        self._last_id = 0

    def reset(self) -> None:
        """Forget everything; ids begin at 1 again."""
        self._tracks = _Tracks.none()
        self._last_id = 0

    def update(self, xyxy: ArrayLike, confidences: ArrayLike, classes: ArrayLike, pts_ns: int) -> TrackIds:
        """Take the boxes of the next frame, and return the track id of each, ``(N,)``; ``UNTRACKED`` for none.

        Args:
            xyxy: ``(N, 4)`` corners in pixels.
            confidences: ``(N,)``, NaN where the detector did not say.
            classes: ``(N,)`` numbers; boxes of different classes are never of one track.
            pts_ns: When the frame is shown, nanoseconds.

        Raises:
            ShapeError: The arrays do not have N rows.
        """
        now = seen(xyxy, confidences, classes)
        tracks = self._tracks
        tracks.keep(pts_ns - tracks.seen_ns <= self._max_lost_ns)
        wanted = np.flatnonzero(now.usable & (now.confidences >= self._min_confidence))
        rows, columns = self._matched(now, wanted, pts_ns)
        seen_again = wanted[columns]
        self._see_again(now.boxes, rows, seen_again, pts_ns)
        ids = np.full(len(now.boxes), UNTRACKED, np.int64)
        ids[seen_again] = tracks.ids[rows]
        if len(columns) < len(wanted):
            fresh = np.delete(wanted, columns)
            self._begin(now, fresh, pts_ns)
            ids[fresh] = tracks.ids[len(tracks.ids) - len(fresh) :]
        return ids

    def _matched(self, now: Seen, wanted: Rows, pts_ns: int) -> tuple[Rows, Rows]:
        """Return which track and which of the ``wanted`` boxes belong together."""
        tracks = self._tracks
        if not len(wanted) or not len(tracks.ids):
            return _NONE, _NONE
        gone_s = np.maximum(pts_ns - tracks.seen_ns, 0) / _NS_PER_S
        moved, expected = tracks.velocities * gone_s[:, None], tracks.boxes.astype(np.float64)
        expected[:, :2] += moved
        expected[:, 2:] += moved
        overlap = iou_matrix(expected, now.boxes[wanted].astype(np.float64))
        good = (overlap >= self._min_iou) & (tracks.classes[:, None] == now.classes[wanted])
        rows, columns = np.nonzero(good)
        if _are_apart(rows) and _are_apart(np.sort(columns)):
            return rows, columns  # nothing to choose from
        taken_rows, taken_columns = set[int](), set[int]()
        found: tuple[list[int], list[int]] = ([], [])
        order = np.argsort(-overlap[rows, columns], kind="stable")
        for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
            if row not in taken_rows and column not in taken_columns:
                taken_rows.add(row)
                taken_columns.add(column)
                found[0].append(row)
                found[1].append(column)
        return np.array(found[0], np.intp), np.array(found[1], np.intp)

    def _see_again(self, boxes: Boxes, rows: Rows, at: Rows, pts_ns: int) -> None:
        if not len(rows):
            return
        tracks, new = self._tracks, boxes[at]
        gone_s = ((pts_ns - tracks.seen_ns[rows]) / _NS_PER_S)[:, None]
        moved, speeds = _centers(new) - _centers(tracks.boxes[rows]), tracks.velocities[rows]
        step = np.divide(moved, gone_s, out=speeds.copy(), where=gone_s > 0)
        share = np.where(tracks.hits[rows] == 1, 1.0, _SMOOTHING)[:, None]
        tracks.velocities[rows] = speeds + share * (step - speeds)
        tracks.boxes[rows] = new
        tracks.seen_ns[rows] = pts_ns
        tracks.hits[rows] += 1
        if self._min_hits > 1:
            due = np.sort(rows[(tracks.ids[rows] == UNTRACKED) & (tracks.hits[rows] >= self._min_hits)])
            tracks.ids[due] = self._new_ids(len(due))

    def _begin(self, now: Seen, fresh: NDArray[np.intp], pts_ns: int) -> None:
        if not len(fresh):
            return
        count, tracks = len(fresh), self._tracks
        ids = self._new_ids(count) if self._min_hits == 1 else np.full(count, UNTRACKED, np.int64)
        tracks.ids = np.concatenate([tracks.ids, ids])
        tracks.boxes = np.concatenate([tracks.boxes, now.boxes[fresh]])
        tracks.velocities = np.concatenate([tracks.velocities, np.zeros((count, 2))])
        tracks.seen_ns = np.concatenate([tracks.seen_ns, np.full(count, pts_ns, np.int64)])
        tracks.hits = np.concatenate([tracks.hits, np.ones(count, np.int64)])
        tracks.classes = np.concatenate([tracks.classes, now.classes[fresh]])

    def _new_ids(self, count: int) -> TrackIds:
        first = self._last_id + 1
        self._last_id += count
        return np.arange(first, first + count, dtype=np.int64)


def _are_apart(numbers: Rows) -> bool:
    """Whether no two of some numbers in order are the same."""
    return bool((numbers[1:] != numbers[:-1]).all())


def iou_matrix(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the overlap of each box of ``first`` ``(T, 4)`` with each of ``second`` ``(N, 4)``: ``(T, N)``, 0..1."""
    upper = np.maximum(first[:, None, :2], second[None, :, :2])
    lower = np.minimum(first[:, None, 2:], second[None, :, 2:])
    sides = np.maximum(lower - upper, 0)
    shared = sides[:, :, 0] * sides[:, :, 1]
    areas = [(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    made: NDArray[np.float64] = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return made


def _centers(boxes: Boxes) -> NDArray[np.float64]:
    made: NDArray[np.float64] = (boxes[:, :2].astype(np.float64) + boxes[:, 2:]) / 2
    return made
