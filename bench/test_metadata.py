"""What metadata costs: boxes moved, added and built one by one, and written as a line of JSON.

python -m pytest bench/test_metadata.py --benchmark-only -o addopts=
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from picasso.primitives import RBBox, VideoFrame

SIZE_WH = (1920, 1080)


def frame_of(count: int) -> VideoFrame:
    frame = VideoFrame("bench", "30/1", *SIZE_WH)
    corners = np.random.default_rng(0).uniform((0, 0), (1800, 1000), (count, 2)).astype(np.float32)
    frame.add_detections("bench", np.hstack([corners, corners + 60]), "car", confidences=np.full(count, 0.5))
    return frame


@pytest.mark.benchmark(group="move the boxes of a frame")
@pytest.mark.parametrize("count", [20, 100, 1000])
def test_forward(benchmark: BenchmarkFixture, count: int) -> None:
    """To the target and back, in turns: the boxes stay where floats are ordinary numbers."""
    frame, turn = frame_of(count), itertools.cycle([((0.5, 0.5), (16.0, 8.0)), ((2.0, 2.0), (-32.0, -16.0))])
    benchmark(lambda: frame.move_boxes(*next(turn)))


@pytest.mark.benchmark(group="add detections from arrays")
@pytest.mark.parametrize("count", [20, 1000])
def test_add(benchmark: BenchmarkFixture, count: int) -> None:
    corners = np.random.default_rng(0).uniform((0, 0), (1800, 1000), (count, 2)).astype(np.float32)
    corners, labels, shares = np.hstack([corners, corners + 60]), ["car"] * count, np.full(count, 0.5)

    def add() -> None:
        VideoFrame("bench", "30/1", *SIZE_WH).add_detections("bench", corners, labels, confidences=shares)

    benchmark(add)


@pytest.mark.benchmark(group="build frames")
def test_twenty_objects_one_by_one(benchmark: BenchmarkFixture) -> None:
    def build() -> None:
        frame = VideoFrame("bench", "30/1", *SIZE_WH)
        for number in range(20):
            box = RBBox(100 + number, 100, 60, 40)
            frame.create_object("bench", "car", detection_box=box, confidence=0.5)

    benchmark(build)


@pytest.mark.benchmark(group="build frames")
def test_a_bare_frame(benchmark: BenchmarkFixture) -> None:
    benchmark(lambda: VideoFrame("bench", "30/1", *SIZE_WH))


@pytest.mark.benchmark(group="write a frame as JSON")
@pytest.mark.parametrize("count", [20, 1000])
def test_json(benchmark: BenchmarkFixture, count: int) -> None:
    frame = frame_of(count)
    benchmark(lambda: frame.json)
