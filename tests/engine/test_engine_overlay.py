"""Drawing, ``on_render``, ``on_gpumat``: when, in which order, on which pixels."""

from __future__ import annotations

import ctypes
import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from engine_kit import encode, encode_spec, make_frame, make_pixels, send

from picasso.draw import BoundingBoxDraw, ColorDraw, ObjectDraw, ObjectDrawSpec, current_canvas
from picasso.encode import Codec, EncoderConfig
from picasso.engine import (
    CallbackInvocationOrder,
    Callbacks,
    CodecSpec,
    ConditionalSpec,
    PicassoEngine,
    SourceSpec,
    Step,
)
from picasso.engine.clock import MonotonicClock
from picasso.engine.path.hooks import Hooks
from picasso.engine.path.overlay import Overlay
from picasso.engine.path.steps import Steps
from picasso.engine.stats import Meter
from picasso.primitives import BorrowedVideoObject, RBBox
from picasso.surface import SurfaceView, VideoFormat
from picasso.testing import MemoryEncoders, RecordingCallbacks
from picasso.transform import TransformConfig

RED = ObjectDraw(bounding_box=BoundingBoxDraw(background_color=ColorDraw(255, 0, 0)))
GREEN = ObjectDraw(bounding_box=BoundingBoxDraw(background_color=ColorDraw(0, 255, 0)))
SLOTS = ("on_object_draw_spec", "on_render", "on_gpumat")
ORDERS = list(CallbackInvocationOrder)


def red_cars() -> ObjectDrawSpec:
    draw = ObjectDrawSpec()
    draw.insert("detector", "car", RED)
    return draw


def rgba_spec(**spec: Any) -> SourceSpec:
    """Encode 64x48 RGBA, so that nothing is scaled or converted."""
    config = EncoderConfig(Codec.RAW_RGBA, 64, 48).format(VideoFormat.RGBA)
    return SourceSpec(codec=CodecSpec.encode(TransformConfig(), config), **spec)


def slots(recorder: RecordingCallbacks) -> list[str]:
    return [call.slot for call in recorder.calls() if call.slot != "on_encoded_frame"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("SkiaGpuMat", ["on_object_draw_spec", "on_render", "on_gpumat"]),
        ("GpuMatSkia", ["on_gpumat", "on_object_draw_spec", "on_render"]),
        ("GpuMatSkiaGpuMat", ["on_gpumat", "on_object_draw_spec", "on_render", "on_gpumat"]),
    ],
)
@pytest.mark.skia
def test_callbacks_come_in_the_order_of_the_spec(
    engine: PicassoEngine, recorder: RecordingCallbacks, order: str, expected: list[str]
) -> None:
    order_member = CallbackInvocationOrder.from_name(order)
    engine.set_source_spec("a", encode_spec(use_on_render=True, use_on_gpumat=True, callback_order=order_member))
    send(engine)
    engine.shutdown()
    assert slots(recorder) == expected


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.value)
def test_gpumat_comes_without_rendering_too(
    engine: PicassoEngine, recorder: RecordingCallbacks, order: CallbackInvocationOrder
) -> None:
    engine.set_source_spec("a", encode_spec(use_on_gpumat=True, callback_order=order))
    send(engine)
    engine.shutdown()
    assert slots(recorder) == ["on_gpumat"] * (2 if order is CallbackInvocationOrder.GpuMatSkiaGpuMat else 1)


GATE = ConditionalSpec(render_attribute=("render", "me"))


