"""Batches over sources: frames that wait, and who takes how many of them when."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, final

from picasso.module.elements import Batch, StreamEvent

if TYPE_CHECKING:
    from picasso.engine.clock import Clock
    from picasso.module.meta import Frame

NS_PER_US: Final = 1_000


class Closed(Exception):
    """The batcher takes and gives nothing more."""


@dataclass(slots=True)
class Work:
    """What goes through the elements at once: frames, and then events of sources."""

    frames: Batch
    events: list[StreamEvent] = field(default_factory=list)


@final
@dataclass(slots=True)
class _Line:
    """What waits of one source, in order."""

    entries: deque[tuple[int, Frame | StreamEvent]] = field(default_factory=deque)
    """Each with the time at which it came."""
    frames: int = 0

    @property
    def has_event(self) -> bool:
        """Whether an event waits, behind which no frame goes into this batch."""
        return len(self.entries) > self.frames


@final
class Batcher:
    """Forms batches of the frames that the threads of the sources put in.

    Guarantees:

    - Frames and events of one source come out in the order in which they were put in; an event ends the source's share
      of a batch, and comes behind the batch's frames.
    - A batch is given when it is full, when no source may add a frame, or ``timeout_us`` after its first frame came.
    - Turns are fair: sources give one frame each in a fixed circle, beginning behind the one that gave last.
    - ``put`` waits while ``capacity`` frames of the source wait. Events never wait.
    """

    def __init__(
        self,
        batch_size: int,
        timeout_us: int,
        *,
        capacity: int,
        clock: Clock,
        most_of_a_source: int | None = None,
    ) -> None:
        """Make an empty batcher.

        Args:
            batch_size: Frames of a full batch.
            timeout_us: Longest wait for a full batch in microseconds.
            capacity: Frames of one source that may wait.
            clock: For the waiting.
            most_of_a_source: Frames of one source in a batch; None for a whole batch.
        """
        self._size = batch_size
        self._timeout_ns = timeout_us * NS_PER_US
        self._capacity = capacity
        self._clock = clock
        self._most = most_of_a_source or batch_size
        self._lines: dict[str, _Line] = {}
        self._circle: deque[str] = deque()
        self._waiting = 0
        self._closed = False
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._arrival = threading.Condition(self._lock)

    def put(self, source_id: str, entry: Frame | StreamEvent) -> None:
        """Put a frame or an event at the end of its source's line.

        Raises:
            Closed: The batcher is closed.
        """
        is_frame = not isinstance(entry, StreamEvent)
        with self._lock:
            line = self._line(source_id)
            while is_frame and line.frames >= self._capacity and not self._closed:
                self._room.wait()
                line = self._line(source_id)
            if self._closed:
                raise Closed
            line.entries.append((self._clock.now_ns(), entry))
            line.frames += is_frame
            self._waiting += 1
            self._arrival.notify()

    def take(self) -> Work:
        """Return the next batch, waiting for it.

        Raises:
            Closed: The batcher is closed and empty.
        """
        with self._lock:
            while not self._is_due():
                if self._closed and not self._waiting:
                    raise Closed
                self._arrival.wait(self._patience_s())
            work = self._collect()
            self._room.notify_all()
            return work

    def close(self) -> None:
        """Take nothing more; what waits can still be taken. Senders that wait get ``Closed``."""
        with self._lock:
            self._closed = True
            self._room.notify_all()
            self._arrival.notify_all()

    def discard(self, drop: Callable[[Frame], None]) -> None:
        """Close, and hand every frame that waits to ``drop``."""
        self.close()
        with self._lock:
            lines, self._lines, self._waiting = self._lines, {}, 0
            self._circle.clear()
        for line in lines.values():
            for _came_ns, entry in line.entries:
                if not isinstance(entry, StreamEvent):
                    drop(entry)

    @property
    def depth(self) -> int:
        """Frames and events that wait."""
        return self._waiting

    def _line(self, source_id: str) -> _Line:
        line = self._lines.get(source_id)
        if line is None:
            line = self._lines[source_id] = _Line()
            self._circle.append(source_id)
        return line

    def _is_due(self) -> bool:
        if not self._waiting:
            return False
        if self._closed or self._clock.now_ns() >= self._due_ns():
            return True
        most = min(self._most, self._capacity)
        lines = self._lines.values()
        if any(line.entries and isinstance(line.entries[0][1], StreamEvent) for line in lines):
            return True
        is_full = sum(min(line.frames, self._most) for line in lines) >= self._size
        return is_full or all(line.frames >= most or line.has_event for line in lines)

    def _patience_s(self) -> float | None:
        if not self._waiting:
            return None
        return max(self._due_ns() - self._clock.now_ns(), 0) / 1e9

    def _due_ns(self) -> int:
        """Return when the frame that has waited longest has waited long enough."""
        return min(line.entries[0][0] for line in self._lines.values() if line.entries) + self._timeout_ns

    def _collect(self) -> Work:
        work = Work(Batch())
        given: dict[str, int] = {}
        ended: set[str] = set()
        progress = True
        while progress and len(work.frames) < self._size:
            progress = False
            for _ in range(len(self._circle)):
                source_id = self._circle[0]
                self._circle.rotate(-1)
                progress |= self._give(source_id, work, given, ended)
                if len(work.frames) >= self._size:
                    break
        self._waiting -= len(work.frames) + len(work.events)
        self._forget_empty()
        return work

    def _give(self, source_id: str, work: Work, given: dict[str, int], ended: set[str]) -> bool:
        """Move the first entry of a line into a batch, if it may go there; tell whether it did."""
        line = self._lines[source_id]
        if not line.entries or source_id in ended:
            return False
        _came_ns, entry = line.entries[0]
        if isinstance(entry, StreamEvent):
            ended.add(source_id)
            work.events.append(entry)
        elif given.get(source_id, 0) < self._most:
            given[source_id] = given.get(source_id, 0) + 1
            entry.batch_id = len(work.frames)
            work.frames.append(entry)
            line.frames -= 1
        else:
            return False
        line.entries.popleft()
        return True

    def _forget_empty(self) -> None:
        for source_id in [name for name, line in self._lines.items() if not line.entries]:
            del self._lines[source_id]
            self._circle.remove(source_id)
