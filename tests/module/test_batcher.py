"""Batches over sources: order, size, fairness, patience."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picasso.engine.clock import MonotonicClock
from picasso.module.elements import StreamEvent
from picasso.module.meta import Frame
from picasso.module.run.batcher import Batcher, Closed, Work
from picasso.primitives import VideoFrame

SOURCES = ("a", "b", "c")


class Hand:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time_ns = 0

    def now_ns(self) -> int:
        return self.time_ns

    def wait(self, bell: object, deadline_ns: int | None) -> None:
        raise AssertionError("no one waits at this clock")


def entry(source_id: str, number: int) -> Frame:
    return Frame(VideoFrame(source_id, "30/1", 16, 16, pts=number), None)


def eos(source_id: str) -> StreamEvent:
    return StreamEvent("source-eos", source_id)


def filled(entries: list[tuple[str, int | None]], size: int, most: int | None = None) -> Batcher:
    """A closed batcher with these entries; None is an end of stream."""
    batcher = Batcher(size, 0, capacity=1000, clock=MonotonicClock(), most_of_a_source=most)
    for source_id, number in entries:
        batcher.put(source_id, eos(source_id) if number is None else entry(source_id, number))
    return batcher


def drained(batcher: Batcher) -> list[Work]:
    batcher.close()
    works = []
    while True:
        try:
            works.append(batcher.take())
        except Closed:
            return works


ENTRIES = st.lists(st.tuples(st.sampled_from(SOURCES), st.booleans()), max_size=40).map(
    lambda pairs: [(source, None if is_end else index) for index, (source, is_end) in enumerate(pairs)]
)


@given(ENTRIES, st.integers(1, 5), st.none() | st.integers(1, 3))
def test_everything_comes_out_once_in_the_order_of_its_source(
    entries: list[tuple[str, int | None]], size: int, most: int | None
) -> None:
    works = drained(filled(entries, size, most))
    came: dict[str, list[int | None]] = {source: [] for source in SOURCES}
    for work in works:
        assert len(work.frames) <= size
        counts = Counter(frame.source_id for frame in work.frames)
        assert max(counts.values(), default=0) <= (most or size)
        assert [frame.batch_id for frame in work.frames] == list(range(len(work.frames)))
        for frame in work.frames:
            came[frame.source_id].append(frame.pts)
        for event in work.events:
            came[event.source_id].append(None)
    assert came == {source: [number for name, number in entries if name == source] for source in SOURCES}


@given(st.integers(1, 4), st.integers(1, 30))
def test_turns_are_fair(size: int, count: int) -> None:
    works = drained(filled([(source, n) for n in range(count) for source in SOURCES], size))
    given_so_far: Counter[str] = Counter()
    for work in works:
        given_so_far.update(frame.source_id for frame in work.frames)
        shares = [given_so_far[source] for source in SOURCES]
        assert max(shares) - min(shares) <= 1


def test_a_batch_is_given_when_it_is_full_or_its_time_has_come() -> None:
    clock = Hand()
    batcher = Batcher(3, 2000, capacity=10, clock=clock)
    batcher.put("a", entry("a", 0))
    assert not batcher._is_due()
    clock.time_ns = 1_999_999
    assert not batcher._is_due()
    clock.time_ns = 2_000_000
    assert batcher._is_due()
    assert [frame.pts for frame in batcher.take().frames] == [0]
    for number in range(3):
        assert not batcher._is_due()
        batcher.put("b", entry("b", number))
    assert batcher._is_due()


def test_no_frame_waits_longer_than_one_timeout_whatever_batches_were_given_before() -> None:
    clock = Hand()
    batcher = Batcher(2, 2000, capacity=10, clock=clock)
    for number, came_ns in enumerate((0, 100, 200)):
        clock.time_ns = came_ns
        batcher.put("a", entry("a", number))
    clock.time_ns = 1_000_000
    assert [frame.pts for frame in batcher.take().frames] == [0, 1]
    clock.time_ns = 2_000_199
    assert not batcher._is_due()
    clock.time_ns = 2_000_200
    assert batcher._is_due()


def test_a_batch_does_not_wait_where_no_source_may_add_to_it() -> None:
    batcher = Batcher(8, 10**9, capacity=10, clock=Hand(), most_of_a_source=1)
    batcher.put("a", entry("a", 0))
    assert [frame.pts for frame in batcher.take().frames] == [0]


def test_an_end_of_stream_does_not_wait() -> None:
    batcher = Batcher(8, 10**9, capacity=10, clock=Hand())
    batcher.put("a", eos("a"))
    assert batcher.take().events == [eos("a")]


def test_a_source_whose_line_is_full_waits_and_the_others_do_not() -> None:
    batcher = Batcher(1, 0, capacity=2, clock=MonotonicClock())
    done = threading.Event()

    def feed() -> None:
        for number in range(5):
            batcher.put("a", entry("a", number))
        done.set()

    thread = threading.Thread(target=feed)
    thread.start()
    batcher.put("b", entry("b", 0))
    taken = [batcher.take().frames[0] for _ in range(6)]
    thread.join()
    assert done.is_set()
    assert [frame.pts for frame in taken if frame.source_id == "a"] == [0, 1, 2, 3, 4]


def test_closing_wakes_everybody_and_discarding_hands_out_what_waits() -> None:
    batcher = Batcher(1, 0, capacity=1, clock=MonotonicClock())
    batcher.put("a", entry("a", 0))
    failures: list[BaseException] = []

    def feed() -> None:
        try:
            batcher.put("a", entry("a", 1))
        except Closed as error:
            failures.append(error)

    thread = threading.Thread(target=feed)
    thread.start()
    dropped: list[Frame] = []
    batcher.discard(dropped.append)
    thread.join()
    assert ([frame.pts for frame in dropped], len(failures)) == ([0], 1)
    with pytest.raises(Closed):
        batcher.take()