@pytest.mark.parametrize(
    ("spec", "has_attribute", "renders"),
    [
        (encode_spec(), False, False),
        (encode_spec(draw=red_cars()), False, True),
        (encode_spec(use_on_render=True), False, True),
        (encode_spec(conditional=GATE), True, True),
        (encode_spec(conditional=GATE), False, False),
        (encode_spec(conditional=GATE, draw=red_cars(), use_on_render=True), False, False),
    ],
    ids=["nothing", "draw spec", "use_on_render", "gate passed", "gate not passed", "gate not passed, all else on"],
)
@pytest.mark.skia
def test_what_decides_whether_a_frame_is_drawn_on(
    engine: PicassoEngine, recorder: RecordingCallbacks, spec: SourceSpec, has_attribute: bool, renders: bool
) -> None:
    frame = make_frame()
    if has_attribute:
        frame.set_persistent_attribute("render", "me", True)
    engine.set_source_spec("a", spec)
    engine.send_frame("a", frame, make_pixels())
    engine.shutdown()
    assert ("on_object_draw_spec" in slots(recorder)) is renders
    assert ("on_render" in slots(recorder)) is (renders and spec.use_on_render)
    assert recorder.errors() == []


def test_callbacks_that_are_not_wanted_are_not_called(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    engine.set_source_spec("a", encode_spec(draw=red_cars()))
    send(engine)
    engine.shutdown()
    assert slots(recorder) == ["on_object_draw_spec"]


@pytest.mark.skia
def test_wanted_callbacks_that_are_not_there_are_no_error(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks
) -> None:
    engine = make_engine("on_encoded_frame", "on_error")
    engine.set_source_spec("a", encode_spec(use_on_render=True, use_on_gpumat=True))
    send(engine)
    engine.shutdown()
    assert recorder.pts_ns() == [0]
    assert recorder.errors() == []


@pytest.mark.skia
def test_callbacks_see_the_frame_in_output_size_with_output_boxes(
    engine: PicassoEngine, recorder: RecordingCallbacks
) -> None:
    seen: list[object] = []

    def look(source_id: str, frame: Any) -> None:
        seen.append((source_id, frame.width, frame.height, frame.get_detections().xywha[0, :4].tolist()))

    recorder.on["on_render"] = lambda source_id, fbo_id, width, height, frame: (
        seen.append((fbo_id, width, height)),
        look(source_id, frame),
    )
    recorder.on["on_gpumat"] = lambda source_id, frame, *_: look(source_id, frame)
    recorder.on["on_object_draw_spec"] = lambda source_id, obj, current: seen.append(
        (source_id, obj.label, obj.detection_box.as_xcycwh(), current)
    )
    engine.set_source_spec("a", encode_spec(128, 96, use_on_render=True, use_on_gpumat=True, draw=red_cars()))
    send(engine)
    engine.shutdown()
    at_output = ("a", 128, 96, [64, 48, 20, 16])
    assert seen == [("a", "car", (64, 48, 20, 16), RED), (0, 128, 96), at_output, at_output]


@pytest.mark.skia
def test_every_object_is_asked_about_before_anything_is_drawn_in_the_order_of_ids(
    engine: PicassoEngine, recorder: RecordingCallbacks
) -> None:
    frame = make_frame()
    for label in ("person", "car", "dog"):
        frame.create_object("detector", label, detection_box=RBBox(5, 5, 4, 4))
    engine.set_source_spec("a", encode_spec(draw=red_cars(), use_on_render=True))
    asked: list[int] = []

    def on_object_draw_spec(_: str, obj: BorrowedVideoObject, current: ObjectDraw | None) -> None:
        asked.append(obj.id)
        assert current == (RED if obj.label == "car" else None)

    recorder.on["on_object_draw_spec"] = on_object_draw_spec
    engine.send_frame("a", frame, make_pixels())
    engine.shutdown()
    assert asked == [0, 1, 2, 3]
    assert slots(recorder) == ["on_object_draw_spec"] * 4 + ["on_render"]
    assert recorder.errors() == []


@pytest.mark.parametrize(
    ("answer", "color"),
    [(None, [255, 0, 0]), (GREEN, [0, 255, 0]), (ObjectDraw(), [200, 200, 200])],
    ids=["None keeps the spec", "a draw replaces it", "an empty draw suppresses it"],
)
def test_the_answer_about_an_object_decides_what_is_drawn(
    engine: PicassoEngine,
    recorder: RecordingCallbacks,
    encoders: MemoryEncoders,
    answer: ObjectDraw | None,
    color: list[int],
) -> None:
    encoders.keeps_pixels = True
    recorder.on["on_object_draw_spec"] = lambda *_: answer
    engine.set_source_spec("a", rgba_spec(draw=red_cars()))
    send(engine)
    engine.shutdown()
    (picture,) = encoders.opened[0].pixels
    assert picture[24, 32, :3].tolist() == color
    assert picture[2, 2, :3].tolist() == [200, 200, 200]


@pytest.mark.skia
def test_on_render_draws_on_the_current_canvas_over_the_objects(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders
) -> None:
    encoders.keeps_pixels = True
    recorder.on["on_render"] = lambda *_: current_canvas().clear(0xFF0000FF)  # opaque blue
    engine.set_source_spec("a", rgba_spec(draw=red_cars(), use_on_render=True))
    send(engine)
    engine.shutdown()
    assert recorder.errors() == []
    assert encoders.opened[0].pixels[0][24, 32].tolist() == [0, 0, 255, 255]
    with pytest.raises(RuntimeError, match="only inside on_render"):
        current_canvas()


def paint_through_pointer(value: int) -> Callable[..., None]:
    def on_gpumat(_: str, frame: Any, data_ptr: int, pitch: int, width: int, height: int, stream: int) -> None:
        assert (width, height, stream) == (frame.width, frame.height, 0)
        memory = (ctypes.c_uint8 * (pitch * height)).from_address(data_ptr)
        np.frombuffer(memory, np.uint8).reshape(height, pitch)[:, : 4 * width] = value

    return on_gpumat


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.value)
def test_what_on_gpumat_writes_is_encoded(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders, order: CallbackInvocationOrder
) -> None:
    encoders.keeps_pixels = True
    recorder.on["on_gpumat"] = paint_through_pointer(7)
    engine.set_source_spec("a", rgba_spec(draw=red_cars(), use_on_gpumat=True, callback_order=order))
    send(engine)
    engine.shutdown()
    assert recorder.errors() == []
    (picture,) = encoders.opened[0].pixels
    assert picture[2, 2].tolist() == [7] * 4
    drawn_over = order is CallbackInvocationOrder.GpuMatSkia
    assert picture[24, 32, :3].tolist() == ([255, 0, 0] if drawn_over else [7] * 3)


