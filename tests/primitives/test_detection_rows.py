"""Detections are rows: picked, joined, suppressed, given to a frame and read back."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from picasso.errors import MetadataError, ShapeError
from picasso.primitives import Attribute, AttributeValue, Detections, Masks, RBBox, VideoFrame, box_iou, nms

WH = (60, 40)


@st.composite
def detections(
    draw, min_size: int = 0, max_size: int = 8, shapes: bool | None = None, whole: bool = True
) -> Detections:
    """Rows with everything that they can have; boxes of whole pixels within 60 x 40, masks within their boxes."""
    count = draw(st.integers(min_size, max_size))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    starts = random.integers(0, 30, (count, 2))
    boxes = np.concatenate([starts, starts + random.integers(1, 10, (count, 2))], axis=1).astype(np.float32)
    if not whole:
        boxes += random.uniform(-0.5, 0.5, boxes.shape).astype(np.float32)
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2])
    cuts = [random.uniform(0, 1, (int(b[3] - b[1]), int(b[2] - b[0]))) < 0.6 for b in boxes]
    with_shapes = draw(st.booleans()) if shapes is None else shapes
    polygons = [[random.uniform(0, 40, (3 + n % 3, 2)) for n in range(n % 3)] for n in range(count)]
    return Detections.of(
        boxes,
        random.choice(["car", "bus", "Straße"], count),
        class_ids=random.integers(0, 3, count),
        confidences=random.permutation(count) / 10 + 0.05,
        track_ids=random.integers(-1, 5, count),
        namespace="yolo",
        masks=Masks(WH, boxes[:, :2].astype(int), tuple(cuts)) if with_shapes and whole else None,
        keypoints=random.uniform(0, 40, (count, 2, 3)) if with_shapes else None,
        polygons=polygons if with_shapes else None,
        data={"speed": random.uniform(0, 9, count), "crop": random.integers(0, 255, (count, 2))},
    )


def same(one: Detections, two: Detections) -> None:
    """Every column is the same, NaN included."""
    for item in dataclasses.fields(Detections):
        first, second = getattr(one, item.name), getattr(two, item.name)
        if item.name == "data":
            assert first.keys() == second.keys()
            for name in first:
                assert_array_equal(first[name], second[name])
        elif item.name == "polygons" and first is not None:
            assert [len(rings) for rings in first] == [len(rings) for rings in second]
            for ring, other in zip(sum(first, ()), sum(second, ()), strict=True):
                assert_array_equal(ring, other)
        elif isinstance(first, Masks):
            assert first == second
        else:
            assert_array_equal(first, second)


@given(detections(), st.data())
def test_rows_are_picked_in_every_way(found, data):
    rows = data.draw(st.lists(st.integers(0, max(len(found) - 1, 0)), max_size=6)) if len(found) else []
    picked = found[rows]
    assert picked.labels.tolist() == [found.labels[row] for row in rows]
    assert_array_equal(picked.xyxy, found.xyxy[rows])
    assert picked.data["speed"].tolist() == [found["speed"][row] for row in rows]
    flags = np.isin(np.arange(len(found)), rows)
    same(found[flags], found[np.flatnonzero(flags)])
    same(found[1:5:2], found[list(range(len(found)))[1:5:2]])
    for row in rows:
        same(found[row], found[[row]])
        same(found[row - len(found)], found[[row]])
    with pytest.raises(IndexError):
        found[len(found)]


@given(detections())
def test_each_row_comes_by_itself(found):
    rows = list(found)
    assert len(rows) == len(found)
    for number, row in enumerate(rows):
        assert (row.label, row.class_id, row.track_id) == (
            found.labels[number],
            found.class_ids[number],
            found.track_ids[number],
        )
        assert row.confidence == found.confidences[number]
        assert_array_equal(row.xyxy, found.xyxy[number])
        if found.masks is not None:
            assert_array_equal(row.mask, found.masks.to_dense()[number])
            assert_array_equal(row.keypoints, found.keypoints[number])


@given(detections(), st.lists(st.integers(0, 8), max_size=3))
def test_parts_joined_are_the_whole(found, cuts):
    edges = [0, *sorted(min(cut, len(found)) for cut in cuts), len(found)]
    parts = [found[start:end] for start, end in itertools.pairwise(edges)]
    same(Detections.concatenate(parts), found)


def test_what_does_not_fit_is_not_joined():
    plain, masked = Detections.of([[0, 0, 2, 2]]), Detections.of([[0, 0, 2, 2]], masks=np.ones((1, 4, 4)))
    with pytest.raises(ShapeError, match="masks: expected them in all parts, or in none"):
        Detections.concatenate([plain, masked])
    with pytest.raises(ShapeError, match="those of one size, got 4x4, 9x4"):
        Detections.concatenate([masked, Detections.of([[0, 0, 2, 2]], masks=np.ones((1, 4, 9)))])
    points = [Detections.of([[0, 0, 2, 2]], keypoints=np.zeros((1, k, 3))) for k in (1, 2)]
    with pytest.raises(ShapeError, match="keypoints: expected parts of one shape"):
        Detections.concatenate(points)
    with pytest.raises(ShapeError, match="data: expected the same columns"):
        Detections.concatenate([plain, Detections.of([[0, 0, 1, 1]], data={"a": [1]})])
    assert len(Detections.concatenate([])) == len(Detections.empty()) == 0
    assert Detections.concatenate([Detections.empty(), masked]).masks == masked.masks


@given(detections(), st.floats(0, 1), st.booleans())
def test_suppression_leaves_the_best_of_those_that_overlap(found, share, agnostic):
    left = found.with_nms(share, agnostic=agnostic)
    kept: list[int] = []
    for row in np.argsort(-found.confidences, kind="stable").tolist():
        rivals = [other for other in kept if agnostic or found.labels[other] == found.labels[row]]
        boxes = found.xyxy.astype(np.float64)
        if all(box_iou(boxes[[other]], boxes[[row]])[0, 0] <= share for other in rivals):
            kept.append(row)
    same(left, found[kept])


@given(detections(shapes=True))
def test_the_area_is_that_of_the_mask_where_there_is_one(found):
    assert found.area.tolist() == [float(mask.sum()) for mask in found.masks.to_dense()]
    boxes = dataclasses.replace(found, masks=None)
    assert_allclose(boxes.area, (found.xyxy[:, 2] - found.xyxy[:, 0]) * (found.xyxy[:, 3] - found.xyxy[:, 1]))


def test_the_area_of_a_box_does_not_turn_with_it():
    assert Detections.of(xywha=[[10, 10, 6, 4, 30]]).area.tolist() == [24]


@given(detections())
def test_a_frame_gives_back_what_it_was_given(found):
    frame = VideoFrame("cam", "30/1", *WH)
    ids = frame.add_detections(found)
    back = frame.get_detections(shapes=True)
    assert_array_equal(back.ids, ids)
    expected = dataclasses.replace(found, ids=ids, class_ids=np.full(len(found), -1), data={})
    if found.masks is not None and len(found):
        assert back.masks == found.masks
        assert_allclose(back.keypoints, found.keypoints, atol=1e-3)
        for rings, others in zip(back.polygons, found.polygons, strict=True):
            for ring, other in zip(rings, others, strict=True):
                assert_allclose(ring, other, atol=1e-3)
    shapes = {"masks": None, "keypoints": None, "polygons": None}
    same(dataclasses.replace(back, **shapes), dataclasses.replace(expected, **shapes))
    assert frame.get_detections().masks is None


@settings(max_examples=30)
@given(detections(min_size=1, shapes=True))
def test_a_frame_from_elsewhere_gives_the_same_shapes(found):
    frame = VideoFrame("cam", "30/1", *WH)
    frame.add_detections("other", found)
    back = VideoFrame.from_json(frame.json).get_detections("other", shapes=True)
    assert back.masks == found.masks
    assert_allclose(back.keypoints, found.keypoints, atol=1e-3)


def test_the_mask_of_a_rotated_box_comes_back_where_it_was():
    """A grid along the box's own sides cannot keep each pixel; nearly all of them are the same."""
    x, y = np.meshgrid(np.arange(200) + 0.5, np.arange(200) + 0.5)
    inside = (abs((x - 100) * math.cos(0.5) + (y - 90) * math.sin(0.5)) < 40) & (
        abs((y - 90) * math.cos(0.5) - (x - 100) * math.sin(0.5)) < 25
    )
    found = Detections.of(xywha=[[100, 90, 80, 50, math.degrees(0.5)]], labels="ship", masks=inside[None])
    frame = VideoFrame("cam", "30/1", 200, 200)
    frame.add_detections("obb", found)
    back = frame.get_detections(shapes=True).masks[0]
    assert (back & inside).sum() / (back | inside).sum() > 0.97


