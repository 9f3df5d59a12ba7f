"""A user's code in a pipeline: found by name, called in order, and what happens with its errors."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from picasso.engine.clock import MonotonicClock
from picasso.engine.source_at_work import source_at_work
from picasso.module.config import BufferQueues, ElementConfig
from picasso.module.elements import Batch, CodePath, ElementError, PyFuncElement, StreamEvent
from picasso.module.meta import Frame
from picasso.module.run.batcher import Batcher, Work
from picasso.module.run.pipeline import Pipeline
from picasso.primitives import VideoFrame

Make = Callable[..., PyFuncElement]


def frame(number: int, source_id: str = "gate") -> Frame:
    return Frame(VideoFrame(source_id, "30/1", 16, 16, pts=number), None)


def config(module: str, name: str, on_error: str = "stop", **kwargs: Any) -> ElementConfig:
    return ElementConfig("pyfunc", None, module, name, kwargs, False, on_error, None, {}, ("pipeline", "elements", 0))


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a module ``code_N.py`` beside the YAML file and make an element of its class ``It``."""
    count = 0

    def make(code: str, name: str = "It", on_error: str = "stop", **kwargs: Any) -> PyFuncElement:
        nonlocal count
        count += 1
        (tmp_path / f"code_{count}.py").write_text(dedent(code))
        return PyFuncElement(config(f"code_{count}.py", name, on_error, **kwargs), CodePath.of(str(tmp_path), None))

    return make


FORMS = {
    "function": """
        def It(frame, step=1):
            frame.set_tag("n", frame.pts + step)
        """,
    "function with types": """
        from picasso.module import Frame
        def It(frame: Frame, step: int = 1) -> None:
            frame.set_tag("n", frame.pts + step)
        """,
    "class with types": """
        from __future__ import annotations
        from dataclasses import dataclass
        from picasso.module import Frame
        @dataclass
        class It:
            step: int = 1
            def __call__(self, frame: Frame) -> None:
                frame.set_tag("n", frame.pts + self.step)
        """,
    "callable class": """
        class It:
            def __init__(self, step=1):
                self.step = step
            def __call__(self, frame):
                frame.set_tag("n", frame.pts + self.step)
        """,
    "PyFunc": """
        from picasso.module import PyFunc
        class It(PyFunc):
            step: int = 1
            def __call__(self, frame):
                frame.set_tag("n", frame.pts + self.step)
        """,
    "plugin": """
        from picasso.module import NvDsPyFuncPlugin
        class It(NvDsPyFuncPlugin):
            def __init__(self, step=1, **kwargs):
                super().__init__(**kwargs)
                self.step = step
            def process_frame(self, buffer, frame_meta):
                frame_meta.set_tag("n", frame_meta.pts + self.step)
        """,
    "buffer": """
        from picasso.module import NvDsPyFuncPlugin
        class It(NvDsPyFuncPlugin):
            step = 1
            def process_buffer(self, buffer):
                for frame in buffer:
                    frame.set_tag("n", frame.pts + self.step)
        """,
}


@pytest.mark.parametrize("code", FORMS.values(), ids=FORMS)
def test_every_form_of_a_pyfunc_works_on_every_frame(make: Make, code: str) -> None:
    element = make(code, step=10)
    batch = Batch([frame(0), frame(1)])
    element.start()
    element.process(batch)
    element.stop()
    assert [one.get_tag("n") for one in batch] == [10, 11]


HOOKED = """
    from picasso.module import NvDsPyFuncPlugin
    calls = []
    class It(NvDsPyFuncPlugin):
        def on_start(self): calls.append("start"); return True
        def on_stop(self): calls.append("stop"); return True
        def on_source_add(self, source_id): calls.append(f"add {source_id}")
        def on_source_eos(self, source_id): calls.append(f"eos {source_id}")
        def on_source_delete(self, source_id): calls.append(f"delete {source_id}")
        def process_frame(self, buffer, frame_meta): calls.append(frame_meta.pts)
    """


