"""Packets of one stream, from the thread that reads them: the caller's thread, or one that may be left behind.

FFmpeg cannot be woken while it waits for a network. So what may wait there is opened and read on a thread that hands
its packets over. When the reader is stopped or closed it does not wait for that thread, which closes the container
itself as soon as its read returns: after the time-out at the latest.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from av.error import ExitError, FFmpegError, InvalidDataError
from av.error import TimeoutError as FFmpegTimeoutError

from picasso.errors import ConnectionLostError, MediaError, OpeningStoppedError, ReadTimeoutError
from picasso.media.ffmpeg import FAILURES, media_error, reason
from picasso.media.opening import Opened, Opener
from picasso.media.stopping import StoppedReading, StopSignal

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer
    from av.video.stream import VideoStream

    VideoPacket = Packet[VideoStream]

_LEAST: Final = 8
"""Packets that may wait at any number of bytes."""
_PATIENCE_S: Final = 0.5
"""Seconds by which FFmpeg's own time-out may be late before the reader gives up on it."""
_FAREWELL_S: Final = 0.2
"""Seconds that closing waits for a thread that is about to end."""
_INDEX_BEHIND: Final = (
    "the index (moov) of this MP4 or MOV stands at its end, where nothing goes back; "
    "write it with movflags +faststart or in fragments"
)
_LIVE: Final = frozenset({"rtsp", "rtsps"})
"""Protocols that say how long a stream is, unless it is a camera's, which has no end."""
_SLACK_US: Final = 1_000_000
"""Microseconds before its announced end at which a stream counts as complete."""


class Packets(Protocol):
    """An open container, and its packets."""

    @property
    def container(self) -> InputContainer:
        """The container; it is not read by anybody else."""
        ...

    def of(self, stream: VideoStream) -> Iterator[VideoPacket]:
        """Yield the packets of a stream, then an empty one; fewer when the stop signal is set.

        Raises:
            ConnectionLostError: It broke off.
            MediaError: It cannot be read.
        """
        ...

    @property
    def waiting(self) -> tuple[int, int]:
        """How many packets wait for the decoder, and their bytes. Any thread."""
        ...

    @property
    def read_ns(self) -> int:
        """When the packet that ``of`` gave last was read, ``time.monotonic_ns()``."""
        ...

    def close(self) -> None:
        """Close the container, without waiting for a network. May be called again."""
        ...


def open_packets(opener: Opener) -> Packets:
    """Open a place.

    Raises:
        OpeningStoppedError: The stop signal is set.
        MediaError: It cannot be opened.
    """
    if opener.stop.is_set:
        raise OpeningStoppedError(f"{opener.place.shown}: stopped before it was opened")
    try:
        return HandedPackets(opener) if opener.may_wait else DirectPackets(opener)
    except StoppedReading as stopped:
        if stopped.interruption is not None:
            raise stopped.interruption from None
        raise OpeningStoppedError(f"{opener.place.shown}: stopped while it was being opened") from None


class DirectPackets:
    """Reads in the thread of the caller."""

    def __init__(self, opener: Opener) -> None:
        """Open the place.

        Raises:
            MediaError: It cannot be opened.
        """
        self._opener = opener
        self._opened = _checked(opener)
        self.read_ns: int = 0

    @property
    def container(self) -> InputContainer:
        """The container."""
        return self._opened.container

    def of(self, stream: VideoStream) -> Iterator[VideoPacket]:
        """Yield the packets; see ``Packets``."""
        try:
            packets = _demux(self._opener.place.shown, self._opened, stream)
            while (packet := next(packets, None)) is not None:
                self.read_ns = time.monotonic_ns()
                yield packet
        except StoppedReading as stopped:
            if stopped.interruption is not None:
                raise stopped.interruption from None
        except FAILURES as error:
            raise media_error(self._opener.place.shown, error) from None

    @property
    def waiting(self) -> tuple[int, int]:
        """None ever wait: the decoder takes each as it is read."""
        return 0, 0

    def close(self) -> None:
        """Close it."""
        self._opened.close()


