"""The part of a file that a command reads."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from picasso.cli.run import Frames
from picasso.engine import PtsResetPolicy
from picasso.media import MediaInfo, VideoReader

if TYPE_CHECKING:
    from picasso.media.location import Trust
    from picasso.media.reader import FrameAndPixels, Geometry


class Excerpt:
    """The beginning of a file, or all of it: opened once, for what it is, for a rehearsal and for the run.

    One thread at a time reads; ``stop`` may be called from any thread.
    """

    def __init__(
        self,
        location: str,
        source_id: str,
        seconds: float | None = None,
        *,
        paced: bool = False,
        geometry: Geometry = "display",
        tone_map: bool = True,
        trust: Trust = "origin",
        on_restart: PtsResetPolicy = PtsResetPolicy.CONTINUE,
    ) -> None:
        """Open the file.

        Args:
            location: Path, URL, or ``-`` for standard input.
            source_id: Source of its frames.
            seconds: How much of it, counted from its first frame; None for all.
            paced: Whether frames come at their own times instead of as fast as they can be decoded.
            geometry: Whether pictures are turned and shaped as the file says.
            tone_map: Whether high dynamic range is brought to BT.709.
            trust: What the location may make FFmpeg open.
            on_restart: What happens to times that start again.

        Raises:
            MediaError: The file cannot be opened.
        """
        self._seconds = seconds
        self._reader = VideoReader(
            location,
            source_id,
            pace=paced,
            geometry=geometry,
            tone_map=tone_map,
            trust=trust,
            on_restart=on_restart,
        )
        self._first: FrameAndPixels | None = None
        self.is_read: bool = False
        """Whether its last frame was read."""
        self.end_ns: int | None = None
        """Where it ends; None where the file does, and before the first frame."""

    @property
    def offsets_ns(self) -> tuple[int, ...]:
        """As ``VideoReader.offsets_ns``."""
        return self._reader.offsets_ns

    @property
    def info(self) -> MediaInfo:
        """What the file holds."""
        return self._reader.info

    @property
    def frame_count(self) -> int | None:
        """Frames to come by the header's word; None where it does not tell."""
        info = self.info
        if self._seconds is None or info.frame_rate is None:
            return info.frame_count
        wanted = math.ceil(self._seconds * info.frame_rate)
        return wanted if info.frame_count is None else min(wanted, info.frame_count)

    @contextmanager
    def open(self) -> Iterator[Frames]:
        """Read the frames, as decoded, and close the file.

        Raises:
            MediaError: While iterating: the file breaks off.
        """
        with self._reader:
            frames = self._frames()
            yield self._to_end(frames if self._seconds is None else self._beginning(frames, self._seconds))

    def _to_end(self, frames: Frames) -> Frames:
        yield from frames
        self.is_read = not self._reader.is_stopped

    @contextmanager
    def rehearse(self) -> Iterator[Frames]:
        """Read a copy of the first frame, which ``open`` will read again.

        Raises:
            MediaError: While iterating: there is none.
        """
        yield self._copies()

    def stop(self) -> None:
        """Read no further frame, and wait for none. Any thread."""
        self._reader.stop()

    def close(self) -> None:
        """Close the file. May be called again."""
        self._first = None
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _copies(self) -> Frames:
        self._first = self._first or next(self._reader.frames(), None)
        if self._first is not None:
            frame, surface = self._first
            yield frame.copy(), surface.share()

    def _frames(self) -> Frames:
        first, self._first = self._first, None
        if first is not None:
            yield first
            del first
        yield from self._reader.frames()

    def _beginning(self, frames: Frames, seconds: float) -> Frames:
        pictures = iter(frames)
        first = next(pictures, None)
        if first is None:
            return
        end_ns = self.end_ns = first[0].pts + round(seconds * 1e9)
        yield first
        del first
        yield from itertools.takewhile(lambda picture: picture[0].pts < end_ns, pictures)
