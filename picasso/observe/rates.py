"""How much comes a second, over the last few seconds."""

from __future__ import annotations

from typing import Final, final

NS_PER_S: Final = 1_000_000_000
WINDOW_S: Final = 10
"""Seconds over which a rate is taken."""
_SLOTS: Final = WINDOW_S + 1


@final
class Rate:
    """Counts by the second, and forgets what is older than ``WINDOW_S`` seconds. One thread at a time."""

    __slots__ = ("_began_ns", "_counts", "_seconds", "_sizes")

    def __init__(self) -> None:
        self._counts = [0] * _SLOTS
        self._sizes = [0] * _SLOTS
        self._seconds = [-1] * _SLOTS
        """To which second of the clock each slot belongs."""
        self._began_ns: int | None = None

    def add(self, now_ns: int, size: int = 0) -> None:
        """Count one entry of a ``size`` at ``now_ns``."""
        second = now_ns // NS_PER_S
        slot = second % _SLOTS
        if self._seconds[slot] != second:
            self._seconds[slot], self._counts[slot], self._sizes[slot] = second, 0, 0
        self._counts[slot] += 1
        self._sizes[slot] += size
        if self._began_ns is None:
            self._began_ns = now_ns

    def per_s(self, now_ns: int) -> tuple[float, float]:
        """Return entries and sizes a second, up to ``now_ns``; 0 before the first."""
        if self._began_ns is None:
            return 0.0, 0.0
        oldest = now_ns // NS_PER_S - WINDOW_S
        fresh = [slot for slot in range(_SLOTS) if self._seconds[slot] >= oldest]
        begin_ns = max(self._began_ns, oldest * NS_PER_S)
        span_s = (now_ns - begin_ns) / NS_PER_S
        if span_s <= 0:
            return 0.0, 0.0
        counts, sizes = (sum(kept[slot] for slot in fresh) for kept in (self._counts, self._sizes))
        return counts / span_s, sizes / span_s
