"""Weights of the filters: they sum to one, they keep flat pictures flat, area is the mean."""

from __future__ import annotations

from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from picasso_kernels.maths.axis import Axis
from picasso_kernels.maths.filter_rows import TAP_BITS
from picasso_kernels.maths.filters import SHAPES, tap_table

NAMES = sorted([*SHAPES, "area"])


@st.composite
def axes(draw: st.DrawFn) -> Axis:
    unit, of = draw(st.sampled_from([1, 2])), draw(st.sampled_from([1, 2]))
    size, crop_size = draw(st.integers(1, 60)), draw(st.integers(1, 200))
    return Axis(draw(st.integers(0, 20)), size, unit, draw(st.integers(0, 20)), crop_size, of)


@given(axes(), st.sampled_from(NAMES))
def test_weights_sum_to_one_and_taps_stay_inside(axis: Axis, name: str) -> None:
    first, weights = tap_table(axis, name)
    assert first.shape == (axis.targets,)
    assert (weights.sum(axis=1) == 1 << TAP_BITS).all()
    assert (first >= 0).all()
    assert (first + weights.shape[1] <= axis.samples).all()
    assert (np.diff(first) >= 0).all()


@given(axes(), st.sampled_from(NAMES))
def test_sums_fit_sixteen_and_thirty_two_bits(axis: Axis, name: str) -> None:
    """Between the passes a sample has 6 more bits, so the lobes may add no more than a factor of two."""
    largest = np.abs(tap_table(axis, name)[1]).sum(axis=1).max() / (1 << TAP_BITS)
    assert largest * 255 * 64 < 1 << 15
    assert largest**2 * 255 * 64 * (1 << TAP_BITS) < 1 << 31


@given(st.integers(1, 30), st.integers(31, 400))
def test_area_weighs_by_share(size: int, crop_size: int) -> None:
    axis = Axis(0, size, 1, 0, crop_size, 1)
    first, weights = tap_table(axis, "area")
    scale = Fraction(crop_size, size)
    for target in range(size):
        left, right = target * scale, (target + 1) * scale
        for tap, weight in enumerate(weights[target]):
            sample = int(first[target]) + tap
            share = max(min(right, Fraction(sample + 1)) - max(left, Fraction(sample)), Fraction(0)) / scale
            assert abs(weight - share * (1 << TAP_BITS)) <= weights.shape[1]


@pytest.mark.parametrize(
    ("name", "taps"), [("cubic5", 5), ("lanczos8", 8), ("lanczos10", 10), ("nicest", 6), ("area", 2)]
)
def test_support_of_each_name(name: str, taps: int) -> None:
    assert tap_table(Axis(0, 64, 1, 0, 48, 1), name)[1].shape == (64, taps)


def test_nicest_and_area_reach_over_all_that_a_pixel_covers() -> None:
    axis = Axis(0, 64, 1, 0, 64 * 6, 1)
    assert tap_table(axis, "nicest")[1].shape[1] == 36
    assert tap_table(axis, "area")[1].shape[1] == 7
