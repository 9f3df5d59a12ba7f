"""One line of time: what rises is kept, what does not is repaired, what starts again follows the policy."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picasso.engine import PtsResetPolicy
from picasso.media.timeline import MOST_WAITING, Timeline

CONTINUE, SEGMENT, RESET = PtsResetPolicy.CONTINUE, PtsResetPolicy.SEGMENT, PtsResetPolicy.RESET
TICK = Fraction(1, 1000)
MS = 1_000_000
Ticks = list[int | None]

steps = st.integers(1, 10**6)
rising: st.SearchStrategy[list[int]] = st.builds(
    lambda first, rest: list(accumulate([first, *rest])), st.integers(0, 10**9), st.lists(steps, max_size=40)
)
anything = st.lists(st.integers(-(10**6), 10**6) | st.integers(0, 4).map(lambda n: 40 * n) | st.none(), max_size=60)


def line(policy: PtsResetPolicy = CONTINUE, bits: int | None = None) -> Timeline[int]:
    return Timeline(TICK, Fraction(25), policy, bits)


def placed(timeline: Timeline[int], ticks: Ticks) -> list[tuple[int, int, bool]]:
    """Return time and duration in nanoseconds, and whether a part begins; the frames come out in their order."""
    out = [each for index, tick in enumerate(ticks) for each in timeline.add(index, tick, 0)]
    out += timeline.flush()
    assert [each.item for each in out] == list(range(len(ticks)))
    return [(each.pts_ns, each.duration_ns, each.begins) for each in out]


def times(ticks: Ticks, policy: PtsResetPolicy = CONTINUE, bits: int | None = None) -> list[int | str]:
    """Return the times in milliseconds, with a bar where a part begins."""
    told: list[int | str] = []
    for pts_ns, _, begins in placed(line(policy, bits), ticks):
        told += ["|"] * begins + [pts_ns // MS]
    return told


@given(rising)
def test_times_that_rise_are_kept_exactly_and_nothing_is_reported(ticks: list[int]) -> None:
    timeline = line()
    assert [pts_ns for pts_ns, _, _ in placed(timeline, [*ticks])] == [tick * MS for tick in ticks]
    assert (timeline.restarts, timeline.made) == (0, 0)


@given(anything)
def test_whatever_comes_is_given_out_and_rises(ticks: Ticks) -> None:
    out = placed(line(), ticks)
    assert len(out) == len(ticks)
    assert all(before < after for (before, _, _), (after, _, _) in pairwise(out))
    assert all(pts_ns >= 0 and duration_ns >= 1 for pts_ns, duration_ns, _ in out)


@given(anything)
def test_what_was_repaired_needs_no_repair(ticks: Ticks) -> None:
    timeline = Timeline[int](Fraction(1, 10**9), Fraction(25))
    once = [pts_ns for pts_ns, _, _ in placed(line(), ticks)]
    assert [pts_ns for pts_ns, _, _ in placed(timeline, [*once])] == once
    assert (timeline.restarts, timeline.made) == (0, 0)


@given(anything, st.sampled_from([SEGMENT, RESET]))
def test_without_continue_times_rise_within_each_part(ticks: Ticks, policy: PtsResetPolicy) -> None:
    out = placed(line(policy), ticks)
    assert all(after > before or begins for (before, _, _), (after, _, begins) in pairwise(out))
    assert all(pts_ns >= 0 for pts_ns, _, _ in out)


steady = st.lists(st.integers(30, 50), min_size=2, max_size=20).map(lambda rest: [*accumulate([0, *rest])])


@given(st.lists(steady, min_size=1, max_size=4))
def test_parts_that_start_again_follow_each_other_with_their_own_distances(parts: list[list[int]]) -> None:
    timeline = line()
    out = placed(timeline, [tick for part in parts for tick in part])
    starts = [index for index, (_, _, begins) in enumerate(out) if begins]
    assert starts == list(accumulate(len(part) for part in parts[:-1]))
    assert timeline.restarts == len(parts) - 1
    for part in parts:
        here, out = out[: len(part)], out[len(part) :]
        assert [pts_ns - here[0][0] for pts_ns, _, _ in here] == [tick * MS for tick in part]
        if out:
            assert out[0][0] == here[-1][0] + 40 * MS


@given(st.lists(rising.map(lambda ticks: [*ticks]), min_size=1, max_size=4))
def test_no_pass_begins_before_the_last_one_ended(passes: list[Ticks]) -> None:
    timeline = line()
    end_ns = 0
    for index, ticks in enumerate(passes):
        out = placed(timeline, ticks)
        assert out[0][0] == end_ns or index == 0
        assert out[0][2] == (index > 0)
        end_ns = out[-1][0] + out[-1][1]
        timeline.next_pass()
    assert timeline.restarts == 0


@pytest.mark.parametrize(
    ("ticks", "wanted", "restarts", "made"),
    [
        ([-80, -40, 0], [0, 40, 80], 0, 0),
        ([500, 540], [500, 540], 0, 0),
        ([0, 33, 67, 100, 500, 517], [0, 33, 67, 100, 500, 517], 0, 0),
        ([None, None, 80, 120], [0, 40, 80, 120], 0, 2),
        ([None, None, 5000, 5040], [4920, 4960, 5000, 5040], 0, 2),
        ([None, 20, 60], [0, 40, 80], 0, 1),
        ([0, None, None, 120], [0, 40, 80, 120], 0, 2),
        ([0, None, 100, 140], [0, 50, 100, 140], 0, 1),
        ([0, 40, None, 5000, 5040], [0, 40, 80, 5000, 5040], 0, 1),
        ([0, 40, None, None], [0, 40, 80, 120], 0, 2),
        ([None] * 40, [*range(0, 1600, 40)], 0, 40),
        ([0] * 40, [*range(0, 1600, 40)], 0, 39),
        ([*[0] * 20, 1000, 1040], [*range(0, 800, 40), 1000, 1040], 0, 19),
        ([0, 40, 40, 80], [0, 40, 60, 80], 0, 1),
        ([0, 40, 40, 120, 160], [0, 40, 80, 120, 160], 0, 1),
        ([0, 0, 40, 40, 80], [0, 20, 40, 60, 80], 0, 2),
        ([0, 40, 80, 0], [0, 40, 80, 120], 0, 1),
        ([0, 40, 0, 120, 160], [0, 40, 80, 120, 160], 0, 1),
        ([0, 40, 9000, 120, 160], [0, 40, 80, 120, 160], 0, 1),
        ([0, 40, 9000, 9040], [0, 40, 9000, 9040], 0, 0),
        ([0, 40, 9000], [0, 40, 9000], 0, 0),
        ([0, 40, 80, 0, 40], [0, 40, 80, "|", 120, 160], 1, 0),
        ([900, 940, 980, 900, 940, 980, 1020], [900, 940, 980, "|", 1020, 1060, 1100, 1140], 1, 0),
        ([0, 40, 9000, 0, 40], [0, 40, 9000, "|", 9040, 9080], 1, 0),
        ([0, 40, 0, 9000, 9040], [0, 40, "|", 80, 9080, 9120], 1, 0),
        ([500, 540, None, 0, 40], [500, 540, 580, "|", 620, 660], 1, 1),
        ([0, 0, 1000, 1000, 2000, 2000], [0, 40, 1000, 1500, 2000, 2040], 0, 3),
    ],
    ids=[
        "begins below 0", "begins late", "variable rate", "missing at first", "missing at first, begins late",
        "missing at first, no room", "missing in the middle", "missing, neighbours keep theirs", "missing before a gap",
        "missing at the end", "missing everywhere", "all equal", "equal at first", "twice", "twice, a slot is empty",
        "each twice", "the last falls", "one falls", "one is far ahead", "gap", "gap before the last", "restart",
        "overlap", "gap, then restart", "restart, then gap", "missing before a restart", "each twice, far apart",
    ],
)  # fmt: skip
def test_situations(ticks: Ticks, wanted: list[int | str], restarts: int, made: int) -> None:
    assert times(ticks) == wanted
    timeline = line()
    placed(timeline, ticks)
    assert (timeline.restarts, timeline.made) == (restarts, made)


@pytest.mark.parametrize("policy", [SEGMENT, RESET])
def test_with_the_other_policies_a_part_has_its_own_times(policy: PtsResetPolicy) -> None:
    assert times([500, 540, 0, 40, 80, -40, 0], policy) == [500, 540, "|", 0, 40, 80, "|", 0, 40]


@pytest.mark.parametrize(("policy", "second"), [(CONTINUE, [580, 620]), (SEGMENT, [500, 540]), (RESET, [500, 540])])
def test_a_pass_is_a_part(policy: PtsResetPolicy, second: list[int]) -> None:
    timeline = line(policy)
    placed(timeline, [500, 540])
    timeline.next_pass()
    assert [(pts_ns // MS, begins) for pts_ns, _, begins in placed(timeline, [500, 540])] == [
        (second[0], True),
        (second[1], False),
    ]


BITS = 20
TURN = 2**BITS


@pytest.mark.parametrize(
    ("ticks", "wanted"),
    [
        ([TURN - 60, TURN - 20, 20, 60], [TURN - 60, TURN - 20, TURN + 20, TURN + 60]),
        ([TURN - 20, 20, TURN - 20 + 80 - TURN], [TURN - 20, TURN + 20, TURN + 60]),
        ([-60, -20, 20], [0, 40, 80]),
        ([TURN - 20, TURN + 20], [TURN - 20, TURN + 20]),
    ],
    ids=["wraps", "wraps, three", "FFmpeg subtracted a turn", "FFmpeg added a turn"],
)
def test_a_counter_that_begins_at_0_again_goes_on(ticks: Ticks, wanted: list[int]) -> None:
    assert times(ticks, bits=BITS) == wanted


def test_a_restart_that_ffmpeg_took_for_the_turn_of_a_counter_is_a_restart() -> None:
    """FFmpeg adds 2**33 to every time that is a minute below the first: a camera that was up for a day restarts."""
    day, turn = 86_000 * 90_000, 2**33
    timeline = Timeline[int](Fraction(1, 90_000), Fraction(25), SEGMENT, 33)
    out = placed(timeline, [day, day + 3600, turn + 126_000, turn + 129_600])
    assert [(pts_ns, begins) for pts_ns, _, begins in out[2:]] == [(1_400_000_000, True), (1_440_000_000, False)]
    assert timeline.restarts == 1


@pytest.mark.parametrize(
    ("ticks", "out"),
    [
        ([0, 40, 80], [1, 1, 1]),
        ([0, 40, 0, 40], [1, 1, 0, 2]),
        ([0, 40, 9000, 9040], [1, 1, 0, 2]),
        ([0, 40, None, 120], [1, 1, 0, 2]),
        ([0, 10_000, 20_000, 30_000], [1, 0, 2, 1]),
        ([None] * (MOST_WAITING + 2), [0] * (MOST_WAITING - 1) + [MOST_WAITING, 1, 1]),
    ],
    ids=["rises", "restart", "gap", "missing", "a frame every ten seconds", "no times at all"],
)
def test_a_frame_waits_only_where_its_time_is_in_doubt(ticks: Ticks, out: list[int]) -> None:
    timeline = line()
    assert [len(list(timeline.add(0, tick, 0))) for tick in ticks] == out


def test_own_durations_are_kept() -> None:
    timeline = line()
    out = [each for tick, duration in ((100, 0), (150, 30), (180, 20)) for each in timeline.add(0, tick, duration)]
    assert [each.duration_ns // MS for each in out] == [40, 30, 20]


def test_frames_without_times_follow_each_other_by_their_durations() -> None:
    timeline = line()
    out = [each for duration in (60, 40, 60) for each in timeline.add(0, None, duration)]
    out += timeline.flush()
    assert [each.pts_ns // MS for each in out] == [0, 60, 100]


def test_an_unknown_rate_is_thirty() -> None:
    timeline = Timeline[int](TICK, None)
    assert [*timeline.add(0, None, None), *timeline.flush()] == [(0, 0, 33_333_333, False)]
