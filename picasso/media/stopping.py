"""One signal that ends every wait for data, in any thread."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext


class StopSignal:
    """Ends readers from another thread, also while they are being opened; one signal may serve many readers.

    ::

        stop = StopSignal()
        reader = VideoReader("rtsp://camera/1", stop=stop)  # another thread may call stop.set()

    A signal that was set stays set. All methods may be called from any thread.
    """

    def __init__(self, parent: StopSignal | None = None) -> None:
        """Make a signal that is not set.

        Args:
            parent: A signal that sets this one, too, when it is set.
        """
        self._parent = parent
        self._lock = threading.RLock()  # a reader that is collected sets its signal, in any thread
        self._wakers: dict[int, Callable[[], None]] = {}
        self._numbers = itertools.count()
        self._is_set = False

    @property
    def is_set(self) -> bool:
        """Whether it was set."""
        return self._is_set or (self._parent is not None and self._parent.is_set)

    def set(self) -> None:
        """End every reader that has this signal: each returns from its read within half a second."""
        with self._lock:
            if not self._is_set:
                self._is_set = True
                for wake in list(self._wakers.values()):
                    wake()

    @contextmanager
    def watched_by(self, wake: Callable[[], None]) -> Iterator[None]:
        """Call ``wake`` when the signal is set, at once if it is; ``wake`` returns quickly and does not raise."""
        number = next(self._numbers)
        with self._lock:
            self._wakers[number] = wake
            if self._is_set:
                wake()
        try:
            with nullcontext() if self._parent is None else self._parent.watched_by(wake):
                yield
        finally:
            with self._lock:
                self._wakers.pop(number, None)


class StoppedReading(Exception):  # never leaves the readers
    """Ends a read because the signal was set, or because of an interruption that FFmpeg would swallow."""

    def __init__(self, interruption: BaseException | None = None) -> None:
        super().__init__()
        self.interruption = interruption
        """Ctrl-C or its like, which came while FFmpeg was reading."""
