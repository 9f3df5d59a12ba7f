"""Where frames go: a sink behind a bounded queue, with a thread of its own."""

from __future__ import annotations

import logging
from queue import Queue
from typing import TYPE_CHECKING, Final, Protocol, final

from picasso.engine.policies import OverflowPolicy, PtsResetPolicy
from picasso.engine.threads import EngineThread
from picasso.flow.state import SinkStatus
from picasso.media.location import Location
from picasso.media.writer import StreamWriter

if TYPE_CHECKING:
    from picasso.engine import OutputMessage

QUEUE_FRAMES: Final = 32
"""Frames that wait for a sink by default: a second of video, which a file system's hiccup takes."""

logger = logging.getLogger("picasso.flow")


class Sink(Protocol):
    """Takes what comes out of one source; called from one thread."""

    def write(self, output: OutputMessage) -> object:
        """Take one ``output``: a frame, or the end of a stream after which another may begin."""

    def close(self) -> object:
        """Finish. Called once, whatever ``write`` raised."""


class Segments(StreamWriter):
    """Video files of about the same length, cut at keyframes, that play after a crash as well."""

    def __init__(self, pattern: Location, *, seconds: float | None = 60.0, size_bytes: int | None = None) -> None:
        """Name the files; each is created with its first frame.

        Args:
            pattern: Such as ``rec/{source}/{time}.mp4``; nothing is replaced.
            seconds: Length of a file in seconds, at least; None for no limit.
            size_bytes: Bytes of coded frames of a file, at least; None for no limit.

        Raises:
            MediaError: The suffix is unknown.
            ValueError: Unknown fields in the pattern, or a limit that is not above 0.
        """
        super().__init__(pattern, on_restart=PtsResetPolicy.SEGMENT, segment_s=seconds, segment_bytes=size_bytes)


class _Close:
    """The last entry of a queue."""


_CLOSE: Final = _Close()


@final
class SinkThread:
    """A sink, the queue before it, and the thread that empties it.

    Guarantees:

    - The sink is written to and closed by its own thread only, in the order of ``put``.
    - A sink that raises takes nothing more: the error is logged once and kept, what comes later is counted as dropped,
      and no other sink notices.
    - ``BLOCK`` makes ``put`` wait while the queue is full; the other policies drop and count.
    """

    def __init__(self, sink: Sink, source_id: str, policy: OverflowPolicy, queue_frames: int) -> None:
        self._sink = sink
        self._source_id = source_id
        self._policy = policy
        self._queue: Queue[OutputMessage | _Close] = Queue(queue_frames)
        self._written = 0
        self._dropped = 0
        self._failure: BaseException | None = None
        self._thread = EngineThread(target=self._run, name=f"sink-{source_id}", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, output: OutputMessage) -> None:
        """Queue one output; the end of a stream is never dropped. One thread at a time."""
        if self._policy is not OverflowPolicy.BLOCK and not output.is_eos and self._queue.full():
            if self._policy is OverflowPolicy.DROP_NEWEST:
                self._dropped += 1
                return
            self._drop_oldest()
        self._queue.put(output)

    def finish(self) -> None:
        """Have the sink closed behind what is queued. Does not wait for it."""
        self._queue.put(_CLOSE)

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until the sink is closed; tell whether it is."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def status(self) -> SinkStatus:
        """Where the sink stands. Any thread."""
        name = getattr(self._sink, "name", None) or type(self._sink).__name__
        return SinkStatus(str(name), self._written, self._dropped, self._queue.qsize(), self._failure)

    def _drop_oldest(self) -> None:
        """Make room by discarding the oldest frame, unless only ends of streams wait."""
        with self._queue.mutex:
            entries = self._queue.queue
            for index, entry in enumerate(entries):
                if not isinstance(entry, _Close) and not entry.is_eos:
                    del entries[index]
                    self._queue.not_full.notify()
                    self._dropped += 1
                    return

    def _run(self) -> None:
        while not isinstance(output := self._queue.get(), _Close):
            self._write(output)
            del output  # frees the frame while we wait
        try:
            self._sink.close()
        except Exception as error:  # noqa: BLE001 - a sink is the user's; what it raises must not end the runner
            self._fail(error)

    def _write(self, output: OutputMessage) -> None:
        is_frame = not output.is_eos
        if self._failure is not None:
            self._dropped += is_frame
            return
        try:
            self._sink.write(output)
            self._written += is_frame
        except Exception as error:  # noqa: BLE001 - as above
            self._dropped += is_frame
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if self._failure is None:
            self._failure = error
            logger.error("source %r: a sink failed and takes nothing more: %s", self._source_id, error)
