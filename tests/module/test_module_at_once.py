"""Threads of a module that fail and close at the same time: each thing is said and done once."""

from __future__ import annotations

import logging
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_module_run import PATTERN, no_thread_is_left, tree

from picasso.engine import OutputMessage
from picasso.engine.clock import MonotonicClock
from picasso.flow import SourceState
from picasso.module import Module
from picasso.module.elements import CodePath
from picasso.module.events import MODULE, ModuleEvent
from picasso.module.run.batcher import Batcher
from picasso.module.run.pipeline import Pipeline
from picasso.module.run.sink_threads import SinkThreads
from picasso.module.sinks import MemorySink
from picasso.module.sources.wire_ingress import IngressSettings, StreamRules, WireIngress, _Line
from picasso.module.sources.wire_source import WireSource
from picasso.primitives import EndOfStream

__all__ = ["no_thread_is_left"]
CROWD = 8


def refuse(*_arguments: object) -> None:
    raise AssertionError("nothing comes here")


@pytest.mark.usefixtures("hasty")
def test_of_elements_that_fail_at_the_same_time_one_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(CROWD)

    def fail(number: int, pipeline: Pipeline) -> None:
        together.wait()
        pipeline._fail_once(ValueError(number))

    with ThreadPoolExecutor(CROWD) as threads:
        for _ in range(200):
            failures: list[BaseException] = []
            batcher = Batcher(1, 0, capacity=1, clock=MonotonicClock())
            pipeline = Pipeline(batcher, [], queues=None, deliver=refuse, drop=refuse, fail=failures.append)
            list(threads.map(fail, range(CROWD), [pipeline] * CROWD))
            assert len(failures) == 1


def test_that_the_last_sinks_have_failed_at_the_same_time_is_told_once() -> None:
    together = threading.Barrier(2)
    told: list[BaseException] = []

    class Fails:
        def write(self, _output: OutputMessage) -> None:
            raise OSError("no room")

        def close(self) -> None:
            pass

    def both_have_failed(record: logging.LogRecord) -> bool:
        if "a sink failed" in record.getMessage():
            together.wait()
        return True

    sinks = SinkThreads("module", 4, told.append)
    sinks.add(Fails())
    sinks.add(Fails())
    logger = logging.getLogger("picasso.flow")
    logger.addFilter(both_have_failed)
    try:
        sinks.put(OutputMessage(EndOfStream("s"), is_eos=True))
        sinks.finish()
        sinks.join(time.monotonic() + 60)
    finally:
        logger.removeFilter(both_have_failed)
    assert [str(error) for error in told] == ["no room"]


class Held(MemorySink):
    """A sink that is closed when its gate is open, and that hears what happens to the module."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.gate = threading.Event(), threading.Event()
        self.states: list[str] = []

    def on_event(self, event: ModuleEvent) -> None:
        if event.event == MODULE:
            self.states.append(event.state)

    def close(self) -> None:
        self.entered.set()
        self.gate.wait()
        super().close()


def is_in(thread: threading.Thread, function: object) -> bool:
    """Whether a thread has called a function, and has not returned from it."""
    frame: FrameType | None = sys._current_frames().get(thread.ident or 0)
    while frame is not None and frame.f_code is not function.__code__:  # type: ignore[attr-defined]
        frame = frame.f_back
    return frame is not None


def test_a_module_that_two_threads_close_is_closed_once(caplog: pytest.LogCaptureFixture) -> None:
    sink = Held()
    module = Module(tree(source=PATTERN), sinks=[sink])
    with caplog.at_level(logging.INFO, "picasso.module"):
        module.start()
        threads = [threading.Thread(target=module.close, args=(30.0,)) for _ in range(2)]
        threads[0].start()
        sink.entered.wait()
        threads[1].start()
        while not is_in(threads[1], Module.close):
            pass
        sink.gate.set()
        for thread in threads:
            thread.join()
    assert sink.states[-2:] == ["stopping", "stopped"]
    assert (sink.states.count("stopping"), sink.states.count("stopped")) == (1, 1)
    assert str(module.state) == "stopped"


def test_who_has_less_time_to_close_a_module_than_another_thread_gives_up_what_is_left() -> None:
    sink = Held()
    module = Module(tree(source=PATTERN), sinks=[sink])
    module.start()
    other = threading.Thread(target=module.close, args=(3600.0,))
    other.start()
    sink.entered.wait()
    module.close(0.0)
    assert str(module.state) == "stopping"  # it does not wait for the sink
    sink.gate.set()
    other.join()
    assert str(module.state) == "stopped"


def test_modules_that_two_threads_import_are_found_and_the_path_of_python_is_as_before(tmp_path: Path) -> None:
    shared = sys.modules["shared_of_test"] = type(sys)("shared_of_test")
    shared.entered, shared.goes_on = threading.Event(), threading.Event()
    waits = (
        "import shared_of_test\nshared_of_test.entered.set()\nshared_of_test.goes_on.wait()\nimport helper_of_test\n"
    )
    before = list(sys.path)
    for name, text in (("slow", waits), ("quick", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}_of_test.py").write_text(text)
    (tmp_path / "slow" / "helper_of_test.py").write_text("")
    quick = CodePath.of(str(tmp_path / "quick"), None)
    try:
        with ThreadPoolExecutor(1) as threads:
            with quick._on_path():
                slow = threads.submit(CodePath.of(str(tmp_path / "slow"), None).load, "slow_of_test")
                shared.entered.wait()
            shared.goes_on.set()
            assert slow.result().__name__ == "slow_of_test"
        assert sys.path == before
    finally:
        shared.goes_on.set()
        for name in ("shared_of_test", "slow_of_test", "helper_of_test"):
            sys.modules.pop(name, None)


def test_a_source_that_is_over_may_be_gone_before_its_thread_has_said_so() -> None:
    ingress = WireIngress(refuse, IngressSettings(), accepts=None, clock=MonotonicClock())
    rest: dict[str, Any] = {"low_latency": False, "decoder_limit": None, "on_broken": refuse}
    source = WireSource("s", queue_frames=1, queue_bytes=0, **rest)
    ingress._lines["s"] = _Line(source, StreamRules(eos_on_resolution_change=True), 0)

    class LetsGo(set[str]):
        def add(self, source_id: str) -> None:
            del ingress._lines[source_id]  # as the thread that reads does with what it finds here

    ingress._over = LetsGo()
    ingress.note_state("s", SourceState.ENDED)
    ingress.note_state("s", SourceState.ENDED)
    assert list(source) == []
