"""Through a placement and back, and one after the other: boxes, points, polygons and masks through placements."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picasso.primitives import RBBox, VideoFrame
from picasso.primitives import VideoFrameTransformation as Step
from picasso.primitives.transformation import ChainAffine
from picasso.testing import assert_inverts, boxes, placements, points, rotated_boxes, video_frames
from picasso.transform import (
    Placement,
    place,
    place_mask,
    place_points,
    place_xywha,
    unplace,
    unplace_mask,
    unplace_points,
    unplace_xywha,
)


@given(boxes(), placements())
def test_unplace_inverts_place(boxes_xyxy, placement: Placement) -> None:
    assert_inverts(unplace, place, boxes_xyxy, placement, atol=1e-8)


@given(rotated_boxes(), placements(min_side=8))
def test_unplace_inverts_place_for_rotated_boxes(boxes_xywha, placement: Placement) -> None:
    assert_inverts(unplace_xywha, place_xywha, boxes_xywha, placement, atol=1e-5, angle_column=4)


@given(points(), placements())
def test_unplace_inverts_place_for_points(points_xy, placement: Placement) -> None:
    assert_inverts(unplace_points, place_points, points_xy, placement, atol=1e-8)


@given(points(max_polygons=3), placements())
def test_unplace_inverts_place_for_polygons(polygons_xy, placement: Placement) -> None:
    assert_inverts(unplace_points, place_points, polygons_xy, placement, atol=1e-8)


@given(placements(max_side=40), st.data())
def test_unplace_inverts_place_for_masks(placement: Placement, data: st.DataObject) -> None:
    """Inside the crop, wherever the mask did not shrink; outside of it there is nothing."""
    width, height = placement.source_wh
    mask = np.random.default_rng(data.draw(st.integers(0, 99))).integers(1, 9, (height, width), np.uint8)
    back = unplace_mask(place_mask(mask, placement), placement)
    left, top, crop_w, crop_h = placement.crop_ltwh
    inside = np.zeros_like(mask)
    inside[top : top + crop_h, left : left + crop_w] = 1
    assert ((back > 0) == (inside > 0)).all()
    if min(placement.scale_xy) >= 1:
        assert_inverts(unplace_mask, place_mask, mask * inside, placement, atol=0)


@given(placements(max_side=2000), st.data())
def test_two_placements_in_a_row_are_one_affine(first: Placement, data: st.DataObject) -> None:
    """Placing twice, and the chain that both wrote down, move a point to the same place."""
    second = data.draw(placements(max_side=2000, source_wh=first.target_wh))
    chain = [Step.initial_size(*first.source_wh), *first.transformations(), *second.transformations()]
    affine = ChainAffine.of(chain)
    assert affine.current_wh == second.target_wh
    corners = np.array([[0, 0], first.source_wh], float)
    twice = place_points(place_points(corners, first), second)
    once = corners * affine.scale_xy + affine.offset_xy
    reach = np.abs(twice).max() + max(*first.source_wh, *first.target_wh) * max(1, *first.scale_xy, *second.scale_xy)
    assert once == pytest.approx(twice, abs=1e-5 * reach)  # chains reckon in float32


@given(placements(max_side=2000), rotated_boxes(min_count=1, dtype=np.float32))
def test_a_frame_moves_its_boxes_as_place_does(placement: Placement, boxes_xywha) -> None:
    """The engine's way, the frame's chain and ``place_xywha`` agree on where a box lands."""
    moved, chained = (frame_with(placement, boxes_xywha) for _ in range(2))
    moved.move_boxes(placement.scale_xy, placement.offset_xy)
    for step in placement.transformations():
        chained.add_transformation(step)
    chained.transform_forward()
    expected = place_xywha(boxes_xywha.astype(float), placement)
    reach = np.abs(expected[:, :4]).max() + 5000 * max(1, *placement.scale_xy)
    for frame in (moved, chained):
        assert frame.detection_boxes()[:, :4] == pytest.approx(expected[:, :4], abs=1e-5 * reach)
    assert (chained.width, chained.height) == placement.target_wh


@given(video_frames(max_attributes=0), placements(), st.data())
def test_saved_geometry_is_restored_to_the_objects_that_stayed(
    frame: VideoFrame, placement: Placement, data: st.DataObject
) -> None:
    """Both boxes of each, to the bit, after anything came and went in the meantime; those that came are left alone."""
    before, size_wh, chain = boxes_by_id(frame), (frame.width, frame.height), frame.transformations
    saved = frame.save_geometry()
    frame.move_boxes(placement.scale_xy, placement.offset_xy)
    frame.set_geometry(*placement.target_wh)
    if before:
        frame.delete_objects_with_ids(data.draw(st.lists(st.sampled_from(list(before)))))
    for _ in range(data.draw(st.integers(0, 2))):
        frame.create_object("d", "new", detection_box=RBBox(5, 5, 5, 5), track_box=RBBox(6, 6, 6, 6), track_id=1)
    moved = boxes_by_id(frame)
    frame.restore_geometry(saved)
    assert boxes_by_id(frame) == {number: before.get(number, boxes) for number, boxes in moved.items()}
    assert ((frame.width, frame.height), frame.transformations) == (size_wh, chain)


def boxes_by_id(frame: VideoFrame) -> dict[int, bytes]:
    """The bits of the detection and the track box of each object."""
    rows = zip(frame.detection_boxes(), frame.track_boxes(), strict=True)
    return {
        number: b"".join(row.tobytes() for row in pair)
        for number, pair in zip(frame.object_ids().tolist(), rows, strict=True)
    }


def frame_with(placement: Placement, boxes_xywha) -> VideoFrame:
    frame = VideoFrame("cam", "30/1", *placement.source_wh)
    for x, y, width, height, angle in boxes_xywha.tolist():
        turn = None if np.isnan(angle) else angle
        frame.create_object("detector", "thing", detection_box=RBBox(x, y, width, height, turn))
    return frame
