"""Records of what has been done, and the lines of the log that tools read."""

from __future__ import annotations

import itertools
import logging
import re
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picasso.observe import StageStatistics
from picasso.observe.records import Record, Recorder, line_of

STAGES = [StageStatistics("decode", 5, 2, 1, 7)]
LINE = re.compile(
    r"(Frame|Time)-based FPS counter triggered: FPS = (\d+\.\d\d), OPS = (\d+\.\d\d), frame_delta = (\d+), "
    r"time_delta = (\d+|\d+\.\d{1,3}) sec, period=\[(\d+), (\d+)\] ms"
)


def recorder(**metrics: object) -> Recorder:
    return Recorder({"frame_period": None, "time_period": None, "history": 1000, **metrics}, lambda: STAGES)


@given(st.integers(0, 40), st.integers(1, 12))
def test_the_last_record_counts_every_frame_and_none_twice(frames: int, period: int) -> None:
    one = recorder(frame_period=period)
    for _ in range(frames):
        one.frame_left(2)
    one.finish()
    one.finish()
    found = list(reversed(one.latest(1000)))
    counts = [record.frame_no for record in found if record.record_type == "frame"]
    assert counts == [*range(period, frames + 1, period)] + ([frames] if frames % period else [])
    assert [record.record_type for record in found[:1]] == (["initial"] if frames else [])
    assert all(record.object_counter == 2 * record.frame_no for record in found)
    assert [record.id for record in found] == [*range(len(found))]


def test_each_record_is_a_line_that_compares_it_with_the_one_before_of_its_kind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "savant_core.pipeline.stats"):
        one = recorder(frame_period=5)
        for _ in range(12):
            one.frame_left(3)
        one.finish()
    lines = [match for text in caplog.messages if (match := LINE.fullmatch(text))]
    assert len(lines) == len(caplog.messages) == 3
    assert [int(line[4]) for line in lines] == [4, 5, 2]  # the first compares with the initial record, of one frame
    assert sum(int(line[4]) for line in lines) == 12 - 1
    stamps = [(int(line[6]), int(line[7])) for line in lines]
    assert all(before[1] == after[0] for before, after in itertools.pairwise(stamps))


@pytest.mark.parametrize(
    ("time_ms", "frames", "said"),
    [
        (1001, 2539, "FPS = 2536.46, OPS = 5072.93, frame_delta = 2539, time_delta = 1.001 sec, period=[7, 1008] ms"),
        (10_000, 300, "FPS = 30.00, OPS = 60.00, frame_delta = 300, time_delta = 10 sec, period=[7, 10007] ms"),
        (0, 3, "FPS = 0.00, OPS = 0.00, frame_delta = 3, time_delta = 0 sec, period=[7, 7] ms"),
        (500, 0, "FPS = 0.00, OPS = 0.00, frame_delta = 0, time_delta = 0.5 sec, period=[7, 507] ms"),
    ],
)
def test_a_line_says_what_happened_in_which_time(time_ms: int, frames: int, said: str) -> None:
    before = Record(0, "initial", 7, 1, 2, ())
    after = Record(1, "timestamp", 7 + time_ms, 1 + frames, 2 + 2 * frames, ())
    assert line_of(after, before) == f"Time-based FPS counter triggered: {said}"


def test_a_record_of_time_comes_although_no_frame_does() -> None:
    taken = threading.Semaphore(0)

    def stages() -> list[StageStatistics]:
        taken.release()
        return STAGES

    one = Recorder({"frame_period": None, "time_period": 0.002, "history": 9}, stages)
    one.frame_left(1)
    for _ in range(4):
        assert taken.acquire(timeout=60)
    one.finish()
    found = one.latest(9)
    assert {record.frame_no for record in found} == {1}
    assert {record.record_type for record in found[:-1]} == {"timestamp"}


def test_a_recorder_that_never_saw_a_frame_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    one = recorder(frame_period=1, time_period=0.001)
    one.finish()
    assert one.latest(9) == []
    assert not caplog.messages


def test_the_newest_of_each_kind_is_known_however_short_the_history_is() -> None:
    one = recorder(frame_period=3, history=1)
    for _ in range(10):
        one.frame_left(1)
    one.finish()
    assert [(record.record_type, record.frame_no) for record in one.of_each_kind()] == [("frame", 10)]
    assert len(one.latest(9)) == 1
