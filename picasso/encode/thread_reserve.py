"""Whether the system gives an encoder the threads that it starts when it opens.

libx265 waits without end for a thread that did not start, with the interpreter's lock held: nothing else runs then, and
no one can end it. So as many threads are started beforehand, all at once, and ended again.
"""

from __future__ import annotations

import _thread
import os
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from queue import Empty, SimpleQueue
from typing import Final

from picasso.errors import EncoderError

NEEDED: Final = {"libx265": 1, "libsvtav1": 17}
"""Threads that a library starts for one encoder, at the settings that we give it; those not named start none."""
RESERVE: Final = 2
"""Threads that someone else may start between the look and the opening."""
PATIENCE_S: Final = 1.0
"""How long threads that have nothing to do may take to start and to end, on a machine that is busy."""

starting: AbstractContextManager[bool] = threading.RLock()
"""Held while an encoder looks for threads and opens; who starts threads of this package takes it, too."""


@contextmanager
def enough_threads(library: str) -> Iterator[None]:
    """Open an encoder of ``library`` in this block, one at a time where it starts threads.

    Raises:
        EncoderError: The system does not give as many threads as it needs, and a few in reserve.
    """
    needed = NEEDED.get(library, 0)
    if not needed:
        yield
        return
    with starting:
        given = count_threads(needed + RESERVE)
        if given < needed + RESERVE:
            raise EncoderError(
                f"{library} needs {needed} threads, with {RESERVE} in reserve, and the system gives {given}: "
                "raise the limit of processes (ulimit -u, the container's pids limit), or run fewer sources"
            )
        yield


def count_threads(wanted: int) -> int:
    """Start up to ``wanted`` threads that live at the same time, end them, and return how many started."""
    hold, idents = threading.Lock(), SimpleQueue[int]()

    def stay() -> None:
        idents.put(threading.get_native_id())
        with hold:
            pass

    started, is_ending = 0, False
    with hold:
        try:
            while started < wanted:
                _thread.start_new_thread(stay, ())
                started += 1
        except RuntimeError as error:
            is_ending = "interpreter shutdown" in str(error)  # Python starts none any more; libraries do
    _wait_for_the_end(idents, started)
    return wanted if is_ending else started


def _wait_for_the_end(idents: SimpleQueue[int], count: int) -> None:
    """Wait until the system counts the threads no more, which is a little after they have returned."""
    deadline_s = time.monotonic() + PATIENCE_S
    for _ in range(count):
        try:
            ident = idents.get(timeout=max(deadline_s - time.monotonic(), 0))
        except Empty:
            return
        while os.path.exists(f"/proc/self/task/{ident}") and time.monotonic() < deadline_s:
            time.sleep(0.0001)
