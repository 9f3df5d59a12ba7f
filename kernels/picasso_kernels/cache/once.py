"""What is done once in a process, also where several threads come to it at the same time.

``functools.cache`` does not do: it is filled when a call is over, and two threads that come meanwhile both make it.
"""

from __future__ import annotations

import functools
import logging
import os
import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar, final

T = TypeVar("T")


@final
class SayOnce:
    """Warns, unless the same was said before in this process. Any thread, and any handler of a signal."""

    def __init__(self, log: logging.Logger) -> None:
        """Have said nothing yet; ``log`` is where it goes."""
        self._log: Final = log
        self._said: Final[dict[str, object]] = {}

    def __call__(self, text: str) -> None:
        """Say it, if it is new."""
        mine = object()
        if self._said.setdefault(text, mine) is mine:  # one step of the interpreter: of several threads one is first
            self._log.warning("%s", text)

    def forget(self) -> None:
        """Let everything be said again."""
        self._said.clear()


@final
class MadeOnce(Generic[T]):
    """Stands for a function without arguments, which is called once: who comes meanwhile waits for what it returns."""

    def __init__(self, make: Callable[[], T]) -> None:
        """Take the function; it is not called yet. Where it raises, the next caller tries again."""
        functools.update_wrapper(self, make)
        self._make: Final = make
        self._made: Final[list[T]] = []
        self._renew()
        os.register_at_fork(after_in_child=self._renew)

    def __call__(self) -> T:
        """Return what the function returned."""
        if not self._made:
            with self._making:
                if not self._made:
                    self._made.append(self._make())
        return self._made[0]

    def cache_clear(self) -> None:
        """Have it made again by the next caller."""
        self._made.clear()

    def _renew(self) -> None:
        """Begin with a lock that no thread holds: in a child process its holder does not exist."""
        self._making = threading.RLock()
