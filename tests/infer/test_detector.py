"""Detectors: a model that really looks for red squares finds them in the pixels of any picture."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from graphs import colours, red_squares
from hypothesis import given, settings

import picasso as pc
from picasso.errors import ModelError, ShapeError, SurfaceError
from picasso.infer import Session
from picasso.surface import ColorSpace, SurfaceView, VideoFormat
from picasso.transform import Normalization, Padding, Placement, TransformConfig
from picasso.transform.cpu import transform

SIDE = 64
"""Of the model's input."""


@pytest.fixture(scope="module")
def detect() -> pc.Detector:
    return pc.Detector(red_squares(SIDE), threads=1, confidence=0.5)


def scene(size_wh: tuple[int, int], *squares: tuple[int, int, int, int]) -> np.ndarray[Any, Any]:
    """A blue picture with red rectangles, given by their corners."""
    picture = np.full((size_wh[1], size_wh[0], 3), (0, 0, 255), np.uint8)
    for left, top, right, bottom in squares:
        picture[top:bottom, left:right] = (255, 0, 0)
    return picture


def test_a_square_is_found_where_it_is(detect: pc.Detector) -> None:
    found = detect(scene((SIDE, SIDE), (16, 24, 32, 40)))
    np.testing.assert_allclose(found.xyxy, [(16, 24, 32, 40)], atol=1e-4)
    assert (found.labels.tolist(), found.class_ids.tolist(), found.namespaces.tolist()) == (["red"], [0], ["model"])
    assert found.confidences[0] == pytest.approx(1.0)


sizes = st.integers(2, 8).map(lambda n: n * 32)


@settings(max_examples=60, deadline=None)
@given(sizes, sizes, st.sampled_from(list(Padding)), st.sampled_from(["RGB", "RGBA", "NV12", "I420"]), st.data())
def test_through_any_letterbox_a_square_is_found_within_a_pixel(
    width: int, height: int, padding: Padding, form: str, data: st.DataObject
) -> None:
    """Of the model's own pixels, of which the graph sees no fraction."""
    placement = Placement.compute((width, height), (SIDE, SIDE), TransformConfig(padding))
    box = data.draw(boxes_within(placement))
    source = SurfaceView.wrap(scene((width, height), box))
    surface = SurfaceView.allocate(getattr(VideoFormat, form), (width, height))
    transform(source, Placement.identity((width, height)), surface)
    found = fitted(padding)(surface)
    assert len(found) == 1
    scale_x, scale_y = placement.scale_xy
    tolerance = np.array([1 / scale_x, 1 / scale_y] * 2) * 1.01
    assert (np.abs(found.xyxy[0] - box) <= tolerance).all()


_FITTED: dict[Padding, pc.Detector] = {}


def fitted(padding: Padding) -> pc.Detector:
    if padding not in _FITTED:
        _FITTED[padding] = pc.Detector(red_squares(SIDE), threads=1, confidence=0.4, padding=padding)
    return _FITTED[padding]


@st.composite
def boxes_within(draw: st.DrawFn, placement: Placement) -> tuple[int, int, int, int]:
    """A rectangle of the source that is 8 to 24 pixels wide and high in the tensor."""
    corners = []
    for side, scale in zip(placement.source_wh, placement.scale_xy, strict=True):
        least = int(np.ceil(8 / scale))
        length = draw(st.integers(least, max(min(int(24 / scale), side), least)))
        first = draw(st.integers(0, max(side - length, 0)))
        corners.append((first, min(first + length, side)))
    return corners[0][0], corners[1][0], corners[0][1], corners[1][1]


