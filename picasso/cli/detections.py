"""Detections from a file, given back to the frames that they were found in."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection
from fractions import Fraction
from pathlib import Path

from picasso.cli.look import PALETTE_RGB, object_draw
from picasso.draw import ObjectDrawSpec
from picasso.errors import MetadataError
from picasso.media import MetadataReader
from picasso.media.times import to_ns
from picasso.primitives import IdCollisionResolutionPolicy, VideoFrame
from picasso.surface import SurfaceView

logger: logging.Logger = logging.getLogger("picasso.cli")


class DetectionsFile:
    """The objects of an NDJSON file by the time of their frames, as ``MetadataWriter(space="source")`` writes them.

    Called with each frame of a source in turn, it adds the objects of that time.

    Args:
        path: File to read, whole, or ``-`` for standard input.

    Raises:
        MediaError: The file cannot be read.
        MetadataError: A line holds no frame; the message names it.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = path
        self._frames: defaultdict[int, list[VideoFrame]] = defaultdict(list)
        self._matched = 0
        with MetadataReader(path) as reader:
            for frame in reader.frames():
                self._frames[time_ns(frame)].append(frame)

    def __call__(self, frame: VideoFrame, _surface: SurfaceView) -> None:
        """Add the objects that the file has for the time of this frame.

        Raises:
            MetadataError: They were found in a picture of another size.
        """
        for found in self._frames.get(time_ns(frame), ()):
            if (found.width, found.height) != (frame.width, frame.height):
                raise MetadataError(
                    f"{self._path}: boxes at {time_ns(frame) / 1e9:.3f} s are in pixels of a "
                    f"{found.width}x{found.height} picture, and the source is {frame.width}x{frame.height}"
                )
            for found_object in found.get_all_objects():
                frame.add_object(found_object.detached_copy(), IdCollisionResolutionPolicy.GenerateNewId)
            self._matched += 1

    def check_matched(self) -> None:
        """Make sure that the file was about this source.

        Raises:
            MetadataError: The file has frames, and none at the time of a frame that was called with.
        """
        if self._frames and not self._matched:
            raise MetadataError(f"{self._path}: none of its {len(self._frames)} frames has the time of a frame")

    def draw_spec(self, blurred: Collection[str]) -> ObjectDrawSpec:
        """Draw every kind of object in the file, each in a colour of its own.

        A label to blur that no object has is a warning in the log: a name that is misspelled hides nothing.

        Args:
            blurred: Labels of the objects to make unrecognisable.
        """
        kinds: set[tuple[str, str]] = set()
        for frames in self._frames.values():
            for frame in frames:
                kinds.update((found.namespace, found.label) for found in frame.get_all_objects())
        labels = {label for _, label in kinds}
        for label in blurred:
            if label not in labels:
                there = f"its labels are {', '.join(sorted(labels))}" if labels else "it has no objects"
                logger.warning("%s: no object is called %r, so none is blurred for it; %s", self._path, label, there)
        spec = ObjectDrawSpec()
        for index, (namespace, label) in enumerate(sorted(kinds)):
            color = PALETTE_RGB[index % len(PALETTE_RGB)]
            spec.insert(namespace, label, object_draw(color, blurred=label in blurred))
        return spec


def time_ns(frame: VideoFrame) -> int:
    """When a frame is shown, in nanoseconds, rounded as readers round."""
    return to_ns(frame.pts, Fraction(*frame.time_base))
