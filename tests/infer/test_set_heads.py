"""DETR, SSD, faces, raw rows and classifiers, against a plain decoding of the same tensors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from graphs import graph
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from onnx import helper
from plain import FEW, agree, best, candidates, corners, scene, sigmoid, softmax, suppressed

from picasso.errors import ModelError
from picasso.infer import AttributeHead, AttributeRule, ClassifierHead, Detector, HeadSettings, Selector, find_head

SEEDS = st.integers(0, 2**32 - 1)
SIZE = (96, 64)


def told(confidence: float = 0.5, share: float | None = 0.5) -> HeadSettings:
    return HeadSettings(SIZE, Selector(confidence=confidence, iou=share))


def in_pixels(box: list[float]) -> list[float]:
    """Numbers in 0 … 1 as pixels of the input: x, y, x, y."""
    return [value * side for value, side in zip(box, SIZE * 2, strict=True)]


@FEW
@given(SEEDS)
def test_rt_detr_says_fractions_and_probabilities(seed):
    rows = scene(seed, 2, size=1)
    found = find_head([], name="rtdetr", classes=4).decode({"output0": rows}, told())
    for objects, of_picture in zip(found, rows, strict=True):
        of_picture[:, :4] *= np.array(SIZE * 2, np.float32)
        agree(objects, suppressed(candidates(of_picture)))


@FEW
@given(SEEDS, st.booleans())
def test_detr_says_logits(seed, no_object):
    rows = scene(seed, 2, size=1)
    logits = np.random.default_rng(seed).normal(0, 3, (2, 60, 4 + no_object)).astype(np.float32)
    head = find_head([], name="detr-softmax" if no_object else "detr", classes=4)
    found = head.decode({"pred_boxes": rows[..., :4], "logits": logits}, told())
    for objects, boxes, scores in zip(found, rows.astype(float).tolist(), logits.astype(float).tolist(), strict=True):
        expected = []
        for row, of_box in zip(boxes, scores, strict=True):
            odds = softmax(of_box)[:-1] if no_object else [sigmoid(value) for value in of_box]
            expected.append((*best(odds), corners(*in_pixels(row[:4]))))
        agree(objects, suppressed(expected))


def labelled(seed: int, size: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Corners, scores and labels of two pictures."""
    rows = scene(seed, 2, rows=20, classes=1, size=size)
    boxes = np.array([[corners(*row[:4]) for row in picture] for picture in rows.astype(float).tolist()], np.float32)
    return boxes, rows[..., 4], np.random.default_rng(seed).integers(0, 5, (2, 20))


@FEW
@given(SEEDS, st.sampled_from(["boxes", "bboxes"]), st.booleans())
def test_boxes_labels_and_scores_in_outputs_of_their_own(seed, name, relative):
    boxes, scores, labels = labelled(seed, 1 if relative else 64)
    head = find_head([], name="ssd" if relative else "dfine")
    found = head.decode({name: boxes, "scores": scores, "labels": labels}, told(0.2))
    for objects, box, score, label in zip(found, boxes.tolist(), scores.tolist(), labels.tolist(), strict=True):
        moved = [in_pixels(one) if relative else one for one in box]
        agree(objects, suppressed(list(zip(label, score, moved, strict=True)), 0.2))


@FEW
@given(SEEDS)
def test_boxes_of_one_picture_need_no_batch(seed):
    boxes, scores, labels = labelled(seed, 64)
    found = find_head([], name="dfine").decode({"boxes": boxes[0], "scores": scores[0], "labels": labels[0]}, told())
    expected = suppressed(list(zip(labels[0].tolist(), scores[0].tolist(), boxes[0].tolist(), strict=True)))
    assert len(found) == 1
    agree(found[0], expected)


@FEW
@given(SEEDS, st.integers(0, 20))
def test_ssd_of_tensorflow_says_rows_before_columns(seed, count):
    boxes, scores, labels = labelled(seed, 1)
    outputs = {
        "detection_boxes": boxes[..., [1, 0, 3, 2]],
        "detection_scores": scores,
        "detection_classes": labels.astype(np.float32),
        "num_detections": np.array([count, 20], np.float32),
    }
    found = find_head([], name="ssd-tensorflow").decode(outputs, told())
    for objects, box, score, label, rows in zip(found, boxes, scores, labels, (count, 20), strict=True):
        moved = [in_pixels(one) for one in box.tolist()]
        agree(objects, suppressed(list(zip(label.tolist(), score.tolist(), moved, strict=True))[:rows]))


