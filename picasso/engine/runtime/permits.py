"""How many sources may compute at once: more than the processors can run only costs switches between threads."""

from __future__ import annotations

import os
import threading
from collections import deque
from typing import TYPE_CHECKING, final

from picasso.engine.clock import Waiter

if TYPE_CHECKING:
    from picasso.engine.clock import Clock

PATIENCE_NS = 1_000_000_000
"""How long a source waits behind others before it goes ahead: an encoder that hangs must not stop them all."""


def default_computing() -> int:
    """Return how many sources compute at once unless the user says otherwise.

    One for each processor that this process may use, and one more: while one waits for the interpreter's lock, or
    returns from a callback, its processor has other work.
    """
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1


@final
class Permits:
    """A number of permits for all sources of an engine, first come, first served: ``with permits:``.

    Guarantees:

    - A permit that is given back goes to the source that has waited longest. ``threading.Semaphore`` promises no order:
      under load the thread that gives back takes again, and others starve.
    - No one waits longer than ``PATIENCE_NS``; after that a source goes ahead, as one more than there should be.
    - The lock is held for a few operations, never while anybody waits.
    """

    __slots__ = ("_clock", "_free", "_lock", "_waiters")

    def __init__(self, count: int, clock: Clock) -> None:
        """Let ``count`` sources compute at once, at least 1."""
        self._clock = clock
        self._free = count
        self._lock = threading.Lock()
        self._waiters: deque[Waiter[None]] = deque()

    @property
    def lent(self) -> Lent:
        """What gives a permit back for a while: what the user's code waits for may need it."""
        return Lent(self)

    def take(self) -> None:
        """Wait for a permit."""
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return
            waiter = Waiter(None)
            self._waiters.append(waiter)
        deadline_ns = self._clock.now_ns() + PATIENCE_NS
        try:
            while waiter.admitted is None and self._clock.now_ns() < deadline_ns:
                self._clock.wait(waiter.bell, deadline_ns)
        finally:
            with self._lock:
                if waiter.admitted is None:
                    self._waiters.remove(waiter)
                    self._free -= 1

    def give_back(self) -> None:
        """Give a permit to the source that has waited longest."""
        with self._lock:
            self._free += 1
            if self._free > 0 and self._waiters:
                self._free -= 1
                self._waiters.popleft().answer(admitted=True)

    __enter__ = take  # no method of their own between: they are called for every frame

    def __exit__(self, *_: object) -> None:
        self.give_back()


@final
class Lent:
    """Permits while those who hold one run the user's code: ``with permits.lent:`` inside ``with permits:``."""

    __slots__ = ("_permits",)

    def __init__(self, permits: Permits) -> None:
        self._permits = permits

    def __enter__(self) -> None:
        self._permits.give_back()

    def __exit__(self, *_: object) -> None:
        self._permits.take()
