"""Frames that go through without pixels or with a payload, the step a source is in, and the observer of steps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import pytest
from engine_kit import HEIGHT, WIDTH, bypass_spec, encode_spec, make_frame, make_pixels, send

from picasso.encode import Codec
from picasso.engine import (
    CodecSpec,
    ConditionalSpec,
    DropReason,
    ErrorStage,
    GeneralSpec,
    OutputMessage,
    OverflowPolicy,
    PicassoEngine,
    SourceSpec,
    Step,
)
from picasso.errors import FrameInFlightError, SendTimeoutError, ShutDownError, SpecError
from picasso.primitives import (
    Orientation,
    VideoFrame,
    VideoFrameContent,
    VideoFrameTranscodingMethod,
    VideoFrameTransformation,
)
from picasso.testing import FakeClock, MemoryEncoders, RecordingCallbacks

PASS = SourceSpec(codec=CodecSpec.pass_through())
GATE = ConditionalSpec(encode_attribute=("gate", "open"))
SPECS = {"encode": encode_spec(), "bypass": bypass_spec(), "pass_through": PASS, "drop": SourceSpec()}
OUTLETS = {"encode": "on_encoded_frame", "bypass": "on_bypass_frame", "pass_through": "on_encoded_frame"}


def opened(pts: int) -> VideoFrame:
    frame = make_frame(pts)
    frame.set_persistent_attribute("gate", "open")
    return frame


def kinds(recorder: RecordingCallbacks) -> list[tuple[int, bool]]:
    """Timestamps of the frames that came out, and whether each came as metadata only."""
    frames = [output for output in recorder.outputs() if output.is_video_frame]
    return [(output.as_video_frame().pts, output.is_metadata_only) for output in frames]


# Metadata


@pytest.mark.parametrize("delay", [0, 1, 3])
def test_metadata_comes_out_between_the_frames_it_was_sent_between(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders, delay: int
) -> None:
    encoders.delay = delay
    engine.set_source_spec("a", encode_spec())
    for pts in range(8):
        if pts % 3 == 1:
            engine.send_metadata("a", make_frame(pts))
        else:
            send(engine, pts)
    engine.send_eos("a")
    engine.shutdown()
    assert kinds(recorder) == [(pts, pts % 3 == 1) for pts in range(8)]
    assert recorder.outputs()[-1].is_eos
    assert recorder.errors() == []
    stats = engine.stats().sources["a"]
    assert (stats.frames_in, stats.frames_out, stats.queue_depth) == (8, 8, 0)


@pytest.mark.parametrize("mode", OUTLETS)
def test_metadata_comes_out_as_it_was_sent_at_the_callback_of_the_mode(
    engine: PicassoEngine, recorder: RecordingCallbacks, mode: str
) -> None:
    frame = make_frame(7)
    frame.add_transformation(VideoFrameTransformation.padding(1, 2, 3, 4))
    frame.content = VideoFrameContent.external("file", "clip.mp4")
    before = frame.json
    engine.set_source_spec("a", SPECS[mode].replace(conditional=GATE))
    engine.send_metadata("a", frame)
    engine.shutdown()
    (call,) = recorder.calls()
    (output,) = call.arguments
    assert call.slot == OUTLETS[mode]
    assert (output.is_metadata_only, output.source_id, output.surface, output.placement) == (True, "a", None, None)
    assert output.as_video_frame() is frame
    assert frame.json == before
    assert output.source_transformations == tuple(frame.transformations)
    assert not frame.is_claimed


def test_a_source_that_drops_frames_drops_metadata_and_says_so(
    engine: PicassoEngine, recorder: RecordingCallbacks
) -> None:
    frame = make_frame()
    engine.send_metadata("a", frame)
    engine.shutdown()
    assert recorder.calls() == []
    assert not frame.is_claimed
    assert engine.stats().sources["a"].dropped[DropReason.SPEC] == 1


def test_metadata_survives_an_encoder_that_fails(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders
) -> None:
    encoders.delay, encoders.fails_on = 2, frozenset({1})
    engine.set_source_spec("a", encode_spec())
    send(engine, 0)
    engine.send_metadata("a", make_frame(1))
    send(engine, 2)
    engine.shutdown()
    assert kinds(recorder) == [(1, True)]
    assert [stage for stage, _ in recorder.errors()] == ["flush", "encode"]
    slots = [call.slot for call in recorder.calls("on_error", "on_encoded_frame")]
    assert slots == ["on_error", "on_encoded_frame", "on_error"], "the frame before it is reported first"


@pytest.mark.parametrize("method", ["send_metadata", "send_payload"])
def test_frames_without_pixels_are_claimed_counted_and_refused_as_others_are(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks, method: str
) -> None:
    engine = make_engine(inflight_queue_size=1)
    entered, may_go = threading.Event(), threading.Event()

    def wait(_output: OutputMessage) -> None:
        entered.set()
        may_go.wait()

    def hand_over(frame: VideoFrame, **keywords: Any) -> None:
        rest = (b"coded",) if method == "send_payload" else ()
        getattr(engine, method)("a", frame, *rest, **keywords)

    recorder.on["on_encoded_frame"] = wait
    engine.set_source_spec("a", PASS)
    frames = [make_frame(pts) for pts in range(3)]
    hand_over(frames[0])
    assert entered.wait(10)
    hand_over(frames[1])
    with pytest.raises(FrameInFlightError, match="in flight at source 'a'"):
        hand_over(frames[1])
    with pytest.raises(SendTimeoutError, match="queue of 1 frames stayed full"):
        hand_over(frames[2], timeout=0)
    assert [frame.is_claimed for frame in frames] == [False, True, False]
    engine.set_source_spec("a", PASS.replace(overflow=OverflowPolicy.DROP_OLDEST))
    hand_over(frames[2])
    may_go.set()
    engine.shutdown()
    assert recorder.pts_ns() == [0, 2]
    assert engine.stats().sources["a"].dropped[DropReason.OVERFLOW] == 1
    with pytest.raises(ShutDownError):
        hand_over(frames[0])


# Gated frames


@pytest.mark.parametrize("mode", SPECS)
def test_what_the_gate_holds_back_is_handed_on_in_its_place(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks, encoders: MemoryEncoders, mode: str
) -> None:
    encoders.delay = 1
    engine = make_engine("on_encoded_frame", "on_bypass_frame", "on_gated_frame", "on_error")
    engine.set_source_spec("a", SPECS[mode].replace(conditional=GATE))
    for pts in range(6):
        frame = opened(pts) if pts % 2 else make_frame(pts)
        frame.content = VideoFrameContent.internal(b"coded")
        engine.send_frame("a", frame, make_pixels())
    engine.shutdown()
    expected = [(pts, pts % 2 == 0) for pts in range(6) if mode != "drop" or pts % 2 == 0]
    assert kinds(recorder) == expected
    gated = [call.arguments[0].as_video_frame() for call in recorder.calls("on_gated_frame")]
    assert [(frame.pts, frame.width, frame.height) for frame in gated] == [(pts, WIDTH, HEIGHT) for pts in (0, 2, 4)]
    assert all(frame.get_detections().xywha[0, :4].tolist() == [32, 24, 10, 8] for frame in gated)
    stats = engine.stats().sources["a"]
    assert stats.dropped[DropReason.GATE] == 0
    assert stats.frames_out == len(expected)


def test_a_gated_frame_gives_its_pixels_back_before_it_is_handed_on(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks, encoders: MemoryEncoders
) -> None:
    encoders.delay = 9
    engine = make_engine("on_encoded_frame", "on_gated_frame")
    engine.set_source_spec("a", encode_spec(conditional=GATE))
    freed = SimpleQueue[str]()

    class Pixels:
        """An array's memory that says when it goes."""

        def __init__(self) -> None:
            self.array = make_pixels().planes[0]
            self.__array_interface__ = self.array.__array_interface__

        def __del__(self) -> None:
            freed.put("freed")

    import numpy as np

    engine.send_frame("a", opened(0), make_pixels())
    engine.send_frame("a", make_frame(1), np.asarray(Pixels()))
    assert freed.get(timeout=10) == "freed"
    assert recorder.calls() == [], "it waits behind the frame in the encoder"
    engine.shutdown()
    assert kinds(recorder) == [(0, False), (1, True)]


