"""One pass over the video stream of a file: opened, decoded frame by frame, closed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from fractions import Fraction
from functools import cached_property, partial
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn, Protocol

from av.error import InvalidDataError
from av.stream import Disposition

from picasso.errors import MediaError, OpeningStoppedError, ReadTimeoutError, UnreadableError
from picasso.media.carried import Carried, Carrier
from picasso.media.ffmpeg import media_errors
from picasso.media.location import Kind
from picasso.media.opening import Opener
from picasso.media.order import NO_PACKET, DisplayOrder, PacketTimes
from picasso.media.packet_bytes import PacketBytes
from picasso.media.packets_in import open_packets
from picasso.media.timeline import FALLBACK_RATE
from picasso.media.wholeness import breaks_at, is_short
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
_COUNTER_BITS: Final = {"mpegts": 33, "mpeg": 33, "hls": 33, "flv": 32}
"""Bits of the counters of ticks that begin at 0 again."""


class Shown(NamedTuple):
    """A decoded frame as it is shown."""

    frame: VideoFrame
    ticks: int | None
    """When it is shown; None where the container does not tell."""

    @property
    def packet(self) -> int:
        """The number of the packet that it was in, -1 if that is not known."""
        return NO_PACKET if self.frame.pts is None else self.frame.pts


_as_shown: Final = partial(tuple.__new__, Shown)
_HIDES: Final = frozenset({"vp8", "vp9", "av1"})
"""Codecs with packets that are never shown."""
_WAIT: Final = 32
"""Packets within which the picture of a packet comes, if it does."""
_MANY: Final = 4 * _WAIT
INCOMPLETE: Final = "bytes of it are missing"
"""What is wrong with a packet that the container did not hold in full."""
OnFault = Callable[[int, str], None]
"""Takes the number of a packet and what is wrong with it."""


class Decoder:
    """Decodes the first video stream of a file; belongs to one thread at a time.

    The first frame is decoded at once, so that a file without any is refused when it is opened. A packet that cannot
    be decoded is skipped and counted; a file that ends too early raises after its last frame.
    """

    def __init__(
        self, opener: Opener, *, threads: int = 1, on_fault: OnFault | None = None, carries: bool = False
    ) -> None:
        """Open a place and decode its first frame.

        Args:
            opener: Opens the place.
            threads: Threads of the decoder, 0 for one a core.
            on_fault: Told about each packet that is damaged or cannot be decoded, before its frame comes, if it does.
            carries: Whether ``carried`` gives the bytes of the frames.

        Raises:
            MediaError: It cannot be opened, or holds no picture.
        """
        self.place: str = opener.place.shown
        self.skipped: int = 0
        self.damaged: int = 0
        self._gone = 0
        self._unshown: set[int] = set()
        """Packets whose pictures have not come."""
        self._came_ns: dict[int, tuple[int, int]] = {}
        """When the newest packets were read, and when they were decoded."""
        self.begins_at_keyframe: bool = True
        """Whether the first packet needs no other; a recording of a broadcast may begin anywhere."""
        self._opener = opener
        self._on_fault = on_fault
        self._packets = 0
        self._end_ticks: int | Fraction = 0
        """Where the latest frame ends."""
        self._ends_damaged = False
        self._has_ended = False
        self._lost: MediaError | None = None
        self._input = open_packets(opener)
        try:
            self.stream: VideoStream = self._choose_stream()
            context = self.stream.codec_context
            context.thread_count = threads
            context.thread_type = "NONE" if threads == 1 else "AUTO"
            self._bytes = PacketBytes(context.name, context.extradata)
            self._times = PacketTimes(self.container.format)
            self._carrier = Carrier(self.stream, are_times_real=self._times.tell_both) if carries else None
            self.hides_packets: bool = False
            """Whether the container hides packets that others need, as an edit list does."""
            self._order: DisplayOrder[VideoFrame] = DisplayOrder(lambda: context.has_b_frames)
            self._decoded = self._decode()
            self.first: Shown = next(self._decoded, None) or self._refuse("no picture can be decoded")
        except BaseException:
            self._input.close()
            raise

    @property
    def container(self) -> InputContainer:
        """The open container."""
        return self._input.container

    @property
    def waiting(self) -> tuple[int, int]:
        """How many packets wait for it, and their bytes. Any thread."""
        return self._input.waiting

    def carried(self, decoded: VideoFrame) -> Carried | None:
        """Return the bytes of a frame, once; None where it does not carry them."""
        if self._carrier is None or decoded.pts is None:
            return None
        frame_s = 1 / (self.rate or FALLBACK_RATE)
        ticks = decoded.duration or round(frame_s / self.time_base)
        return self._carrier.take(decoded.pts, self.stream.codec_context.has_b_frames, ticks)

    def came_ns(self, decoded: VideoFrame) -> tuple[int, int] | None:
        """Return when the packet of a frame was read and when decoding it began, ``time.monotonic_ns()``."""
        return None if decoded.pts is None else self._came_ns.get(decoded.pts)

    @property
    def rate(self) -> Fraction | None:
        """Mean frames per second, as the container says or FFmpeg guesses."""
        return _fraction(self.stream.average_rate) or _fraction(self.stream.guessed_rate)

    @cached_property
    def _frame_ticks(self) -> Fraction:
        """How long a frame is whose packet does not say."""
        return 1 / ((self.rate or FALLBACK_RATE) * self.time_base)

    @cached_property
    def time_base(self) -> Fraction:
        """Seconds a tick; FFmpeg's own default where the container has none."""
        return _fraction(self.stream.time_base) or Fraction(1, 90_000)

    @property
    def counter_bits(self) -> int | None:
        """Bits of the container's counter of ticks, None if it does not begin at 0 again."""
        return _COUNTER_BITS.get(self.container.format.name)

    @property
    def has_times(self) -> bool:
        """Whether the container holds times."""
        return self._times.are_real

    @property
    def lost(self) -> int:
        """Packets so far that cannot be decoded, and those behind them that gave no picture; 0 before the first."""
        if not self.skipped or self.stream.codec_context.name in _HIDES:
            return self.skipped
        unshown = tuple(self._unshown)  # in one step: another thread may be decoding
        newest = max(unshown, default=0)
        waiting = 0 if self._has_ended else sum(number > newest - _WAIT for number in unshown)
        return max(self._gone + len(unshown) - waiting, self.skipped)

    @property
    def moved(self) -> int:
        """Frames so far that got the time of another packet, as the container does not tell when frames are shown."""
        return self._order.moved

    def frames(self) -> Iterator[Shown]:
        """Yield the frames in the order in which they are shown; once.

        Raises:
            MediaError: The stream broke off, or the file is shorter than its header says.
        """
        given = 0
        for shown in chain([self.first], self._decoded):
            yield shown
            given += 1
        if self._opener.stop.is_set:
            return
        if self._ends_damaged or self._is_short():
            of = f" of {self.stream.frames}" if self.stream.frames else ""
            self._refuse(f"truncated after {given}{of} frames")

    def close(self) -> None:
        """Close the file. May be called again."""
        self._decoded.close()
        self._input.close()

    @property
    def path(self) -> Path | None:
        """The file, None for what is none."""
        return self._opener.place.path if self._opener.place.kind is Kind.FILE else None

    @property
    def said_length_s(self) -> Fraction | None:
        """How long the stream is, or else the file, by the header, in seconds, None where it does not tell.

        Of an MP4 in fragments, and of Matroska and FLV as FFmpeg writes them, FFmpeg tells when it ends, whenever
        it begins.
        """
        stream, name = self.stream, self.container.format.name
        if stream.duration is not None:
            begin_s, length_s = (stream.start_time or 0) * self.time_base, stream.duration * self.time_base
            is_end = not stream.frames and name.startswith("mov,")
        elif self.container.duration is not None:
            begin_s = Fraction(self.container.start_time or 0, 1_000_000)
            length_s = Fraction(self.container.duration, 1_000_000)
            is_end = name.startswith("matroska,") or name == "flv"
        else:
            return None
        return length_s - begin_s if is_end and 0 < begin_s < length_s else length_s

    @property
    def said_end_s(self) -> Fraction | None:
        """Where the stream ends by the header, in seconds, None where it does not tell."""
        length_s = self.said_length_s
        if length_s is None:
            return None
        if self.stream.duration is not None:
            return (self.stream.start_time or 0) * self.time_base + length_s
        return Fraction(self.container.start_time or 0, 1_000_000) + length_s

    def _is_short(self) -> bool:
        """Tell whether packets are missing at the end of the file."""
        end_s = self._end_ticks * self.time_base + 1 / (2 * (self.rate or FALLBACK_RATE))
        name, expected = self.container.format.name, self.stream.frames
        if not expected and self.path is not None and breaks_at(self.path) is not None:
            return True
        return is_short(name, self.path, self._packets, expected, end_s, self.said_end_s)

    def _choose_stream(self) -> VideoStream:
        """Return the first video stream that is not a cover picture and no text."""
        streams = [s for s in self.container.streams.video if not s.disposition & Disposition.attached_pic]
        if not streams or self.container.format.name in _NOT_VIDEO:
            self._refuse("holds no video")
        stream = streams[0]
        if stream.codec_context is None:
            self._refuse("its codec is unknown to this FFmpeg")
        if max(stream.width, stream.height) > MAX_SIDE:
            self._refuse(f"pictures of {stream.width}x{stream.height} are larger than {MAX_SIDE} pixels a side")
        return stream

    def _decode(self) -> Generator[Shown, None, None]:
        with media_errors(self.place):
            packets = self._input.of(self.stream)
            first_by_s = self._first_by_s()
            for number in count():
                if (packet := self._next(packets)) is None:
                    break
                if frames := self._decode_packet(number, packet):
                    first_by_s = math.inf
                    yield from self._in_order(frames)
                elif time.monotonic() > first_by_s:
                    raise ReadTimeoutError(f"{self.place}: no picture in time")
            if self._lost is not None:
                with suppress(EOFError):  # they were given already
                    yield from self._in_order(self.stream.codec_context.decode(None))  # what the decoder holds
            self._has_ended = True
            yield from map(_as_shown, self._order.flush())
            if self._lost is not None:
                raise self._lost

    def _in_order(self, frames: list[VideoFrame]) -> Iterator[Shown]:
        """Yield frames whose times are sure."""
        for frame in frames:
            if frame.is_corrupt:
                self.damaged += 1
            packet = NO_PACKET if frame.pts is None else frame.pts
            self._unshown.discard(packet)
            if len(self._unshown) > _MANY:
                self._give_up_before(packet)
            yield from map(_as_shown, self._order.show(packet, frame))

    def _give_up_before(self, packet: int) -> None:
        """Forget packets whose pictures will not come."""
        gone = {number for number in self._unshown if number < packet - _WAIT}
        self._unshown -= gone
        self._gone += len(gone)

    def _decode_packet(  # noqa: PLR0912  # in parts it is a call more for each packet
        self, number: int, packet: VideoPacket
    ) -> list[VideoFrame]:
        """Decode a packet; one that is damaged is counted and gives nothing."""
        has_bytes, carrier, carried = packet.size > 0, self._carrier, None
        if has_bytes:
            self._packets += 1
        if packet.is_discard:
            self.hides_packets = True
        else:
            if has_bytes:
                self._unshown.add(number)
            ticks = self._times.of(packet.pts, packet.dts)
            self._order.feed(number, ticks)
            if ticks is not None:
                end_ticks = ticks + (packet.duration or self._frame_ticks)
                if end_ticks > self._end_ticks:  # noqa: PLR1730  # a call more for each packet
                    self._end_ticks = end_ticks
            if carrier is not None and has_bytes:
                carried = carrier.prepare(packet)
        if self._on_fault is not None:
            self._tell(number, self._bytes.fault(bytes(packet)))
        if not number:
            self.begins_at_keyframe = packet.is_keyframe
        packet.pts = number  # which the decoder copies to the frame of the packet
        came_ns = self._came_ns
        came_ns[number] = self._input.read_ns, time.monotonic_ns()
        if len(came_ns) > _MANY:
            del came_ns[next(iter(came_ns))]
        try:
            frames = packet.decode()
        except InvalidDataError:
            self._order.lose(number)
            self.skipped += 1
            if len(self._unshown) > _MANY:
                self._give_up_before(number)
            self._ends_damaged = True
            self._tell(number, "cannot be decoded")
            return []
        if carrier is not None and carried is not None:
            carrier.keep(number, carried, _MANY)
        if has_bytes:
            self._ends_damaged = packet.is_corrupt
            if packet.is_corrupt:
                self._tell(number, INCOMPLETE)
        return frames

    def _tell(self, number: int, what: str | None) -> None:
        if self._on_fault is not None and what is not None:
            self._on_fault(number, what)

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
        raise UnreadableError(f"{self.place}: {why}")


class _Ratio(Protocol):
    """What PyAV gives: ``Fraction`` in version 18, a class of its own in 19."""

    @property
    def numerator(self) -> int: ...
    @property
    def denominator(self) -> int: ...


def _fraction(ratio: _Ratio | None) -> Fraction | None:
    """Return a ratio as a ``Fraction``; None, ``0/1`` and ``0/0`` say that it is unknown."""
    return Fraction(ratio.numerator, ratio.denominator) if ratio else None
