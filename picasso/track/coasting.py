"""Where tracked objects are in frames that no detector has looked at."""

from __future__ import annotations

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
    """The tracked boxes of one frame."""

    pts_ns: int
    ids: TrackIds
    boxes: Boxes
    confidences: NDArray[np.float32]
    classes: NDArray[np.int64]


@final
class CoastingTracker:
    """A tracker that also says where its objects are while no detector runs.

    Objects of the last frame that was looked at move on at the speed that they had between the last two; their sizes
    stay.
    """

    def __init__(self, tracker: Tracker) -> None:
        """Wrap a ``tracker``."""
        self._tracker = tracker
        self._last: _Sight | None = None
        self._before: _Sight | None = None

    def reset(self) -> None:
        """Forget everything: another stream begins."""
        self._tracker.reset()
        self._last = self._before = None

    def update(self, xyxy: ArrayLike, confidences: ArrayLike, classes: ArrayLike, pts_ns: int) -> TrackIds:
        """Take the boxes of a frame, as ``Tracker.update`` does.

        Args:
            xyxy: ``(N, 4)`` corners in pixels.
            confidences: ``(N,)``, NaN where the detector did not say.
            classes: ``(N,)`` numbers.
            pts_ns: When the frame is shown, nanoseconds.

        Returns:
            ``(N,)`` track ids.

        Raises:
            ShapeError: The arrays do not have N rows.
        """
        ids = self._tracker.update(xyxy, confidences, classes, pts_ns)
        kept = ids != UNTRACKED
        boxes = np.asarray(xyxy, np.float32).reshape(-1, 4)[kept]
        self._before, self._last = (
            self._last,
            _Sight(
                pts_ns,
                ids[kept],
                boxes,
                np.asarray(confidences, np.float32)[kept],
                np.asarray(classes, np.int64)[kept],
            ),
        )
        return ids

    def predict(self, pts_ns: int) -> Predicted:
        """Return what is expected in a frame that no detector has looked at, shown at ``pts_ns`` nanoseconds."""
        last = self._last
        if last is None:
            none = np.zeros(0, np.int64)
            return Predicted(none, np.zeros((0, 4), np.float32), np.zeros(0, np.float32), none)
        ahead_s = max(pts_ns - last.pts_ns, 0) / _NS_PER_S
        moved = last.boxes + np.tile(self._velocities(last) * ahead_s, 2)
        return Predicted(last.ids.copy(), moved.astype(np.float32), last.confidences.copy(), last.classes.copy())

    def _velocities(self, last: _Sight) -> NDArray[np.float64]:
        """Return ``(N, 2)`` pixels a second; 0 for an object that was seen once."""
        before, made = self._before, np.zeros((len(last.ids), 2))
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
