"""What becomes of running engines when the process forks, and when the interpreter ends."""

from __future__ import annotations

import atexit
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from picasso.engine.core import Core

EXIT_TIMEOUT_NS = 30 * 1_000_000_000
"""How long the interpreter's end waits for an engine that nobody shut down."""

_running: set[Core] = set()


def add(core: Core) -> None:
    """Take care of an engine from now on."""
    _running.add(core)


def discard(core: Core) -> None:
    """Stop taking care of an engine: it has ended."""
    _running.discard(core)


@atexit.register
def close_all() -> None:
    """Shut everything down, all at once; daemon threads still run while this does."""
    cores = list(_running)
    for core in cores:
        core.stop()
    for core in cores:
        core.shutdown(EXIT_TIMEOUT_NS)


def _note_fork() -> None:
    """Tell the engines of the parent that they are not ours. Takes no lock: who held it is not here to release it."""
    for core in list(_running):
        core.note_fork()
    _running.clear()


os.register_at_fork(after_in_child=_note_fork)
