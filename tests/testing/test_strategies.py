"""Every strategy makes what the package accepts."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings

from picasso import testing
from picasso.encode import Codec, EncoderConfig, validate
from picasso.encode.validate import ENCODABLE
from picasso.engine import SourceSpec
from picasso.primitives import VideoFrame, VideoFrameTransformation
from picasso.surface import SurfaceView, VideoFormat
from picasso.testing import (
    attributes,
    boxes,
    draw_specs,
    encoder_configs,
    label_lines,
    placements,
    points,
    rects,
    rotated_boxes,
    sizes,
    source_specs,
    surfaces,
    transform_configs,
    video_frames,
)
from picasso.transform import Interpolation, Padding, Placement, Rect, TransformConfig


@given(boxes(inside=True, dtype=np.float32), boxes((10, 20)))
def test_boxes(inside, around) -> None:
    assert inside.dtype == np.float32
    assert inside.shape[1:] == around.shape[1:] == (4,)
    assert (inside >= 0).all()
    assert (inside[:, 2:] <= (1920, 1080)).all()
    assert (around[:, :2] <= around[:, 2:]).all()


@given(rotated_boxes(max_count=3), points(max_polygons=2))
def test_rotated_boxes_and_polygons(rotated, polygons) -> None:
    assert rotated.shape[1] == 5
    assert (rotated[:, 2:4] >= 0.5).all()
    assert polygons.ndim == 3


@given(rects((30, 20), min_side=4))
def test_rects(rect: Rect) -> None:
    assert min(rect.width, rect.height) >= 4
    assert rect.left + rect.width <= 30
    assert rect.top + rect.height <= 20


@given(sizes(3, 9, even=True))
def test_even_sizes(size_wh) -> None:
    assert set(size_wh) <= {4, 6, 8}


@given(video_frames(max_objects=2))
def test_an_engine_takes_the_frames(frame: VideoFrame) -> None:
    frame.check_pristine()
    assert frame.transformations == [VideoFrameTransformation.initial_size(frame.width, frame.height)]
    assert np.isfinite(frame.detection_boxes()[:, :4]).all()


@given(surfaces())
def test_surfaces_can_be_written(surface: SurfaceView) -> None:
    assert not surface.readonly
    surface.memset(3)
    assert (surface.to_numpy() == 3).all()


@settings(max_examples=300)
@given(encoder_configs())
def test_nothing_is_wrong_with_the_encoder_configs(config: EncoderConfig) -> None:
    validate(config)


@settings(max_examples=30)
@given(source_specs(), draw_specs(), attributes(), label_lines())
def test_specs(spec: SourceSpec, draw, attribute, line) -> None:
    assert spec.copy() == spec


QUICK = settings(phases=[Phase.generate], max_examples=1000)


@pytest.mark.parametrize("codec", ENCODABLE, ids=lambda codec: codec.name())
def test_every_codec_is_reached(codec: Codec) -> None:
    find(encoder_configs(), lambda config: config.codec is codec, settings=QUICK)


@pytest.mark.parametrize(
    ("strategy", "condition"),
    [
        (placements(), lambda placement: not placement.covers_target and placement.crop_ltwh[0] > 0),
        (transform_configs((99, 99)), lambda config: config.dst_padding is not None),
        (surfaces(), lambda surface: surface.pitch < 0),
        (rotated_boxes(), lambda rows: bool(np.isnan(rows[:, 4]).any())),
        (video_frames(), lambda frame: frame.object_count > 1),
        (encoder_configs(), lambda config: config.encoder_params is not None),
    ],
    ids=["bars and a crop", "an inset", "rows upwards", "no angle", "objects", "properties"],
)
def test_what_can_be_said_is_said(strategy, condition) -> None:
    find(strategy, condition, settings=QUICK)


def test_they_shrink_to_the_plain_case() -> None:
    assert find(boxes(), len).tolist() == [[0, 0, 0, 0]]
    assert find(placements(), lambda _: True) == Placement.compute((1, 1), (1, 1), TransformConfig(Padding.NONE))
    assert find(transform_configs(), lambda _: True).interpolation is Interpolation.NEAREST
    surface = find(surfaces(), lambda _: True)
    assert (surface.format, surface.size_wh, surface.pitch) == (VideoFormat.RGBA, (1, 1), 4)


def test_the_package_imports_without_hypothesis_and_names_the_extra() -> None:
    code = """if True:
        import sys
        sys.modules["hypothesis"] = None
        import picasso.testing as testing
        testing.FakeClock(), testing.RecordingCallbacks(), testing.MemoryEncoders()
        try:
            from picasso.testing import boxes
        except ImportError as error:
            print(type(error).__name__, error)
        """
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.startswith("MissingDependencyError hypothesis")
    assert "pip install 'picasso-engine[test]'" in told


def test_unknown_names_are_told_as_everywhere() -> None:
    with pytest.raises(AttributeError, match=r"module 'picasso\.testing' has no attribute 'bokses'"):
        _ = testing.bokses
