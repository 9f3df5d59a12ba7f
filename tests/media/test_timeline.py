"""Times over loops, and the frames of broken files."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from picasso.media.timeline import Timeline

TICK = Fraction(1, 1000)
MS = 1_000_000


def frame(pts: int | None, duration: int = 0) -> Any:
    return SimpleNamespace(pts=pts, duration=duration)


def times(timeline: Timeline, *frames: Any) -> list[tuple[int, int]]:
    return [(pts // MS, duration // MS) for pts, duration in map(timeline.place, frames)]


def test_own_times_are_kept() -> None:
    timeline = Timeline(TICK, Fraction(25))
    assert times(timeline, frame(100), frame(150, 30), frame(180)) == [(100, 40), (150, 30), (180, 40)]


def test_a_start_below_zero_is_moved_to_zero() -> None:
    timeline = Timeline(TICK, Fraction(25))
    assert times(timeline, frame(-80), frame(-40), frame(0)) == [(0, 40), (40, 40), (80, 40)]


def test_a_frame_without_a_time_follows_the_one_before() -> None:
    timeline = Timeline(TICK, Fraction(25))
    assert times(timeline, frame(None), frame(None, 10), frame(None)) == [(0, 40), (40, 10), (50, 40)]


def test_each_pass_begins_where_the_one_before_ended() -> None:
    timeline = Timeline(TICK, Fraction(25))
    assert times(timeline, frame(500), frame(540)) == [(500, 40), (540, 40)]
    timeline.next_pass()
    assert times(timeline, frame(500), frame(540)) == [(580, 40), (620, 40)]
    timeline.next_pass()
    assert times(timeline, frame(-7)) == [(660, 40)]


def test_an_unknown_rate_is_thirty() -> None:
    assert Timeline(TICK, None).place(frame(None)) == (0, 33_333_333)


@given(st.lists(st.lists(st.integers(-(10**6), 10**6) | st.none(), min_size=1), max_size=4))
def test_no_time_is_below_zero_and_no_pass_begins_before_the_last_one_ended(passes: list[list[int | None]]) -> None:
    timeline = Timeline(TICK, Fraction(25))
    end_ns = 0
    for pts in passes:
        placed = [timeline.place(frame(value)) for value in pts]
        assert min(start for start, _ in placed) >= 0
        assert placed[0][0] >= end_ns
        end_ns = max(start + duration for start, duration in placed)
        timeline.next_pass()
