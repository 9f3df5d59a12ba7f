"""The element ``nvtracker``: objects get the numbers of their tracks, and are expected where no model looked."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from picasso.errors import MissingDependencyError, SpecError
from picasso.module.config import ConfigError
from picasso.primitives.geometry import wrapping_xyxy
from picasso.primitives.object_store import DETECTION, NO_TRACK_ID
from picasso.track import UNTRACKED, CoastingTracker, open_tracker

if TYPE_CHECKING:
    from picasso.module.config import ElementConfig, ModuleConfig
    from picasso.module.elements.base import Batch, StreamEvent
    from picasso.module.meta import Frame

STAGE: Final = "nvtracker"


class TrackerElement:
    """Gives the objects of each source track ids; one tracker a source, which begins again where a stream ends.

    Objects that have a track id keep it. Boxes of different elements or labels are never of one track. In a frame that
    a model skipped by its interval, the objects that its tracks are expected to be are added, unless
    ``disable-obj-init`` says otherwise.
    """

    is_pyfunc = False

    def __init__(self, config: ElementConfig, module: ModuleConfig) -> None:
        """Choose the tracker.

        Raises:
            ConfigError: There is no such tracker, it has no such parameter, or its library is not installed.
        """
        properties = config.properties
        self.name: str = config.name or STAGE
        self.stage: str = self.name
        self._kind = str(properties.get("tracker") or "iou")
        self._options: dict[str, Any] = dict(properties.get("options") or {})
        self._adds = not properties.get("disable-obj-init", False)
        self._trackers: dict[str, CoastingTracker] = {}
        self._classes: dict[tuple[str, str], int] = {}
        self._keys: list[tuple[str, str]] = []
        try:
            self._open()
        except (SpecError, MissingDependencyError) as error:
            key = "tracker" if isinstance(error, MissingDependencyError) else "options"
            raise ConfigError([module.problem((*config.path, "properties", key), str(error))]) from error

    def _open(self) -> CoastingTracker:
        return CoastingTracker(open_tracker(self._kind, **self._options))

    def start(self) -> None:
        """Do nothing: trackers are made with the first frame of each source."""

    def stop(self) -> None:
        """Forget everything."""
        self._trackers.clear()

    def event(self, event: StreamEvent) -> None:
        """Begin again where a stream ends."""
        if event.kind == "source-delete":
            self._trackers.pop(event.source_id, None)
        elif event.kind == "source-eos" and event.source_id in self._trackers:
            self._trackers[event.source_id].reset()

    def process(self, batch: Batch) -> None:
        """Track the objects of the frames that are not dropped."""
        for frame in batch:
            if not frame.is_dropped:
                self._track(frame)

    def _track(self, frame: Frame) -> None:
        tracker = self._trackers.get(frame.source_id)
        if tracker is None:
            tracker = self._trackers[frame.source_id] = self._open()
        store = frame.video_frame.object_table()
        rows = np.flatnonzero(store.track_ids[: store.count] == NO_TRACK_ID)
        kinds = list(zip(store.namespaces, store.labels, strict=True))
        if len(rows) < len(kinds):
            kinds = [kinds[row] for row in rows.tolist()]
        classes = [self._class_of(kind) for kind in kinds]
        skipped = frame.skipped_models
        absent = [number for number, (unit, _label) in enumerate(self._keys) if unit in skipped] if skipped else []
        expected = tracker.predict(frame.pts, absent) if absent and self._adds else None
        if len(rows) or len(absent) < len(self._keys):
            boxes = wrapping_xyxy(store.boxes[DETECTION, :, rows])
            with np.errstate(over="ignore"):
                confidences = store.confidences[rows].astype(np.float32)
            ids = tracker.update(boxes, confidences, classes, frame.pts, absent)
            tracked = np.flatnonzero(ids != UNTRACKED)
            if len(tracked):
                frame.video_frame.set_tracks(store.ids[rows[tracked]], ids[tracked])
        if expected is not None and len(expected.track_ids):
            self._add(frame, expected)

    def _class_of(self, key: tuple[str, str]) -> int:
        number = self._classes.get(key)
        if number is None:
            number = self._classes[key] = len(self._keys)
            self._keys.append(key)
        return number

    def _add(self, frame: Frame, expected: Any) -> None:
        """Add the objects that are expected, as far as they are within the frame."""
        limits = np.array([frame.width, frame.height] * 2, np.float32)
        boxes = np.clip(expected.xyxy, 0, limits)
        by_unit: dict[str, list[int]] = defaultdict(list)
        for row in np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(axis=1)).tolist():
            by_unit[self._keys[expected.classes[row]][0]].append(row)
        for unit, rows in by_unit.items():
            labels = [self._keys[number][1] for number in expected.classes[rows].tolist()]
            frame.add_detections(
                unit,
                boxes[rows],
                labels,
                confidences=expected.confidences[rows],
                track_ids=expected.track_ids[rows],
                track_xyxy=boxes[rows],
            )
