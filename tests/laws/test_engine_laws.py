"""Boxes and pixels through the whole engine, drawing that never fails, specs that are snapshots."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from picasso.draw import ObjectDraw, ObjectDrawSpec, Painter
from picasso.encode import Codec, EncoderConfig
from picasso.engine import CodecSpec, GeneralSpec, PicassoEngine, SourceSpec
from picasso.primitives import RBBox, VideoFrame
from picasso.surface import SurfaceView
from picasso.testing import (
    MemoryEncoders,
    RecordingCallbacks,
    draw_specs,
    encoder_configs,
    object_draws,
    rects,
    source_specs,
    surfaces,
    transform_configs,
    video_frames,
)
from picasso.transform import DstPadding, Interpolation, Padding, Rect, TransformConfig

few = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])


@few
@given(
    rects((64, 48), min_side=4),
    st.none() | rects((64, 48), min_side=24),
    st.sampled_from([(64, 48), (128, 128), (200, 96)]),
    st.sampled_from(list(Padding)),
)
def test_an_object_is_where_its_pixels_are(
    mark: Rect, crop: Rect | None, target_wh: tuple[int, int], padding: Padding
) -> None:
    """What comes out of the engine: a picture whose marked pixels are the frame's box, to half a pixel."""
    picture = np.zeros((48, 64, 4), np.uint8)
    picture[mark.top : mark.top + mark.height, mark.left : mark.left + mark.width] = 255
    frame = VideoFrame("cam", "30/1", 64, 48, time_base=(1, 10**9))
    box = RBBox(mark.left + mark.width / 2, mark.top + mark.height / 2, mark.width, mark.height)
    frame.create_object("detector", "thing", detection_box=box)
    recorder = RecordingCallbacks()
    encoder = EncoderConfig(Codec.RAW_RGBA, *target_wh)
    spec = SourceSpec(CodecSpec.encode(TransformConfig(padding, interpolation=Interpolation.NEAREST), encoder))
    with PicassoEngine(GeneralSpec(), recorder.callbacks()) as engine:
        engine.set_source_spec("cam", spec)
        engine.send_frame("cam", frame, picture, crop)
    assert recorder.errors() == []
    (output,) = recorder.outputs()
    found = np.frombuffer(output.as_video_frame().content.get_data(), np.uint8).reshape(*target_wh[::-1], 4)
    rows, columns = np.nonzero(found[..., 0])
    ((xc, yc, width, height),) = output.as_video_frame().detection_boxes()[:, :4]
    left, top, inner_w, inner_h = output.placement.inner_ltwh
    x0, y0 = max(xc - width / 2, left), max(yc - height / 2, top)
    x1, y1 = min(xc + width / 2, left + inner_w), min(yc + height / 2, top + inner_h)
    if rows.size:
        expected = pytest.approx((x0, y0, x1, y1), abs=0.51)
        assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == expected
    else:
        assert x1 - x0 < 1 or y1 - y0 < 1  # the crop left it out, or less than a pixel of it


@few
@given(video_frames((64, 48), max_attributes=0), st.data())
def test_drawing_never_fails(frame: VideoFrame, data: st.DataObject) -> None:
    """Any object, any look, any template, on any surface whose pixels are packed."""
    painter, specs = Painter(), ObjectDrawSpec()
    for video_object in frame.get_all_objects():
        specs.insert(video_object.namespace, video_object.label, data.draw(object_draws()))
    painter.set_specs(specs)
    surface = data.draw(surfaces(painter.formats, (64, 48), layouts=["tight", "padded", "upside down"]))
    painter.paint(surface, frame, {})


@given(encoder_configs(), st.data())
def test_a_codec_spec_is_a_snapshot(config: EncoderConfig, data: st.DataObject) -> None:
    transform = data.draw(transform_configs((config.width, config.height)))
    spec, twin = CodecSpec.encode(transform, config), CodecSpec.encode(transform.copy(), config.copy())
    transform.dst_padding = DstPadding(1, 2, 3, 4) if transform.dst_padding is None else None
    config.fps(config.fps_num, config.fps_den + 1)
    assert spec == twin
    assert spec != CodecSpec.encode(TransformConfig(Padding.SYMMETRIC), config)


@settings(max_examples=50)
@given(source_specs(), draw_specs(), object_draws())
def test_a_source_spec_is_a_snapshot(spec: SourceSpec, draw: ObjectDrawSpec, look: ObjectDraw) -> None:
    """What goes in is copied, what comes out is a copy, and a copy goes its own way."""
    spec.draw = draw
    before = spec.copy()
    draw.insert("another", "thing", look)
    spec.draw.insert("another", "thing", look)
    spec.conditional.encode_attribute = ("other", "gate")
    assert spec == before
    before.font_family += "!"
    assert spec != before


@few
@given(st.integers(1, 5), st.integers(1, 5))
def test_a_running_source_keeps_the_spec_it_was_given(before: int, after: int) -> None:
    encoders, recorder = MemoryEncoders(), RecordingCallbacks()
    config = EncoderConfig(Codec.RAW_RGBA, 32, 32)
    spec = SourceSpec(CodecSpec.encode(TransformConfig(), config))
    with PicassoEngine(GeneralSpec(), recorder.callbacks(), encoder_factory=encoders) as engine:
        engine.set_source_spec("cam", spec)
        for number in range(before + after):
            if number == before:
                spec.codec = CodecSpec.drop_frames()
                config.fps(5, 1)
            frame = VideoFrame("cam", "30/1", 8, 8, time_base=(1, 10**9), pts=number)
            engine.send_frame("cam", frame, SurfaceView.wrap(np.zeros((8, 8, 4), np.uint8)))
    assert recorder.pts_ns() == list(range(before + after))
    (encoder,) = encoders.opened
    assert encoder.config.fps_num == 30
