"""``uridecodebin``: files, folders, patterns and streams as one source, with tags and objects beside them."""

from __future__ import annotations

import glob
import itertools
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from picasso.errors import MediaError, OpeningStoppedError
from picasso.flow import NEVER, Item, RestartPolicy
from picasso.media import StopSignal, VideoReader
from picasso.media.location import input_place
from picasso.module.meta.frame import TAGS
from picasso.module.sources.beside import ObjectsBeside
from picasso.primitives import Attribute, AttributeValue, EndOfStream

if TYPE_CHECKING:
    from picasso.engine.clock import Clock

NS: Final = 1_000_000_000
SUFFIXES: Final = frozenset(
    (
        *(
            ".mp4",
            ".mov",
            ".mkv",
            ".webm",
            ".avi",
            ".ts",
            ".mts",
            ".m2ts",
            ".flv",
            ".mpg",
            ".mpeg",
            ".m4v",
            ".wmv",
            ".3gp",
        ),
        *(".h264", ".h265", ".hevc", ".y4m", ".gif", ".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"),
    )
)
"""Names of files that a folder is searched for."""


class UriSource:
    """Reads what a URI names: one file, all files of a folder or pattern one after the other, or a stream.

    Each file ends with an end of stream and leaves its name as the tag ``location``. With ``loop`` times keep rising
    from one pass of a file to the next.
    """

    def __init__(
        self,
        uri: str,
        source_id: str | None = None,
        *,
        loop: bool = False,
        pace: bool = False,
        start_s: float | None = None,
        stop_s: float | None = None,
        rtsp_transport: str = "tcp",
        timeout_s: float = 10.0,
        restart: bool | None = None,
        metadata: str | None = None,
        absolute_timestamps: bool | None = None,
        trust: Any = "origin",
        options: Mapping[str, str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Take the properties of the element; nothing is opened yet.

        Args:
            uri: File, folder, pattern, or address; ``file://`` is allowed.
            source_id: Name of the source; by default that of the file or folder, or the address.
            loop: Whether it starts again at its end, for ever.
            pace: Whether frames of files come at their own times.
            start_s: Where to begin in each file, in seconds.
            stop_s: Where to end in each file, in seconds.
            rtsp_transport: ``tcp`` or ``udp``.
            timeout_s: Longest silence of a server in seconds.
            restart: Whether a lost stream is opened again; by default for addresses that do not end.
            metadata: File of objects beside each file; ``{stem}`` is the file's name without suffix.
            absolute_timestamps: Whether times are those of the wall clock; by default as the variable
                ``USE_ABSOLUTE_TIMESTAMPS`` says.
            trust: What a playlist may make FFmpeg open.
            options: Options of FFmpeg's demuxer.
            clock: What paces.
        """
        self._uri = uri.removeprefix("file://")
        place = input_place(self._uri) if not _is_pattern(self._uri) else None
        self._is_address = place is not None and place.url is not None
        self._source_id = source_id or _name(self._uri, place)
        self._loop = loop
        self._range_ns = (round((start_s or 0) * NS), None if stop_s is None else round(stop_s * NS))
        self._metadata = metadata
        if absolute_timestamps is None:
            absolute_timestamps = os.environ.get("USE_ABSOLUTE_TIMESTAMPS", "").lower() in ("1", "true", "yes")
        self._absolute = absolute_timestamps
        self.is_live = self._is_address and self._uri.partition(":")[0].lower() in (
            "rtsp",
            "rtsps",
            "udp",
            "rtp",
            "srt",
        )
        again = self.is_live if restart is None else restart
        self.restart = RestartPolicy(on_end=self.is_live) if again else NEVER
        extra = {"rtsp_transport": rtsp_transport} if self._uri.startswith("rtsp") else {}
        self._options: dict[str, Any] = {
            "pace": pace and not self.is_live,
            "timeout_s": timeout_s,
            "trust": trust,
            "options": {**extra, **(options or {})},
            "clock": clock,
        }
        self._stop = StopSignal()
        self.frame_count: int | None = None

    @property
    def source_id(self) -> str:
        """The name of the source."""
        return self._source_id

    def files(self) -> list[str]:
        """Return what is read, in order; a folder's files by name.

        Raises:
            MediaError: A folder or pattern has no file.
        """
        if self._is_address:
            return [self._uri]
        path = Path(self._uri)
        if path.is_dir():
            found = sorted(str(file) for file in path.iterdir() if file.is_file() and file.suffix.lower() in SUFFIXES)
        elif not path.exists() and _is_pattern(self._uri):
            found = sorted(file for file in glob.glob(self._uri, recursive=True) if os.path.isfile(file))
        else:
            return [self._uri]
        if not found:
            raise MediaError(f"{self._uri}: no video or image file is there")
        return found

    def __iter__(self) -> Iterator[Item]:
        for _pass in itertools.count() if self._loop else range(1):
            files = self.files()
            for file in files:
                if self._stop.is_set:
                    return
                single = len(files) == 1
                yield from self._play(file, loops=None if self._loop and single and not self._is_ranged else 1)
                if not single or self._loop:
                    yield EndOfStream(self._source_id)

    @property
    def _is_ranged(self) -> bool:
        return self._range_ns != (0, None)

    def stop(self) -> None:
        """End the running iteration, and every later one. Any thread."""
        self._stop.set()

    def _play(self, file: str, loops: int | None) -> Iterator[Item]:
        beside = None if self._is_address else ObjectsBeside.of(file, self._metadata)
        try:
            reader = VideoReader(file, self._source_id, loops=loops, stop=self._stop, **self._options)
        except OpeningStoppedError:
            return
        location = [AttributeValue.string(input_place(file).shown)]
        first_ns, last_ns = self._range_ns
        base_ns = time.time_ns() if self._absolute else 0
        with reader:
            self.frame_count = reader.info.frame_count if loops == 1 and not self._is_ranged else None
            for number, item in enumerate(reader):
                if isinstance(item, EndOfStream):
                    return
                frame, surface = item
                if frame.pts < first_ns:
                    continue
                if last_ns is not None and frame.pts >= last_ns:
                    return
                frame.set_attribute(Attribute(TAGS, "location", location))
                if beside is not None:
                    beside.put(frame, number)
                if base_ns:
                    frame.pts += base_ns
                yield frame, surface


def _is_pattern(uri: str) -> bool:
    return "://" not in uri and any(letter in uri for letter in "*?[")


def _name(uri: str, place: Any) -> str:
    if place is not None and not Path(uri).is_dir():
        return str(place.stem)
    return Path(uri.rstrip("/")).name if not _is_pattern(uri) else (Path(uri).parent.name or "files")
