"""However late calls and answers come, an actor never delivers when its head may have given its sources away."""

from __future__ import annotations

import heapq
import itertools

from hypothesis import given
from hypothesis import strategies as st

from picasso.cluster.lease import MARGIN_S, Lease, Tenancy

LENGTH_S = 8.0
DELAYS = st.lists(st.one_of(st.floats(0, 0.5), st.floats(0, 40)), min_size=4, max_size=60)


class Clocks:
    """The time, and that of an actor, which began elsewhere."""

    now_s = 0.0
    offset_s = 12_345.0

    def actor_s(self) -> float:
        return self.now_s + self.offset_s


@given(DELAYS, st.floats(0.2, 3))
def test_no_lease_runs_when_the_head_thinks_it_over(delays_s: list[float], every_s: float) -> None:
    clocks = Clocks()
    lease = Lease(LENGTH_S, clocks.actor_s)
    tenancy = Tenancy("one", LENGTH_S, 0.0, lease.stamp_s())
    order = itertools.count()
    line: list[tuple[float, int, str, float]] = [(0.0, next(order), "ask", 0.0)]
    delays = iter(delays_s)
    while line:
        clocks.now_s, _, what, stamp_s = heapq.heappop(line)
        if tenancy.granted_s is not None and tenancy.is_over(clocks.now_s):
            assert not lease.is_valid
            break  # it is condemned: no grant follows
        delay_s = next(delays, None)
        if delay_s is None:
            break
        at_s = clocks.now_s + delay_s
        if what == "ask":  # a call may overtake another one, and be in the line for long
            heapq.heappush(line, (at_s, next(order), "arrive", tenancy.grant()))
            heapq.heappush(line, (clocks.now_s + every_s, next(order), "ask", 0.0))
        elif what == "arrive":
            lease.renew(stamp_s)
            heapq.heappush(line, (at_s, next(order), "answer", lease.stamp_s()))
        else:
            tenancy.answer(max(stamp_s, tenancy.stamp_s), clocks.now_s)
    clocks.now_s = max(clocks.now_s, tenancy.free_s)
    for _, _, what, stamp_s in line:  # what is still on its way comes then, and later
        if what == "arrive":
            lease.renew(stamp_s)
        assert not (tenancy.granted_s is not None and lease.is_valid)


def test_a_lease_that_is_over_stays_over() -> None:
    clocks = Clocks()
    lease = Lease(LENGTH_S, clocks.actor_s)
    assert not lease.is_valid
    lease.renew(lease.stamp_s())
    clocks.now_s = LENGTH_S - 0.001
    assert lease.is_valid
    clocks.now_s = LENGTH_S
    assert not lease.is_valid
    lease.renew(lease.stamp_s())
    assert not lease.is_valid


def test_what_was_never_granted_is_free_at_once_and_a_grant_runs_from_the_answer_before() -> None:
    tenancy = Tenancy("one", LENGTH_S, 100.0, 7.0)
    assert tenancy.free_s == 100.0
    assert tenancy.grant() == 7.0
    tenancy.answer(9.0, 102.0)
    assert tenancy.free_s == 100.0 + LENGTH_S + MARGIN_S  # the newer answer was not sent back yet
    assert tenancy.grant() == 9.0
    assert tenancy.free_s == 102.0 + LENGTH_S + MARGIN_S
