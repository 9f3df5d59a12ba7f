"""The plugin's doubles under short names, and the proof that no thread outlives a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from engine_kit import picasso_threads

from picasso.draw import BoundingBoxDraw, ColorDraw, ObjectDraw, ObjectDrawSpec, Painter
from picasso.draw.cpu import Finisher
from picasso.engine import PicassoEngine
from picasso.primitives import RBBox, VideoFrame
from picasso.surface import SurfaceView, VideoFormat
from picasso.testing import FakeClock, MemoryEncoders, RecordingCallbacks
from picasso.testing.plugin import MakeEngine
from picasso.transform import Interpolation, Placement
from picasso.transform.cpu import warm_up


@pytest.fixture(scope="session", autouse=True)
def kernels() -> None:
    """A first frame waits for the compiler, which on a busy machine takes longer than a test waits for a frame."""
    warm_up()
    frame, specs, painter = VideoFrame("warm-up", "30/1", 8, 8), ObjectDrawSpec(), Painter()
    frame.create_object("warm-up", "box", detection_box=RBBox(4, 4, 4, 4))
    specs.insert("warm-up", "box", ObjectDraw(BoundingBoxDraw(ColorDraw(255, 0, 0))))
    painter.set_specs(specs)
    source, drawing = SurfaceView.allocate(VideoFormat.RGBA, (8, 8)), painter.drawing(frame, {}, (8, 8))
    for form in (VideoFormat.RGBA, VideoFormat.I420):
        target, placement = SurfaceView.allocate(form, (8, 8)), Placement.identity((8, 8))
        Finisher().finish(source, placement, target, Interpolation.BILINEAR, drawing)


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    assert picasso_threads() == []
    yield
    assert picasso_threads() == []


@pytest.fixture
def recorder(recording_callbacks: RecordingCallbacks) -> RecordingCallbacks:
    return recording_callbacks


@pytest.fixture
def clock(fake_clock: FakeClock) -> FakeClock:
    return fake_clock


@pytest.fixture
def encoders(memory_encoder: MemoryEncoders) -> MemoryEncoders:
    return memory_encoder


@pytest.fixture
def make_engine(picasso_engine: MakeEngine) -> MakeEngine:
    return picasso_engine


@pytest.fixture
def engine(make_engine: MakeEngine) -> PicassoEngine:
    return make_engine()
