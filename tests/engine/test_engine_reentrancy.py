"""Callbacks that call the engine back: from every slot, every method, without a deadlock."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from engine_kit import bypass_spec, encode_spec, make_frame, make_pixels, send

from picasso.draw import BoundingBoxDraw, ObjectDraw, ObjectDrawSpec
from picasso.engine import Callbacks, ConditionalSpec, EvictionDecision, PicassoEngine
from picasso.errors import ShutDownError
from picasso.testing import FakeClock, RecordingCallbacks

SLOTS = list(Callbacks.__dataclass_fields__)


def drawn_spec() -> ObjectDrawSpec:
    draw = ObjectDrawSpec()
    draw.insert("detector", "car", ObjectDraw(bounding_box=BoundingBoxDraw()))
    return draw


def provoke(engine: PicassoEngine, recorder: RecordingCallbacks, clock: FakeClock, slot: str) -> None:
    """Have ``slot`` called for source ``a``, on a queue of one frame, and return when it was."""
    if slot == "on_bypass_frame":
        engine.set_source_spec("a", bypass_spec())
    elif slot == "on_gated_frame":
        engine.set_source_spec("a", bypass_spec(conditional=ConditionalSpec(encode_attribute=("gate", "open"))))
    else:
        engine.set_source_spec("a", encode_spec(use_on_render=True, use_on_gpumat=True, draw=drawn_spec()))
    if slot == "on_eviction":
        send(engine, 5)
        recorder.wait_for("on_encoded_frame")
        clock.wait_for_sleepers(1)
        clock.advance(30)
    elif slot == "on_error":
        engine.send_frame("a", make_frame(), make_pixels((32, 32)))
    else:
        send(engine, 5)
        if slot == "on_stream_reset":
            send(engine, 5)
    recorder.wait_for(slot)


ACTIONS: dict[str, Callable[[PicassoEngine], object]] = {
    "send more than the queue holds to itself": lambda engine: [send(engine, 100 + pts) for pts in range(5)],
    "send without pixels to itself": lambda engine: [engine.send_metadata("a", make_frame(pts)) for pts in range(5)],
    "send to another source": lambda engine: [send(engine, pts, "b") for pts in range(5)],
    "set its own spec": lambda engine: engine.set_source_spec("a", bypass_spec()),
    "set another spec": lambda engine: engine.set_source_spec("b", bypass_spec()),
    "send its own end of stream": lambda engine: engine.send_eos("a"),
    "ask for a keyframe": lambda engine: engine.request_keyframe("a"),
    "remove itself": lambda engine: engine.remove_source_spec("a"),
    "remove itself and send": lambda engine: (engine.remove_source_spec("a"), send(engine, 0)),
    "remove another source": lambda engine: engine.remove_source_spec("b"),
    "ask for stats": lambda engine: engine.stats(),
    "shut down": lambda engine: engine.shutdown(),
}


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS.keys())
@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.skia
def test_every_callback_may_call_everything(
    make_engine: Callable[..., PicassoEngine],
    recorder: RecordingCallbacks,
    clock: FakeClock,
    slot: str,
    action: Callable[[PicassoEngine], object],
) -> None:
    first, done, raised = iter([True]), threading.Event(), []

    def call_back(*_: object) -> EvictionDecision | None:
        if next(first, False):
            try:
                action(engine)
            except Exception as error:  # noqa: BLE001
                raised.append(error)
            done.set()
        return EvictionDecision.terminate() if slot == "on_eviction" else None

    recorder.on[slot] = call_back
    engine = make_engine(*(each for each in SLOTS if each != "on_eviction" or slot == each))
    provoke(engine, recorder, clock, slot)
    assert done.wait(10)
    engine.shutdown()
    assert raised == []


def test_what_a_callback_sends_is_processed(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks
) -> None:
    """A callback fills the queue of its own source beyond capacity; everything comes out, in order."""
    engine = make_engine(inflight_queue_size=1)
    once = iter([True])

    def on_bypass_frame(_: object) -> None:
        if next(once, False):
            for pts in range(1, 50):
                send(engine, pts)

    recorder.on["on_bypass_frame"] = on_bypass_frame
    engine.set_source_spec("a", bypass_spec())
    send(engine, 0)
    recorder.wait_for("on_bypass_frame", 50)
    assert recorder.pts_ns() == list(range(50))


def test_two_sources_that_feed_each_other_do_not_deadlock(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks
) -> None:
    engine = make_engine(inflight_queue_size=1)
    other = {"a": "b", "b": "a"}

    def pass_on(output: object) -> None:
        frame = output.as_video_frame()  # type: ignore[attr-defined]
        if frame.pts < 100:
            send(engine, frame.pts + 1, other[frame.source_id])

    recorder.on["on_bypass_frame"] = pass_on
    for source_id in other:
        engine.set_source_spec(source_id, bypass_spec())
    for source_id in other:
        send(engine, 0, source_id)
        send(engine, 0, source_id)
    recorder.wait_for("on_bypass_frame", 4 * 101)
    assert recorder.errors() == []


def test_two_sources_that_remove_each_other_do_not_deadlock(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks
) -> None:
    engine = make_engine()
    both, all_three = threading.Barrier(2, timeout=10), threading.Barrier(3, timeout=10)

    def remove_other(output: object) -> None:
        both.wait()
        engine.remove_source_spec({"a": "b", "b": "a"}[output.as_video_frame().source_id])  # type: ignore[attr-defined]
        all_three.wait()

    recorder.on["on_bypass_frame"] = remove_other
    for source_id in "ab":
        engine.set_source_spec(source_id, bypass_spec())
        send(engine, 0, source_id)
    all_three.wait()
    engine.shutdown()
    assert recorder.errors() == []


def test_after_a_shutdown_in_a_callback_the_frames_sent_before_still_come_out(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks
) -> None:
    engine, queued = make_engine(), threading.Event()
    refused = []

    def shut_down(output: object) -> None:
        if not refused:
            assert queued.wait(10)
            engine.shutdown()
            with pytest.raises(ShutDownError) as caught:
                send(engine, 9)
            refused.append(caught.value)

    recorder.on["on_bypass_frame"] = shut_down
    engine.set_source_spec("a", bypass_spec())
    for pts in range(4):
        send(engine, pts)
    queued.set()
    engine.shutdown()
    assert recorder.pts_ns() == [0, 1, 2, 3]
    assert len(refused) == 1
    assert recorder.errors() == []


def test_a_removed_source_sent_to_from_its_own_callback_begins_anew_after_the_old_thread_has_ended(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks
) -> None:
    engine = make_engine()
    running: list[str] = []

    def on_bypass_frame(output: object) -> None:
        running.append("in")
        assert running.count("in") - running.count("out") == 1, "never two calls at once for one source"
        if output.as_video_frame().pts == 0:  # type: ignore[attr-defined]
            engine.remove_source_spec("a")
            engine.set_source_spec("a", bypass_spec())
            send(engine, 10)
        running.append("out")

    recorder.on["on_bypass_frame"] = on_bypass_frame
    engine.set_source_spec("a", bypass_spec())
    send(engine, 0)
    recorder.wait_for("on_bypass_frame", 2)
    engine.shutdown()
    assert recorder.pts_ns() == [0, 10]
    assert recorder.errors() == []
