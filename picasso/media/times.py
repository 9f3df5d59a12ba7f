"""Ticks of a stream's time base and nanoseconds, in exact integers; what had to be done to times."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

NS: Final = 1_000_000_000
"""Nanoseconds in a second."""


class Ticks:
    """Times of one time base. Its fraction is taken apart once, as every frame has several times to convert."""

    __slots__ = ("_ns", "_ticks", "_twice", "time_base")

    def __init__(self, time_base: Fraction) -> None:
        self.time_base: Fraction = time_base
        self._ns, self._ticks = time_base.numerator * NS, time_base.denominator  # as many of each are as long
        self._twice = 2 * self._ns, 2 * self._ticks

    def to_ns(self, ticks: int) -> int:
        """Return the nanosecond nearest to ``ticks``; halves go up."""
        twice_ns, twice_ticks = self._twice
        return (ticks * twice_ns + self._ticks) // twice_ticks

    def from_ns(self, time_ns: int) -> int:
        """Return the tick nearest to a time; the inverse of ``to_ns`` for ticks longer than a nanosecond."""
        return (2 * time_ns * self._ticks + self._ns) // (2 * self._ns)


def to_ns(ticks: int, time_base: Fraction) -> int:
    """Return the nanosecond nearest to ``ticks * time_base`` seconds; halves go up."""
    return Ticks(time_base).to_ns(ticks)


@dataclass(frozen=True, slots=True)
class TimesReport:
    """What had to be done to the times of a stream so that they rise; all 0 for a good one."""

    restarts: int = 0
    """How often they started again, loops not counted."""
    made: int = 0
    """Frames that got a time because their own was missing or did not rise."""
    moved: int = 0
    """Frames that got the time of another packet, as the container gives times in the order of decoding."""

    def log_to(self, log: logging.Logger, place: str) -> None:
        """Say in a line what had to be done, if anything: as a warning, or as information where times were only moved.

        Args:
            log: Where to say it.
            place: What the line begins with: the name of the file.
        """
        if self.restarts:
            log.warning("%s: the times start again at %s", place, counted(self.restarts, "frame"))
        if self.made:
            log.warning("%s: %s without a time that fits got one", place, counted(self.made, "frame"))
        if self.moved:
            log.info("%s: the times of %s were in the order of decoding", place, counted(self.moved, "frame"))


def counted(count: int, what: str) -> str:
    """Return ``1 frame`` or ``2 frames``."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