class HandedPackets:
    """Opens and reads on a thread of its own, which is left behind when it does not answer."""

    def __init__(self, opener: Opener) -> None:
        """Open the place, and return when it is open.

        Raises:
            MediaError: It cannot be opened, or not in time.
            StoppedReading: The signal was set meanwhile.
        """
        self._reading = _Reading(replace(opener, stop=StopSignal(opener.stop)))
        try:
            self._container = self._reading.start()
        except BaseException:
            self._reading.leave()
            raise

    @property
    def container(self) -> InputContainer:
        """The container."""
        return self._container

    def of(self, stream: VideoStream) -> Iterator[VideoPacket]:
        """Yield the packets; see ``Packets``."""
        self._reading.choose(stream)
        try:
            while (packet := self._reading.take()) is not None:
                yield packet
        except StoppedReading:
            return

    @property
    def waiting(self) -> tuple[int, int]:
        """How many packets wait for the decoder, and their bytes."""
        return self._reading.waiting

    @property
    def read_ns(self) -> int:
        """When the packet that was given last was read."""
        return self._reading.read_ns

    def close(self) -> None:
        """Close it, or leave that to the thread where it does not answer."""
        self._reading.leave()

    def __del__(self) -> None:
        if hasattr(self, "_reading"):
            self._reading.leave(patience_s=0)


