"""A sink behind its queue: order, full queues, failures."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from flow_kit import FRAME_NS, SIZE_WH, Gated, Kept

from picasso.engine import OutputMessage, OverflowPolicy
from picasso.flow.sink import SinkThread
from picasso.primitives import EndOfStream, VideoFrame


def message(step: int | str) -> OutputMessage:
    if isinstance(step, str):
        return OutputMessage(EndOfStream("s"), is_eos=True)
    return OutputMessage(VideoFrame("s", (25, 1), *SIZE_WH, time_base=(1, 10**9), pts=step * FRAME_NS), is_eos=False)


def played(sink: Kept, policy: OverflowPolicy, steps: Sequence[int | str], queue_frames: int = 2) -> SinkThread:
    """Put the steps while a gated sink holds the first one, then let it go on and close it."""
    thread = SinkThread(sink, "s", policy, queue_frames)
    thread.start()
    for step in steps:
        thread.put(message(step))
        if isinstance(sink, Gated):
            sink.entered.wait()
    if isinstance(sink, Gated):
        sink.gate.set()
    thread.finish()
    assert thread.join(60)
    return thread


def test_blocking_hands_everything_on_in_order_and_closes_once() -> None:
    sink = Kept()
    status = played(sink, OverflowPolicy.BLOCK, [*range(50), "eos", *range(50, 60)]).status()
    assert sink.seen == [*range(50), "eos", *range(50, 60)]
    assert (sink.closed, status.written, status.dropped, status.waiting, status.failure) == (1, 60, 0, 0, None)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [(OverflowPolicy.DROP_NEWEST, [0, 1, 2]), (OverflowPolicy.DROP_OLDEST, [0, 4, 5])],
    ids=str,
)
def test_a_full_queue_drops_by_its_policy_and_counts(policy: OverflowPolicy, expected: list[int]) -> None:
    sink = Gated()
    status = played(sink, policy, range(6)).status()
    assert sink.seen == expected
    assert (status.written, status.dropped) == (3, 3)


def test_the_end_of_a_stream_is_never_dropped() -> None:
    sink = Gated()
    thread = SinkThread(sink, "s", OverflowPolicy.DROP_OLDEST, 2)
    thread.start()
    thread.put(message(0))
    sink.entered.wait()
    thread.put(message("eos"))
    for index in range(1, 4):
        thread.put(message(index))
    sink.gate.set()
    thread.finish()
    assert thread.join(60)
    assert sink.seen == [0, "eos", 3]


def test_a_sink_that_raises_takes_nothing_more_and_is_still_closed(caplog: pytest.LogCaptureFixture) -> None:
    sink = Kept(fails_at=2, fails_to_close=True)
    status = played(sink, OverflowPolicy.BLOCK, range(10)).status()
    assert (sink.seen, sink.closed) == ([0, 1], 1)
    assert (status.written, status.dropped, str(status.failure)) == (2, 8, "the disk is full")
    assert caplog.messages == ["source 's': a sink failed and takes nothing more: the disk is full"]


def test_an_error_at_the_close_is_kept() -> None:
    status = played(Kept(fails_to_close=True), OverflowPolicy.BLOCK, [0]).status()
    assert (status.written, str(status.failure)) == (1, "the disk is gone")
