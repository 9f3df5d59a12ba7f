"""Clocks that jump, and timestamps at the ends of what 64 bits hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from faults_kit import assert_accounted, encode_spec, make_frame, make_pixels, send

from picasso.encode import Codec, open_encoder
from picasso.engine import PicassoEngine
from picasso.testing import FakeClock, MemoryEncoders, RecordingCallbacks

Make = Callable[..., PicassoEngine]
DAY_S = 86_400


@pytest.mark.parametrize("jumps_s", [[DAY_S], [-DAY_S], [DAY_S, -2 * DAY_S, 3 * DAY_S], [-1e9], [1e9]], ids=repr)
def test_a_clock_that_jumps_loses_nothing(
    make_engine: Make, recorder: RecordingCallbacks, clock: FakeClock, jumps_s: list[float]
) -> None:
    """Whether sources are evicted by it or not: they come back with their spec."""
    clock.advance(10 * DAY_S)
    engine = make_engine()
    engine.set_source_spec("a", encode_spec())
    sent = [send(engine, 0)]
    for number, jump_s in enumerate(jumps_s, 1):
        clock.advance(jump_s)
        sent += [send(engine, 2 * number), send(engine, 2 * number + 1)]
    engine.send_eos("a")
    engine.shutdown(timeout=5)
    assert_accounted(recorder, sent)
    assert recorder.errors() == []
    assert len([pts for pts in recorder.pts_ns() if pts is not None]) == len(sent)


def test_after_a_clock_that_went_back_an_encoder_is_tried_again_in_time(
    make_engine: Make, recorder: RecordingCallbacks, clock: FakeClock, encoders: MemoryEncoders
) -> None:
    """A failure to open is followed by a wait of a second; the clock going back must not make it a day."""
    clock.advance(DAY_S)
    encoders.failures_to_open = 1
    engine = make_engine(idle_timeout_secs=10 * DAY_S)
    engine.set_source_spec("a", encode_spec())
    send(engine, 0)
    recorder.wait_for("on_error")
    clock.advance(-DAY_S)
    clock.advance(1)
    send(engine, 1)
    engine.shutdown()
    assert recorder.pts_ns() == [1_000_000]


EXTREMES = [0, 1, 2**31, 2**32 + 1, 2**53 + 1, 2**62, 2**63 - 2, 2**63 - 1]


@pytest.mark.parametrize(
    "codec", [Codec.H264, Codec.HEVC, Codec.AV1, Codec.JPEG, Codec.RAW_NV12], ids=lambda c: c.name()
)
def test_real_encoders_give_every_timestamp_back_or_report_it(
    make_engine: Make, recorder: RecordingCallbacks, codec: Codec
) -> None:
    engine = make_engine(encoder_factory=open_encoder)
    engine.set_source_spec("a", encode_spec(64, 64, codec))
    sent = []
    for pts in [*EXTREMES, 5, 6]:
        sent.append(frame := make_frame())
        frame.pts = pts
        engine.send_frame("a", frame, make_pixels())
    engine.send_eos("a")
    engine.shutdown(timeout=60)
    assert_accounted(recorder, sent)
    came = [pts for pts in recorder.pts_ns() if pts is not None]
    assert came[-2:] == [5, 6], "the source goes on"
    assert set(came) <= {*EXTREMES, 5, 6}
    assert came == [*EXTREMES, 5, 6] or recorder.errors()


@pytest.mark.parametrize("timeout", [1e300, float("inf"), 10**400, None], ids=lambda timeout: f"{timeout!s:.8}")
def test_a_deadline_in_the_far_future_is_none(
    make_engine: Make, recorder: RecordingCallbacks, timeout: float | None
) -> None:
    engine = make_engine()
    engine.set_source_spec("a", encode_spec())
    send(engine, timeout=timeout)
    engine.shutdown(timeout=timeout)
    assert recorder.pts_ns() == [0]
