"""Axis tables of CUDA kernels: which samples of the source each target sample is made of, and their weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from picasso_kernels.cpu.compile import prepare
from picasso_kernels.cuda.frame_table import BLEND_BITS, INDEX_MASK
from picasso_kernels.cuda.pixels.read_exact import CHROMA_REACH, LUMA_REACH
from picasso_kernels.cuda.pixels.read_middles import CHROMA_PLACES, CHROMA_WEIGHTS, LUMA_PLACES
from picasso_kernels.frame.plan import bilinear_entries, nearest_entries
from picasso_kernels.maths.axis import Axis, fill_bilinear, fill_nearest
from picasso_kernels.maths.pixel import ONE

Numbers: TypeAlias = npt.NDArray[np.int32]
EXACT_UNIT: Final = 16
"""Weights that are multiples of it blend without a remainder."""


def blend_entries(axis: Axis, name: str) -> Numbers:
    """Return index and weight of each target sample; its next sample exists, but in crops of one."""
    if name == "nearest":
        copied: Numbers = (nearest_entries(axis).astype(np.int32) + axis.first_source) << BLEND_BITS
        return copied
    index, weight = np.split(bilinear_entries(axis).astype(np.int32), 2)
    beyond = (index == axis.samples - 1) & (axis.samples > 1)
    entries: Numbers = (index - beyond + axis.first_source) << BLEND_BITS | np.where(beyond, ONE, weight)
    return entries


def warm_up() -> None:
    """Compile what makes axis tables, or load it from disk, so that the first frame does not wait for it."""
    prepare(fill_nearest, fill_bilinear)
    axis = Axis(0, 2, 1, 0, 4, 1)
    for name in ("nearest", "bilinear"):
        blend_entries(axis, name)


def are_near(entries: Numbers, reach: int, count: int = 2) -> bool:
    """Tell whether the first and last of each ``count`` pixels that are no bar are at most ``reach`` samples apart.

    They also have to be in their order.
    """
    groups = entries.reshape(-1, count)
    index = (groups >> BLEND_BITS) & INDEX_MASK
    steps = np.diff(index, axis=1)[(groups >= 0).all(axis=1)]
    return bool((steps >= 0).all() and (steps.sum(axis=1) <= reach).all())


def exact_reader(entries: Mapping[str, Numbers]) -> str:
    """Return the reader that blends luma and pairs of chroma to four neighbours that lie together.

    Rows whose weights leave nothing to round have quick ones: ``pixels.read_middles`` for a third of the columns,
    ``pixels.read_exact`` where each two pixels read in two words.
    """
    rows = np.concatenate([entries["row"], entries["chroma_row"]])
    luma, chroma = entries["column"], entries["chroma_column"]
    if (rows[rows >= 0] % EXACT_UNIT).any():
        return "nv12_words"
    if _are_middles(luma, chroma):
        return "nv12_middles"
    exact = _in_two_words(luma, 1, LUMA_REACH) and _in_two_words(chroma, 2, CHROMA_REACH)
    return "nv12_exact" if exact else "nv12_words"


def _are_middles(luma: Numbers, chroma: Numbers) -> bool:
    """Tell whether each four pixels lie in three words, at the places and of the weights of ``pixels.read_middles``."""
    shown = luma[::4] >= 0
    start = (luma[::4][shown] >> BLEND_BITS) - LUMA_PLACES[0]
    expected = (start[:, None] + LUMA_PLACES) << BLEND_BITS
    beside = (start[:, None] // 2 + CHROMA_PLACES) << BLEND_BITS | np.array(CHROMA_WEIGHTS)
    given = luma.reshape(-1, 4)[shown], chroma.reshape(-1, 4)[shown]
    return not (start % 4).any() and np.array_equal(given, (expected, beside))


def _in_two_words(entries: Numbers, step: int, reach: int) -> bool:
    """Tell whether each two pixels that are no bar read in the two words from the first one's on.

    Args:
        entries: An axis table, of an even number of pixels.
        step: Bytes from a sample to the next.
        reach: Where in these words the second pixel's first sample may be, in bytes.
    """
    pairs = entries.reshape(-1, 2)
    at = step * ((pairs >> BLEND_BITS) & INDEX_MASK)[(pairs >= 0).all(axis=1)]
    offset = at[:, 1] - (at[:, 0] & -4)
    return bool(((at[:, 1] >= at[:, 0]) & (offset <= reach)).all())
