"""``dev_mode`` in a module that runs: code, filters, the drawer, and arguments in the module's own file."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_module_run import no_thread_is_left

from picasso.module import Frame, Module
from picasso.module.sinks import MemorySink

__all__ = ["no_thread_is_left"]

MODULE = """
name: m
parameters:
  dev_mode: true
  mine: 5
  frame: {width: 64, height: 48}
  output_frame: {codec: raw-rgba}
  draw_func: {module: draws.py, class_name: Draws, kwargs: {red: 10}}
pipeline:
  source:
    element: videotestsrc
    properties: {width: 64, height: 48, is-live: true, framerate: 100/1}
    ingress_frame_filter: {module: keeps.py, class_name: Keeps, kwargs: {word: in}}
  elements:
    - {element: pyfunc, module: counts.py, class_name: Counts, kwargs: {step: 1}}
    - group:
        init_condition: {expr: "on", value: "on"}
        elements: [{element: pyfunc, module: marks.py, class_name: Marks, kwargs: {mark: "a${parameters.mine}"}}]
  sink: [{element: devnull_sink}]
"""
CODE = {
    "counts.py": """
from picasso.module import PyFunc
class Counts(PyFunc):
    def on_start(self): self.count = getattr(self, "count", 0); return True
    def __call__(self, frame):
        self.count += self.step
        frame.set_tag("count", self.count)
    def reload_state(self, old): self.count = 1000 + old.count
""",
    "marks.py": "class Marks:\n    def __init__(self, mark): self.mark = mark\n"
    "    def __call__(self, frame): frame.set_tag('mark', self.mark)\n",
    "keeps.py": "class Keeps:\n    def __init__(self, word): self.word = word\n"
    "    def __call__(self, frame):\n"
    "        from picasso.primitives import Attribute, AttributeValue\n"
    "        frame.set_attribute(Attribute('default', 'filter', [AttributeValue.string(self.word)]))\n"
    "        return True\n",
    "draws.py": """
from picasso.module import NvDsDrawFunc
class Draws(NvDsDrawFunc):
    def draw_on_frame(self, frame_meta, artist):
        frame_meta.set_tag("red", self.red)
