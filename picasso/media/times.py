"""Ticks of a stream's time base and nanoseconds, in exact integers."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

NS: Final = 1_000_000_000
"""Nanoseconds in a second."""


def to_ns(ticks: int, time_base: Fraction) -> int:
    """Return the nanosecond nearest to ``ticks * time_base`` seconds; halves go up."""
    return _divide(ticks * time_base.numerator * NS, time_base.denominator)


def from_ns(time_ns: int, time_base: Fraction) -> int:
    """Return the tick nearest to a time; the inverse of ``to_ns`` for ticks longer than a nanosecond."""
    return _divide(time_ns * time_base.denominator, time_base.numerator * NS)


def _divide(dividend: int, divisor: int) -> int:
    return (2 * dividend + divisor) // (2 * divisor)
