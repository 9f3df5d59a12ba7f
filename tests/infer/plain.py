"""What heads must find, decoded plainly: one candidate after the other, in Python's own numbers."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import settings

FEW = settings(max_examples=20)
"""Each example is a scene of many candidates."""
Found = list[tuple[int, float, list[float]]]
"""Class, confidence and corners; the most certain one first."""


def scene(seed: int, batch: int = 1, rows: int = 60, classes: int = 4, size: float = 64) -> np.ndarray:
    """Random candidates, ``(B, rows, 4 + classes)``, many of which overlap."""
    random = np.random.default_rng(seed)
    centers = random.uniform(0, size, (batch, rows, 2))
    sizes = random.uniform(size / 16, size / 2, (batch, rows, 2))
    scores = random.uniform(0, 1, (batch, rows, classes)) ** 3
    return np.concatenate([centers, sizes, scores], axis=2).astype(np.float32)


def iou(one: list[float], two: list[float]) -> float:
    width = min(one[2], two[2]) - max(one[0], two[0])
    height = min(one[3], two[3]) - max(one[1], two[1])
    common = max(width, 0) * max(height, 0)
    both = (one[2] - one[0]) * (one[3] - one[1]) + (two[2] - two[0]) * (two[3] - two[1]) - common
    return common / both if both else 0


def corners(x: float, y: float, width: float, height: float) -> list[float]:
    return [x - width / 2, y - height / 2, x + width / 2, y + height / 2]


def best(scores: list[float]) -> tuple[int, float]:
    number = max(range(len(scores)), key=scores.__getitem__)
    return number, scores[number]


def suppressed(found: Found, confidence: float = 0.5, share: float = 0.5) -> Found:
    """What stays of candidates."""
    kept: Found = []
    for one in sorted((row for row in found if row[1] > confidence), key=lambda row: -row[1]):
        if all(one[0] != other[0] or iou(one[2], other[2]) <= share for other in kept):
            kept.append(one)
    return kept


def candidates(rows: np.ndarray) -> Found:
    """Class, confidence and corners of rows ``(N, 4 + C)``."""
    return [(*best(scores), corners(*box)) for *box, scores in ((*r[:4], r[4:]) for r in rows.astype(float).tolist())]


def agree(found, expected: Found) -> None:
    """The objects are those, in that order."""
    assert found.class_ids.tolist() == [row[0] for row in expected]
    np.testing.assert_allclose(found.confidences, [row[1] for row in expected], rtol=1e-5)
    np.testing.assert_allclose(found.xyxy, np.array([row[2] for row in expected]).reshape(-1, 4), rtol=1e-5, atol=1e-3)


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def softmax(values: list[float]) -> list[float]:
    raised = [math.exp(value) for value in values]
    return [value / sum(raised) for value in raised]


def prototype_sum(coefficients: np.ndarray, prototypes: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """The sum of prototypes at each pixel of the input, read bilinearly at its centre, ``(H, W)``."""
    _, rows, columns = prototypes.shape
    total = np.zeros((rows, columns))
    for number, coefficient in enumerate(coefficients.astype(float)):
        total += coefficient * prototypes[number].astype(float)
    width, height = size_wh
    values = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            v = min(max((y + 0.5) * rows / height - 0.5, 0), rows - 1)
            u = min(max((x + 0.5) * columns / width - 0.5, 0), columns - 1)
            above, left = int(v), int(u)
            below, right = min(above + 1, rows - 1), min(left + 1, columns - 1)
            top = total[above, left] + (total[above, right] - total[above, left]) * (u - left)
            bottom = total[below, left] + (total[below, right] - total[below, left]) * (u - left)
            values[y, x] = top + (bottom - top) * (v - above)
    return values
