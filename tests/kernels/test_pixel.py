"""The arithmetic of one sample, against exact fractions."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import hypothesis.strategies as st
from hypothesis import given

from picasso_kernels.maths.pixel import clamp8, lerp, narrow, nearest, place_numerator, position, widen

SAMPLES = st.integers(0, 255)
WEIGHTS = st.integers(0, 2047)
SIDES = st.integers(1, 16384)


@given(SAMPLES)
def test_narrow_inverts_widen(sample: int) -> None:
    assert narrow(widen(sample)) == sample


@given(SAMPLES, SAMPLES, WEIGHTS)
def test_lerp_is_the_rounded_blend(a: int, b: int, weight: int) -> None:
    exact = widen(a) + Fraction((widen(b) - widen(a)) * weight, 2048)
    assert lerp(widen(a), widen(b), weight) == floor(exact + Fraction(1, 2))


@given(SAMPLES, SAMPLES, WEIGHTS)
def test_lerp_stays_between_its_ends_and_in_sixteen_bits(a: int, b: int, weight: int) -> None:
    assert min(widen(a), widen(b)) <= lerp(widen(a), widen(b), weight) <= max(widen(a), widen(b)) < 1 << 15


@given(st.data(), SIDES, SIDES, st.sampled_from([1, 2]), st.sampled_from([1, 2]))
def test_positions_are_the_centres_mapped(data: st.DataObject, size: int, crop_size: int, unit: int, of: int) -> None:
    start, crop = data.draw(st.integers(0, 16384 - size)), data.draw(st.integers(0, 16384 - crop_size))
    target = data.draw(st.integers(start // unit, (start + size - 1) // unit))
    centre = crop + ((target + Fraction(1, 2)) * unit - start) * Fraction(crop_size, size)
    first, last = crop // of, (crop + crop_size - 1) // of
    place = place_numerator(target, unit, start, size, crop, crop_size)
    expected = floor((centre / of - Fraction(1, 2)) * 2048 + Fraction(1, 2))
    assert position(place, size, of, first, last) == min(max(expected, first * 2048), last * 2048)
    assert nearest(place, size, of, first, last) == min(max(floor(centre / of), first), last)


@given(st.integers(-(1 << 20), 1 << 20))
def test_clamp8(value: int) -> None:
    assert clamp8(value) == sorted((0, value, 255))[1]
