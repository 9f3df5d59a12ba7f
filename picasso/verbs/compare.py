"""How much two videos differ: PSNR and SSIM of each pair of frames."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from picasso.errors import MediaError
from picasso.media import VideoReader
from picasso.media.location import shown
from picasso.verbs.places import Progress

if TYPE_CHECKING:
    from picasso.media.location import Location

_BLOCK: Final = 8
"""Pixels a side of the windows of SSIM."""
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two videos have in common."""

    frames: int
    """Pairs that were compared."""
    psnr_db: float
    """Peak signal-to-noise ratio of luma over all frames, decibels; infinite for equal ones."""
    ssim: float
    """Mean structural similarity of luma, 1 for equal ones."""
    worst_frame: int
    """The number of the pair whose SSIM is least."""
    worst_ssim: float
    """The SSIM of that pair."""
    left_over: tuple[int, int]
    """Frames that only the first, or only the second video has, behind those of both."""

    def _repr_html_(self) -> str:
        from picasso.primitives.html import table

        rows = [
            ("frames", self.frames), ("PSNR, dB", self.psnr_db), ("SSIM", self.ssim),
            ("worst frame", self.worst_frame), ("its SSIM", self.worst_ssim), ("left over", str(self.left_over)),
        ]  # fmt: skip
        return table(("", ""), rows)


def compare_videos(first: Location, second: Location, *, on_progress: Progress | None = None) -> Comparison:
    """Compare two videos frame by frame, by number.

    Convention: luma of full range; the second is scaled to the size of the first where they differ. SSIM is the mean
    over windows of 8 x 8 pixels that do not overlap.

    Args:
        first: What ``VideoReader`` reads.
        second: Likewise.
        on_progress: As for ``process_video``.

    Raises:
        MediaError: One of them cannot be read.
    """
    error, ssims, left = 0.0, [], [0, 0]
    samples = 0
    for one, other in _pairs(first, second, on_progress):
        if one is None or other is None:
            left[one is None] += 1
            continue
        error += float(np.square(one - other, dtype=np.float64).sum())
        samples += one.size
        ssims.append(similarity(one, other))
    if not ssims:
        raise MediaError(f"{shown(first)}, {shown(second)}: no two frames to compare")
    mean = error / samples
    worst = int(np.argmin(ssims))
    psnr_db = math.inf if mean == 0 else 10 * math.log10(255**2 / mean)
    return Comparison(len(ssims), psnr_db, float(np.mean(ssims)), worst, ssims[worst], (left[0], left[1]))


def similarity(one: Any, other: Any) -> float:
    """Return the structural similarity of two pictures ``(H, W)`` of numbers 0 to 255, over windows side by side."""
    a, b = _windows(one), _windows(other)
    mean_a, mean_b = a.mean(-1), b.mean(-1)
    variance_a, variance_b = a.var(-1), b.var(-1)
    covariance = (a * b).mean(-1) - mean_a * mean_b
    top = (2 * mean_a * mean_b + _C1) * (2 * covariance + _C2)
    return float((top / ((mean_a**2 + mean_b**2 + _C1) * (variance_a + variance_b + _C2))).mean())


def _windows(picture: Any) -> Any:
    rows, columns = (max(side // _BLOCK, 1) for side in picture.shape)
    height, width = (min(side, _BLOCK) for side in picture.shape)
    cut = picture[: rows * height, : columns * width].reshape(rows, height, columns, width)
    return cut.transpose(0, 2, 1, 3).reshape(rows * columns, -1).astype(np.float64)


def _pairs(first: Location, second: Location, on_progress: Progress | None) -> Iterator[tuple[Any, Any]]:
    """Yield the luma of the frames of two videos, None where one has ended."""
    with VideoReader(first, pixel_format="gray") as a, VideoReader(second, pixel_format="gray") as b:
        counts = a.info.frame_count, b.info.frame_count
        total = None if None in counts else max(count or 0 for count in counts)
        for number, (one, other) in enumerate(zip_longest(a.frames(), b.frames()), 1):
            yield _luma(one, one), _luma(other, one)
            if on_progress is not None:
                on_progress(number, total)


def _luma(item: Any, like: Any) -> Any:
    """Return the luma of a frame in the size of another one; None where there is no frame."""
    if item is None:
        return None
    surface = item[1]
    if like is not None and surface.size_wh != like[1].size_wh:
        surface = surface.resize(like[1].size_wh)
    return np.asarray(surface).astype(np.float64)
