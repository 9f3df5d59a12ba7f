"""Heads of YOLO, against a plain decoding of the same tensors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from plain import FEW, agree, candidates, corners, prototype_sum, scene, suppressed

from picasso.errors import ModelError
from picasso.infer import HeadSettings, ObjectHead, Selector, TensorInfo, find_head, head_names
from picasso.primitives import RBBox

SEEDS = st.integers(0, 2**32 - 1)
SIZE = (64, 64)
CELLS = 84
"""Of grids of 8, 16 and 32 pixels a cell: 64 + 16 + 4."""


def head_of(name: str, classes: int | None = None, keypoints: tuple[int, int] | None = None) -> ObjectHead:
    return find_head([], name=name, classes=classes, keypoints=keypoints)


def told(confidence: float = 0.5, share: float | None = 0.5, size_wh: tuple[int, int] = SIZE) -> HeadSettings:
    return HeadSettings(size_wh, Selector(confidence=confidence, iou=share))


@FEW
@given(SEEDS, st.integers(1, 3), st.floats(0.1, 0.9), st.floats(0.1, 0.9))
def test_yolo_v8_finds_what_the_plain_decoding_finds(seed, batch, confidence, share):
    rows = scene(seed, batch)
    found = head_of("yolov8").decode({"output0": rows.transpose(0, 2, 1)}, told(confidence, share))
    assert len(found) == batch
    for objects, of_picture in zip(found, rows, strict=True):
        agree(objects, suppressed(candidates(of_picture), confidence, share))


@FEW
@given(SEEDS)
def test_yolo_v8_reads_rows_that_lie_the_other_way(seed):
    rows = scene(seed)
    (found,) = head_of("yolov8", classes=4).decode({"output0": rows}, told())
    agree(found, suppressed(candidates(rows[0])))


@FEW
@given(SEEDS)
def test_half_precision_is_read_as_it_is(seed):
    rows = scene(seed).astype(np.float16)
    (found,) = head_of("yolov8").decode({"output0": rows.transpose(0, 2, 1)}, told())
    agree(found, suppressed(candidates(rows[0].astype(np.float32))))


def with_objectness(rows: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of YOLO v5, and those that they stand for."""
    objectness = np.random.default_rng(seed).uniform(0, 1, (*rows.shape[:2], 1)).astype(np.float32)
    stand_for = np.concatenate([rows[..., :4], rows[..., 4:] * objectness], axis=2)
    return np.concatenate([rows[..., :4], objectness, rows[..., 4:]], axis=2), stand_for


@FEW
@given(SEEDS, st.floats(0.05, 0.5), st.sampled_from(["yolov5", "yolov7", "yolov6", "yolox-decoded"]))
def test_yolo_v5_multiplies_score_and_objectness(seed, confidence, name):
    rows, stand_for = with_objectness(scene(seed, 2), seed)
    found = head_of(name).decode({"output": rows}, told(confidence))
    for objects, of_picture in zip(found, stand_for, strict=True):
        agree(objects, suppressed(candidates(of_picture), confidence))


