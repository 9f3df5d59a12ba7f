"""The inbox: order, capacity, overflow, time-outs, closing; alone, without an engine."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from engine_kit import make_frame, make_pixels
from hypothesis import given
from hypothesis import strategies as st

from picasso.engine.clock import MonotonicClock
from picasso.engine.messages import END_STREAM, STOP, FrameMessage
from picasso.engine.policies import NS_PER_S, OverflowPolicy
from picasso.engine.runtime.inbox import PATIENCE_NS, Inbox
from picasso.engine.stats import DropReason, Meter
from picasso.errors import SendTimeoutError
from picasso.testing import FakeClock

AN_HOUR_NS = 3600 * NS_PER_S
FRAME, PIXELS = make_frame(), make_pixels()


def message() -> FrameMessage:
    return FrameMessage(FRAME, PIXELS, None, 0)


def make_inbox(capacity: int = 2, overflow: OverflowPolicy = OverflowPolicy.BLOCK, **keywords: Any) -> Inbox:
    return Inbox(capacity, overflow, keywords.pop("clock", FakeClock()), keywords.pop("meter", Meter()), **keywords)


@contextmanager
def in_thread(call: Callable[[], object]) -> Iterator[list[object]]:
    """Run ``call`` in a thread that must be done by the end of the block; its result or error is the list's item."""
    results: list[object] = []

    def run() -> None:
        try:
            results.append(call())
        except Exception as error:  # noqa: BLE001
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield results
    thread.join(10)
    assert not thread.is_alive()


steps = st.lists(st.sampled_from(["frame", "control", "get"]), max_size=60)


@given(steps, st.integers(1, 4), st.sampled_from(["drop_oldest", "drop_newest"]))
def test_it_does_what_a_list_would_do(steps: list[str], capacity: int, policy: str) -> None:
    """Against a plain list: order, capacity and the choice of the frame to drop."""
    meter = Meter()
    inbox, model = make_inbox(capacity, OverflowPolicy(policy), meter=meter), deque[object]()
    sent = dropped = 0
    for step in steps:
        if step == "control":
            inbox.put(END_STREAM)
            model.append(END_STREAM)
        elif step == "get" and model:
            assert inbox.get(0) is model.popleft()
        elif step == "frame":
            new, frames = message(), [item for item in model if isinstance(item, FrameMessage)]
            assert inbox.put_frame(new)
            sent += 1
            if len(frames) < capacity:
                model.append(new)
            else:
                dropped += 1
                if policy == "drop_oldest":
                    model.remove(frames[0])
                    model.append(new)
        assert inbox.depth == sum(isinstance(item, FrameMessage) for item in model)
    assert meter.frames_in == sent
    assert meter.dropped[DropReason.OVERFLOW] == dropped


def test_the_reader_gives_up_when_its_patience_ends() -> None:
    clock = FakeClock()
    inbox = make_inbox(clock=clock)
    with in_thread(lambda: inbox.get(5 * NS_PER_S)) as results:
        clock.wait_for_sleepers(1)
        clock.advance(4.9)
        clock.wait_for_sleepers(1)
        assert results == []
        clock.advance(0.1)
    assert results == [None]


def test_a_message_wakes_the_reader() -> None:
    clock = FakeClock()
    inbox, new = make_inbox(clock=clock), message()
    with in_thread(lambda: inbox.get(NS_PER_S)) as results:
        clock.wait_for_sleepers(1)
        inbox.put_frame(new)
    assert results == [new]


def test_a_full_queue_blocks_until_a_frame_is_taken() -> None:
    clock, first, second = FakeClock(), message(), message()
    inbox = make_inbox(1, clock=clock)
    inbox.put_frame(first)
    with in_thread(lambda: inbox.put_frame(second, AN_HOUR_NS)) as results:
        clock.wait_for_sleepers(1)
        assert inbox.get(0) is first
    assert results == [True]
    assert inbox.get(0) is second


