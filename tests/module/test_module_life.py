"""How modules end: what fails or blocks keeps nothing open and no one waiting."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_module_run import PATTERN, no_thread_is_left, pyfunc, tree

from picasso.module import Module, ModuleState
from picasso.module.elements import ElementError
from picasso.module.sinks import MemorySink

__all__ = ["no_thread_is_left"]


def test_the_module_stops_when_its_last_sink_has_failed() -> None:
    class Fails(MemorySink):
        def write(self, output: Any) -> None:
            raise OSError("the disk is full")

    module = Module(tree(source=ENDLESS), sinks=[Fails(), Fails()])
    with pytest.raises(OSError, match="the disk is full"):
        module.run()
    assert module.state is ModuleState.STOPPED


def test_the_module_stops_when_its_last_sink_fails_before_it_has_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames flow before ``start`` returns: on a busy machine a sink can fail as early."""

    class Fails(MemorySink):
        def write(self, output: Any) -> None:
            raise OSError("the disk is full")

    module, told = Module(tree(source=ENDLESS), sinks=[Fails()]), threading.Event()
    tell, begin = module._sinks._on_all_failed, module._ingresses.start

    def tell_and_note(error: BaseException) -> None:
        tell(error)
        told.set()

    def begin_late(*arguments: Any) -> None:
        assert told.wait(60)
        assert module.state is ModuleState.STARTING
        begin(*arguments)

    monkeypatch.setattr(module._sinks, "_on_all_failed", tell_and_note)
    monkeypatch.setattr(module._ingresses, "start", begin_late)
    with pytest.raises(OSError, match="the disk is full"):
        module.run()
    assert module.state is ModuleState.STOPPED


HANGS = """
import sys
from picasso.module import PyFunc
life = sys.modules["life_of_test"]
class It(PyFunc):
    def on_start(self):
        life.calls.append("start")
        return True
    def on_stop(self):
        life.calls.append("stop")
        if life.stop_hangs: life.gate.wait()
    def __call__(self, frame):
        if frame.frame_num == 3:
            life.entered.set()
            life.gate.wait()
"""


@pytest.fixture
def life(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What an element of ``HANGS`` shares with its test; what still hangs at the end goes on, and ends."""
    shared: Any = ModuleType("life_of_test")
    shared.calls, shared.stop_hangs, shared.entered, shared.gate = [], False, threading.Event(), threading.Event()
    monkeypatch.setitem(sys.modules, "life_of_test", shared)
    yield shared
    shared.gate.set()
    for thread in threading.enumerate():
        if thread.name.startswith(("feed-", "sink-", "elements-", "stop-", "module-")):
            thread.join()


ENDLESS = {**PATTERN, "properties": {**PATTERN["properties"], "num-buffers": -1}}


@pytest.mark.parametrize("queues", [None, {"length": 1}], ids=["one thread", "queues"])
@pytest.mark.parametrize("output", [None, {"codec": "raw-rgba"}], ids=["metadata", "pixels"])
def test_an_element_that_never_returns_keeps_no_frame_from_being_counted_and_on_stop_is_called(
    tmp_path: Path, life: Any, queues: Any, output: Any
) -> None:
    text = "class It:\n    def __call__(self, frame): pass\n    def on_stop(self): "
    text += "import sys; sys.modules['life_of_test'].calls.append('other')"
    elements = [pyfunc("hangs", tmp_path, HANGS), pyfunc("other", tmp_path, text)]
    sink = MemorySink()
    parameters = {"buffer_queues": queues, "output_frame": output}
    module = Module(tree(source=ENDLESS, elements=elements, parameters=parameters), sinks=[sink])
    module.start()
    life.entered.wait()
    while len(sink.outputs) < 3:
        threading.Event().wait(0.001)
    module.close(0.2)
    assert module.state is ModuleState.STOPPED
    assert sorted(life.calls) == ["other", "start", "stop"]
    account = module.statistics().sources["test"].account
    assert (account.left, account.under_way, set(account.dropped)) == (3, 0, {"stopped"})
    assert account.came == 3 + account.dropped["stopped"]
    (status,) = module.statuses()
    assert status.read == status.delivered + status.dropped
    life.gate.set()  # what comes late is not counted again, and does not come out
    for thread in threading.enumerate():
        if thread.name.startswith("elements-"):
            thread.join()
    assert module.statistics().sources["test"].account == account
    assert len(sink.outputs) == 3


def test_an_on_stop_that_never_returns_is_reported_and_left_behind(
    tmp_path: Path, life: Any, caplog: pytest.LogCaptureFixture
) -> None:
    life.stop_hangs = True
    module = Module(tree(elements=[pyfunc("hangs", tmp_path, HANGS)], source=ENDLESS), sinks=[MemorySink()])
    module.start()
    life.entered.wait()
    module.close(0.1)
    assert "hangs.py.It does not return; it is stopped while it works" in caplog.text
    assert "hangs.py.It: on_stop has not returned after 1.0 s; it is left behind" in caplog.text
    assert module.state is ModuleState.STOPPED


def test_on_stop_is_called_when_on_start_raised_and_of_all_elements(tmp_path: Path, life: Any) -> None:
    text = HANGS.replace('life.calls.append("start")', "1 / 0")
    elements = [pyfunc("good", tmp_path, HANGS), pyfunc("bad", tmp_path, text)]
    with pytest.raises(ElementError, match=r"bad\.py\.It: on_start raised ZeroDivisionError"):
        Module(tree(elements=elements)).run()
    assert life.calls == ["start", "stop", "stop"]


def test_an_element_that_refuses_to_start_is_named_and_sinks_are_closed(tmp_path: Path) -> None:
    text = "from picasso.module import PyFunc\nclass It(PyFunc):\n    def on_start(self): return False"
    out = tmp_path / "all.json"
    sinks = [{"element": "file_sink", "properties": {"file_path": str(out)}}]
    module = Module(tree(elements=[pyfunc("refuses", tmp_path, text)], sink=sinks))
    with pytest.raises(Exception, match="on_start returned False, which refuses to start"):
        module.run()
    assert (module.state, json.loads(out.read_text())) == (ModuleState.STOPPED, [])


def test_a_sink_that_cannot_be_opened_leaves_none_of_the_others_open(tmp_path: Path) -> None:
    (tmp_path / "no-folder").touch()
    places = [tmp_path / "all.json", tmp_path / "no-folder" / "all.json"]
    sinks = [{"element": "file_sink", "properties": {"file_path": str(place)}} for place in places]
    with pytest.raises(Exception, match="no-folder"):
        Module(tree(sink=sinks)).run()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.json", "no-folder"]


def test_a_sink_that_blocks_for_ever_does_not_keep_the_module() -> None:
    entered, gate = threading.Event(), threading.Event()

    class Blocks(MemorySink):
        def write(self, output: Any) -> None:
            entered.set()
            gate.wait()

    module = Module(tree(source=ENDLESS, parameters={"queue_maxsize": 2}), sinks=[Blocks()])
    module.start()
    entered.wait()
    try:
        module.close(0.5)
        assert module.state is ModuleState.STOPPED
    finally:
        gate.set()
    while any(thread.name.startswith(("feed-", "sink-", "elements-")) for thread in threading.enumerate()):
        threading.Event().wait(0.001)
    (status,) = module.statuses()
    assert status.read == status.delivered + status.dropped
