"""Back-pressure, overflow, slow callbacks, many threads: who waits for whom, and what is lost."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import pytest
from engine_kit import bypass_spec, encode_spec, make_frame, make_pixels, send

from picasso.engine import DropReason, GeneralSpec, PicassoEngine
from picasso.errors import SendTimeoutError
from picasso.testing import FakeClock, RecordingCallbacks


class Gate:
    """A callback that waits in its first call until the test opens it."""

    def __init__(self) -> None:
        self.entered, self.opened = threading.Event(), threading.Event()

    def __call__(self, *_: object) -> None:
        self.entered.set()
        assert self.opened.wait(10)


@pytest.fixture
def gate(recorder: RecordingCallbacks) -> Gate:
    """The gate in ``on_bypass_frame``."""
    gate = recorder.on["on_bypass_frame"] = Gate()
    return gate


def occupy(engine: PicassoEngine, gate: Gate, overflow: str = "block") -> None:
    """Have source ``a`` wait in its callback for the frame of pts 0, its queue of one empty."""
    engine.set_source_spec("a", bypass_spec(overflow=overflow))
    send(engine, 0)
    assert gate.entered.wait(10)


def test_a_full_queue_holds_up_its_own_sender_only(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks, clock: FakeClock, gate: Gate
) -> None:
    engine = make_engine(inflight_queue_size=1)
    occupy(engine, gate)
    send(engine, 1)
    blocked = threading.Thread(target=send, args=(engine, 2), kwargs={"timeout": 3600})
    blocked.start()
    clock.wait_for_sleepers(1)
    engine.set_source_spec("b", encode_spec())
    for pts in range(20):
        send(engine, pts, "b")
    engine.remove_source_spec("b")
    assert recorder.pts_ns("b") == list(range(20)), "another source goes on"
    engine.send_eos("a")
    engine.set_source_spec("a", bypass_spec())
    assert engine.stats().sources["a"].queue_depth == 1
    assert blocked.is_alive()
    gate.opened.set()
    blocked.join(10)
    engine.shutdown()
    assert sorted(recorder.pts_ns("a"), key=str) == [0, 1, 2, None]
    assert recorder.pts_ns("a")[:2] == [0, 1]


def test_a_sender_that_gives_up_keeps_its_surface(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks, gate: Gate
) -> None:
    engine = make_engine(inflight_queue_size=1)
    occupy(engine, gate)
    send(engine, 1)
    surface, frame = make_pixels(), make_frame(2)
    with pytest.raises(SendTimeoutError, match="source 'a': the queue of 1 frames stayed full for 0 s"):
        engine.send_frame("a", frame, surface, timeout=0)
    assert surface, "not consumed"
    gate.opened.set()
    engine.send_frame("a", frame, surface)
    assert not surface
    engine.shutdown()
    assert recorder.pts_ns() == [0, 1, 2]
    assert engine.stats().sources["a"].frames_in == 3


def test_a_timeout_is_kept_by_the_clock(
    make_engine: Callable[..., PicassoEngine], clock: FakeClock, gate: Gate
) -> None:
    engine, errors = make_engine(inflight_queue_size=1), []
    occupy(engine, gate)
    send(engine, 1)

    def give_up() -> None:
        with pytest.raises(SendTimeoutError) as caught:
            send(engine, 2, timeout=2.5)
        errors.append(str(caught.value))

    sender = threading.Thread(target=give_up)
    sender.start()
    clock.wait_for_sleepers(1)
    clock.advance(2.5)
    sender.join(10)
    gate.opened.set()
    assert errors == ["source 'a': the queue of 1 frames stayed full for 2.5 s"]


@pytest.mark.parametrize("timeout", [-1, float("nan")], ids=str)
def test_a_timeout_is_not_negative(engine: PicassoEngine, timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout"):
        send(engine, timeout=timeout)
    with pytest.raises(ValueError, match="timeout"):
        engine.shutdown(timeout=timeout)


@pytest.mark.parametrize(
    ("overflow", "delivered"), [("drop_oldest", [0, 8, 9]), ("drop_newest", [0, 1, 2])], ids=["oldest", "newest"]
)
def test_an_overflow_policy_drops_and_counts_instead_of_waiting(
    make_engine: Callable[..., PicassoEngine],
    recorder: RecordingCallbacks,
    gate: Gate,
    overflow: str,
    delivered: list[int],
) -> None:
    engine = make_engine(inflight_queue_size=2)
    occupy(engine, gate, overflow)
    for pts in range(1, 10):
        send(engine, pts)
    gate.opened.set()
    engine.shutdown()
    stats = engine.stats().sources["a"]
    assert recorder.pts_ns() == delivered
    assert (stats.frames_in, stats.frames_out, stats.dropped[DropReason.OVERFLOW]) == (10, 3, 7)
    assert recorder.errors() == []


def test_the_newest_policy_holds_for_sends_after_it_was_set(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks, gate: Gate
) -> None:
    engine = make_engine(inflight_queue_size=1)
    occupy(engine, gate)
    send(engine, 1)
    engine.set_source_spec("a", bypass_spec(overflow="drop_newest"))
    send(engine, 2)
    gate.opened.set()
    engine.shutdown()
    assert recorder.pts_ns() == [0, 1]


def test_slow_callbacks_lose_nothing(make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks) -> None:
    """The sender is ahead by the queue and no more; every frame and the sentinel arrive."""
    engine = make_engine(inflight_queue_size=2)
    turns = threading.Semaphore(0)
    recorder.on["on_bypass_frame"] = lambda _: turns.acquire(timeout=10)
    engine.set_source_spec("a", bypass_spec())
    sent = []

    def feed() -> None:
        for pts in range(5):
            send(engine, pts)
            sent.append(pts)
        engine.send_eos("a")

    feeder = threading.Thread(target=feed)
    feeder.start()
    for count in range(1, 7):
        recorder.wait_for("on_bypass_frame", count)
        assert len(sent) <= count + 2
        turns.release()
    feeder.join(10)
    engine.shutdown()
    assert recorder.pts_ns() == [0, 1, 2, 3, 4, None]


@pytest.mark.parametrize("error", [ValueError("told to"), SystemExit(3), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("spec", [bypass_spec(), encode_spec()], ids=["bypass", "encode"])
def test_a_callback_that_raises_stops_nothing(
    engine: PicassoEngine, recorder: RecordingCallbacks, spec: object, error: BaseException
) -> None:
    def fail(*_: object) -> None:
        raise error

    recorder.on["on_bypass_frame"] = recorder.on["on_encoded_frame"] = fail
    engine.set_source_spec("a", spec)
    frames = [send(engine, pts) for pts in range(3)]
    engine.send_eos("a")
    engine.shutdown()
    assert recorder.pts_ns() == [0, 1, 2, None]
    reports = recorder.calls("on_error")
    assert [call.arguments[2] for call in reports] == [error] * 4
    assert [call.arguments[3] for call in reports] == [*frames, None]
    assert engine.stats().sources["a"].frames_out == 3


def test_an_on_error_that_raises_stops_nothing_and_is_logged(
    engine: PicassoEngine, recorder: RecordingCallbacks, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("on_error itself")

    recorder.on["on_error"] = fail
    engine.set_source_spec("a", encode_spec())
    engine.send_frame("a", make_frame(0), make_pixels((32, 32)))
    send(engine, 1)
    engine.shutdown()
    assert recorder.pts_ns() == [1]
    assert "source 'a': on_error raised" in caplog.text


def test_without_on_error_errors_are_logged_ever_more_rarely(
    make_engine: Callable[..., PicassoEngine], caplog: pytest.LogCaptureFixture
) -> None:
    engine = make_engine("on_encoded_frame", name="cameras")
    engine.set_source_spec("a", encode_spec())
    for pts in range(9):
        engine.send_frame("a", make_frame(pts), make_pixels((32, 32)))
    engine.shutdown()
    assert [record.getMessage() for record in caplog.records] == [
        f"cameras: source 'a': error no. {count} at stage input" for count in (1, 2, 4, 8)
    ]
    assert engine.stats().sources["a"].errors == {"input": 9}


def test_a_log_handler_that_raises_stops_nothing(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks
) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OSError("disk full")

    logger, handler = logging.getLogger("picasso.engine"), Broken()
    logger.addHandler(handler)
    try:
        engine = make_engine("on_encoded_frame")
        engine.set_source_spec("a", encode_spec())
        engine.send_frame("a", make_frame(0), make_pixels((32, 32)))
        send(engine, 1)
        engine.shutdown()
    finally:
        logger.removeHandler(handler)
    assert recorder.pts_ns() == [1]


def test_two_threads_that_feed_one_source_keep_their_own_order(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks
) -> None:
    engine = make_engine(inflight_queue_size=2)
    engine.set_source_spec("a", bypass_spec())

    def feed(first: int) -> None:
        for pts in range(first, 600, 2):
            send(engine, pts)

    threads = [threading.Thread(target=feed, args=(first,)) for first in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    engine.shutdown()
    got = [pts for pts in recorder.pts_ns() if pts is not None]
    assert len(got) == 600
    for first in (0, 1):
        assert [pts for pts in got if pts % 2 == first] == list(range(first, 600, 2))


def test_two_threads_that_bring_one_source_to_life_meet_at_one_worker(recorder: RecordingCallbacks) -> None:
    for _ in range(50):
        with PicassoEngine(GeneralSpec(), recorder.callbacks()) as engine:
            start = threading.Barrier(2, timeout=10)

            def feed(engine: PicassoEngine = engine, start: threading.Barrier = start) -> None:
                start.wait()
                send(engine)

            threads = [threading.Thread(target=feed) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(10)
        assert engine.stats().sources["a"].frames_in == 2


def test_every_frame_is_accounted_for(make_engine: Callable[..., PicassoEngine]) -> None:
    engine = make_engine("on_bypass_frame")
    for spec in (bypass_spec(), encode_spec(), bypass_spec(overflow="drop_oldest")):
        engine.set_source_spec("a", spec)
        for pts in range(10):
            send(engine, pts)
    engine.shutdown()
    stats = engine.stats().sources["a"]
    assert stats.frames_in == 30 == stats.frames_out + sum(stats.dropped.values())
