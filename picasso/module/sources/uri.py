"""``uridecodebin``: files, folders, patterns and streams as one source, with tags and objects beside them."""

from __future__ import annotations

import itertools
import logging
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from picasso.engine.continuation import Continuation
from picasso.engine.policies import PtsResetPolicy
from picasso.errors import MediaError, OpeningStoppedError
from picasso.flow import NEVER, Item, RestartPolicy
from picasso.media import StopSignal, VideoReader
from picasso.media.carried import note_arrival, take_arrival
from picasso.media.location import input_place
from picasso.module.meta.frame import TAGS
from picasso.module.run.limits import INGRESS_LENGTH, Limit, QueueUse
from picasso.module.sources.beside import ObjectsBeside
from picasso.module.sources.files import files_of, is_image, is_pattern, name_of
from picasso.primitives import Attribute, AttributeValue, EndOfStream

if TYPE_CHECKING:
    from picasso.engine.clock import Clock
    from picasso.primitives import VideoFrame

NS: Final = 1_000_000_000
LIVE: Final = frozenset(("rtsp", "rtsps", "udp", "rtp", "srt"))
"""Protocols of streams that do not wait for who reads them."""
IMAGE_RATE: Final = "30/1"
NEAR_NS: Final = 1_000_000
"""How far before a time a reader begins, so that no rounding leaves a frame out."""
logger: logging.Logger = logging.getLogger("picasso.module")


