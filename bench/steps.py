"""The steps of a frame beside OpenCV doing the same, in pairs; and metadata beside a loop of plain Python.

python bench/steps.py --out out/steps.json

CPU time of one thread. The two of a pair take turns, so that what disturbs the machine disturbs both: the ratio is the
median of the ratios of neighbours in time.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import test_draw
import test_transform

from picasso.primitives import RBBox, VideoFrame
from picasso.surface import VideoFormat

Call = Callable[[], object]

PAIRS = 150
FIRST_PAIRS = 10
"""Compile and fill caches; not counted."""
REPEATS, IN_A_ROW = 60, 50
COUNTS = (20, 200)


def in_pairs(theirs: Call, ours: Call, pairs: int = PAIRS) -> dict[str, float]:
    """Return the best times in ms and the ratio of ours to theirs."""
    times_s = np.array([(_seconds(theirs), _seconds(ours)) for _ in range(FIRST_PAIRS + pairs)])[FIRST_PAIRS:]
    theirs_ms, ours_ms = (times_s.min(axis=0) * 1e3).tolist()
    return {"theirs_ms": theirs_ms, "ours_ms": ours_ms, "ratio": float(np.median(times_s[:, 1] / times_s[:, 0]))}


def _seconds(call: Call, times: int = 1) -> float:
    started = time.thread_time()
    for _ in range(times):
        call()
    return time.thread_time() - started


def transforms() -> dict[str, Any]:
    """Crop, scale, letterbox and colour."""
    return {
        name: in_pairs(test_transform.opencv(work), test_transform.ours(work))
        for name, work in test_transform.WORK.items()
    }


def drawings() -> dict[str, Any]:
    """Labelled boxes on 720p, the display list included, beside OpenCV's, antialiased as ours are."""
    cv2.setNumThreads(1)
    table = {}
    for count, form in itertools.product(COUNTS, (VideoFormat.RGBA, VideoFormat.I420)):
        picture, frame = test_draw.rgba(), test_draw.frame_of(count)

        def theirs(picture: Any = picture, frame: VideoFrame = frame) -> None:
            test_draw.opencv(picture, frame, cv2.LINE_AA)

        table[f"{count} boxes on {form.name()}"] = in_pairs(theirs, test_draw.painting(form, frame))
    return table


def metadata() -> dict[str, float]:
    """Return the best times in µs; a plain loop over lists moves the same boxes for comparison."""
    corners = np.random.default_rng(0).uniform((0, 0), (1800, 1000), (1000, 2)).astype(np.float32)
    corners, labels, shares = np.hstack([corners, corners + 60]), ["car"] * 1000, np.full(1000, 0.5)

    def add(count: int) -> VideoFrame:
        frame = VideoFrame("bench", "30/1", 1920, 1080)
        frame.add_detections("bench", corners[:count], labels[:count], confidences=shares[:count])
        return frame

    def moving(count: int) -> Call:
        frame, turn = add(count), itertools.cycle([((0.5, 0.5), (16.0, 8.0)), ((2.0, 2.0), (-32.0, -16.0))])
        return lambda: frame.move_boxes(*next(turn))

    def plain(count: int) -> Call:
        boxes = [[100.0, 100.0, 60.0, 40.0] for _ in range(count)]

        def move() -> None:
            for box in boxes:
                box[0] = box[0] * 0.5 + 50
                box[1] = box[1] * 0.5 + 50
                box[2] = box[2] * 0.5 + 30
                box[3] = box[3] * 0.5 + 20

        return move

    def build() -> None:
        frame = VideoFrame("bench", "30/1", 1920, 1080)
        for number in range(20):
            box = RBBox(100 + number, 100, 60, 40)
            frame.create_object("bench", "car", detection_box=box, confidence=0.5)

    twenty = add(20)
    calls: dict[str, Call] = {
        "100 boxes moved": moving(100),
        "100 boxes moved by a loop over lists": plain(100),
        "1,000 boxes moved": moving(1000),
        "1,000 boxes moved by a loop over lists": plain(1000),
        "1,000 detections added from arrays": lambda: add(1000),
        "a frame with 20 objects built one by one": build,
        "a frame of 20 objects as JSON": lambda: twenty.json,
    }
    best_s = dict.fromkeys(calls, float("inf"))
    for _ in range(REPEATS):
        for name, call in calls.items():
            best_s[name] = min(best_s[name], _seconds(call, IN_A_ROW) / IN_A_ROW)
    return {name: seconds * 1e6 for name, seconds in best_s.items()}


def main() -> None:
    """Measure, write, and print a line a step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out/steps.json"))
    out: Path = parser.parse_args().out
    found = {"transform": transforms(), "draw": drawings(), "metadata_us": metadata()}
    out.write_text(json.dumps(found, indent=1))
    for name, pair in (found["transform"] | found["draw"]).items():
        print(f"{name:26} OpenCV {pair['theirs_ms']:6.2f} ms, picasso {pair['ours_ms']:6.2f} ms, {pair['ratio']:.2f}")
    for name, us in found["metadata_us"].items():
        print(f"{name:44} {us:8.1f} µs")


if __name__ == "__main__":
    main()
