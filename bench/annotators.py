"""Compare annotators with supervision's: the same look on 720p RGB, by turns, in one process.

Run ``python bench/annotators.py [--counts 20 200] [--rounds 30] [--quantile 0.5] [names …]``; it prints a table, with
the ratio of the medians, and ends with 1 where one is above its target. On a machine that others use, a low quantile
says more: the times of the rounds without a disturbance. Needs ``pip install supervision``.

Both sides have their defaults, which are nearly the same: lines of 2 pixels, dots of radius 4, triangles of 10, fills
and masks of opacity 0.5, squares of 20, crops twice as large, traces of 30 positions, heat of radius 40. They differ in
this: supervision's rings and polygons are not antialiased, ours are; its blur is one mean over 15 pixels, ours three in
a row, near a Gaussian of the same spread (sigma 4.5); its squares show 4 pixels of each, ours the mean of all; its halo
is a mean over 40 pixels, ours a Gaussian of sigma 10; its letters are strokes of OpenCV, ours glyphs of a font.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from picasso import annotators as an
from picasso.primitives import Detections

WIDTH, HEIGHT = 1280, 720
TARGET = 0.5
CORNERS = [[0, 1], [2, 1], [2, 3], [0, 3]]
LABELS = ("person", "car", "dog", "truck", "cat", "bus", "bike", "boat")
TARGETS = {("MaskAnnotator", 20): 0.35}


def scene(count: int) -> dict[str, Any]:
    """Return the columns of ``count`` objects."""
    random = np.random.default_rng(count)
    size = random.uniform(0.5, 1.5, (count, 2)) * (140 if count <= 20 else 60)
    corner = random.uniform(0, 1, (count, 2)) * (np.array((WIDTH, HEIGHT)) - size - 20) + 10
    xyxy = np.concatenate([corner, corner + size], axis=1).round()
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    masks = np.zeros((count, HEIGHT, WIDTH), bool)
    for mask, (left, top, right, bottom) in zip(masks, xyxy.tolist(), strict=True):
        mask[:] = ((2 * x - left - right) / (right - left)) ** 2 + ((2 * y - top - bottom) / (bottom - top)) ** 2 < 1
    keypoints = xyxy[:, None, :2] + random.uniform(0, 1, (count, 17, 2)) * size[:, None]
    return {
        "xyxy": xyxy,
        "masks": masks,
        "class_ids": np.arange(count) % 8,
        "labels": [
            ("person", "car", "dog", "truck", "cat", "bus", "bike", "boat")[number % 8] for number in range(count)
        ],
        "confidences": random.uniform(0.3, 1, count),
        "track_ids": np.arange(count),
        "keypoints": keypoints,
    }


def pairs(columns: dict[str, Any]) -> dict[str, tuple[Callable[..., Any], Callable[..., Any]]]:
    """Return for each annotator what draws by us, and what by supervision."""
    import supervision as sv

    ours = Detections.of(**columns)
    theirs = sv.Detections(
        xyxy=columns["xyxy"].astype(np.float32),
        mask=columns["masks"],
        confidence=columns["confidences"],
        class_id=columns["class_ids"],
        tracker_id=columns["track_ids"],
        data={"class_name": np.array(columns["labels"]), "xyxyxyxy": columns["xyxy"][:, CORNERS].astype(np.float32)},
    )
    points = sv.KeyPoints(xy=columns["keypoints"].astype(np.float32), class_id=columns["class_ids"])
    texts = [f"{label} {sure:.2f}" for label, sure in zip(columns["labels"], columns["confidences"], strict=True)]
    polygon = np.array([(100, 100), (900, 150), (800, 600), (200, 650)])
    their_zone, our_zone = sv.PolygonZone(polygon), an.PolygonZone(polygon)
    their_line, our_line = sv.LineZone(sv.Point(50, 400), sv.Point(1200, 300)), an.LineZone((50, 400), (1200, 300))
    edges = [(first + 1, second + 1) for first, second in an.COCO_SKELETON]

    def by(annotator: Any, *extra: Any, given: Any = None) -> Callable[[Any], Any]:
        return lambda picture: annotator.annotate(picture, given, *extra)

    def both(mine: Any, other: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
        return by(mine, given=ours), by(other, given=theirs)

    return {
        "BoxAnnotator": both(an.BoxAnnotator(), sv.BoxAnnotator()),
        "OrientedBoxAnnotator": both(an.OrientedBoxAnnotator(), sv.OrientedBoxAnnotator()),
        "RoundBoxAnnotator": both(an.RoundBoxAnnotator(), sv.RoundBoxAnnotator()),
        "BoxCornerAnnotator": both(an.BoxCornerAnnotator(), sv.BoxCornerAnnotator()),
        "EllipseAnnotator": both(an.EllipseAnnotator(), sv.EllipseAnnotator()),
        "CircleAnnotator": both(an.CircleAnnotator(), sv.CircleAnnotator()),
        "DotAnnotator": both(an.DotAnnotator(), sv.DotAnnotator()),
        "TriangleAnnotator": both(an.TriangleAnnotator(), sv.TriangleAnnotator()),
        "ColorAnnotator": both(an.ColorAnnotator(), sv.ColorAnnotator()),
        "BlurAnnotator": both(an.BlurAnnotator(4.5), sv.BlurAnnotator()),
        "PixelateAnnotator": both(an.PixelateAnnotator(), sv.PixelateAnnotator()),
        "PercentageBarAnnotator": both(an.PercentageBarAnnotator(), sv.PercentageBarAnnotator()),
        "MaskAnnotator": both(an.MaskAnnotator(), sv.MaskAnnotator()),
        "PolygonAnnotator": both(an.PolygonAnnotator(), sv.PolygonAnnotator()),
        "HaloAnnotator": both(an.HaloAnnotator(), sv.HaloAnnotator()),
        "BackgroundOverlayAnnotator": both(an.BackgroundOverlayAnnotator(), sv.BackgroundOverlayAnnotator()),
        "LabelAnnotator": (by(an.LabelAnnotator(), texts, given=ours), by(sv.LabelAnnotator(), texts, given=theirs)),
        "LabelAnnotator smart": (
            by(an.LabelAnnotator(smart_position=True), texts, given=ours),
            by(sv.LabelAnnotator(smart_position=True), texts, given=theirs),
        ),
        "RichLabelAnnotator": (
            by(an.LabelAnnotator(), texts, given=ours),
            by(sv.RichLabelAnnotator(), texts, given=theirs),
        ),
        "TraceAnnotator": both(an.TraceAnnotator(), sv.TraceAnnotator()),
        "HeatMapAnnotator": both(an.HeatMapAnnotator(), sv.HeatMapAnnotator()),
        "CropAnnotator": both(an.CropAnnotator(), sv.CropAnnotator()),
        "VertexAnnotator": (by(an.VertexAnnotator(), given=ours), by(sv.VertexAnnotator(), given=points)),
        "EdgeAnnotator": (by(an.EdgeAnnotator(), given=ours), by(sv.EdgeAnnotator(edges=edges), given=points)),
        "PolygonZoneAnnotator": (
            an.PolygonZoneAnnotator(our_zone).annotate,
            sv.PolygonZoneAnnotator(their_zone).annotate,
        ),
        "LineZoneAnnotator": (
            an.LineZoneAnnotator(our_line).annotate,
            lambda picture: sv.LineZoneAnnotator().annotate(picture, line_counter=their_line),
        ),
    }


def measured(
    pair: tuple[Callable[..., Any], Callable[..., Any]], rounds: int, quantile: float = 0.5
) -> tuple[float, float]:
    """Return the medians in ms of both, or another quantile; they take turns."""
    picture = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 2):
        for draw, kept in zip(pair, times, strict=True):
            canvas = picture.copy()
            start = time.perf_counter()
            draw(canvas)
            if number > 1:
                kept.append((time.perf_counter() - start) * 1e3)
    return float(np.quantile(times[0], quantile)), float(np.quantile(times[1], quantile))


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="of annotators, by default all")
    parser.add_argument("--counts", type=int, nargs="+", default=[20, 200], help="objects")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--quantile", type=float, default=0.5, help="of the times of all rounds, 0..1")
    chosen = parser.parse_args()
    print(f"{'annotator':28}{'objects':>8}{'ours ms':>10}{'theirs ms':>11}{'ratio':>8}{'target':>8}")
    missed = 0
    for count in chosen.counts:
        for name, pair in pairs(scene(count)).items():
            if chosen.names and not any(part in name for part in chosen.names):
                continue
            ours, theirs = measured(pair, chosen.rounds, chosen.quantile)
            target = TARGETS.get((name, count), TARGET)
            missed += ours > target * theirs
            print(f"{name:28}{count:8}{ours:10.2f}{theirs:11.2f}{ours / theirs:8.2f}{target:8.2f}", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
