"""How sources and runners end: sinks are closed and no thread waits indefinitely, even if one fails or blocks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flow_kit import BYPASS, Gated, Kept, Scripted, States, picture

from picasso.engine import OutputMessage, OverflowPolicy
from picasso.errors import ShutDownError
from picasso.flow import Downstream, Item, Output, RestartPolicy, Runner, SourceState
from picasso.flow.sink import SinkThread
from picasso.primitives import EndOfStream, VideoFrame
from picasso.surface import SurfaceView


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith(("feed-", "sink-"))]


class Fails:
    """A stage whose method of one name raises; frames pass through the others."""

    def __init__(self, method: str) -> None:
        self._method = method
        self._downstream: Downstream

    def open(self, downstream: Downstream) -> None:
        self._raise("open")
        self._downstream = downstream

    def frame(self, _source_id: str, frame: VideoFrame, surface: SurfaceView) -> None:
        self._raise("frame")
        self._downstream.send_frame(frame, surface)

    def end_stream(self, _source_id: str) -> None:
        self._raise("end_stream")
        self._downstream.end_stream()

    def close(self, _source_id: str) -> None:
        self._raise("close")

    def _raise(self, method: str) -> None:
        if method == self._method:
            raise ValueError(f"{method} fails")


@pytest.mark.parametrize(
    ("method", "read", "dropped"), [("open", 0, 0), ("frame", 1, 1), ("end_stream", 3, 0), ("close", 3, 0)]
)
def test_whatever_a_stage_raises_ends_its_source_and_closes_its_sinks(method: str, read: int, dropped: int) -> None:
    runner, sink = Runner(BYPASS, stage=Fails(method)), Kept()
    runner.add(Scripted("s", range(3)), sinks=[sink])
    (status,) = runner.run()
    assert (status.state, str(status.failure)) == (SourceState.FAILED, f"{method} fails")
    assert (status.read, status.delivered, status.dropped, sink.closed) == (read, read - dropped, dropped, 1)


def test_a_reader_that_cannot_be_closed_is_lost_as_any_other_and_opened_again() -> None:
    class Reader:
        def __init__(self) -> None:
            self._left = 2

        def __iter__(self) -> Iterator[Item]:
            return self

        def __next__(self) -> Item:
            self._left -= 1
            if self._left < 0:
                raise StopIteration
            return picture("s", self._left)

        def close(self) -> None:
            raise OSError("cannot be closed")

    class Source:
        source_id = "s"
        opened = 0

        def __iter__(self) -> Iterator[Item]:
            self.opened += 1
            return Reader() if self.opened < 3 else iter([picture("s", 7)])

        def stop(self) -> None:
            pass

    runner, source = Runner(BYPASS), Source()
    runner.add(source, restart=RestartPolicy(first_s=0.001))
    (status,) = runner.run()
    assert (source.opened, status.restarts, status.read, status.failure) == (3, 2, 5, None)


CALLERS = ["on_state", "sink", "on_output"]


@pytest.mark.parametrize("method", ["close", "remove"])
@pytest.mark.parametrize("caller", CALLERS)
def test_who_would_wait_for_itself_is_refused_and_the_runner_goes_on(caller: str, method: str) -> None:
    refused: list[str] = []

    def call(*_arguments: object) -> None:
        with pytest.raises(RuntimeError, match="belongs to a source that would be waited for; call stop") as caught:
            runner.close() if method == "close" else runner.remove("s")
        refused.append(str(caught.value))

    class Calls(Kept):
        def write(self, output: OutputMessage) -> None:
            call()
            super().write(output)

    sink = Calls() if caller == "sink" else Kept()
    runner = Runner(BYPASS, on_state=call if caller == "on_state" else None)
    output = Output(BYPASS, [sink], on_output=call if caller == "on_output" else None)
    runner.add(Scripted("s", range(3)), outputs=[output])
    (status,) = runner.run()
    assert refused
    assert (status.state, status.read, status.delivered, sink.frames, sink.closed) == (
        SourceState.ENDED,
        3,
        3,
        [0, 1, 2],
        1,
    )


def test_sinks_of_sources_that_were_never_read_are_closed() -> None:
    runner, left, removed = Runner(BYPASS), Kept(), Kept()
    runner.add(Scripted("left", range(3)), sinks=[left])
    runner.add(Scripted("removed", range(3)), sinks=[removed])
    assert runner.remove("removed").state is SourceState.ENDED
    assert runner.close()
    assert runner.close()
    assert (left.closed, removed.closed, left.seen) == (1, 1, [])
    with pytest.raises(ShutDownError, match=r"Runner\.add: the runner is closed"):
        runner.add(Scripted("late", range(3)))


def test_a_source_that_cannot_be_started_leaves_its_name_free_and_its_sinks_closed() -> None:
    sink = Kept()
    with Runner(BYPASS) as runner:
        runner.start()
        with pytest.raises(TypeError):
            runner.add(Scripted("s", range(3)), spec="no spec", sinks=[sink])  # type: ignore[arg-type]
        assert sink.closed == 1
        runner.add(Scripted("s", range(3)), sinks=[good := Kept()])
        (status,) = runner.run()
    assert (status.state, good.frames) == (SourceState.ENDED, [0, 1, 2])


def test_one_that_cannot_be_started_does_not_keep_the_others_from_it() -> None:
    bad, good = Kept(), Kept()
    runner = Runner(BYPASS)
    runner.add(Scripted("bad", range(3)), spec="no spec", sinks=[bad])  # type: ignore[arg-type]
    runner.add(Scripted("good", [*range(3), "wait"]), sinks=[good])
    with pytest.raises(TypeError):
        runner.run()
    states = {status.source_id: status.state for status in runner.statuses()}
    assert states == {"bad": SourceState.FAILED, "good": SourceState.ENDED}
    assert (bad.closed, good.closed) == (1, 1)


def test_a_source_that_is_paused_before_it_is_opened_waits() -> None:
    states = States()
    source = Scripted("s", [0, 1], is_live=True)
    runner = Runner(BYPASS, on_state=states)
    runner.add(source, sinks=[sink := Kept()])
    runner.pause("s")
    runner.start()
    states.wait_for(SourceState.PAUSED)
    assert source.opened == 0
    runner.resume("s")
    runner.run()
    assert (source.opened, sink.frames) == (1, [0, 1])


def test_a_sink_that_blocks_for_ever_keeps_neither_close_nor_other_sinks_waiting() -> None:
    stuck, good = Gated(), Kept()
    runner = Runner(BYPASS)
    output = Output(BYPASS, [stuck, good], sink_queue_frames=2)
    runner.add(Scripted("s", range(500)), outputs=[output])
    runner.start()
    stuck.entered.wait()
    try:
        assert not runner.close(0.1)
        while not good.closed:
            threading.Event().wait(0.001)
    finally:
        stuck.gate.set()
    assert runner.close(60)
    (status,) = runner.statuses()
    assert (status.read, stuck.closed, good.closed) == (status.delivered + status.dropped, 1, 1)


def message(step: int | str) -> OutputMessage:
    if isinstance(step, str):
        return OutputMessage(EndOfStream("s"), is_eos=True)
    return OutputMessage(picture("s", step)[0], is_eos=False)


@pytest.fixture
def blocked() -> Iterator[Callable[[OverflowPolicy], tuple[Gated, SinkThread]]]:
    """A sink that holds one frame, before a queue of two that is full."""
    made: list[tuple[Gated, SinkThread]] = []

    def make(policy: OverflowPolicy) -> tuple[Gated, SinkThread]:
        sink = Gated()
        thread = SinkThread(sink, "s", policy, 2)
        made.append((sink, thread))
        thread.start()
        thread.put(message(0))
        sink.entered.wait()
        thread.put(message(1))
        thread.put(message(2))
        return sink, thread

    yield make
    for sink, thread in made:
        sink.gate.set()
        thread.finish()
        assert thread.join(60)


def test_finish_lets_go_of_who_waits_for_a_full_queue_and_counts_the_frame(blocked: Any) -> None:
    sink, thread = blocked(OverflowPolicy.BLOCK)
    waits = threading.Thread(target=thread.put, args=[message(3)])
    waits.start()
    thread.finish()
    waits.join()
    thread.put(message(4))
    sink.gate.set()
    assert thread.join(60)
    assert (sink.seen, thread.status().written, thread.status().dropped, sink.closed) == ([0, 1, 2], 3, 2, 1)


@pytest.mark.parametrize("policy", [OverflowPolicy.DROP_NEWEST, OverflowPolicy.DROP_OLDEST], ids=str)
def test_ends_of_streams_neither_wait_nor_pile_up_where_frames_are_dropped(blocked: Any, policy: Any) -> None:
    sink, thread = blocked(policy)
    for _connection in range(100):
        thread.put(message("eos"))
    assert thread.status().waiting == 3
    sink.gate.set()
    thread.finish()
    assert thread.join(60)
    assert sink.seen == [0, 1, 2, "eos"]
