"""The bounded queue between two threads of elements."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, final

from picasso.module.run.limits import Limit, QueueUse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from picasso.module.run.batcher import Work

ELEMENT_LENGTH: Final = 200
ELEMENT_TIME_NS: Final = 1_000_000_000
"""Limits of an element ``queue`` that does not set them; its limit in bytes is that of all queues."""


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """What a queue between elements holds at most."""

    limit: Limit
    """Batches, and bytes of their frames' payload."""
    time_ns: int | None = None
    """Nanoseconds between the oldest and the newest frame of a source; None for no limit."""
    name: str | None = None
    """Of the element ``queue``; None for a queue that ``buffer_queues`` puts there."""

    @classmethod
    def of_element(cls, name: str | None, properties: Mapping[str, Any]) -> QueueLimits:
        """Read the properties of an element ``queue``: 0 means no limit."""
        limit = Limit.of(properties.get("max-size-buffers"), properties.get("max-size-bytes"), ELEMENT_LENGTH)
        time_ns = properties.get("max-size-time", ELEMENT_TIME_NS)
        return cls(limit, time_ns or None, name or "queue")

    @classmethod
    def of_buffer_queues(cls, length: int, byte_size: int) -> QueueLimits:
        """Read ``buffer_queues``: 0 means no limit."""
        return cls(Limit(length or None, byte_size or None))

    def named(self, name: str) -> QueueLimits:
        """Return the same limits under another name."""
        return replace(self, name=name)


@final
class WorkQueue:
    """Batches in order between the thread that puts and the thread that gets.

    ``put`` waits while a limit is reached, until ``let_go``. None says that nothing follows; it never waits. The levels
    may be read from any thread; the names of those properties are what existing elements ask a queue for.
    """

    def __init__(self, limits: QueueLimits) -> None:
        """Make an empty queue."""
        self.limits = limits
        self._entries: deque[Work | None] = deque()
        self._frames = 0
        self._bytes = 0
        self._is_open = True
        self._changed = threading.Condition()
        self.passed: int = 0
        self.passed_frames: int = 0
        """Batches that came to it so far, and their frames."""

    def put(self, work: Work | None) -> None:
        """Append a batch, waiting for room."""
        with self._changed:
            if work is not None:
                self._changed.wait_for(lambda: not self._is_open or not self._is_full())
                self._frames += len(work.frames)
                self._bytes += work.bytes
                self.passed += 1
                self.passed_frames += len(work.frames)
            self._entries.append(work)
            self._changed.notify_all()

    def get(self) -> Work | None:
        """Take the oldest batch, waiting for one; None when nothing follows."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._entries))
            work = self._entries.popleft()
            if work is not None:
                self._frames -= len(work.frames)
                self._bytes -= work.bytes
            self._changed.notify_all()
            return work

    def let_go(self) -> None:
        """Let no one wait for room any more."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()

    @property
    def use(self) -> QueueUse:
        """What waits now, in batches."""
        return QueueUse(self.qsize(), self._bytes, self.limits.limit)

    def qsize(self) -> int:
        """Batches that wait."""
        return len(self._entries)

    def empty(self) -> bool:
        """Whether no batch waits."""
        return not self._entries

    def full(self) -> bool:
        """Whether ``put`` would wait."""
        with self._changed:
            return self._is_full()

    @property
    def current_level_buffers(self) -> int:
        """Batches that wait."""
        return self.qsize()

    @property
    def current_level_bytes(self) -> int:
        """Payload of their frames in bytes."""
        return self._bytes

    @property
    def current_level_time(self) -> int:
        """Nanoseconds between the oldest and the newest frame of the source for which that is most."""
        with self._changed:
            return self._span_ns()

    @property
    def max_size_buffers(self) -> int:
        """Batches that may wait; 0 for no limit."""
        return self.limits.limit.frames or 0

    @property
    def max_size_bytes(self) -> int:
        """Bytes that may wait; 0 for no limit."""
        return self.limits.limit.bytes or 0

    @property
    def max_size_time(self) -> int:
        """Nanoseconds that may wait; 0 for no limit."""
        return self.limits.time_ns or 0

    def _is_full(self) -> bool:
        limit = self.limits.limit
        if limit.frames is not None and len(self._entries) >= limit.frames:
            return True
        if Limit(None, limit.bytes).is_full(self._frames, self._bytes):
            return True
        return self.limits.time_ns is not None and self._span_ns() >= self.limits.time_ns

    def _span_ns(self) -> int:
        first: dict[str, int] = {}
        span_ns = 0
        for work in self._entries:
            for frame in () if work is None else work.frames:
                span_ns = max(span_ns, frame.pts - first.setdefault(frame.source_id, frame.pts))
        return span_ns
