"""The guard: what a frame's steps cost, as multiples of calibration loops, against a baseline in the repository.

python bench/guard.py             measure; fails if a step has become more than 15 % dearer
python bench/guard.py --update    write bench/baseline.json

CPU time of one thread, best of interleaved rounds. Each step is compared with the loop that feels the machine as it
does: ``python`` for bookkeeping, ``memory`` for pixels. A step that looks too dear is measured again before it fails.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from picasso.draw import BoundingBoxDraw, ColorDraw, LabelDraw, ObjectDraw, ObjectDrawSpec, Painter, Scene
from picasso.primitives import RBBox, VideoFrame
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Placement
from picasso.transform.cpu import transform

BASELINE = Path(__file__).with_name("baseline.json")
TOLERANCE = 0.15
ROUNDS = 12
ROUND_S = 0.02
"""How long one step is repeated in one round."""
ATTEMPTS = 3
HD, FULL_HD, SQUARE, UHD = (1280, 720), (1920, 1080), (640, 640), (3840, 2160)
Call = Callable[[], object]


class Step(NamedTuple):
    """What is measured, and beside which loop."""

    run: Call
    beside: str


def python_loop() -> int:
    """Do what bookkeeping does: look up, compare, add."""
    table, total = {number: number for number in range(64)}, 0
    for number in range(2_000):
        total += table[number & 63]
    return total


def memory_loop() -> Call:
    """Read a picture of 8 MiB, widen it and write half of it, as the pixel kernels do."""
    source, target = np.ones(8 << 20, np.uint8), np.empty(4 << 20, np.uint16)
    return lambda: np.add(source[::2], source[1::2], out=target, dtype=np.uint16)


def frame_of(count: int, size_wh: tuple[int, int] = HD) -> VideoFrame:
    corners = np.random.default_rng(0).uniform((20, 40), (1100, 600), (count, 2)).astype(np.float32)
    frame = VideoFrame("guard", "30/1", *size_wh)
    frame.add_detections("guard", np.hstack([corners, corners + 80]), "car", confidences=np.full(count, 0.5))
    return frame


def build() -> VideoFrame:
    frame = VideoFrame("guard", "30/1", *HD)
    for number in range(20):
        frame.create_object("guard", "car", detection_box=RBBox(100 + number, 100, 60, 40), confidence=0.5)
    return frame


def transforming(source_wh: tuple[int, int], target_wh: tuple[int, int], form: VideoFormat = VideoFormat.RGBA) -> Call:
    turn = itertools.cycle([SurfaceView.allocate(form, source_wh) for _ in range(3)])
    target, placement = SurfaceView.allocate(VideoFormat.I420, target_wh), Placement.compute(source_wh, target_wh)
    return lambda: transform(next(turn), placement, target)


def painting(count: int) -> tuple[Call, Call]:
    """Return the making of a display list, and the same with its painting on I420."""
    color, table = ColorDraw(255, 60, 60), ObjectDrawSpec()
    label = LabelDraw(ColorDraw(0, 0, 0), color, format=["{label} {confidence}"])
    table.insert("guard", "car", ObjectDraw(BoundingBoxDraw(color), label=label))
    frame, surface, scene, painter = frame_of(count), SurfaceView.allocate(VideoFormat.I420, HD), Scene(), Painter()
    scene.set_specs(table)
    painter.set_specs(table)
    return lambda: scene.build(frame, {}, HD), lambda: painter.paint(surface, frame, {})


def steps() -> dict[str, Step]:
    scene, paint = painting(20)
    hundred, thousand = frame_of(100), frame_of(1000)
    return {
        "python": Step(python_loop, "python"),
        "memory": Step(memory_loop(), "memory"),
        "1080p to 720p": Step(transforming(FULL_HD, HD), "memory"),
        "4K to 640x640": Step(transforming(UHD, SQUARE), "memory"),
        "720p to 720p": Step(transforming(HD, HD), "memory"),
        "720p I420 to 360p": Step(transforming(HD, (640, 360), VideoFormat.I420), "memory"),
        "paint 20 labelled boxes": Step(paint, "memory"),
        "list 20 labelled boxes": Step(scene, "python"),
        "move 100 boxes": Step(lambda: hundred.move_boxes((0.999, 1.001), (0.1, -0.1)), "python"),
        "move 1000 boxes": Step(lambda: thousand.move_boxes((0.999, 1.001), (0.1, -0.1)), "python"),
        "add 1000 detections": Step(lambda: frame_of(1000), "python"),
        "build 20 objects": Step(build, "python"),
        "frame of 20 as JSON": Step(lambda: frame_of(20).json, "python"),
    }


def measure(table: dict[str, Step]) -> dict[str, float]:
    """Return the cost of each step as a multiple of its loop."""
    turns = {name: _turns(step.run) for name, step in table.items()}
    best = dict.fromkeys(table, float("inf"))
    for _ in range(ROUNDS):
        for name, step in table.items():
            best[name] = min(best[name], _seconds(step.run, turns[name]))
    return {name: best[name] / best[step.beside] for name, step in table.items() if name != step.beside}


def _turns(run: Call) -> int:
    run()  # compiles, fills caches
    return max(1, int(ROUND_S / max(_seconds(run, 3), 1e-7)))


def _seconds(run: Call, turns: int) -> float:
    started = time.thread_time()
    for _ in range(turns):
        run()
    return (time.thread_time() - started) / turns


def dearer(costs: dict[str, float], baseline: dict[str, float]) -> list[str]:
    """Name the steps that cost more than the baseline allows; a step without a baseline is one of them."""
    return [name for name, cost in costs.items() if cost > baseline.get(name, 0) * (1 + TOLERANCE)]


def main() -> int:
    """Measure and compare; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true")
    update = parser.parse_args().update
    table = steps()
    costs = measure(table)
    if update:
        BASELINE.write_text(json.dumps({name: round(cost, 4) for name, cost in costs.items()}, indent=2) + "\n")
        return 0
    baseline = json.loads(BASELINE.read_text())
    for _ in range(ATTEMPTS - 1):
        if not dearer(costs, baseline):
            break
        again = measure(table)
        costs = {name: min(cost, again[name]) for name, cost in costs.items()}
    slow = dearer(costs, baseline)
    for name, cost in costs.items():
        base = baseline.get(name)
        change = f"{100 * (cost / base - 1):+6.1f} %" if base else "   new"
        print(f"{name:26} {cost:9.4f} x {table[name].beside:7} {change}{'   TOO DEAR' if name in slow else ''}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
