"""Sources that say nothing, that may not come in, or that keep frames back: their states, and what is counted."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest
from flow_kit import BYPASS, Kept, Scripted, States

from picasso.errors import SpecError, UnreadableError
from picasso.flow import IdlePolicy, RestartPolicy, Runner, SourceState
from picasso.testing import FakeClock


class Interruptible(Scripted):
    """A scripted live source whose wait can be ended without ending later iterations."""

    def __init__(self, *script: Any, **options: Any) -> None:
        super().__init__(*script, is_live=True, **options)
        self.interrupted = threading.Event()

    def interrupt(self) -> None:
        self.interrupted.set()
        self._stopped = True
        self._go.set()

    def __iter__(self) -> Any:
        self._stopped = False
        self._go.clear()
        return super().__iter__()


def wait_until(sink: Kept, count: int) -> None:
    with sink.changed:
        assert sink.changed.wait_for(lambda: len(sink.seen) >= count, 60), sink.seen


def test_a_camera_that_is_paused_while_it_is_silent_is_closed_at_once_and_opened_again() -> None:
    source, states = Interruptible("cam", [0, "wait"], [5]), States()
    runner = Runner(BYPASS, on_state=states)
    runner.add(source, sinks=[sink := Kept()])
    runner.start()
    assert source.waits.wait(60)
    runner.pause("cam")
    states.wait_for(SourceState.PAUSED)
    assert (source.opened, source.closed) == (1, 1)
    runner.resume("cam")
    (status,) = runner.run()
    assert (sink.seen, source.opened, status.restarts) == ([0, "eos", 5, "eos"], 2, 0)


def test_a_pause_that_is_over_before_it_is_noticed_costs_a_connection_and_no_back_off() -> None:
    source = Interruptible("cam", [0, "wait"], [5], restart=RestartPolicy(first_s=3600, most_s=3600))
    runner = Runner(BYPASS, clock=FakeClock())
    runner.add(source, sinks=[sink := Kept()])
    runner.start()
    assert source.waits.wait(60)
    runner.pause("cam")
    runner.resume("cam")
    (status,) = runner.run()
    assert (sink.seen, status.state) == ([0, "eos", 5, "eos"], SourceState.ENDED)


@pytest.mark.parametrize("idle", [None, IdlePolicy(timeout_s=10, check_s=2)], ids=["no policy", "10 s"])
def test_silence_is_told_and_ends_the_stream_only_by_policy(
    idle: IdlePolicy | None, caplog: pytest.LogCaptureFixture
) -> None:
    clock, states = FakeClock(), States()
    source = Scripted("cam", [0, "wait", 1], is_live=True)
    source.idle = idle  # type: ignore[attr-defined]
    runner = Runner(BYPASS, clock=clock, on_state=states)
    runner.add(source, sinks=[sink := Kept()])
    runner.start()
    assert source.waits.wait(60)
    wait_until(sink, 1)
    clock.wait_for_sleepers(1)
    clock.advance(6)
    states.wait_for(SourceState.SILENT)
    assert sink.seen == [0]
    clock.wait_for_sleepers(1)
    clock.advance(6)
    if idle is not None:
        wait_until(sink, 2)
    source.go()
    (status,) = runner.run()
    assert sink.seen == ([0, 1, "eos"] if idle is None else [0, "eos", 1, "eos"])
    assert (status.read, status.delivered, status.gap_s) == (2, 2, 12)
    assert "source 'cam': frames come again after a gap of 12.0 s" in caplog.messages
    assert states.seen == [
        *(SourceState.CONNECTING, SourceState.LIVE, SourceState.SILENT, SourceState.LIVE, SourceState.ENDED)
    ]


def test_time_in_the_stage_is_no_silence() -> None:
    clock, entered, go = FakeClock(), threading.Event(), threading.Event()

    def waits(_frame: object, _surface: object) -> None:
        entered.set()
        go.wait()

    source = Scripted("s", [0, 1])
    source.idle = IdlePolicy(timeout_s=1, check_s=0.5)  # type: ignore[attr-defined]
    runner = Runner(BYPASS, clock=clock)
    runner.add(source, sinks=[sink := Kept()], annotate=waits)
    runner.start()
    assert entered.wait(60)
    for _look in range(20):
        clock.wait_for_sleepers(1)
        clock.advance(0.5)
    assert runner.statuses()[0].state is SourceState.LIVE
    go.set()
    (status,) = runner.run()
    assert (sink.seen, status.gap_s) == ([0, 1, "eos"], 0)


def test_a_gap_between_two_connections_is_told(caplog: pytest.LogCaptureFixture) -> None:
    clock, states = FakeClock(), States()
    source = Scripted("cam", [0, OSError("lost")], [1], restart=RestartPolicy(first_s=4, jitter=0))
    runner = Runner(BYPASS, clock=clock, on_state=states)
    runner.add(source, sinks=[Kept()])
    runner.start()
    states.wait_for(SourceState.BACKING_OFF)
    clock.advance(4)
    (status,) = runner.run()
    assert status.gap_s == 4
    assert "source 'cam': frames come again after a gap of 4.0 s" in caplog.messages


def test_a_live_source_over_the_limit_loses_frames_that_are_counted_until_another_ends() -> None:
    states, first, second = States(), Kept(), Kept()
    inside = Scripted("in", [0, "wait", 1])
    late = Scripted("late", [0, 1, "wait", 2, 3], is_live=True)
    runner = Runner(BYPASS, on_state=states, max_sources=1)
    runner.add(inside, sinks=[first])
    runner.start()
    assert inside.waits.wait(60)
    runner.add(late, sinks=[second])
    assert late.waits.wait(60)
    (status,) = (one for one in runner.statuses() if one.source_id == "late")
    assert (status.state, status.stage_dropped) == (SourceState.REJECTED, {"max_sources": 2})
    assert str(status.last_error) == "source 'late': 1 sources are in, and no more may"
    inside.go()
    states.wait_for(SourceState.ENDED)
    late.go()
    runner.run()
    (status,) = (one for one in runner.statuses() if one.source_id == "late")
    assert (first.seen, second.seen) == ([0, 1, "eos"], [2, 3, "eos"])
    assert (status.read, status.delivered, status.dropped, status.state) == (4, 2, 2, SourceState.ENDED)


def test_a_file_over_the_limit_waits_and_loses_nothing() -> None:
    sinks = {name: Kept() for name in "abcde"}
    runner = Runner(BYPASS, max_sources=2)
    for name, sink in sinks.items():
        runner.add(Scripted(name, range(20)), sinks=[sink])
    statuses = runner.run()
    assert [sink.seen for sink in sinks.values()] == [[*range(20), "eos"]] * 5
    assert {(status.read, status.delivered, status.dropped) for status in statuses} == {(20, 20, 0)}


def test_a_file_that_waits_comes_in_before_the_next_stream_of_the_one_that_was_in() -> None:
    order, waiting = list[str](), {"first": threading.Semaphore(0), "late": threading.Semaphore(0)}

    def on_state(source_id: str, state: SourceState) -> None:
        if state is SourceState.REJECTED:
            waiting[source_id].release()

    def note(frame: Any, _surface: object) -> None:
        order.append(frame.source_id)
        if len(order) == 5:  # within the second stream of the first
            assert waiting["late"].acquire(timeout=60)

    first, late = Scripted("first", [0, "wait", 1, "eos", 2, 3, "eos", 4]), Scripted("late", [0, "wait", "eos", 1])
    runner = Runner(BYPASS, on_state=on_state, max_sources=1)
    runner.add(first, annotate=note)
    runner.start()
    assert first.waits.wait(60)
    runner.add(late, annotate=note)
    assert waiting["late"].acquire(timeout=60)
    first.go()
    assert waiting["first"].acquire(timeout=60)
    late.go()
    runner.run()
    assert order == ["first", "first", "late", "first", "first", "late", "first"]


def test_stop_lets_go_of_a_file_that_waits_for_its_turn() -> None:
    states, inside, waiting = States(), Scripted("in", [0, "wait"]), Scripted("waits", [0])
    runner = Runner(BYPASS, on_state=states, max_sources=1)
    runner.add(inside)
    runner.start()
    assert inside.waits.wait(60)
    runner.add(waiting, sinks=[sink := Kept()])
    states.wait_for(SourceState.REJECTED)
    runner.stop()
    runner.run()
    assert (sink.seen, sink.closed) == ([], 1)


@pytest.mark.parametrize("reject_s", [7, None])
def test_what_cannot_be_decoded_is_left_alone_for_so_long(reject_s: float | None) -> None:
    clock, states = FakeClock(), States()
    policy = RestartPolicy(first_s=3, jitter=0, reject_s=reject_s)
    source = Scripted("cam", [UnreadableError("no picture")], [1], restart=policy)
    runner = Runner(BYPASS, clock=clock, on_state=states)
    runner.add(source, sinks=[sink := Kept()])
    runner.start()
    states.wait_for(SourceState.BACKING_OFF if reject_s is None else SourceState.REJECTED)
    clock.wait_for_sleepers(2)
    clock.advance(2.5)
    assert source.opened == 1
    clock.advance((reject_s or 3) - 2.5)
    (status,) = runner.run()
    assert (sink.seen, source.opened, str(status.last_error)) == ([1, "eos"], 2, "no picture")


def test_what_a_source_keeps_back_counts_as_read_and_dropped() -> None:
    source = Scripted("s", range(3))
    source.dropped = Counter(filter=2)  # type: ignore[attr-defined]
    runner = Runner(BYPASS)
    runner.add(source)
    (status,) = runner.run()
    assert (status.read, status.delivered, status.dropped, status.source_dropped) == (5, 3, 2, {"filter": 2})


@pytest.mark.parametrize("bad", [{"timeout_s": 0}, {"check_s": -1}, {"timeout_s": float("nan")}], ids=str)
def test_an_idle_policy_refuses_what_is_no_time(bad: dict[str, float]) -> None:
    with pytest.raises(SpecError, match=f"IdlePolicy.{next(iter(bad))} = "):
        IdlePolicy(**bad)
