"""The part of a file that a command reads."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from picasso.cli.streams import Frames
from picasso.media import MediaInfo, VideoReader


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The beginning of a file, or all of it."""

    location: str
    """Path or URL."""
    source_id: str
    """Source of its frames."""
    seconds: float | None = None
    """How much of it, counted from its first frame; None for all."""
    paced: bool = False
    """Whether frames come at their own times instead of as fast as they can be decoded."""

    @contextmanager
    def open(self) -> Iterator[Frames]:
        """Read the frames, as decoded.

        Raises:
            MediaError: The file cannot be opened; while iterating, that it breaks off.
        """
        with VideoReader(self.location, self.source_id, pace=self.paced) as reader:
            frames = reader.frames()
            yield frames if self.seconds is None else self._beginning(frames, self.seconds)

    def frame_count(self, info: MediaInfo) -> int | None:
        """Frames to come by the header's word; None where it does not tell."""
        if self.seconds is None or info.frame_rate is None:
            return info.frame_count
        wanted = math.ceil(self.seconds * info.frame_rate)
        return wanted if info.frame_count is None else min(wanted, info.frame_count)

    @staticmethod
    def _beginning(frames: Frames, seconds: float) -> Frames:
        pictures = iter(frames)
        first = next(pictures)
        end_ns = first[0].pts + seconds * 1e9
        return itertools.chain([first], itertools.takewhile(lambda picture: picture[0].pts < end_ns, pictures))
