"""The one place where frames are counted: what came in of each source, and what became of it."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, final

if TYPE_CHECKING:
    from picasso.primitives import VideoFrame

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


@dataclass(frozen=True, slots=True)
class SourceAccount:
    """What became of the frames of a source: ``came == left + sum(dropped.values()) + under_way``, always."""

    came: int = 0
    """Frames that came in."""
    left: int = 0
    """Frames that were handed to the sinks."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Frames that were not, by reason; only reasons that occurred."""
    under_way: int = 0
    """Frames that are in the module."""

    def __add__(self, other: SourceAccount) -> SourceAccount:
        return SourceAccount(
            self.came + other.came,
            self.left + other.left,
            dict(Counter(self.dropped) + Counter(other.dropped)),
            self.under_way + other.under_way,
        )

    def __str__(self) -> str:
        dropped = ", ".join(f"{reason} {count}" for reason, count in sorted(self.dropped.items()))
        rest = f" + {self.under_way} under way" if self.under_way else ""
        why = f" ({dropped})" if dropped else ""
        return f"{self.came} frames in = {self.left} out + {sum(self.dropped.values())} dropped{why}{rest}"


@dataclass(slots=True)
class Ticket:
    """A frame that is in the module."""

    frame: VideoFrame
    source_id: str
    """That of the frame when it came in."""
    source: Any
    """What the one who let it in keeps with it."""
    is_sent: bool = False
    """Whether it went to the engine."""


@final
class _Open:
    """The account of a source while it may change."""

    __slots__ = ("came", "dropped", "is_closed", "left", "under_way")

    def __init__(self) -> None:
        self.came = 0
        self.left = 0
        self.dropped: Counter[str] = Counter()
        self.under_way = 0
        self.is_closed = False

    def copy(self) -> SourceAccount:
        return SourceAccount(self.came, self.left, dict(self.dropped), self.under_way)


@final
class Accounts:
    """Counts every frame of a module once, on its way in and on its way out.

    A frame that comes in gets a ticket. What ends its way takes the ticket back and says how; what comes second finds
    none, and nothing is counted twice. So for each source ``came == left + sum(dropped) + under_way`` at any moment.
    Any thread may call any method; none of them waits.
    """

    def __init__(self, kept: int = KEPT) -> None:
        """Count nothing yet.

        Args:
            kept: Sources that are gone and keep an account of their own.
        """
        self._lock = threading.Lock()
        self._tickets: dict[int, Ticket] = {}
        self._accounts: dict[str, _Open] = {}
        self._closed: OrderedDict[str, None] = OrderedDict()
        self._kept = kept
        self._gone = SourceAccount()
        self.encoded = 0
        """Frames that were handed to the sinks and had gone to the engine."""
        self.is_closed = False
        """Whether everything was dropped: nothing is handed to the sinks any more."""

    def enter(self, frame: VideoFrame, source: Any = None) -> Ticket:
        """Count a frame that comes in.

        Args:
            frame: The frame; it must be the same object that leaves.
            source: Kept with its ticket.
        """
        ticket = Ticket(frame, frame.source_id, source)
        with self._lock:
            account = self._account(ticket.source_id)
            account.came += 1
            account.under_way += 1
            self._tickets[id(frame)] = ticket
        return ticket

    def refuse(self, source_id: str, reason: str = Fate.REJECTED, count: int = 1) -> None:
        """Count frames that are not let in, such as those that an ingress rule keeps out."""
        with self._lock:
            known = self._accounts.get(source_id)
            account = known or self._account(source_id)
            account.is_closed |= known is None  # a source that is never let in is as good as gone
            account.came += count
            account.dropped[reason] += count
            self._fold(source_id, account)

    def leave(self, frame: VideoFrame) -> Ticket | None:
        """Count a frame that is handed to the sinks; None where it is counted already."""
        return self._settle(frame, None)

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

    @property
    def gone(self) -> SourceAccount:
        """What became of the frames of all sources that have no account of their own any more."""
        return self._gone

    @property
    def total(self) -> SourceAccount:
        """What became of all frames."""
        with self._lock:
            return sum((account.copy() for account in self._accounts.values()), self._gone)

    def _account(self, source_id: str) -> _Open:
        account = self._accounts.get(source_id)
        if account is None:
            account = self._accounts[source_id] = _Open()
        if account.is_closed:
            account.is_closed = False
            self._closed.pop(source_id, None)
        return account

    def _settle(self, frame: VideoFrame, reason: str | None) -> Ticket | None:
        with self._lock:
            ticket = self._tickets.pop(id(frame), None)
            if ticket is None:
                return None
            account = self._accounts[ticket.source_id]
            account.under_way -= 1
            if reason is None:
                account.left += 1
                self.encoded += ticket.is_sent
            else:
                account.dropped[reason] += 1
            self._fold(ticket.source_id, account)
            return ticket

    def _fold(self, source_id: str, account: _Open) -> None:
        """Line a source up behind those that are gone, once nothing of it is left in the module."""
        if not account.is_closed or account.under_way:
            return
        self._closed[source_id] = None
        self._closed.move_to_end(source_id)
        while len(self._closed) > self._kept:
            oldest, _ = self._closed.popitem(last=False)
            self._gone = self._gone + self._accounts.pop(oldest).copy()
