"""Warnings and errors that repeat themselves: the first of a kind are written, the others counted."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, final

from picasso.module.log_lines import REPEATS

WINDOW_S: Final = 10.0
"""Seconds over which lines of a kind are counted."""
MAX_KINDS: Final = 1024
"""Kinds that are counted at once; that of which nothing came for longest goes first."""
Kind = tuple[str, int, object, object]


@dataclass(slots=True)
class _Window:
    """What came of one kind."""

    began_s: float
    count: int = 0
    kept: int = 0
    """How many of them were not written."""
    last: logging.LogRecord | None = None
    """The newest of those."""


@final
class Repeats:
    """Lets ``limit`` records of a kind through in ten seconds, from warnings upwards; what is more is counted.

    Records are of a kind where logger, level, source and text are the same, with the values that the text takes left
    out. When the ten seconds are over, the newest record that was not written is, with the count. One thread at a time.
    """

    def __init__(self, limit: int, now_s: Callable[[], float] = time.monotonic) -> None:
        """Count nothing yet.

        Args:
            limit: Records of a kind that are written in ten seconds; 0 for no limit.
            now_s: The time in seconds.
        """
        self._limit = limit
        self._now_s = now_s
        self._windows: OrderedDict[Kind, _Window] = OrderedDict()

    def pass_on(self, record: logging.LogRecord) -> Iterator[logging.LogRecord]:
        """Take a record; yield what is to be written now: counts of windows that are over, and perhaps the record."""
        if not self._limit:
            yield record
            return
        now_s = self._now_s()
        yield from self._over(now_s)
        if record.levelno < logging.WARNING:
            yield record
            return
        kind = (record.name, record.levelno, str(record.msg), getattr(record, "source_id", None))
        window = self._windows.get(kind)
        if window is None:
            window = self._windows[kind] = _Window(now_s)
        window.count += 1
        if window.count <= self._limit:
            yield record
        else:
            window.kept += 1
            window.last = record
        if len(self._windows) > MAX_KINDS:
            yield from _summary(self._windows.popitem(last=False)[1], now_s)

    def flush(self) -> Iterator[logging.LogRecord]:
        """Yield the counts of everything that was not written."""
        now_s = self._now_s()
        while self._windows:
            yield from _summary(self._windows.popitem(last=False)[1], now_s)

    def _over(self, now_s: float) -> Iterator[logging.LogRecord]:
        """Yield the counts of windows that are over; they are in the order in which they began."""
        while self._windows and now_s - next(iter(self._windows.values())).began_s >= WINDOW_S:
            yield from _summary(self._windows.popitem(last=False)[1], now_s)


def _summary(window: _Window, now_s: float) -> Iterator[logging.LogRecord]:
    if window.last is not None:
        said = logging.makeLogRecord(vars(window.last))
        setattr(said, REPEATS, (window.kept, min(now_s - window.began_s, WINDOW_S)))
        yield said
