"""Time, as the engine sees it: one seam, so that tests can hold it still."""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
Bell = SimpleQueue[None]
"""What a thread waits at: ``put(None)`` rings it. Ringing never blocks and takes no lock of ours."""

NAP_NS = 3_600 * 1_000_000_000


class Clock(Protocol):
    """Tells the time and waits; the engine does neither by other means. Called from any thread."""

    def now_ns(self) -> int:
        """Return nanoseconds since some fixed moment; never less than before."""

    def wait(self, bell: Bell, deadline_ns: int | None) -> None:
        """Block until ``bell`` is rung or ``now_ns()`` reaches ``deadline_ns``.

        It may return early for no reason at all, so callers look again at what they wait for.
        """


class MonotonicClock:
    """The system's monotonic clock."""

    __slots__ = ()
    now_ns: staticmethod[[], int] = staticmethod(time.monotonic_ns)

    def wait(self, bell: Bell, deadline_ns: int | None) -> None:
        """Block until ``bell`` is rung or the deadline has come; at most an hour at a time."""
        if deadline_ns is None:
            bell.get()
            return
        remaining_ns = min(deadline_ns - time.monotonic_ns(), NAP_NS)
        if remaining_ns > 0:
            try:  # noqa: SIM105 - every frame that is waited for comes by, and this costs nothing until it raises
                bell.get(timeout=remaining_ns / 1e9)
            except Empty:
                pass


class Waiter(Generic[T]):
    """One who stands in a line until it is let in or turned away. The owner of the line answers."""

    __slots__ = ("admitted", "bell", "wish")

    def __init__(self, wish: T) -> None:
        """Stand in line for ``wish``."""
        self.wish: T = wish
        self.bell: Bell = SimpleQueue()
        self.admitted: bool | None = None
        """True: let in. False: turned away. None: still in line."""

    def answer(self, *, admitted: bool) -> None:
        """Let the waiter in or turn it away, unless that was said before, and wake it."""
        if self.admitted is None:
            self.admitted = admitted
        self.bell.put(None)


class Latch:
    """Opens once; any number of threads may wait for it, each with its own deadline."""

    __slots__ = ("_bells", "_clock", "_open")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bells: list[Bell] = []
        self._open = False

    def open(self) -> None:
        """Let everyone through, from now on."""
        self._open = True
        for bell in self._bells:
            bell.put(None)

    def wait(self, deadline_ns: int | None = None, clock: Clock | None = None) -> bool:
        """Block until the latch is open, or return False at the deadline, of ``clock`` or of the latch's own."""
        clock = self._clock if clock is None else clock
        bell: Bell = SimpleQueue()
        self._bells.append(bell)  # before looking: an ``open`` that comes after the look will ring it
        while not self._open:
            if deadline_ns is not None and clock.now_ns() >= deadline_ns:
                return False
            clock.wait(bell, deadline_ns)
        return True
