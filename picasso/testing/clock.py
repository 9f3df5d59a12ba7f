"""A clock that stands still until it is told to move."""

from __future__ import annotations

import threading
import time
from typing import final

from picasso.engine.clock import Bell

NS_PER_S = 1_000_000_000


@final
class FakeClock:
    """A clock for ``PicassoEngine(clock=…)``: idle time-outs, eviction and deadlines happen when the test says so.

    Threads that wait for a deadline wake when ``advance`` moves past it; those that wait for a message wake for the
    message. A test that lets a source go idle waits for what its messages bring about, then for its worker to sleep::

        recorder.wait_for("on_encoded_frame")
        clock.wait_for_sleepers(1)
        clock.advance(30)

    A sender that waits for room sleeps, too: ``advance`` by a quarter of a second lets it take any there is.
    """

    def __init__(self, start_ns: int = 0) -> None:
        self._changed = threading.Condition()
        self._now_ns = start_ns
        self._sleepers: dict[int, tuple[Bell, int]] = {}

    def now_ns(self) -> int:
        """Return the time, nanoseconds."""
        return self._now_ns

    def wait(self, bell: Bell, deadline_ns: int | None) -> None:
        """Block until ``bell`` is rung or ``advance`` reaches the deadline."""
        if deadline_ns is None:
            bell.get()
            return
        ident = threading.get_ident()
        with self._changed:
            if self._now_ns >= deadline_ns:
                return
            self._sleepers[ident] = (bell, deadline_ns)
            self._changed.notify_all()
        try:
            bell.get()
        finally:
            with self._changed:
                self._sleepers.pop(ident, None)

    def advance(self, seconds: float) -> None:
        """Move the time by a number of seconds, and wake the threads whose deadlines have come."""
        with self._changed:
            self._now_ns += round(seconds * NS_PER_S)
            due = [ident for ident, (_, deadline_ns) in self._sleepers.items() if deadline_ns <= self._now_ns]
            for ident in due:
                bell, _ = self._sleepers.pop(ident)
                bell.put(None)

    def wait_for_sleepers(self, count: int, timeout_s: float = 10) -> None:
        """Wait in real time until at least ``count`` threads wait for a deadline.

        Raises:
            TimeoutError: They did not come to that within ``timeout_s``.
        """
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            while len(self._sleepers) < count:
                if not self._changed.wait(deadline_s - time.monotonic()):
                    raise TimeoutError(f"{len(self._sleepers)} threads wait for a deadline, not {count}")
