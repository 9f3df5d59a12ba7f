"""One pass over the video stream of a file: opened, decoded frame by frame, closed."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Final, NoReturn, Protocol

from av.error import InvalidDataError
from av.stream import Disposition

from picasso.errors import MediaError, OpeningStoppedError, ReadTimeoutError
from picasso.media.ffmpeg import media_errors
from picasso.media.opening import Opener
from picasso.media.packets_in import open_packets
from picasso.surface import MAX_SIDE

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from picasso.media.packets_in import VideoPacket

_NOT_VIDEO: Final = frozenset({"tty"})
"""Demuxers that make pictures of text."""
_STEPS: Final = 3
"""Time-outs within which a server must send a picture that can be decoded: a camera sends one a few seconds."""


class Decoder:
    """Decodes the first video stream of a file; belongs to one thread at a time.

    The first frame is decoded at once, so that a file without any is refused when it is opened. A packet that cannot
    be decoded is skipped and counted; a file that ends too early raises after its last frame.
    """

    def __init__(self, opener: Opener, *, threads: int = 1) -> None:
        """Open a place and decode its first frame.

        Raises:
            MediaError: It cannot be opened, or holds no picture.
        """
        self.place = opener.place.shown
        self.skipped = 0
        self._opener = opener
        self._packets = 0
        self._ends_damaged = False
        self._lost: MediaError | None = None
        self._input = open_packets(opener)
        try:
            self.stream = self._choose_stream()
            self.stream.codec_context.thread_count = threads
            self.stream.codec_context.thread_type = "NONE" if threads == 1 else "AUTO"
            self._decoded = self._decode()
            self.first = next(self._decoded, None) or self._refuse("no picture can be decoded")
        except BaseException:
            self._input.close()
            raise

    @property
    def container(self) -> InputContainer:
        """The open container."""
        return self._input.container

    @property
    def rate(self) -> Fraction | None:
        """Mean frames per second, as the container says or FFmpeg guesses."""
        return _fraction(self.stream.average_rate) or _fraction(self.stream.guessed_rate)

    @property
    def time_base(self) -> Fraction:
        """Seconds a tick; FFmpeg's own default where the container has none."""
        return _fraction(self.stream.time_base) or Fraction(1, 90_000)

    def frames(self) -> Iterator[VideoFrame]:
        """Yield the frames in the order in which they are shown; once.

        Raises:
            MediaError: The stream broke off, or the file is shorter than its header says.
        """
        count = 0
        for frame in chain([self.first], self._decoded):
            yield frame
            count += 1
        if self._opener.stop.is_set:
            return
        expected = self.stream.frames
        if self._ends_damaged or self._packets < expected:
            of = f" of {expected}" if expected else ""
            self._refuse(f"truncated after {count}{of} frames")

    def close(self) -> None:
        """Close the file. May be called again."""
        self._decoded.close()
        self._input.close()

    def _choose_stream(self) -> VideoStream:
        """Return the first video stream that is no cover picture and no text."""
        streams = [s for s in self.container.streams.video if not s.disposition & Disposition.attached_pic]
        if not streams or self.container.format.name in _NOT_VIDEO:
            self._refuse("holds no video")
        stream = streams[0]
        if stream.codec_context is None:
            self._refuse("its codec is unknown to this FFmpeg")
        if max(stream.width, stream.height) > MAX_SIDE:
            self._refuse(f"pictures of {stream.width}x{stream.height} are larger than {MAX_SIDE} pixels a side")
        return stream

    def _decode(self) -> Generator[VideoFrame, None, None]:
        with media_errors(self.place):
            packets = self._input.of(self.stream)
            first_by_s = self._first_by_s()
            while (packet := self._next(packets)) is not None:
                self._packets += bool(packet.size)
                try:
                    frames = packet.decode()
                except InvalidDataError:
                    frames = []
                    self.skipped += 1
                    self._ends_damaged = True
                else:
                    if packet.size:
                        self._ends_damaged = packet.is_corrupt
                if frames:
                    first_by_s = math.inf
                    yield from frames
                elif time.monotonic() > first_by_s:
                    raise ReadTimeoutError(f"{self.place}: no picture in time")
            if self._lost is not None:
                with suppress(EOFError):  # they were given already
                    yield from self.stream.codec_context.decode(None)  # the pictures that the decoder holds
                raise self._lost

    def _next(self, packets: Iterator[VideoPacket]) -> VideoPacket | None:
        """Return the next packet; None at the end, and where the stream broke off."""
        try:
            return next(packets, None)
        except MediaError as error:
            self._lost = error
            return None

    def _first_by_s(self) -> float:
        """Return when, by the monotonic clock, a picture must have come from what may have no end."""
        timeout_s = self._opener.timeout_s
        if timeout_s is None or self._opener.place.can_be_read_again:
            return math.inf
        return time.monotonic() + timeout_s * (_STEPS if self._opener.is_remote else 1)

    def _refuse(self, why: str) -> NoReturn:
        if self._opener.stop.is_set:
            raise OpeningStoppedError(f"{self.place}: stopped while it was being opened")
        raise MediaError(f"{self.place}: {why}")


class _Ratio(Protocol):
    """What PyAV gives: ``Fraction`` in version 18, a class of its own in 19."""

    @property
    def numerator(self) -> int: ...
    @property
    def denominator(self) -> int: ...


def _fraction(ratio: _Ratio | None) -> Fraction | None:
    """Return a ratio as a ``Fraction``; None, ``0/1`` and ``0/0`` say that it is unknown."""
    return Fraction(ratio.numerator, ratio.denominator) if ratio else None
