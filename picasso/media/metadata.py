"""Frames without their pixels as NDJSON: one line of JSON a frame."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, Self

import msgspec

from picasso.engine import OutputMessage
from picasso.errors import MediaError, MetadataError
from picasso.media.byte_source import ByteSource, DescriptorSource, SourceFile
from picasso.media.ffmpeg import media_errors, reason
from picasso.media.location import Location, input_place
from picasso.media.outputs import Output
from picasso.media.stopping import StoppedReading, StopSignal
from picasso.primitives import EndOfStream, VideoFrame, VideoFrameContent, VideoFrameTransformation
from picasso.signals import hold_stop
from picasso.transform import Placement, unplace_xywha

Space = Literal["output", "source"]
"""Which pixels boxes are in: those of the encoded picture, or those of the picture that was sent."""

MAX_LINE_BYTES: Final = 64 << 20
"""Longest line that is read: some 100,000 objects."""

_BUFFER_BYTES: Final = 64 << 10
_BUFFER_S: Final = 2.0
_END_PREFIX: Final = b'{"end_of_stream"'


class MetadataWriter:
    """Writes frames with their objects and attributes, one line each, and the end of the stream as a line of its own.

    Encoded bytes are left out: they belong to the file beside it. The file is written as ``NAME.part.EXT`` and moved
    into its place by ``close``. One thread writes at a time.
    """

    def __init__(self, path: Location, *, space: Space = "output") -> None:
        """Create the file.

        Args:
            path: File to write, usually ``.ndjson``; a pipe, a device, or ``-`` for standard output.
            space: ``output`` writes boxes as they are; ``source`` brings boxes, size and chain of an
                ``OutputMessage`` back to the pixels that were sent, through its placement.

        Raises:
            MediaError: The file cannot be created.
            ValueError: An unknown ``space``.
        """
        if space not in {"output", "source"}:
            raise ValueError(f"space {space!r}: expected one of output, source")
        self._to_source = space == "source"
        self._output = Output(path)
        self._place = self._output.place
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._flushed_s = time.monotonic()
        self._safe = self._lost = 0
        self._failure: OSError | None = None
        self._ended = False
        self._closed = False

    @property
    def part_path(self) -> Path | None:
        """The file that is being written, or that a failure left; None for pipes and devices."""
        return self._output.part

    def write(self, output: OutputMessage | VideoFrame) -> None:
        """Write one line. It is in the file two seconds later, when the next one comes.

        A disk that takes no more is raised once; later lines are counted, and ``close`` raises.

        Raises:
            MediaError: The file is closed or cannot be written.
        """
        if self._closed:
            raise MediaError(f"{self._place}: the file is closed")
        if self._failure is not None:
            self._lost += 1
            return
        line = self._line(output) + b"\n"
        self._ended = isinstance(output, OutputMessage) and output.is_eos
        self._waiting.append(line)
        self._waiting_bytes += len(line)
        if self._waiting_bytes >= _BUFFER_BYTES or time.monotonic() - self._flushed_s >= _BUFFER_S:
            self.flush()

    def flush(self) -> None:
        """Hand what was written to the system.

        Raises:
            MediaError: The file is closed or cannot be written.
        """
        if self._closed:
            raise MediaError(f"{self._place}: the file is closed")
        if self._failure is None:
            self._hand_over()
            if self._failure is not None:
                raise MediaError(f"{self._place}: {self._losses()}")

    def close(self) -> None:
        """Finish the file and put it in its place; without a line, what was there stays. May be called again.

        Raises:
            MediaError: Lines are lost, or the file cannot be put in its place.
        """
        if self._closed:
            return
        with hold_stop():
            self._hand_over()
            self._closed = True
            if self._failure is not None or not self._safe:
                self._output.abandon(keep=self._safe > 0)
            else:
                with media_errors(self._place):
                    self._output.complete()
        if self._failure is not None:
            raise MediaError(f"{self._place}: {self._losses()}")

    def abandon(self) -> Path | None:
        """Give up: what was there stays, and so does a part file with the lines so far. May be called again.

        Returns:
            The part file, None if there is none.
        """
        if not self._closed:
            with hold_stop():
                self._hand_over()
                self._closed = True
                self._output.abandon(keep=self._safe > 0)
        part = self._output.part
        return part if part is not None and part.exists() else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Close; an exception abandons the file, unless it is Ctrl-C or another way to end the program."""
        if not isinstance(error, Exception):
            self.close()
        elif (left := self.abandon()) is not None:
            error.add_note(f"what was written is in {left}")

    def __del__(self) -> None:
        """What happens to a file that no one closed: a stream that ended is complete, another one is not."""
        if not getattr(self, "_closed", True):
            if self._ended:
                self.close()
            else:
                self.abandon()

    def _hand_over(self) -> None:
        """Write the lines that wait; notes what goes wrong."""
        lines, self._waiting, self._waiting_bytes = self._waiting, [], 0
        self._flushed_s = time.monotonic()
        if not lines:
            return
        try:
            self._output.write(b"".join(lines))
        except OSError as error:
            self._failure = self._failure or error
            self._lost += len(lines)
        else:
            self._safe += len(lines)

    def _losses(self) -> str:
        assert self._failure is not None
        left = f"{self._safe} lines safe in {self._output.written_to}" if self._safe else "no line is safe"
        return f"{reason(self._failure)}; {left}, {self._lost} lost"

    def _line(self, output: OutputMessage | VideoFrame) -> bytes:
        placement: Placement | None = None
        chain: tuple[VideoFrameTransformation, ...] = ()
        if isinstance(output, OutputMessage):
            if output.is_eos:
                return msgspec.json.encode({"end_of_stream": output.as_eos().source_id})
            placement, chain = output.placement, output.source_transformations
            output = output.as_video_frame()
        frame = output.copy()
        frame.content = VideoFrameContent.none()
        if placement is not None and self._to_source:
            _move_to_source(frame, placement, chain)
        return frame.json_line()


