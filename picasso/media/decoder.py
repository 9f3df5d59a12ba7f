"""One pass over the video stream of a file: opened, decoded frame by frame, closed."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Final, NoReturn, Protocol

import av
from av.error import InvalidDataError
from av.stream import Disposition

from picasso.errors import MediaError
from picasso.media.ffmpeg import media_errors
from picasso.media.location import Place
from picasso.surface import MAX_SIDE

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_NOT_VIDEO: Final = frozenset({"tty"})
"""Demuxers that make pictures of text."""


class Decoder:
    """Decodes the first video stream of a file; belongs to one thread at a time.

    The first frame is decoded at once, so that a file without any is refused when it is opened. A packet that cannot
    be decoded is skipped and counted; a file that ends too early raises after its last frame.
    """

    def __init__(
        self,
        place: Place,
        *,
        threads: int = 1,
        timeout_s: float | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        """Open a place and decode its first frame.

        Raises:
            MediaError: It cannot be opened, or holds no picture.
        """
        self.place = place.shown
        self.skipped = 0
        self._packets = 0
        self._ends_damaged = False
        with media_errors(self.place):
            self._container: InputContainer = av.open(
                place.for_ffmpeg, "r", options=dict(options or {}), timeout=timeout_s
            )
        try:
            self.stream = self._choose_stream()
            self.stream.codec_context.thread_count = threads
            self.stream.codec_context.thread_type = "NONE" if threads == 1 else "AUTO"
            self._decoded = self._decode()
            self.first = next(self._decoded, None) or self._refuse("no picture can be decoded")
        except BaseException:
            self._container.close()
            raise

    @property
    def container(self) -> InputContainer:
        """The open container."""
        return self._container

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
        expected = self.stream.frames
        if self._ends_damaged or self._packets < expected:
            of = f" of {expected}" if expected else ""
            self._refuse(f"truncated after {count}{of} frames")

    def close(self) -> None:
        """Close the file. May be called again."""
        self._decoded.close()
        self._container.close()

    def _choose_stream(self) -> VideoStream:
        """Return the first video stream that is no cover picture and no text."""
        streams = [s for s in self._container.streams.video if not s.disposition & Disposition.attached_pic]
        if not streams or self._container.format.name in _NOT_VIDEO:
            self._refuse("holds no video")
        stream = streams[0]
        if stream.codec_context is None:
            self._refuse("its codec is unknown to this FFmpeg")
        if max(stream.width, stream.height) > MAX_SIDE:
            self._refuse(f"pictures of {stream.width}x{stream.height} are larger than {MAX_SIDE} pixels a side")
        return stream

    def _decode(self) -> Generator[VideoFrame, None, None]:
        with media_errors(self.place):
            for packet in self._demux():
                self._packets += bool(packet.size)
                try:
                    frames = packet.decode()
                except InvalidDataError:
                    self.skipped += 1
                    self._ends_damaged = True
                    continue
                if packet.size:
                    self._ends_damaged = packet.is_corrupt
                yield from frames

    def _demux(self) -> Iterator[Packet[VideoStream]]:
        while True:
            try:
                yield from self._container.demux(self.stream)
            except IndexError:  # a packet of a stream that began after the file was opened: not ours, read on
                continue
            return

    def _refuse(self, why: str) -> NoReturn:
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
