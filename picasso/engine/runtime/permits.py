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
_MOST = 1 << 16
"""Permits that are kept: there are no more threads in a process."""


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
    - The lock is held for a few operations, never while a thread waits. As long as no source waits, none takes it: a
      deque gives and takes in one step.
    """

    __slots__ = ("_clock", "_free", "_lock", "_owed", "_waiters")

    def __init__(self, count: int, clock: Clock) -> None:
        """Let ``count`` sources compute at once, at least 1."""
        self._clock = clock
        self._free = deque[None]([None]) * min(count, _MOST)
        self._owed = 0
        """Permits that went ahead of those there are; as many are not free once they are given back."""
        self._lock = threading.Lock()
        self._waiters: deque[Waiter[None]] = deque()

    @property
    def lent(self) -> Lent:
        """What gives a permit back for a while: what the user's code waits for may need it."""
        return Lent(self)

    def take(self) -> None:
        """Wait for a permit."""
        if not self._waiters:
            try:
                self._free.pop()
            except IndexError:
                pass
            else:
                return
        waiter = Waiter(None)
        with self._lock:
            self._waiters.append(waiter)
        self._serve()  # a permit may have become free before this one stood in line
        deadline_ns = self._clock.now_ns() + PATIENCE_NS
        try:
            while waiter.admitted is None and self._clock.now_ns() < deadline_ns:
                self._clock.wait(waiter.bell, deadline_ns)
        finally:
            with self._lock:
                if waiter.admitted is None:
                    self._waiters.remove(waiter)
                    self._owed += 1

    def give_back(self, *_: object) -> None:
        """Give a permit to the source that has waited longest."""
        if self._owed and self._pay():
            return
        self._free.append(None)
        if self._waiters:
            self._serve()

    def _pay(self) -> bool:
        """Give a permit for one that went ahead, if it is still owed."""
        with self._lock:
            if not self._owed:
                return False
            self._owed -= 1
            return True

    def _serve(self) -> None:
        """Let in those who have waited longest, as many as there are permits."""
        with self._lock:
            while self._waiters:
                try:
                    self._free.pop()
                except IndexError:
                    return
                self._waiters.popleft().answer(admitted=True)

    __enter__, __exit__ = take, give_back  # no method of their own between: they are called for every frame


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
