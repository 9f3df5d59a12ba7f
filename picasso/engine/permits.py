"""How many sources may compute at once: more than the processors can run only costs switches between threads."""

from __future__ import annotations

import os
import threading
from collections import deque
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from picasso.engine.clock import Bell, Clock

PATIENCE_NS = 1_000_000_000
"""How long a source stands in line behind others before it goes ahead: an encoder that hangs must not stop them all."""


def default_computing() -> int:
    """Return how many sources compute at once unless the user says otherwise.

    One for each processor that this process may use, and one more: while one waits for the interpreter's lock, or
    returns from a callback, its processor has other work.
    """
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1


@final
class _Waiter:
    """A source in line."""

    __slots__ = ("admitted", "bell")

    def __init__(self) -> None:
        self.admitted = False
        self.bell: Bell = SimpleQueue()


@final
class Permits:
    """So many permits for all sources of an engine, first come, first served.

    Guarantees:

    - A permit that is given back goes to whoever has waited longest. ``threading.Semaphore`` promises no order: under
      load the thread that gives back takes again, and others starve.
    - Nobody waits longer than ``PATIENCE_NS``; after that a source goes ahead, as one more than there should be.
    - The lock is held for a few operations, never while anybody waits.
    """

    __slots__ = ("_clock", "_free", "_lock", "_waiters")

    def __init__(self, count: int, clock: Clock) -> None:
        """Let ``count`` sources compute at once, at least 1."""
        self._clock = clock
        self._free = count
        self._lock = threading.Lock()
        self._waiters: deque[_Waiter] = deque()

    def take(self) -> None:
        """Wait for a permit."""
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return
            waiter = _Waiter()
            self._waiters.append(waiter)
        deadline_ns = self._clock.now_ns() + PATIENCE_NS
        try:
            while not waiter.admitted and self._clock.now_ns() < deadline_ns:
                self._clock.wait(waiter.bell, deadline_ns)
        finally:
            with self._lock:
                if not waiter.admitted:
                    self._waiters.remove(waiter)
                    self._free -= 1

    def give_back(self) -> None:
        """Give a permit to whoever has waited longest."""
        with self._lock:
            self._free += 1
            if self._free > 0 and self._waiters:
                self._free -= 1
                waiter = self._waiters.popleft()
                waiter.admitted = True
                waiter.bell.put(None)


@final
class Turn:
    """The permit of one source: held while it computes, given back while it runs the user's code."""

    __slots__ = ("_held", "_permits")

    def __init__(self, permits: Permits) -> None:
        self._permits = permits
        self._held = False

    def __enter__(self) -> None:
        self._permits.take()
        self._held = True

    def __exit__(self, *_: object) -> None:
        self._held = False
        self._permits.give_back()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Be without the permit for a while, if it is held: what the user's code waits for may need it."""
        if not self._held:
            yield
            return
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()
