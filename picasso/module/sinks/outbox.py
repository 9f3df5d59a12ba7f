"""Messages on their way to someone far away: a bounded queue, a thread that sends, and a count of what was dropped."""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, final

from picasso.engine.threads import EngineThread

BACK_OFF_S: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds before each further attempt; the last holds for all that follow."""
SIZE_BYTES: Final = 64 << 20
"""Bytes of messages that wait, where nothing else is said."""
CLOSE_S: Final = 5.0
"""Seconds that closing waits for what is queued."""
logger: logging.Logger = logging.getLogger("picasso.module")


class UnreachableError(Exception):
    """The receiver cannot take messages now; they are sent again later."""


class RefusedError(Exception):
    """The receiver does not want these messages; they are dropped."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message."""

    topic: str
    """What it is about."""
    body: bytes
    is_frame: bool = False
    """Whether it is the metadata of a frame; else it is an event, or the end of a stream."""


@final
class Outbox:
    """Takes messages, and sends them on a thread of its own, in order.

    Guarantees:

    - ``put`` never waits. Where more than ``length`` messages or ``size_bytes`` bytes wait, the oldest are dropped, and
      counted as ``overflow``; the newest stays.
    - A receiver that is away is tried again and again, later and later; what it refuses is counted as ``refused``.
    - ``close`` waits for what is queued, for five seconds at most; what is left then is counted as ``unsent``.
    - ``put == sent + sum(dropped.values()) + waiting``, always, for frames and for all messages.
    """

    def __init__(
        self,
        name: str,
        send: Callable[[Sequence[Parcel]], object],
        *,
        length: int,
        size_bytes: int = SIZE_BYTES,
        batch: int,
    ) -> None:
        """Start the thread.

        Args:
            name: Of the receiver, for the log; no secret may be in it.
            send: Sends some messages, and returns when they have arrived. It raises ``UnreachableError`` and
                ``RefusedError``, and looks at ``is_stopped`` where it waits.
            length: Messages that may wait.
            size_bytes: Bytes of them.
            batch: Messages that are sent at once.
        """
        self._name = name
        self._send = send
        self._length = length
        self._size_bytes = size_bytes
        self._batch = batch
        self._bytes = 0
        """Of the queue, without what is under way."""
        self._queue: deque[Parcel] = deque()
        self._under_way: list[Parcel] = []
        self._changed = threading.Condition()
        self._is_finished = False
        self.is_stopped: bool = False
        """Whether nothing is to be sent any more."""
        self.sent: int = 0
        """Messages that have arrived."""
        self.dropped: Counter[str] = Counter()
        """Messages that have not, by reason."""
        self.lost_frames: int = 0
        """How many of those were of frames."""
        self._thread = EngineThread(target=self._run, name=f"sink-out-{name}")
        self._thread.start()

    def put(self, parcel: Parcel) -> None:
        """Queue a message. Any thread."""
        with self._changed:
            if self.is_stopped:
                self._drop([parcel], "unsent")
                return
            self._queue.append(parcel)
            self._bytes += len(parcel.body)
            while len(self._queue) > self._length or (self._bytes > self._size_bytes and len(self._queue) > 1):
                self._drop([self._take()], "overflow")
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """Messages that wait, or are being sent."""
        return len(self._queue) + len(self._under_way)

    def close(self, timeout_s: float = CLOSE_S, stop: Callable[[], object] | None = None) -> None:
        """Send what is queued, and end the thread; after ``timeout_s`` seconds what is left is dropped.

        Args:
            timeout_s: Seconds for that.
            stop: What stops sending, where that is more than ``stop`` of this object.
        """
        with self._changed:
            self._is_finished = True
            self._changed.notify_all()
        self._thread.join(timeout_s)
        (stop or self.stop)()
        self._thread.join(timeout_s)

    def stop(self) -> None:
        """Send nothing more, and drop what is queued. Any thread; does not wait."""
        with self._changed:
            self.is_stopped = self._is_finished = True
            left = [*self._under_way, *self._queue]
            self._queue.clear()
            self._under_way = []
            self._drop(left, "unsent")
            self._changed.notify_all()

    def _drop(self, parcels: Sequence[Parcel], reason: str) -> None:
        if not parcels:
            return
        before = self.dropped[reason]
        self.dropped[reason] += len(parcels)
        self.lost_frames += sum(parcel.is_frame for parcel in parcels)
        if before.bit_length() != self.dropped[reason].bit_length():  # the first, second, fourth, eighth …
            logger.warning("%s: %d messages were dropped (%s)", self._name, self.dropped[reason], reason)

    def _run(self) -> None:
        failures = 0
        while (batch := self._next()) is not None:
            try:
                self._send(batch)
            except UnreachableError as error:
                failures += 1
                if failures & (failures - 1) == 0:
                    logger.warning("%s: attempt no. %d failed: %s", self._name, failures, error)
                self._wait(BACK_OFF_S[min(failures, len(BACK_OFF_S)) - 1])
            except Exception as error:
                with self._changed:
                    self._drop(self._under_way, "refused")
                    self._under_way = []
                if not isinstance(error, RefusedError):
                    logger.exception("%s: messages cannot be sent", self._name)
                else:
                    logger.warning("%s: messages were refused: %s", self._name, error)
            else:
                if failures:
                    logger.warning("%s: it takes messages again, after %d failed attempts", self._name, failures)
                failures = 0
                with self._changed:
                    self.sent += len(self._under_way)
                    self._under_way = []

    def _next(self) -> list[Parcel] | None:
        """Wait for messages, and take some; those that could not be sent come first. None when it is over."""
        with self._changed:
            while not (self._queue or self._under_way or self._is_finished):
                self._changed.wait()
            if self.is_stopped:
                return None
            while self._queue and len(self._under_way) < self._batch:
                self._under_way.append(self._take())
            return list(self._under_way) or None

    def _take(self) -> Parcel:
        parcel = self._queue.popleft()
        self._bytes -= len(parcel.body)
        return parcel

    def _wait(self, delay_s: float) -> None:
        """Wait for the next attempt, unless it is stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self.is_stopped, delay_s)
