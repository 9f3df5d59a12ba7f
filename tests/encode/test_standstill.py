"""Encoders whose threads end up waiting for each other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import av
import pytest
from encoded_streams import Picture, decode, encode_all, psnr

from picasso.encode import Codec, Encoder
from picasso.encode import av as av_encoder
from picasso.encode.scheduling import TASKS
from picasso.encode.standstill import LOOK_S, LOOKS, StandstillError, WatchedCalls
from picasso.errors import EncoderError

Opened = Callable[..., Encoder]


@pytest.fixture
def closed_gate() -> Iterator[threading.Lock]:
    """A lock that nothing releases during the test; threads that wait for it end with the test."""
    gate = threading.Lock()
    before = set(threading.enumerate())
    with gate:
        yield gate
    for thread in set(threading.enumerate()) - before:
        thread.join()


@pytest.fixture
def stuck_at(closed_gate: threading.Lock, monkeypatch: pytest.MonkeyPatch) -> Callable[[set[int]], None]:
    """``stuck_at(numbers)``: the library stands still when it is asked for the n-th time, from 0."""
    packets_of, asked = av_encoder._packets_of, iter(range(1000))
    monkeypatch.setattr(av_encoder, "_stuck", [])

    def arrange(numbers: set[int]) -> None:
        def ask(context: object, frame: av.VideoFrame | None, owed: int) -> object:
            if next(asked) in numbers:
                with closed_gate:
                    return []
            return packets_of(context, frame, owed)

        monkeypatch.setattr(av_encoder, "_packets_of", ask)

    return arrange


def is_seen() -> bool:
    try:
        with open(f"{TASKS}/{threading.get_native_id()}/status") as file:
            return "ctxt_switches" in file.read()
    except OSError:
        return False


pytestmark = pytest.mark.skipif(not is_seen(), reason="this system does not tell what its threads do")


def test_a_call_that_nothing_can_wake_is_left_behind() -> None:
    calls, before, gate = WatchedCalls([]), set(threading.enumerate()), threading.Event()
    assert calls.call(lambda: 7) == 7
    with pytest.raises(StandstillError):
        calls.call(gate.wait)
    calls.close()
    left = set(threading.enumerate()) - before
    assert not [thread.name for thread in left if thread.name.startswith("picasso-")]
    gate.set()
    for thread in left:
        thread.join()


def test_a_call_that_computes_may_take_its_time() -> None:
    def compute() -> str:
        start = time.thread_time()
        while time.thread_time() - start < 2 * LOOK_S * LOOKS:
            pass
        return "done"

    calls = WatchedCalls([])
    assert calls.call(compute) == "done"
    calls.close()


def test_a_call_whose_other_threads_compute_may_take_its_time() -> None:
    started, is_done = threading.Event(), threading.Event()
    numbers: list[int] = []

    def compute() -> None:
        numbers.append(threading.get_native_id())
        started.set()
        start = time.thread_time()
        while time.thread_time() - start < 2 * LOOK_S * LOOKS:
            pass
        is_done.set()

    other = threading.Thread(target=compute)
    other.start()
    started.wait()
    calls = WatchedCalls(numbers)
    assert calls.call(is_done.wait)
    calls.close()
    other.join()


def test_what_a_call_raises_reaches_its_caller() -> None:
    calls = WatchedCalls([])
    with pytest.raises(ZeroDivisionError):
        calls.call(lambda: 1 / 0)
    assert calls.call(lambda: "after it") == "after it"
    calls.close()


def test_the_stream_of_an_encoder_that_stands_still_goes_on_with_a_keyframe(
    opened: Opened, clip: list[Picture], stuck_at: Callable[[set[int]], None], caplog: pytest.LogCaptureFixture
) -> None:
    stuck_at({3})
    units = encode_all(opened(Codec.AV1), clip[:6])
    assert [number for number, unit in enumerate(units) if unit.keyframe] == [0, 3]
    assert psnr(decode(Codec.AV1, units), clip[:6]) > 34  # a second keyframe at the same rate
    assert "stands still at frame 3" in caplog.text


def test_an_encoder_that_stands_still_at_the_end_of_its_stream_owes_nothing(
    opened: Opened, clip: list[Picture], stuck_at: Callable[[set[int]], None]
) -> None:
    stuck_at({2})
    assert len(encode_all(opened(Codec.AV1), clip[:2])) == 2


def test_a_process_keeps_few_encoders_that_stand_still(
    opened: Opened,
    clip: list[Picture],
    stuck_at: Callable[[set[int]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(av_encoder, "MAX_STUCK", 1)
    stuck_at({1})
    with pytest.raises(EncoderError, match="1 encoders of this process stand still"):
        encode_all(opened(Codec.AV1), clip[:2])
