"""How modules end: what fails or blocks keeps nothing open and nobody waiting."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_module_run import PATTERN, no_thread_is_left, pyfunc, tree

from picasso.module import Module, ModuleState
from picasso.module.sinks import MemorySink

__all__ = ["no_thread_is_left"]


def test_the_module_stops_when_its_last_sink_has_failed() -> None:
    class Fails(MemorySink):
        def write(self, output: Any) -> None:
            raise OSError("the disk is full")

    endless = {**PATTERN, "properties": {**PATTERN["properties"], "num-buffers": -1}}
    module = Module(tree(source=endless), sinks=[Fails(), Fails()])
    with pytest.raises(OSError, match="the disk is full"):
        module.run()
    assert module.state is ModuleState.STOPPED


def test_an_element_that_refuses_to_start_is_named_and_sinks_are_closed(tmp_path: Path) -> None:
    text = "from picasso.module import PyFunc\nclass It(PyFunc):\n    def on_start(self): return False"
    out = tmp_path / "all.json"
    sinks = [{"element": "file_sink", "properties": {"file_path": str(out)}}]
    module = Module(tree(elements=[pyfunc("refuses", tmp_path, text)], sink=sinks))
    with pytest.raises(Exception, match="on_start returned False, which refuses to start"):
        module.run()
    assert (module.state, json.loads(out.read_text())) == (ModuleState.STOPPED, [])


def test_a_sink_that_cannot_be_opened_leaves_none_of_the_others_open(tmp_path: Path) -> None:
    places = [tmp_path / "all.json", tmp_path / "no-folder" / "all.json"]
    sinks = [{"element": "file_sink", "properties": {"file_path": str(place)}} for place in places]
    with pytest.raises(Exception, match="no-folder"):
        Module(tree(sink=sinks)).run()
    assert [path.name for path in tmp_path.iterdir()] == ["all.json"]


def test_a_sink_that_blocks_for_ever_does_not_keep_the_module() -> None:
    entered, gate = threading.Event(), threading.Event()

    class Blocks(MemorySink):
        def write(self, output: Any) -> None:
            entered.set()
            gate.wait()

    endless = {**PATTERN, "properties": {**PATTERN["properties"], "num-buffers": -1}}
    module = Module(tree(source=endless, parameters={"queue_maxsize": 2}), sinks=[Blocks()])
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
