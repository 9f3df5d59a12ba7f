"""The one place where frames are counted: what came in of each source, what became of it, and how long that took."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, final

from picasso.engine.stats import NO_TIMES, Histogram, LatencySummary
from picasso.flow.state import bounded_reason
from picasso.module.run.baggage import baggage_of, give
from picasso.observe.account import SourceAccount
from picasso.observe.rates import Rate

if TYPE_CHECKING:
    from picasso.primitives import VideoFrame
    from picasso.trace import FrameTrace, Tracer

__all__ = ["Accounts", "Fate", "Measures", "SourceAccount", "Ticket"]

TRIES: Final = 5
"""How often durations are added up again because a source has gone meanwhile."""
KEPT: Final = 64
"""Sources that are gone and still have an account of their own; those before are counted together."""


class Fate(StrEnum):
    """Why a frame that came in did not come out. Others may use words of their own beside these."""

    ELEMENT = "element"
    """An element called ``frame.drop()``."""
    POLICY = "policy"
    """An element raised, and its ``on_error`` is ``drop_frame``."""
    FAILED = "failed"
    """It could not be converted or encoded."""
    STOPPED = "stopped"
    """It was on its way when the module stopped, and could not leave in time."""
    REJECTED = "rejected"
    """A rule of the ingress refused it."""
    FILTER = "filter"
    """A frame filter kept it back."""
    OVERFLOW = "overflow"
    """A queue was full, and its policy drops."""


@dataclass(slots=True)
class Ticket:
    """A frame that is in the module."""

    frame: VideoFrame
    source_id: str
    """That of the frame when it came in."""
    source: Any
    """What the one who let it in keeps with it."""
    begun_ns: int
    """When its bytes were received, of the module's clock; where that is not known, when it came in."""
    is_sent: bool = False
    """Whether it went to the engine."""
    has_pixels: bool = False
    """Whether it went there with pixels."""
    trace: FrameTrace | None = None
    """Its trace, where it has one."""
    trail: list[tuple[str, int]] = field(default_factory=list)
    """The stages that it has passed, and when it left each. It comes to a stage when it leaves the one before."""


@dataclass(frozen=True, slots=True)
class Measures:
    """How long frames took, and how many leave."""

    latency: LatencySummary = NO_TIMES
    """From receipt until every sink has taken the frame."""
    stages: Mapping[str, LatencySummary] = field(default_factory=dict)
    frames_per_s: float = 0.0
    encoded_bytes: int = 0
    bitrate_bps: float = 0.0


@final
class _Open:
    """The account of a source while it may change."""

    __slots__ = (
        "came", "dropped", "encoded_bytes", "is_closed", "latency", "left", "rate", "stages", "under_way",
    )  # fmt: skip

    def __init__(self) -> None:
        self.came = 0
        self.left = 0
        self.dropped: Counter[str] = Counter()
        self.under_way = 0
        self.is_closed = False
        self.encoded_bytes = 0
        self.rate = Rate()
        self.latency = Histogram()
        self.stages: dict[str, Histogram] = {}

    def copy(self) -> SourceAccount:
        return SourceAccount(self.came, self.left, dict(self.dropped), self.under_way)

    def measures(self, rate: tuple[float, float]) -> Measures:
        """Sum up the durations; ``rate`` is in frames and bytes a second."""
        stages = {name: times.summary(has_buckets=False) for name, times in self.stages.copy().items()}
        return Measures(self.latency.summary(has_buckets=False), stages, rate[0], self.encoded_bytes, 8 * rate[1])

    def add(self, ticket: Ticket) -> None:
        """Count how long a frame was in each stage."""
        begun_ns, stages = ticket.begun_ns, self.stages
        for stage, ended_ns in ticket.trail:
            times = stages.get(stage)
            if times is None:
                times = stages[stage] = Histogram()
            times.add(ended_ns - begun_ns)
            begun_ns = ended_ns


