"""Names of the files that a long recording is cut into, and when the next one begins."""

from __future__ import annotations

import contextlib
import os
import string
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from picasso.errors import MediaError
from picasso.media.ffmpeg import media_errors
from picasso.media.location import Location, output_place
from picasso.media.names import safe_file_name
from picasso.media.outputs import Output, free_path
from picasso.media.times import NS

FIELDS: Final = ("source", "time", "index")
_TIME: Final = "%Y%m%dT%H%M%SZ"
_NOW: Final[Callable[[], datetime]] = lambda: datetime.now(UTC)  # noqa: E731


@dataclass(frozen=True, slots=True)
class SegmentLimits:
    """When a file is long enough; the next keyframe then begins another one."""

    seconds: float | None = None
    """Of the stream's own time."""
    size_bytes: int | None = None
    """Of coded frames."""

    def __post_init__(self) -> None:
        for name, value in (("segment_s", self.seconds), ("segment_bytes", self.size_bytes)):
            if value is not None and not value > 0:
                raise ValueError(f"{name} = {value}: expected more than 0")

    @property
    def seconds_ns(self) -> int | None:
        """The limit of time in nanoseconds."""
        return None if self.seconds is None else round(self.seconds * NS)

    def is_reached(self, length_ns: int, size_bytes: int) -> bool:
        """Whether a file of this length and size is long enough."""
        return (self.seconds is not None and length_ns >= round(self.seconds * NS)) or (
            self.size_bytes is not None and size_bytes >= self.size_bytes
        )


class SegmentNames:
    """Makes the paths of segments: ``rec/{source}/{time}.mp4``.

    ``{source}`` is the source's id as ``safe_file_name`` writes it, ``{time}`` when the segment begins by the system's
    clock in UTC, ``{index}`` its number from 1. Formats may follow: ``{time:%Y/%m/%d}``, ``{index:04d}``. Braces that
    are doubled stand for themselves. A pattern without fields names the first file; the others get ``-2``, ``-3``, ….
    A path that exists, or is being written, is never taken: ``-2`` and so on stand before its suffix.
    """

    def __init__(self, pattern: Location, *, now: Callable[[], datetime] = _NOW) -> None:
        """Check the pattern.

        Raises:
            ValueError: An unknown field, or a brace that is not closed.
            MediaError: A pipe or device cannot be cut into segments.
        """
        self._pattern = os.fsdecode(pattern)
        self._now = now
        self._index = 0
        if output_place(pattern).is_direct:
            raise MediaError(f"{self._pattern}: segments need files; this is a pipe or a device")
        for _text, field, _format, conversion in string.Formatter().parse(self._pattern):
            if field is not None and (field not in FIELDS or conversion):
                raise ValueError(f"{self._pattern}: unknown field {{{field}}}; one of {', '.join(FIELDS)}")
        self._path("source")  # formats that do not fit are found out now

    @property
    def needs_source(self) -> bool:
        """Whether the pattern names the source."""
        return any(field == "source" for _, field, _, _ in string.Formatter().parse(self._pattern))

    def create(self, source_id: str) -> Output:
        """Begin the file of the next segment, and create the folders above it.

        Raises:
            MediaError: A folder or the file cannot be created.
        """
        self._index += 1
        path = self._path(safe_file_name(source_id))
        with media_errors(str(path)):
            path.parent.mkdir(parents=True, exist_ok=True)
            while True:
                with contextlib.suppress(FileExistsError):  # someone was faster
                    return Output(free_path(path), replaces=False)

    def _path(self, source: str) -> Path:
        return Path(self._pattern.format(source=source, time=_Time(self._now()), index=self._index))


class _Time:
    """A time whose plain form sorts, and has no colon."""

    def __init__(self, time: datetime) -> None:
        self._time = time

    def __format__(self, spec: str) -> str:
        return self._time.strftime(spec or _TIME)