def test_blocked_senders_are_admitted_first_come_first_served() -> None:
    clock, messages = FakeClock(), [message() for _ in range(6)]
    inbox = make_inbox(1, clock=clock)
    inbox.put_frame(messages[0])
    threads = []
    for count, new in enumerate(messages[1:], 1):
        threads.append(threading.Thread(target=inbox.put_frame, args=(new, AN_HOUR_NS)))
        threads[-1].start()
        clock.wait_for_sleepers(count)
    assert [inbox.get(0) for _ in messages] == messages
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def test_a_sender_that_waits_is_let_in_when_half_the_queue_is_free() -> None:
    clock, messages, late = FakeClock(), [message() for _ in range(8)], message()
    inbox = make_inbox(8, clock=clock)
    for new in messages:
        inbox.put_frame(new)
    with in_thread(lambda: inbox.put_frame(late)) as results:
        clock.wait_for_sleepers(1)
        assert [inbox.get(0) for _ in range(3)] == messages[:3]
        assert inbox.depth == 5, "there is room, but not half the queue"
        assert inbox.get(0) is messages[3]
    assert results == [True]
    assert [inbox.get(0) for _ in range(5)] == [*messages[4:], late]


def test_a_sender_takes_any_room_when_its_patience_ends() -> None:
    """The reader may wait for this very sender, in a callback: a queue that is half full must not stop both."""
    clock, late = FakeClock(), message()
    inbox = make_inbox(8, clock=clock)
    for _ in range(8):
        inbox.put_frame(message())
    with in_thread(lambda: inbox.put_frame(late)) as results:
        clock.wait_for_sleepers(1)
        inbox.get(0)
        clock.advance(PATIENCE_NS / NS_PER_S)
    assert results == [True]
    assert inbox.depth == 8