@final
class Accounts:
    """Counts every frame of a module once, on its way in and on its way out.

    A frame that comes in gets a ticket. What ends its way takes the ticket back and says how; what comes second finds
    none, and nothing is counted twice. So for each source ``came == left + sum(dropped) + under_way`` at any moment.
    Who brings a frame to the end of a stage appends that to ``ticket.trail``; it becomes durations when the way ends.
    Any thread may call any method; none of them waits.
    """

    def __init__(self, kept: int = KEPT, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """Count nothing yet.

        Args:
            kept: Sources that are gone and keep an account of their own.
            now_ns: The time of the module's clock.
        """
        self.now_ns = now_ns
        self.tracer: Tracer | None = None
        """Begins the traces of frames that come in; None where none is traced."""
        self._lock = threading.Lock()
        self._tickets: dict[int, Ticket] = {}
        self._at_sinks: dict[int, Ticket] = {}
        """Of frames that were handed to the sinks, and that not every sink has taken."""
        self._accounts: dict[str, _Open] = {}
        self._kept_back: dict[str, Counter[str]] = {}
        """What sources say that they have kept back themselves, as far as it is counted."""
        self._reasons: set[str] = {str(fate) for fate in Fate}
        self._closed: OrderedDict[str, None] = OrderedDict()
        self._kept = kept
        self._gone = SourceAccount()
        self._past = _Open()
        """Durations of sources that have no account of their own any more."""
        self._folds = 0
        """How often an account was added to those: while one is, nothing must be added up twice."""
        self._rate = Rate()
        self.entered: int = 0
        """Frames that came in and were let in."""
        self.encoded: int = 0
        """Frames that were handed to the sinks and had gone to the engine."""
        self.is_closed: bool = False
        """Whether everything was dropped: nothing is handed to the sinks any more."""

    def enter(self, frame: VideoFrame, source: Any = None, came_ns: tuple[int, int] | None = None) -> Ticket:
        """Count a frame that comes in.

        Args:
            frame: The frame; it must be the same object that leaves.
            source: Kept with its ticket.
            came_ns: When its bytes were received and when its decoder took them, if that is known.
        """
        now_ns = self.now_ns()
        ticket = Ticket(frame, frame.source_id, source, now_ns if came_ns is None else came_ns[0])
        if came_ns is not None:
            ticket.trail += (("source", came_ns[1]), ("decode", now_ns))
        if self.tracer is not None:
            _trace(ticket, self.tracer)
        with self._lock:
            account = self._account(ticket.source_id)
            account.came += 1
            account.under_way += 1
            self.entered += 1
            self._tickets[id(frame)] = ticket
        return ticket

    def refuse(self, source_id: str, reason: str = Fate.REJECTED, count: int = 1) -> None:
        """Count frames that are not let in, such as those that an ingress rule keeps out."""
        with self._lock:
            self._refuse(source_id, reason, count)

    def _refuse(self, source_id: str, reason: str, count: int) -> None:
        known = self._accounts.get(source_id)
        account = known or self._account(source_id)
        account.is_closed |= known is None  # a source that is never let in is as good as gone
        account.came += count
        account.dropped[self._word(reason)] += count
        self._fold(source_id, account)

    def keep_back(self, source_id: str, so_far: Mapping[str, int]) -> None:
        """Count what a source says that it has kept back ``so_far``, by reason, beyond what it said before."""
        with self._lock:
            before = self._kept_back.setdefault(source_id, Counter()) if so_far else {}
            for reason, count in so_far.items():
                if (more := count - before[reason]) > 0:
                    before[reason] = count
                    self._refuse(source_id, reason, more)

    def leave(self, frame: VideoFrame, encoded_bytes: int = 0) -> Ticket | None:
        """Count a frame that is handed to the sinks; None where it is counted already.

        Args:
            frame: The frame; ``taken`` is to be called with it.
            encoded_bytes: What the encoder made of it; 0 where it was not encoded here.
        """
        return self._settle(frame, None, encoded_bytes)

    def taken(self, frame: VideoFrame) -> None:
        """Take notice that every sink has taken a frame, or has left it out: its way has ended."""
        now_ns = self.now_ns()
        with self._lock:
            ticket = self._at_sinks.pop(id(frame), None)
            if ticket is None:
                return
            ticket.trail.append(("sink", now_ns))
            account = self._accounts.get(ticket.source_id, self._past)
            account.add(ticket)
            account.latency.add(now_ns - ticket.begun_ns)
        if ticket.trace is not None:
            ticket.trace.finish(ticket.trail, now_ns)

    def trace_at_sinks(self, frame: VideoFrame) -> FrameTrace | None:
        """Return the trace of a frame that was handed to the sinks, and that not every sink has taken."""
        ticket = self._at_sinks.get(id(frame))
        return None if ticket is None else ticket.trace

    def blame(self, frame: VideoFrame, error: BaseException) -> None:
        """Say in the trace of a ``frame`` that an ``error`` ends its way."""
        ticket = self.ticket(frame)
        if ticket is not None and ticket.trace is not None:
            ticket.trace.root.fail(error)

    def drop(self, frame: VideoFrame, reason: str) -> Ticket | None:
        """Count a frame that goes no further; None where it is counted already."""
        return self._settle(frame, reason)

    def ticket(self, frame: VideoFrame) -> Ticket | None:
        """Return the ticket of a frame that is in the module."""
        return self._tickets.get(id(frame))

    def close_source(self, source_id: str) -> None:
        """Take notice that a source is gone: its account is kept for a while, and then added to that of all such."""
        with self._lock:
            if (account := self._accounts.get(source_id)) is not None:
                account.is_closed = True
                self._fold(source_id, account)

    def forget_kept_back(self, source_id: str) -> None:
        """Take notice that what a source says to have kept back begins at 0 again."""
        with self._lock:
            self._kept_back.pop(source_id, None)

    def drop_all(self, reason: str) -> list[Ticket]:
        """Count every frame that is in the module as dropped, for the last time, and return their tickets."""
        with self._lock:
            self.is_closed = True
            tickets = list(self._tickets.values())
        return [ticket for ticket in tickets if self._settle(ticket.frame, reason) is not None]

    def of(self, source_id: str) -> SourceAccount:
        """Return the account of a source; an empty one where it is not known."""
        with self._lock:
            account = self._accounts.get(source_id)
            return SourceAccount() if account is None else account.copy()

    def sources(self) -> dict[str, SourceAccount]:
        """Return the accounts of all sources that are there, and of the latest that are gone."""
        with self._lock:
            return {name: account.copy() for name, account in self._accounts.items()}

    def snapshot(self) -> tuple[dict[str, SourceAccount], SourceAccount]:
        """Return what ``sources`` and ``gone`` do, of one moment."""
        with self._lock:
            return {name: account.copy() for name, account in self._accounts.items()}, self._gone

    def measures(self) -> tuple[dict[str, Measures], Measures]:
        """Return how long frames took: of each source that has an account, and of all that ever were."""
        for _ in range(TRIES):
            with self._lock:
                folds, accounts = self._folds, dict(self._accounts)
            together = _Open()
            for account in [self._past, *accounts.values()]:
                _absorb(together, account)  # takes milliseconds, for which no frame waits
            if folds == self._folds:
                break
        now_ns = self.now_ns()
        with self._lock:
            rates = {name: account.rate.per_s(now_ns) for name, account in accounts.items()}
            rate = self._rate.per_s(now_ns)
        found = {name: account.measures(rates[name]) for name, account in accounts.items()}
        return found, together.measures(rate)

    @property
    def gone(self) -> SourceAccount:
        """What became of the frames of all sources that have no account of their own any more."""
        return self._gone

    @property
    def total(self) -> SourceAccount:
        """What became of all frames."""
        with self._lock:
            return sum((account.copy() for account in self._accounts.values()), self._gone)

    def _word(self, reason: str) -> str:
        """Return the word under which a reason is counted; one set of them for all sources."""
        word = bounded_reason(reason, self._reasons)
        self._reasons.add(word)
        return word

    def _account(self, source_id: str) -> _Open:
        account = self._accounts.get(source_id)
        if account is None:
            account = self._accounts[source_id] = _Open()
        if account.is_closed:
            account.is_closed = False
            self._closed.pop(source_id, None)
        return account

    def _settle(self, frame: VideoFrame, reason: str | None, encoded_bytes: int = 0) -> Ticket | None:
        now_ns = self.now_ns()
        with self._lock:
            ticket = self._tickets.pop(id(frame), None)
            if ticket is None:
                return None
            account = self._accounts[ticket.source_id]
            account.under_way -= 1
            if reason is None:
                account.left += 1
                account.rate.add(now_ns, encoded_bytes)
                account.encoded_bytes += encoded_bytes
                self._rate.add(now_ns, encoded_bytes)
                self.encoded += ticket.is_sent
                ticket.trail.append(("frame-tag-funnel", now_ns))
                self._at_sinks[id(frame)] = ticket
            else:
                account.dropped[self._word(reason)] += 1
                account.add(ticket)
            self._fold(ticket.source_id, account)
        if ticket.trace is not None:
            if reason is None:
                ticket.trace.enter("sink", now_ns)
            else:
                ticket.trace.finish(ticket.trail, now_ns, reason)
        return ticket

    def _fold(self, source_id: str, account: _Open) -> None:
        """Line a source up behind those that are gone, once nothing of it is left in the module."""
        if not account.is_closed or account.under_way:
            return
        self._closed[source_id] = None
        self._closed.move_to_end(source_id)
        while len(self._closed) > self._kept:
            oldest, _ = self._closed.popitem(last=False)
            past = self._accounts.pop(oldest)
            self._gone = self._gone + past.copy()
            self._folds += 1  # first: who adds up meanwhile, and has seen the account, sees this
            _absorb(self._past, past)


def _trace(ticket: Ticket, tracer: Tracer) -> None:
    """Begin the trace of a frame if it is to be traced; the context of that travels on with the frame."""
    baggage = baggage_of(ticket.frame)
    ticket.trace = tracer.begin(ticket.frame, baggage.trace, ticket.begun_ns)
    if ticket.trace is not None:
        give(ticket.frame, replace(baggage, trace=ticket.trace.root.propagate()))


def _absorb(whole: _Open, part: _Open) -> None:
    """Add the durations and bytes of one account to those of another."""
    whole.encoded_bytes += part.encoded_bytes
    whole.latency.absorb(part.latency)
    for stage, times in part.stages.copy().items():
        whole.stages.setdefault(stage, Histogram()).absorb(times)