@pytest.mark.parametrize("encoder_format", [VideoFormat.I420, VideoFormat.NV12], ids=lambda form: form.name())
@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.value)
def test_on_gpumat_gets_the_format_of_the_configuration_whatever_the_encoder_reads(
    engine: PicassoEngine,
    recorder: RecordingCallbacks,
    encoders: MemoryEncoders,
    order: CallbackInvocationOrder,
    encoder_format: VideoFormat,
) -> None:
    encoders.input_format, encoders.keeps_pixels = encoder_format, True

    def on_gpumat(_: str, _frame: Any, data_ptr: int, pitch: int, width: int, height: int, _stream: int) -> None:
        assert pitch >= width, "the first plane of NV12, one byte a pixel"
        luma = np.frombuffer((ctypes.c_uint8 * (pitch * height)).from_address(data_ptr), np.uint8)
        luma.reshape(height, pitch)[:4, :width] = 180

    recorder.on["on_gpumat"] = on_gpumat
    codec = encode(64, 48, codec=Codec.H264)  # EncoderConfig's default format: NV12
    engine.set_source_spec("a", SourceSpec(codec=codec, draw=red_cars(), use_on_gpumat=True, callback_order=order))
    send(engine)
    engine.shutdown()
    assert recorder.errors() == []
    (picture,) = encoders.opened[0].pixels
    assert abs(int(picture[1, 1]) - 180) <= 2
    assert abs(int(picture[24, 32]) - int(picture[40, 60])) > 20, "the red box is there"


