"""Pictures that lie on their side: sizes, boxes and chains turn with them, and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from picasso.errors import TransformationChainError
from picasso.primitives import Orientation, VideoFrame, VideoFrameTransformation

ORIENTATIONS = [Orientation(turn_deg, mirrored) for turn_deg in (0, 90, 180, 270) for mirrored in (False, True)]
orientations = st.sampled_from(ORIENTATIONS)
sides = st.integers(1, 300)
sizes = st.tuples(sides, sides)


def turned(picture: np.ndarray, orientation: Orientation) -> np.ndarray:
    """The picture by NumPy's own functions: mirrored first, then turned clockwise."""
    mirrored = np.fliplr(picture) if orientation.mirrored else picture
    return np.rot90(mirrored, -(orientation.turn_deg // 90))


@st.composite
def frames_with_a_marked_box(draw: st.DrawFn) -> tuple[VideoFrame, np.ndarray]:
    """A frame with one box of whole pixels, and its picture, where just the pixels of the box are 1."""
    width, height = draw(sizes)
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    right, bottom = draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height))
    picture = np.zeros((height, width), np.uint8)
    picture[top:bottom, left:right] = 1
    frame = VideoFrame("cam", "25/1", width, height)
    frame.add_detections("me", [[left, top, right, bottom]], "thing", track_ids=[1], track_xyxy=[[0, 0, right, bottom]])
    return frame, picture


def marked(picture: np.ndarray) -> list[int]:
    """Corners x0 y0 x1 y1 of the pixels that are 1."""
    rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
    return [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]


@given(frames_with_a_marked_box(), orientations)
def test_a_box_turns_with_its_pixels(given_frame: tuple[VideoFrame, np.ndarray], orientation: Orientation) -> None:
    frame, picture = given_frame
    frame.turn(orientation)
    upright = turned(picture, orientation)
    assert (frame.height, frame.width) == upright.shape
    assert_allclose(frame.get_detections().xyxy, [marked(upright)], atol=1e-3)


@given(frames_with_a_marked_box(), st.lists(orientations, min_size=1, max_size=4))
def test_the_chain_brings_boxes_and_size_back(
    given_frame: tuple[VideoFrame, np.ndarray], turns: list[Orientation]
) -> None:
    frame, picture = given_frame
    before, tracks = frame.get_detections().xyxy, frame.track_boxes().copy()
    for orientation in turns:
        frame.turn(orientation)
    frame = VideoFrame.from_json(frame.json)
    frame.transform_backward()
    assert (frame.height, frame.width) == picture.shape
    assert frame.transformations == [VideoFrameTransformation.initial_size(*picture.shape[::-1])]
    assert_allclose(frame.get_detections().xyxy, before, atol=1e-3)
    assert_allclose(frame.track_boxes(), tracks, atol=1e-3)


@given(frames_with_a_marked_box(), st.lists(orientations, max_size=4))
def test_boxes_in_coded_pixels_come_forward_through_turns_and_scales(
    given_frame: tuple[VideoFrame, np.ndarray], turns: list[Orientation]
) -> None:
    """A frame whose boxes stayed in coded pixels, and whose chain says: turned, doubled, turned, doubled …"""
    frame, picture = given_frame
    upright = picture
    for orientation in turns:
        upright = turned(upright, orientation).repeat(2, 0).repeat(2, 1)
        frame.add_transformation(VideoFrameTransformation.orientation(orientation))
        frame.add_transformation(VideoFrameTransformation.letter_box(*upright.shape[::-1], 0, 0, 0, 0))
    frame.transform_forward()
    assert (frame.height, frame.width) == upright.shape
    assert_allclose(frame.get_detections().xyxy, [marked(upright)], rtol=1e-4, atol=1e-3)