def calls_of(element: PyFuncElement) -> list[object]:
    calls: list[object] = type(element.plugin).process_frame.__globals__["calls"]
    return calls


def test_hooks_are_called_between_the_frames_of_their_source(make: Make) -> None:
    element = make(HOOKED)
    batcher = Batcher(4, 0, capacity=100, clock=MonotonicClock())
    delivered: list[Work] = []
    pipeline = Pipeline(batcher, [element], queues=None, deliver=delivered.append, drop=refuse, fail=refuse)
    batcher.put("gate", StreamEvent("source-add", "gate"))
    for number in range(3):
        batcher.put("gate", frame(number))
    batcher.put("gate", StreamEvent("source-eos", "gate"))
    batcher.put("gate", frame(3))
    batcher.put("gate", StreamEvent("source-delete", "gate"))
    batcher.close()
    pipeline.start()
    assert pipeline.join(60)
    assert calls_of(element) == ["start", "add gate", 0, 1, 2, "eos gate", 3, "delete gate", "stop"]
    assert sum(len(work.frames) for work in delivered) == 4
    assert [(stats.name, stats.frames) for stats in pipeline.stats] == [(element.name, 4)]


def refuse(*arguments: object) -> None:
    raise AssertionError(arguments)


@pytest.mark.parametrize("queues", [None, BufferQueues(1), BufferQueues(0)], ids=["one thread", "length 1", "no limit"])
def test_with_queues_and_without_the_elements_see_the_same(make: Make, queues: BufferQueues | None) -> None:
    elements = [
        make("def It(frame): frame.set_tag('n', frame.pts)"),
        make("def It(frame): frame.set_tag('m', frame.get_tag('n') * 2)"),
    ]
    batcher = Batcher(3, 0, capacity=1000, clock=MonotonicClock())
    delivered: list[Work] = []
    pipeline = Pipeline(batcher, elements, queues=queues, deliver=delivered.append, drop=refuse, fail=refuse)
    pipeline.start()
    for number in range(50):
        batcher.put("gate", frame(number))
    batcher.close()
    assert pipeline.join(60)
    assert [one.get_tag("m") for work in delivered for one in work.frames] == [2 * number for number in range(50)]


RAISES = """
    def It(frame):
        if frame.pts == 1:
            raise ValueError("no such lane")
        frame.set_tag("seen")
    """


def test_what_a_pyfunc_raises_names_element_source_time_and_line(make: Make) -> None:
    element = make(RAISES)
    with pytest.raises(
        ElementError,
        match=r"element pyfunc/code_1\.py\.It: source 'gate' at pts 1: ValueError: no such lane \(.*/code_1\.py:4\)",
    ):
        element.process(Batch([frame(0), frame(1), frame(2)]))


@pytest.mark.parametrize(("policy", "dropped"), [("drop_frame", [False, True, False]), ("pass", [False] * 3)])
def test_the_other_policies_go_on(
    make: Make, policy: str, dropped: list[bool], caplog: pytest.LogCaptureFixture
) -> None:
    element, batch = make(RAISES, on_error=policy), Batch([frame(0), frame(1), frame(2)])
    with caplog.at_level(logging.ERROR):
        element.process(batch)
    assert [one.is_dropped for one in batch] == dropped
    assert [one.has_tag("seen") for one in batch] == [True, False, True]
    assert (element.errors, len(caplog.records)) == (1, 1)


BATCH_RAISES = """
    import json
    from picasso.module import NvDsPyFuncPlugin
    class It(NvDsPyFuncPlugin):
        def process_buffer(self, buffer):
            for frame in buffer:
                if frame.pts == 2:
                    json.loads("{")
                frame.set_tag("seen")
    """


def test_a_batch_element_that_raises_names_its_frames_and_its_own_line_not_that_of_a_library(make: Make) -> None:
    element = make(BATCH_RAISES)
    with pytest.raises(
        ElementError,
        match=r"It: a batch of 2: source 'a' at pts 1, source 'b' at pts 2: JSONDecodeError: .* \(.*/code_1\.py:8\)",
    ):
        element.process(Batch([frame(1, "a"), frame(2, "b")]))
    with pytest.raises(ElementError, match=r"a batch of 6: source 'a' at pts 0, .* at pts 3 and 2 more: "):
        element.process(Batch(frame(number, "a") for number in range(6)))


