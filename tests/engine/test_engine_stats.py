"""Counting durations: fixed memory, percentiles to ±6 %."""

from __future__ import annotations

import copy
import math

import numpy as np
from engine_kit import encode_spec, make_frame, send
from hypothesis import given
from hypothesis import strategies as st

from picasso.engine import CodecSpec, ConditionalSpec, DropReason, ErrorStage, PicassoEngine, SourceSpec, stats
from picasso.engine.stats import BOUNDS_NS, Histogram
from picasso.surface import SurfaceView
from picasso.testing import FakeClock, RecordingCallbacks

durations = st.lists(st.integers(0, 2**62), min_size=1, max_size=60)


@given(durations)
def test_percentiles_are_within_a_sixteenth_of_the_sorted_list(values: list[int]) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    summary, ranked = histogram.summary(), sorted(values)
    assert summary.count == len(values)
    assert summary.max_ns == ranked[-1]
    for share, got in ((0.5, summary.p50_ns), (0.9, summary.p90_ns), (0.99, summary.p99_ns)):
        exact = ranked[math.ceil(share * len(ranked)) - 1]
        assert abs(got - exact) <= exact / 16 + 1


@given(st.lists(st.integers(-(2**40), 2**52), max_size=200))
def test_sums_are_exact_and_buckets_count_what_is_less_than_their_end(values: list[int]) -> None:
    """More than wait to be put into their buckets, and times that went backwards."""
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    summary, known = histogram.summary(), [max(value, 0) for value in values]
    assert summary.sum_ns == sum(known)
    ends_ns = [end_ns for end_ns, _ in summary.buckets]
    assert ends_ns == sorted(set(ends_ns))
    assert [count for _, count in summary.buckets] == [sum(value < end_ns for value in known) for end_ns in ends_ns]
    assert not values or summary.buckets[-1][1] == summary.count == len(values)


@given(st.lists(st.integers(-(2**20), 2**36) | st.sampled_from(BOUNDS_NS), max_size=200), st.integers(0, 200))
def test_what_is_within_a_bound_is_counted_exactly_and_histograms_add_up(values: list[int], cut: int) -> None:
    whole, first, second = Histogram(), Histogram(), Histogram()
    for place, value in enumerate(values):
        whole.add(value)
        (first if place < cut else second).add(value)
    first.absorb(second)
    assert whole.summary().within == tuple(sum(value <= bound for value in values) for bound in BOUNDS_NS)
    assert first.summary() == whole.summary()


def test_a_source_says_when_its_last_frame_was_out(
    engine: PicassoEngine, recorder: RecordingCallbacks, clock: FakeClock
) -> None:
    """Of the engine's clock, after its callback; a sentinel and a frame that is dropped are not an output."""
    recorder.on["on_bypass_frame"] = lambda output: clock.advance(0.25) if output.is_video_frame else None
    engine.set_source_spec("a", SourceSpec())
    send(engine, 0)
    engine.remove_source_spec("a")
    engine.set_source_spec("a", SourceSpec(CodecSpec.bypass()))
    assert engine.stats().sources["a"].last_out_ns is None
    started_ns = clock.now_ns()
    send(engine, 1)
    engine.send_eos("a")
    engine.shutdown()
    assert engine.stats().sources["a"].last_out_ns == started_ns + 250_000_000


def test_nothing_counted_is_all_zero() -> None:
    summary = Histogram().summary()
    assert (summary.sum_ns, summary.buckets) == (0, ())
    assert (summary.count, summary.p50_ns, summary.p99_ns, summary.max_ns) == (0, 0, 0, 0)


def test_statistics_asked_for_while_they_are_made_count_nothing_twice(monkeypatch) -> None:
    """A signal's handler runs between any two instructions of the thread that sorts durations in."""
    histogram, buckets = Histogram(), stats._buckets

    def interrupted(durations_ns: list[int]) -> list[int]:
        histogram.add(7)
        histogram.summary()
        return buckets(durations_ns)

    monkeypatch.setattr(stats, "_buckets", interrupted)
    for _ in range(10):
        histogram.add(5)
    assert histogram.summary().count == 10
    monkeypatch.undo()
    assert histogram.summary().count == 11


def test_a_time_that_went_backwards_counts_as_none() -> None:
    histogram = Histogram()
    histogram.add(-5_000_000)
    histogram.add(2**80)
    assert histogram.summary().count == 2
    assert histogram.summary().p50_ns == 0


def test_a_snapshot_no_longer_changes(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    """For all that the source does after it: deliver, lose, discard."""

    def work(pts: int) -> None:
        engine.set_source_spec("a", encode_spec())
        send(engine, pts)
        engine.send_frame("a", make_frame(pts + 1), SurfaceView.wrap(np.zeros((8, 8, 4), np.uint8)))
        engine.set_source_spec("a", encode_spec(conditional=ConditionalSpec(encode_attribute=("no", "such"))))
        send(engine, pts + 2)
        engine.send_eos("a")

    work(0)
    recorder.wait_until(lambda calls: any(call.is_sentinel for call in calls))
    snapshot = engine.stats()
    before = copy.deepcopy(snapshot)
    work(10)
    engine.shutdown()
    assert snapshot == before
    after = engine.stats().sources["a"]
    assert (after.frames_in, after.frames_out) == (6, 2)
    assert (after.dropped[DropReason.ERROR], after.dropped[DropReason.GATE]) == (2, 2)
    assert after.errors == {ErrorStage.INPUT: 2}
