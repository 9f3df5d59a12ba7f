"""Where frames go: a sink behind a bounded queue, with a thread of its own."""

from __future__ import annotations

import logging
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol, final

from picasso.engine.policies import OverflowPolicy, PtsResetPolicy
from picasso.engine.source_at_work import work_for
from picasso.engine.threads import EngineThread
from picasso.flow.state import SinkStatus, bounded_reason
from picasso.media.location import Location
from picasso.media.writer import StreamWriter

if TYPE_CHECKING:
    from picasso.engine import OutputMessage

QUEUE_FRAMES: Final = 32
"""Frames that wait for a sink by default: a second of video, which a file system's hiccup takes."""

logger: logging.Logger = logging.getLogger("picasso.flow")


class LeftOut(str):
    """Why a sink did not write a frame that it was given: a word, such as ``filter``."""

    __slots__ = ()


class Sink(Protocol):
    """Takes what comes out of one source; called from one thread.

    A sink may also have an attribute ``lost``: frames that ``write`` took and that were lost later, as those of a file
    that a full disk cut off; and a method ``stop()``, which may be called from any thread and ends a ``write`` that
    waits for someone else.
    """

    def write(self, output: OutputMessage) -> object:
        """Take one ``output``: a frame, or the end of a stream after which another may begin.

        A sink that leaves a frame out returns a ``LeftOut``, so that it does not count as written.
        """

    def close(self) -> object:
        """Finish. Called once, also after ``write`` raised."""


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