def test_a_callback_for_gated_frames_that_raises_is_reported_under_its_name(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks
) -> None:
    recorder.on["on_gated_frame"] = lambda _: 1 / 0
    engine = make_engine()
    engine.set_source_spec("a", bypass_spec(conditional=GATE))
    send(engine)
    engine.shutdown()
    ((stage, error),) = recorder.errors()
    assert (stage, type(error)) == (ErrorStage.ON_GATED_FRAME, ZeroDivisionError)
    assert engine.stats().sources["a"].frames_out == 1


# Payloads


def test_a_payload_passes_through_with_boxes_of_the_coded_picture_and_times_as_they_are(
    engine: PicassoEngine, recorder: RecordingCallbacks
) -> None:
    frame = make_frame()
    frame.time_base, frame.pts, frame.dts, frame.duration = (1, 90_000), 3003, 0, 3003
    frame.turn(Orientation(90))
    chain = tuple(frame.transformations)
    frame.transcoding_method = VideoFrameTranscodingMethod.Encoded
    engine.set_source_spec("a", PASS)
    engine.send_payload("a", frame, b"\0\0\0\1abc", codec=Codec.H264, keyframe=False)
    engine.send_eos("a")
    engine.shutdown()
    output, sentinel = recorder.outputs()
    assert [call.slot for call in recorder.calls()] == ["on_encoded_frame"] * 2
    assert sentinel.is_eos
    assert (output.is_metadata_only, output.surface, output.source_transformations) == (False, None, chain)
    assert (frame.content.get_data(), frame.codec, frame.keyframe) == (b"\0\0\0\1abc", "h264", False)
    assert frame.transcoding_method == VideoFrameTranscodingMethod.Copy
    assert (frame.time_base, frame.pts, frame.dts, frame.duration) == ((1, 90_000), 3003, 0, 3003)
    assert (frame.width, frame.height) == (WIDTH, HEIGHT)
    assert frame.get_detections().xyxy.tolist() == [[27, 20, 37, 28]]


