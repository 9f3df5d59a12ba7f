"""Encoders that fail in every way that Python has, answer nonsense, or never answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from faults_kit import Gate, assert_accounted, bypass_spec, encode_spec, join_engine_threads, send

from picasso.encode import EncodedUnit, EncoderConfig
from picasso.engine import GeneralSpec, PicassoEngine
from picasso.testing import MemoryEncoder, RecordingCallbacks

Make = Callable[..., PicassoEngine]


class Faulty:
    """A memory encoder, one of whose parts does something else; once or always."""

    def __init__(self, config: EncoderConfig, part: str, action: Callable[..., Any]) -> None:
        self._encoder = MemoryEncoder(config, delay=1)
        self._part = part
        self._action = action

    def __getattr__(self, name: str) -> Any:
        if name != self._part:
            return getattr(self._encoder, name)
        if name in {"input_format", "color"}:
            return self._action()
        return self._action


def faulty(part: str, action: Callable[..., Any]) -> Callable[[EncoderConfig], Any]:
    """Return a factory; ``open`` fails in it, every other part in the first encoder that it opens."""
    encoders = iter([lambda config: action() if part == "open" else Faulty(config, part, action)])
    return lambda config: next(encoders, lambda later: MemoryEncoder(later, delay=1))(config)  # noqa: PLW0108  # not yet


def run(make_engine: Make, factory: Callable[[EncoderConfig], Any]) -> list[Any]:
    """Send frames to a source with this encoder and to one beside it, change the first one's encoder, end it."""
    engine = make_engine(encoder_factory=factory)
    engine.set_source_spec("a", encode_spec())
    engine.set_source_spec("b", bypass_spec())
    sent = [send(engine, number, source_id) for number in range(4) for source_id in "ab"]
    engine.set_source_spec("a", encode_spec(64, 64))
    sent += [send(engine, number) for number in range(4, 8)]
    engine.send_eos("a")
    sent += [send(engine, number) for number in range(8, 12)]
    engine.shutdown(timeout=30)
    return sent


@pytest.mark.parametrize("error", [RuntimeError, MemoryError, SystemExit, KeyboardInterrupt], ids=lambda e: e.__name__)
@pytest.mark.parametrize("part", ["open", "input_format", "color", "encode", "flush", "close", "reconfigure"])
def test_an_encoder_that_fails_costs_frames_that_are_reported_and_nothing_else(
    make_engine: Make, recorder: RecordingCallbacks, part: str, error: type[BaseException]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error("told to")

    sent = run(make_engine, faulty(part, fail))
    assert_accounted(recorder, sent)
    assert any(isinstance(raised, error) for _, raised in recorder.errors())
    assert len(recorder.outputs("b")) == 4
    came = [pts for pts in recorder.pts_ns("a") if pts is not None]
    assert came[-4:] == [number * 1_000_000 for number in range(8, 12)], "after it the source is as good as new"
    assert recorder.pts_ns("a").count(None) == 1, "the end of the stream still comes"


UNIT = EncodedUnit(b"data", 5, 5, None, True)
NONSENSE = {
    "None": None,
    "a number": 7,
    "texts": ["x"],
    "a unit of no frame": [UNIT],
    "the same unit twice": [UNIT, UNIT],
    "a unit without bytes": [EncodedUnit(None, 0, 0, None, True)],  # type: ignore[arg-type]  # the point of it
    "a time below zero": [EncodedUnit(b"x", 0, -5, -5, True)],
}


@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE.keys())
@pytest.mark.parametrize("part", ["encode", "flush"])
def test_nonsense_from_an_encoder_is_reported(
    make_engine: Make, recorder: RecordingCallbacks, part: str, answer: object
) -> None:
    sent = run(make_engine, faulty(part, lambda *_, **__: answer))
    assert_accounted(recorder, sent)
    assert recorder.errors("a")
    assert recorder.pts_ns("a").count(None) == 1


def test_an_encoder_that_never_answers_holds_up_shutdown_until_its_deadline_only(
    recorder: RecordingCallbacks,
) -> None:
    gate = Gate()
    factory = faulty("encode", lambda *_, **__: [gate.wait()][:0])
    engine = PicassoEngine(GeneralSpec(), recorder.callbacks(), encoder_factory=factory)
    engine.set_source_spec("a", encode_spec())
    engine.set_source_spec("b", bypass_spec())
    sent = [send(engine, number, source_id) for number in range(4) for source_id in "ab"]
    assert gate.entered.wait(20)
    began = time.monotonic()
    engine.shutdown(timeout=0.2)
    assert 0.2 <= time.monotonic() - began < 20
    assert len(recorder.outputs("b")) == 4
    gate.open()
    join_engine_threads()
    assert_accounted(recorder, sent)
