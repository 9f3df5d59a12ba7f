"""The ``picasso`` command: ``demo``, ``encode``, ``probe``, ``send``, ``receive``, ``doctor`` and ``warm-up``."""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["main"]

_STDOUT = 1


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 bad arguments, 130 interrupted, 143 stopped by SIGTERM."""
    _fill_closed_descriptors()
    _let_stdout_take_any_text()
    with _interrupted_without_words():
        from picasso.cli.app import app

        try:
            app(prog_name="picasso")
        finally:
            gc.freeze()  # the interpreter would look through all that is left, for half a second, before it lets it go


@contextmanager
def _interrupted_without_words() -> Iterator[None]:
    """Let the system end the process at Ctrl-C until the command takes it: a traceback of imports helps no one."""
    before = signal.getsignal(signal.SIGINT) if threading.current_thread() is threading.main_thread() else None
    if before is not signal.default_int_handler:  # ignored, or an embedder's
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _fill_closed_descriptors() -> None:
    """Open the null device where standard streams are closed: else a file of ours would be one of them.

    That of the output is read-only, so that a video that is to go there fails instead of vanishing.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            mode = os.O_RDONLY if descriptor == _STDOUT else os.O_RDWR
            os.open(os.devnull, mode)  # takes the lowest number that is free


def _let_stdout_take_any_text() -> None:
    """Write file names as the bytes they are, and letters that a terminal's encoding lacks as their numbers."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # None where a program is started without it
        is_utf8 = sys.stdout.encoding.lower().replace("-", "") == "utf8"
        sys.stdout.reconfigure(errors="surrogateescape" if is_utf8 else "backslashreplace")