def test_times_that_fall_as_those_of_reordered_frames_do_pass_through(
    engine: PicassoEngine, recorder: RecordingCallbacks
) -> None:
    engine.set_source_spec("a", PASS)
    for pts in (0, 3, 1, 2):
        engine.send_payload("a", make_frame(pts), b"coded")
    engine.shutdown()
    assert recorder.pts_ns() == [0, 3, 1, 2]
    assert recorder.calls("on_stream_reset") == []


def test_without_a_payload_of_its_own_a_frame_passes_with_its_content(
    engine: PicassoEngine, recorder: RecordingCallbacks
) -> None:
    frame = make_frame()
    frame.content, frame.codec, frame.keyframe = VideoFrameContent.external("s3", "clip"), "hevc", True
    engine.set_source_spec("a", PASS)
    pixels = make_pixels()
    engine.send_frame("a", frame, pixels)
    engine.shutdown()
    (output,) = recorder.outputs()
    assert output.as_video_frame() is frame
    assert (frame.content.get_location(), frame.codec, frame.keyframe) == ("clip", "hevc", True)
    assert not pixels


@pytest.mark.parametrize(
    ("mode", "call", "text"),
    [
        ("encode", lambda engine, frame: engine.send_payload("a", frame, b"x"), "pass_through"),
        ("bypass", lambda engine, frame: engine.send_payload("a", frame, b"x"), "pass_through"),
        ("pass_through", lambda engine, frame: engine.send_frame("a", frame, make_pixels()), "no payload"),
    ],
    ids=["payload to encode", "payload to bypass", "pixels to pass_through"],
)
def test_a_frame_without_what_its_source_takes_is_reported_and_the_next_one_comes_out(
    engine: PicassoEngine, recorder: RecordingCallbacks, mode: str, call: Callable[..., None], text: str
) -> None:
    frame = make_frame()
    before = frame.json
    engine.set_source_spec("a", SPECS[mode])
    call(engine, frame)
    engine.send_metadata("a", make_frame(1))
    engine.shutdown()
    ((stage, error),) = recorder.errors()
    assert (stage, type(error)) == ("input", SpecError)
    assert text in str(error)
    assert recorder.calls("on_error")[0].arguments[3] is frame
    assert frame.json == before
    assert kinds(recorder) == [(1, True)]