def test_a_time_limit_ends_in_the_room_that_there_is() -> None:
    clock = FakeClock()
    inbox = make_inbox(8, clock=clock)
    for _ in range(8):
        inbox.put_frame(message())
    with in_thread(lambda: inbox.put_frame(message(), PATIENCE_NS // 2)) as results:
        clock.wait_for_sleepers(1)
        inbox.get(0)
        clock.advance(PATIENCE_NS / 2 / NS_PER_S)
    assert results == [True]


def test_nobody_takes_the_room_of_those_who_wait() -> None:
    clock, first, second = FakeClock(), message(), message()
    inbox = make_inbox(4, clock=clock)
    for _ in range(4):
        inbox.put_frame(message())
    with in_thread(lambda: inbox.put_frame(first)) as results:
        clock.wait_for_sleepers(1)
        inbox.get(0)
        with pytest.raises(SendTimeoutError):
            inbox.put_frame(second, 0)
    assert results == [True]
    assert [inbox.get(0) for _ in range(4)][-1] is first


class InterruptedMeter(Meter):
    """Counting a frame is where an interrupt (Ctrl-C) comes, when it is armed."""

    armed = False

    @property
    def frames_in(self) -> int:  # type: ignore[override]  # a field of the meter
        return self._count

    @frames_in.setter
    def frames_in(self, value: int) -> None:
        if self.armed:
            self.armed = False
            raise KeyboardInterrupt
        self._count = value


def test_an_interrupt_loses_nobody_who_waits() -> None:
    """A sender that finds room lets those in who came first; what interrupts it must not cost them their frames."""
    clock, meter, late = FakeClock(), InterruptedMeter(), message()
    inbox = make_inbox(4, clock=clock, meter=meter)
    for _ in range(4):
        inbox.put_frame(message())
    with in_thread(lambda: inbox.put_frame(late)) as results:
        clock.wait_for_sleepers(1)
        inbox.get(0)
        meter.armed = True
        with pytest.raises(KeyboardInterrupt):
            inbox.put_frame(message(), 0)
        assert inbox.depth == 3
        for _ in range(3):
            inbox.get(0)
        assert inbox.get(0) is late
    assert results == [True]


def test_a_sender_gives_up_after_its_time_and_its_frame_is_not_in_the_queue() -> None:
    clock, first = FakeClock(), message()
    inbox = make_inbox(1, clock=clock)
    inbox.put_frame(first)
    with in_thread(lambda: inbox.put_frame(message(), 2 * NS_PER_S)) as results:
        clock.wait_for_sleepers(1)
        clock.advance(2)
    assert [str(result) for result in results] == ["the queue of 1 frames stayed full for 2 s"]
    assert inbox.get(0) is first
    assert inbox.get(0) is None
    assert inbox.put_frame(message()), "the place of the one that gave up is free"


def test_no_time_at_all_means_not_to_wait() -> None:
    inbox = make_inbox(1)
    inbox.put_frame(message())
    with pytest.raises(SendTimeoutError):
        inbox.put_frame(message(), 0)


def test_control_messages_never_wait_and_do_not_take_room() -> None:
    inbox = make_inbox(1)
    inbox.put_frame(message())
    for _ in range(100):
        assert inbox.put(END_STREAM)
    assert inbox.depth == 1


def test_exempt_threads_exceed_the_capacity_rather_than_wait() -> None:
    inbox = make_inbox(1, exempt={threading.get_ident()})
    for _ in range(5):
        assert inbox.put_frame(message())
    assert inbox.depth == 5


def test_exempt_threads_follow_a_policy_that_drops() -> None:
    inbox = make_inbox(1, OverflowPolicy.DROP_NEWEST, exempt={threading.get_ident()})
    for _ in range(5):
        assert inbox.put_frame(message())
    assert inbox.depth == 1


def test_stop_comes_behind_everything_and_refuses_what_comes_later() -> None:
    inbox, new = make_inbox(), message()
    inbox.put_frame(new)
    inbox.stop()
    inbox.stop()
    assert not inbox.put(END_STREAM)
    assert not inbox.put_frame(message())
    assert [inbox.get(0), inbox.get(0), inbox.get(0)] == [new, STOP, None]


def test_stop_refuses_blocked_senders() -> None:
    clock = FakeClock()
    inbox = make_inbox(1, clock=clock)
    inbox.put_frame(message())
    with in_thread(lambda: inbox.put_frame(message(), AN_HOUR_NS)) as results:
        clock.wait_for_sleepers(1)
        inbox.stop()
    assert results == [False]


def test_it_closes_only_when_there_is_nothing_to_read() -> None:
    inbox = make_inbox()
    inbox.put(END_STREAM)
    assert not inbox.close_if_empty()
    assert inbox.put_frame(message())
    inbox.get(0)
    inbox.get(0)
    assert inbox.close_if_empty()
    assert inbox.closed
    assert not inbox.put_frame(message())


def test_abandoning_takes_the_frames_and_leaves_a_stop() -> None:
    inbox, frames = make_inbox(4), [message(), message()]
    inbox.put_frame(frames[0])
    inbox.put(END_STREAM)
    inbox.put_frame(frames[1])
    assert inbox.abandon() == frames
    assert inbox.closed
    assert inbox.get(0) is STOP
    assert inbox.abandon() == []


class _Interrupt(BaseException):
    """Stands for Ctrl-C."""


def test_an_interrupted_sender_leaves_no_trace() -> None:
    class InterruptingClock(MonotonicClock):
        __slots__ = ()

        def wait(self, bell: object, deadline_ns: int | None) -> None:
            raise _Interrupt

    inbox, first = make_inbox(1, clock=InterruptingClock()), message()
    inbox.put_frame(first)
    with pytest.raises(_Interrupt):
        inbox.put_frame(message())
    assert inbox.get(0) is first
    assert inbox.depth == 0
    assert inbox.put_frame(message())


def test_many_senders_and_one_reader_lose_nothing_and_keep_each_senders_order() -> None:
    inbox = make_inbox(3, clock=MonotonicClock())
    groups = [[message() for _ in range(200)] for _ in range(4)]

    def feed(group: list[FrameMessage]) -> None:
        for new in group:
            assert inbox.put_frame(new)

    threads = [threading.Thread(target=feed, args=(group,)) for group in groups]
    for thread in threads:
        thread.start()
    got = [inbox.get(10 * NS_PER_S) for _ in range(800)]
    for thread in threads:
        thread.join(10)
    for group in groups:
        members = set(map(id, group))
        assert [item for item in got if id(item) in members] == group
