"""The filters of more than two taps: their shapes, and the weights of one axis as integers.

Weights are computed here once in float64, normalised and rounded so that they sum to ``1 << TAP_BITS`` exactly;
every compiler then reads the same integers. Taps beyond the border of the crop count for the sample on the border.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from picasso_kernels.maths.axis import Axis
from picasso_kernels.maths.filter_rows import TAP_BITS

Floats = npt.NDArray[np.float64]


class Shape(NamedTuple):
    """A filter kernel over distances in source samples."""

    taps: int
    """Samples it reaches over at scale 1."""
    weigh: Callable[[Floats], Floats]
    widens: bool
    """Whether it is stretched over more samples when the picture shrinks, which keeps it from aliasing."""


def cubic(distance: Floats) -> Floats:
    """Return Keys' cubic convolution with a = -1/2 (IEEE Trans. ASSP 29, 1981), 0 from distance 2 on."""
    x = np.abs(distance)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


def lanczos(lobes: int) -> Callable[[Floats], Floats]:
    """Return the sinc filter windowed by the middle lobe of a sinc of ``lobes`` times the width."""

    def weigh(distance: Floats) -> Floats:
        window = np.where(np.abs(distance) < lobes, np.sinc(distance / lobes), 0.0)
        return np.sinc(distance) * window

    return weigh


def triangle(distance: Floats) -> Floats:
    """Return the weights of linear interpolation."""
    return np.where(np.abs(distance) < 1, 1 - np.abs(distance), 0.0)


SHAPES: Final = {
    "cubic5": Shape(5, lambda distance: cubic(distance / 1.25), False),
    "lanczos10": Shape(10, lanczos(5), False),
    "lanczos8": Shape(8, lanczos(4), False),
    "nicest": Shape(6, lanczos(3), True),
}


def tap_table(axis: Axis, name: str) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return the first source sample of each target sample, ``(count,)``, and its weights, ``(count, taps)``.

    Args:
        axis: What lies over what.
        name: A key of ``SHAPES``, or ``"area"``: the share of each source sample in the target sample, where the
            axis shrinks, and linear interpolation where it grows.
    """
    ratio = axis.crop_size * axis.target_unit / (axis.size * axis.source_unit)
    targets = np.arange(axis.first_target, axis.first_target + axis.targets)
    centres = (targets + 0.5) * axis.target_unit - axis.start
    centres = (axis.crop + centres * axis.crop_size / axis.size) / axis.source_unit
    if name == "area" and ratio > 1:
        first, weights = _coverage(centres - ratio / 2, ratio)
    else:
        shape = Shape(2, triangle, False) if name == "area" else SHAPES[name]
        stretch = max(ratio, 1.0) if shape.widens else 1.0
        first, weights = _kernel(centres - 0.5, int(np.ceil(shape.taps * stretch)), stretch, shape.weigh)
    return _inside(first - axis.first_source, _whole(weights), axis.samples)


def _coverage(starts: Floats, length: float) -> tuple[npt.NDArray[np.int64], Floats]:
    first = np.floor(starts + 1e-9)
    samples = first[:, None] + np.arange(int(np.ceil(length - 1e-9)) + 1)
    overlap = np.minimum(samples + 1, (starts + length)[:, None]) - np.maximum(samples, starts[:, None])
    return first.astype(np.int64), np.maximum(overlap, 0.0)


def _kernel(
    centres: Floats, taps: int, stretch: float, weigh: Callable[[Floats], Floats]
) -> tuple[npt.NDArray[np.int64], Floats]:
    first = np.floor(centres - (taps / 2 - 1) + 1e-9) if taps % 2 == 0 else np.floor(centres + 0.5) - taps // 2
    distances = first[:, None] + np.arange(taps) - centres[:, None]
    return first.astype(np.int64), weigh(distances / stretch)


def _whole(weights: Floats) -> npt.NDArray[np.int64]:
    """Scale each row to sum to ``1 << TAP_BITS`` and round it; what rounding lost goes to the largest weight."""
    scaled = weights / weights.sum(axis=1, keepdims=True) * (1 << TAP_BITS)
    whole: npt.NDArray[np.int64] = np.rint(scaled).astype(np.int64)
    rows = np.arange(len(whole))
    whole[rows, whole.argmax(axis=1)] += (1 << TAP_BITS) - whole.sum(axis=1)
    return whole


def _inside(
    first: npt.NDArray[np.int64], weights: npt.NDArray[np.int64], samples: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Move taps from beyond the border onto it; there are at most as many taps as samples."""
    count, taps = weights.shape
    kept = min(taps, samples)
    start = np.clip(first, 0, samples - kept)
    place = np.clip(first[:, None] + np.arange(taps), 0, samples - 1) - start[:, None]
    moved = np.zeros((count, kept), np.int64)
    np.add.at(moved, (np.arange(count)[:, None], np.clip(place, 0, kept - 1)), weights)
    return start.astype(np.int32), moved.astype(np.int32)