def test_a_source_changes_between_encoding_and_passing_through(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders
) -> None:
    encoders.delay = 5
    engine.set_source_spec("a", encode_spec())
    send(engine, 0)
    engine.set_source_spec("a", PASS)
    engine.send_payload("a", make_frame(1), b"coded")
    engine.set_source_spec("a", encode_spec())
    send(engine, 2)
    engine.shutdown()
    contents = [output.as_video_frame().content.get_data() for output in recorder.outputs()]
    assert contents == [b"32x32 0", b"coded", b"32x32 0"]
    assert len(recorder.calls("on_stream_reset")) == 2


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda engine: engine.send_metadata("a", None), TypeError, "frame"),
        (lambda engine: engine.send_metadata(1, make_frame()), TypeError, "source_id"),
        (lambda engine: engine.send_metadata("a", make_frame(), timeout=-1), SpecError, "timeout"),
        (lambda engine: engine.send_frame("a", make_frame(), None), TypeError, "SurfaceView or an array"),
        (lambda engine: engine.send_payload("a", None, b"x"), TypeError, "frame"),
        (lambda engine: engine.send_payload("a", make_frame(), None), TypeError, "data: expected bytes"),
        (lambda engine: engine.send_payload("a", make_frame(), "x"), TypeError, "data: expected bytes"),
        (lambda engine: engine.send_payload("a", make_frame(), b""), SpecError, "at least one byte"),
        (lambda engine: engine.send_payload("a", make_frame(), VideoFrameContent.none()), SpecError, "at least"),
        (lambda engine: engine.send_payload("a", make_frame(), b"x", codec=1), TypeError, "codec"),
        (lambda engine: engine.send_payload("a", make_frame(), b"x", keyframe=1), TypeError, "keyframe"),
        (lambda engine: engine.send_payload("a", make_frame(), b"x", timeout=-1), SpecError, "timeout"),
    ],
    ids=[
        "send_metadata(None)", "send_metadata(1)", "send_metadata(timeout=-1)", "send_frame(None)",
        "send_payload(frame=None)", "send_payload(None)", "send_payload(text)", "send_payload(b'')",
        "send_payload(none())", "send_payload(codec=1)", "send_payload(keyframe=1)", "send_payload(timeout=-1)",
    ],
)  # fmt: skip
def test_bad_arguments_are_named_and_nothing_is_sent(
    engine: PicassoEngine, call: Callable[[PicassoEngine], object], kind: type[Exception], text: str
) -> None:
    with pytest.raises(kind, match=text):
        call(engine)
    assert engine.stats().sources == {}


def test_a_codec_spec_says_that_it_passes_through() -> None:
    spec = CodecSpec.pass_through()
    assert (spec.is_pass_through, spec.is_bypass, spec.is_drop, spec.is_encode) == (True, False, False, False)
    assert repr(spec) == "CodecSpec.pass_through()"
    assert spec == CodecSpec.pass_through() != CodecSpec.bypass()


# Steps