@FEW
@given(SEEDS)
def test_ssd_of_scores_has_a_background(seed):
    boxes, _scores, _labels = labelled(seed, 1)
    odds = np.array([[softmax(row) for row in picture] for picture in scene(seed, 2, 20, 3)[..., 4:] * 6], np.float32)
    found = find_head([], name="ssd-scores").decode({"scores": odds, "boxes": boxes}, told())
    for objects, box, scores in zip(found, boxes.tolist(), odds.astype(float).tolist(), strict=True):
        chosen = [best(row[1:]) for row in scores]
        expected = [(n + 1, s, in_pixels(one)) for (n, s), one in zip(chosen, box, strict=True)]
        agree(objects, suppressed(expected))


@FEW
@given(SEEDS)
def test_yunet_places_faces_and_their_points(seed):
    random = np.random.default_rng(seed)
    outputs: dict[str, np.ndarray] = {}
    expected, points = [], {}
    for stride in (8, 16, 32):
        cells = [(c, r) for r in range(SIZE[1] // stride) for c in range(SIZE[0] // stride)]
        numbers = random.uniform(-0.2, 1.2, (len(cells), 16)).astype(np.float32)
        split = {"cls": slice(0, 1), "obj": slice(1, 2), "bbox": slice(2, 6), "kps": slice(6, 16)}
        outputs |= {f"{part}_{stride}": numbers[None, :, columns] for part, columns in split.items()}
        for (column, row), values in zip(cells, numbers.astype(float).tolist(), strict=True):
            sure = math.sqrt(min(max(values[0], 0), 1) * min(max(values[1], 0), 1))
            x, y, width, height = (column + values[2], row + values[3], math.exp(values[4]), math.exp(values[5]))
            expected.append((0, sure, [value * stride for value in corners(x, y, width, height)]))
            at = [((column + values[6 + 2 * k]) * stride, (row + values[7 + 2 * k]) * stride) for k in range(5)]
            points[round(sure, 6)] = at
    (found,) = find_head([], name="yunet").decode(outputs, told(0.6, 0.3))
    # several faces may be fully certain: which of them comes first is not said
    sure_ones = suppressed(expected, 0.6, 0.3)
    if len({row[1] for row in expected if row[1] > 0.6}) == len([row for row in expected if row[1] > 0.6]):
        agree(found, sure_ones)
        for face, row in zip(found, sure_ones, strict=True):
            assert_allclose(face.keypoints[:, :2], points[round(row[1], 6)], rtol=1e-4, atol=1e-3)
            assert_allclose(face.keypoints[:, 2], row[1], rtol=1e-5)


@FEW
@given(SEEDS, st.booleans())
def test_raw_rows_are_those_of_converters(seed, turned):
    random = np.random.default_rng(seed)
    rows = scene(seed, 1, rows=15, classes=1)[0].astype(np.float64)
    classes = random.integers(-1, 3, 15)
    columns = [classes, rows[:, 4], *rows[:, :4].T]
    if turned:
        columns.append(random.uniform(-90, 90, 15))
    (found,) = find_head([], name="rows").decode({"o": np.stack(columns, 1)[None].astype(np.float32)}, told(0.3, None))
    order = [n for n in np.argsort(-rows[:, 4], kind="stable") if rows[n, 4] > 0.3 and classes[n] >= 0]
    assert found.class_ids.tolist() == classes[order].tolist()
    assert_allclose(found.xywha[:, :4], rows[order, :4], rtol=1e-5)
    assert_allclose(found.xywha[:, 4], columns[-1][order] if turned else np.full(len(order), np.nan), rtol=1e-5)


@FEW
@given(SEEDS)
def test_rows_of_a_whole_batch_name_their_picture(seed):
    boxes, scores, labels = labelled(seed, 64)
    rows = np.concatenate(
        [np.repeat([[[0.0]], [[2.0]]], 20, 1), boxes, labels[..., None], scores[..., None]], axis=2
    ).reshape(-1, 7)
    found = find_head([], name="yolov7-end2end").decode({"o": rows.astype(np.float32)}, told(), [(1, 1)] * 3)
    assert len(found[1]) == 0
    for picture, number in ((0, 0), (2, 1)):
        expected = zip(labels[number].tolist(), scores[number].tolist(), boxes[number].tolist(), strict=True)
        agree(found[picture], suppressed(list(expected)))


def test_rows_of_what_fills_up_a_batch_are_no_objects():
    rows = np.array([[0, 8, 8, 20, 20, 1, 0.9], [3, 8, 8, 20, 20, 1, 0.9]], np.float32)
    (found,) = find_head([], name="yolov7-end2end").decode({"o": rows}, told(), [(1, 1)])
    assert found.xyxy.tolist() == [[8, 8, 20, 20]]
    with pytest.raises(ModelError, match="a row names the picture -1"):
        find_head([], name="yolov7-end2end").decode({"o": rows - 1}, told(), [(1, 1)])


WRONG = {
    "no labels": ("dfine", {"boxes": (1, 9, 4), "scores": (1, 9)}, "dfine: there is no output 'labels'"),
    "fewer scores": ("ssd", {"boxes": (1, 9, 4), "scores": (1, 8), "labels": (1, 9)}, r"ssd: expected \(B, N, 4\)"),
    "no logits": ("detr", {"pred_boxes": (1, 9, 4)}, "expected an output 'logits' of 3 axes"),
    "logits of other pictures": (
        "detr",
        {"pred_boxes": (2, 9, 4), "logits": (1, 9, 5)},
        r"expected logits \(B, N, C\) and pred_boxes \(B, N, 4\)",
    ),
    "counts of other pictures": (
        "ssd-tensorflow",
        {"detection_boxes": (2, 9, 4), "detection_scores": (2, 9), "detection_classes": (2, 9), "num_detections": (1,)},
        r"expected boxes \(B, N, 4\), the rest \(B, N\)",
    ),
    "rows of eight": ("rows", {"o": (1, 9, 8)}, r"rows: expected \(B, N, 6\) or \(B, N, 7\), got o \(1, 9, 8\)"),
    "rows of six for a batch": ("yolov7-end2end", {"o": (9, 6)}, r"expected \(N, 7\)"),
    "a face without points": ("yunet", {"cls_8": (1, 96, 1)}, "expected an output 'cls_16'"),
}


@pytest.mark.parametrize(("name", "shapes", "words"), WRONG.values(), ids=WRONG.keys())
def test_outputs_of_another_shape_are_refused(name, shapes, words):
    with pytest.raises(ModelError, match=words):
        find_head([], name=name).decode({key: np.zeros(shape, np.float32) for key, shape in shapes.items()}, told())


def test_grids_of_another_input_are_refused():
    numbers = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
    outputs = {f"{part}_{s}": np.zeros((1, 64, n), np.float32) for part, n in numbers.items() for s in (8, 16, 32)}
    with pytest.raises(ModelError, match="yunet: 192 cells, the grids of 96x64 have 126"):
        find_head([], name="yunet").decode(outputs, told())


@FEW
@given(SEEDS, st.booleans())
def test_a_classifier_says_the_most_certain_label(seed, has_softmax):
    logits = np.random.default_rng(seed).normal(0, 2, (3, 4)).astype(np.float32)
    odds = [softmax(row) for row in logits.astype(float).tolist()]
    labels = ("red", "green", "blue", "white")
    head = ClassifierHead([AttributeRule("color", labels)])
    said = head.decode({"o": np.array(odds, np.float32) if has_softmax else logits})
    for (label,), row in zip(said, odds, strict=True):
        number, sure = best(row)
        assert (label.name, label.value, label.class_id) == ("color", labels[number], number)
        assert label.confidence == pytest.approx(sure, rel=1e-5)


@FEW
@given(SEEDS, st.floats(0, 1))
def test_several_labels_hold_at_once(seed, threshold):
    logits = np.random.default_rng(seed).normal(0, 2, (3, 5)).astype(np.float32)
    rule = AttributeRule("things", None, threshold, multi_label=True, activation="sigmoid")
    for said, row in zip(ClassifierHead([rule]).decode({"o": logits[..., None, None]}), logits.tolist(), strict=True):
        odds = {str(number): sigmoid(value) for number, value in enumerate(row)}
        sure = {name: value for name, value in odds.items() if abs(value - threshold) > 1e-6}
        assert {label.value for label in said} & set(sure) == {name for name, v in sure.items() if v > threshold}
        assert [label.confidence for label in said] == sorted((label.confidence for label in said), reverse=True)


def test_each_output_is_an_attribute():
    outputs = {"kind": np.array([[0.1, 0.9], [0.8, 0.2]]), "color": np.array([[1, 0, 0], [0, 0, 1.0]])}
    by_name = [AttributeRule("color", ("red", "green", "blue")), AttributeRule("kind", ("car", "bus"))]
    by_order = [AttributeRule("what", ("car", "bus")), AttributeRule("paint", ("red", "green", "blue"))]
    assert [[x.value for x in row] for row in ClassifierHead(by_name).decode(outputs)] == [
        ["red", "bus"],
        ["blue", "car"],
    ]
    assert [[x.value for x in row] for row in ClassifierHead(by_order).decode(outputs)] == [
        ["bus", "red"],
        ["car", "blue"],
    ]


def test_a_label_below_its_threshold_is_not_said():
    head = ClassifierHead([AttributeRule("kind", ("car", "bus"), threshold=0.85)])
    assert [len(row) for row in head.decode({"o": np.array([[0.1, 0.9], [0.8, 0.2]])})] == [1, 0]
    assert isinstance(head, AttributeHead)


WRONG_RULES = {
    "a threshold of 2": (lambda: AttributeRule("a", threshold=2), "attribute 'a': threshold: expected 0 to 1, got 2"),
    "an activation": (
        lambda: AttributeRule("a", activation="tanh"),
        "activation 'tanh': expected one of auto, softmax",
    ),
    "no label": (lambda: AttributeRule("a", ()), "expected a label for each class, got none"),
    "no attribute": (lambda: ClassifierHead([]), "expected an attribute for each output"),
    "labels of other classes": (
        lambda: ClassifierHead([AttributeRule("a", ("x", "y"))]).decode({"o": np.zeros((1, 3))}),
        "attribute 'a': the output has 3 classes: expected 2, one a label",
    ),
    "more outputs": (
        lambda: ClassifierHead([AttributeRule("a")]).decode({"o": np.zeros((1, 3)), "p": np.zeros((1, 3))}),
        r"expected 1 outputs, one an attribute, got o \(1, 3\), p",
    ),
    "a picture": (lambda: ClassifierHead([AttributeRule("a")]).decode({"o": np.zeros((1, 3, 2))}), "got .1, 3, 2."),
    "logits of several labels": (
        lambda: ClassifierHead([AttributeRule("a", multi_label=True)]).decode({"o": np.array([[-3.0, 5.0]])}),
        "scores from -3 to 5 are no probabilities: name the activation",
    ),
}


@pytest.mark.parametrize(("call", "words"), WRONG_RULES.values(), ids=WRONG_RULES.keys())
def test_what_a_classifier_cannot_be_is_refused(call, words):
    with pytest.raises(ModelError, match=words):
        call()


def test_a_detector_of_faces_calls_them_faces():
    """From a graph as YuNet is exported to objects of a picture, found by the names of its outputs."""
    random = np.random.default_rng(4)
    shapes, weights, nodes = {}, {"zero": np.float32(0)}, []
    nodes.append(helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2, 3], keepdims=0))
    nodes.append(helper.make_node("Mul", ["mean", "zero"], ["nothing"]))
    for part, numbers in {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}.items():
        for stride in (8, 16, 32):
            name, cells = f"{part}_{stride}", (SIZE[0] // stride) * (SIZE[1] // stride)
            shapes[name] = (1, cells, numbers)
            value = np.zeros(shapes[name], np.float32)
            if stride == 16 and numbers == 1:
                value[0, 8] = 1  # the third cell of the second row
            if stride == 16 and part == "kps":
                value[0, 8] = random.uniform(0, 1, 10)
            weights[f"of_{name}"] = value
            nodes.append(helper.make_node("Add", ["nothing", f"of_{name}"], [name]))
    model = graph(nodes, {"input": (1, 3, SIZE[1], SIZE[0])}, shapes, weights)
    found = Detector(model, namespace="faces")(np.zeros((SIZE[1], SIZE[0], 3), np.uint8))
    assert (found.labels.tolist(), found.namespaces.tolist()) == (["face"], ["faces"])
    assert found.xyxy.tolist() == [[24, 8, 40, 24]]
    assert found.keypoints.shape == (1, 5, 3)
    assert ((found.keypoints[0, :, :2] >= (32, 16)) & (found.keypoints[0, :, :2] <= (48, 32))).all()


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 1e30, -1])
def test_a_class_that_is_no_number_is_no_object(number):
    rows = np.array([[number, 0.9, 9, 9, 4, 4], [2, 0.8, 9, 9, 4, 4]], np.float32)
    (found,) = find_head([], name="rows").decode({"o": rows[None]}, told())
    assert found.class_ids.tolist() == [2]
    ended = np.array([[1, 1, 5, 5, 0.9, number], [1, 1, 5, 5, 0.8, 3]], np.float32)
    (found,) = find_head([], name="yolov10").decode({"o": ended[None]}, told())
    assert found.class_ids.tolist() == [3]


def test_outputs_of_text_are_refused():
    with pytest.raises(ModelError, match="rows: expected numbers, got o of"):
        find_head([], name="rows").decode({"o": np.full((1, 2, 6), "a")}, told())


def test_offsets_from_anchors_are_no_corners() -> None:
    """By shape they are what the head reads; half of them end before they begin."""
    random = np.random.default_rng(0)
    outputs = {
        "scores": random.uniform(0, 1, (1, 400, 3)).astype(np.float32),
        "boxes": random.normal(0, 1, (1, 400, 4)).astype(np.float32),
    }
    with pytest.raises(ModelError, match=r"ssd-scores: \d+ of 400 boxes end before they begin: .* output\.converter"):
        find_head([], name="ssd-scores").decode(outputs, HeadSettings((300, 300)))
