"""1080p to the input of a detector, 640² float32, bars of 114, in memory that is there: beside OpenCV on one thread."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np

from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Placement
from picasso.transform.tensor import new_tensor, to_tensor

SIZE_WH, SIDE, PAD, TARGET = (1920, 1080), 640, 114, 0.3
CONVERSIONS = {
    VideoFormat.I420: cv2.COLOR_YUV2RGB_I420,
    VideoFormat.NV12: cv2.COLOR_YUV2RGB_NV12,
    VideoFormat.BGR: cv2.COLOR_BGR2RGB,
}
SCALE = np.float32(1 / 255)


def tensors(rounds: int) -> Iterator[str]:
    """Return a line for each format and number of pictures."""
    cv2.setNumThreads(1)
    placement = Placement.compute(SIZE_WH, (SIDE, SIDE))
    for form in CONVERSIONS:
        pictures = [noise(form, seed) for seed in range(8)]
        for count in (1, 8, 32):
            batches = [(pictures * 4)[first : first + count] for first in range(0, max(8, count), count)]
            raws = [[source.to_numpy() for source in batch] for batch in batches]
            ours, theirs = (new_tensor((count, 3, SIDE, SIDE), "float32") for _ in range(2))

            def first(batches: list[list[SurfaceView]] = batches, out: np.ndarray = ours) -> None:
                for batch in batches:
                    to_tensor(batch, placement, pad=PAD, out=out)

            def second(raws: list[list[np.ndarray]] = raws, out: np.ndarray = theirs, form: VideoFormat = form) -> None:
                for batch in raws:
                    for one, image in zip(batch, out, strict=True):
                        _by_opencv(one, image, form)

            ratios, ms = _pairs(first, second, rounds)
            apart = float(np.abs(ours - theirs).max()) * 255
            middle, verdict = statistics.median(ratios), "within" if statistics.median(ratios) <= TARGET else "ABOVE"
            low, high = np.percentile(ratios, [25, 75])
            each = [cost / max(8, count) for cost in ms]
            yield (
                f"{form.name():5} x {count:2}   {middle:.3f} ({low:.3f} to {high:.3f}) {verdict} {TARGET}   "
                f"{each[0]:.2f} / {each[1]:.2f} ms a picture, at most {apart:.0f} of 255 apart"
            )


def noise(form: VideoFormat, seed: int) -> SurfaceView:
    """Return a picture with as much in it as a camera's: smooth, with noise on it."""
    random = np.random.default_rng(seed)
    surface = SurfaceView.allocate(form, SIZE_WH)
    for plane in surface.planes:
        rows, columns = np.indices(plane.shape[:2])
        smooth = 128 + 90 * np.sin(rows / 97 + seed) * np.cos(columns / 131)
        noisy = smooth.reshape(*plane.shape[:2], *[1] * (plane.ndim - 2)) + random.integers(-8, 9, plane.shape)
        plane[...] = noisy.clip(0, 255)
    return surface


def _by_opencv(picture: np.ndarray, out: np.ndarray, form: VideoFormat) -> None:
    """Convert, scale, pad, transpose and normalise, the last two at once."""
    rgb = cv2.cvtColor(picture, CONVERSIONS[form])
    small = cv2.resize(rgb, (SIDE, SIDE * SIZE_WH[1] // SIZE_WH[0]), interpolation=cv2.INTER_LINEAR)
    bars = (SIDE - small.shape[0]) // 2
    padded = cv2.copyMakeBorder(small, bars, bars, 0, 0, cv2.BORDER_CONSTANT, value=(PAD,) * 3)
    np.multiply(padded.transpose(2, 0, 1), SCALE, out=out)


def _pairs(first: Callable[[], None], second: Callable[[], None], rounds: int) -> tuple[list[float], list[float]]:
    """Return the ratio of each pair, and the medians in milliseconds."""
    first(), second()
    costs: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        for which in (0, 1) if number % 2 else (1, 0):
            gc.collect()
            before = time.thread_time()
            (first, second)[which]()
            costs[which].append(time.thread_time() - before)
    ratios = [one / other for one, other in zip(*costs, strict=True)]
    return ratios, [1e3 * statistics.median(cost) for cost in costs]