@pytest.mark.parametrize(("policy", "dropped"), [("drop_frame", ["policy"] * 2), ("pass", [""] * 2)])
def test_a_policy_of_a_batch_element_holds_for_the_frames_that_it_was_given(
    make: Make, policy: str, dropped: list[str]
) -> None:
    element, batch = make(BATCH_RAISES, on_error=policy), Batch([frame(1), frame(2), frame(3)])
    batch[2].drop()
    element.process(batch)
    assert [one.drop_reason for one in batch] == [*dropped, "element"]
    assert [one.has_tag("seen") for one in batch] == [True, False, False]


@pytest.mark.parametrize("policy", ["stop", "drop_frame", "pass"])
def test_an_element_that_exits_the_program_stops_the_module_instead(make: Make, policy: str) -> None:
    element = make("import sys\ndef It(frame): sys.exit(3)", on_error=policy)
    with pytest.raises(ElementError, match=r"source 'gate' at pts 1: SystemExit: 3 \(.*code_1\.py:2\)"):
        element.process(Batch([frame(1)]))


def test_a_pipeline_that_fails_says_so_once_drops_the_rest_and_stops_its_elements(make: Make) -> None:
    first, second = make(HOOKED), make(RAISES)
    batcher = Batcher(1, 0, capacity=1000, clock=MonotonicClock())
    delivered: list[Work] = []
    dropped: list[int] = []
    failures: list[BaseException] = []
    pipeline = Pipeline(
        batcher,
        [first, second],
        queues=BufferQueues(1),
        deliver=delivered.append,
        drop=lambda one, reason: dropped.append(one.pts) if reason == "stopped" else None,
        fail=failures.append,
    )
    for number in range(10):
        batcher.put("gate", frame(number))
    batcher.close()
    pipeline.start()
    assert pipeline.join(60)
    assert [one.pts for work in delivered for one in work.frames] == [0]
    assert sorted(dropped) == [*range(1, 10)]
    assert ["no such lane" in str(error) for error in failures] == [True]
    assert calls_of(first)[-1] == "stop"


REFUSED = {
    "def on_start": (
        "class It:\n    def __call__(self, f): pass\n    def on_start(self): pass",
        "on_start returned None",
    ),
    "raises": (
        "class It:\n    def __call__(self, f): pass\n    def on_start(self): 1 / 0",
        "on_start raised ZeroDivision",
    ),
}


@pytest.mark.parametrize(("code", "message"), REFUSED.values(), ids=REFUSED)
def test_an_element_that_does_not_start_stops_all(make: Make, code: str, message: str) -> None:
    first, second = make(HOOKED), make(code)
    batcher = Batcher(1, 0, capacity=1, clock=MonotonicClock())
    pipeline = Pipeline(batcher, [first, second], queues=None, deliver=refuse, drop=refuse, fail=refuse)
    with pytest.raises(ElementError, match=message):
        pipeline.start()
    assert calls_of(first) == ["start", "stop"]


@pytest.mark.parametrize(
    ("code", "name", "message"),
    [
        ("x = 1", "It", r"module 'code_1\.py' has no 'It'"),
        ("def other(f): pass", "It", r"has no 'It'; there are other"),
        ("It = 5", "It", r"module 'code_1\.py': It is not a class or function: 5"),
        ("1 / 0", "It", r"code_1\.py cannot be executed: ZeroDivisionError"),
        ("class It:\n    pass", "It", r"It is not a pyfunc: derive it from PyFunc, or define __call__\(self, frame\)"),
        ("class It:\n    def __init__(self): raise KeyError('x')", "It", "It cannot be built: KeyError: 'x'"),
        ("async def It(frame): pass", "It", "It is a coroutine or a generator, which is not run"),
        ("def It(frame): yield", "It", "It is a coroutine or a generator, which is not run"),
        ("class It:\n    async def __call__(self, frame): pass", "It", "It is a coroutine or a generator"),
    ],
)
def test_code_that_cannot_be_loaded_is_named(make: Make, code: str, name: str, message: str) -> None:
    with pytest.raises(ElementError, match=message) as caught:
        make(code, name)
    assert str(caught.value).startswith("element pyfunc/code_1.py.It: ")


