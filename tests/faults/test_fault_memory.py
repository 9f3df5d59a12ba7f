"""No memory, no threads: what cannot be had costs the frames that needed it, and they are reported."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from faults_kit import assert_accounted, bypass_spec, encode_spec, run_script, send

from picasso.engine import PicassoEngine
from picasso.surface import SurfaceView
from picasso.testing import FakeClock, MemoryEncoders, RecordingCallbacks

Make = Callable[..., PicassoEngine]


def test_without_memory_for_its_picture_a_source_loses_frames_and_goes_on_when_there_is_some(
    make_engine: Make, recorder: RecordingCallbacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, allocate = make_engine(), SurfaceView.allocate
    short = threading.Event()
    short.set()

    def allocate_if_there_is(*arguments: Any) -> SurfaceView:
        if short.is_set():
            raise MemoryError("none left")
        return allocate(*arguments)

    monkeypatch.setattr(SurfaceView, "allocate", allocate_if_there_is)
    engine.set_source_spec("a", encode_spec())
    sent = [send(engine, number) for number in range(3)]
    engine.send_eos("a")
    recorder.wait_for("on_encoded_frame")
    short.clear()
    sent += [send(engine, number) for number in range(3, 6)]
    engine.shutdown()
    assert_accounted(recorder, sent)
    assert [stage for stage, _ in recorder.errors()] == ["transform"] * 3
    assert recorder.pts_ns() == [None, 3_000_000, 4_000_000, 5_000_000]


PRESSURE = """
import resource
recorder = RecordingCallbacks()
engine = PicassoEngine(GeneralSpec(), recorder.callbacks(), encoder_factory=MemoryEncoders())
engine.set_source_spec("small", encode_spec())
send(engine, 0, "small")
recorder.wait_for("on_encoded_frame", timeout_s=60)
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + 150 * 2**20  # room for threads, not for a picture of 1 GiB
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
engine.set_source_spec("huge", encode_spec(16384, 16384))
sent = [send(engine, number, source_id) for number in range(1, 5) for source_id in ("huge", "small")]
engine.shutdown(timeout=30)
assert len(recorder.outputs("small")) == 5, recorder.calls()
assert recorder.outputs("huge") == []
print(*(f"{stage}:{type(error).__name__}" for stage, error in recorder.errors()))
"""


def test_under_a_memory_limit_a_huge_source_fails_by_itself() -> None:
    lines = run_script(PRESSURE)
    assert len(lines) == 4
    assert all("Memory" in line and line.startswith("transform:") for line in lines)


def test_without_a_thread_a_send_fails_and_the_source_keeps_its_spec(
    make_engine: Make,
    recorder: RecordingCallbacks,
    clock: FakeClock,
    encoders: MemoryEncoders,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also one that was evicted and is to come back."""
    engine = make_engine(idle_timeout_secs=1)
    engine.set_source_spec("a", bypass_spec())
    first = send(engine, 0)
    recorder.wait_for("on_bypass_frame")
    clock.wait_for_sleepers(1)
    clock.advance(1)
    recorder.wait_for("on_bypass_frame", 2)
    (worker,) = [thread for thread in threading.enumerate() if thread.name == "picasso-a"] or [threading.Thread()]
    if worker.ident:
        worker.join(20)
    with monkeypatch.context() as patch:

        def refuse(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        patch.setattr(threading.Thread, "start", refuse)
        for source_id in ("a", "b"):
            with pytest.raises(RuntimeError, match="can't start new thread"):
                send(engine, 1, source_id)
            with pytest.raises(RuntimeError, match="can't start new thread"):
                engine.set_source_spec("b", bypass_spec())
    second = send(engine, 2)
    engine.shutdown()
    assert recorder.pts_ns() == [0, None, 2_000_000], "it is bypassed as before, not dropped"
    assert_accounted(recorder, [first, second])
