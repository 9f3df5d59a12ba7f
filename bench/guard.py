"""The guard: what a frame's steps cost, as multiples of calibration loops, against a baseline in the repository.

python bench/guard.py             measure; fails if a step has become more than 15 % slower
python bench/guard.py --update    write this processor's part of bench/baseline.json

CPU time of one thread, best of many short turns in which steps and loops alternate. Each step is compared with the
loop that feels the machine as it does: ``python`` for bookkeeping, ``pixels`` for kernels. Pictures are small enough to
stay in a cache: what neighbours do to the memory is not what is guarded. A step that looks too dear is measured again,
with its loop and on other memory, before it fails.

How many vector lanes a processor has moves kernels and loops apart, so every kind of processor has a baseline of its
own. On a kind without one the guard says so and passes.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import llvmlite.binding
import numba
import numpy as np

from picasso.draw import BoundingBoxDraw, ColorDraw, LabelDraw, ObjectDraw, ObjectDrawSpec, Painter, Scene
from picasso.primitives import RBBox, VideoFrame
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Placement
from picasso.transform.cpu import transform

BASELINE = Path(__file__).with_name("baseline.json")
TOLERANCE = 0.15
TURN_S = 0.004
"""How long a step is repeated in one turn: short, so that some turns fall into quiet moments."""
TURNS = 60
ATTEMPTS = 6
HD, QUARTER_HD, FULL_HD = (1280, 720), (960, 540), (1920, 1080)
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


@numba.njit(nogil=True)  # type: ignore[untyped-decorator]
def blend(source: Any, target: Any, weight: int) -> None:
    """Blend neighbours by weights of 11 bits: what the kernels do, in its plainest form."""
    for index in range(target.size):
        first, second = np.int32(source[2 * index]), np.int32(source[2 * index + 1])
        target[index] = (first * (2048 - weight) + second * weight + 1024) >> 11


def pixel_loop() -> Call:
    source, target = np.ones(2 << 20, np.uint8), np.empty(1 << 20, np.uint8)
    return lambda: blend(source, target, 700)


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


def moving(count: int) -> Call:
    """Return the move of boxes, alternately to the target and back: they stay where floats are ordinary numbers."""
    frame, turn = frame_of(count), itertools.cycle([((0.5, 0.5), (16.0, 8.0)), ((2.0, 2.0), (-32.0, -16.0))])
    return lambda: frame.move_boxes(*next(turn))


def transforming(source_wh: tuple[int, int], target_wh: tuple[int, int], form: VideoFormat = VideoFormat.RGBA) -> Call:
    source, target = SurfaceView.allocate(form, source_wh), SurfaceView.allocate(VideoFormat.I420, target_wh)
    placement = Placement.compute(source_wh, target_wh)
    return lambda: transform(source, placement, target)


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
    return {
        "python": Step(python_loop, "python"),
        "pixels": Step(pixel_loop(), "pixels"),
        "scale by 2/3, RGBA to I420": Step(transforming(QUARTER_HD, (640, 360)), "pixels"),
        "scale by 1/6, RGBA to I420": Step(transforming(FULL_HD, (320, 320)), "pixels"),
        "colour, RGBA to I420": Step(transforming(QUARTER_HD, QUARTER_HD), "pixels"),
        "scale by 2/3, I420": Step(transforming(QUARTER_HD, (640, 360), VideoFormat.I420), "pixels"),
        "paint 20 labelled boxes": Step(paint, "pixels"),
        "list 20 labelled boxes": Step(scene, "python"),
        "move 100 boxes": Step(moving(100), "python"),
        "move 1000 boxes": Step(moving(1000), "python"),
        "add 1000 detections": Step(lambda: frame_of(1000), "python"),
        "build 20 objects": Step(build, "python"),
        "frame of 20 as JSON": Step(lambda: frame_of(20).json, "python"),
    }


class Measurement:
    """Best times so far; every further look can only lower them."""

    def __init__(self) -> None:
        self._tables: list[dict[str, Step]] = []
        self.beside = {name: step.beside for name, step in steps().items()}
        """The loop that each step is compared with."""
        self._best_s = dict.fromkeys(self.beside, float("inf"))

    def look(self, names: Iterable[str]) -> None:
        """Measure steps and their loops, turn by turn.

        Every look has pictures of its own, elsewhere in memory: where source and target lie in relation to each other
        decides a third of what some kernels cost.
        """
        table = steps()
        self._tables.append(table)  # its memory is not given to the next
        wanted = {name: table[name] for name in table if name in names or name in {self.beside[each] for each in names}}
        repeats = {name: _repeats(step.run) for name, step in wanted.items()}
        for _ in range(TURNS):
            for name, step in wanted.items():
                self._best_s[name] = min(self._best_s[name], _seconds(step.run, repeats[name]))

    @property
    def costs(self) -> dict[str, float]:
        """What each step costs, as a multiple of its loop."""
        best_s = self._best_s
        return {name: best_s[name] / best_s[loop] for name, loop in self.beside.items() if name != loop}


def _repeats(run: Call) -> int:
    run()  # compiles, fills caches
    return max(1, int(TURN_S / max(_seconds(run, 3), 1e-7)))


def _seconds(run: Call, repeats: int) -> float:
    started = time.thread_time()
    for _ in range(repeats):
        run()
    return (time.thread_time() - started) / repeats


def dearer(costs: dict[str, float], baseline: dict[str, float]) -> list[str]:
    """Name the steps that cost more than the baseline allows; a step without a baseline is one of them."""
    return [name for name, cost in costs.items() if cost > baseline.get(name, 0) * (1 + TOLERANCE)]


def update(processor: str) -> None:
    """Measure for long, and write the part of ``processor`` again."""
    measurement = Measurement()
    for _ in range(ATTEMPTS):
        measurement.look(measurement.beside)
    baselines = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    baselines[processor] = {name: round(cost, 4) for name, cost in measurement.costs.items()}
    BASELINE.write_text(json.dumps(baselines, indent=2, sort_keys=True) + "\n")


def check(baseline: dict[str, float]) -> list[str]:
    """Measure, print a line a step, and return the steps that are too dear."""
    measurement = Measurement()
    slow = list(measurement.beside)
    for _ in range(ATTEMPTS):
        measurement.look(slow)
        if not (slow := dearer(measurement.costs, baseline)):
            break
    for name, cost in measurement.costs.items():
        base = baseline.get(name)
        change = f"{100 * (cost / base - 1):+6.1f} %" if base else "   new"
        print(f"{name:28} {cost:9.4f} x {measurement.beside[name]:7} {change}{'   TOO DEAR' if name in slow else ''}")
    return slow


def main() -> int:
    """Measure and compare; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true")
    processor: str = llvmlite.binding.get_host_cpu_name()
    if parser.parse_args().update:
        update(processor)
        return 0
    baseline = json.loads(BASELINE.read_text()).get(processor)
    if baseline is None:
        print(f"no baseline for {processor}: `just guard --update` writes one")
        return 0
    return 1 if check(baseline) else 0


if __name__ == "__main__":
    sys.exit(main())