class UriSource:
    """Reads what a URI names: one file, all files of a folder or pattern one after the other, or a stream.

    Each video file ends with an end of stream and leaves its name as the tag ``location``; pictures that follow each
    other are one stream at ``framerate``. Where times start again within a file, the stream ends there, too. With
    ``loop`` times keep rising from one pass to the next. A file of several that cannot be read is reported and left
    out.
    """

    def __init__(
        self,
        uri: str,
        source_id: str | None = None,
        *,
        loop: bool = False,
        eos_on_loop_end: bool = True,
        pace: bool = False,
        start_s: float | None = None,
        stop_s: float | None = None,
        framerate: str = IMAGE_RATE,
        rtsp_transport: str = "tcp",
        timeout_s: float = 10.0,
        restart: bool | None = None,
        metadata: str | None = None,
        absolute_timestamps: bool | None = None,
        trust: Any = "origin",
        options: Mapping[str, str] | None = None,
        is_live: bool | None = None,
        payload: bool = False,
        ingress: Limit | None = None,
        clock: Clock | None = None,
        shown: str | None = None,
    ) -> None:
        """Take the properties of the element; nothing is opened yet.

        Args:
            uri: File, folder, pattern, or address; ``file://`` is allowed.
            source_id: Name of the source; by default that of the file or folder, or the address.
            loop: Whether it starts again at its end, without a limit.
            eos_on_loop_end: Whether the stream ends with each pass over a single file; that of several ends anyway.
            pace: Whether frames of files come at their own times.
            start_s: Where to begin in each file, in seconds.
            stop_s: Where to end in each file, in seconds.
            framerate: Pictures a second of image files, as a fraction.
            rtsp_transport: ``tcp`` or ``udp``.
            timeout_s: Longest silence of a server in seconds.
            restart: Whether a lost stream is opened again; by default for addresses that do not end.
            metadata: File of objects beside each file; ``{stem}`` is the file's name without suffix.
            absolute_timestamps: Whether times are those of the wall clock; by default as the variable
                ``USE_ABSOLUTE_TIMESTAMPS`` says.
            trust: What a playlist may make FFmpeg open.
            options: Options of FFmpeg's demuxer.
            is_live: Whether frames that no one reads are gone; by default as the protocol says.
            payload: Whether frames carry the bytes that they were decoded from.
            ingress: Packets of a network that wait for the decoder.
            clock: What paces.
            shown: How frames name the file they are of, as their tag ``location``; by default as it is opened.

        Raises:
            ValueError: ``framerate`` is not a fraction above 0.
        """
        self._uri = str(input_place(uri).path) if uri[:7].lower() == "file://" else uri
        place = None if is_pattern(self._uri) else input_place(self._uri)
        self._is_address = place is not None and place.url is not None
        self._source_id = source_id or name_of(self._uri, place)
        self._shown = shown
        self._loop = loop
        self._ends_loops = eos_on_loop_end
        self._first_ns = round((start_s or 0) * NS)
        self._last_ns = None if stop_s is None else round(stop_s * NS)
        self._rate = Fraction(framerate)
        if self._rate <= 0:
            raise ValueError(f"framerate {framerate!r}: expected a fraction above 0, such as 30/1")
        self._metadata = metadata
        if absolute_timestamps is None:
            absolute_timestamps = os.environ.get("USE_ABSOLUTE_TIMESTAMPS", "").lower() in ("1", "true", "yes", "on")
        self._absolute = absolute_timestamps
        is_stream = self._is_address and self._uri.partition(":")[0].lower() in LIVE
        self.is_live: bool = is_stream if is_live is None else is_live
        self.restart: RestartPolicy = (
            RestartPolicy(on_end=self.is_live) if (self.is_live if restart is None else restart) else NEVER
        )
        extra = {"rtsp_transport": rtsp_transport} if self._uri.lower().startswith("rtsp") else {}
        self._ingress = ingress or Limit.of(None, None, INGRESS_LENGTH)
        self._options: dict[str, Any] = {
            "most_packets": self._ingress.frames or 0,
            "most_packet_bytes": self._ingress.bytes or 0,
            "pace": pace and not self.is_live,
            "timeout_s": timeout_s,
            "trust": trust,
            "options": {**extra, **(options or {})},
            "clock": clock,
            "on_restart": PtsResetPolicy.SEGMENT,
            "payload": payload,
            "geometry": "raw" if payload else "display",  # the bytes that leave are of the picture as it is stored
        }
        self._stop = StopSignal()
        self._now = StopSignal(self._stop)
        self.frame_count: int | None = None
        self._undecodable = 0
        """Of the files that were read to their end."""
        self._reader: VideoReader | None = None
        self._bad_records = 0
        self._arrivals = 0
        """Where the numbers of the newest file's frames begin, in the order of their arrival."""
        self._end_ns = 0
        """Where the newest frame ends."""
        self._after_ns: int | None = None

    @property
    def ingress_use(self) -> QueueUse:
        """Packets of a network that wait for the decoder."""
        reader = self._reader
        return QueueUse(*((0, 0) if reader is None else reader.waiting_packets), self._ingress)

    @property
    def came_ns(self) -> tuple[int, int] | None:
        """Of the newest frame: when its packet was read and when its decoder took it; None where that is not known."""
        reader = self._reader
        return None if reader is None else reader.came_ns

    @property
    def source_id(self) -> str:
        """The name of the source."""
        return self._source_id

    @property
    def dropped(self) -> Counter[str]:
        """Packets that could not be decoded, and those that depend on them, as ``undecodable``. Any thread."""
        reader = self._reader
        return Counter(undecodable=self._undecodable + (0 if reader is None else reader.lost))

    def files(self) -> list[str]:
        """Return what is read, in order; a folder's files by name.

        Raises:
            MediaError: A folder or pattern has no file.
        """
        return [self._uri] if self._is_address else files_of(self._uri)

    def __iter__(self) -> Iterator[Item]:
        self._now = StopSignal(self._stop)
        return self._passes(self._now)

    @property
    def is_one_file(self) -> bool:
        """Whether it is read once, and its times rise from its beginning to its end: then a time is a place in it."""
        return not (self.is_live or self._loop or self._absolute or is_pattern(self._uri) or Path(self._uri).is_dir())

    def begin_near(self, pts_ns: int) -> None:
        """Begin at a frame from ``pts_ns`` on or a moment before, instead of at the first one.

        A file that can be read from a keyframe on is; else it is decoded from its beginning. Where nothing is left, no
        frame comes. Only for ``is_one_file``.
        """
        self._after_ns = max(pts_ns - NEAR_NS, 0)

    def stop(self) -> None:
        """End the running iteration, and every later one. Any thread."""
        self._stop.set()

    def interrupt(self) -> None:
        """End the running iteration; a later one reads again. Any thread."""
        self._now.set()

    def _passes(self, stop: StopSignal) -> Iterator[Item]:
        """Yield one pass over all files, or with ``loop`` any number of them on one line of time."""
        line = self._begin_line()
        for _pass in itertools.count() if self._loop else range(1):
            files, frames = self.files(), 0
            for item in self._pass(files, line, stop):
                if stop.is_set:
                    return
                frames += not isinstance(item, EndOfStream)
                yield item
            if stop.is_set:
                return
            if not frames and self._after_ns is None:
                raise MediaError(f"{self._uri}: holds no frame{self._range_words()}")

    def _pass(self, files: list[str], line: Continuation, stop: StopSignal) -> Iterator[Item]:
        """Yield the frames of each file, and an end of stream behind each; pictures in a row are one stream."""
        several = len(files) > 1
        failures: list[MediaError] = []
        for is_of_images, group in itertools.groupby(files, lambda file: several and is_image(file)):
            numbers: Iterator[int | None] = itertools.count() if is_of_images else itertools.repeat(None)
            for file, number in zip(group, numbers, strict=False):
                if stop.is_set:
                    return
                if not self._loop and not number:
                    line = self._begin_line()
                try:
                    yield from self._play(file, line, number, stop)
                except OpeningStoppedError:
                    return
                except MediaError as error:
                    if not several:
                        raise
                    failures.append(error)
                    logger.error("source %r: a file is left out: %s", self._source_id, error)
                if not is_of_images and (several or (self._loop and self._ends_loops)):
                    yield EndOfStream(self._source_id)
            if is_of_images:
                yield EndOfStream(self._source_id)
        if len(failures) == len(files):
            raise failures[-1]

    def _begin_line(self) -> Continuation:
        """Begin a line of time, at 0 or at the time of the wall clock, behind what was given before."""
        line = Continuation()
        line.offset_ns = max(time.time_ns(), self._end_ns) if self._absolute else 0
        return line

    def _play(self, file: str, line: Continuation, number: int | None, stop: StopSignal) -> Iterator[Item]:
        """Yield the frames of a file; a picture of several, ``number``, has the time of its place among them."""
        beside = None if self._is_address else ObjectsBeside.of(file, self._metadata)
        location = Attribute(TAGS, "location", [AttributeValue.string(self._shown or input_place(file).shown)])
        numbers, most = itertools.count(), self._arrivals - 1
        options = {**self._options, "start_s": self._after_ns / NS if self._after_ns and beside is None else None}
        with VideoReader(file, self._source_id, stop=stop, **options) as reader:
            self.frame_count = reader.info.frame_count if self._is_counted(number) else None
            self._reader = reader
            try:
                for item in _without_end(reader):
                    if isinstance(item, EndOfStream):
                        yield item
                        continue
                    frame, surface = item
                    index = next(numbers)
                    if number is not None:
                        self._take_place(frame, number)
                    elif not self._is_in_range(frame.pts):
                        if self._last_ns is not None and frame.pts >= self._last_ns:
                            return
                        continue
                    frame.set_attribute(location)
                    if beside is not None:
                        self._put_beside(beside, frame, index)
                    own_ns = frame.pts
                    frame.pts = line.move(own_ns, frame.duration or 1)
                    if frame.dts is not None:
                        most = max(most, self._shift(frame, frame.pts - own_ns))
                    self._end_ns = frame.pts + (frame.duration or 1)
                    yield frame, surface
            finally:
                self._arrivals = most + 1
                self._reader = None
                self._undecodable += reader.lost

    def _put_beside(self, beside: ObjectsBeside, frame: VideoFrame, index: int) -> None:
        """Put the objects of a record into a frame; a bad record is reported, and the frame goes on without them."""
        try:
            beside.put(frame, index)
        except MediaError as error:
            self._bad_records += 1
            if self._bad_records & (self._bad_records - 1) == 0:  # the first, second, fourth, eighth…
                logger.error("source %r: bad record no. %d: %s", self._source_id, self._bad_records, error)

    def _shift(self, frame: VideoFrame, by_ns: int) -> int:
        """Move a frame that carries its bytes behind those of the files before; return its number of arrival."""
        if frame.dts is not None:
            frame.dts += by_ns
        arrival = self._arrivals + (take_arrival(frame) or 0)
        note_arrival(frame, arrival)
        return arrival

    def _is_counted(self, number: int | None) -> bool:
        return not self._loop and number is None and self._first_ns == 0 and self._last_ns is None

    def _is_in_range(self, pts_ns: int) -> bool:
        return pts_ns >= self._first_ns and (self._last_ns is None or pts_ns < self._last_ns)

    def _range_words(self) -> str:
        if not self._first_ns and self._last_ns is None:
            return ""
        stop = "" if self._last_ns is None else f" and before stop_s = {self._last_ns / NS:g}"
        return f" from start_s = {self._first_ns / NS:g}{stop}"

    def _take_place(self, frame: VideoFrame, number: int) -> None:
        """Give a picture its rate and its time among the others."""
        begin, end = (int(index * NS / self._rate) for index in (number, number + 1))
        frame.fps = (self._rate.numerator, self._rate.denominator)
        frame.pts, frame.duration = begin, end - begin


def _without_end(reader: VideoReader) -> Iterator[Item]:
    """Yield what a reader gives, except the end of the last stream."""
    held: EndOfStream | None = None
    for item in reader:
        if held is not None:
            yield held
        held = item if isinstance(item, EndOfStream) else None
        if held is None:
            yield item
