"""Batches over sources: frames that wait, and who takes how many of them when."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final, final

from picasso.module.elements import Batch, StreamEvent
from picasso.module.run.limits import Limit, PoolUse, QueueUse

if TYPE_CHECKING:
    from picasso.engine.clock import Bell, Clock
    from picasso.module.meta import Frame

NS_PER_US: Final = 1_000


class Closed(Exception):
    """The batcher takes and gives nothing more."""


@dataclass(slots=True)
class Work:
    """What goes through the elements at once: frames, and then events of sources."""

    frames: Batch
    events: list[StreamEvent] = field(default_factory=list)
    bytes: int = 0
    """Payload of the frames."""
    sources: list[str] = field(default_factory=list)
    """Of whose pool each frame has taken a picture; emptied when they are given back."""
    is_taken: bool = True
    """Whether it is one of the batches that may be under way."""
    trail: list[tuple[str, int]] = field(default_factory=list)
    """The stages that its frames have passed together, and when they left each, of the module's clock."""


@dataclass(frozen=True, slots=True)
class _Entry:
    came_ns: int
    content: Frame | StreamEvent
    bytes: int


@final
@dataclass(slots=True)
class _Line:
    """What waits of one source, in order, and the pictures that it has in batches."""

    limit: Limit
    entries: deque[_Entry] = field(default_factory=deque)
    frames: int = 0
    in_batches: int = 0
    is_open: bool = False
    """Whether its source is known to be there, so that more may come."""

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
    - A source has ``pictures`` frames at most that wait for a batch or are in one; further ones wait in a queue before
      them, and ``put`` waits while that is full. Events never wait.
    - At most ``batches`` are under way: given by ``take`` and not back by ``release``.
    """

    def __init__(
        self,
        batch_size: int,
        timeout_us: int,
        *,
        capacity: int,
        clock: Clock,
        most_of_a_source: int | None = None,
        pictures: int | None = None,
        batches: int | None = None,
        limit_of: Callable[[str], Limit] | None = None,
    ) -> None:
        """Make an empty batcher.

        Args:
            batch_size: Frames of a full batch.
            timeout_us: Longest wait for a full batch in microseconds.
            capacity: Frames of one source that may wait beyond ``pictures``.
            clock: For the waiting.
            most_of_a_source: Frames of one source in a batch; None for a whole batch.
            pictures: Frames of one source that wait for a batch or are in one; None for no such pool.
            batches: Batches under way; None for no limit.
            limit_of: Instead of ``capacity``: how much of a source may wait beyond ``pictures``.
        """
        self._size = batch_size
        self._timeout_ns = timeout_us * NS_PER_US
        self._limit_of = limit_of or (lambda _source_id: Limit(capacity))
        self._clock = clock
        self._most = min(most_of_a_source or batch_size, batch_size)
        self._pictures = pictures
        self._batches = batches
        self._lines: dict[str, _Line] = {}
        self._circle: deque[str] = deque()
        self._waiting = 0
        self._under_way = 0
        self._closed = False
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._bell: Bell = SimpleQueue()
        self._is_taker_waiting = False

    def put(self, source_id: str, entry: Frame | StreamEvent, size_bytes: int = 0) -> None:
        """Put a frame or an event at the end of its source's line.

        Args:
            source_id: The source.
            entry: A frame, or an event.
            size_bytes: Payload of the frame.

        Raises:
            Closed: The batcher is closed.
        """
        is_frame = not isinstance(entry, StreamEvent)
        with self._lock:
            line = self._line(source_id)
            while is_frame and not self._closed and self._is_full(line):
                self._room.wait()
                line = self._line(source_id)
            if self._closed:
                raise Closed
            line.entries.append(_Entry(self._clock.now_ns(), entry, size_bytes))
            line.frames += is_frame
            line.is_open |= isinstance(entry, StreamEvent) and entry.kind == "source-add"
            self._waiting += 1
            self._wake_taker()

    def take(self) -> Work:
        """Return the next batch, waiting for it. One thread.

        Raises:
            Closed: The batcher is closed and empty.
        """
        while True:
            with self._lock:
                if self._is_due():
                    return self._collect()
                if self._closed and not self._waiting:
                    raise Closed
                deadline_ns = self._due_ns() if self._may_take() else None
                self._is_taker_waiting = True
            self._clock.wait(self._bell, deadline_ns)

    def release(self, work: Work) -> None:
        """Give back a batch and the pictures of its frames: it has left the elements. May be called again."""
        with self._lock:
            self._under_way -= work.is_taken
            work.is_taken = False
            for source_id in work.sources:
                if (line := self._lines.get(source_id)) is not None:
                    line.in_batches -= 1
                    self._forget_if_empty(source_id, line)
            work.sources.clear()
            self._wake_taker()
            self._room.notify_all()

    def close(self) -> None:
        """Take nothing more; what waits can still be taken. Senders that wait get ``Closed``."""
        with self._lock:
            self._closed = True
            self._room.notify_all()
            self._wake_taker()

    def discard(self, drop: Callable[[Frame], None]) -> None:
        """Close, and hand every frame that waits to ``drop``."""
        with self._lock:
            self._closed = True
            lines, self._lines, self._waiting = self._lines, {}, 0
            self._circle.clear()
            self._room.notify_all()
            self._wake_taker()
        for line in lines.values():
            for entry in line.entries:
                if not isinstance(entry.content, StreamEvent):
                    drop(entry.content)

    @property
    def depth(self) -> int:
        """Frames and events that wait."""
        return self._waiting

    def queue_use(self, source_id: str) -> QueueUse:
        """Return what waits of a source beyond its pool."""
        with self._lock:
            line = self._lines.get(source_id)
            if line is None:
                return QueueUse(0, 0, self._limit_of(source_id))
            return QueueUse(*self._beyond(line), line.limit)

    def picture_use(self, source_id: str) -> PoolUse:
        """Return how many pictures of a source wait for a batch or are in one."""
        with self._lock:
            line = self._lines.get(source_id)
            return PoolUse(0 if line is None else line.in_batches + self._ready(line), self._pictures)

    @property
    def batch_use(self) -> PoolUse:
        """How many batches are under way."""
        return PoolUse(self._under_way, self._batches)

    def _line(self, source_id: str) -> _Line:
        line = self._lines.get(source_id)
        if line is None:
            line = self._lines[source_id] = _Line(self._limit_of(source_id))
            self._circle.append(source_id)
        return line

    def _ready(self, line: _Line) -> int:
        """Return how many of a line's frames have a picture of the pool."""
        if self._pictures is None:
            return line.frames
        return max(min(line.frames, self._pictures - line.in_batches), 0)

    def _beyond(self, line: _Line) -> tuple[int, int]:
        """Return how many frames wait beyond the pool, and their bytes."""
        count = line.frames - (0 if self._pictures is None else self._ready(line))
        sizes = (entry.bytes for entry in reversed(line.entries) if not isinstance(entry.content, StreamEvent))
        return count, sum(islice(sizes, count))

    def _is_full(self, line: _Line) -> bool:
        has_picture = self._pictures is not None and line.frames < self._pictures - line.in_batches
        return not has_picture and line.limit.is_full(*self._beyond(line))

    def _may_take(self) -> bool:
        """Whether there is something that a batch may be made of."""
        has_slot = self._batches is None or self._under_way < self._batches
        return has_slot and any(self._is_eligible(line) for line in self._lines.values())

    def _is_eligible(self, line: _Line) -> bool:
        return bool(line.entries) and (isinstance(line.entries[0].content, StreamEvent) or self._ready(line) > 0)

    def _is_due(self) -> bool:
        if not self._may_take():
            return False
        if self._closed or self._clock.now_ns() >= self._due_ns():
            return True
        lines = self._lines.values()
        ready = [min(self._ready(line), self._most) for line in lines]
        if any(line.entries and isinstance(line.entries[0].content, StreamEvent) for line in lines):
            return True
        if sum(ready) >= self._size:
            return True
        return all(line.has_event or count >= self._most_of(line) for count, line in zip(ready, lines, strict=True))

    def _most_of(self, line: _Line) -> int:
        """Return how many frames of a line a batch can have before this source gets room for another."""
        pool = line.limit.frames if self._pictures is None else max(self._pictures - line.in_batches, 0)
        return self._most if pool is None else min(self._most, pool)

    def _due_ns(self) -> int:
        """Return when the frame that has waited longest, of those that may go, has waited long enough."""
        came_ns = (line.entries[0].came_ns for line in self._lines.values() if self._is_eligible(line))
        return min(came_ns) + self._timeout_ns

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
        self._under_way += 1
        for source_id in list(self._lines):
            self._forget_if_empty(source_id, self._lines[source_id])
        self._room.notify_all()
        return work

    def _give(self, source_id: str, work: Work, given: dict[str, int], ended: set[str]) -> bool:
        """Move the first entry of a line into a batch, if it may go there; tell whether it did."""
        line = self._lines[source_id]
        if source_id in ended or not self._is_eligible(line):
            return False
        entry = line.entries[0]
        if isinstance(entry.content, StreamEvent):
            ended.add(source_id)
            work.events.append(entry.content)
            line.is_open &= entry.content.kind != "source-delete"
        elif given.get(source_id, 0) < self._most:
            given[source_id] = given.get(source_id, 0) + 1
            entry.content.batch_id = len(work.frames)
            work.frames.append(entry.content)
            work.bytes += entry.bytes
            line.frames -= 1
            if self._pictures is not None:
                line.in_batches += 1
                work.sources.append(source_id)
        else:
            return False
        line.entries.popleft()
        return True

    def _forget_if_empty(self, source_id: str, line: _Line) -> None:
        if not line.entries and not line.in_batches and not line.is_open and source_id in self._lines:
            del self._lines[source_id]
            self._circle.remove(source_id)

    def _wake_taker(self) -> None:
        if self._is_taker_waiting:
            self._is_taker_waiting = False
            self._bell.put(None)
