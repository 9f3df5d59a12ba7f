"""Threads that start, remove, close and fail at the same time: each thing happens once, and every frame is counted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from flow_kit import BYPASS, FRAME_NS, SIZE_WH, Kept, Scripted

from picasso.engine import OutputMessage, OverflowPolicy, PicassoEngine, SourceSpec
from picasso.flow import Runner, SourceState
from picasso.flow.sink import SinkThread
from picasso.primitives import VideoFrame


@pytest.mark.usefixtures("hasty")
def test_a_source_that_several_threads_start_remove_and_close_is_ended_once() -> None:
    together = threading.Barrier(3)

    def do(step: Callable[[], object]) -> None:
        together.wait()
        with suppress(KeyError):  # another thread has removed it
            step()

    with ThreadPoolExecutor(3) as threads:
        for number in range(30):
            runner, sink = Runner(BYPASS), Kept()
            runner.add(Scripted("s", range(3)), sinks=[sink])
            third = runner.close if number % 2 else lambda runner=runner: runner.remove("s")
            list(threads.map(do, [runner.start, lambda runner=runner: runner.remove("s"), third]))
            assert runner.close()
            assert sink.closed == 1
            assert sink.frames == list(range(len(sink.frames)))


def test_a_frame_that_a_sink_has_taken_from_its_queue_is_counted_when_it_is_given_up() -> None:
    """``write`` has not begun yet: the frame is neither in the queue nor with the sink."""
    taken, goes_on = threading.Event(), threading.Event()

    sink = Kept()
    thread = SinkThread(sink, "s", OverflowPolicy.BLOCK, 4)
    take = thread._next

    def take_and_wait() -> OutputMessage | None:
        output = take()
        taken.set()
        goes_on.wait()
        return output

    thread._next = take_and_wait  # type: ignore[method-assign]
    thread.start()
    frame = VideoFrame("s", (25, 1), *SIZE_WH, time_base=(1, 10**9), pts=FRAME_NS)
    thread.put(OutputMessage(frame, is_eos=False))
    taken.wait()
    thread.give_up()
    goes_on.set()
    assert thread.join(60)
    status = thread.status()
    assert (status.came, status.written, status.dropped_by) == (1, 0, {"stopped": 1})


def test_a_source_that_another_thread_is_about_to_start_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    runner, sink = Runner(BYPASS), Kept()
    entered, goes_on = threading.Event(), threading.Event()
    set_spec = PicassoEngine.set_source_spec

    def set_spec_later(engine: PicassoEngine, source_id: str, spec: SourceSpec) -> None:
        entered.set()
        goes_on.wait()
        set_spec(engine, source_id, spec)

    monkeypatch.setattr(PicassoEngine, "set_source_spec", set_spec_later)
    runner.start()
    other = threading.Thread(target=runner.add, args=(Scripted("s", range(3)),), kwargs={"sinks": [sink]})
    other.start()
    entered.wait()
    (status,) = runner.run(lambda _statuses: goes_on.set())
    other.join()
    assert (status.state, status.delivered, sink.frames, sink.closed) == (SourceState.ENDED, 3, [0, 1, 2], 1)
