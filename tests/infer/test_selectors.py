"""Which candidates are objects: thresholds, sizes, suppression, limits and merged classes, candidate by candidate."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain import FEW, corners, iou

from picasso.errors import ModelError
from picasso.infer import ObjectRule, Selector

LABELS = st.sampled_from(["car", "bus", "person"])


@st.composite
def rule_lists(draw) -> list[ObjectRule]:
    numbers = draw(st.lists(st.integers(0, 5), unique=True, min_size=1, max_size=5))
    share = st.one_of(st.none(), st.floats(0.1, 0.9))
    return [
        ObjectRule(
            number,
            draw(LABELS),
            draw(st.floats(0, 0.8)),
            draw(share),
            draw(st.one_of(st.none(), st.integers(1, 3))),
            draw(st.floats(0, 6)),
            draw(st.floats(0, 6)),
            draw(st.one_of(st.just(math.inf), st.floats(8, 20))),
            draw(st.one_of(st.just(math.inf), st.floats(8, 20))),
        )
        for number in numbers
    ]


def plainly(rules, boxes, scores, classes, scale_xy) -> list[tuple[int, int, str]]:
    """Row, class and label of what stays: the rule of the first class of each label holds for all of that label."""
    first: dict[str, ObjectRule] = {}
    stands = {}
    for rule in rules:
        stands[rule.class_id] = first.setdefault(rule.label, rule)
    kept: list[int] = []
    for row in np.argsort(-scores, kind="stable").tolist():
        rule = stands.get(classes[row])
        if rule is None or not scores[row] > rule.confidence:
            continue
        width, height = boxes[row][2] * scale_xy[0], boxes[row][3] * scale_xy[1]
        if not (rule.min_width <= width <= rule.max_width and rule.min_height <= height <= rule.max_height):
            continue
        mine = [other for other in kept if stands[classes[other]] is rule]
        overlaps = [iou(corners(*boxes[other]), corners(*boxes[row])) for other in mine]
        if rule.iou is None or all(overlap <= rule.iou for overlap in overlaps):
            kept.append(row)
    said, counts = [], dict.fromkeys(first, 0)
    for row in kept:
        rule = stands[classes[row]]
        counts[rule.label] += 1
        if rule.top_k is None or counts[rule.label] <= rule.top_k:
            said.append((row, rule.class_id, rule.label))
    return said


@FEW
@given(rule_lists(), st.integers(0, 2**32 - 1), st.tuples(st.floats(0.5, 2), st.floats(0.5, 2)))
def test_rules_leave_what_they_leave_one_after_the_other(rules, seed, scale_xy):
    random = np.random.default_rng(seed)
    boxes = np.concatenate([random.uniform(0, 30, (40, 2)), random.uniform(1, 15, (40, 2))], axis=1)
    scores, classes = random.permutation(40) / 40, random.integers(0, 7, 40)
    chosen = Selector(rules).select(boxes, scores, classes, scale_xy)
    found = list(zip(chosen.rows.tolist(), chosen.class_ids.tolist(), chosen.labels.tolist(), strict=True))
    assert found == plainly(rules, boxes.tolist(), scores, classes.tolist(), scale_xy)


def test_by_default_a_candidate_is_more_certain_than_a_half_and_overlaps_none_by_more():
    boxes = np.array([[5, 5, 10, 10], [5, 5, 10, 4.9], [5, 5, 10, 5.2], [50, 5, 9, 9], [90, 5, 9, 9]], float)
    chosen = Selector().select(boxes, np.array([0.9, 0.8, 0.7, 0.5, 0.51]), np.array([3, 3, 3, 3, 3]))
    assert chosen.rows.tolist() == [0, 1, 4]  # the second covers 0.49 of the first, the third 0.52
    assert chosen.labels.tolist() == ["3", "3", "3"]


def test_classes_are_called_by_their_names_and_by_their_numbers_where_there_are_none():
    chosen = Selector(class_names=["car", "bus"]).select(
        np.array([[0, 0, 1, 1], [9, 9, 1, 1], [20, 20, 1, 1]], float), np.array([0.9, 0.8, 0.7]), np.array([1, 7, 0])
    )
    assert chosen.labels.tolist() == ["bus", "7", "car"]


def test_two_classes_of_one_label_are_the_first_of_them():
    rules = [ObjectRule(2, "vehicle", 0.6), ObjectRule(5, "vehicle", 0.1), ObjectRule(0, "person", 0.1)]
    boxes = np.array([[5, 5, 10, 10], [5, 5, 10, 9], [50, 5, 9, 9], [90, 5, 9, 9]], float)
    chosen = Selector(rules).select(boxes, np.array([0.9, 0.95, 0.5, 0.2]), np.array([2, 5, 5, 0]))
    assert chosen.rows.tolist() == [1, 3]
    assert chosen.class_ids.tolist() == [2, 0]
    assert Selector(rules).class_ids() == [0, 2, 5]


def test_classes_without_a_rule_are_discarded():
    chosen = Selector([ObjectRule(1, "bus")]).select(np.ones((3, 4)), np.ones(3), np.array([0, 9, -1]))
    assert chosen.rows.size == 0
    assert Selector([]).select(np.ones((3, 4)), np.ones(3), np.zeros(3, int)).rows.size == 0
    assert Selector().class_ids() is None


def test_agnostic_suppression_compares_all_classes():
    boxes, scores = np.array([[5, 5, 10, 10], [5, 5, 10, 9]], float), np.array([0.8, 0.9])
    assert Selector().select(boxes, scores, np.array([0, 1])).rows.tolist() == [1, 0]
    assert Selector(agnostic=True).select(boxes, scores, np.array([0, 1])).rows.tolist() == [1]
    mixed = [ObjectRule(0, "a", iou=None), ObjectRule(1, "b", iou=0.95)]
    assert Selector(mixed, agnostic=True).select(boxes, scores, np.array([0, 1])).rows.tolist() == [1, 0]


def test_rotated_candidates_are_compared_as_they_lie():
    """Two long boxes that cross: their upright boxes are nearly the same, they are not."""
    cross = np.array([[50, 50, 80, 4, 45], [50, 50, 80, 4, -45], [50, 50, 80, 4, 51]], float)
    assert Selector(iou=0.5).select(cross, np.array([0.9, 0.8, 0.7]), np.zeros(3, int)).rows.tolist() == [0, 1, 2]
    assert Selector(iou=0.25).select(cross, np.array([0.9, 0.8, 0.7]), np.zeros(3, int)).rows.tolist() == [0, 1]


def test_the_most_certain_objects_of_a_picture_stay():
    boxes = np.array([[n * 20, 5, 10, 10] for n in range(6)], float)
    scores = np.array([0.6, 0.9, 0.7, 0.8, 0.95, 0.65])
    assert Selector(max_objects=2).select(boxes, scores, np.arange(6)).rows.tolist() == [4, 1]
    assert Selector(top_k=1).select(boxes, scores, np.array([0, 0, 0, 1, 1, 1])).rows.tolist() == [4, 1]


def test_a_users_selector_takes_the_place_of_suppression():
    def widest(rows):
        assert rows.shape[1] == 6
        return rows[rows[:, 4].argmax()][None]

    boxes = np.array([[5, 5, 10, 10], [5, 5, 30, 9], [5, 5, 9, 9]], float)
    selector = Selector([ObjectRule(0, "a"), ObjectRule(1, "b")], filters={0: widest})
    assert selector.select(boxes, np.array([0.9, 0.8, 0.7]), np.array([0, 0, 1])).rows.tolist() == [1, 2]
    made_up = Selector([ObjectRule(0, "a")], filters={0: lambda rows: rows + 1})
    with pytest.raises(ModelError, match="class 0: the selector returned a row that it was not given"):
        made_up.select(boxes, np.array([0.9, 0.8, 0.7]), np.zeros(3, int))


WRONG = {
    "confidence": (lambda: ObjectRule(0, "a", 2), r"class 0 \('a'\): confidence: expected 0 to 1, got 2"),
    "nan": (lambda: ObjectRule(0, "a", math.nan), "confidence: expected 0 to 1, got nan"),
    "iou": (lambda: Selector(iou=-1), "iou: expected 0 to 1, got -1"),
    "top_k of a half": (lambda: ObjectRule(3, "a", top_k=1.5), "top_k: expected 1 or more, or None, got 1.5"),  # type: ignore[arg-type]
    "a class of which no table is made": (lambda: ObjectRule(10**9, "a"), "class_id: expected 0 to 1048575"),
    "top_k": (lambda: ObjectRule(3, "a", top_k=0), "top_k: expected 1 or more, or None, got 0"),
    "sizes": (
        lambda: ObjectRule(3, "a", min_width=9, max_width=8),
        "expected 0 <= min_width <= max_width, got 9 and 8",
    ),
    "class": (lambda: ObjectRule(-1, "a"), "class_id: expected 0 to 1048575"),
    "twice": (lambda: Selector([ObjectRule(1, "a"), ObjectRule(1, "b")]), "class 1: there are two rules for it"),
    "objects": (lambda: Selector(max_objects=0), "max_objects: expected 1 or more, or None, got 0"),
}


@pytest.mark.parametrize(("call", "words"), WRONG.values(), ids=WRONG.keys())
def test_rules_that_cannot_be_are_refused(call, words):
    with pytest.raises(ModelError, match=words):
        call()
