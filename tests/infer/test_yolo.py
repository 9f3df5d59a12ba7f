"""Heads of YOLO, against a plain decoding of the same tensors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from picasso.errors import ModelError
from picasso.infer import HeadSettings, ObjectHead, Selector
from picasso.infer.heads.yolo import YoloV8


def scene(seed: int, batch: int = 1, rows: int = 60, classes: int = 4, size: int = 64) -> np.ndarray:
    """Random candidates, ``(B, rows, 4 + classes)``, many of which overlap."""
    random = np.random.default_rng(seed)
    centers = random.uniform(0, size, (batch, rows, 2))
    sizes = random.uniform(4, size / 2, (batch, rows, 2))
    scores = random.uniform(0, 1, (batch, rows, classes)) ** 3
    return np.concatenate([centers, sizes, scores], axis=2).astype(np.float32)


def iou(one: list[float], two: list[float]) -> float:
    width = min(one[2], two[2]) - max(one[0], two[0])
    height = min(one[3], two[3]) - max(one[1], two[1])
    common = max(width, 0) * max(height, 0)
    both = (one[2] - one[0]) * (one[3] - one[1]) + (two[2] - two[0]) * (two[3] - two[1]) - common
    return common / both if both else 0


def plainly(rows: np.ndarray, confidence: float = 0.5, share: float = 0.5) -> list[tuple[int, float, list[float]]]:
    """Class, confidence and corners of what stays, one candidate after the other."""
    found = []
    for x, y, width, height, *scores in rows.astype(float).tolist():
        best = max(range(len(scores)), key=scores.__getitem__)
        if scores[best] > confidence:
            found.append((best, scores[best], [x - width / 2, y - height / 2, x + width / 2, y + height / 2]))
    kept: list[tuple[int, float, list[float]]] = []
    for one in sorted(found, key=lambda row: -row[1]):
        if all(one[0] != other[0] or iou(one[2], other[2]) <= share for other in kept):
            kept.append(one)
    return kept


def agree(found, expected) -> None:
    assert found.class_ids.tolist() == [row[0] for row in expected]
    assert_allclose(found.confidences, [row[1] for row in expected], rtol=1e-6)
    assert_allclose(found.xyxy, np.array([row[2] for row in expected]).reshape(-1, 4), atol=1e-4)


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.floats(0.1, 0.9), st.floats(0.1, 0.9))
def test_yolo_v8_finds_what_the_plain_decoding_finds(seed, batch, confidence, share):
    rows = scene(seed, batch)
    settings = HeadSettings((64, 64), Selector(confidence=confidence, iou=share))
    found = YoloV8().decode({"output0": rows.transpose(0, 2, 1)}, settings)
    assert len(found) == batch
    for objects, candidates in zip(found, rows, strict=True):
        agree(objects, plainly(candidates, confidence, share))


def test_a_head_is_one():
    assert isinstance(YoloV8(), ObjectHead)


def test_an_output_of_another_shape_is_refused():
    with pytest.raises(ModelError, match=r"yolov8: expected one output of 3 axes, got scores \(1, 84\)"):
        YoloV8().decode({"scores": np.zeros((1, 84), np.float32)}, HeadSettings((64, 64)))
