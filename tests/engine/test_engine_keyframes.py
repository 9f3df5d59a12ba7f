"""Keyframes that someone asks for amid a stream, of the encoders that make streams."""

from __future__ import annotations

from typing import Any

import pytest
from engine_kit import WIDTH, bypass_spec, encode, make_pixels, send

from picasso.encode import Codec, EncoderConfig
from picasso.engine import Callbacks, GeneralSpec, PicassoEngine, SourceSpec
from picasso.testing import MemoryEncoder, RecordingCallbacks


@pytest.mark.parametrize("codec", [Codec.H264, Codec.HEVC, Codec.AV1])
def test_the_next_frame_after_a_request_is_a_keyframe_and_those_behind_it_are_not(
    recorder: RecordingCallbacks, codec: Codec
) -> None:
    with PicassoEngine(GeneralSpec(), recorder.callbacks("on_encoded_frame", "on_error")) as engine:
        engine.set_source_spec("a", SourceSpec(encode(WIDTH, WIDTH, codec=codec)))
        for number in range(6):
            if number in {0, 3}:  # the first is one in any case
                engine.request_keyframe("a")
            send(engine, number * 40_000_000)
    keyframes = [output.as_video_frame().keyframe for output in recorder.outputs()]
    assert keyframes == [True, False, False, True, False, False]
    assert recorder.errors() == []


def test_a_request_waits_for_a_frame_that_is_encoded(engine: PicassoEngine, recorder: RecordingCallbacks) -> None:
    """The frame behind it is refused for its size; the next one gets it, and others get none."""
    engine.set_source_spec("a", SourceSpec(encode()))
    engine.set_source_spec("b", bypass_spec())
    send(engine, 0)
    for source_id in ("a", "b", "no one"):
        engine.request_keyframe(source_id)
    frame = send(engine, 0, "b")
    bad = frame.copy()
    bad.pts, bad.width = 1, 8
    engine.send_frame("a", bad, make_pixels())
    for pts in (2, 3):
        send(engine, pts)
    engine.shutdown()
    assert [output.as_video_frame().keyframe for output in recorder.outputs("a")] == [True, True, False]
    assert "no one" not in engine.stats().sources


def test_an_encoder_that_knows_nothing_of_keyframes_works_until_somebody_asks(recorder: RecordingCallbacks) -> None:
    class Plain(MemoryEncoder):
        def encode(self, surface: Any, pts_ns: int, duration_ns: int | None) -> Any:  # type: ignore[override]
            return super().encode(surface, pts_ns, duration_ns)

    def open_plain(config: EncoderConfig) -> Plain:
        return Plain(config)

    callbacks: Callbacks = recorder.callbacks("on_encoded_frame", "on_error")
    with PicassoEngine(GeneralSpec(), callbacks, encoder_factory=open_plain) as engine:
        engine.set_source_spec("a", SourceSpec(encode()))
        send(engine, 0)
        send(engine, 1)
        engine.request_keyframe("a")
        send(engine, 2)
        send(engine, 3)
    assert [stage for stage, _ in recorder.errors()] == ["encode"]
    assert recorder.pts_ns() == [0, 1, 3], "and the source goes on"
