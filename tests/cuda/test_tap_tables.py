"""The tables of taps that CUDA kernels read hold the weights of the reference, and no word without a needed sample."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from picasso_kernels.cuda.tap_tables import in_halves, in_reach, in_words, taps_of
from picasso_kernels.maths.axis import Axis

FILTERS = st.sampled_from(["area", "cubic5", "lanczos8"])
BEFORE = 256
"""More than samples are ever drawn before or behind the source."""
Numbers = npt.NDArray[np.int32]


@st.composite
def axes(draw: st.DrawFn) -> Axis:
    """Draw luma of luma, chroma of pixels, or chroma of chroma."""
    size, crop_size = draw(st.integers(1, 30)), draw(st.integers(1, 90))
    target_unit, source_unit = draw(st.sampled_from([(1, 1), (1, 2), (2, 2)]))
    return Axis(draw(st.integers(0, 9)), size, target_unit, draw(st.integers(0, 30)), crop_size, source_unit)


def spread(first: Numbers, weights: Numbers) -> Numbers:
    """Return the weight of every source sample, the first of which has number ``-BEFORE``, for every target sample."""
    made = np.zeros((len(weights), 2 * BEFORE), np.int32)
    targets, taps = np.nonzero(weights)
    np.add.at(made, (targets, BEFORE + first[targets] + taps), weights[targets, taps])
    return made


@given(axes(), FILTERS, st.booleans(), st.sampled_from([(1, 2), (2, 2), (2, 4)]), st.integers(1, 3), st.booleans())
def test_neighbours_find_their_weights_in_the_words_that_they_share(
    axis: Axis, name: str, copied: bool, layout: tuple[int, int], turn: int, anywhere: bool
) -> None:
    neighbours, unit = layout
    first, weights = taps_of(axis, name, copied=copied and axis.samples >= axis.targets)
    padded = -(-(axis.first_target + axis.targets) // 4) * 4
    starts, words, table = in_words(axis, (first, weights), padded, neighbours, unit, turn, anywhere=anywhere)
    end = axis.first_source + axis.samples
    step = 1 if anywhere else unit
    assert words % turn == 0
    assert (starts % step == 0).all()
    assert (starts + words * unit < end + step).all()
    size = min(neighbours * unit, 4)
    by_group = table.reshape(words, -1, padded // neighbours, size).transpose(2, 0, 1, 3)
    by_sample = by_group.reshape(padded // neighbours, words, neighbours, unit).transpose(0, 2, 1, 3)
    found = by_sample.reshape(padded, words * unit)[axis.first_target :][: axis.targets]
    assert (spread(starts, found) == spread(first + axis.first_source, weights)).all()
    assert np.abs(table).sum() == np.abs(weights).sum()


@given(axes(), FILTERS, st.integers(1, 3))
def test_taps_in_reach_lie_in_the_crop_and_weigh_the_same(axis: Axis, name: str, least: int) -> None:
    first, weights = taps_of(axis, name, copied=False)
    start, left = in_reach(axis, (first, weights), min(least, axis.samples))
    assert min(least, axis.samples) <= left.shape[1] <= max(weights.shape[1], least)
    assert (start + left.shape[1] <= axis.first_source + axis.samples).all()
    assert (spread(start, left) == spread(first + axis.first_source, weights)).all()


@given(st.integers(1, 5), st.integers(1, 9), st.integers(0, 999))
def test_two_weights_of_a_row_are_one_number(targets: int, taps: int, seed: int) -> None:
    weights = np.random.default_rng(seed).integers(-(1 << 15), 1 << 15, (targets, taps), np.int32)
    halves = in_halves(weights).view(np.int16).reshape(targets, -1)
    assert (halves[:, :taps] == weights).all()
    assert not halves[:, taps:].any()
