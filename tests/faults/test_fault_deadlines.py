"""``shutdown(timeout=…)`` and the interpreter's end keep their deadline, even if the user's code blocks.

That something returns at all is the proof: what holds it up is released only afterwards; scripts are ended after 50 s.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from faults_kit import Gate, bypass_spec, encode_spec, join_engine_threads, make_frame, run_script, send

from picasso.engine import Callbacks, DropReason, GeneralSpec, PicassoEngine
from picasso.testing import MemoryEncoder, RecordingCallbacks

SHORT_S = 0.05


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()


def stuck_engine(gate: Gate, **callbacks: Callable[..., Any]) -> PicassoEngine:
    """An engine whose source ``a`` is stuck in a callback with one frame, and has another in its queue."""
    engine = PicassoEngine(GeneralSpec(), Callbacks(on_bypass_frame=gate.wait, **callbacks))
    engine.set_source_spec("a", bypass_spec())
    send(engine, 0)
    assert gate.entered.wait(20)
    send(engine, 1)
    return engine


def counters(engine: PicassoEngine) -> tuple[int, int, int]:
    stats = engine.stats().sources["a"]
    return stats.frames_in, stats.frames_out, stats.dropped[DropReason.ERROR]


def test_on_error_that_wants_the_lock_of_the_stuck_callback_is_told_later() -> None:
    gate, lock, reports = Gate(), threading.Lock(), []

    def stick(*_: object) -> None:
        with lock:
            gate.wait()

    def report(*arguments: Any) -> None:
        with lock:
            reports.append(arguments[1])

    engine = PicassoEngine(GeneralSpec(), Callbacks(on_bypass_frame=stick, on_error=report))
    engine.set_source_spec("a", bypass_spec())
    send(engine, 0)
    assert gate.entered.wait(20)
    queued = send(engine, 1)
    engine.shutdown(timeout=SHORT_S)
    assert counters(engine) == (2, 0, 1), "counted, though no one could be told"
    assert not queued.is_claimed
    gate.open()
    engine.shutdown()
    join_engine_threads()
    assert reports == ["queue"]
    assert counters(engine) == (2, 1, 1)


def test_on_error_may_shut_the_engine_down_while_it_is_told_what_a_shutdown_gave_up(gate: Gate) -> None:
    told = threading.Event()

    def report(*_: object) -> None:
        engine.shutdown()
        told.set()

    engine = stuck_engine(gate, on_error=report)
    engine.shutdown(timeout=SHORT_S)
    assert told.wait(20)
    gate.open()
    join_engine_threads()


def test_a_handler_of_the_log_that_blocks_holds_nothing_up(gate: Gate) -> None:
    blocked = Gate()

    class Blocking(logging.Handler):
        def emit(self, _: logging.LogRecord) -> None:
            blocked.wait()

    handler, logger = Blocking(), logging.getLogger("picasso.engine")
    engine = stuck_engine(gate)
    logger.addHandler(handler)
    try:
        engine.shutdown(timeout=SHORT_S)
        assert blocked.entered.wait(20)
        assert counters(engine) == (2, 0, 1)
    finally:
        logger.removeHandler(handler)
        blocked.open()
    gate.open()
    join_engine_threads()


class Pixels:
    """Pixels whose end blocks."""

    def __init__(self, end: Callable[[], object]) -> None:
        self._array, self._end = np.zeros((48, 64, 4), np.uint8), end
        self.__array_interface__ = self._array.__array_interface__

    def __del__(self) -> None:
        self._end()


def test_pixels_whose_end_blocks_hold_nothing_up(gate: Gate) -> None:
    blocked = Gate()
    engine = stuck_engine(gate)
    engine.send_frame("a", make_frame(2), Pixels(blocked.wait))
    engine.shutdown(timeout=SHORT_S)
    assert blocked.entered.wait(20)
    assert counters(engine) == (3, 0, 2)
    blocked.open()
    gate.open()
    join_engine_threads()


def test_a_full_queue_drops_pixels_outside_of_its_lock(gate: Gate) -> None:
    """Their end may call the engine, or wait for a thread that does."""
    engine = PicassoEngine(GeneralSpec(inflight_queue_size=1), Callbacks(on_bypass_frame=gate.wait))
    engine.set_source_spec("a", bypass_spec(overflow="drop_oldest"))
    send(engine, 0)
    assert gate.entered.wait(20)

    def call_from_elsewhere() -> None:
        thread = threading.Thread(target=send, args=(engine, 9))
        thread.start()
        thread.join()

    engine.send_frame("a", make_frame(1), Pixels(call_from_elsewhere))
    send(engine, 2)
    gate.open()
    engine.shutdown()
    stats = engine.stats().sources["a"]
    assert (stats.frames_in, stats.frames_out, stats.dropped[DropReason.OVERFLOW]) == (4, 2, 2)


@pytest.mark.parametrize("part", ["open", "encode", "flush", "close"])
def test_an_encoder_that_is_stuck_holds_nothing_up(recorder: RecordingCallbacks, gate: Gate, part: str) -> None:
    class Stuck(MemoryEncoder):
        pass

    if part != "open":
        setattr(Stuck, part, lambda *_, **__: [gate.wait()][:0])

    def open_encoder(config: Any) -> MemoryEncoder:
        if part == "open":
            gate.wait()
        return Stuck(config)

    engine = PicassoEngine(GeneralSpec(), recorder.callbacks(), encoder_factory=open_encoder)
    engine.set_source_spec("a", encode_spec())
    send(engine, 0)
    if part in {"flush", "close"}:
        engine.send_eos("a")
    assert gate.entered.wait(20)
    send(engine, 1)
    engine.shutdown(timeout=SHORT_S)
    assert engine.stats().sources["a"].dropped[DropReason.ERROR] == 1
    gate.open()
    join_engine_threads()
    stats = engine.stats().sources["a"]
    assert stats.frames_in == stats.frames_out + sum(stats.dropped.values()) == 2


def test_shutdowns_of_several_threads_each_keep_their_deadline(gate: Gate) -> None:
    engine = stuck_engine(gate)
    threads = [threading.Thread(target=engine.shutdown, args=(SHORT_S * number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters(engine) == (2, 0, 1), "given up once"
    gate.open()
    join_engine_threads()


@pytest.mark.parametrize("lock", ["engine._core._lock", "engine._core._live['a'].worker.inbox._lock"])
def test_a_signal_handler_that_interrupts_a_call_of_the_engine_may_shut_it_down(lock: str) -> None:
    """Python runs handlers between any two steps of the main thread, with the locks that it holds."""
    script = f"""
