"""Frames without their pixels as NDJSON: one line of JSON a frame."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, Self

import msgspec

from picasso.engine import OutputMessage
from picasso.errors import MediaError, MetadataError
from picasso.media.ffmpeg import media_errors
from picasso.primitives import EndOfStream, VideoFrame, VideoFrameContent
from picasso.transform import Placement, unplace_xywha

Space = Literal["output", "source"]
"""Which pixels boxes are in: those of the encoded picture, or those of the picture that was sent."""

MAX_LINE_BYTES: Final = 64 << 20
"""Longest line that is read: some 100,000 objects."""

_END_PREFIX: Final = b'{"end_of_stream"'


class MetadataWriter:
    """Writes frames with their objects and attributes, one line each, and the end of the stream as a line of its own.

    Encoded bytes are left out: they belong to the file beside it. One thread writes at a time.
    """

    def __init__(self, path: str | os.PathLike[str], *, space: Space = "output") -> None:
        """Create the file; an existing one is replaced.

        Args:
            path: File to write, usually ``.ndjson``.
            space: ``output`` writes boxes as they are; ``source`` brings boxes, size and chain of an
                ``OutputMessage`` back to the pixels that were sent, through its placement.

        Raises:
            MediaError: The file cannot be created.
            ValueError: An unknown ``space``.
        """
        if space not in {"output", "source"}:
            raise ValueError(f"space {space!r}: expected one of output, source")
        self._place = os.fspath(path)
        self._to_source = space == "source"
        with media_errors(self._place):
            self._file = Path(path).open("wb")  # noqa: SIM115  # close() closes it

    def write(self, output: OutputMessage | VideoFrame) -> None:
        """Write one line.

        Raises:
            MediaError: The file is closed or cannot be written.
        """
        with media_errors(self._place):
            self._file.write(self._line(output) + b"\n")

    def flush(self) -> None:
        """Hand what was written to the system.

        Raises:
            MediaError: The file is closed or cannot be written.
        """
        with media_errors(self._place):
            self._file.flush()

    def close(self) -> None:
        """Finish the file. May be called again.

        Raises:
            MediaError: The file cannot be written.
        """
        with media_errors(self._place):
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _line(self, output: OutputMessage | VideoFrame) -> bytes:
        placement = None
        if isinstance(output, OutputMessage):
            if output.is_eos:
                return output.as_eos().to_message()
            placement = output.placement
            output = output.as_video_frame()
        frame = output.copy()
        frame.content = VideoFrameContent.none()
        if placement is not None and self._to_source:
            _move_to_source(frame, placement)
        return frame.to_message()


class MetadataReader:
    """Reads what ``MetadataWriter`` wrote: an iterator of frames and ends of streams."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open the file.

        Raises:
            MediaError: It cannot be opened.
        """
        self._place = os.fspath(path)
        with media_errors(self._place):
            self._file = Path(path).open("rb")  # noqa: SIM115  # close() closes it
        self._items = self._iterate()

    def frames(self) -> Iterator[VideoFrame]:
        """Yield the remaining frames, without the ends of streams."""
        for item in self:
            if isinstance(item, VideoFrame):
                yield item

    def close(self) -> None:
        """Close the file. May be called again."""
        self._file.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> VideoFrame | EndOfStream:
        """Read a line; empty ones are passed over.

        Raises:
            MetadataError: The line holds no frame and no end of a stream; the message names file and line.
            MediaError: The file is closed or cannot be read.
        """
        return next(self._items)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _iterate(self) -> Iterator[VideoFrame | EndOfStream]:
        number = 0
        while True:
            number += 1
            with media_errors(self._place):
                line = self._file.readline(MAX_LINE_BYTES + 1)
            if not line:
                return
            if len(line) > MAX_LINE_BYTES:
                raise MediaError(f"{self._place}:{number}: the line is longer than {MAX_LINE_BYTES} bytes")
            if line.strip():
                yield self._parse(line, number)

    def _parse(self, line: bytes, number: int) -> VideoFrame | EndOfStream:
        try:
            if line.lstrip().startswith(_END_PREFIX):
                return EndOfStream(msgspec.json.decode(line, type=_EndRecord).end_of_stream)
            return VideoFrame.from_json(line)
        except (MetadataError, msgspec.DecodeError, UnicodeError) as error:
            raise MetadataError(f"{self._place}:{number}: {error}") from None


class _EndRecord(msgspec.Struct, forbid_unknown_fields=True):
    """The line of an ``EndOfStream``."""

    end_of_stream: str


def _move_to_source(frame: VideoFrame, placement: Placement) -> None:
    """Bring boxes, size and chain of an output frame back to the pixels that were sent."""
    for boxes in (frame.detection_boxes(), frame.track_boxes()):
        boxes[...] = unplace_xywha(boxes, placement)
    frame.set_geometry(*placement.source_wh)
