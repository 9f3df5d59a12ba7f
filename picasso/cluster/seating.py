"""Who sits where: sources get actors, are lost with them, and get others."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, final

from picasso.cluster.messages import Gap, Order, Pulse, Resumption
from picasso.cluster.placement import assign, weigh
from picasso.errors import OperationError

if TYPE_CHECKING:
    from picasso.cluster.actors import Slot
    from picasso.cluster.ledger import Seat

START_S: Final = 20.0
"""Seconds that the first division waits for actors that are not there yet."""
WRONG: Final = 422
"""The status of an entry that no actor can run."""
MOST_GAPS: Final = 10_000
logger = logging.getLogger("picasso.cluster")


@final
class Seating:
    """The seats of a module, and what they are told and say. One thread at a time."""

    def __init__(self, seats: dict[str, Seat]) -> None:
        """Take the sources; none has an actor yet."""
        self.seats = seats
        self.gaps: list[Gap] = []
        """Every loss that a source came back from, the newest last."""
        self._placing: dict[Any, tuple[str, int]] = {}
        """Calls that give sources to actors and were not answered yet."""
        self._is_divided = False

    def take(self, slot: Slot, pulse: Pulse, now_s: float) -> None:
        """Take what an actor says of its sources."""
        for source_id, one in pulse.sources.items():
            seat = self.seats.get(source_id)
            if seat is None or seat.home != slot.name or seat.incarnation != pulse.incarnation:
                continue
            gap = seat.hear(one, pulse.statistics.sources.get(source_id), now_s)
            if gap is not None:
                del self.gaps[: max(len(self.gaps) + 1 - MOST_GAPS, 0)]
                self.gaps.append(gap)
                logger.warning("%s", gap)

    def lose(self, slot: Slot, incarnation: str, free_s: float) -> None:
        """Take notice that a process of an actor is gone."""
        lost = [
            seat
            for seat in self.seats.values()
            if seat.home == slot.name and seat.incarnation == incarnation and not seat.is_over
        ]
        for seat in lost:
            seat.lose(free_s)
        logger.warning("%s is lost; its %d sources go elsewhere", slot.name, len(lost))

    def divide(self, slots: Sequence[Slot], now_s: float, started_s: float) -> None:
        """Place every source that has no home and that no lease can run any more.

        Args:
            slots: All actors; the first division waits for those that can come, for a while.
            now_s: By the clock of the head.
            started_s: When the module was started.
        """
        ready = [slot for slot in slots if slot.is_ready]
        if not ready:
            return
        are_all = len(ready) >= sum(not slot.error for slot in slots)
        if not (self._is_divided or are_all or now_s >= started_s + START_S):
            return
        self._is_divided = True
        waiting = [
            seat
            for seat in self.seats.values()
            if seat.home is None and not (seat.is_over or seat.is_leaving) and now_s >= seat.free_s
        ]
        if not waiting:
            return
        weights = weigh({name: seat.weight for name, seat in self.seats.items() if not seat.is_over})
        homes = {name: seat.home for name, seat in self.seats.items() if seat.home is not None}
        placed = assign(weights, dict.fromkeys((slot.name for slot in ready), 1.0), homes)
        by_name = {slot.name: slot for slot in ready}
        for seat in waiting:
            self.place(seat, by_name[placed[seat.source_id]])

    def place(self, seat: Seat, slot: Slot) -> None:
        """Tell an actor to run a source."""
        assert slot.tenancy is not None
        seat.begin(slot.name, slot.tenancy.incarnation)
        others = tuple(name for name in self.seats if name.startswith(f"{seat.source_id}-"))
        order = Order(seat.source_id, seat.entry, seat.epoch, seat.position, seat.existing, others)
        self._placing[slot.handle.place.remote(seat.incarnation, order)] = seat.source_id, seat.epoch

    def take_placed(self, ray: ModuleType, now_s: float) -> None:
        """Take the answers of actors that were given a source."""
        done = ray.wait(list(self._placing), num_returns=len(self._placing), timeout=0)[0] if self._placing else []
        for reference in done:
            source_id, epoch = self._placing.pop(reference)
            seat = self.seats.get(source_id)
            try:
                found: Resumption = ray.get(reference)
            except ray.exceptions.RayTaskError as error:
                if seat is not None and seat.epoch == epoch:
                    self._refused(seat, error.cause if isinstance(error.cause, BaseException) else error, now_s)
            except ray.exceptions.RayError:
                pass  # its actor is gone: its lease says when another one may have it
            else:
                if seat is not None and seat.epoch == epoch and seat.home is not None:
                    seat.resume(found)

    def _refused(self, seat: Seat, error: BaseException, now_s: float) -> None:
        """Note why an actor does not run a source: one whose entry is wrong is over, any other one is tried again."""
        text = " ".join(str(error).split())
        if isinstance(error, OperationError) and error.status == WRONG:
            seat.failure = text
        else:
            seat.refuse(text, now_s)
        logger.error("source %r cannot be run: %s", seat.source_id, text)
