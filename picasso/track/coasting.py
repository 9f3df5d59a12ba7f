"""Where tracked objects are in frames that no detector has looked at."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from picasso.track.protocol import UNTRACKED, Boxes, Tracker, TrackIds

_NS_PER_S: Final = 1e9


class Predicted(NamedTuple):
    """Objects that are expected in a frame, row by row."""

    track_ids: TrackIds
    """``(N,)``."""
    xyxy: Boxes
    """``(N, 4)`` corners in pixels."""
    confidences: NDArray[np.float32]
    """``(N,)`` as seen last; NaN where the detector did not say."""
    classes: NDArray[np.int64]
    """``(N,)``."""


class _Sight(NamedTuple):
    """The boxes of one frame; each class that was looked for refers to it, and takes its own where they are wanted."""

    pts_ns: int
    ids: TrackIds
    boxes: Boxes
    confidences: NDArray[np.float32]
    classes: NDArray[np.int64]

    def of(self, kind: int) -> _Sight:
        """Return the tracked boxes of one class."""
        kept = (self.ids != UNTRACKED) & (self.classes == kind)
        return _Sight(self.pts_ns, self.ids[kept], self.boxes[kept], self.confidences[kept], self.classes[kept])


@final
class CoastingTracker:
    """A tracker that also says where its objects are while no detector runs.

    Objects of the last frame that was looked at move on at the speed that they had between the last two; their sizes
    stay. That is kept for each class, as classes of different detectors may be looked at in different frames.
    """

    def __init__(self, tracker: Tracker) -> None:
        """Wrap a ``tracker``."""
        self._tracker = tracker
        self._last: dict[int, _Sight] = {}
        self._before: dict[int, _Sight] = {}

    def reset(self) -> None:
        """Forget everything: another stream begins."""
        self._tracker.reset()
        self._last.clear()
        self._before.clear()

    def update(
        self,
        xyxy: ArrayLike,
        confidences: ArrayLike,
        classes: ArrayLike,
        pts_ns: int,
        absent: Collection[int] = (),
    ) -> TrackIds:
        """Take the boxes of a frame, as ``Tracker.update`` does.

        Args:
            xyxy: ``(N, 4)`` corners in pixels.
            confidences: ``(N,)``, NaN where the detector did not say.
            classes: ``(N,)`` numbers.
            pts_ns: When the frame is shown, nanoseconds.
            absent: Classes that no detector looked for in this frame.

        Returns:
            ``(N,)`` track ids.

        Raises:
            ShapeError: The arrays do not have N rows.
        """
        ids = self._tracker.update(xyxy, confidences, classes, pts_ns)
        kinds = np.array(classes, np.int64)
        boxes, sure = np.array(xyxy, np.float32).reshape(-1, 4), np.array(confidences, np.float32)
        sight = _Sight(pts_ns, ids, boxes, sure, kinds)
        for kind in {*self._last, *kinds.tolist()} - set(absent):
            if kind in self._last:
                self._before[kind] = self._last[kind]
            self._last[kind] = sight
        return ids.copy()

    def predict(self, pts_ns: int, classes: Collection[int] | None = None) -> Predicted:
        """Return what is expected in a frame that no detector has looked at.

        Args:
            pts_ns: When the frame is shown, nanoseconds.
            classes: Classes that are asked for; None for all.
        """
        wanted = sorted(self._last if classes is None else {*self._last} & {*classes})
        parts = [self._moved(kind, pts_ns) for kind in wanted]
        whole, none = np.zeros(0, np.int64), np.zeros(0, np.float32)
        empty = Predicted(whole, np.zeros((0, 4), np.float32), none, whole)
        return Predicted(*(np.concatenate(columns) for columns in zip(empty, *parts, strict=True)))

    def _moved(self, kind: int, pts_ns: int) -> Predicted:
        last, before = self._last[kind].of(kind), self._before.get(kind)
        ahead_s = max(pts_ns - last.pts_ns, 0) / _NS_PER_S
        moved = last.boxes + np.tile(_velocities(last, before and before.of(kind)) * ahead_s, 2)
        return Predicted(last.ids, moved.astype(np.float32), last.confidences, np.full(len(last.ids), kind, np.int64))


def _velocities(last: _Sight, before: _Sight | None) -> NDArray[np.float64]:
    """Return ``(N, 2)`` pixels a second; 0 for an object that was seen once."""
    made = np.zeros((len(last.ids), 2))
    if before is None or last.pts_ns <= before.pts_ns:
        return made
    places = {number: row for row, number in enumerate(before.ids.tolist())}
    pairs = [(row, places[number]) for row, number in enumerate(last.ids.tolist()) if number in places]
    if pairs:
        rows, olds = (list(column) for column in zip(*pairs, strict=True))
        new, old = last.boxes[rows].astype(np.float64), before.boxes[olds].astype(np.float64)
        made[rows] = (new[:, :2] + new[:, 2:] - old[:, :2] - old[:, 2:]) / 2
    made /= (last.pts_ns - before.pts_ns) / _NS_PER_S
    return made
