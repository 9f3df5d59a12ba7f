"""Floods, stalls and crowds: what one source does is nothing to another."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from faults_kit import Gate, assert_accounted, bypass_spec, encode_spec, join_engine_threads, send

from picasso.engine import DropReason, PicassoEngine
from picasso.errors import ShutDownError
from picasso.testing import RecordingCallbacks

Make = Callable[..., PicassoEngine]


@pytest.mark.parametrize("overflow", ["block", "drop_oldest", "drop_newest"])
def test_a_source_that_floods_is_nothing_to_the_others(
    make_engine: Make, recorder: RecordingCallbacks, overflow: str
) -> None:
    engine = make_engine(inflight_queue_size=2)
    engine.set_source_spec("flood", encode_spec(overflow=overflow))
    over = threading.Event()
    sent = []

    def flood() -> None:
        while not over.is_set() or len(sent) < 500:
            sent.append(send(engine, len(sent), "flood"))

    flooder = threading.Thread(target=flood)
    flooder.start()
    for source_id in "abcd":
        engine.set_source_spec(source_id, bypass_spec())
    calm = [send(engine, number, source_id) for number in range(100) for source_id in "abcd"]
    for source_id in "abcd":
        engine.remove_source_spec(source_id)
    over.set()
    flooder.join(60)
    engine.shutdown()
    assert {len(recorder.outputs(source_id)) for source_id in "abcd"} == {100}
    stats = engine.stats().sources["flood"]
    assert stats.frames_in == len(sent)
    assert stats.frames_in == stats.frames_out + stats.dropped[DropReason.OVERFLOW]
    assert recorder.errors() == []
    assert len(calm) == 400


def test_senders_of_a_stalled_source_are_freed_by_a_shutdown_with_a_deadline(
    make_engine: Make, recorder: RecordingCallbacks
) -> None:
    """Its callback hangs, its queue is full, eight threads wait to send: they are refused, none hangs on."""
    engine = make_engine(inflight_queue_size=1)
    gate = recorder.on["on_bypass_frame"] = Gate().wait
    engine.set_source_spec("a", bypass_spec())
    sent = [send(engine, 0)]
    stalled: Gate = gate.__self__  # type: ignore[attr-defined]  # a bound method
    assert stalled.entered.wait(20)
    sent.append(send(engine, 1))
    refused: list[Exception] = []

    def insist(number: int) -> None:
        try:
            send(engine, number)
        except ShutDownError as error:
            refused.append(error)

    senders = [threading.Thread(target=insist, args=(number,)) for number in range(2, 10)]
    for sender in senders:
        sender.start()
    closer = threading.Thread(target=engine.shutdown, kwargs={"timeout": 0})
    closer.start()
    for thread in [closer, *senders]:
        thread.join(60)
        assert not thread.is_alive()
    assert len(refused) == 8
    stalled.open()
    join_engine_threads()
    assert_accounted(recorder, sent)


def test_a_thousand_sources_at_once_end_together(make_engine: Make, recorder: RecordingCallbacks) -> None:
    engine = make_engine()
    sent = []
    for number in range(1000):
        engine.set_source_spec(f"source-{number}", bypass_spec())
        sent.append(send(engine, number, f"source-{number}"))
    engine.shutdown(timeout=None)
    assert_accounted(recorder, sent)
    assert recorder.errors() == []