@pytest.mark.parametrize(
    ("code", "kwargs", "message"),
    [
        (
            "def It(frame, hold_s, label='car'): pass",
            {},
            r"missing a required argument: 'hold_s'.*frame, hold_s, label='car'",
        ),
        ("def It(frame, hold_s): pass", {"holds": 1}, r"a frame and kwargs holds: .*its parameters are frame, hold_s$"),
        (
            "def It(frame: int, n: int = 3): pass",
            {"m": 1, "n": 2},
            r"kwargs m, n: .*'m'; its parameters are frame, n=3$",
        ),
        ("def It(): pass", {}, r"too many positional arguments; its parameters are none$"),
        ("def It(frame, other): pass", {}, r"missing a required argument: 'other'"),
        ("class It:\n    def __call__(self): pass", {}, r"It.__call__ cannot be called with a frame: too many"),
        (
            "class It:\n    def __init__(self, a=1): pass\n    def __call__(self, f): pass",
            {"b": 1},
            r"It cannot be built: TypeError: .*'b'; its parameters are a=1$",
        ),
        (
            "import picasso.module as m\nclass It(m.NvDsPyFuncPlugin):\n    def process_frame(self, f): pass",
            {},
            r"It.process_frame cannot be called with a batch and a frame: ",
        ),
    ],
)
def test_arguments_that_do_not_fit_are_found_at_load(
    make: Make, code: str, kwargs: dict[str, Any], message: str
) -> None:
    with pytest.raises(ElementError, match=message) as caught:
        make(code, **kwargs)
    assert str(caught.value).startswith("element pyfunc/code_1.py.It: It")


@pytest.mark.parametrize("code", ["def It(frame, **kwargs): pass", "def It(*all, n=1): pass", "It = print"])
def test_a_function_that_takes_anything_gets_anything(make: Make, code: str) -> None:
    make(code, n=1) if "print" not in code else make(code)


UNSOUND = {
    "xc = nan": (
        "box.xc = math.nan",
        "detection box (nan, 8, 4, 4, none): expected finite numbers xc, yc, width, height",
    ),
    "yc = inf": ("box.yc = math.inf", "detection box (8, inf, 4, 4, none): expected finite"),
    "xc = 3e38": ("box.xc = 3e38", "detection box (3e+38, 8, 4, 4, none): expected finite"),
    "width = -1": ("box.width = -1", "detection box (8, 8, -1, 4, none): expected a width and a height of at least 0"),
    "a box": ("one.bbox = BBox(0, 0, math.nan, 1)", "detection box (0, 0, nan, 1, none): expected finite"),
    "angle = inf": (
        "one.bbox = RBBox(0, 0, 1, 1, math.inf)",
        "detection box (0, 0, 1, 1, inf): expected a finite angle",
    ),
    "track box": (
        "one.track_id = 3; one.fields.track_box = RBBox(1, math.nan, 1, 1)",
        "track box (1, nan, 1, 1, none): expected finite",
    ),
    "confidence": ("one.fields.confidence = math.inf", "confidence inf: expected a finite number or None"),
    "live view": (
        "frame.video_frame.detection_boxes()[0, 3] = -2",
        "detection box (8, 8, 4, -2, none): expected a width",
    ),
}
SETS = """
    import math
    from picasso.primitives import BBox, RBBox
    from picasso.module import ObjectMeta
    def It(frame):
        for n in range(2):
            frame.add_obj_meta(ObjectMeta("yolo", "car", BBox(8, 8, 4, 4)))
        if frame.pts == 1:
            one = next(frame.objects)
            box = one.bbox
            {line}
    """


