"""Ticks and nanoseconds."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picasso.media.times import Ticks, to_ns

time_bases = st.builds(Fraction, st.integers(1, 2000), st.integers(1, 10**9)).filter(
    lambda base: base >= Fraction(1, 10**9)
)
ticks = st.integers(-(2**62), 2**62)


@given(ticks, time_bases)
def test_the_nearest_nanosecond(tick: int, time_base: Fraction) -> None:
    assert abs(to_ns(tick, time_base) - tick * time_base * 10**9) <= Fraction(1, 2)


@given(ticks, time_bases)
def test_there_and_back(tick: int, time_base: Fraction) -> None:
    base = Ticks(time_base)
    assert base.from_ns(base.to_ns(tick)) == tick


@given(ticks, ticks, time_bases)
def test_order_is_kept(first: int, second: int, time_base: Fraction) -> None:
    first, second = sorted((first, second))
    assert to_ns(first, time_base) <= to_ns(second, time_base)


@pytest.mark.parametrize(
    ("tick", "time_base", "time_ns"),
    [
        (1, Fraction(1, 25), 40_000_000),
        (1001, Fraction(1, 30000), 33_366_667),
        (-1, Fraction(1, 3), -333_333_333),
        (1, Fraction(1, 2 * 10**9), 1),
        (-1, Fraction(1, 2 * 10**9), 0),
        (2**62, Fraction(1, 10**9), 2**62),
    ],
)
def test_known_times(tick: int, time_base: Fraction, time_ns: int) -> None:
    assert to_ns(tick, time_base) == time_ns
