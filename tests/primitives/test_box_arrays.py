from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal

from picasso.errors import ShapeError
from picasso.primitives import RBBox
from picasso.primitives.geometry import scale_shift_xywha, wrapping_xyxy, xywha_to_xyxy, xyxy_to_xywha

factors = st.floats(0.125, 8, width=32)
offsets = st.floats(-2000, 2000, width=32)


@st.composite
def box_arrays(draw):
    count = draw(st.integers(0, 12))
    columns = [
        draw(hnp.arrays(np.float32, count, elements=st.floats(low, high, width=32)))
        for low, high in ((-3000, 3000), (-3000, 3000), (0, 2000), (0, 2000), (-360, 360))
    ]
    boxes = np.stack(columns, axis=1)
    boxes[draw(hnp.arrays(np.bool_, count)), 4] = np.nan
    return boxes


@given(hnp.arrays(np.float32, st.tuples(st.integers(0, 5), st.just(5)), elements=st.floats(width=32)))
def test_no_value_raises_or_warns(boxes):
    """All that float32 can hold; warnings are errors here."""
    for corners in (wrapping_xyxy(boxes), xywha_to_xyxy(boxes), xyxy_to_xywha(boxes[:, :4])[:, :4]):
        assert corners.shape == (len(boxes), 4)


def one_by_one(row):
    return RBBox(*row[:4], None if np.isnan(row[4]) else row[4])


@given(box_arrays(), factors, factors, offsets, offsets)
def test_an_array_moves_as_its_boxes_do(boxes, scale_x, scale_y, dx, dy):
    moved = scale_shift_xywha(boxes, (scale_x, scale_y), (dx, dy))
    for row, result in zip(boxes, moved, strict=True):
        box = one_by_one(row)
        box.scale(scale_x, scale_y)
        box.shift(dx, dy)
        assert_allclose(result[:4], box.as_xcycwh(), rtol=1e-5, atol=1e-2)
        assert (box.angle is None) == np.isnan(result[4])
        if box.angle is not None:
            assert np.cos(np.radians(result[4] - box.angle)) == pytest.approx(1, abs=1e-4)


@given(box_arrays(), factors, offsets, offsets)
def test_moving_alike_there_and_back_is_the_same(boxes, scale, dx, dy):
    moved = scale_shift_xywha(boxes.astype(np.float64), (scale, scale), (dx, dy))
    back = scale_shift_xywha(moved, (1 / scale, 1 / scale), (-dx / scale, -dy / scale))
    assert_allclose(back, boxes, rtol=1e-9, atol=1e-6)


@given(box_arrays())
def test_identity_is_exact(boxes):
    assert_array_equal(scale_shift_xywha(boxes, (1, 1), (0, 0)), boxes)


@given(box_arrays())
def test_corners_there_and_back(boxes):
    upright = boxes[:, :4].astype(np.float64)
    assert_allclose(xyxy_to_xywha(xywha_to_xyxy(upright))[:, :4], upright, atol=1e-9)
    assert np.isnan(xyxy_to_xywha(xywha_to_xyxy(upright))[:, 4]).all()


@given(box_arrays())
def test_wrapping_agrees_with_the_boxes(boxes):
    for row, corners in zip(boxes, wrapping_xyxy(boxes), strict=True):
        assert_allclose(corners, one_by_one(row).wrapping_box.as_ltrb(), rtol=1e-4, atol=1e-1)


def test_out_takes_the_result_also_in_place():
    boxes = np.array([[10, 20, 30, 40, 45], [1, 2, 3, 4, np.nan]], np.float32)
    expected = scale_shift_xywha(boxes, (2, 3), (1, 1))
    out = np.empty_like(boxes)
    assert scale_shift_xywha(boxes, (2, 3), (1, 1), out=out) is out
    assert_array_equal(out, expected)
    scale_shift_xywha(boxes, (2, 3), (1, 1), out=boxes)
    assert_array_equal(boxes, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_keep_their_width(dtype):
    boxes = np.ones((2, 5), dtype)
    results = (
        scale_shift_xywha(boxes, (1, 2), (0, 0)),
        xywha_to_xyxy(boxes),
        wrapping_xyxy(boxes),
        xyxy_to_xywha(boxes[:, :4]),
    )
    assert {result.dtype for result in results} == {np.dtype(dtype)}


def test_integers_become_float32():
    assert xyxy_to_xywha([[0, 0, 3, 5]]).tolist()[0][:4] == [1.5, 2.5, 3, 5]
    assert xyxy_to_xywha([[0, 0, 3, 5]]).dtype == np.float32


@pytest.mark.parametrize("empty", [[], np.empty((0, 4)), np.empty((0, 5)), np.empty(0, np.int64)], ids=repr)
def test_nothing_is_no_boxes(empty):
    assert scale_shift_xywha(empty, (2, 3), (1, 1)).shape == (0, 5)
    assert wrapping_xyxy(empty).shape == (0, 4)


def test_inputs_are_left_alone():
    boxes = np.array([[10, 20, 30, 40, 45]], np.float32)
    before = boxes.copy()
    scale_shift_xywha(boxes, (2, 3), (1, 1))
    wrapping_xyxy(boxes)
    xywha_to_xyxy(boxes)
    assert_array_equal(boxes, before)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scale_shift_xywha(np.ones((3, 4)), (1, 1), (0, 0)), r"boxes: expected \(N, 5\), got \(3, 4\)"),
        (lambda: scale_shift_xywha(np.ones(5), (1, 1), (0, 0)), r"boxes: expected \(N, 5\), got \(5,\)"),
        (lambda: xyxy_to_xywha(np.ones((3, 5))), r"expected \(N, 4\)"),
        (lambda: xywha_to_xyxy(np.ones((3, 2))), r"expected \(N, 4\) or \(N, 5\)"),
        (lambda: wrapping_xyxy(np.ones((1, 1, 5))), r"expected \(N, 5\)"),
        (lambda: scale_shift_xywha(np.ones((3, 5)), (1, 1), (0, 0), np.ones((2, 5))), r"out: expected \(3, 5\)"),
    ],
    ids=["four-columns", "one-dimension", "five-columns", "two-columns", "three-dimensions", "other-out"],
)
def test_other_shapes_are_refused(call, message):
    with pytest.raises(ShapeError, match=message):
        call()
