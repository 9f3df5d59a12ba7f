"""Threads of an encoder run beside the others, not before them.

Where it may, libsvtav1 gives its threads, and the thread that opens it, the highest real-time priority (``SCHED_FIFO``
99). A process of root may. One such encoder then keeps every other process of the machine waiting. So the class
and priority that the opening thread had are given back to it and to each thread that started meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

TASKS: Final = "/proc/self/task"


@contextmanager
def unchanged_priority() -> Iterator[set[int]]:
    """Open a library in this block; its threads then have the class and priority of the calling thread.

    Yields:
        A set that holds, after the block, the system's numbers of the threads that started in it. It stays empty
        where the system has no list of threads.
    """
    started: set[int] = set()
    if not (hasattr(os, "sched_getscheduler") and os.path.isdir(TASKS)):
        yield started
        return
    own = (os.sched_getscheduler(0), os.sched_getparam(0))
    before = set(os.listdir(TASKS))
    try:
        yield started
    finally:
        _set(0, own)  # first: threads that this one starts inherit
        started.update(int(thread) for thread in set(os.listdir(TASKS)) - before)
        for thread in started:
            _set(thread, own)


def _set(thread: int, policy: tuple[int, os.sched_param]) -> None:
    with suppress(ProcessLookupError, PermissionError):  # it ended; or the system forbids what it need not undo
        if os.sched_getscheduler(thread) != policy[0]:
            os.sched_setscheduler(thread, *policy)
