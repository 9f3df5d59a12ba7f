"""Tables of filters of many taps for CUDA kernels: which samples of the source each target sample sums, and weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from picasso_kernels.maths.axis import Axis
from picasso_kernels.maths.filter_rows import TAP_BITS
from picasso_kernels.maths.filters import tap_table

Numbers: TypeAlias = npt.NDArray[np.int32]

_UNITS: Final = {"column": 4, "chroma_column": 2}
"""Samples of an axis that are one word, or one quad of pixels."""
_ROWS: Final = ("row", "chroma_row")
_TURNS: Final = {"eights": 2, "quads": 3}
"""Words that kernels sum together, by the kind of their reader."""
_TABLE_ALIGNMENT: Final = 4
"""In entries: tables start at multiples of 16 bytes."""


def padded_to_fours(length: int) -> int:
    """Return how many targets a table of ``length`` has room for, as tables start at multiples of 16 bytes."""
    return -(-length // _TABLE_ALIGNMENT) * _TABLE_ALIGNMENT


def in_reach(axis: Axis, made: tuple[Numbers, Numbers], least: int = 1) -> tuple[Numbers, Numbers]:
    """Leave out the taps on both sides that weigh nothing; return samples of the source, and none behind the crop's.

    There are at least ``least``, which the crop has.
    """
    first, end, weights = made[0] + axis.first_source, axis.first_source + axis.samples, made[1]
    used, taps = weights != 0, weights.shape[1]
    start = first + used.argmax(axis=1)
    behind = first + taps - used[:, ::-1].argmax(axis=1)
    count = max(int((behind - start).max()), least)
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


def in_words(
    axis: Axis, taps: tuple[Numbers, Numbers], padded: int, neighbours: int, unit: int, turn: int, *, anywhere: bool
) -> Words:
    """Let the taps of each ``neighbours`` targets start at one word, and read a multiple of ``turn`` words.

    Words start at multiples of ``unit``, and the last has a sample of the crop; what it has behind weighs nothing. Or
    they start ``anywhere``, and all are samples that lie before the crop's end.

    Args:
        axis: What lies over what.
        taps: As ``taps_of`` returns them.
        padded: Target samples of the table, a multiple of ``neighbours``.
        neighbours: See above.
        unit: Samples of a word.
        turn: See above.
        anywhere: See above.
    """
    first, weights = taps
    target, tap = np.nonzero(weights)
    place = (first + axis.first_source)[target] + tap
    group, neighbour = np.divmod(axis.first_target + target, neighbours)
    step = 1 if anywhere else unit
    end = -(-(axis.first_source + axis.samples) // step) * step
    start, behind = np.full(padded // neighbours, end), np.zeros(padded // neighbours, int)
    np.minimum.at(start, group, place)
    np.maximum.at(behind, group, place + 1)
    start = start // step * step
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


def taps_of(axis: Axis, name: str, *, copied: bool) -> tuple[Numbers, Numbers]:
    """Return the tables of ``tap_table``; of a component that is copied, one tap of all the weight."""
    if not copied:
        return tap_table(axis, name)
    return np.arange(axis.targets, dtype=np.int32), np.full((axis.targets, 1), 1 << TAP_BITS, np.int32)


class Shared(NamedTuple):
    """How neighbours share what they read: the reader, words by axis across, the fewest rows it reads by axis down."""

    kind: str = ""
    words: Mapping[str, Words] = {}
    rows: Mapping[str, int] = {}


def share_words(axes: Sequence[tuple[Axis, Axis]], name: str, width: int, *, aligned: bool) -> Shared:
    """Let the taps of two neighbours, or of one sample of chroma from plane to plane, share the words they read.

    Args:
        axes: Across and down, of luma and of chroma, or of pixels alone.
        name: Of the filter.
        width: Of the target, in pixels.
        aligned: Whether aligned words may be read of which only a part is the source's.

    Returns:
        The kind of reader that does the least; none where words would lie before the source.
    """
    tables = [taps_of(x, name, copied=x.is_copy and y.is_copy) for x, y in axes]
    down = [len(in_reach(y, taps_of(y, name, copied=x.is_copy and y.is_copy))[1][0]) for x, y in axes]

    def layout(turns: Sequence[int], *, anywhere: bool) -> dict[str, Words]:
        made = {}
        for (axis, unit), (x, _), taps, turn in zip(_UNITS.items(), axes, tables, turns, strict=False):
            padded = padded_to_fours(width // x.target_unit)
            made[axis] = in_words(x, taps, padded, 2 // x.target_unit, unit, turn, anywhere=anywhere)
        return made if all((each.starts >= 0).all() for each in made.values()) else {}

    def fit(turns: Sequence[int], *, anywhere: bool) -> dict[str, Words]:
        made = layout(turns, anywhere=anywhere)
        return made if all(each.words == turn for each, turn in zip(made.values(), turns, strict=False)) else {}

    planar = [x.target_unit == 2 for x, _ in axes]
    if all(y.samples > 1 and taps <= 2 for (_, y), taps in zip(axes, down, strict=True)):
        words = fit([1, *(1 if each else 2 for each in planar[1:])], anywhere=True)
        if words:
            return Shared("narrow", words, dict.fromkeys(_ROWS, 2))
    least = [3, *(3 if each else 2 for each in planar[1:])]
    few = all(y.samples >= rows >= taps - (rows == 3) for (_, y), taps, rows in zip(axes, down, least, strict=True))
    if len(axes) == 2 and few:
        words = fit([2, 2], anywhere=False) or fit([2, 2], anywhere=True)
        if words:
            return Shared("few", words, dict(zip(_ROWS, least, strict=True)))
    made = {kind: layout([turn, turn], anywhere=False) for kind, turn in _TURNS.items()} if aligned else {}
    able = {kind: words for kind, words in made.items() if words}
    if not able:
        return Shared()
    return Shared(*min(able.items(), key=lambda item: sum(each.words for each in item[1].values())))
