"""Idle sources: when they are asked about, what each answer does, and that they come back."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from engine_kit import bypass_spec, encode_spec, picasso_threads, send

from picasso.engine import EvictionDecision, GeneralSpec, IdleTimeout, PicassoEngine, SourceSpec
from picasso.testing import FakeClock, MemoryEncoders, RecordingCallbacks

SPECS = {"drop": SourceSpec(), "bypass": bypass_spec(), "encode": encode_spec()}


def wait_until_gone(source_id: str) -> None:
    for thread in threading.enumerate():
        if thread.name == f"picasso-{source_id}":
            thread.join(10)
            assert not thread.is_alive()


def let_idle(clock: FakeClock, seconds: float, sleepers: int = 1) -> None:
    clock.wait_for_sleepers(sleepers)
    clock.advance(seconds)


@pytest.mark.parametrize("mode", SPECS)
def test_without_a_callback_an_idle_source_terminates_with_a_sentinel(
    engine: PicassoEngine, recorder: RecordingCallbacks, clock: FakeClock, mode: str
) -> None:
    engine.set_source_spec("a", SPECS[mode])
    let_idle(clock, 30)
    recorder.wait_until(lambda calls: any(call.is_sentinel for call in calls))
    wait_until_gone("a")
    assert [call.is_sentinel for call in recorder.calls()] == [True]
    assert recorder.calls()[0].slot == ("on_bypass_frame" if mode == "bypass" else "on_encoded_frame")


def test_terminate_delivers_what_the_encoder_holds_before_the_sentinel(
    make_engine: Callable[..., PicassoEngine],
    recorder: RecordingCallbacks,
    clock: FakeClock,
    encoders: MemoryEncoders,
) -> None:
    encoders.delay = 2
    recorder.on["on_eviction"] = lambda _: EvictionDecision.terminate()
    engine = make_engine(idle_timeout_secs=1)
    engine.set_source_spec("a", encode_spec())
    for pts in range(3):
        send(engine, pts)
    recorder.wait_for("on_encoded_frame", 1)
    let_idle(clock, 1)
    recorder.wait_until(lambda calls: any(call.is_sentinel for call in calls))
    assert recorder.pts_ns() == [0, 1, 2, None]
    assert [call.source_id for call in recorder.calls("on_eviction")] == ["a"]


def test_terminate_immediately_gives_no_sentinel_and_reports_what_the_encoder_held(
    make_engine: Callable[..., PicassoEngine],
    recorder: RecordingCallbacks,
    clock: FakeClock,
    encoders: MemoryEncoders,
) -> None:
    encoders.delay = 2
    recorder.on["on_eviction"] = lambda _: EvictionDecision.terminate_immediately()
    engine = make_engine(idle_timeout_secs=1)
    engine.set_source_spec("a", encode_spec())
    frames = [send(engine, pts) for pts in range(3)]
    recorder.wait_for("on_encoded_frame", 1)
    let_idle(clock, 1)
    recorder.wait_for("on_error", 2)
    wait_until_gone("a")
    assert recorder.pts_ns() == [0]
    assert [call.arguments[3] for call in recorder.calls("on_error")] == frames[1:]
    assert {stage for stage, _ in recorder.errors()} == {"flush"}
    assert (frames[2].width, frames[2].height) == (64, 48), "a lost frame has its geometry back"


def test_keep_for_holds_once(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks, clock: FakeClock
) -> None:
    decisions = iter([EvictionDecision.keep_for(5), EvictionDecision.terminate()])
    recorder.on["on_eviction"] = lambda _: next(decisions)
    engine = make_engine(idle_timeout_secs=1)
    engine.set_source_spec("a", SPECS["encode"])
    let_idle(clock, 1)
    recorder.wait_for("on_eviction", 1)
    let_idle(clock, 4.9)
    clock.wait_for_sleepers(1)
    assert len(recorder.calls("on_eviction")) == 1
    clock.advance(0.1)
    wait_until_gone("a")
    assert len(recorder.calls("on_eviction")) == 2
    assert sum(call.is_sentinel for call in recorder.calls("on_encoded_frame")) == 1


def test_a_message_ends_what_keep_for_gave(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks, clock: FakeClock
) -> None:
    decisions = iter([EvictionDecision.keep_for(100), EvictionDecision.terminate()])
    recorder.on["on_eviction"] = lambda _: next(decisions)
    engine = make_engine(idle_timeout_secs=1)
    engine.set_source_spec("a", SPECS["bypass"])
    let_idle(clock, 1)
    recorder.wait_for("on_eviction", 1)
    clock.wait_for_sleepers(1)
    send(engine)
    recorder.wait_for("on_bypass_frame", 1)
    let_idle(clock, 1)
    wait_until_gone("a")
    assert len(recorder.calls("on_eviction")) == 2


@pytest.mark.parametrize("message", ["frame", "eos", "spec"])
def test_any_message_restarts_the_idle_time(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks, clock: FakeClock, message: str
) -> None:
    recorder.on["on_eviction"] = lambda _: EvictionDecision.terminate()
    engine = make_engine(idle_timeout_secs=2)
    engine.set_source_spec("a", SPECS["bypass"])
    let_idle(clock, 1.5)
    clock.wait_for_sleepers(1)
    if message == "frame":
        send(engine)
        recorder.wait_for("on_bypass_frame", 1)
    elif message == "eos":
        engine.send_eos("a")
        recorder.wait_for("on_bypass_frame", 1)
    else:
        engine.set_source_spec("a", SPECS["drop"])
        recorder.wait_for("on_stream_reset", 1)
    let_idle(clock, 1.5)
    clock.wait_for_sleepers(1)
    assert recorder.calls("on_eviction") == []
    clock.advance(0.5)
    recorder.wait_for("on_eviction", 1)


@pytest.mark.parametrize(
    "answer", [None, "terminate", 1 / 3, ZeroDivisionError("told to")], ids=["None", "text", "number", "exception"]
)
def test_no_decision_is_reported_and_means_terminate(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks, clock: FakeClock, answer: object
) -> None:
    def on_eviction(_: str) -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    recorder.on["on_eviction"] = on_eviction
    engine = make_engine(idle_timeout_secs=1)
    engine.set_source_spec("a", SPECS["bypass"])
    let_idle(clock, 1)
    wait_until_gone("a")
    assert [stage for stage, _ in recorder.errors()] == ["on_eviction"]
    assert recorder.pts_ns() == [None]


def test_only_the_source_whose_own_timeout_is_short_is_evicted(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks, clock: FakeClock
) -> None:
    recorder.on["on_eviction"] = lambda _: EvictionDecision.terminate()
    engine = make_engine(idle_timeout_secs=60)
    engine.set_source_spec("short", bypass_spec(idle_timeout_secs=1))
    engine.set_source_spec("long", bypass_spec())
    let_idle(clock, 5, sleepers=2)
    wait_until_gone("short")
    assert [call.source_id for call in recorder.calls("on_eviction")] == ["short"]
    assert sorted(picasso_threads()) == ["picasso-long", "picasso-watchdog"]


def test_an_evicted_source_comes_back_with_its_spec_on_the_next_frame(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks, clock: FakeClock
) -> None:
    engine = make_engine(idle_timeout_secs=1)
    engine.set_source_spec("a", encode_spec())
    send(engine, 7)
    recorder.wait_for("on_encoded_frame", 1)
    let_idle(clock, 1)
    wait_until_gone("a")
    send(engine, 3)
    engine.shutdown()
    assert recorder.pts_ns() == [7, None, 3]
    assert recorder.calls("on_stream_reset") == [], "a new stream may begin at any time"
    assert engine.stats().sources["a"].frames_out == 2


def test_a_removed_source_comes_back_with_the_default_spec(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    engine.set_source_spec("a", SPECS["bypass"])
    send(engine, 0)
    engine.remove_source_spec("a")
    assert recorder.pts_ns() == [0]
    assert picasso_threads() == ["picasso-watchdog"]
    send(engine, 1)
    engine.shutdown()
    assert recorder.pts_ns() == [0]
    assert engine.stats().sources["a"].frames_in == 1, "its counters were forgotten too"


def test_a_spec_can_be_set_again_after_eviction(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks, clock: FakeClock
) -> None:
    engine = make_engine(idle_timeout_secs=1)
    engine.set_source_spec("a", SPECS["drop"])
    let_idle(clock, 3)
    wait_until_gone("a")
    engine.set_source_spec("a", SPECS["bypass"])
    send(engine, 1)
    engine.shutdown()
    assert recorder.pts_ns() == [None, 1]


@pytest.mark.parametrize("decision", [EvictionDecision.terminate(), EvictionDecision.terminate_immediately()], ids=repr)
def test_what_arrives_while_eviction_decides_is_not_lost(
    make_engine: Callable[..., PicassoEngine],
    recorder: RecordingCallbacks,
    clock: FakeClock,
    decision: EvictionDecision,
) -> None:
    engine = make_engine("on_eviction", "on_encoded_frame", "on_error", idle_timeout_secs=1)

    def on_eviction(_: str) -> EvictionDecision:
        send(engine, 1)
        send(engine, 2)
        return decision

    recorder.on["on_eviction"] = on_eviction
    engine.set_source_spec("a", encode_spec())
    send(engine, 5)
    recorder.wait_for("on_encoded_frame", 1)
    let_idle(clock, 1)
    recorder.wait_until(lambda calls: [call.slot for call in calls].count("on_encoded_frame") >= 3)
    engine.shutdown()
    sentinel = [None] if decision.drains else []
    assert recorder.pts_ns() == [5, *sentinel, 1, 2], "the decision holds, then a new stream begins"
    assert recorder.errors() == []


def test_none_keeps_the_timeout_of_a_running_source_and_the_default_has_a_name(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks, clock: FakeClock
) -> None:
    recorder.on["on_eviction"] = lambda _: EvictionDecision.keep_for(1000)
    engine = make_engine(idle_timeout_secs=60)
    engine.set_source_spec("a", bypass_spec(idle_timeout_secs=1))
    engine.set_source_spec("a", bypass_spec())
    send(engine)
    recorder.wait_for("on_bypass_frame")
    let_idle(clock, 1)
    recorder.wait_for("on_eviction", 1)
    engine.set_source_spec("a", bypass_spec(idle_timeout_secs=IdleTimeout.ENGINE_DEFAULT))
    send(engine)
    recorder.wait_for("on_bypass_frame", 2)
    let_idle(clock, 59)
    clock.wait_for_sleepers(1)
    assert len(recorder.calls("on_eviction")) == 1
    clock.advance(1)
    recorder.wait_for("on_eviction", 2)


def test_a_thousand_sources_come_and_go(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks, clock: FakeClock
) -> None:
    engine = make_engine("on_bypass_frame", idle_timeout_secs=1)
    for batch in range(50):
        for number in range(20):
            engine.set_source_spec(f"{batch}-{number}", bypass_spec())
            send(engine, source_id=f"{batch}-{number}")
        recorder.wait_for("on_bypass_frame", 40 * batch + 20)
        let_idle(clock, 1, sleepers=20)
        recorder.wait_for("on_bypass_frame", 40 * batch + 40)
        for number in range(20):
            wait_until_gone(f"{batch}-{number}")
    assert picasso_threads() == ["picasso-watchdog"]
    assert len(engine.stats().sources) == 1000


def test_the_sources_that_ended_first_are_forgotten_first(
    engine: PicassoEngine, recorder: RecordingCallbacks, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source that came back ends again; one that is forgotten comes back without its spec."""
    monkeypatch.setattr("picasso.engine.runtime.core.MAX_REMEMBERED", 3)
    remembered = []
    for name in "abcdbe":
        if name not in engine.stats().sources:
            engine.set_source_spec(name, bypass_spec())
        send(engine, source_id=name)
        recorder.wait_until(lambda calls: bool(calls) and not calls[-1].is_sentinel)
        let_idle(clock, 30)
        recorder.wait_until(lambda calls: calls[-1].is_sentinel)
        wait_until_gone(name)
        remembered.append("".join(engine.stats().sources))
    assert remembered == ["a", "ab", "abc", "bcd", "cdb", "dbe"]
    send(engine, source_id="a")
    send(engine, source_id="b")
    engine.shutdown()
    stats = engine.stats().sources
    assert (stats["a"].frames_out, stats["b"].frames_out) == (0, 3)