@final
class SinkThread:
    """A sink, the queue before it, and the thread that empties it.

    Guarantees:

    - A sink is written to and closed by its own thread only, in the order of ``put``.
    - A sink that raises takes nothing more: the error is logged once and kept, what comes later is counted as dropped,
      and no other sink notices.
    - ``BLOCK`` makes ``put`` wait while the queue is full, until ``finish``; the other policies drop and count.
    """

    def __init__(
        self,
        sink: Sink,
        source_id: str,
        policy: OverflowPolicy,
        queue_frames: int,
        on_failure: Callable[[BaseException], object] | None = None,
        on_done: Callable[[OutputMessage], object] | None = None,
        owner: str = "",
    ) -> None:
        """Make a queue; nothing is written before ``start``.

        Args:
            sink: What is written to.
            source_id: Names the thread.
            policy: What ``put`` does while the queue is full.
            queue_frames: Frames that may wait; 0 for no limit.
            on_failure: Told once what the sink raised; called on the sink's thread.
            on_done: Told of each frame that the sink has taken or that was dropped, once; must not raise or wait.
            owner: Whose sink it is, for messages; by default the source's.
        """
        self._owner = owner or f"source {source_id!r}"
        self._sink = sink
        self._policy = policy
        self._limit = queue_frames or sys.maxsize
        self._on_failure = on_failure
        self._on_done = on_done
        self._queue: deque[OutputMessage] = deque()
        self._changed = threading.Condition()
        self._is_finished = False
        self._came = 0
        self._written = 0
        self._dropped: Counter[str] = Counter()
        self._is_writing = False
        """Whether a frame is with the sink now."""
        self._is_given_up = self._has_started = False
        self._failure: BaseException | None = None
        self._thread = EngineThread(target=self._run, name=f"sink-{source_id}", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()
        self._has_started = True

    def put(self, output: OutputMessage) -> None:
        """Queue one output; the end of a stream is never dropped before ``finish``. Any thread."""
        with self._changed:
            if self._policy is OverflowPolicy.BLOCK:
                self._changed.wait_for(lambda: len(self._queue) < self._limit or self._is_finished)
            self._came += not output.is_eos
            if self._is_finished:
                self._drop(output, "stopped")
            elif len(self._queue) < self._limit or self._makes_room(output):
                self._queue.append(output)
                self._changed.notify_all()
            else:
                self._drop(output, "overflow")

    def finish(self) -> None:
        """Have the sink closed behind what is queued; what comes later is dropped and counted. Does not wait."""
        with self._changed:
            self._is_finished = True
            self._changed.notify_all()

    def give_up(self) -> None:
        """Drop what is queued, and count it: the sink does not come to it in time."""
        with self._changed:
            self._is_finished = True
            for output in self._queue:
                self._drop(output, "stopped")
            self._queue.clear()
            self._dropped["stopped"] += self._is_writing
            self._is_given_up = True
            self._changed.notify_all()
        stop = getattr(self._sink, "stop", None)
        if stop is not None:
            stop()

    @property
    def limit(self) -> int | None:
        """Frames that may wait; None for no limit."""
        return None if self._limit == sys.maxsize else self._limit

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until the sink is closed; tell whether it is."""
        if self._has_started:
            self._thread.join(timeout_s)
        return self._has_started and not self._thread.is_alive()

    @property
    def is_current(self) -> bool:
        """Whether the calling thread is the sink's."""
        return threading.current_thread() is self._thread

    def status(self) -> SinkStatus:
        """Where the sink stands. Any thread."""
        name = getattr(self._sink, "name", None) or type(self._sink).__name__
        with self._changed:
            lost = int(getattr(self._sink, "lost", 0))
            reasons = {**self._dropped, "lost": lost}
            dropped = {reason: count for reason, count in reasons.items() if count}
            total = sum(dropped.values())
            waiting = len(self._queue)
            return SinkStatus(str(name), self._written - lost, total, waiting, self._failure, self._came, dropped)

    def _makes_room(self, output: OutputMessage) -> bool:
        """Tell whether a full queue takes an output after all, having dropped the oldest frame for it."""
        if output.is_eos:
            return not self._queue[-1].is_eos  # goes beyond the limit; two ends in a row say no more than one
        if self._policy is OverflowPolicy.DROP_NEWEST:
            return False
        for index, entry in enumerate(self._queue):
            if not entry.is_eos:
                del self._queue[index]
                self._drop(entry, "overflow")
                return True
        return False

    def _drop(self, output: OutputMessage, reason: str) -> None:
        """Count an output that the sink does not get, if it is a frame."""
        if not output.is_eos:
            self._dropped[reason] += 1
            if self._on_done is not None:
                self._on_done(output)

    def _next(self) -> OutputMessage | None:
        """Wait for the next output; None behind the last."""
        with self._changed:
            while not self._queue and not self._is_finished:
                self._changed.wait()
            output = self._queue.popleft() if self._queue else None
            self._is_writing = output is not None and not output.is_eos  # in one step, or ``give_up`` misses a frame
            self._changed.notify_all()
            return output

    def _run(self) -> None:
        while (output := self._next()) is not None:
            work_for(output.source_id)
            self._write(output)
            if self._on_done is not None and not output.is_eos:
                self._on_done(output)
            del output  # frees the frame while we wait
        work_for(None)
        try:
            self._sink.close()
        except Exception as error:  # noqa: BLE001 - a sink is the user's; what it raises must not end the runner
            self._fail(error)

    def _write(self, output: OutputMessage) -> None:
        is_frame = not output.is_eos
        if self._failure is not None:
            self._count("failed", is_frame)
            return
        reason: str | None = "failed"
        try:
            answer = self._sink.write(output)
            reason = str(answer) if isinstance(answer, LeftOut) else None
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error)
        finally:
            self._count(reason, is_frame)

    def _count(self, reason: str | None, is_frame: bool) -> None:
        """Count a frame as written, or as dropped for a reason, unless it was given up meanwhile."""
        with self._changed:
            self._is_writing = False
            if self._is_given_up or not is_frame:
                return
            if reason is None:
                self._written += 1
            else:
                self._dropped[bounded_reason(reason, self._dropped)] += 1

    def _fail(self, error: BaseException) -> None:
        if self._failure is None:
            self._failure = error
            logger.error("%s: a sink failed and takes nothing more: %s", self._owner, error)
            if self._on_failure is not None:
                self._on_failure(error)
