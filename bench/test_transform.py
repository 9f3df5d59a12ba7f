"""What crop, scale, letterbox and colour cost on the CPU, beside OpenCV doing the same in two calls.

python -m pytest bench/test_transform.py --benchmark-only -o addopts=     each alone
python bench/test_transform.py                                            ratios, measured side by side
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from picasso.surface import SurfaceView, VideoFormat
from picasso.transform.config import Interpolation
from picasso.transform.cpu import transform
from picasso.transform.placement import Placement

Call = Callable[[], object]
Bytes = npt.NDArray[np.uint8]

INPUTS = 6
"""Pictures that take turns, so that none is still in a cache of its core."""


class Work(NamedTuple):
    """One kind of frame and what is done with it."""

    source_wh: tuple[int, int]
    target_wh: tuple[int, int]
    read: VideoFormat = VideoFormat.RGBA
    write: VideoFormat = VideoFormat.I420
    filter: Interpolation = Interpolation.BILINEAR


WORK = {
    "W1 1080p to 720p": Work((1920, 1080), (1280, 720)),
    "W1b 1440x1080 in 720p": Work((1440, 1080), (1280, 720)),
    "W2 4K in 640x640": Work((3840, 2160), (640, 640)),
    "W3 720p, colour only": Work((1280, 720), (1280, 720)),
    "W1 to RGBA": Work((1920, 1080), (1280, 720), write=VideoFormat.RGBA),
    "W2 to RGBA": Work((3840, 2160), (640, 640), write=VideoFormat.RGBA),
    "W1 from RGB": Work((1920, 1080), (1280, 720), VideoFormat.RGB),
    "W1 I420 to I420": Work((1920, 1080), (1280, 720), VideoFormat.I420),
    "W1 I420 to RGBA": Work((1920, 1080), (1280, 720), VideoFormat.I420, VideoFormat.RGBA),
    "W1 to RGBA, area": Work((1920, 1080), (1280, 720), write=VideoFormat.RGBA, filter=Interpolation.AREA),
    "W2 to RGBA, area": Work((3840, 2160), (640, 640), write=VideoFormat.RGBA, filter=Interpolation.AREA),
}


def pictures(work: Work) -> list[SurfaceView]:
    """Make random pictures of a kind."""
    random = np.random.default_rng(0)
    views = [SurfaceView.allocate(work.read, work.source_wh) for _ in range(INPUTS)]
    for view in views:
        for plane in view.planes:
            plane[...] = random.integers(0, 256, plane.shape, np.uint8)
    return views


def ours(work: Work) -> Call:
    """Return the transform of the next picture."""
    turn = itertools.cycle(pictures(work))
    placement = Placement.compute(work.source_wh, work.target_wh)
    target = SurfaceView.allocate(work.write, work.target_wh)
    return lambda: transform(next(turn), placement, target, work.filter)


def opencv(work: Work) -> Call:
    """Return the same by OpenCV, into memory that is there already."""
    cv2.setNumThreads(1)
    turn = itertools.cycle(pictures(work))
    left, top, width, height = Placement.compute(work.source_wh, work.target_wh).inner_ltwh
    how = cv2.INTER_AREA if work.filter is Interpolation.AREA else cv2.INTER_LINEAR
    columns, rows = work.target_wh
    channels = {VideoFormat.RGB: 3}.get(work.read, 4)
    canvas = np.zeros((rows, columns, channels), np.uint8)
    planar = np.zeros((rows * 3 // 2, columns), np.uint8)
    wide = np.zeros((work.source_wh[1], work.source_wh[0], 4), np.uint8)

    def resize(picture: Bytes) -> Bytes:
        if (width, height) == work.source_wh:
            return picture
        cv2.resize(picture, (width, height), dst=canvas[top : top + height, left : left + width], interpolation=how)
        return canvas

    def run() -> None:
        source = next(turn)
        if work.read is work.write is VideoFormat.I420:
            for plane, target in zip(source.planes, (planar[:rows], *chroma_of(planar, rows)), strict=True):
                cv2.resize(plane, target.shape[::-1], dst=target, interpolation=how)
        elif work.read is VideoFormat.I420:
            luma = source.planes[0]
            block = np.lib.stride_tricks.as_strided(luma, (luma.shape[0] * 3 // 2, luma.shape[1]), luma.strides)
            resize(cv2.cvtColor(block, cv2.COLOR_YUV2RGBA_I420, dst=wide))
        else:
            picture = resize(source.planes[0])
            if work.write is VideoFormat.I420:
                code = cv2.COLOR_RGB2YUV_I420 if channels == 3 else cv2.COLOR_RGBA2YUV_I420
                cv2.cvtColor(picture, code, dst=planar)

    return run


def chroma_of(planar: Bytes, rows: int) -> tuple[Bytes, Bytes]:
    """Return the chroma planes of I420 in one block."""
    u, v = planar[rows:].reshape(2, rows // 2, -1)
    return u, v


@pytest.mark.parametrize("name", WORK)
def test_ours(benchmark: BenchmarkFixture, name: str) -> None:
    benchmark.group = name
    benchmark(ours(WORK[name]))


@pytest.mark.parametrize("name", WORK)
def test_opencv(benchmark: BenchmarkFixture, name: str) -> None:
    benchmark.group = name
    benchmark(opencv(WORK[name]))


@pytest.mark.parametrize("name", ["W1 1080p to 720p"])
def test_a_crop_that_moves(benchmark: BenchmarkFixture, name: str) -> None:
    """Every frame has another placement: the plan is made again."""
    work, lefts = WORK[name], itertools.cycle(range(0, 600, 2))
    source, target = pictures(work)[0], SurfaceView.allocate(work.write, work.target_wh)
    benchmark.group = name
    benchmark(lambda: transform(source, moved(work, next(lefts)), target))


def moved(work: Work, left: int) -> Placement:
    """Return a placement of all but 600 columns."""
    width, height = work.source_wh
    return Placement((width, height), (left, 0, width - 600, height), work.target_wh, (0, 0, *work.target_wh))


def paired(first: Call, second: Call, rounds: int) -> Iterator[tuple[float, float]]:
    """Time two calls in turns by the CPU time of this thread, so that what disturbs the machine disturbs neither."""
    for _ in range(rounds):
        times = []
        for call in (first, second):
            start = time.thread_time()
            call()
            times.append(time.thread_time() - start)
        yield times[0] * 1e3, times[1] * 1e3


def main(rounds: int = 120) -> None:
    """Print a table: best CPU times in ms, and the median of the ratios of neighbours in time."""
    print("| work | OpenCV ms | picasso ms | ratio |\n|---|---|---|---|")
    for name, work in WORK.items():
        times = np.array(list(paired(opencv(work), ours(work), rounds))[10:])
        best = times.min(axis=0)
        print(f"| {name} | {best[0]:.2f} | {best[1]:.2f} | {np.median(times[:, 1] / times[:, 0]):.2f} |")


if __name__ == "__main__":
    main()
