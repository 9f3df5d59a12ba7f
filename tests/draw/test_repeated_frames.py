"""What transformers and painters keep from frame to frame never shows in a picture."""

from __future__ import annotations

import numpy as np
import pytest
from frames import BLACK, BLUE, RED, WHITE, frame_of, specs_of
from hypothesis import given, settings
from hypothesis import strategies as st

from picasso.draw import BoundingBoxDraw, ColorDraw, DotDraw, LabelDraw, ObjectDraw, Scene
from picasso.draw.cpu import COMMON_FORMATS, CpuPainter
from picasso.draw.lists import DisplayList
from picasso.errors import GeometryError, SurfaceError
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Interpolation, Placement
from picasso.transform.cpu import CpuTransformer, transform

WIDTH, HEIGHT = 96, 64
EVERYTHING = ObjectDraw(
    BoundingBoxDraw(RED, ColorDraw(0, 200, 0, 90), 3),
    DotDraw(BLUE, 4),
    LabelDraw(BLACK, WHITE, RED, format=["Ay {id}"]),
    blur=True,
)
SOURCES = (VideoFormat.RGBA, VideoFormat.RGB, VideoFormat.NV12, VideoFormat.I420)


class Stream:
    """A source's own transformer and painter."""

    def __init__(self) -> None:
        self.transformer, self.painter = CpuTransformer(), CpuPainter()

    def make(
        self,
        source: SurfaceView,
        placement: Placement,
        target: SurfaceView,
        how: Interpolation,
        drawing: DisplayList,
    ) -> None:
        self.transformer.transform(source, placement, target, how)
        self.painter.paint(target, drawing)


def noise(form: VideoFormat, size_wh: tuple[int, int], seed: int) -> SurfaceView:
    surface = SurfaceView.allocate(form, size_wh)
    for plane in surface.planes:
        plane[...] = np.random.default_rng(seed).integers(0, 256, plane.shape, np.uint8)
    return surface


def drawing_of(*boxes: tuple[float, ...]) -> DisplayList:
    scene = Scene()
    scene.set_specs(specs_of(EVERYTHING))
    return scene.build(frame_of(*boxes), {}, (WIDTH, HEIGHT))


def made_afresh(
    source: SurfaceView, placement: Placement, form: VideoFormat, how: Interpolation, drawing: DisplayList
) -> SurfaceView:
    target = SurfaceView.allocate(form, (WIDTH, HEIGHT))
    transform(source, placement, target, how)
    CpuPainter().paint(target, drawing)
    return target


def assert_same(one: SurfaceView, other: SurfaceView) -> None:
    for plane, expected in zip(one.planes, other.planes, strict=True):
        np.testing.assert_array_equal(plane, expected)


sides = st.integers(4, 60).map(lambda half: 2 * half)
frames = st.tuples(
    st.sampled_from(SOURCES),
    sides,
    sides,
    st.sampled_from([Interpolation.BILINEAR, Interpolation.NEAREST, Interpolation.AREA]),
    st.lists(st.tuples(*[st.floats(-20, 100)] * 2, *[st.floats(0, 60)] * 2, st.floats(-180, 180)), max_size=3),
    st.integers(0, 9),
)


@pytest.mark.parametrize("form", COMMON_FORMATS, ids=lambda form: form.name())
@settings(deadline=None, max_examples=15)
@given(st.lists(frames, min_size=1, max_size=4))
def test_frames_that_change_leave_no_trace_in_the_next(form: VideoFormat, stream) -> None:
    """One stream and one target for all of them."""
    kept, target = Stream(), SurfaceView.allocate(form, (WIDTH, HEIGHT))
    for source_form, width, height, how, boxes, seed in stream:
        source = noise(source_form, (width, height), seed)
        placement = Placement.compute((width, height), (WIDTH, HEIGHT))
        drawing = drawing_of(*boxes)
        kept.make(source, placement, target, how, drawing)
        assert_same(target, made_afresh(source, placement, form, how, drawing))


def test_sources_that_lie_otherwise_are_read_as_they_lie() -> None:
    kept, target = Stream(), SurfaceView.allocate(VideoFormat.I420, (WIDTH, HEIGHT))
    pixels = np.random.default_rng(1).integers(0, 256, (80, 100, 4), np.uint8)
    placement = Placement.compute((50, 40), (WIDTH, HEIGHT))
    drawing, how = drawing_of((40, 30, 20, 20)), Interpolation.BILINEAR
    for view in (pixels[:40, :50], pixels[39::-1, :50], pixels[::2, ::2], pixels[:40, 49::-1]):
        source = SurfaceView.wrap(view)
        kept.make(source, placement, target, how, drawing)
        assert_same(target, made_afresh(source, placement, VideoFormat.I420, how, drawing))


def test_targets_may_take_turns() -> None:
    kept, how, drawing = Stream(), Interpolation.BILINEAR, drawing_of((40, 30, 20, 20))
    targets = [SurfaceView.allocate(form, (WIDTH, HEIGHT)) for form in COMMON_FORMATS]
    placement = Placement.compute((50, 40), (WIDTH, HEIGHT))
    for seed in range(2):
        source = noise(VideoFormat.RGBA, (50, 40), seed)
        for target in targets:
            kept.make(source, placement, target, how, drawing)
            assert_same(target, made_afresh(source, placement, target.format, how, drawing))


def test_what_it_refuses_it_does_not_write() -> None:
    kept, drawing = Stream(), drawing_of((40, 30, 20, 20))
    source, placement = noise(VideoFormat.RGBA, (50, 40), 3), Placement.compute((50, 40), (WIDTH, HEIGHT))
    wrong = SurfaceView.allocate(VideoFormat.UYVY, (WIDTH, HEIGHT))
    with pytest.raises(SurfaceError, match="the painter draws on"):
        kept.painter.paint(wrong, drawing)
    assert not wrong.to_numpy().any()
    target = SurfaceView.allocate(VideoFormat.I420, (WIDTH, HEIGHT))
    kept.make(source, placement, target, Interpolation.BILINEAR, drawing)
    before = [plane.copy() for plane in target.planes]
    with pytest.raises(GeometryError, match="the source is 48x40"):
        kept.make(noise(VideoFormat.RGBA, (48, 40), 3), placement, target, Interpolation.BILINEAR, drawing)
    for plane, kept in zip(target.planes, before, strict=True):
        np.testing.assert_array_equal(plane, kept)
