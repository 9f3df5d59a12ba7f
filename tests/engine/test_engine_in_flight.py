"""A frame object is in one place at a time: from the send that takes it until it comes out, is dropped or reported."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from engine_kit import bypass_spec, encode_spec, make_frame, make_pixels, send

from picasso.engine import (
    Callbacks,
    ConditionalSpec,
    DropReason,
    GeneralSpec,
    OutputMessage,
    OverflowPolicy,
    PicassoEngine,
    SourceSpec,
)
from picasso.errors import FrameInFlightError, SendTimeoutError, ShutDownError
from picasso.testing import MemoryEncoders, RecordingCallbacks


@pytest.fixture
def held(engine: PicassoEngine, encoders: MemoryEncoders) -> PicassoEngine:
    """An engine whose source ``a`` holds one frame in its encoder."""
    encoders.delay = 1
    engine.set_source_spec("a", encode_spec())
    engine.set_source_spec("b", encode_spec(16, 16))
    return engine


@pytest.mark.parametrize("second", ["a", "b"], ids=["the same source", "another source"])
def test_a_frame_in_flight_is_refused_and_the_error_says_where_it_is(
    held: PicassoEngine, recorder: RecordingCallbacks, second: str
) -> None:
    frame, surface = send(held), make_pixels()
    with pytest.raises(FrameInFlightError) as caught:
        held.send_frame(second, frame, surface)
    assert str(caught.value) == (
        f"frame {frame.uuid} of pts 0 is in flight at source 'a': wait until it comes out, or send frame.copy()"
    )
    assert surface, "the surface is the sender's still"
    held.shutdown()
    assert recorder.pts_ns() == [0]
    assert (frame.width, frame.height) == (32, 32)
    assert held.stats().sources["a"].frames_in == 1


def test_another_engine_refuses_it_too(held: PicassoEngine, make_engine: Callable[..., PicassoEngine]) -> None:
    frame, other = send(held), make_engine()
    with pytest.raises(FrameInFlightError, match="in flight at source 'a'"):
        other.send_frame("c", frame, make_pixels())


def test_copies_go_side_by_side_each_with_its_own_boxes(held: PicassoEngine, recorder: RecordingCallbacks) -> None:
    """One picture to two sources of other sizes."""
    frame = make_frame()
    copy = frame.copy()
    held.send_frame("a", frame, make_pixels())
    held.send_frame("b", copy, make_pixels())
    held.shutdown()
    boxes = {
        output.source_id: output.as_video_frame().get_all_objects()[0].detection_box.as_xcycwh()
        for output in recorder.outputs()
    }
    assert boxes == {"a": (16, 16, 5, 4), "b": (8, 8, 2.5, 2)}


def test_of_many_threads_that_send_one_frame_at_once_one_succeeds(engine: PicassoEngine) -> None:
    """Nothing brings it out in between: the source's callback waits."""
    entered, done = threading.Event(), threading.Event()
    engine.shutdown()

    def wait(_: OutputMessage) -> None:
        entered.set()
        done.wait(20)

    for _ in range(20):
        with PicassoEngine(GeneralSpec(inflight_queue_size=16), Callbacks(on_bypass_frame=wait)) as own:
            own.set_source_spec("a", bypass_spec())
            own.set_source_spec("b", bypass_spec())
            send(own, 0, "a")
            send(own, 0, "b")
            frame, barrier, results = make_frame(1), threading.Barrier(8), []

            def try_it(
                number: int,
                own: PicassoEngine = own,
                frame: object = frame,
                barrier: threading.Barrier = barrier,
                results: list[bool] = results,
            ) -> None:
                barrier.wait()
                try:
                    own.send_frame("ab"[number % 2], frame, make_pixels())  # type: ignore[arg-type]
                except FrameInFlightError:
                    results.append(False)
                else:
                    results.append(True)

            threads = [threading.Thread(target=try_it, args=(number,)) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            done.set()
            assert sorted(results) == [False] * 7 + [True]
        done.clear()


def test_a_callback_may_send_the_frame_that_it_was_given(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    """Bypassed, then encoded by another source: the engine is done with it when it calls."""
    engine.set_source_spec("a", bypass_spec())
    engine.set_source_spec("b", encode_spec())
    recorder.on["on_bypass_frame"] = lambda output: engine.send_frame("b", output.as_video_frame(), output.surface)
    frame = send(engine)
    engine.remove_source_spec("a")
    engine.shutdown()
    assert [(output.source_id, output.as_video_frame()) for output in recorder.outputs()] == [
        ("a", frame),
        ("b", frame),
    ]
    assert recorder.errors() == []


def test_a_callback_before_the_frame_is_done_may_not_send_it(
    engine: PicassoEngine, recorder: RecordingCallbacks
) -> None:
    recorder.on["on_gpumat"] = lambda _, frame, *__: engine.send_frame("b", frame, make_pixels())
    engine.set_source_spec("a", encode_spec(use_on_gpumat=True))
    send(engine)
    recorder.wait_for("on_encoded_frame")
    ((stage, error),) = recorder.errors()
    assert stage == "on_gpumat"
    assert isinstance(error, FrameInFlightError)
    assert recorder.pts_ns() == [0], "it still comes out"


def test_on_error_may_send_the_frame_that_was_lost(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    recorder.on["on_error"] = lambda _id, _stage, _error, frame: engine.send_frame("b", frame, make_pixels())
    engine.set_source_spec("a", encode_spec())
    engine.set_source_spec("b", bypass_spec())
    engine.send_frame("a", frame := make_frame(), make_pixels((32, 32)))
    recorder.wait_for("on_bypass_frame")
    assert [output.as_video_frame() for output in recorder.outputs("b")] == [frame]


GATED = SourceSpec(bypass_spec().codec, ConditionalSpec(encode_attribute=("gate", "open")))


@pytest.mark.parametrize(
    ("spec", "reason"), [(SourceSpec(), DropReason.SPEC), (GATED, DropReason.GATE)], ids=["spec", "gate"]
)
def test_a_frame_that_was_dropped_may_be_sent_again(
    engine: PicassoEngine, spec: SourceSpec, reason: DropReason
) -> None:
    engine.set_source_spec("a", spec)
    frame = make_frame()
    for count in (1, 2):
        engine.send_frame("a", frame, make_pixels())
        engine.set_source_spec("a", spec)
        engine.send_eos("a")
        while engine.stats().sources["a"].dropped[reason] < count:
            threading.Event().wait(0.001)
    assert not frame.is_claimed


@pytest.mark.parametrize("policy", [OverflowPolicy.DROP_OLDEST, OverflowPolicy.DROP_NEWEST])
def test_a_frame_that_a_full_queue_discards_may_be_sent_again(policy: OverflowPolicy) -> None:
    entered, done = threading.Event(), threading.Event()

    def wait(_: OutputMessage) -> None:
        entered.set()
        done.wait(20)

    with PicassoEngine(GeneralSpec(inflight_queue_size=1), Callbacks(on_bypass_frame=wait)) as engine:
        engine.set_source_spec("a", bypass_spec(overflow=policy))
        send(engine, 0)
        assert entered.wait(20)
        first, second = send(engine, 1), send(engine, 2)
        lost, kept = (first, second) if policy is OverflowPolicy.DROP_OLDEST else (second, first)
        assert (lost.is_claimed, kept.is_claimed) == (False, True)
        done.set()
    assert not kept.is_claimed


def test_a_send_that_fails_leaves_the_frame_free(engine: PicassoEngine) -> None:
    """A queue that stays full, a surface that was consumed, an engine that is shut down."""
    entered, done = threading.Event(), threading.Event()

    def wait(_: OutputMessage) -> None:
        entered.set()
        done.wait(20)

    frame = make_frame(9)
    with PicassoEngine(GeneralSpec(inflight_queue_size=1), Callbacks(on_bypass_frame=wait)) as full:
        full.set_source_spec("a", bypass_spec())
        send(full, 0)
        assert entered.wait(20)
        send(full, 1)
        with pytest.raises(SendTimeoutError):
            full.send_frame("a", frame, make_pixels(), timeout=0)
        assert not frame.is_claimed
        done.set()
    with pytest.raises(ShutDownError):
        full.send_frame("a", frame, make_pixels())
    assert not frame.is_claimed


def test_every_output_names_the_source_that_it_was_sent_to(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    """Not the name that the frame has, which may be another."""
    engine.set_source_spec("a", bypass_spec())
    engine.set_source_spec("b", encode_spec())
    for source_id in ("a", "b"):
        engine.send_frame(source_id, make_frame(source_id="camera"), make_pixels())
        engine.send_eos(source_id)
    engine.shutdown()
    kinds = [(output.source_id, output.is_eos) for output in recorder.outputs()]
    assert sorted(kinds) == [("a", False), ("a", True), ("b", False), ("b", True)]
    assert {output.as_video_frame().source_id for output in recorder.outputs() if output.is_video_frame} == {"camera"}