def test_objects_without_a_shape_stand_beside_those_with_one():
    frame = VideoFrame("cam", "30/1", 60, 40)
    frame.add_detections("a", [[0, 0, 9, 9]], "plain")
    frame.add_detections(
        "a", Detections.of([[1, 1, 5, 5]], "shaped", keypoints=[[[2, 2, 0.5]]], masks=np.ones((1, 40, 60)))
    )
    back = frame.get_detections(shapes=True)
    assert back.masks.areas.tolist() == [0, 16]
    assert back.keypoints[:, 0].tolist() == [[0, 0, 0], [2, 2, 0.5]]
    assert frame.get_detections(label="plain", shapes=True).masks is None


def test_a_shape_that_is_none_is_refused():
    frame = VideoFrame("cam", "30/1", 60, 40)
    frame.add_detections("a", [[0, 0, 9, 9]], "plain")
    frame.get_all_objects()[0].set_attribute(Attribute("picasso", "mask", [AttributeValue.integers([1])]))
    assert len(frame.get_detections()) == 1
    with pytest.raises(MetadataError, match="mask"):
        frame.get_detections(shapes=True)


ONE = Detections.of([[0, 0, 1, 1]], "a")
BAD = {
    "two beside": (lambda f: f.add_detections("a", ONE, "car"), TypeError, "expected nothing beside them"),
    "boxes beside": (lambda f: f.add_detections(ONE, [[0, 0, 1, 1]]), TypeError, "expected nothing beside them"),
    "no boxes": (lambda f: f.add_detections("a"), TypeError, "expected a namespace, boxes and labels, or Detections"),
    "infinite": (
        lambda f: f.add_detections("a", Detections.of(xywha=[[0, 0, math.inf, 1, 0]])),
        ValueError,
        r"detections.xywha\[0\]: expected finite",
    ),
    "crossed": (lambda f: f.add_detections("a", Detections.of([[5, 0, 1, 1]])), ValueError, "sizes of 0 or more"),
    "a point nowhere": (
        lambda f: f.add_detections("a", Detections.of([[0, 0, 1, 1]] * 2, keypoints=[[[0, 0, 1]], [[math.nan, 0, 1]]])),
        ValueError,
        "finite",
    ),
}


