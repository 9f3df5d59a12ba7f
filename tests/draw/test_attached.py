"""Drawings that come with their frame: moved, joined, copied, and painted by the engine instead of what specs say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picasso import Callbacks, CodecSpec, EncoderConfig, GeneralSpec, PicassoEngine, SourceSpec
from picasso.draw import (
    BoundingBoxDraw,
    ColorDraw,
    DisplayList,
    DotDraw,
    LabelDraw,
    LabelPosition,
    LabelPositionKind,
    ObjectDraw,
    ObjectDrawSpec,
    Painter,
)
from picasso.draw.attached import ATTACHED, attach, attached, joined, moved
from picasso.draw.cpu import CpuPainter
from picasso.draw.letters import Letters
from picasso.draw.sketch import Sketch
from picasso.encode import Codec
from picasso.engine import ConditionalSpec
from picasso.primitives import RBBox, VideoFrame
from picasso.surface import SurfaceView
from picasso.transform import TransformConfig

WIDTH, HEIGHT = 96, 64
RED, BLUE, WHITE = ColorDraw(255, 0, 0), ColorDraw(0, 0, 255), ColorDraw(255, 255, 255)
Pixels = np.ndarray[Any, np.dtype[np.uint8]]


def painted(*drawings: DisplayList) -> Pixels:
    pixels = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    painter, surface = CpuPainter(), SurfaceView.wrap(pixels)
    for drawing in drawings:
        painter.paint(surface, drawing)
    return pixels


def scene(left: int, top: int, text: str = "ab", angle: float | None = None) -> DisplayList:
    """What the specs of an object make: a box with a dot and a label, all of them away from the edges."""
    frame = VideoFrame("cam", "30/1", WIDTH, HEIGHT)
    frame.create_object("yolo", text, detection_box=RBBox(left + 10, top + 8, 20, 16, angle))
    place = LabelPosition(LabelPositionKind.TopLeftInside, 0, 0)
    look = ObjectDraw(BoundingBoxDraw(RED), DotDraw(BLUE, 3), LabelDraw(WHITE, position=place))
    specs = ObjectDrawSpec()
    specs.insert("yolo", text, look)
    painter = Painter()
    painter.set_specs(specs)
    return painter.drawing(frame, {}, (WIDTH, HEIGHT))


spot = st.tuples(st.integers(6, 30), st.integers(6, 20))


@given(spot, st.integers(0, 30), st.integers(0, 20), st.sampled_from([None, 0.0, 30.0]))
def test_what_is_moved_is_painted_elsewhere(
    corner: tuple[int, int], right: int, down: int, angle: float | None
) -> None:
    here, there = painted(scene(*corner, angle=angle)), painted(moved(scene(*corner, angle=angle), right, down))
    assert here.any()
    assert (there[down:, right:] == here[: HEIGHT - down, : WIDTH - right]).all()
    assert (there == painted(scene(corner[0] + right, corner[1] + down, angle=angle))).all()


@given(spot, spot, st.text("abcgyAÄ€ ", max_size=3), st.text("xyzM", max_size=3))
def test_joined_drawings_lie_on_each_other_in_their_order(
    first: tuple[int, int], second: tuple[int, int], one: str, other: str
) -> None:
    under, over = scene(*first, one or "-"), scene(*second, other or "-")
    whole = joined([under, over])
    assert (painted(whole) == painted(under, over)).all()
    if len(under.coverage) and len(over.coverage):
        assert whole.revision != joined([under, over]).revision  # other letters, for painters that keep them
    else:
        assert whole.revision in {under.revision, over.revision}  # the letters of one of them, as they are


def test_letters_of_other_scenes_have_other_numbers() -> None:
    assert scene(6, 6, "a").revision != scene(6, 6, "b").revision


@given(spot, spot)
def test_a_sketch_takes_drawings_in_between(first: tuple[int, int], second: tuple[int, int]) -> None:
    sketch = Sketch((WIDTH, HEIGHT))
    sketch.add(scene(*first))
    sketch.box((48, 32), (20, 10), 0.0, BLUE)
    sketch.add(scene(*second))
    middle = Sketch((WIDTH, HEIGHT))
    middle.box((48, 32), (20, 10), 0.0, BLUE)
    assert (painted(sketch.finish()) == painted(scene(*first), middle.finish(), scene(*second))).all()
    assert len(sketch) == 0


@given(st.text("abgyMÄ€ا\U00000301 \t", min_size=1, max_size=6), st.sampled_from([0.7, 1.0, 2.0]), spot)
def test_letters_stand_as_those_of_a_label(text: str, scale: float, corner: tuple[int, int]) -> None:
    frame = VideoFrame("cam", "30/1", WIDTH, HEIGHT)
    frame.create_object("yolo", text, detection_box=RBBox(corner[0] + 10, corner[1] + 8, 20, 16))
    place = LabelPosition(LabelPositionKind.TopLeftInside, 0, 0)
    painter, specs = Painter(), ObjectDrawSpec()
    specs.insert("yolo", text, ObjectDraw(label=LabelDraw(WHITE, font_scale=scale, position=place)))
    painter.set_specs(specs)
    sketch = Sketch((WIDTH, HEIGHT))
    sketch.text(Letters().text(text, 12 * scale), *corner, WHITE)
    assert (painted(painter.drawing(frame, {}, (WIDTH, HEIGHT))) == painted(sketch.finish())).all()


@pytest.mark.parametrize("codec", [Codec.RAW_RGBA, Codec.RAW_NV12], ids=["pixels", "planes"])
def test_the_engine_paints_what_comes_with_a_frame_instead_of_what_specs_say(codec: Codec) -> None:
    specs = ObjectDrawSpec()
    specs.insert("yolo", "car", ObjectDraw(BoundingBoxDraw(background_color=BLUE)))
    spec = SourceSpec(
        codec=CodecSpec.encode(TransformConfig(), EncoderConfig(codec, WIDTH, HEIGHT)),
        conditional=ConditionalSpec(render_attribute=ATTACHED),
        draw=specs,
    )
    outputs: list[Any] = []
    engine = PicassoEngine(GeneralSpec(), Callbacks(on_encoded_frame=outputs.append))
    engine.set_source_spec("cam", spec)
    sketch = Sketch((WIDTH, HEIGHT))
    for number, has_drawing in enumerate([True, False, True]):
        frame = VideoFrame("cam", "30/1", WIDTH, HEIGHT, time_base=(1, 10**9), pts=number * 10**7)
        frame.create_object("yolo", "car", detection_box=RBBox(48, 32, 20, 16))
        if has_drawing:
            sketch.box((20, 20), (10, 10), 0.0, WHITE)
            attach(frame, sketch.finish())
        engine.send_frame("cam", frame, np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    engine.send_eos("cam")
    engine.shutdown()
    found = [output.as_video_frame() for output in outputs if not output.is_eos]
    for frame, has_drawing in zip(found, [True, False, True], strict=True):
        picture = np.frombuffer(frame.content.get_data(), np.uint8)[
            : WIDTH * HEIGHT * (4 if codec is Codec.RAW_RGBA else 1)
        ]
        luma = picture.reshape(HEIGHT, WIDTH, -1)[..., 0]
        assert (luma[10:30, 10:30] > 200).all() == has_drawing
        assert (luma[32, 48] < 40).all()
        assert (attached(frame) is not None) == has_drawing