class MetadataReader:
    """Reads what ``MetadataWriter`` wrote: an iterator of frames and ends of streams."""

    def __init__(self, path: Location, *, timeout_s: float | None = 5.0, stop: StopSignal | None = None) -> None:
        """Open the file.

        Args:
            path: File to read; a pipe, a device, or ``-`` for standard input.
            timeout_s: Longest wait for a line of a pipe or device, in seconds; None without a limit.
            stop: Ends the wait for a line, and the iteration with it, from another thread.

        Raises:
            MediaError: It cannot be opened.
            ValueError: ``timeout_s`` is not above 0.
        """
        if timeout_s is not None and not timeout_s > 0:
            raise ValueError(f"timeout_s must be above 0 seconds, or None without a limit, got {timeout_s}")
        place = input_place(path)
        self._place = place.shown
        self._source: ByteSource | None = None
        with media_errors(self._place):
            if place.url is not None:
                raise MediaError(f"{self._place}: metadata is read from files and pipes")
            if place.is_direct:
                name = str(place.path) if place.descriptor is None else place.descriptor
                self._source = DescriptorSource(name, self._place, timeout_s, stop or StopSignal())
                self._file: io.BufferedIOBase = io.BufferedReader(SourceFile(self._source))
            else:
                self._file = Path(place.path or "").open("rb")  # noqa: SIM115  # close() closes it
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
            ReadTimeoutError: A pipe gives no line in time.
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
                line = self._read_line()
            if not line:
                return
            if len(line) > MAX_LINE_BYTES:
                raise MediaError(f"{self._place}:{number}: the line is longer than {MAX_LINE_BYTES} bytes")
            if line.strip():
                yield self._parse(line, number)

    def _read_line(self) -> bytes:
        if self._source is not None:
            self._source.begin()
        try:
            return self._file.readline(MAX_LINE_BYTES + 1)
        except StoppedReading as stopped:
            if stopped.interruption is not None:
                raise stopped.interruption from None
            return b""

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


def _move_to_source(frame: VideoFrame, placement: Placement, chain: tuple[VideoFrameTransformation, ...]) -> None:
    """Bring boxes, size and chain of an output frame back to those that were sent."""
    for boxes in (frame.detection_boxes(), frame.track_boxes()):
        boxes[...] = unplace_xywha(boxes, placement)
    frame.set_geometry(*placement.source_wh)
    if chain:
        frame.clear_transformations()
        for step in chain:
            frame.add_transformation(step)
