"""Axis tables of CUDA kernels: which samples of the source each target sample is made of, and their weights."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from picasso_kernels.cpu.compile import prepare
from picasso_kernels.cuda.frame_table import BLEND_BITS, INDEX_MASK
from picasso_kernels.frame.plan import bilinear_entries, nearest_entries
from picasso_kernels.maths.axis import Axis, fill_bilinear, fill_nearest
from picasso_kernels.maths.filter_rows import TAP_BITS
from picasso_kernels.maths.pixel import ONE


def blend_entries(axis: Axis, name: str) -> npt.NDArray[np.int32]:
    """Return index and weight of each target sample; its next sample exists, but in crops of one."""
    if name == "nearest":
        copied: npt.NDArray[np.int32] = (nearest_entries(axis).astype(np.int32) + axis.first_source) << BLEND_BITS
        return copied
    index, weight = np.split(bilinear_entries(axis).astype(np.int32), 2)
    beyond = (index == axis.samples - 1) & (axis.samples > 1)
    entries: npt.NDArray[np.int32] = (index - beyond + axis.first_source) << BLEND_BITS | np.where(beyond, ONE, weight)
    return entries


def warm_up() -> None:
    """Compile what makes axis tables, or load it from disk, so that the first frame does not wait for it."""
    prepare(fill_nearest, fill_bilinear)
    axis = Axis(0, 2, 1, 0, 4, 1)
    for name in ("nearest", "bilinear"):
        blend_entries(axis, name)


def in_units(
    first: npt.NDArray[np.int32], weights: npt.NDArray[np.int32], end: int, unit: int, *, aligned: bool
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Leave out the taps on both sides that weigh nothing, and take as many as make a multiple of ``unit``.

    None is at ``end`` or behind it. ``aligned`` ones begin at a multiple of ``unit``, as ``end`` does.
    """
    used, taps = weights != 0, weights.shape[1]
    start = first + used.argmax(axis=1)
    behind = first + taps - used[:, ::-1].argmax(axis=1)
    if aligned:
        start = start // unit * unit
    count = -(-int((behind - start).max()) // unit) * unit
    start = np.minimum(start, end - count).astype(np.int32)
    targets, places = np.nonzero(weights)
    spread = np.zeros((len(weights), count), np.int32)
    spread[targets, (first - start)[targets] + places] = weights[targets, places]
    return start, spread


def in_halves(weights: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Pack two weights into each number."""
    pairs = weights.reshape(-1, 2)
    packed: npt.NDArray[np.int32] = (pairs[:, 0] & 0xFFFF) | (pairs[:, 1] << 16)
    return packed


def are_near(entries: npt.NDArray[np.int32], reach: int, count: int = 2) -> bool:
    """Tell whether the first and last of each ``count`` pixels that are no bar are at most ``reach`` samples apart.

    They also have to be in their order.
    """
    groups = entries.reshape(-1, count)
    index = (groups >> BLEND_BITS) & INDEX_MASK
    steps = np.diff(index, axis=1)[(groups >= 0).all(axis=1)]
    return bool((steps >= 0).all() and (steps.sum(axis=1) <= reach).all())


def one_tap(axis: Axis) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return the tables of ``tap_table`` for a component that is copied: one tap of all the weight."""
    return np.arange(axis.targets, dtype=np.int32), np.full((axis.targets, 1), 1 << TAP_BITS, np.int32)