def test_frames_that_race_with_eviction_all_come_out_in_order(recorder: RecordingCallbacks) -> None:
    """Real time and an idle time so short that the source ends and comes back again and again."""
    with PicassoEngine(GeneralSpec(idle_timeout_secs=1e-6), recorder.callbacks()) as engine:
        engine.set_source_spec("a", bypass_spec())
        for pts in range(2000):
            send(engine, pts)
    frames = [pts for pts in recorder.pts_ns() if pts is not None]
    assert frames == list(range(2000))
    assert recorder.errors() == []
    assert len(recorder.pts_ns()) > len(frames), "it was evicted in between"


def test_removals_that_race_with_frames_end_with_nothing_in_between(recorder: RecordingCallbacks) -> None:
    """Each frame is delivered under its own spec, or dropped by the default one; none vanishes."""
    stop = threading.Event()
    with PicassoEngine(GeneralSpec(), recorder.callbacks("on_bypass_frame", "on_error")) as engine:

        def churn() -> None:
            while not stop.is_set():
                engine.set_source_spec("a", bypass_spec())
                engine.remove_source_spec("a")

        churner = threading.Thread(target=churn)
        churner.start()
        for pts in range(500):
            send(engine, pts)
        stop.set()
        churner.join(10)
        assert not churner.is_alive()
    frames = [pts for pts in recorder.pts_ns() if pts is not None]
    assert frames == sorted(set(frames))
    assert recorder.errors() == []
