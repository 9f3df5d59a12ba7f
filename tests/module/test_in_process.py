"""Modules inside a program: three lines of pytest, without a file, a socket or a clock."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_module_run import PATTERN, no_thread_is_left, pyfunc, tree

from picasso.errors import ShapeError, ShutDownError
from picasso.module import Module
from picasso.module.run.state import ModuleState
from picasso.module.sinks import MemorySink
from picasso.primitives import BBox, VideoFrame
from picasso.testing import FakeClock

__all__ = ["no_thread_is_left"]

CONFIG: dict[str, Any] = {
    "name": "under-test",
    "parameters": {"frame": {"width": 64, "height": 48}, "output_frame": {"codec": "jpeg"}},
}
PIXELS = np.zeros((48, 64, 3), np.uint8)


@pytest.fixture(autouse=True)
def no_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ZMQ_SRC_ENDPOINT", "ZMQ_SINK_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


def frame(number: int = 0, source_id: str = "cam") -> VideoFrame:
    return VideoFrame(source_id, "30/1", 64, 48, time_base=(1, 10**9), pts=number * 33_333_333)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(6):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(PIXELS, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def test_a_frame_that_is_sent_comes_out() -> None:
    with Module(CONFIG) as module:
        module.send(frame(), PIXELS)
        assert module.run()["cam"][0].is_encoded


def test_a_module_file_runs_over_a_clip_without_a_socket_a_file_or_a_clock(tmp_path: Path, clip: Path) -> None:
    (tmp_path / "crossing.yml").write_text(
        """
name: crossing
parameters:
  frame: {width: 64, height: 48}
  output_frame: {codec: h264, encoder: software, condition: {tag: encode}}
pipeline:
  source:
    - {element: uridecodebin, properties: {uri: "${oc.env:CAMERA, rtsp://localhost/cam}", source_id: gate}}
    - {element: uridecodebin, properties: {uri: "${oc.env:NEVER_SET}", loop: true}}
  elements:
    - {element: pyfunc, module: crossing.py, class_name: people}
  sink:
    - {element: video_file_sink, properties: {location: "${oc.env:NEVER_SET}/{source}/{time}.mp4", segment_s: 60}}
"""
    )
    (tmp_path / "crossing.py").write_text(
        """
from picasso.module import Frame, ObjectMeta
from picasso.primitives import BBox

def people(frame: Frame) -> None:
    if frame.frame_num % 3 == 0:
        frame.add_obj_meta(ObjectMeta("yolo", "person", BBox(20, 10, 8, 6)))
    if any(obj.label == "person" for obj in frame.objects):
        frame.set_tag("encode")
"""
    )
    with Module.from_file(tmp_path / "crossing.yml", sources=[clip]) as module:
        outputs = module.run()
    assert all(out.is_encoded == bool(out.frame.objects) for out in outputs["gate"])
    assert [out.is_encoded for out in outputs["gate"]] == [True, False, False, True, False, False]
    assert [bool(out.data) for out in outputs["gate"]] == [out.is_encoded for out in outputs["gate"]]
    assert list(outputs) == ["gate"]
    assert isinstance(module.clock, FakeClock)
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == {"crossing.yml", "crossing.py", "clip.mp4"}


def test_a_file_runs_with_its_own_sinks_where_that_is_said(tmp_path: Path, clip: Path) -> None:
    config = tree(sink=[{"element": "metadata_json_sink", "properties": {"location": f"{tmp_path}/{{source}}.ndjson"}}])
    outcome = Module(config, sources=[clip], sinks="configured").run()
    assert outcome["clip"] == []
    assert len((tmp_path / "clip-0000.ndjson").read_text().splitlines()) == 6 + 1


def test_from_file_and_run_are_a_program(tmp_path: Path) -> None:
    (tmp_path / "m.yml").write_text(
        f"""
name: m
parameters: {{frame: {{width: 64, height: 48}}}}
pipeline:
  source: {{element: videotestsrc, properties: {{width: 64, height: 48, num-buffers: 3}}}}
  sink: [{{element: file_sink, properties: {{file_path: {tmp_path}/all.json}}}}]
