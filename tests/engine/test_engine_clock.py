"""Clocks and the latch."""

from __future__ import annotations

import threading
from queue import SimpleQueue

import pytest

from picasso.engine.clock import Clock, Latch, MonotonicClock
from picasso.testing import FakeClock


@pytest.mark.parametrize("clock", [MonotonicClock(), FakeClock()], ids=lambda clock: type(clock).__name__)
def test_a_bell_that_was_rung_ends_the_wait_at_once(clock: Clock) -> None:
    bell: SimpleQueue[None] = SimpleQueue()
    bell.put(None)
    clock.wait(bell, None)
    bell.put(None)
    clock.wait(bell, clock.now_ns() + 3600 * 10**9)
    assert bell.empty()


@pytest.mark.parametrize("clock", [MonotonicClock(), FakeClock(7)], ids=lambda clock: type(clock).__name__)
def test_a_deadline_that_has_passed_is_not_waited_for(clock: Clock) -> None:
    clock.wait(SimpleQueue(), clock.now_ns())
    clock.wait(SimpleQueue(), clock.now_ns() - 10**18)


def test_the_monotonic_clock_wakes_at_the_deadline() -> None:
    clock = MonotonicClock()
    deadline_ns = clock.now_ns() + 1_000_000
    clock.wait(SimpleQueue(), deadline_ns)
    assert clock.now_ns() >= deadline_ns


def test_the_fake_clock_stands_still_until_it_is_moved() -> None:
    clock = FakeClock(5)
    assert clock.now_ns() == 5
    clock.advance(1.5)
    assert clock.now_ns() == 1_500_000_005


def test_waiting_for_sleepers_that_do_not_come_says_how_many_there_are() -> None:
    with pytest.raises(TimeoutError, match="0 threads wait for a deadline, not 1"):
        FakeClock().wait_for_sleepers(1, timeout_s=0)


def test_a_latch_lets_everybody_through_once_it_is_open() -> None:
    latch = Latch(MonotonicClock())
    results: list[bool] = []
    threads = [threading.Thread(target=lambda: results.append(latch.wait())) for _ in range(3)]
    for thread in threads:
        thread.start()
    latch.open()
    for thread in threads:
        thread.join(10)
    assert results == [True] * 3
    assert latch.wait()


def test_a_latch_is_waited_for_until_the_deadline() -> None:
    clock = FakeClock()
    latch = Latch(clock)
    results: list[bool] = []
    thread = threading.Thread(target=lambda: results.append(latch.wait(10)))
    thread.start()
    clock.wait_for_sleepers(1)
    clock.advance(1)
    thread.join(10)
    assert results == [False]
