"""What happens to running engines when the process forks, and when the interpreter ends."""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from typing import Protocol

EXIT_TIMEOUT_NS = 30 * 1_000_000_000
"""How long the interpreter's end waits for all engines that no one shut down, together."""
REPORTS_NS = 200_000_000
"""How much longer than its deadline a shutdown waits for the reports of frames that it gave up."""


class Running(Protocol):
    """An engine that runs."""

    def stop(self) -> object:
        """Refuse all further calls, and tell the workers to stop. Does not wait."""

    def end(self, deadline_ns: int) -> None:
        """Wait for the workers until a moment of the system's monotonic clock, and give up those that are late."""

    def wait_for_reports(self, deadline_ns: int) -> None:
        """Wait for the reports of frames that were given up."""

    def is_held_here(self) -> bool:
        """Whether the calling thread holds a lock of the engine."""

    def note_fork(self) -> None:
        """Refuse everything from now on: this is the child process."""


_running: set[Running] = set()
_exit_deadline_ns: int | None = None


def add(core: Running) -> None:
    """Take care of an engine from now on."""
    _running.add(core)


def discard(core: Running) -> None:
    """Stop taking care of an engine: it has ended."""
    _running.discard(core)


def exit_deadline_ns() -> int | None:
    """Return until when anybody may wait for engines, of the monotonic clock; None unless the interpreter ends."""
    global _exit_deadline_ns  # noqa: PLW0603  # the interpreter ends once
    if threading.main_thread().is_alive() and not sys.is_finalizing():
        return None
    if _exit_deadline_ns is None:
        _exit_deadline_ns = time.monotonic_ns() + EXIT_TIMEOUT_NS
    return _exit_deadline_ns


def is_amid_engine() -> bool:
    """Whether the calling thread holds a lock of an engine: a signal or the garbage collector came between."""
    return any(core.is_held_here() for core in list(_running))


@atexit.register
def close_all() -> None:
    """Shut everything down, all at once; daemon threads still run while this does."""
    deadline_ns = exit_deadline_ns() or time.monotonic_ns() + EXIT_TIMEOUT_NS
    cores = list(_running)
    for core in cores:
        core.stop()
    for core in cores:
        core.end(deadline_ns)
    reports_deadline_ns = time.monotonic_ns() + REPORTS_NS
    for core in cores:
        core.wait_for_reports(reports_deadline_ns)


_close_all = close_all


def _note_fork() -> None:
    """Tell the engines of the parent that they are not ours. Takes no lock: who held it is not here to release it."""
    for core in list(_running):
        core.note_fork()
    _running.clear()


os.register_at_fork(after_in_child=_note_fork)