@FEW
@given(SEEDS, st.sampled_from([(64, 64), (96, 64), (32, 128)]))
def test_yolox_places_its_rows_on_grids(seed, size_wh):
    random = np.random.default_rng(seed)
    expected, rows = [], []
    for stride in (8, 16, 32):
        for row in range(size_wh[1] // stride):
            for column in range(size_wh[0] // stride):
                dx, dy, dw, dh, objectness, *scores = random.uniform(0, 1, 8).astype(np.float32).tolist()
                rows.append([dx, dy, dw, dh, objectness, *scores])
                box = corners((column + dx) * stride, (row + dy) * stride, math.exp(dw) * stride, math.exp(dh) * stride)
                number = max(range(3), key=scores.__getitem__)
                expected.append((number, scores[number] * objectness, box))
    (found,) = head_of("yolox").decode({"output": np.array([rows], np.float32)}, told(0.2, size_wh=size_wh))
    agree(found, suppressed(expected, 0.2))


@FEW
@given(SEEDS)
def test_yolo_v10_says_corners_score_and_class(seed):
    random = np.random.default_rng(seed)
    starts, sizes = random.uniform(0, 50, (2, 20, 2)), random.uniform(1, 30, (2, 20, 2))
    scores, classes = random.uniform(0, 1, (2, 20, 1)), random.integers(0, 3, (2, 20, 1))
    rows = np.concatenate([starts, starts + sizes, scores, classes], axis=2).astype(np.float32)
    found = head_of("yolov10").decode({"output0": rows}, told(0.3, 0.9))
    for objects, of_picture in zip(found, rows.astype(float).tolist(), strict=True):
        agree(objects, suppressed([(int(row[5]), row[4], row[:4]) for row in of_picture], 0.3, 0.9))


def masks_agree(found, coefficients: np.ndarray, prototypes: np.ndarray, size_wh: tuple[int, int]) -> None:
    """A pixel is in a mask if the sum is above 0 at its centre, which lies in the box."""
    x, y = np.arange(size_wh[0]) + 0.5, np.arange(size_wh[1]) + 0.5
    for mask, box, coefficient in zip(found.masks, found.xyxy.astype(float), coefficients, strict=True):
        values = prototype_sum(coefficient, prototypes, size_wh)
        left, top, right, bottom = box
        inside = ((x >= left) & (x < right))[None] & ((y >= top) & (y < bottom))[:, None]
        sure = np.abs(values) > 1e-4
        edges = np.minimum(abs(x - left), abs(x - right))[None], np.minimum(abs(y - top), abs(y - bottom))[:, None]
        sure &= (edges[0] > 1e-4) & (edges[1] > 1e-4)
        assert_array_equal(mask[sure], ((values > 0) & inside)[sure])


@FEW
@given(SEEDS, st.sampled_from(["yolov8-seg", "yolov5-seg", "yolov10-seg"]))
def test_masks_are_sums_of_prototypes_within_the_box(seed, name):
    size_wh, channels = (40, 24), 5
    rows = scene(seed, 1, rows=12, size=30)
    random = np.random.default_rng(seed)
    prototypes = random.normal(0, 1, (1, channels, 6, 10)).astype(np.float32)
    coefficients = random.normal(0, 1, (12, channels)).astype(np.float32)
    scores = rows[0, :, 4:]
    if name == "yolov10-seg":
        box = np.array([corners(*box) for box in rows[0, :, :4].tolist()])
        best = np.stack([scores.max(1), scores.argmax(1)], axis=1)
        output = np.concatenate([box, best, coefficients], axis=1)[None]
    elif name == "yolov5-seg":
        output = np.concatenate([rows[0, :, :4], np.ones((12, 1)), scores, coefficients], axis=1)[None]
    else:
        output = np.concatenate([rows[0], coefficients], axis=1).T[None]
    outputs = {"output0": output.astype(np.float32), "output1": prototypes}
    (found,) = head_of(name).decode(outputs, told(0.3, None, size_wh))
    order = [row for row in np.argsort(-scores.max(1), kind="stable") if scores[row].max() > 0.3]
    assert len(found) == len(order)
    assert found.masks.size_wh == size_wh
    masks_agree(found, coefficients[order], prototypes[0], size_wh)


@FEW
@given(SEEDS, st.sampled_from([2, 3]), st.sampled_from(["yolov8-pose", "yolov10-pose"]))
def test_keypoints_come_with_their_object(seed, numbers, name):
    rows = scene(seed, 1, rows=9, classes=1)
    points = np.random.default_rng(seed).uniform(0, 64, (9, 3, numbers)).astype(np.float32)
    flat = points.reshape(9, -1)
    if name == "yolov10-pose":
        box = np.array([corners(*box) for box in rows[0, :, :4].tolist()])
        output = np.concatenate([box, rows[0, :, 4:], np.zeros((9, 1)), flat], axis=1)[None].astype(np.float32)
    else:
        output = np.concatenate([rows[0], flat], axis=1).T[None]
    (found,) = head_of(name, keypoints=(3, numbers)).decode({"output0": output}, told(0.1, None))
    order = [row for row in np.argsort(-rows[0, :, 4], kind="stable") if rows[0, row, 4] > 0.1]
    expected = np.ones((len(order), 3, 3))
    expected[..., :numbers] = points[order]
    assert_allclose(found.keypoints, expected)


@FEW
@given(SEEDS, st.sampled_from(["yolov8-obb", "yolov10-obb"]))
def test_rotated_boxes_suppress_those_that_lie_on_them(seed, name):
    rows = scene(seed, 1, rows=14, classes=2)
    angles = np.random.default_rng(seed).uniform(-math.pi / 4, 3 * math.pi / 4, (14, 1)).astype(np.float32)
    if name == "yolov10-obb":
        best = np.stack([rows[0, :, 4:].max(1), rows[0, :, 4:].argmax(1)], axis=1)
        output = np.concatenate([rows[0, :, :4], best, angles], axis=1)[None].astype(np.float32)
    else:
        output = np.concatenate([rows[0], angles], axis=1).T[None]
    (found,) = head_of(name).decode({"output0": output}, told(0.2, 0.3))
    kept: list[tuple[int, RBBox, int]] = []
    for row in np.argsort(-rows[0, :, 4:].max(1), kind="stable").tolist():
        number = int(rows[0, row, 4:].argmax())
        box = RBBox(*rows[0, row, :4].tolist(), math.degrees(angles[row, 0]))
        covered = any(number == other and box.iou(one) > 0.3 for other, one, _row in kept)
        if rows[0, row, 4:].max() > 0.2 and not covered:
            kept.append((number, box, row))
    assert found.class_ids.tolist() == [one[0] for one in kept]
    assert_allclose(found.xywha[:, :4], rows[0, [one[2] for one in kept], :4], rtol=1e-6)
    assert_allclose(found.xywha[:, 4], [one[1].angle for one in kept], rtol=1e-5)


def test_an_angle_turns_clockwise_on_the_screen():
    """Of a long box turned by 30 degrees the right end lies lower."""
    output = np.array([[32, 32, 40, 4, 0.9, math.radians(30)]], np.float32).T[None]
    (found,) = head_of("yolov8-obb").decode({"output0": output}, told())
    ends = RBBox(*found.xywha[0].tolist()).vertices
    assert_allclose(np.mean([ends[1], ends[2]], axis=0), [32 + 20 * math.cos(math.pi / 6), 42], atol=1e-3)


def test_no_candidate_is_no_object_and_no_mask():
    outputs = {"rows": np.zeros((2, 4 + 3 + 8, 50), np.float32), "prototypes": np.zeros((2, 8, 16, 16), np.float32)}
    found = head_of("yolov8-seg").decode(outputs, told())
    assert [(len(one), len(one.masks)) for one in found] == [(0, 0), (0, 0)]
    (posed,) = head_of("yolov8-pose", keypoints=(17, 3)).decode({"rows": np.zeros((1, 56, 50), np.float32)}, told())
    assert posed.keypoints.shape == (0, 17, 3)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_row_that_is_no_number_is_no_object(value):
    rows = np.array([[32, 32, value, 8, 0.9], [32, 32, 8, 8, 0.8], [32, 32, 8, 8, value]], np.float32)
    (found,) = head_of("yolov8").decode({"output0": rows.T[None]}, told())
    assert_allclose(found.confidences, [0.8])
    assert_allclose(found.xywha[:, :4], [[32, 32, 8, 8]])


def test_the_outputs_are_not_written_to():
    rows = np.abs(np.random.default_rng(1).normal(0, 1, (1, CELLS, 8))).astype(np.float32)
    before = rows.copy()
    rows.setflags(write=False)
    head_of("yolox").decode({"output": rows}, told(0.01))
    assert_array_equal(rows, before)


WRONG = {
    "a flat output": ("yolov8", {"scores": (1, 84)}, r"yolov8: expected one output of 3 axes, got scores \(1, 84\)"),
    "two outputs": ("yolov8", {"a": (1, 84, 9), "b": (1, 84, 9)}, "got a .*, b "),
    "no score": ("yolov8", {"a": (1, 4, 9)}, "rows of 4 numbers, 4 of which are not scores: expected at least 1 class"),
    "no prototypes": ("yolov8-seg", {"a": (1, 40, 9)}, "expected one output of 4 axes"),
    "prototypes of other pictures": ("yolov8-seg", {"a": (2, 40, 9), "p": (1, 8, 4, 4)}, "2 pictures of rows, 1 of"),
    "grids of another input": ("yolox", {"a": (1, 85, 85)}, "85 rows, the grids of 64x64 have 84 cells"),
    "rows too long": ("yolov10", {"a": (1, 300, 7)}, "expected rows of 6 numbers, got 7"),
    "no picture": ("yolov10", {}, "got no outputs"),
}


@pytest.mark.parametrize(("name", "shapes", "words"), WRONG.values(), ids=WRONG.keys())
def test_outputs_of_another_shape_are_refused(name, shapes, words):
    with pytest.raises(ModelError, match=words):
        head_of(name).decode({key: np.zeros(shape, np.float32) for key, shape in shapes.items()}, told())


def test_another_number_of_scores_than_classes_is_refused():
    with pytest.raises(ModelError, match="yolov8: rows of 84 numbers, 4 of which are not scores: expected 3 classes"):
        head_of("yolov8", classes=3).decode({"output0": np.zeros((1, 84, 100), np.float32)}, told())
    with pytest.raises(ModelError, match="expected 3 classes"):
        find_head([TensorInfo("o", "float32", (1, 84, CELLS))], name="yolov8", classes=3, input_wh=SIZE)


def test_keypoints_without_their_number_are_refused():
    with pytest.raises(ModelError, match="yolov8-pose: keypoints: expected how many points, and 2 or 3 numbers"):
        head_of("yolov8-pose")


def test_scales_for_other_pictures_are_refused():
    with pytest.raises(ModelError, match="scales_xy: expected 1, one for each picture, got 2"):
        head_of("yolov8").decode({"o": np.zeros((1, 5, 9), np.float32)}, told(), [(1, 1), (1, 1)])


@pytest.mark.parametrize("name", head_names())
def test_a_head_is_called_as_it_was_named(name):
    head = head_of(name, keypoints=(17, 3))
    assert isinstance(head, ObjectHead)
    assert head.name == name
