"""Timestamps: exact nanoseconds, and what happens when they do not rise."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from engine_kit import bypass_spec, encode_spec, make_frame, make_pixels, send
from hypothesis import given
from hypothesis import strategies as st

from picasso.engine import ConditionalSpec, PicassoEngine, PtsResetPolicy, SourceSpec
from picasso.engine.path.timestamps import MAX_NS, to_ns
from picasso.errors import SpecError
from picasso.primitives import VideoFrame
from picasso.testing import RecordingCallbacks

D = 33_333_333
RECREATE = PtsResetPolicy.recreate_on_decreasing_pts()
CONTINUE = PtsResetPolicy.CONTINUE
parts = st.integers(1, 2**31 - 1)


@given(st.integers(0, 2**40), parts, parts)
def test_nanoseconds_are_exact_to_half_of_one(ticks: int, num: int, den: int) -> None:
    exact = Fraction(ticks * num * 10**9, den)
    if exact < MAX_NS:
        assert abs(to_ns(ticks, (num, den)) - exact) <= Fraction(1, 2)
    else:
        with pytest.raises(SpecError, match="expected at most"):
            to_ns(ticks, (num, den))


@given(st.lists(st.integers(0, 2**33), min_size=2, max_size=5, unique=True), parts)
def test_ticks_of_a_nanosecond_or_more_stay_apart_and_in_order(ticks: list[int], den: int) -> None:
    den = 1 + den % 10**9
    converted = [to_ns(tick, (1, den)) for tick in sorted(ticks)]
    assert converted == sorted(set(converted))


def test_negative_ticks_are_none() -> None:
    assert to_ns(-5, (1, 30)) == 0


def resets(recorder: RecordingCallbacks) -> list[tuple[int | None, int | None]]:
    reasons = [call.arguments[1] for call in recorder.calls("on_stream_reset")]
    assert {reason.kind for reason in reasons} <= {"pts_decreased"}
    return [(reason.last_pts_ns, reason.new_pts_ns) for reason in reasons]


@pytest.mark.parametrize(
    ("policy", "sent", "delivered", "reset"),
    [
        ({}, [0, D, 2 * D, 0], [0, D, 2 * D, None, 0, None], [(2 * D, 0)]),
        ({"pts_reset_policy": RECREATE}, [0, D, 2 * D, 0], [0, D, 2 * D, 0, None], [(2 * D, 0)]),
        ({}, [1000, 1000], [1000, None, 1000, None], [(1000, 1000)]),
        ({}, [5, 3, 4, 2], [5, None, 3, 4, None, 2, None], [(5, 3), (4, 2)]),
        ({"pts_reset_policy": RECREATE}, [0] * 4, [0] * 4 + [None], [(0, 0)] * 3),
        ({"pts_reset_policy": CONTINUE}, [0, D, 0, D, 5 * D], [0, D, 2 * D, 3 * D, 7 * D, None], [(D, 0)]),
        ({"pts_reset_policy": CONTINUE}, [7, 7, 3], [7, 7 + D, 7 + 2 * D, None], [(7, 7), (7, 3)]),
    ],
    ids=[
        "falls, eos",
        "falls, recreate",
        "equal, eos",
        "falls twice, eos",
        "all equal, recreate",
        "falls, continue",
        "equal, continue",
    ],
)
def test_a_timestamp_that_does_not_rise_begins_a_new_stream(
    make_engine: Callable[..., PicassoEngine],
    recorder: RecordingCallbacks,
    policy: dict[str, PtsResetPolicy],
    sent: list[int],
    delivered: list[int | None],
    reset: list[tuple[int, int]],
) -> None:
    engine = make_engine(**policy)
    engine.set_source_spec("a", encode_spec())
    for pts in sent:
        send(engine, pts)
    engine.send_eos("a")
    engine.shutdown()
    assert recorder.pts_ns() == delivered
    assert resets(recorder) == reset


def test_the_reset_is_told_before_the_sentinel_and_held_frames_come_before_both_streams_mix(
    engine: PicassoEngine, recorder: RecordingCallbacks
) -> None:
    engine.set_source_spec("a", encode_spec())
    send(engine, 5)
    send(engine, 1)
    engine.shutdown()
    slots = [call.slot if not call.is_sentinel else "sentinel" for call in recorder.calls()]
    assert slots == ["on_encoded_frame", "on_stream_reset", "sentinel", "on_encoded_frame"]


def test_under_continue_times_go_on_over_a_new_spec_and_begin_again_after_an_end(
    make_engine: Callable[..., PicassoEngine], recorder: RecordingCallbacks
) -> None:
    engine = make_engine(pts_reset_policy=CONTINUE)
    engine.set_source_spec("a", encode_spec())
    send(engine, 0)
    send(engine, 0)
    engine.set_source_spec("a", encode_spec(64, 64))
    send(engine, 0)
    engine.send_eos("a")
    send(engine, 0)
    engine.shutdown()
    assert recorder.pts_ns() == [0, D, 2 * D, None, 0]


def test_an_end_of_stream_forgets_the_last_timestamp(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    engine.set_source_spec("a", encode_spec())
    for _ in range(3):
        send(engine, 0)
        engine.send_eos("a")
    engine.shutdown()
    assert recorder.pts_ns() == [0, None] * 3
    assert resets(recorder) == []


@pytest.mark.parametrize("spec", [SourceSpec(), bypass_spec()], ids=["drop", "bypass"])
def test_only_encoded_sources_look_at_the_order(
    engine: PicassoEngine, recorder: RecordingCallbacks, spec: SourceSpec
) -> None:
    engine.set_source_spec("a", spec)
    for pts in (5, 5, 0):
        send(engine, pts)
    engine.shutdown()
    assert resets(recorder) == []


def test_frames_that_do_not_pass_the_gate_do_not_count(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    engine.set_source_spec("a", encode_spec(conditional=ConditionalSpec(encode_attribute=("n", "a"))))
    for pts in (1, 100, 2):
        frame = make_frame(pts)
        if pts < 100:
            frame.set_temporary_attribute("n", "a")
        engine.send_frame("a", frame, make_pixels())
    engine.shutdown()
    assert recorder.pts_ns() == [1, 2]
    assert resets(recorder) == []


def test_a_frame_that_fails_counts(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    engine.set_source_spec("a", encode_spec())
    send(engine, 1)
    engine.send_frame("a", make_frame(10), make_pixels((32, 32)))
    send(engine, 5)
    engine.shutdown()
    assert recorder.pts_ns() == [1, None, 5]
    assert resets(recorder) == [(10, 5)]


def test_the_time_base_is_honoured_and_the_output_is_in_nanoseconds(
    engine: PicassoEngine, recorder: RecordingCallbacks
) -> None:
    engine.set_source_spec("a", encode_spec())
    frame = VideoFrame("a", "30/1", 64, 48, time_base=(1, 90_000), pts=3003, duration=1501)
    engine.send_frame("a", frame, make_pixels())
    engine.shutdown()
    assert (frame.pts, frame.dts, frame.duration) == (33_366_667, 33_366_667, 16_677_778)
    assert frame.time_base == (1, 1_000_000_000)
    assert recorder.errors() == []


def test_a_timestamp_beyond_64_bits_is_reported_and_the_source_goes_on(
    engine: PicassoEngine, recorder: RecordingCallbacks
) -> None:
    engine.set_source_spec("a", encode_spec())
    engine.send_frame("a", VideoFrame("a", "30/1", 64, 48, time_base=(1, 1), pts=2**62), make_pixels())
    send(engine, 1)
    engine.shutdown()
    ((stage, error),) = recorder.errors()
    assert stage == "input"
    assert "expected at most 9223372036854775807" in str(error)
    assert recorder.pts_ns() == [1]
