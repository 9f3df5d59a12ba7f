"""Any frame of a file, exactly: from the keyframe before it, or by counting where the container does not tell."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from av.error import FFmpegError, InvalidDataError

from picasso.errors import MediaError
from picasso.media.ffmpeg import media_errors
from picasso.media.frame_index import FrameIndex
from picasso.media.timeline import FALLBACK_RATE, Placed, Timeline

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from picasso.media.decoder import Decoder, Shown
    from picasso.media.opening import Opener
    from picasso.media.packets_in import VideoPacket

_NEAR: Final = 8
"""Packets that are decoded on the way to a keyframe, instead of seeking it."""
_BACK_S: Final = (0, 2, 16)
"""Seconds before a keyframe at which it is looked for, one after the other; then the beginning of the file."""


class UnindexedError(Exception):
    """The frames are not those of the index: what was indexed by packets has to be counted. Never leaves the reader."""


class Seeker:
    """Decodes single frames of a file that was indexed by its packets. For one thread."""

    def __init__(self, opener: Opener, index: FrameIndex, threads: int) -> None:
        """Open the file on its own; no one else reads this container."""
        self._opener, self._index, self._threads = opener, index, threads
        self._ticks = index.ticks or []
        self._place = opener.place.shown
        self._open()

    def _open(self) -> None:
        self._opened = self._opener.open()
        container: InputContainer = self._opened.container
        self._container = container
        self._stream: VideoStream = container.streams.video[0]
        context = self._stream.codec_context
        context.thread_count = self._threads
        context.thread_type = "NONE" if self._threads == 1 else "AUTO"
        self._packets: Iterator[VideoPacket] | None = None
        self._pending: VideoPacket | None = None
        self._number = -1
        """Of the newest packet that was decoded."""
        self._ready: deque[VideoFrame] = deque()
        self._passed: int | None = None
        """The time of the newest frame that came out."""

    def close(self) -> None:
        """Close the file."""
        self._opened.close()

    def frame(self, place: int) -> VideoFrame:
        """Return the frame at a place of the index.

        Raises:
            UnindexedError: It does not come.
            MediaError: The file cannot be read.
        """
        ticks, key = self._ticks[place], self._index.keys[place]
        with media_errors(self._place):
            if not self._is_on_the_way(ticks, key):
                self._go_to(key)
            while True:
                frame = self._until(ticks)
                earlier = self._index.before(key) if frame.is_corrupt else None
                if earlier is None:
                    return frame
                key = earlier  # what it refers to lies further back
                self._go_to(key)

    def _is_on_the_way(self, ticks: int, key: int) -> bool:
        """Tell whether going on brings a frame sooner than seeking it."""
        if self._packets is None or self._passed is None or ticks <= self._passed:
            return False
        return key <= self._number + _NEAR

    def _go_to(self, key: int) -> None:
        """Have a packet be the next one to be decoded."""
        wanted = self._index.key_ticks[key]
        tries: list[int | None] = [wanted - round(back_s / (self._stream.time_base or 1)) for back_s in _BACK_S]
        if not key:
            tries = []
        for ticks in [*tries, None]:
            if ticks is None:
                self._opened.close()
                self._open()
            else:
                try:
                    self._container.seek(ticks, stream=self._stream, backward=True)
                except FFmpegError:
                    continue
            self._ready.clear()
            self._packets = self._container.demux(self._stream)
            if (found := self._find(self._packets, wanted, is_first=not key)) is not None:
                self._pending, self._number, self._passed = found, key - 1, None
                return
        self._packets = None
        raise UnindexedError

    @staticmethod
    def _find(packets: Iterator[VideoPacket], wanted: int, *, is_first: bool) -> VideoPacket | None:
        """Read on to the packet of a time; None where it lies before, or nowhere."""
        for packet in packets:
            if packet.size and (packet.pts == wanted or is_first):
                return packet
            if packet.pts is None or (packet.is_keyframe and packet.pts > wanted):
                return None
        return None

    def _until(self, ticks: int) -> VideoFrame:
        """Decode on to the frame of a time; pictures before it that no other needs are left out."""
        context = self._stream.codec_context
        while True:
            while self._ready:
                frame = self._ready.popleft()
                self._passed = frame.pts
                if frame.pts == ticks:
                    return frame
                if frame.pts is None or frame.pts > ticks:
                    raise UnindexedError
            packet = self._next()
            if packet is None:
                raise UnindexedError
            is_before = packet.pts is not None and packet.pts < ticks and self._threads == 1
            context.skip_frame = "NONREF" if is_before else "DEFAULT"
            try:
                self._ready.extend(packet.decode())
            except InvalidDataError:
                continue
            except EOFError:
                self._packets = None

    def _next(self) -> VideoPacket | None:
        packet, self._pending = self._pending, None
        if packet is None and self._packets is not None:
            packet = next(self._packets, None)
        if packet is None:
            self._packets = None
            return None
        self._number += bool(packet.size)
        return packet


class Counter:
    """Decodes single frames of a file whose packets do not tell them apart: from the beginning, or onward."""

    def __init__(self, open_decoder: Callable[[], Decoder]) -> None:
        """Take what opens the file from its beginning; nothing is opened yet."""
        self._open = open_decoder
        self._decoder: Decoder | None = None
        self._frames: Iterator[Shown] = iter(())
        self._next = 0

    def close(self) -> None:
        """Close the file."""
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None

    def frame(self, place: int) -> VideoFrame:
        """Return the frame that is shown as number ``place``.

        Raises:
            MediaError: The file ends before it.
        """
        if self._decoder is None or place < self._next:
            self.close()
            self._decoder = self._open()
            self._frames, self._next = self._decoder.frames(), 0
        for shown in self._frames:
            self._next += 1
            if self._next > place:
                return shown.frame
        raise MediaError(f"{self._decoder.place}: has fewer frames than before, {self._next}")


def index_frames(decoder: Decoder) -> FrameIndex:
    """Index a file by decoding all of it."""
    line: Timeline[None] = Timeline(decoder.time_base, decoder.rate or FALLBACK_RATE, counter_bits=decoder.counter_bits)
    placed: list[Placed[None]] = []
    try:
        for decoded, ticks in decoder.frames():
            placed += line.add(None, ticks, decoded.duration)
    except MediaError:
        pass  # it breaks off here, as it does when it is read in order
    placed += line.flush()
    times = [one.pts_ns for one in placed], [one.duration_ns for one in placed]
    return FrameIndex(*times, None, [], {}, tuple(line.offsets_ns))
