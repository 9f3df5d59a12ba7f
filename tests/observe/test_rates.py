"""Rates over the last ten seconds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picasso.observe.rates import NS_PER_S, Rate


@pytest.mark.parametrize("per_s", [1, 25, 30])
@pytest.mark.parametrize("seconds", [2, 10, 60])
def test_a_steady_stream_has_its_rate(per_s: int, seconds: int) -> None:
    rate = Rate()
    for number in range(per_s * seconds):
        rate.add(number * NS_PER_S // per_s, 1000)
    frames, size = rate.per_s(seconds * NS_PER_S)
    assert frames == pytest.approx(per_s, rel=0.02)
    assert size == pytest.approx(1000 * per_s, rel=0.02)


def test_what_is_older_than_the_window_is_forgotten() -> None:
    rate = Rate()
    assert rate.per_s(5) == (0.0, 0.0)
    for number in range(100):
        rate.add(number * NS_PER_S // 10)
    assert rate.per_s(10 * NS_PER_S)[0] == pytest.approx(10)
    assert rate.per_s(15 * NS_PER_S)[0] == pytest.approx(5, rel=0.1)
    assert rate.per_s(25 * NS_PER_S) == (0.0, 0.0)
    rate.add(25 * NS_PER_S)
    assert rate.per_s(26 * NS_PER_S)[0] == pytest.approx(0.1)


@given(st.lists(st.integers(0, 3 * NS_PER_S), max_size=50))
def test_no_rate_is_negative_or_more_than_everything_at_once(steps_ns: list[int]) -> None:
    rate, now_ns = Rate(), 7 * NS_PER_S
    for step_ns in steps_ns:
        now_ns += step_ns
        rate.add(now_ns, 5)
        frames, size = rate.per_s(now_ns + NS_PER_S)
        assert 0 <= frames <= len(steps_ns)
        assert size == pytest.approx(5 * frames)
