"""Detections go through a placement and back as their parts do: boxes, points, and masks by the rule of pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from picasso.errors import ShapeError
from picasso.primitives import Detections, Masks
from picasso.testing.strategies import placements
from picasso.transform import (
    Placement,
    Rect,
    place,
    place_detections,
    place_mask,
    place_points,
    place_xywha,
    unplace,
    unplace_detections,
    unplace_mask,
)

SMALL = placements(max_side=90)


def found_in(size_wh: tuple[int, int], seed: int, count: int = 4, turned: bool = False) -> Detections:
    """Objects within a picture, with all that they can have."""
    random = np.random.default_rng(seed)
    width, height = size_wh
    starts = random.uniform(0, 1, (count, 2)) * (width, height)
    boxes = np.concatenate([starts, starts + random.uniform(1, 20, (count, 2))], axis=1)
    xywha = np.concatenate(
        [(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2], np.full((count, 1), np.nan)], 1
    )
    if turned:
        xywha[::2, 4] = random.uniform(-90, 90, len(xywha[::2]))
    masks = random.uniform(0, 1, (count, height, width)) < 0.5
    masks[0] = False
    return Detections.of(
        xywha=xywha,
        labels="car",
        masks=masks,
        keypoints=random.uniform(0, 90, (count, 3, 3)),
        polygons=[[random.uniform(0, 90, (4, 2))]] * count,
        track_xywha=xywha,
    )


@given(SMALL, st.integers(0, 2**32 - 1), st.booleans())
def test_each_part_moves_by_its_own_rule(placement, seed, turned):
    found = found_in(placement.source_wh, seed, turned=turned)
    moved = place_detections(found, placement)
    assert_allclose(moved.xywha, place_xywha(found.xywha, placement))
    assert_allclose(moved.track_xywha, moved.xywha)
    upright = np.isnan(found.xywha[:, 4])
    assert_allclose(moved.xyxy[upright], place(found.xyxy, placement)[upright])
    assert_allclose(moved.keypoints[..., :2], place_points(found.keypoints[..., :2], placement))
    assert_array_equal(moved.keypoints[..., 2], found.keypoints[..., 2])
    assert_allclose(moved.polygons[0][0], place_points(found.polygons[0][0], placement))
    assert_array_equal(moved.masks.to_dense(), place_mask(found.masks.to_dense(), placement))
    assert moved.masks.size_wh == placement.target_wh


@given(SMALL, st.integers(0, 2**32 - 1), st.booleans())
def test_what_was_found_comes_back_to_the_source(placement, seed, turned):
    found = found_in(placement.source_wh, seed, turned=turned)
    back = unplace_detections(place_detections(found, placement), placement)
    largest = max(1, *(1 / scale for scale in placement.scale_xy))
    for name in ("xyxy", "keypoints"):
        assert_allclose(getattr(back, name), getattr(found, name), atol=2e-3 * largest)
    assert_allclose(back.xywha[:, :4], found.xywha[:, :4], atol=2e-2 * largest)
    assert back.labels.tolist() == found.labels.tolist()


@given(SMALL, st.integers(0, 2**32 - 1))
def test_masks_come_back_pixel_by_pixel(placement, seed):
    found = found_in(placement.target_wh, seed)
    back = unplace_detections(found, placement)
    assert_array_equal(back.masks.to_dense(), unplace_mask(found.masks.to_dense(), placement))
    assert_allclose(back.xyxy, unplace(found.xyxy, placement))


@given(SMALL, st.integers(0, 2**32 - 1))
def test_a_cut_of_a_mask_moves_as_the_whole_picture_does(placement, seed):
    """However the cuts lie, tight or loose, the pixels are the same."""
    dense = np.random.default_rng(seed).uniform(0, 1, (3, *placement.source_wh[::-1])) < 0.02
    tight = Masks.from_dense(dense)
    loose = Masks(placement.source_wh, np.zeros((3, 2)), tuple(dense))
    assert tight == loose
    moved = [
        place_detections(Detections.of(np.zeros((3, 4)), masks=masks), placement).masks for masks in (tight, loose)
    ]
    assert moved[0] == moved[1]
    assert_array_equal(moved[0].to_dense(), place_mask(dense, placement))


def test_masks_of_another_picture_are_refused():
    placement = Placement.compute((64, 36), (32, 32))
    found = Detections.of([[0, 0, 1, 1]], masks=np.ones((1, 32, 32)))
    with pytest.raises(ShapeError, match="masks: expected those of a picture of 64x36, got 32x32"):
        place_detections(found, placement)
    assert unplace_detections(found, placement).masks.areas.tolist() == [64 * 36]


def test_what_a_crop_cuts_off_is_gone_from_the_mask_alone():
    placement = Placement.compute((8, 8), (4, 4), src_rect=Rect(top=0, left=4, width=4, height=4))
    found = Detections.of([[0, 0, 8, 8]], masks=np.ones((1, 8, 8)), keypoints=[[[1, 1, 1]]])
    moved = place_detections(found, placement)
    assert moved.xyxy.tolist() == [[-4, 0, 4, 8]]
    assert moved.keypoints.tolist() == [[[-3, 1, 1]]]
    assert moved.masks.areas.tolist() == [16]
    assert unplace_detections(moved, placement).masks.xyxy.tolist() == [[4, 0, 8, 4]]


def test_no_object_stays_none():
    placement = Placement.compute((64, 36), (32, 32))
    assert len(unplace_detections(Detections.empty(), placement)) == 0
    assert len(place_detections(Detections.of(np.zeros((0, 4)), masks=Masks.empty((64, 36))), placement).masks) == 0


@pytest.mark.parametrize("move", [place, unplace, place_points, place_xywha])
def test_who_moves_detections_as_an_array_learns_what_does(move):
    found = Detections.of([[0, 0, 8, 8]])
    with pytest.raises(TypeError, match="got Detections: place_detections and unplace_detections"):
        move(found, Placement.identity((8, 8)))