class _Reading:
    """What the thread and the reader share; the thread refers to nothing else, so that a reader can be collected."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._changed = threading.Condition()
        self._opened: Opened | None = None
        self._stream: VideoStream | None = None
        self._waiting: deque[tuple[VideoPacket, int]] = deque()
        self.read_ns = 0
        """When the packet that was taken last was read."""
        self._waiting_bytes = 0
        self._failure: Exception | None = None
        self._is_over = False
        self._is_left = False
        self._thread = threading.Thread(target=self._read, name="picasso-input", daemon=True)

    def start(self) -> InputContainer:
        """Start the thread, and wait until it has opened the place."""
        self._thread.start()
        # opening has two steps, each with the whole time-out: to connect, and to look at the streams
        self._wait_for(lambda: self._opened is not None or self._is_over, steps=2)
        if self._opened is None:
            raise self._failure or StoppedReading
        return self._opened.container

    def choose(self, stream: VideoStream) -> None:
        """Begin to read."""
        with self._changed:
            self._stream = stream
            self._changed.notify_all()

    def take(self) -> VideoPacket | None:
        """Wait for the next packet; None after the last one.

        Raises:
            MediaError: The stream broke off; once.
            StoppedReading: The signal was set.
        """
        self._wait_for(lambda: bool(self._waiting) or self._is_over)
        with self._changed:
            if self._waiting:
                self._changed.notify_all()
                packet, self.read_ns = self._waiting.popleft()
                self._waiting_bytes -= packet.size
                return packet
            failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        return None

    def leave(self, patience_s: float = _FAREWELL_S) -> None:
        """Close the container if the thread has ended, else let the thread do so."""
        with self._changed:
            was_left, self._is_left = self._is_left, True
            is_over = self._is_over
            self._waiting.clear()
            self._waiting_bytes = 0
            self._changed.notify_all()
        if was_left:
            return
        self._opener.stop.set()
        if not is_over and self._thread.ident is not None:
            if self._thread is not threading.current_thread():  # where a forgotten reader may be collected
                self._thread.join(patience_s)
        elif self._opened is not None:
            self._opened.close()

    def _wait_for(self, is_ready: Callable[[], bool], steps: int = 1) -> None:
        """Wait for the thread.

        Raises:
            ReadTimeoutError: It does not answer.
            StoppedReading: The signal was set.
        """
        stop, timeout_s = self._opener.stop, self._opener.timeout_s
        if not is_ready():
            patience_s = None if timeout_s is None else steps * timeout_s + _PATIENCE_S
            with stop.watched_by(self._notify), self._changed:
                if not self._changed.wait_for(lambda: is_ready() or stop.is_set, patience_s):
                    raise ReadTimeoutError(f"{self._opener.place.shown}: no answer in time, within {timeout_s:g} s")
        if stop.is_set:
            raise StoppedReading

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _read(self) -> None:
        """Do all that may wait; the thread."""
        opened = None
        try:
            opened = _checked(self._opener)
            with self._changed:
                self._opened = opened
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._is_left or self._stream is not None)
                stream = self._stream
            if stream is not None:
                self._hand_over(opened, stream)
        except FAILURES as error:
            self._failure = self._named(error)
        except Exception as error:  # noqa: BLE001  # the thread that iterates raises it
            self._failure = error
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
            is_left = self._is_left
        if is_left and opened is not None:
            opened.close()

    @property
    def _has_room(self) -> bool:
        packets, size_bytes = self._opener.packets, self._opener.packet_bytes
        count = len(self._waiting)
        if packets and count >= packets:
            return False
        return not size_bytes or count < _LEAST or self._waiting_bytes < size_bytes

    @property
    def waiting(self) -> tuple[int, int]:
        """How many packets wait, and their bytes."""
        return len(self._waiting), self._waiting_bytes

    def _hand_over(self, opened: Opened, stream: VideoStream) -> None:
        """Read packets while someone takes them."""
        last_us = 0.0
        for packet in _demux(self._opener.place.shown, opened, stream):
            read_ns = time.monotonic_ns()
            with self._changed:
                self._changed.wait_for(lambda: self._is_left or self._has_room)
                if self._is_left:
                    return
                if packet.pts is not None and packet.time_base is not None:
                    last_us = max(last_us, float((packet.pts + (packet.duration or 0)) * packet.time_base * 1_000_000))
                self._waiting.append((packet, read_ns))
                self._waiting_bytes += packet.size
                self._changed.notify_all()
        if self._opener.place.scheme in _LIVE:
            length_us, begin_us = opened.container.duration, opened.container.start_time or 0
            if length_us is None or last_us < begin_us + length_us - _SLACK_US:
                raise ConnectionLostError(f"{self._opener.place.shown}: connection lost: the server hung up")

    def _named(self, error: Exception) -> MediaError:
        """Return what FFmpeg raised, as what it means for a stream that was open, or was not."""
        place = self._opener.place.shown
        if isinstance(error, ExitError | FFmpegTimeoutError):
            return ReadTimeoutError(f"{place}: no answer in time")
        if isinstance(error, FFmpegError) and self._opened is not None and self._opener.is_remote:
            return ConnectionLostError(f"{place}: connection lost: {reason(error)}")
        return media_error(place, error)


def _checked(opener: Opener) -> Opened:
    """Open a place.

    Raises:
        MediaError: It cannot be opened.
        StoppedReading: The signal was set.
    """
    try:
        return opener.open()
    except FAILURES as error:
        raise media_error(opener.place.shown, error) from None


def _demux(place: str, opened: Opened, stream: VideoStream) -> Iterator[VideoPacket]:
    """Yield the packets of a stream, then an empty one.

    Raises:
        ConnectionLostError: It broke off; after the packets that came before.
        MediaError: It cannot be read in order.
    """
    packets = opened.container.demux(stream)
    is_first = True
    while True:
        opened.begin()
        try:
            packet = next(packets, None)
        except InvalidDataError:
            if is_first and opened.has_index_behind:
                raise MediaError(f"{place}: {_INDEX_BEHIND}") from None
            raise
        except IndexError:  # a packet of a stream that began after the file was opened: not ours, read on
            packets = opened.container.demux(stream)
            continue
        if packet is None:
            break
        is_first = False
        yield packet
    if opened.source is not None and opened.source.failure is not None:
        raise opened.source.failure
