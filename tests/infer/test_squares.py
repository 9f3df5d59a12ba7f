"""From pixels to boxes in source pixels: a model that finds coloured rectangles finds them where they are."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from squares import COLORS, WINDOW, finder, picture

from picasso.infer import HeadSettings, Inference, InputSpec, Selector, Session, find_head
from picasso.infer.files.labels import labels_of_metadata
from picasso.media import VideoReader
from picasso.primitives import Detections, Orientation, VideoFrame
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Interpolation, Padding, Placement, Rect, unplace_detections
from picasso.transform.anywhere import transform

SIZE = (96, 96)
LARGEST = WINDOW - 5
"""Pixels of the tensor that the model measures a rectangle in."""


@pytest.fixture(scope="module")
def session() -> Session:
    return Session(finder(SIZE), threads=1)


def surface_of(pixels: np.ndarray) -> SurfaceView:
    alpha = np.full((*pixels.shape[:2], 1), 255, np.uint8)
    return SurfaceView.wrap(np.ascontiguousarray(np.concatenate([pixels, alpha], axis=2)), VideoFormat.RGBA)


def detect(session: Session, spec: InputSpec, surfaces: list[SurfaceView], boxes: Any = None) -> list[Detections]:
    """What the model finds in pictures, or in one crop of each, in source pixels."""
    names = labels_of_metadata(session.metadata)
    head = find_head(
        session.outputs, metadata=session.metadata, input_wh=spec.size_wh, classes=len(names), inputs=session.inputs
    )
    told = HeadSettings(spec.size_wh, Selector(class_names=names))
    inference = Inference(session, spec)
    parts = (
        inference.of_pictures(surfaces) if boxes is None else inference.of_objects(surfaces, range(len(boxes)), boxes)
    )
    return [
        unplace_detections(found, placement)
        for part in parts
        for found, placement in zip(head.decode(part.outputs, told, part.scales_xy), part.placements, strict=True)
    ]


def spec_for(placement_scale: tuple[float, float], padding: Padding) -> InputSpec:
    """A shrunken picture needs the mean of its pixels: else edges lie where no pixel is looked at."""
    shrinks = min(placement_scale) < 0.9
    return InputSpec(SIZE, padding=padding, interpolation=Interpolation.AREA if shrinks else Interpolation.BILINEAR)


@st.composite
def scenes(draw, crop: bool) -> tuple[tuple[int, int], tuple[int, int, int, int], Padding, dict[str, Any]]:
    """A size, a crop of it, a padding, and rectangles within the crop that the model can measure."""
    size = draw(st.integers(24, 400)), draw(st.integers(24, 400))
    box = (0, 0, *size)
    if crop:
        left, top = (draw(st.integers(0, side - 24)) for side in size)
        right = draw(st.integers(left + 24, size[0]))
        bottom = draw(st.integers(top + 24, size[1]))
        box = left, top, right, bottom
    padding = draw(st.sampled_from(list(Padding)))
    inner = (box[2] - box[0], box[3] - box[1])
    scale = Placement.compute(inner, SIZE, InputSpec(SIZE, padding=padding).fitting).scale_xy
    rectangles: dict[str, tuple[int, int, int, int]] = {}
    for color in draw(st.lists(st.sampled_from(list(COLORS)), min_size=1, max_size=2, unique=True)):
        sides = []
        for side, factor in zip(inner, scale, strict=True):
            most = max(min(int(LARGEST / factor), side), 2)
            sides.append(draw(st.integers(min(max(int(np.ceil(2 / factor)), 2), most), most)))
        at = [draw(st.integers(0, whole - side)) for whole, side in zip(inner, sides, strict=True)]
        rectangle = (box[0] + at[0], box[1] + at[1], box[0] + at[0] + sides[0], box[1] + at[1] + sides[1])
        if all(_apart(rectangle, other) for other in rectangles.values()):
            rectangles[color] = rectangle
    return size, box, padding, rectangles


def _apart(one: tuple[int, ...], two: tuple[int, ...]) -> bool:
    return one[2] < two[0] or two[2] < one[0] or one[3] < two[1] or two[3] < one[1]


def found_where_they_are(found: Detections, rectangles: dict[str, tuple[int, ...]]) -> None:
    """Each by its colour, within one source pixel."""
    assert sorted(found.labels) == sorted(rectangles)
    for one in found:
        assert_allclose(one.xyxy, rectangles[one.label], atol=1)


@settings(max_examples=60)
@given(scene=scenes(crop=False))
def test_a_rectangle_is_found_within_one_source_pixel_through_any_fitting(session, scene):
    size, box, padding, rectangles = scene
    scale = Placement.compute(box[2:], SIZE, InputSpec(SIZE, padding=padding).fitting).scale_xy
    (found,) = detect(session, spec_for(scale, padding), [surface_of(picture(size, rectangles))])
    found_where_they_are(found, rectangles)


@settings(max_examples=40)
@given(scene=scenes(crop=True))
def test_a_rectangle_is_found_through_any_crop(session, scene):
    size, box, padding, rectangles = scene
    inner = (box[2] - box[0], box[3] - box[1])
    scale = Placement.compute(inner, SIZE, InputSpec(SIZE, padding=padding).fitting).scale_xy
    (found,) = detect(session, spec_for(scale, padding), [surface_of(picture(size, rectangles))], [box])
    found_where_they_are(found, rectangles)


@settings(max_examples=40)
@given(scene=scenes(crop=True), data=st.data())
def test_a_rectangle_is_found_through_a_crop_of_a_crop(session, scene, data):
    """The outer crop becomes a picture of its own, the model looks at a crop of that; both ways back lead home."""
    size, box, padding, rectangles = scene
    outer = [data.draw(st.integers(0, edge)) for edge in box[:2]]
    outer += [data.draw(st.integers(edge, side)) for edge, side in zip(box[2:], size, strict=True)]
    left, top, right, bottom = outer
    cut_wh = (right - left, bottom - top)
    cut = Placement.compute(size, cut_wh, src_rect=Rect(top=top, left=left, width=cut_wh[0], height=cut_wh[1]))
    middle = SurfaceView.allocate(VideoFormat.RGBA, cut_wh)
    transform(surface_of(picture(size, rectangles)), cut, middle, Interpolation.NEAREST)
    inner = (box[2] - box[0], box[3] - box[1])
    scale = Placement.compute(inner, SIZE, InputSpec(SIZE, padding=padding).fitting).scale_xy
    box_in_cut = [box[0] - left, box[1] - top, box[2] - left, box[3] - top]
    (found,) = detect(session, spec_for(scale, padding), [middle], [box_in_cut])
    found_where_they_are(unplace_detections(found, cut), rectangles)


@settings(max_examples=10)
@given(many=st.lists(scenes(crop=False), min_size=2, max_size=5))
def test_each_picture_of_a_batch_gets_its_own(session, many):
    padding = Padding.SYMMETRIC
    spec = InputSpec(SIZE, padding=padding, interpolation=Interpolation.AREA)
    pictures = [surface_of(picture((180, 120), {color: (10, 20, 40, 44)})) for _scene in many for color in COLORS]
    for found, color in zip(detect(session, spec, pictures), [c for _scene in many for c in COLORS], strict=True):
        found_where_they_are(found, {color: (10, 20, 40, 44)})


TURNS = {0: None, 90: (270, False, False), 180: (180, False, False), 270: (90, False, False), -1: (0, True, False)}
"""What a muxer is told for each orientation: degrees counter-clockwise, and flips; −1 is a mirror."""


@pytest.mark.parametrize("turn", TURNS)
def test_a_rectangle_is_found_in_the_pixels_of_a_file_that_lies_turned(session, tmp_path: Path, turn: int):
    """The reader turns the picture; the chain of its frame leads the box back to the pixels as they are stored."""
    stored = {"red": (30, 12, 54, 40), "blue": (100, 70, 130, 84)}
    path = tmp_path / "turned.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv444p"
        if TURNS[turn] is not None:
            stream.set_display_rotation(*TURNS[turn])
        frame = av.VideoFrame.from_ndarray(picture((160, 96), stored), "rgb24").reformat(format="yuv444p", threads=1)
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with VideoReader(path) as reader:
        shown, surface = next(iter(reader))
        (found,) = detect(session, InputSpec(SIZE, interpolation=Interpolation.AREA), [surface])
        assert found.labels.tolist() in (["red", "blue"], ["blue", "red"])
        shown.add_detections("finder", found)
        shown.transform_backward()
        assert (shown.width, shown.height) == (160, 96)
        found_where_they_are(shown.get_detections(), stored)
    orientation = Orientation(0, mirrored=True) if turn == -1 else Orientation(turn)
    assert surface.size_wh == orientation.size((160, 96))


def test_what_was_found_travels_with_its_frame(session):
    """Through JSON, the objects are those that the model found."""
    rectangles = {"green": (20, 30, 60, 50)}
    (found,) = detect(session, InputSpec(SIZE), [surface_of(picture((96, 96), rectangles))])
    frame = VideoFrame("cam", "30/1", 96, 96)
    frame.add_detections("finder", found)
    found_where_they_are(VideoFrame.from_json(frame.json).get_detections("finder"), rectangles)


def test_an_empty_picture_has_no_object(session):
    (found,) = detect(session, InputSpec(SIZE), [surface_of(picture((300, 200), {}))])
    assert len(found) == 0
