"""Callbacks that raise in every place at once, and callbacks that never return."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from faults_kit import (
    CALLBACKS,
    Gate,
    assert_accounted,
    bypass_spec,
    drawn_spec,
    join_engine_threads,
    make_frame,
    make_pixels,
    send,
)

from picasso.engine import Callbacks, ConditionalSpec, GeneralSpec, PicassoEngine
from picasso.testing import FakeClock, MemoryEncoders, RecordingCallbacks

SLOTS = list(Callbacks.__dataclass_fields__)
GATE = ConditionalSpec(encode_attribute=("gate", "open"))


def provoke(engine: PicassoEngine, slot: str) -> list[Any]:
    """Have ``slot`` called for source ``a``, with frames behind it; return what was sent."""
    spec = bypass_spec() if slot == "on_bypass_frame" else drawn_spec(idle_timeout_secs=0.05)
    engine.set_source_spec("a", bypass_spec(conditional=GATE) if slot == "on_gated_frame" else spec)
    sent = []
    if slot == "on_error":
        sent.append(make_frame(0))
        engine.send_frame("a", sent[0], make_pixels(8, 8))
    if slot != "on_eviction":
        sent += [send(engine, number) for number in ([1, 1, 2] if slot == "on_stream_reset" else [1, 2, 3])]
    return sent


class Oddity(BaseException):
    """An exception that no one knows."""


@pytest.mark.parametrize("error", [RuntimeError, MemoryError, SystemExit, GeneratorExit, Oddity])
def test_when_every_callback_raises_nothing_is_lost_and_everything_ends(
    clock: FakeClock, recorder: RecordingCallbacks, make_engine: Callable[..., PicassoEngine], error: type
) -> None:
    def fail(*_: object) -> None:
        raise error("told to")

    recorder.on = dict.fromkeys(SLOTS, fail)
    engine = make_engine()
    engine.set_source_spec("a", drawn_spec(idle_timeout_secs=5))
    engine.set_source_spec("b", bypass_spec())
    engine.set_source_spec("c", bypass_spec(conditional=GATE))
    sent = [send(engine, number, source_id) for number in (1, 2, 2, 3) for source_id in "abc"]
    engine.send_frame("a", frame := make_frame(9), make_pixels(8, 8))
    engine.send_eos("a")
    engine.send_eos("b")
    recorder.wait_until(lambda calls: sum(call.is_sentinel for call in calls) == 3)
    clock.wait_for_sleepers(3)
    clock.advance(5)
    recorder.wait_for("on_eviction")
    sent.append(send(engine, 10))
    engine.shutdown()
    assert_accounted(recorder, [*sent, frame])
    stages = {stage for stage, _ in recorder.errors()}
    assert stages == {*CALLBACKS, "input"}


@pytest.mark.parametrize("slot", SLOTS)
def test_a_callback_that_blocks_holds_up_its_source_only_and_shutdown_only_until_its_deadline(
    encoders: MemoryEncoders, recorder: RecordingCallbacks, slot: str
) -> None:
    """Real time: idle for 0.05 s, a deadline of 0.2 s; what is queued then is reported, what is held comes out."""
    gate = Gate()
    recorder.on[slot] = lambda *_: gate.wait() if threading.current_thread().name == "picasso-a" else None
    slots = [name for name in SLOTS if name != "on_eviction" or slot == name]
    engine = PicassoEngine(GeneralSpec(), recorder.callbacks(*slots), encoder_factory=encoders)
    engine.set_source_spec("b", bypass_spec())
    sent = provoke(engine, slot)
    assert gate.entered.wait(20)
    sent += [send(engine, number, "b") for number in range(50)]
    engine.remove_source_spec("b")
    assert len(recorder.outputs("b")) == 50, "another source goes on"
    sent.append(send(engine, 20))
    began = time.monotonic()
    engine.shutdown(timeout=0.2)
    assert 0.2 <= time.monotonic() - began < 20
    assert "queue" in {stage for stage, _ in recorder.errors()}
    gate.open()
    engine.shutdown()
    join_engine_threads()
    assert_accounted(recorder, sent)
