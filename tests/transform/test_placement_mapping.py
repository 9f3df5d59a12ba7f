"""Boxes, rotated boxes, points, polygons and masks through a placement; that they come back: tests/laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray

from picasso.errors import ShapeError
from picasso.testing import boxes, placements, points
from picasso.transform import (
    Padding,
    Placement,
    TransformConfig,
    place,
    place_mask,
    place_points,
    place_xywha,
    unplace,
    unplace_mask,
    unplace_points,
    unplace_xywha,
)


@given(boxes(dtype=np.float32), placements(min_side=4))
def test_float32_boxes_come_back_within_their_precision(boxes_xyxy: NDArray[Any], placement: Placement) -> None:
    placed = place(boxes_xyxy, placement)
    assert placed.dtype == np.float32
    step = np.spacing(np.abs(placed).max(initial=1)) / min(placement.scale_xy)
    assert np.allclose(unplace(placed, placement), boxes_xyxy, rtol=1e-6, atol=2 * step)


@given(points(), placements())
def test_points_are_corners_of_boxes(points_xy: NDArray[Any], placement: Placement) -> None:
    corners = np.concatenate([points_xy, points_xy], axis=1)
    assert np.array_equal(place(corners, placement)[:, 2:], place_points(points_xy, placement))


@given(points(), placements())
def test_place_is_scale_and_offset(points_xy: NDArray[Any], placement: Placement) -> None:
    expected = points_xy * placement.scale_xy + placement.offset_xy
    assert np.allclose(place_points(points_xy, placement), expected, rtol=1e-9, atol=1e-6)


def test_polygons_are_points_of_any_rank() -> None:
    placement = Placement.compute((100, 50), (200, 200))
    polygons = np.arange(24.0).reshape(2, 3, 4)[..., :2]
    placed = place_points(polygons, placement)
    assert placed.shape == polygons.shape
    assert np.allclose(placed[1, 2], polygons[1, 2] * 2 + (0, 50))
    assert np.allclose(unplace_points(placed, placement), polygons)


@pytest.mark.parametrize("angle", [0.0, 90.0, 180.0, 270.0, -90.0, -180.0, 360.0])
def test_quarter_turns_keep_their_angle(angle: float) -> None:
    placement = Placement.compute((100, 100), (200, 300), TransformConfig(Padding.NONE))
    box = [[50.0, 50.0, 10.0, 20.0, angle]]
    placed = place_xywha(box, placement)
    swapped = angle % 180 == 90
    assert placed.tolist() == [[100.0, 150.0, *((30.0, 40.0) if swapped else (20.0, 60.0)), angle]]
    assert np.allclose(unplace_xywha(placed, placement), box)


def test_a_rotated_box_under_unequal_scales() -> None:
    placement = Placement.compute((100, 100), (200, 300), TransformConfig(Padding.NONE))
    placed = place_xywha([[50.0, 50.0, 100.0, 100.0, 45.0]], placement)
    assert np.allclose(placed, [[100, 150, 254.95, 254.95, 33.69]], atol=0.01)


@pytest.mark.parametrize("function", [place, unplace, place_points, unplace_points, place_xywha, unplace_xywha])
def test_no_boxes_are_no_boxes(function: Any) -> None:
    width = 2 if "points" in function.__name__ else 5 if "xywha" in function.__name__ else 4
    for dtype in (np.float32, np.float64):
        empty = function(np.empty((0, width), dtype), Placement.identity((10, 10)))
        assert empty.shape == (0, width)
        assert empty.dtype == dtype


@pytest.mark.parametrize("function", [place, unplace, place_points, unplace_points, place_xywha, unplace_xywha])
def test_nothing_is_written_to_the_input(function: Any) -> None:
    width = 2 if "points" in function.__name__ else 5 if "xywha" in function.__name__ else 4
    boxes = np.full((3, width), 30.0)
    function(boxes, Placement.compute((100, 50), (70, 210), TransformConfig(Padding.NONE)))
    assert (boxes == 30.0).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: place(np.zeros((3, 2)), p), "boxes: expected (N, 4), got boxes.shape = (3, 2)"),
        (lambda p: unplace(np.zeros((3, 5)), p), "boxes: expected (N, 4), got boxes.shape = (3, 5)"),
        (lambda p: place_points(np.zeros((3, 4)), p), "points: expected (N, 2), got points.shape = (3, 4)"),
        (lambda p: unplace_points(3.0, p), "points: expected (N, 2), got points.shape = ()"),
        (lambda p: place_xywha(np.zeros((3, 4)), p), "boxes: expected (N, 5), got boxes.shape = (3, 4)"),
        (lambda p: unplace_xywha(np.zeros((3, 4)), p), "boxes: expected (N, 5), got boxes.shape = (3, 4)"),
        (lambda p: place_mask(np.zeros((200, 200)), p), "mask: expected (..., 50, 100), got (200, 200)"),
        (lambda p: unplace_mask(np.zeros((50, 100)), p), "mask: expected (..., 200, 200), got (50, 100)"),
        (lambda p: unplace_mask(np.zeros(200), p), "mask: expected (..., 200, 200), got (200,)"),
    ],
)
def test_arrays_of_the_wrong_shape(call: Any, message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        call(Placement.compute((100, 50), (200, 200)))
    assert str(caught.value) == message


@given(placements(max_side=40))
def test_a_mask_follows_its_box(placement: Placement) -> None:
    """Each target pixel takes the source pixel that its centre falls into."""
    width, height = placement.source_wh
    mask = np.arange(1, width * height + 1).reshape(height, width)
    placed = place_mask(mask, placement)
    rows, columns = np.nonzero(placed)
    left, top, inner_w, inner_h = placement.inner_ltwh
    assert rows.size == inner_w * inner_h
    assert (rows.min(), columns.min()) == (top, left)
    centres = unplace_points(np.stack([columns + 0.5, rows + 0.5], axis=-1), placement)
    expected = np.floor(centres + 1e-9).astype(int)
    assert np.array_equal(placed[rows, columns], mask[expected[:, 1], expected[:, 0]])


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.float16, np.int64])
def test_masks_keep_their_dtype(dtype: Any) -> None:
    placement = Placement.compute((10, 8), (20, 20))
    assert unplace_mask(np.ones((20, 20), dtype), placement).dtype == dtype
