"""Permits: a given number at once, in the order of arrival, and never a reason to wait for good."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from picasso.engine import GeneralSpec
from picasso.engine.clock import MonotonicClock
from picasso.engine.runtime.permits import PATIENCE_NS, Permits, default_computing
from picasso.errors import SpecError
from picasso.testing import FakeClock


def in_line(permits: Permits, count: int, then: Callable[[int], None]) -> list[threading.Thread]:
    """Let threads take a permit, one behind the other."""
    threads = []
    for number in range(count):
        thread = threading.Thread(target=lambda number=number: (permits.take(), then(number)))
        thread.start()
        while len(permits._waiters) <= number:
            pass
        threads.append(thread)
    return threads


def test_a_permit_goes_to_whoever_has_waited_longest() -> None:
    permits, order = Permits(1, MonotonicClock()), []
    permits.take()
    threads = in_line(permits, 5, lambda number: (order.append(number), permits.give_back()))
    permits.give_back()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_who_gives_back_and_takes_again_stands_behind_those_who_wait() -> None:
    permits, order = Permits(1, MonotonicClock()), []
    permits.take()
    (thread,) = in_line(permits, 1, lambda _: (order.append("other"), permits.give_back()))
    permits.give_back()
    permits.take()
    order.append("self")
    permits.give_back()
    thread.join()
    assert order == ["other", "self"]


def test_no_more_than_the_permits_compute_at_once() -> None:
    permits, lock, inside, most = Permits(3, MonotonicClock()), threading.Lock(), [0], [0]

    def work() -> None:
        for _ in range(200):
            with permits:
                with lock:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                with lock:
                    inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] <= 3


def test_patience_ends_and_the_debt_is_paid_back() -> None:
    clock = FakeClock()
    permits = Permits(1, clock)
    permits.take()  # and never come back
    done = threading.Event()
    (thread,) = in_line(permits, 1, lambda _: done.set())
    clock.advance(PATIENCE_NS / 1e9)
    assert done.wait(10)
    thread.join()
    permits.give_back()  # by the one who went ahead: there is still none to be had
    assert len(permits._free) == 0
    permits.give_back()
    assert len(permits._free) == 1


def test_a_permit_is_lent_to_others_meanwhile() -> None:
    permits = Permits(1, MonotonicClock())
    with permits:
        with permits.lent, permits:
            pass
        assert len(permits._free) == 0
    assert len(permits._free) == 1


def test_the_default_is_one_more_than_the_processors() -> None:
    assert default_computing() >= 2
    assert GeneralSpec().max_computing is None


@pytest.mark.parametrize("value", [0, -1, 1.5, "2"], ids=lambda value: f"max_computing={value!r}")
def test_a_count_of_permits_is_checked(value: object) -> None:
    with pytest.raises((SpecError, TypeError)):
        GeneralSpec(max_computing=value)  # type: ignore[arg-type]  # that is the point


def test_a_copy_keeps_it() -> None:
    spec = GeneralSpec(max_computing=3)
    assert spec.copy() == spec
    assert "max_computing=3" in repr(spec)