def test_many_pictures_of_any_kind_are_one_batch(detect: pc.Detector) -> None:
    squares = [(8, 8, 24, 24), (40, 40, 60, 56)]
    pictures = [scene((SIDE, SIDE), square) for square in squares]
    nv12 = SurfaceView.allocate(VideoFormat.NV12, (SIDE, SIDE), ColorSpace.for_height(SIDE))
    transform(SurfaceView.wrap(pictures[1]), Placement.identity((SIDE, SIDE)), nv12)
    found = detect([pictures[0], nv12, scene((SIDE, SIDE)), scene((2 * SIDE, SIDE), *squares)])
    np.testing.assert_allclose(found[0].xyxy, squares[:1], atol=1e-4)
    np.testing.assert_allclose(found[1].xyxy, squares[1:], atol=1e-4)
    assert len(found[2]) == 0
    assert len(found[3]) == 2
    assert detect([]) == []
    assert [len(one) for one in detect(np.stack(pictures))] == [1, 1]


def test_arrays_may_have_blue_first() -> None:
    detect_bgr = pc.Detector(red_squares(SIDE), threads=1, pixel_format="bgr")
    picture = scene((SIDE, SIDE), (8, 8, 24, 24))[..., ::-1]
    np.testing.assert_allclose(detect_bgr(picture).xyxy, [(8, 8, 24, 24)], atol=1e-4)


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_a_model_of_a_fixed_batch_finds_the_same(batch: int, detect: pc.Detector) -> None:
    pictures = [scene((SIDE, SIDE), (4 * n, 8, 4 * n + 16, 24)) for n in range(5)]
    fixed = pc.Detector(red_squares(SIDE, batch), threads=1, confidence=0.5)
    for ours, theirs in zip(fixed(pictures), detect(pictures), strict=True):
        np.testing.assert_array_equal(ours.xyxy, theirs.xyxy)


def test_objects_are_found_within_boxes_of_a_picture(detect: pc.Detector) -> None:
    """In pixels of the whole picture; what lies across the edge of a box is cut with it."""
    picture = scene((256, 256), (40, 40, 56, 56), (200, 100, 216, 116))
    boxes = [(32, 32, 96, 96), (168, 84, 232, 148), (128, 0, 192, 64), (300, 300, 310, 310), (208, 90, 254, 136)]
    found = detect.in_boxes(picture, boxes)
    assert [len(one) for one in found] == [1, 1, 0, 0, 1]
    np.testing.assert_allclose(found[0].xyxy, [(40, 40, 56, 56)], atol=1e-3)
    np.testing.assert_allclose(found[1].xyxy, [(200, 100, 216, 116)], atol=1e-3)
    np.testing.assert_allclose(found[4].xyxy, [(208, 100, 216, 116)], atol=0.8)


def test_a_box_within_a_box_leads_to_the_same_place(detect: pc.Detector) -> None:
    picture = scene((512, 512), (300, 200, 316, 216))
    outer, inner = (256, 128, 384, 256), (290, 190, 340, 240)
    (within,) = detect.in_boxes(picture, [outer])
    (again,) = detect.in_boxes(picture, [inner])
    np.testing.assert_allclose(within.xyxy, [(300, 200, 316, 216)], atol=1)
    np.testing.assert_allclose(again.xyxy, within.xyxy, atol=1.5)


def test_boxes_end_with_the_picture(detect: pc.Detector) -> None:
    found = detect(scene((SIDE, SIDE), (48, 0, SIDE, 16)))
    assert found.xyxy.max() <= SIDE
    assert found.xyxy.min() >= 0
    np.testing.assert_allclose(found.xywha[0, :4], (56, 8, 16, 16), atol=1e-4)


def test_only_the_classes_that_are_wanted_are_found() -> None:
    names = {"labels": ["red"]}
    assert (
        len(pc.Detector(red_squares(SIDE), threads=1, **names, classes=["red"])(scene((SIDE, SIDE), (8, 8, 24, 24))))
        == 1
    )
    assert len(pc.Detector(red_squares(SIDE), threads=1, classes=[])(scene((SIDE, SIDE), (8, 8, 24, 24)))) == 0


def test_labels_come_from_what_is_given_else_from_the_model(tmp_path: Any) -> None:
    file = tmp_path / "labels.txt"
    file.write_text("rouge\n")
    for labels, expected in ((None, "red"), (["rot"], "rot"), ({0: "rojo"}, "rojo"), (file, "rouge")):
        assert pc.Detector(red_squares(SIDE), threads=1, labels=labels).labels == (expected,)


