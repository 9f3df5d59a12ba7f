"""Frames of one source between the elements and the sinks: how many may wait there, and in which order they leave."""

from __future__ import annotations

import threading
from collections import deque
from typing import final

from picasso.module.run.limits import Limit, QueueUse


@final
class Egress:
    """The way of one source from the elements to the sinks.

    All of them go through the engine, which keeps their order: to be encoded, or as metadata. ``wait_for_room`` blocks
    while the limit is reached. It and ``sent`` belong to the thread that delivers, ``came_out`` to the engine's;
    ``let_go`` and ``use`` may be called from any thread.
    """

    def __init__(self, limit: Limit) -> None:
        """Begin with nothing under way; ``limit`` is how much may be."""
        self._limit = limit
        self._changed = threading.Condition()
        self._sizes: deque[int] = deque()
        self._bytes = 0
        self._is_open = True

    def wait_for_room(self) -> None:
        """Return when one more frame may wait."""
        if self._limit.is_full(self._length, self._bytes):
            with self._changed:
                self._changed.wait_for(lambda: not self._is_open or not self._limit.is_full(self._length, self._bytes))

    def sent(self, size_bytes: int) -> None:
        """A frame goes to the engine next; its payload has ``size_bytes``, 0 for metadata."""
        with self._changed:
            self._sizes.append(size_bytes)
            self._bytes += size_bytes

    def came_out(self) -> None:
        """The engine has delivered a frame to the sinks, or has lost one."""
        with self._changed:
            if self._sizes:
                self._bytes -= self._sizes.popleft()
            self._changed.notify_all()

    def let_go(self) -> None:
        """Let no one wait here any more."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()

    @property
    def use(self) -> QueueUse:
        """What waits now."""
        return QueueUse(self._length, self._bytes, self._limit)

    @property
    def encoding(self) -> int:
        """Frames with pixels that are with the engine."""
        return sum(size > 0 for size in list(self._sizes))

    @property
    def waiting(self) -> int:
        """Frames without pixels that wait for their place between those."""
        return sum(size == 0 for size in list(self._sizes))

    @property
    def _length(self) -> int:
        return len(self._sizes)
