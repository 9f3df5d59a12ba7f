"""Ctrl-C at every point of every call: nothing is left half done, nothing hangs afterwards."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from faults_kit import STEP_NS, bypass_spec, make_frame, make_pixels, send

import picasso.engine
from picasso.engine import GeneralSpec, PicassoEngine
from picasso.testing import RecordingCallbacks

ENGINE = str(Path(picasso.engine.__file__).parent)


class Interrupt(KeyboardInterrupt):
    """A Ctrl-C of ours."""


@contextmanager
def interrupted_at(count: int) -> Iterator[list[int]]:
    """Raise ``Interrupt`` at the ``count``-th point of the engine's code where this thread can be interrupted.

    CPython looks for signals when a function begins and after a call of C code: these are the events of a profiler.
    """
    seen = [0]

    def look(frame: Any, event: str, _argument: object) -> None:
        if event in {"call", "c_return"} and frame.f_code.co_filename.startswith(ENGINE):
            seen[0] += 1
            if seen[0] == count:
                raise Interrupt

    sys.setprofile(look)
    try:
        yield seen
    finally:
        sys.setprofile(None)


def begin(engine: PicassoEngine) -> None:
    """Have two sources, one of them with frames."""
    engine.set_source_spec("a", bypass_spec())
    send(engine, 0)
    engine.set_source_spec("b", bypass_spec())


CALLS: dict[str, Callable[[PicassoEngine], object]] = {
    "send_frame": lambda engine: engine.send_frame("a", make_frame(1), make_pixels()),
    "send_frame to a new source": lambda engine: engine.send_frame("c", make_frame(1, "c"), make_pixels()),
    "send_eos": lambda engine: engine.send_eos("a"),
    "set_source_spec": lambda engine: engine.set_source_spec("a", bypass_spec()),
    "set_source_spec of a new source": lambda engine: engine.set_source_spec("c", bypass_spec()),
    "remove_source_spec": lambda engine: engine.remove_source_spec("b"),
    "stats": lambda engine: engine.stats(),
    "shutdown": lambda engine: engine.shutdown(),
}


def interrupt(call: Callable[[PicassoEngine], object], count: int, recorder: RecordingCallbacks) -> bool:
    """Interrupt ``call`` at a point and use the engine on; return False when the call has no such point."""
    with PicassoEngine(GeneralSpec(inflight_queue_size=1), recorder.callbacks()) as engine:
        begin(engine)
        recorder.wait_for("on_bypass_frame")
        with suppress(Interrupt), interrupted_at(count) as seen:
            call(engine)
        if repr(engine) == "PicassoEngine(running)":
            for source_id in "abc":
                engine.set_source_spec(source_id, bypass_spec())
                for number in range(10, 14):
                    send(engine, number, source_id, timeout=20)
    return seen[0] >= count


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_an_interrupt_at_any_point_leaves_the_engine_whole(call: Callable[[PicassoEngine], object]) -> None:
    """After it every source still takes more frames than its queue holds, gives them back, and everything ends."""
    for count in itertools.count(1):
        recorder = RecordingCallbacks()
        if not interrupt(call, count, recorder):
            break
        for source_id in "abc":
            came = [number for pts in recorder.pts_ns(source_id) if (number := (pts or 0) // STEP_NS) >= 10]
            assert came in ([], [10, 11, 12, 13]), f"interrupted at point {count}"
        assert recorder.errors() == []
    assert count > 5
