"""Sinks that write files: video by segments, images, metadata."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from picasso.flow import LeftOut
from picasso.media import ImageSequenceWriter, StreamWriter, safe_file_name
from picasso.media.ffmpeg import media_errors
from picasso.media.outputs import Output, free_path
from picasso.media.segments import SegmentNames
from picasso.module.config.file_names import folder_pattern, metadata_pattern, video_pattern
from picasso.module.sinks.per_source import PerSourceSink
from picasso.module.sinks.record import json_of, record_of, tags_of

if TYPE_CHECKING:
    from picasso.engine import OutputMessage


class VideoFileSink(PerSourceSink["_Video"]):
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
        super().__init__()
        self._location = video_pattern(location)
        self._limits = segment_s, segment_bytes
        self._fsync = fsync
        self._names: dict[str, SegmentNames] = {}
        self._open("probe", SegmentNames(self._location)).close()

    def open_writer(self, source_id: str) -> _Video:
        """Begin to write a stream; its first file is created with its first keyframe, numbers go on."""
        names = self._names.get(source_id)
        if names is None:
            names = self._names[source_id] = SegmentNames(self._location)
        return self._open(source_id, names)

    def _open(self, source_id: str, names: SegmentNames) -> _Video:
        segment_s, segment_bytes = self._limits
        writer = StreamWriter(
            self._location,
            on_restart="segment",
            source_id=source_id,
            names=names,
            fsync=self._fsync,
            segment_s=segment_s,
            segment_bytes=segment_bytes,
        )
        return _Video(writer)


class _Video:
    """The video files of one source."""

    def __init__(self, writer: StreamWriter) -> None:
        self._writer = writer
        self._has_begun = False

    def write(self, output: OutputMessage) -> LeftOut | None:
        if output.is_eos:
            return None
        frame = output.as_video_frame()
        if not frame.content.is_internal():
            return LeftOut("no_payload")
        if not self._has_begun and frame.keyframe is False:
            return LeftOut("no_keyframe")
        self._writer.write(frame)
        self._has_begun = True
        return None

    def close(self) -> None:
        self._writer.close()

    @property
    def lost(self) -> int:
        return self._writer.frames - self._writer.safe_frames


class ImageFileSink(PerSourceSink["_Images"]):
    """Images of each source in a folder of its own."""

    name = "image_file_sink"

    def __init__(self, location: str) -> None:
        """Name the folder, such as ``out/{source}``; without ``{source}`` each source gets a folder below it.

        Raises:
            ValueError: The pattern has an unknown field.
        """
        super().__init__()
        self._location = folder_pattern(location)
        self._folders: dict[str, _Images] = {}

    def open_writer(self, source_id: str) -> _Images:
        """Go on in the folder of a source: numbers rise from one stream to the next."""
        images = self._folders.get(source_id)
        if images is None:
            folder = self._location.format(source=safe_file_name(source_id))
            images = self._folders[source_id] = _Images(ImageSequenceWriter(folder, goes_on=True))
        return images


class _Images:
    """The images of one source."""

    lost = 0

    def __init__(self, writer: ImageSequenceWriter) -> None:
        self._writer = writer

    def write(self, output: OutputMessage) -> LeftOut | None:
        if output.is_eos:
            return None
        frame = output.as_video_frame()
        if not frame.content.is_internal():
            return LeftOut("no_payload")
        return LeftOut("failed") if self._writer.write(frame) is None else None

    def close(self) -> None:
        self._writer.close()


class MetadataFileSink(PerSourceSink["_Chunks"]):
    """Lines of JSON, a frame each, into files of at most ``chunk_size`` frames."""

    name = "metadata_json_sink"

    def __init__(self, location: str, chunk_size: int = 10_000, skip_frames_without_objects: bool = False) -> None:
        """Name the files.

        Args:
            location: Such as ``out/{source}/{chunk:04d}.ndjson``; fields are ``source``, ``file`` (of the tag
                ``location``) and ``chunk``, and the reference's ``%source_id``, ``%src_filename`` and ``%chunk_idx``.
            chunk_size: Frames of a file; 0 for no limit. A chunk begins at a keyframe.
            skip_frames_without_objects: Whether frames without objects are left out, and counted.

        Raises:
            ValueError: The pattern has an unknown field.
        """
        super().__init__()
        self._pattern = metadata_pattern(location, chunk_size)
        self._chunk_size = chunk_size
        self._skips = skip_frames_without_objects
        self._sources: dict[str, _Chunks] = {}

    def open_writer(self, source_id: str) -> _Chunks:
        """Go on with a source: chunks and frames are counted from one stream to the next."""
        chunks = self._sources.get(source_id)
        if chunks is None:
            chunks = self._sources[source_id] = _Chunks(self._pattern, self._chunk_size, skips=self._skips)
        return chunks


class _Chunks:
    """The files of one source, one after the other."""

    lost = 0

    def __init__(self, pattern: str, size: int, *, skips: bool) -> None:
        self._pattern = pattern
        self._size = size
        self._skips = skips
        self._number = 0
        self._index = 0
        self._count = 0
        self._output: Output | None = None

    def write(self, output: OutputMessage) -> LeftOut | None:
        if output.is_eos:
            if self._output is not None:
                self._append(self._output, record_of(output, 0))
            return None
        frame = output.as_video_frame()
        number, self._number = self._number, self._number + 1
        if self._skips and not frame.object_count:
            return LeftOut("no_objects")
        if self._size and self._count >= self._size and frame.keyframe is not False:
            self.close()
        if self._output is None:
            self._output = self._begin(frame.source_id, Path(str(tags_of(frame).get("location", ""))).stem)
        self._append(self._output, record_of(output, number))
        self._count += 1
        return None

    def close(self) -> None:
        """Put the file in its place."""
        output, self._output = self._output, None
        if output is not None:
            self._index += 1
            self._count = 0
            with media_errors(output.place):
                output.complete()

    def _append(self, output: Output, record: dict[str, Any]) -> None:
        with media_errors(output.place):
            output.write(json_of(record) + b"\n")  # one write, so that a kill leaves no half of a line

    def _begin(self, source_id: str, file: str) -> Output:
        name = self._pattern.format(
            source=safe_file_name(source_id), file=safe_file_name(file or source_id), chunk=self._index
        )
        path = Path(name)
        with media_errors(name):
            path.parent.mkdir(parents=True, exist_ok=True)
            while True:
                try:
                    return Output(free_path(path), replaces=False)
                except FileExistsError:  # someone was faster
                    continue