def test_the_observer_is_told_of_every_step_of_every_frame(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks, clock: FakeClock
) -> None:
    """Time moves by 10 ns where an object is drawn and by 1000 ns in the callback."""
    from picasso.draw import ObjectDraw

    def tick(*_arguments: object) -> ObjectDraw:
        clock.advance(10e-9)
        return ObjectDraw()

    recorder.on["on_object_draw_spec"] = tick
    recorder.on["on_encoded_frame"] = lambda _: clock.advance(1e-6)
    engine = make_engine("on_encoded_frame", "on_object_draw_spec", "on_step", "on_error")
    engine.set_source_spec("a", encode_spec(use_on_render=False, draw=drawn()))
    start_ns = clock.now_ns()
    frame = send(engine)
    engine.shutdown()
    assert recorder.errors() == []
    calls = [call.arguments for call in recorder.calls("on_step")]
    assert all(source_id == "a" and seen is frame for source_id, seen, *_ in calls)
    times = [(step, start - start_ns, end - start_ns) for _, _, step, start, end in calls]
    assert times == [
        (Step.QUEUE, 0, 0),
        (Step.TRANSFORM, 0, 0),
        (Step.DRAW, 0, 10),
        (Step.ENCODE, 10, 10),
        (Step.CALLBACK, 10, 1010),
        (Step.TOTAL, 0, 1010),
    ]


def drawn() -> Any:
    from picasso.draw import BoundingBoxDraw, ColorDraw, ObjectDraw, ObjectDrawSpec, PaddingDraw

    spec = ObjectDrawSpec()
    box = BoundingBoxDraw(ColorDraw(255, 0, 0, 255), ColorDraw(0, 0, 0, 0), 2, PaddingDraw.default_padding())
    spec.insert("detector", "car", ObjectDraw(bounding_box=box))
    return spec


def test_the_steps_of_a_frame_that_an_encoder_holds_are_told_as_its_own(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks, encoders: MemoryEncoders
) -> None:
    encoders.delay = 1
    engine = make_engine("on_encoded_frame", "on_step")
    engine.set_source_spec("a", encode_spec())
    frames = [send(engine, pts) for pts in range(3)]
    engine.send_metadata("a", make_frame(3))
    engine.shutdown()
    for frame in frames:
        steps = [str(call.arguments[2]) for call in recorder.calls("on_step") if call.arguments[1] is frame]
        assert steps == ["queue", "transform", "encode", "callback", "total"]


def test_what_the_observer_raises_is_reported_and_the_frame_goes_on(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks
) -> None:
    recorder.on["on_step"] = lambda *_: 1 / 0
    engine = make_engine("on_bypass_frame", "on_step", "on_error")
    engine.set_source_spec("a", bypass_spec())
    send(engine)
    engine.shutdown()
    assert {stage for stage, _ in recorder.errors()} == {ErrorStage.ON_STEP}
    assert len(recorder.errors()) == 3
    assert recorder.pts_ns() == [0]


@pytest.mark.parametrize(
    ("slot", "step"),
    [
        ("on_encoded_frame", Step.CALLBACK),
        ("on_object_draw_spec", Step.DRAW),
        ("on_stream_reset", Step.CALLBACK),
        ("encoder", Step.ENCODE),
    ],
)
def test_statistics_say_which_step_a_source_is_in_and_since_when(
    recorder: RecordingCallbacks,
    encoders: MemoryEncoders,
    clock: FakeClock,
    slot: str,
    step: Step,
) -> None:
    entered, may_go = threading.Event(), threading.Event()

    def wait(*_arguments: object) -> None:
        entered.set()
        may_go.wait()

    def open_encoder(config: Any) -> Any:
        if slot == "encoder":
            wait()
        return encoders(config)

    recorder.on[slot] = wait
    engine = PicassoEngine(GeneralSpec(), recorder.callbacks(), clock=clock, encoder_factory=open_encoder)
    engine.set_source_spec("a", encode_spec(draw=drawn()))
    assert engine.stats().sources["a"].step is None
    since_ns = clock.now_ns()
    send(engine, 1)
    if slot == "on_stream_reset":
        send(engine, 0)
    assert entered.wait(10)
    clock.advance(5)
    stats = engine.stats().sources["a"]
    assert (stats.step, stats.step_since_ns) == (step, since_ns)
    may_go.set()
    engine.shutdown()
    stats = engine.stats().sources["a"]
    assert (stats.step, stats.step_since_ns) == (None, None)