@given(orientations, sizes)
def test_a_turn_and_its_inverse_change_nothing(orientation: Orientation, size_wh: tuple[int, int]) -> None:
    picture = np.arange(size_wh[0] * size_wh[1]).reshape(size_wh[::-1])
    there = turned(picture, orientation)
    assert orientation.size(size_wh) == there.shape[::-1]
    assert np.array_equal(turned(there, orientation.inverse), picture)


@given(orientations, st.floats(-180, 180), sizes)
def test_a_rotated_box_keeps_its_corners(orientation: Orientation, angle_deg: float, size_wh: tuple[int, int]) -> None:
    box = np.array([[30], [20], [16], [6], [angle_deg]], np.float32)
    before = corners(box)
    moved = box.copy()
    orientation.move_boxes(moved, size_wh)
    expected = np.array([turned_point(point, orientation, size_wh) for point in before])
    distances = np.hypot(*(corners(moved)[:, None] - expected).transpose(2, 0, 1))
    assert distances.min(axis=0).max() < 0.01
    assert distances.min(axis=1).max() < 0.01


def corners(box: np.ndarray) -> np.ndarray:
    x, y, width, height, angle = box[:, 0].astype(float)
    radians = np.radians(angle)
    across = np.array([np.cos(radians), np.sin(radians)]) * width / 2
    down = np.array([-np.sin(radians), np.cos(radians)]) * height / 2
    return np.array([[x, y] + i * across + j * down for i in (-1, 1) for j in (-1, 1)])


def turned_point(point: np.ndarray, orientation: Orientation, size_wh: tuple[int, int]) -> np.ndarray:
    x, y = point
    width, height = size_wh
    x = width - x if orientation.mirrored else x
    return np.array(
        {0: (x, y), 90: (height - y, x), 180: (width - x, height - y), 270: (y, width - x)}[orientation.turn_deg]
    )


def test_the_chain_of_a_turned_frame_says_so_and_passes_for_pristine() -> None:
    frame = VideoFrame("cam", "25/1", 1920, 1080)
    assert frame.orientation.is_upright
    frame.turn(Orientation(90))
    assert (frame.width, frame.height, frame.orientation) == (1080, 1920, Orientation(90))
    assert repr(frame.transformations) == "[InitialSize(1920, 1080), Orientation(90, 0)]"
    assert frame.transformations[1].as_orientation == Orientation(90)
    assert frame.transformations[0].as_orientation is None
    frame.check_pristine()
    frame.width += 2
    with pytest.raises(TransformationChainError, match="Invalid transformation chain"):
        frame.check_pristine()


def test_what_else_was_done_to_a_turned_frame_is_not_pristine() -> None:
    frame = VideoFrame("cam", "25/1", 64, 48)
    frame.turn(Orientation(180))
    frame.add_transformation(VideoFrameTransformation.padding(0, 0, 0, 0))
    assert frame.orientation.is_upright
    with pytest.raises(TransformationChainError, match="Invalid transformation chain"):
        frame.check_pristine()


def test_a_chain_that_begins_with_a_turn_has_no_initial_size() -> None:
    frame = VideoFrame("cam", "25/1", 64, 48)
    frame.clear_transformations()
    frame.add_transformation(VideoFrameTransformation.orientation(Orientation(90)))
    with pytest.raises(TransformationChainError, match="no InitialSize"):
        frame.transform_backward()


def test_a_picture_of_which_nothing_is_left_cannot_be_turned() -> None:
    frame = VideoFrame("cam", "25/1", 64, 48)
    frame.add_transformation(VideoFrameTransformation.crop(32, 0, 32, 0))
    frame.add_transformation(VideoFrameTransformation.orientation(Orientation(90)))
    with pytest.raises(TransformationChainError, match="no computable current size"):
        frame.transform_forward()


@pytest.mark.parametrize(("value", "error"), [(Orientation(45), ValueError), ((90, False), TypeError), (90, TypeError)])
def test_only_turns_by_quarters_are_steps(value: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="orientation: expected"):
        VideoFrameTransformation.orientation(value)  # type: ignore[arg-type]
