"""The thread that closes an engine which no one holds any more, and drops what a closed engine held."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import final

from picasso.engine.clock import Bell, Clock, Latch
from picasso.engine.threads import EngineThread, join


@final
class Watchdog:
    """Sleeps until it is rung, then closes the engine, or until it is dismissed.

    The garbage collector may run a finaliser in any thread, at any allocation, even in the middle of a critical section
    of this package; so a finaliser must neither wait nor take a lock. ``ring`` and ``dismiss`` do neither, and may be
    called from anywhere, any number of times. The waiting is done here.
    """

    __slots__ = ("_close", "_dismissed", "_ended", "_has_closed", "_last", "_thread", "bell")

    def __init__(self, close: Callable[[], object], clock: Clock) -> None:
        self.bell: Bell = SimpleQueue()
        """``put(None)`` is the same as ``ring``, and leads to nothing but itself."""
        self._close = close
        self._dismissed = self._has_closed = False
        self._last: list[Callable[[], object]] = []
        self._ended = Latch(clock)
        self._thread = EngineThread(target=self._main, name="picasso-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to sleep. Called once."""
        self._thread.start()

    def ring(self) -> None:
        """Have the engine closed, unless that is done already."""
        self.bell.put(None)

    def dismiss(self, last: Callable[[], object]) -> None:
        """End without closing anything, after a call of ``last``.

        The thread drops it afterwards, with all that only it holds: a ``__del__`` may block.
        """
        if not self._has_closed:
            self._last.append(last)
        self._dismissed = True
        self.bell.put(None)

    def join(self, deadline_ns: int | None, clock: Clock) -> None:
        """Wait until the thread is gone, or the deadline of ``clock`` has come; no-op on the thread itself."""
        if threading.current_thread() is not self._thread and self._ended.wait(deadline_ns, clock):
            join(self._thread, deadline_ns, clock)

    def _main(self) -> None:
        self.bell.get()
        if not self._dismissed:
            self._close()
        self._has_closed = True
        del self._close  # which leads to the engine
        while self._last:
            self._last.pop()()
        self._ended.open()
