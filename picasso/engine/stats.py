"""How a source is doing: what the worker counts, and the snapshot that the user gets."""

from __future__ import annotations

import math
import threading
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, repeat
from typing import Protocol, final

import numpy as np
import numpy.typing as npt

from picasso.engine.stages import DropReason, ErrorStage, Step

__all__ = [
    "BOUNDS_NS",
    "NO_TIMES",
    "DropReason",
    "EngineStats",
    "Histogram",
    "LatencySummary",
    "Meter",
    "SourceStats",
    "Step",
]

SHIFT = 52 - 3
"""Bits of a float64 that do not tell two durations apart: with 3 bits of the fraction, buckets are 12.5 % wide."""
FRESH = 256
"""Durations that wait to be put into their buckets."""
BOUNDS_NS = tuple(
    bound_us * 1_000
    for bound_us in (
        *(500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000),
        *(100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000),
    )
)
"""Durations by which monitoring counts: the same for every source and step, so that their counts can be added."""


@final
class Histogram:
    """Durations in buckets of equal ratio: a few hundred bytes, any range, percentiles to ±6 %.

    The exponent and the first bits of the fraction, side by side in a float64, name the bucket of a duration. Many are
    put into their buckets at once: one by one, six a frame, they would cost as much as passing the frame on. None of
    these calls lets go of the interpreter's lock: to get it back among many sources takes longer than the work.
    """

    __slots__ = ("_counts", "_fresh", "_lock", "_max_ns", "_sorting", "_sum_ns", "_within", "note")

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        self._within = [0] * len(BOUNDS_NS)
        """Durations that are no longer than each bound."""
        self._fresh: list[int] = []
        self.note: Callable[[int], None] = self._fresh.append
        """What ``add`` does, but that durations wait until someone calls ``sort_in``. One thread at a time."""
        self._lock = threading.RLock()  # a signal's handler may ask for statistics while they are made
        self._sorting = False
        self._max_ns = self._sum_ns = 0

    def add(self, duration_ns: int) -> None:
        """Count a duration, a negative one as 0. One thread at a time."""
        self._fresh.append(duration_ns)
        if len(self._fresh) >= FRESH:
            self.sort_in()

    def sort_in(self) -> None:
        """Put what came since the last time into its buckets. Any thread; what comes meanwhile stays for the next."""
        with self._lock:
            if self._sorting or not self._fresh:
                return  # amid this very method, a signal's handler goes without what is being put in
            self._sorting = True
            try:
                fresh = self._fresh[:]
                del self._fresh[: len(fresh)]
                fresh.sort()
                self._counts.update(_buckets(np.maximum(np.array(fresh, np.float64), 0.0)))
                self._within = [
                    old + bisect_right(fresh, bound) for old, bound in zip(self._within, BOUNDS_NS, strict=True)
                ]
                self._max_ns = max(self._max_ns, fresh[-1])
                self._sum_ns += sum(fresh) if fresh[0] >= 0 else sum(map(max, fresh, repeat(0)))
            finally:
                self._sorting = False

    def absorb(self, other: Histogram) -> None:
        """Count what another one has counted so far as well. Any thread."""
        other.sort_in()
        with other._lock:
            counts, within, sum_ns, max_ns = other._counts.copy(), other._within, other._sum_ns, other._max_ns
        with self._lock:
            self._counts.update(counts)
            self._within = [mine + theirs for mine, theirs in zip(self._within, within, strict=True)]
            self._sum_ns += sum_ns
            self._max_ns = max(self._max_ns, max_ns)

    def summary(self, *, has_buckets: bool = True) -> LatencySummary:
        """Sum up what was counted so far; ``buckets`` cost most of it, and may be left out. Any thread."""
        self.sort_in()
        with self._lock:
            counts, sum_ns, within = sorted(self._counts.items()), self._sum_ns, tuple(self._within)
        totals = list(accumulate(count for _, count in counts))
        if not totals:
            return NO_TIMES
        count = totals[-1]
        p50_ns, p90_ns, p99_ns = (
            min(_middle_ns(counts[bisect_left(totals, share * count)][0]), self._max_ns) for share in (0.5, 0.9, 0.99)
        )
        buckets: tuple[tuple[int, int], ...] = ()
        if has_buckets:
            buckets = tuple(zip([_end_ns(bucket) for bucket, _ in counts], totals, strict=True))
        return LatencySummary(count, p50_ns, p90_ns, p99_ns, self._max_ns, sum_ns, buckets, within)


def _buckets(known_ns: npt.NDArray[np.float64]) -> list[int]:
    buckets: list[int] = (known_ns.view(np.int64) >> SHIFT).tolist()
    return buckets


@lru_cache(maxsize=2048)
def _middle_ns(bucket: int) -> int:
    """Return the middle of a bucket's durations."""
    low_ns, end_ns = (np.array([bucket, bucket + 1], np.int64) << SHIFT).view(np.float64)
    return int((low_ns + end_ns) / 2)


