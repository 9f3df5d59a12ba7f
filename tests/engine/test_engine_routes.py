"""Modes, routes, sentinels, gates and their order, seen through the callbacks."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from engine_kit import HEIGHT, WIDTH, bypass_spec, encode_spec, make_frame, make_pixels, picasso_threads, send

from picasso.engine import ConditionalSpec, DropReason, PicassoEngine, SourceSpec
from picasso.errors import ConsumedError, SurfaceTypeError
from picasso.primitives import (
    Orientation,
    VideoFrameContent,
    VideoFrameTranscodingMethod,
    VideoFrameTransformation,
)
from picasso.surface import BufferGenerator, SurfaceView, VideoFormat
from picasso.surface.turning import turned
from picasso.testing import MemoryEncoders, RecordingCallbacks

SPECS = {"drop": SourceSpec(), "bypass": bypass_spec(), "encode": encode_spec()}
ROUTES = {"drop": "on_encoded_frame", "bypass": "on_bypass_frame", "encode": "on_encoded_frame"}


def test_a_source_without_a_spec_drops_its_frames(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    send(engine)
    engine.shutdown()
    assert recorder.calls() == []
    assert engine.stats().sources["a"].dropped[DropReason.SPEC] == 1


@pytest.mark.parametrize("mode", SPECS)
def test_each_end_of_stream_gives_one_sentinel_on_the_route_of_the_mode(
    engine: PicassoEngine, recorder: RecordingCallbacks, mode: str
) -> None:
    engine.set_source_spec("a", SPECS[mode])
    for _ in range(2):
        send(engine, 0)
        engine.send_eos("a")
    engine.shutdown()
    sentinels = [call for call in recorder.calls() if call.is_sentinel]
    assert [call.slot for call in sentinels] == [ROUTES[mode]] * 2
    assert [call.source_id for call in sentinels] == ["a"] * 2


@pytest.mark.parametrize("mode", ["bypass", "encode"])
def test_frames_come_out_in_the_order_they_were_sent_and_before_the_sentinel(
    engine: PicassoEngine, recorder: RecordingCallbacks, mode: str
) -> None:
    engine.set_source_spec("a", SPECS[mode])
    frames = [send(engine, pts) for pts in range(20)]
    engine.send_eos("a")
    engine.shutdown()
    assert recorder.pts_ns() == [*range(20), None]
    assert [output.as_video_frame() for output in recorder.outputs()[:-1]] == frames
    assert {call.slot for call in recorder.calls()} == {ROUTES[mode]}


def test_no_sentinel_comes_without_being_sent_for(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    for source_id, spec in SPECS.items():
        engine.set_source_spec(source_id, spec)
        send(engine, source_id=source_id)
    engine.remove_source_spec("encode")
    engine.set_source_spec("bypass", SPECS["drop"])
    engine.shutdown()
    assert not [call for call in recorder.calls() if call.is_sentinel]


def test_the_end_of_an_unknown_source_is_no_error(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    engine.send_eos("no one")
    engine.remove_source_spec("no one")
    assert picasso_threads() == ["picasso-watchdog"]
    engine.shutdown()
    assert recorder.calls() == []


def test_a_sentinel_without_a_callback_vanishes(make_engine: Callable[..., PicassoEngine]) -> None:
    engine = make_engine("on_error")
    for source_id, spec in SPECS.items():
        engine.set_source_spec(source_id, spec)
        send(engine, source_id=source_id)
        engine.send_eos(source_id)
    engine.shutdown()
    assert engine.stats().sources["encode"].frames_out == 1


def test_bypass_moves_boxes_back_and_leaves_the_rest_alone(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    frame, pixels = make_frame(5), make_pixels()
    frame.clear_transformations()
    frame.add_transformation(VideoFrameTransformation.initial_size(128, 96))
    frame.add_transformation(VideoFrameTransformation.letter_box(WIDTH, HEIGHT, 0, 0, 0, 0))
    frame.transcoding_method = VideoFrameTranscodingMethod.Encoded
    frame.content = VideoFrameContent.internal(b"as it was")
    engine.set_source_spec("a", bypass_spec())
    engine.send_frame("a", frame, pixels)
    engine.shutdown()
    (output,) = recorder.outputs()
    assert output.as_video_frame() is frame
    assert output.placement is None
    assert output.surface is not None
    assert output.surface.size_wh == (WIDTH, HEIGHT)
    assert (frame.width, frame.height, frame.pts) == (128, 96, 5)
    assert frame.transformations == [VideoFrameTransformation.initial_size(128, 96)]
    assert frame.get_detections().xywha[0, :4].tolist() == [64, 48, 20, 16]
    assert frame.transcoding_method == VideoFrameTranscodingMethod.Copy
    assert frame.content.get_data() == b"as it was"


def test_bypass_gives_a_turned_picture_back_as_it_was_coded(
    engine: PicassoEngine, recorder: RecordingCallbacks
) -> None:
    """The reader turned it upright: boxes, pixels, size and chain go back together."""
    coded = make_pixels()
    coded.planes[0][20:28, 27:37] = 0  # where the box of the frame is
    frame = make_frame()
    frame.turn(Orientation(90))
    engine.set_source_spec("a", bypass_spec())
    engine.send_frame("a", frame, turned(coded, Orientation(90)))
    engine.shutdown()
    (output,) = recorder.outputs()
    assert output.surface is not None
    assert np.array_equal(output.surface.planes[0], coded.planes[0])
    assert (frame.width, frame.height) == (WIDTH, HEIGHT)
    assert frame.get_detections().xyxy.tolist() == [[27, 20, 37, 28]]
    assert output.source_transformations == (
        VideoFrameTransformation.initial_size(WIDTH, HEIGHT),
        VideoFrameTransformation.orientation(Orientation(90)),
    )


@pytest.mark.parametrize("ratio", [Fraction(1, 2), Fraction(2)])
def test_encode_heeds_the_shape_of_a_pixel_and_takes_turned_pictures(
    engine: PicassoEngine, recorder: RecordingCallbacks, ratio: Fraction
) -> None:
    frame = make_frame()
    frame.turn(Orientation(180))
    chain = tuple(frame.transformations)
    engine.set_source_spec("a", encode_spec(64, 64))
    engine.send_frame("a", frame, make_pixels().with_sample_aspect_ratio(ratio))
    engine.shutdown()
    (output,) = recorder.outputs()
    assert output.placement is not None
    assert output.placement.inner_ltwh == ((0, 20, 64, 24) if ratio == 2 else (10, 0, 43, 64))
    assert output.source_transformations == chain
    assert frame.transformations == [VideoFrameTransformation.initial_size(64, 64)]


def test_a_frame_that_cannot_be_moved_back_is_reported_and_unchanged(
    engine: PicassoEngine, recorder: RecordingCallbacks
) -> None:
    frame = make_frame()
    frame.clear_transformations()
    frame.transcoding_method = VideoFrameTranscodingMethod.Encoded
    engine.set_source_spec("a", bypass_spec())
    engine.send_frame("a", frame, make_pixels())
    send(engine, 1)
    engine.shutdown()
    ((stage, error),) = recorder.errors()
    assert stage == "bypass"
    assert "no InitialSize" in str(error)
    assert recorder.calls("on_error")[0].arguments[3] is frame
    assert frame.transcoding_method == VideoFrameTranscodingMethod.Encoded
    assert recorder.pts_ns() == [1], "the next frame is not affected"


@pytest.mark.parametrize("mode", SPECS)
def test_the_encode_gate_holds_in_every_mode_and_sees_hidden_attributes(
    engine: PicassoEngine, recorder: RecordingCallbacks, mode: str
) -> None:
    spec = SPECS[mode].copy()
    spec.conditional = ConditionalSpec(encode_attribute=("gate", "open"))
    engine.set_source_spec("a", spec)
    for pts in range(4):
        frame = make_frame(pts)
        if pts % 2:
            frame.set_persistent_attribute("gate", "open", True)
        engine.send_frame("a", frame, make_pixels())
    engine.shutdown()
    assert recorder.errors() == []
    assert recorder.pts_ns() == ([] if mode == "drop" else [1, 3])
    stats = engine.stats().sources["a"]
    assert stats.dropped[DropReason.GATE] == 2
    assert stats.frames_in == 4


def test_every_source_has_a_thread_of_its_name(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    for source_id in ("a", "b"):
        engine.set_source_spec(source_id, bypass_spec())
        send(engine, source_id=source_id)
    recorder.wait_for("on_bypass_frame", 2)
    assert sorted(picasso_threads()) == ["picasso-a", "picasso-b", "picasso-watchdog"]
    assert {(call.source_id, call.thread) for call in recorder.calls()} == {("a", "picasso-a"), ("b", "picasso-b")}


def test_a_source_id_that_no_file_or_socket_takes_is_refused(engine: PicassoEngine) -> None:
    with pytest.raises(ValueError, match="source_id"):
        engine.set_source_spec("\udc80", bypass_spec())


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("source_id", ["cam", "a source with a long name", "", "\0", "../../x", "ü" * 5000])
def test_threads_have_their_names_in_the_operating_system_whatever_the_source_is_called(
    engine: PicassoEngine, recorder: RecordingCallbacks, source_id: str
) -> None:
    names: list[bytes] = []
    recorder.on["on_bypass_frame"] = lambda _: names.append(
        Path(f"/proc/self/task/{threading.get_native_id()}/comm").read_bytes().rstrip(b"\n")
    )
    engine.set_source_spec(source_id, bypass_spec())
    send(engine, source_id=source_id)
    engine.shutdown()
    assert recorder.errors() == []
    assert names == [f"picasso-{source_id}".encode(errors="replace")[:15].partition(b"\0")[0]]


def test_three_sources_in_three_modes(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    for source_id, spec in SPECS.items():
        engine.set_source_spec(source_id, spec)
    for pts in range(3):
        for source_id in SPECS:
            send(engine, pts, source_id)
    for source_id in SPECS:
        engine.send_eos(source_id)
    engine.shutdown()
    assert [recorder.pts_ns(source_id) for source_id in SPECS] == [[None], [0, 1, 2, None], [0, 1, 2, None]]
    assert sum(call.is_sentinel for call in recorder.calls("on_encoded_frame")) == 2
    assert sum(call.is_sentinel for call in recorder.calls("on_bypass_frame")) == 1


def test_what_is_sent_is_consumed_or_wrapped(engine: PicassoEngine) -> None:
    view, buffer = make_pixels(), BufferGenerator(VideoFormat.RGBA, WIDTH, HEIGHT).acquire()
    for pixels in (view, buffer, np.zeros((HEIGHT, WIDTH, 3), np.uint8)):
        engine.send_frame("a", make_frame(), pixels)
    assert not view
    assert buffer.is_consumed
    for pixels in (view, buffer):
        with pytest.raises(ConsumedError, match="has been consumed"):
            engine.send_frame("a", make_frame(), pixels)


@pytest.mark.parametrize(
    ("pixels", "kind", "text"),
    [
        (0, ValueError, "buf_ptr is null"),
        (4096, ValueError, "buffer does not contain a valid NvBufSurface"),
        ("pixels", TypeError, r"expected SharedBuffer or int \(raw pointer\)"),
        (None, SurfaceTypeError, "SurfaceView or an array"),
        (np.zeros((4, 4), np.float32), ValueError, "uint8"),
    ],
    ids=["0", "4096", "text", "None", "floats"],
)
def test_what_is_no_picture_is_refused_at_once(
    engine: PicassoEngine, pixels: object, kind: type[Exception], text: str
) -> None:
    with pytest.raises(kind, match=text):
        engine.send_frame("a", make_frame(), pixels)


@pytest.mark.parametrize(
    ("call", "place"),
    [
        (lambda engine: engine.send_frame(1, make_frame(), make_pixels()), "source_id"),
        (lambda engine: engine.send_frame("a", None, make_pixels()), "frame"),
        (lambda engine: engine.send_frame("a", make_frame(), make_pixels(), (0, 0, 1, 1)), "src_rect"),
        (lambda engine: engine.set_source_spec("a", None), "spec"),
        (lambda engine: engine.send_eos(None), "source_id"),
        (lambda engine: engine.remove_source_spec(b"a"), "source_id"),
        (lambda engine: PicassoEngine(None, None), "general"),
    ],
    ids=["send_frame(1)", "send_frame(None)", "src_rect", "set_source_spec", "send_eos", "remove", "PicassoEngine"],
)
def test_arguments_of_the_wrong_type_are_named(
    engine: PicassoEngine, call: Callable[[PicassoEngine], object], place: str
) -> None:
    with pytest.raises(TypeError, match=place):
        call(engine)


def test_a_source_holds_no_pixels_while_it_waits(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    """A pool of one buffer is enough when frames come one at a time."""
    pool = BufferGenerator(VideoFormat.RGBA, WIDTH, HEIGHT, pool_size=1)
    engine.set_source_spec("a", encode_spec())
    for pts in range(5):
        engine.send_frame("a", make_frame(pts), SurfaceView.from_buffer(pool.acquire()))
    engine.shutdown()
    assert recorder.pts_ns() == list(range(5))


def test_encoders_of_several_sources_are_their_own(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders
) -> None:
    for number, source_id in enumerate("abc", 1):
        engine.set_source_spec(source_id, encode_spec(16 * number, 16))
        send(engine, source_id=source_id)
    engine.shutdown()
    contents = {output.as_video_frame().content.get_data() for output in recorder.outputs()}
    assert contents == {b"16x16 0", b"32x16 0", b"48x16 0"}
    assert all(encoder.is_closed for encoder in encoders.opened)
