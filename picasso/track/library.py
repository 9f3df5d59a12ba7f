"""SORT, ByteTrack and OC-SORT by the library ``trackers``: one of its trackers for each class of a source."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final, final

import numpy as np
from numpy.typing import ArrayLike

from picasso.errors import MissingDependencyError, SpecError, require
from picasso.track.checks import seen
from picasso.track.protocol import UNTRACKED, TrackIds

CLASSES: Final = {"sort": "SORTTracker", "bytetrack": "ByteTrackTracker", "ocsort": "OCSORTTracker"}
"""What the library calls them."""
HINT: Final = (
    "pip install 'picasso-engine[track]'; or, where opencv-python-headless is installed, which opencv-python would "
    "overwrite: pip install supervision && pip install --no-deps 'trackers>=2.6,<3'"
)
_NS_PER_S: Final = 1e9
_FIXED: Final = frozenset({"frame_rate"})
"""Parameters that times take the place of."""
_ROWS: Final = "row"


@final
class LibraryTracker:
    """A tracker of the library ``trackers``, by the times of the frames; ids are numbered for each source from 1."""

    def __init__(self, name: str, **options: Any) -> None:
        """Begin without tracks.

        Args:
            name: ``sort``, ``bytetrack`` or ``ocsort``.
            options: Parameters of the library's class, such as ``minimum_consecutive_frames``.

        Raises:
            MissingDependencyError: The library is not there, or does not load.
            SpecError: The class has no such parameter, or refuses its value.
        """
        try:
            self._kind = getattr(require("trackers", hint=HINT), CLASSES[name])
            self._detections = require("supervision", hint=HINT).Detections
        except AttributeError as error:
            raise MissingDependencyError(f"trackers has no {CLASSES[name]}; {HINT}") from error
        known = sorted(set(inspect.signature(self._kind).parameters) - _FIXED)
        if unknown := sorted(set(options) - set(known)):
            raise SpecError(f"tracker {name}: unknown parameter {unknown[0]!r}; one of {', '.join(known)}")
        self._name = name
        self._options: Mapping[str, Any] = options
        self._each: dict[int, Any] = {}
        self._numbers: dict[tuple[int, int], int] = {}
        self._make()

    def reset(self) -> None:
        """Forget everything; ids begin at 1 again."""
        self._each.clear()
        self._numbers.clear()

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
        ids = np.full(len(now.boxes), UNTRACKED, np.int64)
        boxes, sure = now.boxes.astype(np.float64), now.confidences.astype(np.float64)
        for kind in sorted({*self._each, *now.classes[now.usable].tolist()}):
            rows = np.flatnonzero(now.usable & (now.classes == kind))
            if kind not in self._each:
                self._each[kind] = self._make()
            given = self._detections(
                xyxy=boxes[rows],
                confidence=sure[rows],
                class_id=now.classes[rows],
                data={_ROWS: rows},
            )
            found = self._each[kind].update(given, timestamp=pts_ns / _NS_PER_S)
            if len(found):
                for row, number in zip(found.data[_ROWS].tolist(), found.tracker_id.tolist(), strict=True):
                    if number != UNTRACKED:
                        ids[row] = self._number(kind, int(number))
        return ids

    def _number(self, kind: int, number: int) -> int:
        """Return the id of a track of a class's tracker."""
        return self._numbers.setdefault((kind, number), len(self._numbers) + 1)

    def _make(self) -> Any:
        try:
            return self._kind(**self._options)
        except (TypeError, ValueError) as error:
            raise SpecError(f"tracker {self._name}: {error}") from error
