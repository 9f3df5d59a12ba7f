"""Ticks of a stream's time base and nanoseconds, in exact integers."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

NS: Final = 1_000_000_000
"""Nanoseconds in a second."""


class Ticks:
    """Times of one time base. Its fraction is taken apart once, as every frame has several times to convert."""

    __slots__ = ("_ns", "_ticks", "time_base")

    def __init__(self, time_base: Fraction) -> None:
        self.time_base = time_base
        self._ns, self._ticks = time_base.numerator * NS, time_base.denominator  # as many of each are as long

    def to_ns(self, ticks: int) -> int:
        """Return the nanosecond nearest to so many ticks; halves go up."""
        return (2 * ticks * self._ns + self._ticks) // (2 * self._ticks)

    def from_ns(self, time_ns: int) -> int:
        """Return the tick nearest to a time; the inverse of ``to_ns`` for ticks longer than a nanosecond."""
        return (2 * time_ns * self._ticks + self._ns) // (2 * self._ns)


def to_ns(ticks: int, time_base: Fraction) -> int:
    """Return the nanosecond nearest to ``ticks * time_base`` seconds; halves go up."""
    return Ticks(time_base).to_ns(ticks)