@pytest.mark.parametrize(("line", "message"), UNSOUND.values(), ids=UNSOUND)
@pytest.mark.parametrize("policy", ["stop", "drop_frame", "pass"])
def test_a_box_that_no_one_can_use_does_not_leave_the_element_that_set_it(
    make: Make, line: str, message: str, policy: str, caplog: pytest.LogCaptureFixture
) -> None:
    element, batch = make(SETS.format(line=line), on_error=policy), Batch(map(frame, range(3)))
    said = f"element pyfunc/code_1.py.It: source 'gate' at pts 1: MetadataError: object 0 (yolo.car): {message}"
    if policy == "stop":
        with pytest.raises(ElementError) as caught:
            element.process(batch)
        assert str(caught.value).startswith(said)
        return
    with caplog.at_level(logging.ERROR):
        element.process(batch)
    assert caplog.messages[0].startswith(said)
    assert [one.is_dropped for one in batch] == [False, policy == "drop_frame", False]
    assert [one.video_frame.object_count for one in batch] == [2, 1, 2]


def test_of_a_batch_only_the_frame_with_the_box_is_dropped(make: Make) -> None:
    code = """
        from picasso.module import NvDsPyFuncPlugin
        class It(NvDsPyFuncPlugin):
            def process_buffer(self, buffer):
                for frame in buffer:
                    frame.add_detections("yolo", [[1, 2, 3, 4]], "car")
                buffer[1].video_frame.detection_boxes()[0, 0] = float("nan")
        """
    element, batch = make(code, on_error="drop_frame"), Batch(map(frame, range(3)))
    element.process(batch)
    assert [one.is_dropped for one in batch] == [False, True, False]


def test_a_region_of_interest_that_is_none_becomes_the_whole_frame_again(make: Make) -> None:
    element = make("def It(frame): frame.roi.width = -5", on_error="pass")
    one = frame(0)
    element.process(Batch([one]))
    assert one.roi.as_ltwh() == (0, 0, 16, 16)


@pytest.mark.parametrize(
    "line", ["one.bbox = RBBox(1, 1, 2, 2, math.nan)", "box.width = box.height = 0", "box.xc = -1e6"]
)
def test_a_box_without_an_angle_or_a_size_or_far_outside_may_leave(make: Make, line: str) -> None:
    batch = Batch(map(frame, range(2)))
    make(SETS.format(line=line)).process(batch)
    assert [one.video_frame.object_count for one in batch] == [2, 2]


def test_code_is_found_beside_the_file_in_the_working_folder_and_in_the_code_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path / name for name in ("yaml", "work", "root")]
    for folder in folders:
        (folder / "pkg_of_test").mkdir(parents=True)
        (folder / f"only_{folder.name}.py").write_text(f"def It(frame): frame.set_tag('from', {folder.name!r})")
    (folders[0] / "pkg_of_test" / "__init__.py").write_text("")
    (folders[0] / "pkg_of_test" / "inner.py").write_text("def It(frame): frame.set_tag('from', 'package')")
    monkeypatch.chdir(folders[1])
    code = CodePath.of(str(folders[0]), str(folders[2]))
    for module, expected in (
        ("only_yaml", "yaml"),
        ("only_work.py", "work"),
        ("only_root", "root"),
        ("pkg_of_test.inner", "package"),
        ("pkg_of_test/inner.py", "package"),
        (str(folders[2] / "only_root.py"), "root"),
    ):
        element, one = PyFuncElement(config(module, "It"), code), frame(0)
        element.process(Batch([one]))
        assert one.get_tag("from") == expected
    with pytest.raises(
        ElementError, match=r"module 'nowhere_to_be_found' is not found; looked in .*yaml, .*work, .*root"
    ):
        code.load("nowhere_to_be_found")


def test_what_is_logged_behind_an_element_that_failed_is_of_no_source(make: Make) -> None:
    element = make("def It(frame): raise ValueError")
    with pytest.raises(ElementError):
        element.process(Batch([frame(1)]))
    assert source_at_work() is None
