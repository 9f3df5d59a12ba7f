"""The sound of a source beside its encoded frames: packets as they are, where the container takes them."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from picasso.errors import MediaError
from picasso.media.location import Location, Trust, input_place
from picasso.media.sound import FORMATS, SoundCopy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from picasso.engine import OutputMessage
    from picasso.media import StreamWriter

log: logging.Logger = logging.getLogger("picasso.media")


class Excerpt(Protocol):
    """The part of a source that is read."""

    @property
    def offsets_ns(self) -> Sequence[int]:
        """What takes times of the source to those of the written frames, for each part so far, nanoseconds."""

    @property
    def end_ns(self) -> int | None:
        """Where it ends, as a time of the written frames; None where the source does."""

    @property
    def is_read(self) -> bool:
        """Whether its last frame was read."""


def open_sound(source: Location, destination: Location, *, trust: Trust = "origin") -> SoundCopy | None:
    """Open the sound of a source; None, with a warning, where it cannot be read beside the frames.

    Raises:
        MediaError: It cannot be opened.
    """
    place = input_place(source, trust=trust)
    if not place.can_be_read_again:
        log.warning("%s: sound is left out: what is not a file is read once, for its frames", place.shown)
        return None
    suffix = Path(os.fsdecode(destination)).suffix.lower()
    return SoundCopy(source, suffix if suffix in FORMATS else ".mkv", trust=trust)


class SoundSink:
    """Writes frames, and after each the sound up to it; at the end of the excerpt the rest.

    Sound that cannot be read to its end is warned of, and the frames go on.
    """

    def __init__(self, writer: StreamWriter, sound: SoundCopy, excerpt: Excerpt, *, goes_on: bool = True) -> None:
        """Join them; with ``goes_on`` the sound, too, goes on where times of the source start again, else it ends."""
        self._writer = writer
        self._sound: SoundCopy | None = sound
        self._excerpt = excerpt
        self._goes_on = goes_on
        self._first_ns: int | None = None
        self._end_ns = 0

    def write(self, output: OutputMessage) -> None:
        """Write a frame, and the sound that begins before it ends."""
        self._writer.write(output)
        if not output.is_eos:
            frame = output.as_video_frame()  # encoded: its times are nanoseconds
            self._first_ns = frame.pts if self._first_ns is None else self._first_ns
            self._end_ns = frame.pts + (frame.duration or 0)
            self._copy(self._end_ns)

    def close(self) -> None:
        """Write the rest of the sound, if all frames came, and finish the file."""
        if self._sound is not None and self._first_ns is not None and self._excerpt.is_read:
            self._copy(self._excerpt.end_ns)
        self._stop()
        self._writer.close()

    def abandon(self) -> Path | None:
        """Leave what was there."""
        self._stop()
        return self._writer.abandon()

    def _copy(self, end_ns: int | None) -> None:
        if self._sound is None:
            return
        try:
            offsets_ns = self._excerpt.offsets_ns
            if not self._goes_on and len(offsets_ns) > 1:
                self._end("times of the source start again")
                return
            packets = self._sound.until(end_ns, offsets_ns, self._first_ns or 0)
            while (item := next(packets, None)) is not None:
                self._writer.write_sound(*item)
        except MediaError as error:
            self._end(str(error))

    def _end(self, why: str) -> None:
        log.warning("the sound ends at %.3f s: %s", self._end_ns / 1e9, why)
        self._stop()

    def _stop(self) -> None:
        if self._sound is not None:
            self._sound.close()
        self._sound = None
