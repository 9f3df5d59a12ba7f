"""One source of a socket: frames that wait with their payloads, and pictures made of them on its own thread."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, final

from picasso.errors import MediaError
from picasso.flow import NEVER, Item
from picasso.media.payload import PayloadDecoder
from picasso.module.run.limits import Limit, QueueUse
from picasso.primitives import EndOfStream

if TYPE_CHECKING:
    from picasso.primitives import VideoFrame
    from picasso.surface import SurfaceView

    Payload = bytes | memoryview

logger: logging.Logger = logging.getLogger("picasso.module")


@final
class _End:
    """Ends the stream behind the frames before it."""


END: Final = _End()


@final
class WireSource:
    """A source that a socket feeds.

    Guarantees:

    - ``put`` waits while the queue is full, and returns at once when the source is read no further.
    - Every frame that was put comes out with its picture, or is counted in ``dropped`` with a reason.
    - A payload that cannot be decoded ends the stream and drops what waits; ``on_broken`` is told.
    """

    restart = NEVER
    is_live = True
    """Frames that are not let in are dropped, and do not stop the socket."""
    is_admitted = True
    """The ingress has counted it: a stream may begin while another one that ended is still on its way out."""
    frame_count = None

    def __init__(
        self,
        source_id: str,
        *,
        queue_frames: int,
        queue_bytes: int,
        low_latency: bool,
        decoder_limit: Limit | None,
        on_broken: Callable[[str, MediaError], object],
    ) -> None:
        """Begin with nothing put.

        Args:
            source_id: The name of the source.
            queue_frames: Frames that may wait, 0 for no limit.
            queue_bytes: Bytes of payload that may wait, 0 for no limit; 8 frames always may.
            low_latency: Whether pictures are shown as soon as they are decoded.
            decoder_limit: Decoded frames that may wait, which the module uses.
            on_broken: ``(source_id, error)``, told that a payload cannot be decoded; called on the source's thread.
        """
        self._source_id = source_id
        self._limit = Limit(queue_frames or None, queue_bytes or None)
        self._low_latency = low_latency
        self.decoder_limit = decoder_limit
        self._on_broken = on_broken
        self._changed = threading.Condition()
        self._entries: deque[tuple[VideoFrame, Payload, int] | _End] = deque()
        self._frames = self._bytes = 0
        self._is_finishing = self._is_closed = self._is_interrupted = False
        self._decoder: PayloadDecoder[VideoFrame] | None = None
        self.dropped: Counter[str] = Counter()
        """Frames that did not come out, by reason."""
        self._came: dict[int, tuple[int, int]] = {}
        """Of frames in the decoder, by identity: when they were put, and when it took them."""
        self.came_ns: tuple[int, int] | None = None
        """Of the newest frame that came out: when it was put and when the decoder took it, ``time.monotonic_ns()``."""

    @property
    def source_id(self) -> str:
        """The name of the source."""
        return self._source_id

    @property
    def ingress_use(self) -> QueueUse:
        """Frames that wait for the decoder, and the bytes of their payloads."""
        return QueueUse(self._frames, self._bytes, self._limit)

    @property
    def waiting(self) -> int:
        """Frames that wait."""
        return self._frames

    def put(self, frame: VideoFrame, payload: Payload) -> bool:
        """Queue a ``frame`` with its ``payload``; tell whether the source takes it. Waits while the queue is full."""
        now_ns = time.monotonic_ns()
        with self._changed:
            self._changed.wait_for(lambda: self._has_room or self._is_closed or self._is_interrupted)
            if self._is_closed or self._is_interrupted:
                self.dropped["stopped" if self._is_closed else "paused"] += 1
                return False
            self._entries.append((frame, payload, now_ns))
            self._frames += 1
            self._bytes += len(payload)
            self._changed.notify_all()
            return True

    def end(self) -> None:
        """End the stream behind what was put; another may begin."""
        with self._changed:
            self._entries.append(END)
            self._changed.notify_all()

    def finish(self) -> None:
        """End the source behind what was put."""
        with self._changed:
            self._is_finishing = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Read no further; what waits is dropped. Any thread."""
        with self._changed:
            self._is_closed = True
            self._drop_waiting("stopped")
            self._changed.notify_all()

    def interrupt(self) -> None:
        """End the running iteration; what comes before the next one is dropped. Any thread."""
        with self._changed:
            self._is_interrupted = True
            self._drop_waiting("paused")
            self._changed.notify_all()

    def __iter__(self) -> Iterator[Item]:
        with self._changed:
            self._is_interrupted = False
        return self._read()

    def _read(self) -> Iterator[Item]:
        try:
            while (entry := self._next()) is not None:
                if isinstance(entry, _End):
                    yield from self._flush()
                    yield EndOfStream(self._source_id)
                else:
                    yield from self._show(*entry)
                del entry  # frees the payload while we wait
            yield from self._flush()
        finally:
            if not self._is_interrupted:
                self.stop()

    def _show(self, frame: VideoFrame, payload: Payload, put_ns: int) -> Iterator[Item]:
        self._came[id(frame)] = put_ns, time.monotonic_ns()
        try:
            for shown, surface in self._decoder_of(frame).feed(frame, payload):
                yield from self._fitting(shown, surface)
            self._count_lost("undecodable")
        except MediaError as error:
            self._on_broken(self._source_id, error)
            if self._decoder is None:  # it was not even opened
                self.dropped["undecodable"] += 1
                self._came.pop(id(frame), None)
            with self._changed:
                self._drop_waiting("blacklisted")
            yield from self._flush()
            yield EndOfStream(self._source_id)

    def _fitting(self, frame: VideoFrame, surface: SurfaceView) -> Iterator[Item]:
        """Let a frame out whose picture has the size that it says; boxes of another would lie somewhere."""
        self.came_ns = self._came.pop(id(frame), None)
        if surface.size_wh == (frame.width, frame.height):
            yield frame, surface
            return
        count = self.dropped["size differs"] = self.dropped["size differs"] + 1
        if count & (count - 1) == 0:
            logger.warning(
                "source %r: dropped no. %d: the frame says %dx%d, its picture has %dx%d",
                *(self._source_id, count, frame.width, frame.height, *surface.size_wh),
            )

    def _decoder_of(self, frame: VideoFrame) -> PayloadDecoder[VideoFrame]:
        from picasso.media.payload import codec_name

        decoder, size_wh = self._decoder, (frame.width, frame.height)
        if decoder is None or (decoder.codec, decoder.size_wh) != (codec_name(frame.codec), size_wh):
            self._decoder = None
            self._decoder = decoder = PayloadDecoder(frame.codec, size_wh, low_latency=self._low_latency)
        return decoder

    def _flush(self) -> Iterator[Item]:
        """Let out what the decoder holds; the next frame opens another one."""
        if self._decoder is not None:
            for shown, surface in self._decoder.flush():
                yield from self._fitting(shown, surface)
            self._count_lost("undecodable")
            self._decoder = None

    def _count_lost(self, reason: str) -> None:
        if self._decoder is not None:
            for frame in self._decoder.take_lost():
                self.dropped[reason] += 1
                self._came.pop(id(frame), None)

    @property
    def _has_room(self) -> bool:
        return not self._limit.is_full(self._frames, self._bytes)

    def _next(self) -> tuple[VideoFrame, Payload, int] | _End | None:
        with self._changed:
            while not self._entries and not (self._is_finishing or self._is_closed or self._is_interrupted):
                self._changed.wait()
            if self._is_closed or self._is_interrupted or not self._entries:
                return None
            entry = self._entries.popleft()
            if not isinstance(entry, _End):
                self._frames -= 1
                self._bytes -= len(entry[1])
            self._changed.notify_all()
            return entry

    def _drop_waiting(self, reason: str) -> None:
        self.dropped[reason] += self._frames
        self._entries.clear()
        self._frames = self._bytes = 0
