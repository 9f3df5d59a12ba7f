"""Records of what a module has done, one after a given number of frames or seconds; each writes a line of the log."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, final

from picasso.engine.threads import EngineThread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from picasso.observe.account import StageStatistics

NS_PER_S: Final = 1_000_000_000
MS_PER_S: Final = 1_000
LEAST_WAIT_S: Final = 0.001
"""Seconds between two looks at the clock, at least."""
INITIAL: Final = "initial"
FRAME: Final = "frame"
TIMESTAMP: Final = "timestamp"
_TRIGGERS: Final = {FRAME: "Frame-based", TIMESTAMP: "Time-based"}
logger: logging.Logger = logging.getLogger("savant_core.pipeline.stats")
"""Tools look for lines of this name."""


@dataclass(frozen=True, slots=True)
class StageRecord:
    """What a stage has done until a record."""

    stage_name: str
    """Which stage."""
    queue_length: int
    """What waits before it."""
    frame_counter: int
    """Frames that have come to it."""
    object_counter: int
    """Objects of the frames behind it."""
    batch_counter: int
    """Batches, for stages that work on batches."""


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
    """Each stage, in the order of a frame's way."""


@final
class Recorder:
    """Takes a record after a given number of frames that leave, and after a given time. Any thread.

    Counting starts with the first frame that leaves. ``finish`` takes the last record of each kind, so that the newest
    one counts every frame.
    """

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
        self._newest: dict[str, Record] = {}
        """The newest record of each kind, however short the history is."""
        self._lock = threading.Lock()
        self._taking = threading.Lock()
        self._frames = self._objects = self._made = 0
        self._wanted: deque[tuple[str, int, int]] = deque()
        """Records that are to be taken: their kinds, and the frames and objects that each counts."""
        self._due_ns = 0
        self._is_over = threading.Event()
        self._thread: EngineThread | None = None

    def frame_left(self, objects: int) -> None:
        """Take notice of a frame with a number of ``objects`` that has left."""
        with self._lock:
            self._frames += 1
            self._objects += objects
            is_first = self._frames == 1
            kinds = [INITIAL] if is_first else []
            if self._frame_period is not None and self._frames % self._frame_period == 0:
                kinds.append(FRAME)
            if self._is_due():
                kinds.append(TIMESTAMP)
            self._wanted += [(kind, self._frames, self._objects) for kind in kinds]
        if kinds:
            self._take()
        if is_first and self._time_period_ns is not None:
            self._thread = EngineThread(target=self._run, name="records", daemon=True)
            self._thread.start()

    def finish(self) -> None:
        """Take the last records: no frame leaves any more. May be called again."""
        self._is_over.set()
        if self._thread is not None:
            self._thread.join()
        if not self._frames:
            return
        self._take()
        with self._lock:
            newest = self._newest.get(FRAME)
            if self._frame_period is not None and (newest is None or newest.frame_no != self._frames):
                self._wanted.append((FRAME, self._frames, self._objects))
            if self._time_period_ns is not None and self._thread is not None:
                self._thread = None
                self._wanted.append((TIMESTAMP, self._frames, self._objects))
        self._take()

    def latest(self, count: int) -> list[Record]:
        """Return up to ``count`` records, newest first."""
        with self._lock:
            return list(reversed(self._records))[: max(count, 0)]

    def of_each_kind(self) -> list[Record]:
        """Return the newest ``frame`` and the newest ``timestamp`` record, as far as there are any."""
        with self._lock:
            return [self._newest[kind] for kind in (FRAME, TIMESTAMP) if kind in self._newest]

    def newest(self, kind: str, default: int) -> int:
        """Return the frames that the newest record of a ``kind`` counts, or a ``default``."""
        with self._lock:
            return self._newest[kind].frame_no if kind in self._newest else default

    def _is_due(self) -> bool:
        """Tell whether the next record by time is due; the caller has the lock."""
        if self._time_period_ns is None:
            return False
        now_ns = time.monotonic_ns()
        was_due = bool(self._due_ns) and now_ns >= self._due_ns
        if was_due or not self._due_ns:
            self._due_ns = now_ns + self._time_period_ns
        return was_due

    def _run(self) -> None:
        while not self._is_over.wait(max((self._due_ns - time.monotonic_ns()) / NS_PER_S, LEAST_WAIT_S)):
            with self._lock:
                if self._is_due():
                    self._wanted.append((TIMESTAMP, self._frames, self._objects))
            self._take()

    def _take(self) -> None:
        """Take the records that any thread has found to be due, in their order."""
        with self._taking:
            while self._wanted:
                kind, frames, objects = self._wanted.popleft()
                stages = tuple(
                    StageRecord(one.name, one.queue_length, one.frames, one.objects, one.batches)
                    for one in self._stages()
                )
                with self._lock:
                    now_ms = round(time.time() * MS_PER_S)
                    record = Record(self._made, kind, now_ms, frames, objects, stages)
                    before = self._newest.get(kind) or self._newest.get(INITIAL)
                    self._records.append(record)
                    self._newest[kind] = record
                    self._made += 1
                if before is not None and kind in _TRIGGERS:
                    logger.info("%s", line_of(record, before))


def line_of(record: Record, before: Record) -> str:
    """Return the line of the log that compares a ``record`` with the one ``before``: numbers behind fixed labels."""
    frames, objects = record.frame_no - before.frame_no, record.object_counter - before.object_counter
    time_ms = max(record.ts - before.ts, 0)  # the wall clock may be set back
    seconds = time_ms / MS_PER_S
    per_s = [count / seconds if time_ms else 0.0 for count in (frames, objects)]
    return (
        f"{_TRIGGERS[record.record_type]} FPS counter triggered: FPS = {per_s[0]:.2f}, OPS = {per_s[1]:.2f}, "
        f"frame_delta = {frames}, time_delta = {seconds:.3f}".rstrip("0").rstrip(".")
        + f" sec, period=[{before.ts}, {record.ts}] ms"
    )
