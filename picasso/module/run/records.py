"""Records of what a module has done, one after a given number of frames or seconds; the latest are kept."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from picasso.module.run.statistics import StageStatistics

NS_PER_S: Final = 1_000_000_000
MS_PER_S: Final = 1_000


@dataclass(frozen=True, slots=True)
class StageRecord:
    """What a stage has done until a record."""

    stage_name: str
    queue_length: int
    """What waits before it."""
    frame_counter: int
    object_counter: int
    batch_counter: int


@dataclass(frozen=True, slots=True)
class Record:
    """What a module has done until now."""

    id: int
    """From 0, one more with each record."""
    record_type: str
    """``initial`` for the first frame that leaves, then ``frame`` and ``timestamp``."""
    ts: int
    """When, milliseconds since 1970."""
    frame_no: int
    """Frames that have left."""
    object_counter: int
    """Their objects."""
    stage_stats: tuple[StageRecord, ...]


@final
class Recorder:
    """Takes a record after a given number of frames that leave, or of seconds in which frames leave. Any thread."""

    def __init__(self, metrics: Mapping[str, Any], stages: Callable[[], Sequence[StageStatistics]]) -> None:
        """Begin with no record.

        Args:
            metrics: ``telemetry.metrics``: ``frame_period`` in frames and ``time_period`` in seconds, each None for no
                such records, and ``history``, how many records are kept.
            stages: What every stage has done.
        """
        self._frame_period: int | None = metrics.get("frame_period")
        seconds = metrics.get("time_period")
        self._time_period_ns = None if seconds is None else round(seconds * NS_PER_S)
        self._stages = stages
        self._records: deque[Record] = deque(maxlen=metrics.get("history", 100))
        self._lock = threading.Lock()
        self._frames = self._objects = self._made = 0
        self._due_ns = 0

    def frame_left(self, objects: int) -> None:
        """Take notice of a frame with a number of ``objects`` that has left."""
        with self._lock:
            self._frames += 1
            self._objects += objects
            kinds = self._kinds()
        for kind in kinds:
            self._take(kind)

    def latest(self, count: int) -> list[Record]:
        """Return up to ``count`` records, newest first."""
        with self._lock:
            return list(reversed(self._records))[: max(count, 0)]

    def _kinds(self) -> list[str]:
        kinds = ["initial"] if self._frames == 1 else []
        if self._frame_period is not None and self._frames % self._frame_period == 0:
            kinds.append("frame")
        if self._time_period_ns is not None:
            now_ns = time.monotonic_ns()
            if not self._due_ns:
                self._due_ns = now_ns + self._time_period_ns
            elif now_ns >= self._due_ns:
                self._due_ns = now_ns + self._time_period_ns
                kinds.append("timestamp")
        return kinds

    def _take(self, kind: str) -> None:
        stages = tuple(
            StageRecord(one.name, one.queue_length, one.frames, one.objects, one.batches) for one in self._stages()
        )
        with self._lock:
            now_ms = round(time.time() * MS_PER_S)
            self._records.append(Record(self._made, kind, now_ms, self._frames, self._objects, stages))
            self._made += 1
