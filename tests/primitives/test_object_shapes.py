"""Masks, polygons and keypoints stay where they belong when boxes move, travel, and refuse what they are not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.testing import assert_allclose, assert_array_equal

from picasso.errors import MetadataError, ShapeError
from picasso.primitives import Attribute, AttributeValue, Orientation, RBBox, VideoFrame, VideoObject
from picasso.primitives.object_shapes import (
    KEYPOINTS,
    LARGEST_MASK,
    MASK,
    NAMESPACE,
    POLYGONS,
    keypoints_attribute,
    keypoints_of,
    mask_attribute,
    mask_of,
    polygons_attribute,
    polygons_of,
    to_box,
    to_frame,
)

points = arrays(np.float64, st.tuples(st.integers(0, 9), st.just(2)), elements=st.floats(-2000, 2000))
boxes = st.tuples(
    st.floats(-500, 500, width=32),
    st.floats(-500, 500, width=32),
    st.floats(1, 900, width=32),
    st.floats(1, 900, width=32),
    st.one_of(st.just(math.nan), st.floats(-180, 180, width=32)),
)
masks = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=20))


def an_object(box: tuple[float, ...], *attributes: Attribute) -> tuple[VideoFrame, VideoObject]:
    frame = VideoFrame("cam", "30/1", 640, 480)
    angle = None if math.isnan(box[4]) else box[4]
    frame.add_object(VideoObject(0, "yolo", "person", RBBox(*box[:4], angle), attributes))
    return frame, frame.get_all_objects()[0]


@given(masks)
def test_a_mask_is_what_it_was(mask):
    holder = VideoObject(0, "yolo", "person", RBBox(0, 0, 1, 1), [mask_attribute(mask)])
    assert_array_equal(mask_of(holder), mask)


def test_the_runs_of_a_mask_are_those_of_the_page():
    attribute = mask_attribute([[0, 1, 1], [0, 0, 1]])
    assert attribute.values[0].as_integers() == [2, 3, 1, 2, 2, 1]
    assert mask_attribute([[1, 0]]).values[0].as_integers() == [1, 2, 0, 1, 1]


@given(points, boxes)
def test_points_in_a_box_come_back_as_pixels(pixels, box):
    assert_allclose(to_frame(to_box(pixels, box), box), pixels, atol=1e-6)


@given(boxes)
def test_the_corners_of_a_box_are_zero_and_one(box):
    angle = None if math.isnan(box[4]) else box[4]
    corners = RBBox(*box[:4], angle).vertices
    assert_allclose(to_frame([[0, 0], [1, 0], [1, 1], [0, 1]], box), corners, atol=1e-2)


@given(points, boxes, st.floats(0.25, 4), st.tuples(st.floats(-99, 99), st.floats(-99, 99)))
def test_shapes_move_with_their_box(pixels, box, scale, offset):
    """A scale that is equal in both directions, and a shift, do with points what they do with boxes."""
    frame, one = an_object(box, polygons_attribute([pixels], box), keypoints_attribute(pixels, box))
    frame.move_boxes((scale, scale), offset)
    moved = pixels * scale + offset
    assert_allclose(polygons_of(one)[0], moved, atol=0.1)
    assert_allclose(keypoints_of(one)[:, :2], moved, atol=0.1)


@given(points, boxes, masks, st.sampled_from([0, 90, 180, 270]), st.booleans())
def test_shapes_turn_with_the_picture_and_back(pixels, box, mask, turn_deg, mirrored):
    orientation = Orientation(turn_deg, mirrored)
    frame, one = an_object(box, mask_attribute(mask), polygons_attribute([pixels], box))
    expected = np.full((5, len(pixels)), np.nan, np.float32)
    expected[:2] = pixels.T
    orientation.move_boxes(expected, (640, 480))
    frame.turn(orientation)
    assert_allclose(polygons_of(one)[0], expected[:2].T, atol=0.1)
    turned = mask[:, ::-1] if mirrored else mask
    for _ in range(turn_deg // 90):
        turned = turned[::-1].T  # a quarter clockwise: the last row becomes the first column
    assert_array_equal(mask_of(one), turned)
    frame.turn(orientation.inverse)
    assert_array_equal(mask_of(one), mask)
    assert_allclose(polygons_of(one)[0], pixels, atol=0.1)


def test_a_geometry_that_is_restored_has_its_shapes_again():
    box = (100.0, 50.0, 40.0, 20.0, math.nan)
    frame, one = an_object(box, mask_attribute([[1, 0]]), keypoints_attribute([[90, 45, 0.5]], box))
    saved = frame.save_geometry()
    frame.turn(Orientation(90))
    frame.restore_geometry(saved)
    assert mask_of(one).tolist() == [[True, False]]
    assert_allclose(keypoints_of(one), [[90, 45, 0.5]], atol=1e-4)


@given(points, boxes, st.sampled_from([(-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)]))
def test_shapes_are_mirrored_with_their_boxes(pixels, box, scale):
    upright = (*box[:4], math.nan)
    frame, one = an_object(upright, keypoints_attribute(pixels, upright))
    frame.move_boxes(scale, (0.0, 0.0))
    assert_allclose(keypoints_of(one)[:, :2], pixels * scale, atol=0.1)


def test_an_upright_box_may_be_stretched():
    box = (100.0, 50.0, 40.0, 20.0, math.nan)
    frame, one = an_object(box, keypoints_attribute([[90, 45, 0.5]], box))
    frame.move_boxes((2.0, 3.0), (1.0, -1.0))
    assert_allclose(keypoints_of(one), [[181, 134, 0.5]])


@given(masks, points, boxes)
def test_shapes_travel_as_json_and_as_protobuf(mask, pixels, box):
    pytest.importorskip("google.protobuf")
    frame, one = an_object(
        box, mask_attribute(mask), polygons_attribute([pixels, pixels], box), keypoints_attribute(pixels, box)
    )
    for copy in (VideoFrame.from_json(frame.json), VideoFrame.from_protobuf(frame.to_protobuf())):
        there = copy.get_all_objects()[0]
        assert_array_equal(mask_of(there), mask)
        assert_allclose(polygons_of(there), [polygons_of(one)[0]] * 2)
        assert_allclose(keypoints_of(there), keypoints_of(one))


def test_an_object_without_shapes_has_none():
    _frame, one = an_object((1, 1, 2, 2, math.nan))
    assert (mask_of(one), polygons_of(one), keypoints_of(one)) == (None, [], None)


def test_a_box_without_area_has_its_points_at_its_centre():
    assert_allclose(to_box([[7, 9]], (5, 5, 0, 4, math.nan)), [[0.5, 1.5]])


WRONG = {
    "a mask of one row": (lambda: mask_attribute([1, 0]), ShapeError, r"\(height, width\)"),
    "a mask without a cell": (lambda: mask_attribute(np.zeros((0, 4))), ShapeError, "1 to"),
    "keypoints of four": (lambda: keypoints_attribute(np.zeros((2, 4)), (0, 0, 1, 1, 0)), ShapeError, r"\(2, 4\)"),
    "a keypoint nowhere": (lambda: keypoints_attribute([[math.nan, 0]], (0, 0, 1, 1, 0)), ValueError, "finite"),
    "a confidence that is none": (
        lambda: keypoints_attribute([[0, 0, math.inf]], (0, 0, 1, 1, 0)),
        ValueError,
        "finite",
    ),
    "a ring of numbers": (lambda: polygons_attribute([[1, 2]], (0, 0, 1, 1, 0)), ShapeError, r"\(N, 2\)"),
}


@pytest.mark.parametrize(("call", "error", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_is_not_a_shape_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


STRANGE = {
    "texts": (MASK, AttributeValue.strings(["a"])),
    "too short": (MASK, AttributeValue.integers([2, 2])),
    "too many cells": (MASK, AttributeValue.integers([LARGEST_MASK, 2, 2 * LARGEST_MASK])),
    "runs that do not fit": (MASK, AttributeValue.integers([2, 2, 5])),
    "negative runs": (MASK, AttributeValue.integers([2, 2, -1, 5])),
    "half a point": (POLYGONS, AttributeValue.floats([1.0])),
    "whole numbers": (POLYGONS, AttributeValue.integers([1, 2])),
    "no confidence": (KEYPOINTS, AttributeValue.floats([1.0, 2.0])),
}


@pytest.mark.parametrize(("name", "value"), STRANGE.values(), ids=STRANGE.keys())
def test_an_attribute_that_holds_something_else_is_refused(name, value):
    _frame, one = an_object((1, 1, 2, 2, math.nan), Attribute(NAMESPACE, name, [value]))
    read = {MASK: mask_of, POLYGONS: polygons_of, KEYPOINTS: keypoints_of}[name]
    with pytest.raises(MetadataError, match=name):
        read(one)