def test_objects_carry_the_name_of_the_file(tmp_path: Any) -> None:
    file = tmp_path / "squares.onnx"
    file.write_bytes(red_squares(SIDE))
    found = pc.Detector(file, threads=1)(scene((SIDE, SIDE), (8, 8, 24, 24)))
    assert found.namespaces.tolist() == ["squares"]
    assert pc.Detector(file, threads=1, namespace="mine").namespace == "mine"


def test_threads_share_a_detector(detect: pc.Detector) -> None:
    pictures = [scene((SIDE, SIDE), (n, n, n + 12, n + 16)) for n in range(40)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(detect, pictures))
    for n, one in enumerate(found):
        np.testing.assert_allclose(one.xyxy, [(n, n, n + 12, n + 16)], atol=1e-4)


def test_a_model_whose_names_are_damaged_calls_classes_by_their_numbers() -> None:
    for names in ("{0: 'red', 'x': 'y'}", "{[]: 1}", "red"):
        damaged = pc.Detector(red_squares(SIDE, metadata={"task": "detect", "names": names}), threads=1)
        assert damaged(scene((SIDE, SIDE), (8, 8, 24, 24))).labels.tolist() == ["0"]


def test_a_session_is_taken_as_it_is() -> None:
    session = Session(red_squares(SIDE), provider="cpu", threads=1)
    detector = pc.Detector(session)
    assert detector.inference.session is session
    assert repr(detector) == "Detector('model', head='yolov8', 64x64, 1 classes, cpu)"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: pc.Detector("/nowhere.onnx"), ModelError, "/nowhere.onnx: there is no such file"),
        (lambda: pc.Detector(red_squares(SIDE), head="yolo99"), ModelError, "there is no head 'yolo99'"),
        (lambda: pc.Detector(red_squares(SIDE), classes=["green"]), ModelError, "the model has no 'green'; it has red"),
        (lambda: pc.Detector(red_squares(SIDE), labels=["a", "b"]), ModelError, "output0"),
        (lambda: pc.Detector(red_squares(SIDE), labels={1: "a"}), ModelError, "a name for each class from 0 on"),
        (lambda: pc.Detector(red_squares(SIDE), labels={0: "a", "x": "b"}), ModelError, "got [0, 'x']"),
        (lambda: pc.Detector(red_squares(SIDE), classes="green"), ModelError, "the model has no 'green'; it has red"),
        (
            lambda: pc.Detector(colours(size_wh=("w", "h"), metadata={"imgsz": "[None, None]"})),
            ModelError,
            "the graph leaves the height open",
        ),
        (
            lambda: pc.Detector(red_squares(SIDE), size=32),
            ModelError,
            "the graph fixes the height to 64 pixels, got 32",
        ),
        (lambda: pc.Detector(red_squares(SIDE), confidence=2), ModelError, "confidence"),
        (
            lambda: pc.Detector(red_squares(SIDE), normalization=Normalization(order="gray")),
            ModelError,
            "colours 'gray' are 1 channels",
        ),
        (lambda: pc.Detector(red_squares(SIDE), threads=1)("picture.png"), SurfaceError, "got str"),
        (lambda: pc.Detector(red_squares(SIDE), conf=0.5), TypeError, "unknown option 'conf': write confidence"),
        (lambda: pc.Detector(red_squares(SIDE)).predict, AttributeError, "'predict': write detect(pictures)"),
        (lambda: pc.Detector(red_squares(SIDE)).names, AttributeError, "'names': write detect.labels"),
        (lambda: pc.Detector(red_squares(SIDE)).colour, AttributeError, "'Detector' object has no attribute 'colour'"),
        (lambda: pc.Detector(red_squares(SIDE), threads=1).in_boxes([], [(0, 0, 1, 1)]), ShapeError, "one picture"),
    ],
)
def test_what_a_detector_refuses(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises((error, TypeError)) as caught:
        call()
    assert message in str(caught.value)
