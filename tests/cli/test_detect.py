from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from picasso.cli.showcase.detect import (
    Faces,
    GreyThings,
    MovingThings,
    Plane,
    boxes_of_blobs,
    merge_overlapping,
)
from picasso.cli.showcase.tracker import FloatBoxes, iou_matrix

WIDTH, HEIGHT = 480, 360


def picture(luma: int = 30, chroma: int = 60) -> list[Plane]:
    half = (HEIGHT // 2, WIDTH // 2)
    return [np.full((HEIGHT, WIDTH), luma, np.uint8), *(np.full(half, chroma, np.uint8) for _ in range(2))]


def paint(planes: list[Plane], box: tuple[int, int, int, int], luma: int, chroma: int) -> None:
    x0, y0, x1, y1 = box
    planes[0][y0:y1, x0:x1] = luma
    for plane in planes[1:]:
        plane[y0 // 2 : y1 // 2, x0 // 2 : x1 // 2] = chroma


def test_grey_things_are_found_where_they_are() -> None:
    planes = picture()
    paint(planes, (100, 80, 220, 280), luma=120, chroma=128)
    found = GreyThings().find(planes)
    assert found.dtype == np.float32
    assert_allclose(found, [[100, 80, 220, 280]], atol=6)


@pytest.mark.parametrize(("luma", "chroma"), [(120, 90), (220, 128), (40, 128)], ids=["coloured", "bright", "dark"])
def test_other_things_are_not_grey(luma: int, chroma: int) -> None:
    planes = picture()
    paint(planes, (100, 80, 220, 280), luma, chroma)
    assert GreyThings().find(planes).shape == (0, 4)


def test_moving_things_are_found_and_still_ones_are_not() -> None:
    detector = MovingThings()
    for _ in range(5):
        assert detector.find(picture()).shape == (0, 4)
    planes = picture()
    paint(planes, (100, 80, 220, 280), luma=130, chroma=60)
    assert_allclose(detector.find(planes), [[100, 80, 220, 280]], atol=8)


def test_a_cut_moves_nothing() -> None:
    detector = MovingThings()
    detector.find(picture(luma=30))
    assert detector.find(picture(luma=200)).shape == (0, 4)


def test_a_face_is_not_found_in_a_flat_picture() -> None:
    assert Faces().find(picture()).shape == (0, 4)


@given(st.integers(0, 6), st.randoms(use_true_random=False))
def test_merged_boxes_cover_the_old_ones_and_overlap_no_more(count: int, random: object) -> None:
    generator = np.random.default_rng(random.randrange(2**32))  # type: ignore[attr-defined]
    corners = generator.uniform(0, 100, (count, 2)).astype(np.float32)
    boxes: FloatBoxes = np.hstack([corners, corners + generator.uniform(1, 40, (count, 2)).astype(np.float32)])
    merged = merge_overlapping(boxes)
    assert np.count_nonzero(iou_matrix(merged, merged)) == len(merged)
    for box in boxes:
        inside = (merged[:, :2] <= box[:2]).all(axis=1) & (merged[:, 2:] >= box[2:]).all(axis=1)
        assert inside.sum() == 1


def test_blobs_come_largest_first_and_specks_not_at_all() -> None:
    mask = np.zeros((50, 100), np.uint8)
    mask[5:10, 5:10] = mask[20:40, 20:60] = 255
    mask[45, 90] = 255
    found = boxes_of_blobs(mask, least_share=0.004, picture=np.zeros((100, 200), np.uint8))
    assert found.tolist() == [[40, 40, 120, 80], [10, 10, 20, 20]]