"""
    )
    outcome = Module.from_file(tmp_path / "m.yml").run()
    assert [(status.source_id, status.delivered) for status in outcome.statuses] == [("test", 3)]
    assert (tmp_path / "all.json").is_file()


def test_sources_that_are_sent_run_beside_each_other_and_end_when_they_are_told(tmp_path: Path) -> None:
    text = """
from picasso.module import PyFunc
class It(PyFunc):
    def __init__(self): super().__init__(); self.ends = []
    def __call__(self, frame): frame.set_tag("ends", ",".join(self.ends) or "none")
    def on_source_eos(self, source_id): self.ends.append(source_id)
"""
    config = {**CONFIG, "pipeline": {"elements": [pyfunc("ends", tmp_path, text)]}}
    with Module(config) as module:
        for number in range(2):
            module.send(frame(number, "a"), PIXELS)
            module.send(frame(number, "b"), PIXELS)
        module.send_eos("a")
        module.send(frame(5, "a"), PIXELS)
        outcome = module.run()
    assert [len(outcome[name]) for name in ("a", "b")] == [3, 2]
    assert "a" in str(outcome["a"][2].frame.get_tag("ends")).split(",")  # that of b may come before this frame, too
    assert [(s.source_id, s.read, s.delivered, s.dropped) for s in outcome.statuses] == [("a", 3, 3, 0), ("b", 2, 2, 0)]


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_batches_fill_on_a_clock_that_stands_still(tmp_path: Path, batch_size: int) -> None:
    text = "def It(frame): frame.set_tag('batch', frame.batch_id)"
    parameters = {**CONFIG["parameters"], "batch_size": batch_size}
    config = {**CONFIG, "parameters": parameters, "pipeline": {"elements": [pyfunc("batch", tmp_path, text)]}}
    with Module(config) as module:
        for number in range(10):
            module.send(frame(number), PIXELS)
        outputs = module.run()["cam"]
    assert [out.frame.pts for out in outputs] == [number * 33_333_333 for number in range(10)]
    assert max(int(out.frame.get_tag("batch") or 0) for out in outputs) < batch_size


def test_the_caller_keeps_frame_and_array(tmp_path: Path) -> None:
    text = """
from picasso.module import ObjectMeta
from picasso.primitives import BBox
def It(frame):
    frame.add_obj_meta(ObjectMeta("yolo", "car", BBox(20, 10, 8, 6)))
    with frame.edit_image() as pixels: pixels[:] = 255
