"""Where the commands write: results on stdout, progress and errors on stderr."""

from __future__ import annotations

import sys

from rich.console import Console

_PIPE_WIDTH = 160
"""Columns of a table that no terminal shows: enough to leave its lines whole."""


def results() -> Console:
    """A console on stdout, as wide as the terminal; in a pipe without colours and wide enough for a row a line."""
    return _console(stderr=False)


def progress() -> Console:
    """The same on stderr, so that progress never mixes with what a command is asked for."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    return Console(
        stderr=stderr, highlight=False, width=None if stream is not None and stream.isatty() else _PIPE_WIDTH
    )