""",
}


class Running:
    """A module in ``dev_mode``, and its folder."""

    def __init__(self, folder: Path, module: Module, sink: MemorySink) -> None:
        self.folder, self.module, self.sink = folder, module, sink
        self._time_ns = 10**18

    def write(self, name: str, text: str) -> None:
        """Replace a file by another one, as editors do."""
        part = self.folder / f"{name}.part"
        part.write_text(text)
        self._time_ns += 10**9
        os.utime(part, ns=(self._time_ns, self._time_ns))
        part.replace(self.folder / name)

    def tag(self, name: str) -> Any:
        frames = [output.as_video_frame() for output in self.sink.outputs[-1:] if output.is_video_frame]
        return Frame(frames[0], None).get_tag(name) if frames else None

    def wait_for(self, name: str, accepts: Callable[[Any], bool]) -> None:
        """Wait until the newest frame has a tag that is accepted."""
        while not accepts(self.tag(name)):
            threading.Event().wait(0.001)


@pytest.fixture
def running(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Running]:
    for name, text in CODE.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "m.yml").write_text(MODULE)
    caplog.set_level(logging.INFO)
    module = Module.from_file(tmp_path / "m.yml", sinks=[sink := MemorySink()])
    with module:
        one = Running(tmp_path, module, sink)
        one.wait_for("mark", lambda mark: mark == "a5")
        yield one


def test_arguments_in_the_file_of_the_module_are_taken_and_state_is_kept(running: Running) -> None:
    assert (running.tag("filter"), running.tag("red")) == ("in", 10)
    running.write(
        "m.yml",
        MODULE.replace("step: 1", "step: 3")
        .replace('mark: "a$', 'mark: "b$')
        .replace("word: in", "word: other")
        .replace("red: 10", "red: 11"),
    )
    running.wait_for("count", lambda count: count > 1000)
    running.wait_for("mark", lambda mark: mark == "b5")
    running.wait_for("filter", lambda word: word == "other")
    running.wait_for("red", lambda red: red == 11)
    seen = running.tag("count")
    running.wait_for("count", lambda count: count > seen + 6)  # the last two frames are of the new arguments
    counts = [Frame(output.as_video_frame(), None).get_tag("count") for output in running.sink.outputs[-2:]]
    assert counts[1] - counts[0] == 3  # type: ignore[operator]


@pytest.mark.parametrize("name", CODE)
def test_each_kind_of_code_is_loaded_again(running: Running, name: str, caplog: pytest.LogCaptureFixture) -> None:
    tag = {"counts.py": "count", "marks.py": "mark", "keeps.py": "filter", "draws.py": "red"}[name]
    old = "self.count)" if name == "counts.py" else f"self.{ {'mark': 'mark', 'filter': 'word', 'red': 'red'}[tag] })"
    text = CODE[name].replace(f"{old}])" if name == "keeps.py" else old, "'new')])" if name == "keeps.py" else "'new')")
    assert text != CODE[name]
    running.write(name, text.replace(")", " +", 1))  # does not load: the old code stays
    while "not loaded" not in caplog.text:
        threading.Event().wait(0.001)
    assert running.tag(tag) != "new"
    running.write(name, text)
    running.wait_for(tag, lambda value: value == "new")


REFUSED = {
    "pipeline.elements: ": ("    - group:", "    - {element: queue}\n    - group:"),
    "pipeline.elements[0].class_name: ": ("class_name: Counts", "class_name: Other"),
    "parameters.frame.width: ": ("width: 64, height: 48}\n  output", "width: 128, height: 48}\n  output"),
    "parameters.queue_maxsize: ": ("  mine: 5", "  mine: 5\n  queue_maxsize: 7"),
    "pipeline.sink: ": ("sink: [{element: devnull_sink}]", "sink: [{element: devnull_sink}, {element: console_sink}]"),
    "parameters.mine: ": ("mine: 5", "mine: 6"),
}


@pytest.mark.parametrize(("path", "change"), REFUSED.items(), ids=REFUSED)
def test_what_is_more_than_arguments_is_refused_with_its_line_and_arguments_are_taken_all_the_same(
    running: Running, path: str, change: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    text = MODULE.replace(*change)
    assert text != MODULE
    running.write("m.yml", text.replace("red: 10", "red: 12"))
    running.wait_for("red", lambda red: red == 12)
    found = [record.getMessage() for record in caplog.records if "takes effect when" in record.getMessage()]
    assert len(found) == 1
    assert f": {path}changed; takes effect when the module is started again" in found[0]
    if path == "parameters.mine: ":
        running.wait_for("mark", lambda mark: mark == "a6")  # an argument that is made of it
    running.write("m.yml", text.replace("red: 10", "red: 13"))
    running.wait_for("red", lambda red: red == 13)
    found = [record.getMessage() for record in caplog.records if "takes effect when" in record.getMessage()]
    assert len(found) == 1  # is not said again


def test_a_file_with_faults_is_named_and_changes_nothing(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    running.write("m.yml", MODULE.replace("step: 1", "step: 2").replace("raw-rgba", "raw-rgbz"))
    while "not loaded again" not in caplog.text:
        threading.Event().wait(0.001)
    assert "parameters.output_frame.codec: unknown" in caplog.text or "raw-rgbz" in caplog.text
    running.write("m.yml", MODULE.replace('mark: "a$', 'mark: "c$'))
    running.wait_for("mark", lambda mark: mark == "c5")
    assert running.tag("count") < 1000


def test_without_dev_mode_no_file_is_looked_at(tmp_path: Path) -> None:
    for name, text in CODE.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "m.yml").write_text(MODULE.replace("dev_mode: true", "dev_mode: false"))
    assert Module.from_file(tmp_path / "m.yml", sinks=[MemorySink()]).config.watch is None
