"""The one processor that threads share who all wait for the interpreter's lock: several only cost them their caches."""

from __future__ import annotations

import ctypes
import os
import threading
from contextlib import suppress
from typing import Final, final


@final
class Shared:
    """The processor of a process: where the first thread that asks for it runs."""

    __slots__ = ("_lock", "_number")

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Choose again: the child of a fork has threads of its own, on the processor that it inherits."""
        self._lock = threading.Lock()
        self._number: int | None = None

    def stay(self) -> int | None:
        """Do what ``share_processor`` says."""
        with suppress(OSError, AttributeError), self._lock:
            allowed = os.sched_getaffinity(0)
            number = self._number
            if number is None or number not in allowed:
                number = self._number = _here(allowed)
            os.sched_setaffinity(0, {number})
            return number
        return None


def _here(allowed: set[int]) -> int:
    """Return the processor that the calling thread runs on, one of those that it may."""
    with suppress(OSError, AttributeError):  # a C library without it
        number = int(ctypes.CDLL(None).sched_getcpu())
        if number in allowed:
            return number
    return min(allowed)


SHARED: Final = Shared()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=SHARED.forget)


def share_processor() -> int | None:
    """Keep the calling thread, and what it starts from now on, on one processor: the same for all calls of a process.

    For programs whose pixels stay on a GPU from source to encoder: call it first of all, before engines and threads are
    started. Such threads wait for the interpreter's lock most of the time, and on several processors each turn finds
    cold caches. Not for programs that transform, encode or run models on the CPU.

    Processes that are started later inherit the processor. So where there are several, each calls this itself and not
    who starts them, and ``taskset`` keeps two from the same processor. Call ``warm_up`` before it where kernels are
    still to be compiled: compilers inherit the processor too. A thread that may not run there chooses again, for all
    later calls.

    Returns:
        The number of the processor, which is where the first caller ran; None where the system binds no threads.
    """
    return SHARED.stay()
