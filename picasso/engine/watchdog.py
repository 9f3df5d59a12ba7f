"""The thread that closes an engine which nobody holds any more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import final

from picasso.engine.clock import Bell, Clock, Latch
from picasso.engine.threads import EngineThread


@final
class Watchdog:
    """Sleeps until it is rung, then closes the engine, or until it is dismissed.

    The garbage collector may run a finaliser in any thread, at any allocation, even in the middle of a critical section
    of this package; so a finaliser must neither wait nor take a lock. ``ring`` and ``dismiss`` do neither, and may be
    called from anywhere, any number of times. The waiting is done here.
    """

    __slots__ = ("_bell", "_close", "_dismissed", "_ended", "_thread")

    def __init__(self, close: Callable[[], object], clock: Clock) -> None:
        self._bell: Bell = SimpleQueue()
        self._close = close
        self._dismissed = False
        self._ended = Latch(clock)
        self._thread = EngineThread(target=self._main, name="picasso-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to sleep. Called once."""
        self._thread.start()

    def ring(self) -> None:
        """Have the engine closed, unless that is done already."""
        self._bell.put(None)

    def dismiss(self) -> None:
        """End without closing anything."""
        self._dismissed = True
        self._bell.put(None)

    def join(self, deadline_ns: int | None) -> None:
        """Wait until the thread is gone, or the deadline has come; no-op on the thread itself."""
        if threading.current_thread() is not self._thread and self._ended.wait(deadline_ns):
            self._thread.join()

    def _main(self) -> None:
        self._bell.get()
        if not self._dismissed:
            self._close()
        self._ended.open()
