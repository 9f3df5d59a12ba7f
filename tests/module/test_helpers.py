"""What pyfuncs ask their module for: queues, what it has done, streams of work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from picasso.module import Module, NvDsPyFuncPlugin
from picasso.module.elements import ElementError
from picasso.module.sinks import MemorySink
from picasso.observe.account import StageStatistics
from picasso.observe.records import Recorder

FRAMES = 6
ASKS = """
from picasso.module import NvDsPyFuncPlugin
seen = []
class It(NvDsPyFuncPlugin):
    def process_frame(self, buffer, frame_meta):
        seen.append({code})
"""


def run(folder: Path, code: str, *, queue: bool = False, frames: int = FRAMES, **parameters: Any) -> list[Any]:
    """Run a module of two pyfuncs, the second of which evaluates ``code`` for each frame; return the values."""
    (folder / "first.py").write_text("def It(frame): pass")
    (folder / "asks.py").write_text(ASKS.replace("{code}", code))
    elements: list[dict[str, Any]] = [
        {"element": "pyfunc", "module": str(folder / f"{name}.py"), "class_name": "It"} for name in ("first", "asks")
    ]
    if queue:
        properties = {"max-size-buffers": 3, "max-size-bytes": 1 << 20, "max-size-time": 10**9}
        elements.insert(1, {"element": "queue", "name": "between", "properties": properties})
    source = {"element": "videotestsrc", "properties": {"width": 64, "height": 48, "num-buffers": frames}}
    module = Module(
        {
            "name": "m",
            "parameters": {"frame": {"width": 64, "height": 48}, "code_root": None, **parameters},
            "pipeline": {"source": source, "sink": [{"element": "devnull_sink"}], "elements": elements},
        },
        sinks=[MemorySink()],
    )
    with module:
        asking: Any = module._ending.pipeline.groups()[-1][1][-1]  # type: ignore[union-attr]
        values: list[Any] = type(asking.plugin).process_frame.__globals__["seen"]
        module.run()
    return values


def test_without_queues_there_are_none(tmp_path: Path) -> None:
    assert run(tmp_path, "(self.get_queues(), self.get_upstream_queue())") == [([], None)] * FRAMES


def test_a_queue_is_found_by_the_name_of_its_element(tmp_path: Path) -> None:
    code = """(lambda q: (q is self.get_upstream_queue(), self.get_queues() == [q], q.qsize() <= 3, q.max_size_buffers,
        q.max_size_bytes, q.max_size_time, 0 <= q.current_level_buffers <= 3, q.current_level_bytes >= 0,
        q.current_level_time >= 0, q.empty() in (True, False), q.full() in (True, False)))(self.get_queue("between"))"""
    assert set(run(tmp_path, code, queue=True)) == {(True, True, True, 3, 1 << 20, 10**9, True, True, True, True, True)}


def test_buffer_queues_are_called_by_the_stage_behind_them(tmp_path: Path) -> None:
    code = "(len(self.get_queues()), self.get_queue(f'before/pyfunc/{__file__}.It') is self.get_upstream_queue())"
    assert run(tmp_path, code, buffer_queues={"length": 2}) == [(1, True)] * FRAMES


def test_a_queue_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ElementError, match="no queue 'x'; there are: between"):
        run(tmp_path, "self.get_queue('x')", queue=True)


def test_what_the_module_has_done_comes_newest_first(tmp_path: Path) -> None:
    code = "self.get_runtime_metrics(2)"
    metrics = {"telemetry": {"metrics": {"frame_period": 2, "history": 3}}}
    values = run(tmp_path, code, frames=40, **metrics)
    last = values[-1]
    assert len(last) <= 2
    records = [record for value in values for record in value]
    assert {record.record_type for record in records} <= {"initial", "frame"}
    assert all(record.frame_no % 2 == 0 for record in records if record.record_type == "frame")
    assert all(first.id > second.id for first, second in (value for value in values if len(value) == 2))


def test_streams_of_work_are_one_for_each_place_in_a_batch(tmp_path: Path) -> None:
    code = "(lambda s: (s is self.get_cuda_stream(frame_meta), s.queryIfComplete()))(self.get_cuda_stream(frame_meta))"
    assert run(tmp_path, code) == [(True, True)] * FRAMES


@pytest.mark.parametrize("name", ["get_queues", "get_upstream_queue", "get_queue", "get_runtime_metrics"])
def test_without_a_module_there_is_nothing_to_ask(name: str) -> None:
    arguments = {"get_queue": ("x",), "get_runtime_metrics": (1,)}.get(name, ())
    with pytest.raises(RuntimeError, match=f"^{name} works in a running module"):
        getattr(NvDsPyFuncPlugin(), name)(*arguments)


STAGES = [StageStatistics("decode", 5, 2, 1, 7)]


def test_records_are_taken_every_so_many_frames_and_the_latest_are_kept() -> None:
    recorder = Recorder({"frame_period": 3, "history": 2}, lambda: STAGES)
    for _ in range(10):
        recorder.frame_left(2)
    found = recorder.latest(9)
    assert [(one.id, one.record_type, one.frame_no, one.object_counter) for one in found] == [
        (3, "frame", 9, 18),
        (2, "frame", 6, 12),
    ]
    (stage,) = found[0].stage_stats
    assert (stage.stage_name, stage.frame_counter, stage.queue_length, stage.batch_counter, stage.object_counter) == (
        "decode", 5, 2, 1, 7,
    )  # fmt: skip
    assert recorder.latest(0) == []
    assert [one.id for one in recorder.latest(1)] == [3]


def test_the_first_frame_that_leaves_makes_a_record_and_null_takes_no_others() -> None:
    recorder = Recorder({"frame_period": None, "time_period": None, "history": 5}, lambda: STAGES)
    for _ in range(100):
        recorder.frame_left(0)
    assert [(one.record_type, one.frame_no) for one in recorder.latest(9)] == [("initial", 1)]


def test_an_argument_called_metrics_is_the_users() -> None:
    assert NvDsPyFuncPlugin(metrics={"mine": 1}).metrics == {"mine": 1}
