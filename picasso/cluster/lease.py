"""Leases: an actor may deliver only as long as its head cannot have given its sources to another one.

The head hears the actor's clock with each answer, and sends the newest reading back with the next call: the lease runs
from that reading. So a call that was held up on its way extends nothing, and the two clocks need not agree. They need
to run equally fast, to one part in sixteen.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

LEASE_S: Final = 8.0
"""Seconds that a lease runs, by default."""
MARGIN_S: Final = 0.5
"""Seconds more that the head waits."""

Now = Callable[[], float]


class Lease:
    """The side of the actor. Any thread."""

    def __init__(self, length_s: float, now_s: Now = time.monotonic) -> None:
        """Begin without a lease."""
        self._length_s = length_s
        self._now_s = now_s
        self._end_s = float("-inf")
        self.was_granted = False
        """Whether there was ever one."""
        self._granted = threading.Event()

    def stamp_s(self) -> float:
        """Return what the clock says: the head sends it back."""
        return self._now_s()

    def renew(self, stamp_s: float) -> None:
        """Let the lease run from what the clock said then; one that is over stays over.

        An older reading shortens nothing.
        """
        if self.was_granted and not self.is_valid:
            return
        self.was_granted = True
        self._end_s = max(self._end_s, stamp_s + self._length_s)
        self._granted.set()

    def wait_for_the_first(self, timeout_s: float) -> None:
        """Wait until there was ever one."""
        self._granted.wait(timeout_s)

    @property
    def left_s(self) -> float:
        """Seconds that are left; below 0 once it is over."""
        return self._end_s - self._now_s()

    @property
    def is_valid(self) -> bool:
        """Whether what comes out may be delivered."""
        return self._now_s() < self._end_s


@dataclass(slots=True)
class Tenancy:
    """The side of the head: what it has heard from one process of an actor, and what it has granted it."""

    incarnation: str
    """Names the process: another one of the same actor has another name."""
    length_s: float
    answered_s: float
    """When the newest answer came, by the head's clock."""
    stamp_s: float
    """What the actor's clock said in it."""
    granted_s: float | None = None
    """When the answer came whose reading was sent back last; None before the first grant."""

    def answer(self, stamp_s: float, now_s: float) -> None:
        """Note an answer."""
        self.answered_s, self.stamp_s = now_s, stamp_s

    def grant(self) -> float:
        """Return the reading to send back; from now on the actor may have that lease."""
        self.granted_s = self.answered_s
        return self.stamp_s

    @property
    def free_s(self) -> float:
        """When no lease of the actor can run any more, by the head's clock."""
        return self.answered_s if self.granted_s is None else self.granted_s + self.length_s + MARGIN_S

    def is_over(self, now_s: float) -> bool:
        """Whether its sources may be given to others."""
        return now_s >= self.free_s
