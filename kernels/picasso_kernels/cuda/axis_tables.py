"""Axis tables of CUDA kernels: which samples of the source each target sample is made of, and their weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from picasso_kernels.cpu.compile import prepare
from picasso_kernels.cuda.frame_table import BLEND_BITS, INDEX_MASK
from picasso_kernels.cuda.read_exact import CHROMA_REACH, LUMA_REACH
from picasso_kernels.frame.plan import bilinear_entries, nearest_entries
from picasso_kernels.maths.axis import Axis, fill_bilinear, fill_nearest
from picasso_kernels.maths.filter_rows import TAP_BITS
from picasso_kernels.maths.filters import tap_table
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


def in_reach(axis: Axis, made: tuple[Numbers, Numbers]) -> tuple[Numbers, Numbers]:
    """Leave out the taps on both sides that weigh nothing; return samples of the source, and none behind the crop's."""
    first, end, weights = made[0] + axis.first_source, axis.first_source + axis.samples, made[1]
    used, taps = weights != 0, weights.shape[1]
    start = first + used.argmax(axis=1)
    behind = first + taps - used[:, ::-1].argmax(axis=1)
    count = int((behind - start).max())
    start = np.minimum(start, end - count).astype(np.int32)
    targets, places = np.nonzero(weights)
    spread = np.zeros((len(weights), count), np.int32)
    spread[targets, (first - start)[targets] + places] = weights[targets, places]
    return start, spread


class Words(NamedTuple):
    """Taps of neighbours that read the same words, and how they are laid out."""

    starts: Numbers
    """Of each target sample that shows the picture, the first source sample of its words; negative if there is none."""
    words: int
    """How many words neighbours read."""
    weights: Numbers
    """By word, by numbers of one access, at most four, and by group of neighbours."""


def in_words(axis: Axis, taps: tuple[Numbers, Numbers], padded: int, neighbours: int, unit: int, turn: int) -> Words:
    """Let the taps of each ``neighbours`` targets start at one word, and read a multiple of ``turn`` words.

    The last word has a sample of the crop; what it has behind weighs nothing.

    Args:
        axis: What lies over what.
        taps: As ``taps_of`` returns them.
        padded: Target samples of the table, a multiple of ``neighbours``.
        neighbours: See above.
        unit: Samples of a word.
        turn: See above.
    """
    first, weights = taps
    target, tap = np.nonzero(weights)
    place = (first + axis.first_source)[target] + tap
    group, neighbour = np.divmod(axis.first_target + target, neighbours)
    end = -(-(axis.first_source + axis.samples) // unit) * unit
    start, behind = np.full(padded // neighbours, end), np.zeros(padded // neighbours, int)
    np.minimum.at(start, group, place)
    np.maximum.at(behind, group, place + 1)
    start = start // unit * unit
    words = -(-int((behind - start).max()) // (unit * turn)) * turn
    start = np.minimum(start, end - words * unit)
    word, sample = np.divmod(place - start[group], unit)
    table = np.zeros((len(start), words, neighbours, unit), np.int32)
    table[group, word, neighbour, sample] = weights[target, tap]
    accesses = table.reshape(len(start), words, -1, min(neighbours * unit, 4)).transpose(1, 2, 0, 3)
    starts = start.repeat(neighbours)[axis.first_target : axis.first_target + axis.targets]
    return Words(starts.astype(np.int32), words, accesses.reshape(-1))


def in_halves(weights: Numbers) -> Numbers:
    """Pack two weights of a target into each number; the last has one of 0 if they are odd."""
    pairs = np.pad(weights, ((0, 0), (0, weights.shape[1] % 2))).reshape(-1, 2)
    packed: Numbers = (pairs[:, 0] & 0xFFFF) | (pairs[:, 1] << 16)
    return packed


def are_near(entries: Numbers, reach: int, count: int = 2) -> bool:
    """Tell whether the first and last of each ``count`` pixels that are no bar are at most ``reach`` samples apart.

    They also have to be in their order.
    """
    groups = entries.reshape(-1, count)
    index = (groups >> BLEND_BITS) & INDEX_MASK
    steps = np.diff(index, axis=1)[(groups >= 0).all(axis=1)]
    return bool((steps >= 0).all() and (steps.sum(axis=1) <= reach).all())


def are_exact(entries: Mapping[str, Numbers]) -> bool:
    """Tell whether ``cuda.read_exact`` may blend luma and pairs of chroma.

    Weights of rows leave nothing to round, and each two pixels read in two words.
    """
    rows = np.concatenate([entries["row"], entries["chroma_row"]])
    if (rows[rows >= 0] % EXACT_UNIT).any():
        return False
    return _in_two_words(entries["column"], 1, LUMA_REACH) and _in_two_words(entries["chroma_column"], 2, CHROMA_REACH)


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


def taps_of(axis: Axis, name: str, *, copied: bool) -> tuple[Numbers, Numbers]:
    """Return the tables of ``tap_table``; of a component that is copied, one tap of all the weight."""
    if not copied:
        return tap_table(axis, name)
    return np.arange(axis.targets, dtype=np.int32), np.full((axis.targets, 1), 1 << TAP_BITS, np.int32)