@pytest.mark.parametrize(("call", "error", "words"), BAD.values(), ids=BAD.keys())
def test_what_a_frame_cannot_hold_adds_nothing(call, error, words):
    frame = VideoFrame("cam", "30/1", 60, 40)
    with pytest.raises(error, match=words):
        call(frame)
    assert len(frame.get_detections()) == 0


WRONG = {
    "no boxes": (Detections.of, "expected one of xyxy and xywha"),
    "both": (lambda: Detections.of([[0, 0, 1, 1]], xywha=[[0, 0, 1, 1, 0]]), "expected one of xyxy and xywha"),
    "two labels": (lambda: Detections.of([[0, 0, 1, 1]], ["a", "b"]), "labels: expected 1 rows, got 2"),
    "two masks": (lambda: Detections.of([[0, 0, 1, 1]], masks=np.ones((2, 3, 3))), "masks: expected 1 rows, got 2"),
    "flat masks": (lambda: Detections.of([[0, 0, 1, 1]], masks=np.ones((3, 3))), r"expected \(N, height, width\)"),
    "flat points": (lambda: Detections.of([[0, 0, 1, 1]], keypoints=[[0, 0, 1]]), r"expected \(N, K, 3\) or"),
    "a ring of threes": (lambda: Detections.of([[0, 0, 1, 1]], polygons=[[[[0, 0, 0]]]]), r"polygons\[0\]: expected"),
    "a short column": (lambda: Detections.of([[0, 0, 1, 1]], data={"a": []}), "a: expected 1 rows, got 0"),
    "a cut outside": (lambda: Masks((4, 4), np.array([[3, 0]]), (np.ones((1, 2), bool),)), "2x1 at 3, 0 leaves 4x4"),
    "a cut of numbers": (lambda: Masks((4, 4), np.array([[0, 0]]), (np.ones((1, 2)),)), "of bool, got .* of float64"),
    "no corner": (lambda: Masks((4, 4), np.zeros((0, 2)), (np.ones((1, 1), bool),)), "expected 0, one for each corner"),
}


