"""Threads that go by their names in the operating system's tools, too."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, final

from picasso.encode.thread_reserve import starting
from picasso.engine.source_at_work import work_for

if TYPE_CHECKING:
    from picasso.engine.clock import Clock

MAX_NAME_BYTES = 15
"""What Linux keeps of a thread's name."""
MOMENT_S = 0.1
"""How much longer than a deadline anybody waits for what should take no time at all."""


@final
class EngineThread(threading.Thread):
    """A daemon thread; ``top -H`` and debuggers show the beginning of its name."""

    def __init__(
        self,
        *,
        target: Callable[..., object],
        name: str,
        args: Iterable[Any] = (),
        daemon: bool = True,
        source_id: str | None = None,
    ) -> None:
        """Make a thread.

        Args:
            target: What it runs.
            name: Its name.
            args: What ``target`` takes.
            daemon: Whether the process may end without it.
            source_id: The source that it works for, which lines of the log then name.
        """
        super().__init__(target=target, name=name, args=args, daemon=daemon)
        self._source_id = source_id

    def start(self) -> None:
        """Start, but not while an encoder opens that was promised the last threads there are."""
        with starting:
            super().start()

    def run(self) -> None:
        """Run the target."""
        if sys.platform == "linux" and sys.version_info < (3, 14):  # from then on Python does it
            _name_this_thread(self.name)
        if self._source_id is not None:
            work_for(self._source_id)
        super().run()


def _name_this_thread(name: str) -> None:
    import ctypes

    with suppress(OSError, AttributeError):  # a C library without it: a name is not worth an error
        rename = ctypes.CDLL(None).pthread_setname_np
        rename(ctypes.c_void_p(threading.get_ident()), name.encode(errors="replace")[:MAX_NAME_BYTES])


def join(thread: threading.Thread, deadline_ns: int | None, clock: Clock) -> None:
    """Wait for a thread that has nothing left to do, until the deadline and a moment more.

    It is gone at once, unless a ``__del__`` of someone else's, which runs as its last references go, blocks.
    """
    thread.join(None if deadline_ns is None else max(deadline_ns - clock.now_ns(), 0) / 1e9 + MOMENT_S)


def is_owned(lock: Any) -> bool:
    """Whether the calling thread holds an ``RLock``; this is what ``threading.Condition`` asks it, too."""
    return bool(lock._is_owned())
