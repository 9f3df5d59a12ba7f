"""When a source is opened again: laws of the back-off."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picasso.errors import SpecError
from picasso.flow import NEVER, RestartPolicy


@st.composite
def policies(draw: st.DrawFn) -> RestartPolicy:
    first_s = draw(st.floats(0.001, 10))
    return RestartPolicy(
        first_s,
        draw(st.floats(first_s, 1000)),
        draw(st.floats(1, 10)),
        draw(st.floats(0, 0.99)),
        draw(st.none() | st.integers(0, 100)),
    )


@given(policies(), st.integers(1, 10**9), st.integers())
def test_a_wait_is_within_the_cap_and_its_jitter(policy: RestartPolicy, attempt: int, seed: int) -> None:
    delay_s = policy.delay_s(attempt, random.Random(seed))
    if policy.attempts is not None and attempt > policy.attempts:
        assert delay_s is None
    else:
        assert delay_s is not None
        assert policy.first_s * (1 - policy.jitter) <= delay_s * (1 + 1e-9)
        assert delay_s <= policy.most_s * (1 + policy.jitter) * (1 + 1e-9)


@given(policies(), st.integers(1, 1000))
def test_without_jitter_waits_never_shrink_and_reach_the_cap(policy: RestartPolicy, attempt: int) -> None:
    plain = RestartPolicy(policy.first_s, policy.most_s, policy.factor, 0)
    chance = random.Random(0)
    now_s, next_s = plain.delay_s(attempt, chance), plain.delay_s(attempt + 1, chance)
    assert now_s is not None
    assert next_s is not None
    assert now_s <= next_s * (1 + 1e-9)
    assert next_s <= policy.most_s * (1 + 1e-9)
    if policy.factor >= 1.5:
        assert plain.delay_s(10**6, chance) == policy.most_s


def test_the_default_doubles_from_half_a_second_to_thirty() -> None:
    policy = RestartPolicy(jitter=0)
    assert [policy.delay_s(n, random.Random()) for n in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_never_gives_up_at_once() -> None:
    assert NEVER.delay_s(1, random.Random()) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"first_s": 0}, r"RestartPolicy\.first_s = 0: expected seconds > 0"),
        ({"first_s": 5, "most_s": 4}, r"RestartPolicy\.most_s = 4: expected seconds ≥ first_s = 5"),
        ({"factor": 0.5}, r"RestartPolicy\.factor = 0\.5: expected a factor ≥ 1"),
        ({"jitter": 1}, r"RestartPolicy\.jitter = 1: expected a share"),
        ({"attempts": -1}, r"RestartPolicy\.attempts = -1: expected a count ≥ 0, or None"),
    ],
    ids=str,
)
def test_bad_arguments_are_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        RestartPolicy(**arguments)  # type: ignore[arg-type]
