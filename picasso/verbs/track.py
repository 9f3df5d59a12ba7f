"""``track_video``: a detector and a tracker over a video, drawn, and as lines of text."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

import numpy as np

from picasso.annotators import (
    EdgeAnnotator,
    LabelAnnotator,
    MaskAnnotator,
    OrientedBoxAnnotator,
    TraceAnnotator,
    VertexAnnotator,
)
from picasso.errors import MediaError, SpecError
from picasso.media import MetadataWriter, VideoReader
from picasso.media.location import Location, shown
from picasso.media.outputs import Output
from picasso.primitives import Detections
from picasso.track import UNTRACKED, CoastingTracker, Tracker, open_tracker
from picasso.verbs.places import Progress, check_apart
from picasso.verbs.process import process_video

if TYPE_CHECKING:
    from picasso.annotators import Annotator
    from picasso.primitives import VideoFrame
    from picasso.surface import SurfaceView

Detect: TypeAlias = Callable[[Any], Detections]
"""Finds objects in a surface, in its pixels: a ``Detector``, or a function of yours."""
OBJECT_FILES: Final = (".txt", ".ndjson")
"""Where the objects go: lines of the MOT challenge, or a frame a line as ``MetadataWriter`` writes them."""


@dataclass(frozen=True, slots=True)
class TrackedVideo:
    """What was tracked."""

    frames: int
    """Frames of the video."""
    tracks: int
    """Different objects."""
    boxes: int
    """Boxes of them over all frames."""


def track_video(
    source: Location | int,
    destination: Location | None,
    model: str | os.PathLike[str] | Detect,
    *,
    tracker: str | Tracker = "iou",
    objects: Location | None = None,
    every: int = 1,
    annotators: Sequence[Annotator] | None = None,
    start_s: float | None = None,
    end_s: float | None = None,
    stride: int = 1,
    on_progress: Progress | None = None,
    **options: Any,
) -> TrackedVideo:
    """Find and follow the objects of a video; write the drawn video, the objects, or both.

    ::

        track_video("in.mp4", "tracked.mp4", "yolo11n.onnx", objects="tracks.txt")

    Objects that belong to no track are left out: those of which the tracker is not sure yet.

    Args:
        source: What ``VideoReader`` reads.
        destination: ``.mp4``, ``.mov`` or ``.mkv``; None writes no video.
        model: An ONNX file, as ``Detector`` takes it; a ``Detector``, or a function that gives ``Detections`` of a
            surface, in its pixels.
        tracker: A name of ``picasso.track.open_tracker``, or a tracker.
        objects: A ``.txt`` for lines of the MOT challenge, frames counted from 1; a ``.ndjson`` for a frame a line.
        every: Look for objects in each frame whose number is a multiple of it; between, they move on at their speed.
        annotators: What draws; by default the usual look, coloured by track, with the ways of the objects.
        start_s: As of ``process_video``.
        end_s: Likewise.
        stride: Likewise.
        on_progress: Likewise.
        options: Further ones of ``process_video``.

    Raises:
        MissingDependencyError: ONNX Runtime, or the library of the tracker, is not installed.
        ModelError: The file is no model that ``Detector`` reads.
        SpecError: Nothing is to be written, an unknown tracker, or an output that is the source.
        MediaError: A file cannot be read or written.
    """
    if destination is None and objects is None:
        raise SpecError("track_video: nothing to write: expected a destination, objects, or both")
    if every < 1:
        raise SpecError(f"track_video: every = {every}: expected at least 1")
    for written in (destination, objects):
        if written is not None:
            check_apart(written, source)
    follower = _Follower(_detect_of(model), open_tracker(tracker) if isinstance(tracker, str) else tracker, every)
    span: dict[str, Any] = {"start_s": start_s, "end_s": end_s, "stride": stride}
    with ExitStack() as opened:
        if objects is not None:
            follower.file = opened.enter_context(_open_objects(objects))
        if destination is not None:
            look = tracked_look() if annotators is None else annotators
            process_video(source, destination, follower, annotators=look, on_progress=on_progress, **span, **options)
        else:
            _follow(source, follower, span, on_progress)
        if not follower.frames:
            raise MediaError(
                f"{source if isinstance(source, int) else shown(source)}: no frame between start_s and end_s"
            )
    return TrackedVideo(follower.frames, len(follower.labels), follower.boxes)


def tracked_look() -> list[Annotator]:
    """Return the annotators of the usual look of tracks: of one video, since the ways of the objects are kept."""
    return [
        MaskAnnotator(color_by="track"),
        TraceAnnotator(),
        OrientedBoxAnnotator(color_by="track"),
        EdgeAnnotator(color_by="track"),
        VertexAnnotator(color_by="track"),
        LabelAnnotator(texts="{label} #{track_id}", color_by="track"),
    ]


def _follow(source: Location | int, follower: _Follower, span: dict[str, Any], on_progress: Progress | None) -> None:
    """Follow without a video that is written."""
    with VideoReader(source, **span) as reader:
        total = reader.info.frame_count if all(span[name] is None for name in ("start_s", "end_s")) else None
        for frame, surface in reader.frames():
            follower(frame, surface)
            if on_progress is not None:
                on_progress(follower.frames, None if total is None else -(-total // span["stride"]))


def _detect_of(model: Any) -> Detect:
    if callable(model):
        detect: Detect = model
        return detect
    from picasso.infer import Detector

    return Detector(model)


class _ObjectFile(Protocol):
    """Where the objects of frames go."""

    def write(self, frame: VideoFrame, found: Detections, number: int, /) -> None:
        """Write those of a frame, the ``number``-th from 1."""

    def __enter__(self) -> Any: ...

    def __exit__(self, *exception: Any) -> None: ...


def _open_objects(objects: Location) -> _ObjectFile:
    suffix = Path(os.fsdecode(objects)).suffix.lower()
    if suffix not in OBJECT_FILES:
        raise SpecError(f"{shown(objects)}: unknown suffix {suffix!r}; one of {', '.join(OBJECT_FILES)}")
    return _MotFile(objects) if suffix == ".txt" else _FrameFile(objects)


class _MotFile:
    """Lines of the MOT challenge; in its place when all is written."""

    def __init__(self, location: Location) -> None:
        self._output = Output(location)

    def write(self, _frame: VideoFrame, found: Detections, number: int) -> None:
        self._output.write(found.to_mot(number).encode())

    def __enter__(self) -> _MotFile:
        return self

    def __exit__(self, *exception: Any) -> None:
        if exception[0] is None:
            self._output.complete()
        self._output.abandon(keep=False)


class _FrameFile:
    """A frame a line, with its objects; in its place when all is written."""

    def __init__(self, location: Location) -> None:
        self._writer = MetadataWriter(location, space="source")

    def write(self, frame: VideoFrame, found: Detections, _number: int) -> None:
        copy = frame.copy()
        copy.add_detections(found)
        self._writer.write(copy)

    def __enter__(self) -> _FrameFile:
        return self

    def __exit__(self, *exception: Any) -> None:
        self._writer.__exit__(*exception)


class _Follower:
    """Detects and tracks frame after frame; what it returns is drawn."""

    def __init__(self, detect: Detect, tracker: Tracker, every: int) -> None:
        self._detect, self._tracker, self._every = detect, CoastingTracker(tracker), every
        self._classes: dict[str, int] = {}
        self._ids: dict[str, int] = {}
        self.file: _ObjectFile | None = None
        self.frames = self.boxes = 0
        self.labels: dict[int, str] = {}
        """Of each track."""

    def __call__(self, frame: VideoFrame, surface: SurfaceView) -> Detections:
        is_looked_at = self.frames % self._every == 0
        found = self._found(frame.pts, surface) if is_looked_at else self._expected(frame.pts)
        self.frames += 1
        self.boxes += len(found)
        if self.file is not None:
            self.file.write(frame, found, self.frames)
        return found

    def _found(self, pts_ns: int, surface: SurfaceView) -> Detections:
        found = self._detect(surface)
        if not isinstance(found, Detections):
            raise TypeError(f"track_video: expected Detections of the model, got {type(found).__name__}")
        names = found.labels.tolist()
        classes = [self._classes.setdefault(name, len(self._classes)) for name in names]
        self._ids |= zip(names, found.class_ids.tolist(), strict=True)
        ids = self._tracker.update(found.xyxy, found.confidences, classes, pts_ns)
        kept = replace(found, track_ids=np.asarray(ids, np.int64)).take(np.asarray(ids) != UNTRACKED)
        self.labels |= zip(kept.track_ids.tolist(), kept.labels.tolist(), strict=True)
        return kept

    def _expected(self, pts_ns: int) -> Detections:
        expected = self._tracker.predict(pts_ns)
        names = list(self._classes)
        labels = [names[number] for number in expected.classes.tolist()]
        return Detections.of(
            expected.xyxy,
            labels,
            class_ids=[self._ids[label] for label in labels],
            confidences=expected.confidences,
            track_ids=expected.track_ids,
        )