@pytest.mark.parametrize("slot", SLOTS)
@pytest.mark.skia
def test_a_callback_that_raises_is_reported_and_the_frame_goes_on(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders, slot: str
) -> None:
    encoders.keeps_pixels = True

    def fail(*_: object) -> None:
        raise KeyError("told to")

    recorder.on[slot] = fail
    engine.set_source_spec("a", rgba_spec(draw=red_cars(), use_on_render=True, use_on_gpumat=True))
    frames = [send(engine, pts) for pts in range(2)]
    engine.shutdown()
    assert recorder.pts_ns() == [0, 1]
    assert [stage for stage, _ in recorder.errors()] == [slot] * 2
    assert [call.arguments[3] for call in recorder.calls("on_error")] == frames
    assert encoders.opened[0].pixels[0][24, 32, :3].tolist() == [255, 0, 0], "the static spec is drawn"


def test_an_answer_of_the_wrong_type_is_reported_and_the_static_spec_drawn(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders
) -> None:
    encoders.keeps_pixels = True
    recorder.on["on_object_draw_spec"] = lambda *_: "red"
    engine.set_source_spec("a", rgba_spec(draw=red_cars()))
    send(engine)
    engine.shutdown()
    ((stage, error),) = recorder.errors()
    assert stage == "on_object_draw_spec"
    assert str(error) == "expected ObjectDraw or NoneType, got 'red'"
    assert encoders.opened[0].pixels[0][24, 32, :3].tolist() == [255, 0, 0]


def test_objects_removed_by_a_callback_are_not_drawn_and_nothing_breaks(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders
) -> None:
    encoders.keeps_pixels = True
    frames = [make_frame()]
    recorder.on["on_object_draw_spec"] = lambda *_: frames[0].clear_objects()
    engine.set_source_spec("a", rgba_spec(draw=red_cars()))
    engine.send_frame("a", frames[0], make_pixels())
    engine.shutdown()
    assert recorder.errors() == []
    assert encoders.opened[0].pixels[0][24, 32, :3].tolist() == [200, 200, 200]


def test_a_new_draw_spec_is_drawn_from_the_next_frame_on(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders
) -> None:
    encoders.keeps_pixels = True
    green_cars = ObjectDrawSpec()
    green_cars.insert("detector", "car", GREEN)
    for pts, draw in enumerate([red_cars(), green_cars, ObjectDrawSpec()]):
        engine.set_source_spec("a", rgba_spec(draw=draw))
        send(engine, pts)
    engine.shutdown()
    colors = [picture[24, 32, :3].tolist() for picture in encoders.opened[0].pixels]
    assert colors == [[255, 0, 0], [0, 255, 0], [200, 200, 200]]
    assert engine.stats().sources["a"].latency[Step.DRAW].count == 2


def test_an_overlay_that_is_closed_is_freed_at_once_and_works_again() -> None:
    """No cycle is left: what its painter holds, on a GPU too, must not wait for the collector."""
    callbacks = Callbacks(on_error=lambda *_: None)
    freed = weakref.ref(callbacks.on_error)
    overlay = Overlay(
        SourceSpec(codec=encode(), draw=red_cars()).settings(0),
        Hooks("a", callbacks, Meter(), Steps(Meter(), MonotonicClock()), "test"),
    )
    for _ in range(2):
        (touch,) = overlay.touches(make_frame(), VideoFormat.I420, VideoFormat.NV12)
        picture = SurfaceView.allocate(VideoFormat.I420, (64, 48))
        touch.apply(picture, make_frame())
        assert picture.to_numpy().any()
        del touch
        overlay.close()
    gc.disable()
    try:
        del overlay, callbacks
        assert freed() is None
    finally:
        gc.enable()
