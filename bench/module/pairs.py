"""Two ways to the same end, turn about in one process; what counts is the processor time of each."""

from __future__ import annotations

import gc
import resource
import statistics
from collections.abc import Callable
from dataclasses import dataclass


def cpu_s() -> float:
    """Return the processor time of this process and of its children that have ended, in seconds."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


@dataclass(frozen=True)
class Ratio:
    """What came of pairs."""

    name: str
    target: float
    ratios: tuple[float, ...]
    """First over second, a pair each."""
    first_ms: float
    """Median of the first, milliseconds of processor time a frame."""
    second_ms: float

    @property
    def median(self) -> float:
        return statistics.median(self.ratios)

    def __str__(self) -> str:
        low, high = sorted(self.ratios)[len(self.ratios) // 4], sorted(self.ratios)[-1 - len(self.ratios) // 4]
        verdict = "within" if self.median <= self.target else "ABOVE"
        return (
            f"{self.name:44} {self.median:5.3f}  ({low:.3f} to {high:.3f}, {len(self.ratios)} pairs)  {verdict} "
            f"{self.target:.2f}   {self.first_ms:.3f} / {self.second_ms:.3f} ms a frame"
        )


Way = Callable[[], int]
"""Does work, and returns how many frames that were."""


def compare(name: str, first: Way, second: Way, *, target: float, pairs: int, starts: tuple[Way, Way]) -> Ratio:
    """Run both once for nothing, and then a number of pairs, the order changing from pair to pair.

    Args:
        name: What is compared.
        first: Does the work.
        second: The same by other means.
        target: The most that the median of first over second may be.
        pairs: How many pairs.
        starts: The same with next to no frames: what it takes to start, which is taken off.
    """
    ways = (first, second)
    for way in ways:
        way()
    begun = [sorted(_cost(start) for _ in range(7))[3] for start in starts]
    costs: tuple[list[float], list[float]] = ([], [])
    for number in range(pairs):
        for which in (0, 1) if number % 2 else (1, 0):
            spent_s, frames = _cost(ways[which])
            costs[which].append((spent_s - begun[which][0]) / (frames - begun[which][1]))
    ratios = tuple(one / other for one, other in zip(*costs, strict=True))
    return Ratio(name, target, ratios, *(1e3 * statistics.median(cost) for cost in costs))


def _cost(way: Way) -> tuple[float, int]:
    gc.collect()
    before = cpu_s()
    frames = way()
    return cpu_s() - before, frames