@lru_cache(maxsize=2048)
def _end_ns(bucket: int) -> int:
    """Return the first whole duration beyond a bucket."""
    (end_ns,) = (np.array([bucket + 1], np.int64) << SHIFT).view(np.float64)
    return max(math.ceil(float(end_ns)), 1)


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """Durations of one step of one source, nanoseconds; percentiles to ±6 %, all 0 when nothing was counted."""

    count: int
    """Durations that were counted."""
    p50_ns: int
    """Half of them were no longer, nanoseconds."""
    p90_ns: int
    """Nine of ten were no longer, nanoseconds."""
    p99_ns: int
    """99 of 100 were no longer, nanoseconds."""
    max_ns: int
    """The longest, nanoseconds, exactly."""
    sum_ns: int = 0
    """All durations together, exactly; negative ones count as 0."""
    buckets: tuple[tuple[int, int], ...] = ()
    """``(end_ns, count)``, rising: how many durations were less than ``end_ns``. The last ``count`` is that of all;
    buckets in which nothing fell are left out. As Prometheus takes them: ``le`` is ``(end_ns - 1) / 1e9``."""
    within: tuple[int, ...] = (0,) * len(BOUNDS_NS)
    """How many durations were no longer than each of ``BOUNDS_NS``, 0.5 ms to 10 s: the same bounds in every summary,
    exactly."""


NO_TIMES = LatencySummary(0, 0, 0, 0, 0)
"""That of nothing."""


@dataclass(frozen=True, slots=True)
class SourceStats:
    """A source since its first message; eviction does not reset it, ``remove_source_spec`` does.

    ``frames_in == frames_out + sum(dropped.values()) + queue_depth +`` the frames in the worker and its encoder.
    """

    frames_in: int
    """Frames that ``send_frame`` took, those that an overflow policy discarded too."""
    frames_out: int
    """Frames that a callback got: encoded, passed on, or as metadata."""
    dropped: Mapping[DropReason, int]
    """Frames that did not come out; every reason is there."""
    errors: Mapping[ErrorStage, int]
    """Calls of ``on_error``; only stages where there was one."""
    queue_depth: int
    """Frames waiting to be processed now."""
    latency: Mapping[Step, LatencySummary]
    """Durations; every step is there."""
    last_out_ns: int | None = None
    """When the last frame had come out and its callback returned, of the engine's clock, ``time.monotonic_ns()`` unless
    another was given; None before the first."""
    step: Step | None = None
    """What the source's thread is doing: ``TRANSFORM``, ``DRAW``, ``ENCODE``, which covers opening and emptying the
    encoder, or ``CALLBACK``, which covers the callbacks without a frame; None between the steps, while it waits for
    instance."""
    step_since_ns: int | None = None
    """Since when, of the engine's clock; None where ``step`` is. A step that lasts is one that hangs."""
    is_live: bool = True
    """Whether it has a thread; one that was evicted has none until its next frame."""
    encoded_bytes: int = 0
    """Bytes that its encoders made."""


@dataclass(frozen=True, slots=True)
class EngineStats:
    """What ``PicassoEngine.stats()`` returns: a snapshot that no longer changes."""

    sources: Mapping[str, SourceStats]
    """Live sources, and those that ended by themselves, by source id."""

    def _repr_html_(self) -> str:
        from picasso.primitives.html import table

        steps = list(Step)
        rows = [
            (
                *(name, one.frames_in, one.frames_out, sum(one.dropped.values()), sum(one.errors.values())),
                one.queue_depth,
                *(one.latency[step].p50_ns / 1e6 for step in steps),
            )
            for name, one in self.sources.items()
        ]
        headings = ("source", "in", "out", "dropped", "errors", "queue", *(f"{step} p50 ms" for step in steps))
        return table(headings, rows)


class Running(Protocol):
    """A step while it runs."""

    @property
    def step(self) -> Step:
        """What it is called."""

    @property
    def started_ns(self) -> int:
        """Since when it runs, of the engine's clock."""


@final
class Meter:
    """The counters of one source, handed from worker to worker.

    The inbox writes ``frames_in`` and ``dropped[OVERFLOW]`` under its lock; everything else is the worker's.
    """

    __slots__ = (
        "current",
        "dropped",
        "encoded_bytes",
        "errors",
        "frames_in",
        "frames_out",
        "last_out_ns",
        "said_unmatched",
        "steps",
    )

    def __init__(self) -> None:
        self.frames_in: int = 0
        self.frames_out: int = 0
        self.dropped: dict[DropReason, int] = dict.fromkeys(DropReason, 0)
        self.encoded_bytes: int = 0
        self.last_out_ns: int | None = None
        self.current: Running | None = None
        """The step that runs."""
        self.errors: dict[ErrorStage, int] = {}
        self.said_unmatched: set[tuple[str, str]] = set()
        self.steps: dict[Step, Histogram] = {step: Histogram() for step in Step}

    def sort_in(self) -> None:
        """Put the durations of steps that were noted into their buckets."""
        for histogram in self.steps.values():
            histogram.sort_in()

    def snapshot(self, queue_depth: int, *, is_live: bool = True) -> SourceStats:
        """Copy the counters. Any thread."""
        current = self.current
        step, since_ns = (None, None) if current is None else (current.step, current.started_ns)
        return SourceStats(
            frames_in=self.frames_in,
            frames_out=self.frames_out,
            dropped=self.dropped.copy(),
            errors=self.errors.copy(),
            queue_depth=queue_depth,
            latency={step: histogram.summary() for step, histogram in self.steps.items()},
            last_out_ns=self.last_out_ns,
            step=step,
            step_since_ns=since_ns,
            is_live=is_live,
            encoded_bytes=self.encoded_bytes,
        )