@pytest.mark.parametrize(("call", "words"), WRONG.values(), ids=WRONG.keys())
def test_columns_that_do_not_fit_are_refused(call, words):
    with pytest.raises(ShapeError, match=words):
        call()


boxes = st.tuples(
    *[st.floats(0, 40, width=32)] * 2,
    *[st.floats(0.5, 30, width=32)] * 2,
    st.one_of(st.just(math.nan), st.floats(-180, 180, width=32)),
)


@given(st.lists(boxes, max_size=6), st.lists(boxes, max_size=6))
def test_the_overlap_of_rotated_boxes_is_that_of_each_pair(one, two):
    found = box_iou(np.array(one).reshape(-1, 5), np.array(two).reshape(-1, 5))
    assert found.shape == (len(one), len(two))
    for row, first in zip(found, one, strict=True):
        for value, second in zip(row, two, strict=True):
            pair = [RBBox(*box[:4], None if math.isnan(box[4]) else box[4]) for box in (first, second)]
            assert value == pytest.approx(pair[0].iou(pair[1]), abs=1e-4)


@given(st.lists(boxes, min_size=1, max_size=12), st.floats(0.05, 0.95), st.booleans())
def test_what_is_suppressed_overlaps_a_better_one_that_stays(rows, share, rotated):
    given_boxes = np.array(rows)
    if not rotated:
        given_boxes = np.concatenate([given_boxes[:, :2], given_boxes[:, :2] + given_boxes[:, 2:4]], axis=1)
    random = np.random.default_rng(len(rows))
    scores, groups = random.permutation(len(rows)) / len(rows), random.integers(0, 2, len(rows))
    kept = nms(given_boxes, scores, share, groups)
    overlap = box_iou(given_boxes, given_boxes)
    assert scores[kept].tolist() == sorted(scores[kept], reverse=True)
    for row in range(len(rows)):
        better = [k for k in kept if groups[k] == groups[row] and (scores[k] > scores[row]) and overlap[k, row] > share]
        assert (row in kept) == (not better)


@given(st.integers(257, 400), st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_many_boxes_are_suppressed_as_few_are(count, seed):
    random = np.random.default_rng(seed)
    starts = random.uniform(0, 60, (count, 2))
    many = np.concatenate([starts, starts + random.uniform(1, 30, (count, 2))], axis=1)
    scores = random.permutation(count).astype(float)
    expected: list[int] = []
    overlap = box_iou(many, many)
    for row in np.argsort(-scores).tolist():
        if all(overlap[other, row] <= 0.4 for other in expected):
            expected.append(row)
    assert nms(many, scores, 0.4).tolist() == expected


def test_equal_boxes_cover_each_other_and_empty_ones_do_not():
    assert box_iou([[0, 0, 4, 4], [1, 1, 1, 1]], [[0, 0, 4, 4], [1, 1, 1, 1]]).tolist() == [[1, 0], [0, 0]]
    turned = [[10, 10, 6, 4, 30]]
    assert box_iou(turned, turned)[0, 0] == pytest.approx(1)
    assert box_iou(turned, [[10, 10, 6, 4, 210]])[0, 0] == pytest.approx(1)
    assert box_iou(turned, [[10, 10, 4, 6, 120]])[0, 0] == pytest.approx(1)
    assert nms(np.zeros((0, 4)), []).tolist() == []


WRONG_CALLS = {
    "three numbers": (lambda: box_iou([[0, 0, 1]], [[0, 0, 1]]), ShapeError, r"expected \(N, 4\) or \(N, 5\)"),
    "two forms": (lambda: box_iou([[0, 0, 1, 1]], [[0, 0, 1, 1, 0]]), ShapeError, "expected one form"),
    "a score too few": (lambda: nms([[0, 0, 1, 1]], []), ShapeError, "confidences: expected 1"),
    "a group too many": (lambda: nms([[0, 0, 1, 1]], [1], 0.5, [1, 2]), ShapeError, "groups: expected 1"),
    "a share of 2": (lambda: nms([[0, 0, 1, 1]], [1], 2), ValueError, "iou: expected 0 to 1, got 2"),
}


@pytest.mark.parametrize(("call", "error", "words"), WRONG_CALLS.values(), ids=WRONG_CALLS.keys())
def test_what_cannot_be_compared_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()
