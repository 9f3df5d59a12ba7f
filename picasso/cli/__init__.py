"""The ``picasso`` command: ``demo``, ``encode``, ``probe``, ``send``, ``receive``, ``doctor`` and ``warm-up``."""

from __future__ import annotations

import gc
import io
import os
import sys

__all__ = ["main"]

_STDOUT = 1


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 bad arguments, 130 interrupted, 143 stopped by SIGTERM."""
    _fill_closed_descriptors()
    _let_stdout_take_any_text()
    from picasso.cli.app import app

    try:
        app(prog_name="picasso")
    finally:
        gc.freeze()  # the interpreter would look through all that is left, for half a second, before it lets it go


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
