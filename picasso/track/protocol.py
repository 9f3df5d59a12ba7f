"""What a tracker is."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

UNTRACKED: Final = -1
"""The track id of a box that belongs to no track."""

TrackIds = NDArray[np.int64]
"""``(N,)``, one for each box; ``UNTRACKED`` for none."""
Boxes = NDArray[np.float32]
"""``(N, 4)`` corners in pixels."""


class Tracker(Protocol):
    """Gives boxes that stand for the same thing in frame after frame the same number.

    One tracker a source; one thread at a time. The same calls give the same numbers. Ids begin at 1.
    """

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

    def reset(self) -> None:
        """Forget everything: another stream begins, and so do the ids."""
