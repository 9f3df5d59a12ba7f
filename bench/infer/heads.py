"""Rows of a YOLO model to boxes: picasso's head against NumPy and supervision, in pairs of one run.

``python bench/infer/heads.py`` prints the median time of each and their ratio. Rows are those of a picture of
640 x 640: 8,400 candidates of 80 classes, of which some dozens stand for each object.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import supervision as sv

from picasso.infer import HeadSettings, Selector, find_head

SIZE = 640
CANDIDATES, CLASSES = 8400, 80


def rows(objects: int, each: int, seed: int = 0) -> np.ndarray:
    """An output ``(1, 84, 8400)`` as YOLO v8 writes it: ``each`` candidates around each object, the rest unlikely."""
    random = np.random.default_rng(seed)
    output = np.zeros((1, 4 + CLASSES, CANDIDATES), np.float32)
    output[0, :2] = random.uniform(0, SIZE, (2, CANDIDATES))
    output[0, 2:4] = random.uniform(10, 60, (2, CANDIDATES))
    output[0, 4:] = random.uniform(0, 0.05, (CLASSES, CANDIDATES))
    places = random.choice(CANDIDATES, objects * each, replace=False).reshape(objects, each)
    for place in places:
        box = [*random.uniform(60, SIZE - 60, 2), *random.uniform(20, 120, 2)]
        output[0, :4, place] = random.normal(box, 3, (each, 4))
        output[0, 4 + random.integers(CLASSES), place] = random.uniform(0.5, 0.95, each)
    return output


def by_supervision(output: np.ndarray) -> sv.Detections:
    """As its users write it."""
    candidates = output[0].T
    scores = candidates[:, 4:].max(axis=1)
    kept = scores > 0.5
    candidates = candidates[kept]
    found = sv.Detections(
        xyxy=sv.xcycwh_to_xyxy(candidates[:, :4]),
        confidence=scores[kept],
        class_id=candidates[:, 4:].argmax(axis=1),
    )
    return found.with_nms(0.5)


def by_columns(output: np.ndarray) -> sv.Detections:
    """As someone writes it who has measured: scores are reduced as they lie, classes looked up for what is kept."""
    scores = output[0, 4:].max(axis=0)
    kept = np.flatnonzero(scores > 0.5)
    boxes = output[0, :4, kept]
    found = sv.Detections(
        xyxy=sv.xcycwh_to_xyxy(boxes), confidence=scores[kept], class_id=output[0, 4:, kept].argmax(axis=1)
    )
    return found.with_nms(0.5)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    head = find_head([], name="yolov8", classes=CLASSES)
    settings = HeadSettings((SIZE, SIZE), Selector())
    for objects, each in ((0, 1), (5, 20), (20, 30), (100, 30)):
        output = rows(objects, each)
        ways: dict[str, Callable[[], object]] = {
            "picasso": lambda output=output: head.decode({"output0": output}, settings)[0],
            "supervision": lambda output=output: by_supervision(output),
            "supervision, tuned": lambda output=output: by_columns(output),
        }
        counts = {name: len(way()) for name, way in ways.items()}  # type: ignore[arg-type]
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                started = time.perf_counter()
                way()
                taken[name].append(time.perf_counter() - started)
        medians = {name: statistics.median(times) for name, times in taken.items()}
        shown = ", ".join(
            f"{name} {median * 1e3:.2f} ms ({counts[name]} boxes, ratio {medians['picasso'] / median:.2f})"
            for name, median in medians.items()
        )
        print(f"{objects * each} candidates of {objects} objects: {shown}")


if __name__ == "__main__":
    main()
