"""Times that start again continue behind those before them."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from picasso.engine.continuation import Continuation

times_ns = st.integers(-(2**62), 2**62)
durations_ns = st.integers(0, 10**12)


@given(st.lists(st.tuples(times_ns, durations_ns)))
def test_times_rise(frames: list[tuple[int, int]]) -> None:
    continuation = Continuation()
    moved = [continuation.move(*frame) for frame in frames]
    assert all(before < after for before, after in pairwise(moved))


@given(st.lists(times_ns, unique=True), durations_ns)
def test_times_that_rise_are_not_touched(unsorted_ns: list[int], duration_ns: int) -> None:
    continuation = Continuation()
    assert [continuation.move(time_ns, duration_ns) for time_ns in sorted(unsorted_ns)] == sorted(unsorted_ns)


@given(st.lists(st.tuples(times_ns, durations_ns), min_size=1))
def test_distances_stay_but_where_the_times_start_again(frames: list[tuple[int, int]]) -> None:
    """There the distance is the duration of the frame before, at least a nanosecond."""
    continuation = Continuation()
    moved, starts = [], []
    for frame in frames:
        starts.append(continuation.starts_again(frame[0]))
        moved.append(continuation.move(*frame))
    assert moved[0] == frames[0][0]
    for index, (before, after) in enumerate(pairwise(moved)):
        (time_ns, duration_ns), (next_ns, _) = frames[index : index + 2]
        assert after - before == (max(duration_ns, 1) if starts[index + 1] else next_ns - time_ns)
        assert starts[index + 1] == (next_ns <= time_ns)
