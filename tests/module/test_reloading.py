"""``dev_mode``: code that changes while the module runs."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest

from picasso.infer import ObjectRule, Selector
from picasso.module.config import ElementConfig
from picasso.module.elements import Batch, CodePath, ReloadingElement
from picasso.module.elements.loading import ElementError
from picasso.module.elements.models.block import Model
from picasso.module.elements.models.code import UserCode
from picasso.module.elements.models.converting import UserConverter
from picasso.module.meta import Frame
from picasso.primitives import VideoFrame


def element(folder: Path, module: str = "code.py", **kwargs: Any) -> ReloadingElement:
    config = ElementConfig("pyfunc", None, module, "It", kwargs, True, "stop", None, {}, ("pipeline", "elements", 0))
    return ReloadingElement(config, CodePath.of(str(folder), None))


def mark(one: ReloadingElement) -> object:
    frame = Frame(VideoFrame("s", "30/1", 16, 16), None)
    one.process(Batch([frame]))
    return frame.get_tag("mark")


def write(path: Path, text: str, *, replaced: bool = False) -> None:
    """Write a file in place, or as editors do that put another file there; the time is always a new one."""
    target = path.with_suffix(".new") if replaced else path
    before = path.stat().st_mtime_ns if path.exists() else 0
    target.write_text(text)
    os.utime(target, ns=(before + 10**9, before + 10**9))
    if replaced:
        target.replace(path)


@pytest.mark.parametrize("replaced", [False, True], ids=["in place", "replaced"])
@pytest.mark.parametrize("module", ["code.py", "code_of_a_test"])
def test_the_next_batch_sees_the_new_code(tmp_path: Path, module: str, replaced: bool) -> None:
    file = tmp_path / (module if module.endswith(".py") else f"{module}.py")
    write(file, "def It(frame): frame.set_tag('mark', 1)")
    one = element(tmp_path, module)
    assert [mark(one), mark(one)] == [1, 1]
    write(file, "def It(frame): frame.set_tag('mark', 22)", replaced=replaced)
    assert mark(one) == 22


@pytest.mark.parametrize("module", ["quick.py", "quick_code_of_a_test"])
def test_two_changes_within_one_second_that_keep_the_size_are_both_seen(
    tmp_path: Path, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    file = tmp_path / (module if module.endswith(".py") else f"{module}.py")

    def write_number(number: int) -> None:
        file.write_text(f"def It(frame): frame.set_tag('mark', {number})")
        os.utime(file, ns=(10**18 + number, 10**18 + number))

    write_number(0)
    one = element(tmp_path, module)
    assert mark(one) == 0
    for number in (1, 2):
        write_number(number)
        assert mark(one) == number


STATEFUL = """
calls = []
class It:
    def __init__(self, step): self.count, self.step = 0, step
    def on_start(self): calls.append("start"); return True
    def on_stop(self): calls.append("stop"); return True
    def __call__(self, frame):
        self.count += self.step
        frame.set_tag("mark", self.count)
"""


def test_a_new_instance_has_the_same_arguments_and_keeps_state_only_if_it_asks(tmp_path: Path) -> None:
    write(tmp_path / "code.py", STATEFUL)
    one = element(tmp_path, step=2)
    one.start()
    assert [mark(one), mark(one)] == [2, 4]
    write(tmp_path / "code.py", STATEFUL + "\n# changed\n")
    assert mark(one) == 2
    keeps = STATEFUL.replace(
        "    def __call__", "    def reload_state(self, old): self.count = old.count\n    def __call__"
    )
    write(tmp_path / "code.py", keeps)
    assert mark(one) == 2


def test_code_that_does_not_load_leaves_the_old_code_and_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "code.py", "def It(frame): frame.set_tag('mark', 1)")
    one = element(tmp_path)
    write(tmp_path / "code.py", "def It(frame) frame.set_tag('mark', 2)")
    with caplog.at_level(logging.ERROR):
        assert [mark(one), mark(one)] == [1, 1]
    assert len(caplog.records) == 1
    assert "SyntaxError" in caplog.text
    write(tmp_path / "code.py", "def It(frame): frame.set_tag('mark', 3)")
    assert mark(one) == 3


def test_code_that_is_not_there_yet_lets_frames_pass_until_it_comes(tmp_path: Path) -> None:
    one = element(tmp_path)
    assert mark(one) is None
    write(tmp_path / "code.py", "def It(frame): frame.set_tag('mark', 1)")
    assert mark(one) == 1


def test_what_the_code_raises_is_logged_and_the_frame_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path / "code.py", "def It(frame):\n    frame.set_tag('mark', 1)\n    raise ValueError('edited')")
    one = element(tmp_path)
    with caplog.at_level(logging.ERROR):
        assert mark(one) == 1
    assert "ValueError: edited" in caplog.text


def test_a_file_that_was_touched_and_not_changed_is_not_loaded_again(tmp_path: Path) -> None:
    write(tmp_path / "code.py", STATEFUL)
    one = element(tmp_path, step=1)
    assert mark(one) == 1
    write(tmp_path / "code.py", STATEFUL)
    assert mark(one) == 2


CONVERTER = """
import numpy as np
from picasso.module.models import BaseObjectModelOutputConverter


class Found(BaseObjectModelOutputConverter):
    def __call__(self, *layers, model, roi):
        return np.array([[{class_id}, 0.9, self.x, 10, 4, 4]])
"""


def test_a_converter_follows_its_file_and_keeps_its_arguments(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file, block = tmp_path / "found.py", {"module": "found.py", "class_name": "Found", "kwargs": {"x": 30}}
    write(file, CONVERTER.format(class_id=0))
    made = UserCode("yolo", CodePath.of(str(tmp_path), None), follows_files=True).build(block, "output.converter")
    labels = [ObjectRule(0, "cat"), ObjectRule(1, "dog")]
    one = UserConverter(made, Model.of("nvinfer@detector", "yolo", {"model_file": "a.onnx"}), Selector(labels))

    def seen() -> list[tuple[str, float]]:
        objects = one.convert({}, 0, (0.0, 0.0, 64.0, 64.0)).objects
        assert objects is not None
        return list(zip(objects.labels, objects.xywha[:, 0].tolist(), strict=True))

    assert seen() == [("cat", 30)]
    write(file, CONVERTER.format(class_id=1))
    assert seen() == [("dog", 30)]
    write(file, "this is no Python")
    assert seen() == [("dog", 30)]
    assert "found.py.Found: not loaded: ElementError" in caplog.text


def test_a_converter_without_dev_mode_stays_as_it_was(tmp_path: Path) -> None:
    file, block = tmp_path / "stays.py", {"module": "stays.py", "class_name": "answer"}
    write(file, "def answer(): return 1")
    made = UserCode("yolo", CodePath.of(str(tmp_path), None)).build(block, "output.converter")
    write(file, "def answer(): return 2")
    assert made() == 1


def test_a_converter_that_does_not_load_refuses_to_start_in_dev_mode_too(tmp_path: Path) -> None:
    (tmp_path / "none.py").write_text("class Found: pass")
    code = UserCode("yolo", CodePath.of(str(tmp_path), None), follows_files=True)
    with pytest.raises(ElementError, match=r"element yolo: output\.converter: Found does not define __call__"):
        code.build({"module": "none.py", "class_name": "Found"}, "output.converter")
