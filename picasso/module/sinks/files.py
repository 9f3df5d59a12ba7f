"""Sinks that write files: video by segments, images, metadata."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from picasso.errors import MediaError
from picasso.media import ImageSequenceWriter, StreamWriter, safe_file_name
from picasso.media.segments import SegmentNames
from picasso.module.sinks.record import record_of, tags_of

if TYPE_CHECKING:
    from picasso.engine import OutputMessage

_REFERENCE: Final = {"%source_id": "{source}", "%src_filename": "{file}", "%chunk_idx": "{chunk}"}
"""Fields of the reference's file names, and ours."""


class VideoFileSink:
    """Video files of each source, named by a pattern, cut at keyframes; they play after a crash, too."""

    name = "video_file_sink"

    def __init__(
        self,
        location: str,
        segment_s: float | None = None,
        segment_bytes: int | None = None,
        fsync: bool = False,
    ) -> None:
        """Check the pattern; files are made with their first frame.

        Args:
            location: Such as ``out/{source}/{time}.mp4``; without ``{source}`` the source's id goes before the suffix.
            segment_s: Longest file in seconds, at least; None for one file a stream.
            segment_bytes: Bytes of coded frames of a file, at least.
            fsync: Whether each fragment waits for the disk.

        Raises:
            MediaError: The suffix is unknown.
            ValueError: The pattern has an unknown field.
        """
        names = SegmentNames(location)
        if not names.needs_source:
            path = Path(location)
            location = str(path.with_name(f"{path.stem}-{{source}}{path.suffix}"))
        self._location = location
        self._limits = segment_s, segment_bytes
        self._fsync = fsync
        self._writers: dict[str, StreamWriter] = {}
        self.skipped = 0
        """Frames without encoded pixels."""
        self._open("probe").close()

    def write(self, output: OutputMessage) -> None:
        """Write a frame; the end of a stream completes the file. Frames without pixels are counted and left out."""
        source_id = output.source_id
        if output.is_eos:
            if (writer := self._writers.pop(source_id, None)) is not None:
                writer.close()
            return
        frame = output.as_video_frame()
        if not frame.content.is_internal():
            self.skipped += 1
            return
        writer = self._writers.get(source_id)
        if writer is None:
            if frame.keyframe is False:
                self.skipped += 1  # the stream begins at its next keyframe
                return
            writer = self._writers[source_id] = self._open(source_id)
        writer.write(frame)

    def close(self) -> None:
        """Finish every file."""
        failures = []
        while self._writers:
            try:
                self._writers.popitem()[1].close()
            except MediaError as error:
                failures.append(error)
        if failures:
            raise failures[0]

    def _open(self, source_id: str) -> StreamWriter:
        return StreamWriter(
            self._location,
            on_restart="segment",
            source_id=source_id,
            fsync=self._fsync,
            segment_s=self._limits[0],
            segment_bytes=self._limits[1],
        )


class ImageFileSink:
    """Images of each source in a folder of its own, and their metadata beside them."""

    name = "image_file_sink"

    def __init__(self, location: str) -> None:
        """Name the folder, such as ``out/{source}``; without ``{source}`` each source gets a folder below it."""
        self._location = location if "{source}" in location else f"{location.rstrip('/')}/{{source}}"
        self._writers: dict[str, ImageSequenceWriter] = {}
        self.skipped = 0
        """Frames that are no images."""

    def write(self, output: OutputMessage) -> None:
        """Write an image; frames without pixels are counted and left out."""
        if output.is_eos:
            return
        frame = output.as_video_frame()
        if not frame.content.is_internal():
            self.skipped += 1
            return
        writer = self._writers.get(output.source_id)
        if writer is None:
            folder = self._location.replace("{source}", safe_file_name(output.source_id))
            writer = self._writers[output.source_id] = ImageSequenceWriter(folder)
        writer.write(frame)

    def close(self) -> None:
        """Finish every folder."""
        while self._writers:
            self._writers.popitem()[1].close()


class MetadataFileSink:
    """Lines of JSON, a frame each, into files of at most ``chunk_size`` frames."""

    name = "metadata_json_sink"

    def __init__(self, location: str, chunk_size: int = 10_000, skip_frames_without_objects: bool = False) -> None:
        """Name the files.

        Args:
            location: Such as ``out/{source}/{chunk:04d}.ndjson``; fields are ``source``, ``file`` (of the tag
                ``location``) and ``chunk``, and the reference's ``%source_id``, ``%src_filename`` and ``%chunk_idx``.
            chunk_size: Frames of a file; 0 for no limit. A chunk begins at a keyframe.
            skip_frames_without_objects: Whether frames without objects are left out.

        Raises:
            ValueError: The pattern has an unknown field.
        """
        for theirs, ours in _REFERENCE.items():
            location = location.replace(theirs, ours)
        fields = set(re.findall(r"\{(\w+)", location))
        if unknown := fields - {"source", "file", "chunk"}:
            raise ValueError(f"{location}: unknown field {{{min(unknown)}}}; one of source, file, chunk")
        path = Path(location)
        if "source" not in fields and "file" not in fields:
            path = path.with_name(f"{path.stem}-{{source}}{path.suffix}")
        if "chunk" not in fields and chunk_size:
            path = path.with_name(f"{path.stem}-{{chunk:04d}}{path.suffix}")
        self._pattern = str(path)
        self._chunk_size = chunk_size
        self._skips = skip_frames_without_objects
        self._chunks: dict[str, _Chunk] = {}

    def write(self, output: OutputMessage) -> None:
        """Write a line."""
        chunk = self._chunks.get(output.source_id)
        if chunk is None:
            if output.is_eos:
                return
            chunk = self._chunks[output.source_id] = _Chunk(self._pattern, self._chunk_size)
        if output.is_eos:
            chunk.write(record_of(output, 0), None)
            chunk.end()
            return
        frame = output.as_video_frame()
        number = chunk.number
        chunk.number += 1
        if self._skips and not frame.object_count:
            return
        place = tags_of(frame).get("location", "")
        chunk.write(record_of(output, number), Path(str(place)).stem, is_key=frame.keyframe is not False)

    def close(self) -> None:
        """Finish every file."""
        while self._chunks:
            self._chunks.popitem()[1].end()


class _Chunk:
    """The files of one source, one after the other."""

    def __init__(self, pattern: str, size: int) -> None:
        self.number = 0
        """Of the next frame."""
        self._pattern = pattern
        self._size = size
        self._index = 0
        self._count = 0
        self._output: Any = None

    def write(self, record: dict[str, Any], file: str | None, *, is_key: bool = True) -> None:
        """Write a line, into the next file where this one is full and a keyframe comes."""
        if self._output is not None and self._size and self._count >= self._size and is_key and file is not None:
            self.end()
        if self._output is None:
            self._output = self._begin(str(record["source_id"]), file or "")
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
        self._output.write(f"{line}\n".encode())
        self._count += file is not None

    def end(self) -> None:
        """Put the file in its place."""
        output, self._output = self._output, None
        if output is not None:
            output.complete()
            self._index += 1
            self._count = 0

    def _begin(self, source_id: str, file: str) -> Any:
        from picasso.media.outputs import Output, free_path

        name = self._pattern.format(
            source=safe_file_name(source_id), file=safe_file_name(file or source_id), chunk=self._index
        )
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return Output(free_path(path), replaces=False)
