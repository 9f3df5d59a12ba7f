"""A new spec on a running source: it takes effect in order, and breaks the stream only where it must."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from engine_kit import bypass_spec, encode, encode_spec, make_frame, make_pixels, send

from picasso.draw import BoundingBoxDraw, ColorDraw, ObjectDraw, ObjectDrawSpec
from picasso.encode import Codec, EncoderConfig, EncoderProperties, JpegProps
from picasso.engine import CallbackInvocationOrder, CodecSpec, ConditionalSpec, GeneralSpec, PicassoEngine, SourceSpec
from picasso.surface import MemType, VideoFormat
from picasso.testing import MemoryEncoders, RecordingCallbacks
from picasso.transform import DstPadding, Interpolation, Padding, TransformConfig


def jpeg(change: Callable[[EncoderConfig], object] = lambda config: None) -> SourceSpec:
    config = EncoderConfig(Codec.JPEG, 32, 32)
    change(config)
    return SourceSpec(codec=CodecSpec.encode(TransformConfig(), config))


def resets(recorder: RecordingCallbacks) -> list[str]:
    return [call.arguments[1].kind for call in recorder.calls("on_stream_reset")]


RESTARTING = {
    "width": encode_spec(48, 32),
    "height": encode_spec(32, 48),
    "codec": SourceSpec(codec=encode(codec=Codec.PNG)),
}
JPEG_RESTARTING = {
    "fps": lambda config: config.fps(25, 1),
    "format": lambda config: config.format(VideoFormat.RGBA),
    "gpu_id": lambda config: config.gpu_id(1),
    "mem_type": lambda config: config.mem_type(MemType.SYSTEM),
    "quality": lambda config: config.properties(EncoderProperties.jpeg(JpegProps(5))),
}


def draw_spec() -> ObjectDrawSpec:
    draw = ObjectDrawSpec()
    draw.insert("detector", "car", ObjectDraw(bounding_box=BoundingBoxDraw(ColorDraw(255, 0, 0))))
    return draw


LIVE = {
    "padding": SourceSpec(codec=encode(padding=Padding.NONE)),
    "dst_padding": SourceSpec(codec=encode(dst_padding=DstPadding.uniform(4))),
    "interpolation": SourceSpec(codec=encode(interpolation=Interpolation.NEAREST)),
    "draw": encode_spec(draw=draw_spec()),
    "conditional": encode_spec(conditional=ConditionalSpec(render_attribute=("a", "b"))),
    "callback_order": encode_spec(callback_order=CallbackInvocationOrder.GpuMatSkia),
    "use_on_render": encode_spec(use_on_render=True),
    "use_on_gpumat": encode_spec(use_on_gpumat=True),
    "font_family": encode_spec(font_family="serif"),
    "idle_timeout_secs": encode_spec(idle_timeout_secs=5),
}


@pytest.mark.parametrize(
    ("before", "after"),
    [(encode_spec(), spec) for spec in RESTARTING.values()] + [(jpeg(), jpeg(f)) for f in JPEG_RESTARTING.values()],
    ids=[*RESTARTING, *JPEG_RESTARTING],
)
def test_another_encoder_configuration_drains_the_encoder_and_says_so(
    engine: PicassoEngine,
    recorder: RecordingCallbacks,
    encoders: MemoryEncoders,
    before: SourceSpec,
    after: SourceSpec,
) -> None:
    encoders.delay = 2
    engine.set_source_spec("a", before)
    for pts in range(5):
        send(engine, pts)
    engine.set_source_spec("a", after)
    for pts in range(5):
        send(engine, pts)
    engine.send_eos("a")
    engine.shutdown()
    assert recorder.pts_ns() == [*range(5), *range(5), None], "timestamps may begin again"
    assert [call.slot for call in recorder.calls()].index("on_stream_reset") == 5, "after all frames of the old stream"
    assert resets(recorder) == ["encoder_spec_changed"]
    assert len(encoders.opened) == 2
    assert recorder.errors() == []


def marked(spec: SourceSpec) -> object:
    return pytest.param(spec, marks=pytest.mark.skia) if spec.use_on_render else spec


@pytest.mark.parametrize("after", [*map(marked, LIVE.values())], ids=LIVE.keys())
def test_everything_else_changes_without_a_break(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders, after: SourceSpec
) -> None:
    encoders.delay = 2
    engine.set_source_spec("a", encode_spec())
    for pts in range(5):
        send(engine, pts)
    engine.set_source_spec("a", after)
    for pts in range(5, 10):
        send(engine, pts)
    engine.send_eos("a")
    engine.shutdown()
    assert recorder.pts_ns() == [*range(10), None]
    assert len(encoders.opened) == 1
    assert resets(recorder) == []
    assert recorder.errors() == []


def test_an_encoder_that_can_take_it_on_goes_on_and_it_is_said_all_the_same(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders
) -> None:
    encoders.live_changes = True
    engine.set_source_spec("a", jpeg())
    send(engine, 0)
    engine.set_source_spec("a", jpeg(lambda config: config.fps(7, 1)))
    send(engine, 1)
    engine.shutdown()
    assert recorder.pts_ns() == [0, 1]
    assert len(encoders.opened) == 1
    assert encoders.opened[0].config.fps_num == 7
    assert resets(recorder) == ["encoder_spec_changed"]


MODES = {"drop": SourceSpec(), "bypass": bypass_spec(), "encode": encode_spec()}


@pytest.mark.parametrize(("before", "after"), [(x, y) for x in MODES for y in MODES if x != y], ids="-".join)
def test_another_mode_delivers_what_was_held_without_a_sentinel(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders, before: str, after: str
) -> None:
    encoders.delay = 2
    engine.set_source_spec("a", MODES[before])
    for pts in range(3):
        send(engine, pts)
    engine.set_source_spec("a", MODES[after])
    for pts in range(3):
        send(engine, pts)
    engine.shutdown()
    assert recorder.pts_ns() == [pts for mode in (before, after) if mode != "drop" for pts in range(3)]
    assert resets(recorder) == ["encoder_spec_changed"]


def test_the_same_spec_again_changes_nothing(
    engine: PicassoEngine, recorder: RecordingCallbacks, encoders: MemoryEncoders
) -> None:
    for mode, spec in MODES.items():
        for pts in range(2):
            engine.set_source_spec(mode, spec)
            send(engine, pts, mode)
    engine.shutdown()
    assert len(encoders.opened) == 1
    assert resets(recorder) == []
    assert recorder.errors() == []


def test_a_spec_is_a_snapshot_of_the_moment_it_was_set(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    spec = bypass_spec()
    engine.set_source_spec("a", spec)
    spec.codec = CodecSpec.drop_frames()
    send(engine, 1)
    engine.shutdown()
    assert recorder.pts_ns() == [1]


def test_callbacks_and_the_general_spec_are_snapshots_of_construction(recorder: RecordingCallbacks) -> None:
    callbacks = recorder.callbacks()
    general = GeneralSpec(inflight_queue_size=1)
    with PicassoEngine(general, callbacks) as engine:
        callbacks.on_bypass_frame = None
        general.inflight_queue_size = 100
        engine.set_source_spec("a", bypass_spec())
        send(engine, 1)
    assert recorder.pts_ns() == [1]


def test_a_frame_is_placed_by_the_spec_it_was_sent_under(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    sizes = [(32, 32), (48, 16), (16, 48)]
    for pts, size_wh in enumerate(sizes):
        engine.set_source_spec("a", encode_spec(*size_wh))
        engine.send_frame("a", make_frame(pts), make_pixels())
    engine.shutdown()
    frames = [output.as_video_frame() for output in recorder.outputs()]
    assert [(frame.width, frame.height) for frame in frames] == sizes