"""
    own, pixels = frame(), np.zeros((48, 64, 3), np.uint8)
    parameters = {**CONFIG["parameters"], "output_frame": {"codec": "raw-rgb24"}}
    config = {**CONFIG, "parameters": parameters, "pipeline": {"elements": [pyfunc("writes", tmp_path, text)]}}
    with Module(config) as module:
        module.send(own, pixels)
        pixels[:] = 7
        (out,) = module.run()["cam"]
    assert (own.object_count, set(out.data), int(pixels.max())) == (0, {255}, 7)
    (car,) = out.frame.objects
    assert car.bbox.as_xcycwh() == pytest.approx((20, 10, 8, 6), abs=1e-3)


def test_objects_that_are_sent_are_in_pixels_of_the_picture() -> None:
    parameters = {"frame": {"width": 128, "height": 96}, "output_frame": None}
    sent = frame()
    sent.create_object("m", "car", detection_box=BBox(20, 10, 8, 6).as_rbbox())
    with Module({"name": "m", "parameters": parameters}) as module:
        module.send(sent, PIXELS)
        (out,) = module.run()["cam"]
    (car,) = out.frame.objects
    assert car.bbox.as_xcycwh() == pytest.approx((40, 20, 16, 12), abs=1e-3)
    assert (out.is_encoded, out.data) == (False, b"")


def test_pixels_of_another_size_are_refused_at_once() -> None:
    with Module(CONFIG) as module, pytest.raises(ShapeError, match="expected the frame's size 64x48, got 32x48"):
        module.send(frame(), PIXELS[:, :32])


def test_a_module_that_has_not_started_or_has_stopped_takes_no_frame() -> None:
    module = Module(CONFIG)
    with pytest.raises(RuntimeError, match="has not started; use it as `with Module"):
        module.send(frame(), PIXELS)
    with module:
        module.send(frame(), PIXELS)
    with pytest.raises(ShutDownError):
        module.send(frame(), PIXELS)
    with pytest.raises(ShutDownError):
        module.send(frame(0, "another"), PIXELS)


def test_a_module_runs_once() -> None:
    module = Module(CONFIG)
    with module, pytest.raises(RuntimeError, match="the module is running; a module runs once, make another one"):
        module.start()
    with pytest.raises(RuntimeError, match="the module is stopped"):
        module.start()
    assert module.state is ModuleState.STOPPED


def test_whoever_sends_to_a_module_that_an_element_stopped_learns_why(tmp_path: Path) -> None:
    text = "def It(frame): raise ValueError('no lane')"
    config = {**CONFIG, "pipeline": {"elements": [pyfunc("stops", tmp_path, text)]}}

    def send_on(module: Module) -> None:
        for number in range(1000):
            module.send(frame(number), PIXELS)

    with Module(config) as module:
        with pytest.raises(ShutDownError) as caught:
            send_on(module)
        assert "no lane" in str(caught.value.__cause__)
        with pytest.raises(Exception, match="no lane"):
            module.run()


def test_senders_that_wait_are_let_go_when_the_module_stops() -> None:
    class Blocks(MemorySink):
        def write(self, output: Any) -> None:
            gate.wait()

    gate, refused = threading.Event(), threading.Event()
    config = {**CONFIG, "parameters": {**CONFIG["parameters"], "queue_maxsize": 1, "egress_queue_length": 1}}

    def send_on() -> None:
        try:
            for number in range(1000):
                module.send(frame(number), PIXELS)
        except ShutDownError:
            refused.set()

    module = Module(config, sinks=[Blocks()])
    sender = threading.Thread(target=send_on)
    with module:
        sender.start()
        while not module.statuses() or module.statuses()[0].read < 2:
            threading.Event().wait(0.001)
        module.stop()
        gate.set()
    sender.join()
    assert refused.is_set()
    (status,) = module.statuses()
    assert status.read == status.delivered + status.dropped


def test_sources_of_one_name_are_refused(clip: Path) -> None:
    with pytest.raises(ValueError, match="the source id 'clip' is in use"):
        Module(CONFIG, sources=[clip, clip])


def test_an_outcome_names_the_sources_that_it_has(clip: Path) -> None:
    outcome = Module(CONFIG, sources=[clip]).run()
    with pytest.raises(KeyError, match="no source 'gate'; there are: 'clip'"):
        outcome["gate"]
    assert repr(outcome) == "Outcome('clip': 6 frames)"


def test_a_mapping_that_names_a_source_reads_it_and_keeps_what_comes_out() -> None:
    assert len(Module({**CONFIG, "pipeline": {"source": PATTERN}}).run()["test"]) == 12


def test_an_endpoint_in_the_environment_is_where_frames_come_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ZMQ_SRC_ENDPOINT", f"ipc://{tmp_path}/in.ipc")
    with Module(CONFIG) as module:
        assert module.addresses == [f"ipc://{tmp_path}/in.ipc"]
    assert module.addresses == [None]


def test_a_source_that_is_one_too_many_waits_until_another_stream_ends() -> None:
    parameters = {**CONFIG["parameters"], "max_parallel_streams": 1}
    with Module({**CONFIG, "parameters": parameters}) as module:
        for source_id in ("first", "second"):
            for number in range(3):
                module.send(frame(number, source_id), PIXELS)
            module.send_eos(source_id)
        out = module.run()
    assert {source_id: len(out[source_id]) for source_id in ("first", "second")} == {"first": 3, "second": 3}
