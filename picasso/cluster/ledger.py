"""What the head knows of each source: where it is, what every run of it has counted, and what was lost between them."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from picasso.cluster.messages import Gap, Position, Pulse, Resumption, SourcePulse
from picasso.cluster.placement import weight_of
from picasso.engine.stats import NO_TIMES, LatencySummary
from picasso.observe.account import (
    ModuleStatistics,
    SinkStatistics,
    SourceAccount,
    SourceStatistics,
    StageStatistics,
)
from picasso.observe.levels import Limit, PoolUse, QueueUse

LOST: Final = "lost"
"""Why frames were dropped that had come in when an actor was lost, and are in no output."""
OVER: Final = ("ended", "failed")
LONGEST_PAUSE_S: Final = 30.0
"""Seconds at most until a source that was refused is given to an actor again."""
SETTLED: Final = 2
"""Pulses that say that a source is over, until it needs no other actor: its files are finished then."""


@dataclass(slots=True)
class Seat:
    """One source, through all its runs."""

    source_id: str
    entry: Mapping[str, Any]
    declared: float | None = None
    """Its weight before anything was measured; None where nothing is known."""
    epoch: int = 0
    home: str | None = None
    """The actor that runs it; None while it waits for one."""
    incarnation: str = ""
    """The process of the actor."""
    is_leaving: bool = False
    """Whether it is being removed: it gets no other actor."""
    is_placing: bool = False
    """Whether the actor was told and has not answered yet."""
    free_s: float = 0.0
    """When another actor may run it, by the head's clock."""
    position: Position | None = None
    existing: tuple[str, ...] | None = None
    past: SourceAccount = field(default=SourceAccount())
    """What the runs before the present one have counted."""
    now: SourceStatistics | None = None
    """The present run."""
    record: Mapping[str, Any] = field(default_factory=dict)
    measured: float | None = None
    over: int = 0
    """Pulses in a row that said that it is over."""
    failure: str = ""
    """Why it cannot be run at all."""
    refusal: str = ""
    """Why the latest actor did not take it; it is given to one again."""
    refusals: int = 0
    heard_s: float = 0.0
    """When its present or latest run was heard of."""
    lost: tuple[str, float] | None = None
    """The actor that it was lost with, and when that was heard of last; None once it runs again."""
    basis: str = "start"
    lost_frames: int = 0
    """Of the loss that it has not come back from yet."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return bool(self.failure) or self.over >= SETTLED

    @property
    def weight(self) -> float | None:
        """What it costs, measured or declared; None where nothing is known."""
        return self.measured or self.declared

    @property
    def account(self) -> SourceAccount:
        """All its runs together."""
        return self.past if self.now is None else self.past + self.now.account

    def begin(self, actor: str, incarnation: str) -> None:
        """Note that an actor is told to run it."""
        self.epoch += 1
        self.home, self.incarnation, self.is_placing, self.over = actor, incarnation, True, 0

    def hear(self, pulse: SourcePulse, found: SourceStatistics | None, now_s: float) -> Gap | None:
        """Take what its actor says; return the gap that this ends."""
        if pulse.epoch != self.epoch:
            return None
        self.heard_s = now_s
        self.record = pulse.record
        self.position = pulse.position or self.position
        if found is None:
            return None
        self.now = found
        self.over = self.over + 1 if found.state in OVER and not found.account.under_way else 0
        if pulse.size_wh is not None and found.frames_per_s > 0 and found.state not in OVER:
            self.measured = weight_of(found.frames_per_s, pulse.size_wh)
        if self.lost is None or not (found.account.came or self.over):
            return None
        (old, since_s), self.lost = self.lost, None
        gap = Gap(self.source_id, self.epoch, old, self.home or "", now_s - since_s, self.basis, self.lost_frames)
        self.lost_frames = 0
        return gap

    def lose(self, free_s: float) -> None:
        """Note that its actor is gone; what was under way there is lost until files say otherwise."""
        self.lost = (self.home or "", self.heard_s) if self.lost is None else self.lost
        self.close(SourceAccount() if self.now is None else without_end(self.now.account))
        self.lost_frames = self.past.dropped.get(LOST, 0)
        self.free_s = free_s

    def leave(self, account: SourceAccount | None, position: Position | None) -> None:
        """Note that its actor has ended it in order."""
        last = SourceAccount() if self.now is None else self.now.account
        self.position = position or self.position
        self.close(account or last)

    def close(self, account: SourceAccount) -> None:
        """Put the account of a run to those before; no actor has the source now."""
        self.past = self.past + account
        self.now, self.home, self.is_placing, self.over = None, None, False, 0

    def refuse(self, why: str, now_s: float) -> None:
        """Note that its actor did not take it: another one may after a pause, which is twice as long each time."""
        pause_s = LONGEST_PAUSE_S if self.refusals > 5 else min(2.0**self.refusals, LONGEST_PAUSE_S)
        self.refusal, self.free_s = why, now_s + pause_s
        self.refusals += 1
        self.close(SourceAccount())

    def resume(self, found: Resumption) -> None:
        """Take what an actor says of where it goes on, and what files say of the runs before."""
        self.is_placing = False
        self.refusal, self.refusals = "", 0
        self.basis = found.basis
        self.existing = found.existing
        if found.basis != "files" or found.safe_frames is None or found.epoch != self.epoch:
            return
        self.position = found.after
        dropped = {reason: count for reason, count in self.past.dropped.items() if reason != LOST}
        self.past = SourceAccount(found.safe_frames + sum(dropped.values()), found.safe_frames, dropped)
        self.lost_frames = 0


def without_end(account: SourceAccount) -> SourceAccount:
    """Return an account whose frames under way are lost."""
    dropped = Counter(account.dropped)
    if account.under_way:
        dropped[LOST] += account.under_way
    return SourceAccount(account.came, account.left, dict(dropped))


def together(
    name: str, state: str, uptime_s: float, seats: Iterable[Seat], pulses: Sequence[Pulse]
) -> ModuleStatistics:
    """Return the statistics of a module on many actors, as if it were one."""
    own = {seat.source_id: _statistics_of(seat) for seat in seats}
    others = {  # of sockets and auxiliary streams: no seat is theirs
        source_id: found
        for pulse in pulses
        for source_id, found in pulse.statistics.sources.items()
        if source_id not in own and source_id in pulse.sources and not pulse.sources[source_id].epoch
    }
    found = [pulse.statistics for pulse in pulses]
    return ModuleStatistics(
        name=name,
        state=state,
        uptime_s=uptime_s,
        sources={**own, **others},
        gone=SourceAccount(),
        sinks=_sinks(found),
        stages=_stages(found),
        batches=PoolUse(sum(one.batches.used for one in found), None),
        queues=[],
        etcd=None,
        latency=merged([one.latency for one in found]),
        frames_per_s=sum(one.frames_per_s for one in found),
        encoded_bytes=sum(one.encoded_bytes for one in found),
        refused=dict(sum((Counter(one.refused) for one in found), Counter())),
        auxiliary=sum((one.auxiliary for one in found), SourceAccount()),
    )


def _statistics_of(seat: Seat) -> SourceStatistics:
    if seat.now is not None:
        return replace(seat.now, account=seat.account, is_there=True)
    state = "failed" if seat.failure else "waiting"
    return SourceStatistics(seat.account, state=state, is_there=True, last_error=seat.failure or seat.refusal)


def _sinks(found: Sequence[ModuleStatistics]) -> list[SinkStatistics]:
    rows: dict[tuple[int, str], SinkStatistics] = {}
    for one in found:
        for number, sink in enumerate(one.sinks):
            before = rows.get((number, sink.name))
            rows[number, sink.name] = (
                sink
                if before is None
                else SinkStatistics(
                    sink.name,
                    before.came + sink.came,
                    before.written + sink.written,
                    dict(Counter(before.dropped) + Counter(sink.dropped)),
                    before.waiting + sink.waiting,
                    QueueUse(before.queue.length + sink.queue.length, 0, Limit()),
                    before.failure or sink.failure,
                )
            )
    return list(rows.values())


def _stages(found: Sequence[ModuleStatistics]) -> list[StageStatistics]:
    rows: dict[str, list[StageStatistics]] = {}
    for one in found:
        for stage in one.stages:
            rows.setdefault(stage.name, []).append(stage)
    return [
        StageStatistics(
            name,
            sum(stage.frames for stage in stages),
            sum(stage.queue_length for stage in stages),
            sum(stage.batches for stage in stages),
            sum(stage.objects for stage in stages),
            merged([stage.times for stage in stages]),
            dict(sum((Counter(stage.batch_sizes) for stage in stages), Counter())),
        )
        for name, stages in rows.items()
    ]


def merged(found: Sequence[LatencySummary]) -> LatencySummary:
    """Return durations of several places together: sums and counts are exact, quantiles as fine as the buckets."""
    found = [one for one in found if one.count]
    if len(found) < 2:
        return found[0] if found else NO_TIMES
    counts: Counter[int] = Counter()
    for one in found:
        before = 0
        for end_ns, total in one.buckets:
            counts[end_ns] += total - before
            before = total
    ends, totals, count = [], [], 0
    for end_ns in sorted(counts):
        count += counts[end_ns]
        ends.append(end_ns)
        totals.append(count)
    most_ns = max(one.max_ns for one in found)

    def quantile_ns(share: float) -> int:
        return min(ends[bisect_left(totals, share * count)], most_ns) if totals else most_ns

    within = tuple(map(sum, zip(*(one.within for one in found), strict=True)))
    p50_ns, p90_ns, p99_ns = (quantile_ns(share) for share in (0.5, 0.9, 0.99))
    return LatencySummary(
        sum(one.count for one in found),
        p50_ns,
        p90_ns,
        p99_ns,
        most_ns,
        sum(one.sum_ns for one in found),
        tuple(zip(ends, totals, strict=True)),
        within,
    )
