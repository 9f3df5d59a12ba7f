"""What FFmpeg logs about errors, for threads that want to read it: its level is one for the whole process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import av.logging

_lock: Final = threading.Lock()
_readers = 0
_before: tuple[int | None, bool] = (None, True)
"""Level, and whether lines that repeat are left out, as they were before the first reader came."""


@contextmanager
def logged_errors() -> Iterator[list[Any]]:
    """Collect what FFmpeg logs about errors in this thread while the context lasts.

    Several threads may be at it: the first one sets the level, the last one puts back the one before.
    """
    _join()
    try:
        with av.logging.Capture() as log:
            yield log
    finally:
        _leave()


def _join() -> None:
    global _readers, _before  # noqa: PLW0603 - so is the level
    with _lock:
        if not _readers:
            _before = av.logging.get_level(), av.logging.get_skip_repeated()
            av.logging.set_skip_repeated(False)  # else the last line of another file comes with the first of this one
            av.logging.set_level(av.logging.ERROR)
        _readers += 1


def _leave() -> None:
    global _readers  # noqa: PLW0603
    with _lock:
        _readers -= 1
        if not _readers:
            av.logging.set_level(_before[0])
            av.logging.set_skip_repeated(_before[1])