recorder = RecordingCallbacks()
engine = PicassoEngine(GeneralSpec(), recorder.callbacks())
engine.set_source_spec("a", bypass_spec())
send(engine, 1)
def stop(*_):
    engine.shutdown()
    engine.stats()
    print("handled")
signal.signal(signal.SIGTERM, stop)
with {lock}:
    os.kill(os.getpid(), signal.SIGTERM)
    for _ in range(100):
        pass
try:
    send(engine, 2)
except RuntimeError:
    print("refused")
engine.shutdown()
join_engine_threads()
print(*recorder.pts_ns())
"""
    assert run_script(script) == ["handled", "refused", "1000000"]


STUCK = """
import atexit, logging
from picasso.engine import lifetime
lifetime.EXIT_TIMEOUT_NS = 1_000_000_000
logging.getLogger("picasso").setLevel(logging.CRITICAL)
lock = threading.Lock()
gate = Gate()
def stick(output):
    with lock:
        gate.wait()
def report(*_):
    with lock:
        pass
def make_stuck():
    engine = PicassoEngine(GeneralSpec(), Callbacks(on_bypass_frame=lambda _: never_set.wait(), on_error=report))
    engine.set_source_spec("a", bypass_spec())
    send(engine, 0)
    send(engine, 1)
    return engine
never_set = threading.Event()
lock.acquire()
"""


def test_all_engines_together_have_one_deadline_at_exit() -> None:
    """Sixty of them, a second each, would take longer than the script may run."""
    assert run_script(STUCK + "engines = [make_stuck() for _ in range(60)]\nprint('end')") == ["end"]


@pytest.mark.parametrize(
    "ending",
    [
        "atexit.register(engine.shutdown)",
        "engine.shutdown(timeout=0); atexit.register(engine.shutdown)",
        "class App: __del__ = lambda self, engine=engine: engine.shutdown()\ncycle = [App()]\ncycle.append(cycle)",
        "sys.exit(0)",
    ],
    ids=["a handler of the exit", "given up before", "a destructor", "sys.exit"],
)
def test_a_shutdown_without_a_deadline_keeps_that_of_the_exit(ending: str) -> None:
    assert run_script(f"{STUCK}engine = make_stuck()\nprint('end')\n{ending}") == ["end"]


def test_the_reports_of_a_shutdown_at_exit_are_made_where_no_thread_is_to_be_had() -> None:
    """From Python 3.12 on, none starts once the interpreter ends: the engine's own last thread does it."""
    script = """
from picasso.engine import lifetime
from picasso.engine.runtime import reports
import logging
lifetime.EXIT_TIMEOUT_NS = 200_000_000
logging.getLogger("picasso").setLevel(logging.CRITICAL)
def refuse(*_, **__):
    raise RuntimeError("can't create new thread at interpreter shutdown")
never_set = threading.Event()
told = lambda *arguments: print(arguments[1], flush=True)
engine = PicassoEngine(GeneralSpec(), Callbacks(on_bypass_frame=lambda _: never_set.wait(), on_error=told))
engine.set_source_spec("a", bypass_spec())
send(engine, 0)
while engine.stats().sources["a"].queue_depth:
    pass
send(engine, 1)
reports.EngineThread = refuse
"""
    assert run_script(script) == ["queue"]
