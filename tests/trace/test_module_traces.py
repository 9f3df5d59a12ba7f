"""Traces of a module: which frames have one, the tree of its spans, its context through sockets."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from otlp_receiver import OtlpReceiver, otlp_receiver

sys.path.insert(0, str(Path(__file__).parents[1] / "module"))
from test_module_run import no_thread_is_left
from wire_module_kit import config_of, encode, frame_of

from picasso.client import JpegSource, SourceBuilder
from picasso.engine import OutputMessage
from picasso.engine.clock import MonotonicClock
from picasso.module import ConfigError, Module
from picasso.module.config import load_config
from picasso.module.elements import ElementError
from picasso.primitives import Message, VideoFrame
from picasso.trace import TraceContext, close_tracer, init_jaeger_tracer, read_context
from picasso.wire import Reader, Received, Writer

__all__ = ["no_thread_is_left"]
CODE = """
import logging
import threading

from picasso.module import Frame, NvDsPyFuncPlugin
from picasso.primitives import BBox
from picasso.module import ObjectMeta

log = logging.getLogger("insight.savant.look")


class Look(NvDsPyFuncPlugin):
    def process_frame(self, buffer, frame_meta):
        log.debug("not a line of this module")
        log.info("looking at %d", frame_meta.pts)
        with frame_meta.telemetry_span.nested_span("find") as span:
            span.set_int_attribute("found", 1)
            box = BBox(20, 20, 8, 8)
            frame_meta.add_obj_meta(ObjectMeta("look", "thing", box))
        helper = threading.Thread(target=self.help, args=(frame_meta.telemetry_span,))
        helper.start()
        helper.join()

    def help(self, span):
        with span.nested_span("help") as own:
            log.info("helping")
            own.set_status_ok()


def fail(frame):
    with frame.telemetry_span.nested_span("divide"):
        1 / 0


def drop(frame):
    frame.drop()


class Batches(NvDsPyFuncPlugin):
    def process_buffer(self, buffer):
        for frame in buffer:
            frame.telemetry_span.set_bool_attribute("in_batch", True)
"""


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with otlp_receiver() as one:
        yield one


@pytest.fixture(autouse=True)
def logs_info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


@pytest.fixture
def code(tmp_path: Path) -> str:
    path = tmp_path / "look.py"
    path.write_text(CODE)
    return str(path)


def config(url: str, elements: list[Any], tracing: dict[str, Any] | None = None, **parameters: Any) -> dict[str, Any]:
    said = {"provider": "jaeger", "provider_params": {"endpoint": url}, "sampling_period": 1, **(tracing or {})}
    return {
        "name": "crossing",
        "parameters": {"frame": {"width": 64, "height": 48}, "telemetry": {"tracing": said}, **parameters},
        "pipeline": {"elements": elements},
    }


def element(code: str, name: str, **more: Any) -> dict[str, Any]:
    return {"element": "pyfunc", "module": code, "class_name": name, **more}


def run(config: dict[str, Any], frames: int = 1, **options: Any) -> list[Any]:
    with Module(config, clock=MonotonicClock(), **options) as module:
        for number in range(frames):
            frame = VideoFrame("cam", "30/1", 64, 48, time_base=(1, 10**9), pts=number * 40_000_000)
            module.send(frame, np.zeros((48, 64, 3), np.uint8))
        outcome = module.run()
    return [out.frame for out in outcome["cam"]] if not options else []


def test_a_traced_frame_has_one_root_its_stages_and_the_spans_of_pyfuncs(receiver: OtlpReceiver, code: str) -> None:
    (left,) = run(config(receiver.url, [element(code, "Look")], output_frame={"codec": "jpeg"}, draw_func={}))
    assert left.video_frame.object_count == 1
    root = receiver.root()
    assert root.tree() == {
        "crossing": [
            "add/muxer",
            {f"stage/pyfunc/{code}.Look": [{"process-frame": ["find", "help"]}]},
            {"stage/pyfunc/picasso.module.drawing.NvDsDrawFunc": ["process-frame"]},
            "stage/output-queue",
            "stage/queue-tagged",
            "stage/sink-convert",
            "stage/encode",
            "stage/frame-tag-funnel",
            {"stage/sink": ["write/memory_sink"]},
        ]
    }
    assert (root.attributes, root.status) == ({"source_id": "cam", "pts": 0}, (0, ""))
    assert root.resource["service.name"] == "crossing"
    ends = [root.start_ns, *(stage.end_ns for stage in root.children)]
    assert ends[:-1] == [stage.start_ns for stage in root.children]  # stages follow each other without a gap
    assert ends[-1] == root.end_ns
    assert all(root.start_ns <= one.start_ns <= one.end_ns <= root.end_ns for one in root.walk())
    line = {"log.level": "info", "log.target": "insight::savant::look", "event.name": "log-record"}
    line["event.domain"] = "savant"
    assert root.find("process-frame").events == [("looking at 0", line)]
    assert root.find("help").events == [("helping", line)]
    assert (root.find("find").attributes, root.find("help").status[0]) == ({"found": 1}, 1)


def test_a_module_without_output_frame_has_the_stages_that_its_frames_pass(receiver: OtlpReceiver) -> None:
    params = {"endpoint": receiver.url, "service_name": "north"}
    run(config(receiver.url, [], {"root_span_name": "way", "provider_params": params}))
    root = receiver.root()
    assert root.tree() == {"way": ["add/muxer", "stage/frame-tag-funnel", {"stage/sink": ["write/memory_sink"]}]}
    assert root.resource["service.name"] == "north"


@pytest.mark.parametrize(("period", "traced"), [(1, [0, 1, 2, 3, 4, 5]), (3, [2, 5]), (7, []), (0, []), (-1, [])])
def test_the_period_counts_frames(receiver: OtlpReceiver, period: int, traced: list[int]) -> None:
    run(config(receiver.url, [], {"sampling_period": period}), 6)
    assert [root.attributes["pts"] // 40_000_000 for root in receiver.roots()] == traced


def test_queues_between_elements_are_stages_and_a_batch_has_spans_for_each_frame(
    receiver: OtlpReceiver, code: str
) -> None:
    elements = [element(code, "Batches"), {"element": "queue", "name": "hold"}, element(code, "Batches")]
    run(config(receiver.url, elements, batch_size=2), 4)
    for root in receiver.roots():
        names = [stage.name for stage in root.children]
        assert names[:4] == [
            "add/muxer", f"stage/pyfunc/{code}.Batches", "stage/hold", f"stage/pyfunc/{code}.Batches_1"
        ]  # fmt: skip
        assert [one.attributes for one in root.walk() if one.name == "process-frame"] == [{"in_batch": True}] * 2
    assert len(receiver.roots()) == 4


def test_an_exception_of_a_pyfunc_is_told_in_each_span_that_it_leaves(receiver: OtlpReceiver, code: str) -> None:
    run(config(receiver.url, [element(code, "fail", on_error="drop_frame")]), 2)
    assert len(receiver.roots()) == 2
    for root in receiver.roots():
        assert root.attributes["drop_reason"] == "policy"
        for name in ("divide", "process-frame"):
            span = root.find(name)
            assert span.status == (2, "python.exception")
            assert span.events[0][1]["exception.type"] == "ZeroDivisionError"
            assert "1 / 0" in span.events[0][1]["exception.stacktrace"]


def test_a_module_that_an_element_stops_sends_the_trace_of_the_frame_that_did_it(
    receiver: OtlpReceiver, code: str
) -> None:
    with pytest.raises(ElementError, match="division by zero"):
        run(config(receiver.url, [element(code, "fail")]))
    root = receiver.root()
    assert root.attributes["drop_reason"] == "stopped"
    assert root.find(f"stage/pyfunc/{code}.fail").status == (2, "python.exception")
    span = root.find("process-frame")
    assert (span.status, len(span.events)) == ((2, "python.exception"), 1)


def test_a_frame_that_the_engine_loses_says_why(receiver: OtlpReceiver, caplog: pytest.LogCaptureFixture) -> None:
    tree = config(receiver.url, [], frame={"width": None, "height": None}, output_frame={"codec": "h264"})
    with Module(tree, clock=MonotonicClock()) as module:
        odd = VideoFrame("cam", "30/1", 17, 17, time_base=(1, 10**9), pts=0)
        module.send(odd, np.zeros((17, 17, 3), np.uint8))
        assert module.run()["cam"] == []
    root = receiver.root()
    assert (root.attributes["drop_reason"], root.status) == ("failed", (2, "python.exception"))
    assert root.events[0][1]["exception.type"].startswith("picasso.errors.")


def test_a_frame_that_is_dropped_says_why(receiver: OtlpReceiver, code: str) -> None:
    run(config(receiver.url, [element(code, "drop")]))
    root = receiver.root()
    assert (root.attributes["drop_reason"], root.events) == ("element", [("dropped", {"reason": "element"})])


class Failing:
    def write(self, output: OutputMessage) -> None:
        raise OSError("no room")

    def close(self) -> None:
        """Nothing."""


class Taking:
    name = "taking"

    def write(self, output: OutputMessage) -> None:
        logging.getLogger("insight.savant.taking").info("taken")

    def close(self) -> None:
        """Nothing."""


def test_each_sink_has_a_span_and_one_that_fails_says_so(receiver: OtlpReceiver) -> None:
    run(config(receiver.url, []), 2, sinks=[Failing(), Taking()])
    first, second = receiver.roots()
    assert {span.name: span.status[0] for span in first.find("stage/sink").children} == {
        "write/Failing": 2,
        "write/taking": 0,
    }
    assert [span.name for span in second.find("stage/sink").children] == ["write/taking"]
    assert second.find("write/taking").events[0][0] == "taken"


def test_stages_say_what_the_frame_was_at_their_ends(receiver: OtlpReceiver, code: str) -> None:
    run(config(receiver.url, [element(code, "Look")], {"append_frame_meta_to_span": True}))
    said = {stage.name: json.loads(stage.attributes["frame_json"]) for stage in receiver.root().children}
    assert {name: len(frame["objects"]) for name, frame in said.items()} == {
        "add/muxer": 0,
        f"stage/pyfunc/{code}.Look": 1,
        "stage/frame-tag-funnel": 1,
        "stage/sink": 1,
    }
    assert {frame["source_id"] for frame in said.values()} == {"cam"}
    assert "baggage" not in json.dumps(said)


def through_sockets(folder: Path, url: str, contexts: list[dict[str, str]], **tracing: Any) -> list[Received]:
    """Send a frame with each context through a module; return what came out."""
    tree = config_of(folder, config(url, [], tracing)["parameters"])
    tree["name"] = "crossing"
    out = {"socket": f"ipc://{folder}/out.ipc", "socket_type": "DEALER"}
    tree["pipeline"]["sink"] = [{"element": "zeromq_sink", "properties": out}]
    module = Module(tree)
    module.start()
    thread = threading.Thread(target=module.run)
    thread.start()
    received: list[Received] = []
    try:
        with (
            Reader(f"router+connect:ipc://{folder}/out.ipc", receive_timeout_s=60) as reader,
            Writer(f"dealer+connect:ipc://{folder}/in.ipc") as writer,
        ):
            ((_number, _is_key, data),) = encode("jpeg", 1)
            for number, context in enumerate(contexts):
                writer.send("cam", Message(frame_of(number, "jpeg"), span_context=context), data)
            while len(received) < len(contexts):
                result = reader.receive()
                assert isinstance(result, Received), result
                received.append(result)
            writer.send_eos("cam", wait=False)
            module.finish()
            thread.join()
    finally:
        module.stop()
        thread.join()
    return received


def test_a_context_comes_in_and_goes_out_over_the_wire(receiver: OtlpReceiver, tmp_path: Path) -> None:
    jaeger = {"uber-trace-id": f"{0xABC:x}:{0xDEF:x}:0:1"}
    contexts = [TraceContext(1, 2, "vendor=1").headers(), {}, jaeger, {"traceparent": "nonsense"}]
    received = through_sockets(tmp_path, receiver.url, contexts, sampling_period=0)
    out = [one.message().span_context for one in received]
    first, third = receiver.roots()
    assert [root.name for root in (first, third)] == ["crossing", "crossing"]
    assert [stage.name for stage in first.children][:3] == ["add/source", "stage/decode", "stage/muxer"]
    assert (first.trace_id, first.parent_id) == (f"{1:032x}", f"{2:016x}")
    assert (third.trace_id, third.parent_id) == (f"{0xABC:032x}", f"{0xDEF:016x}")
    assert read_context(out[0]) == TraceContext(1, int(first.span_id, 16), "vendor=1")
    assert read_context(out[2]) == TraceContext(0xABC, int(third.span_id, 16))
    assert out[2]["uber-trace-id"] == f"{0xABC:032x}:{third.span_id}:0:1"
    assert [dict(one) for one in (out[1], out[3])] == [{}, {"traceparent": "nonsense"}]


def test_a_frame_that_brings_no_context_leaves_with_one_where_it_is_sampled(
    receiver: OtlpReceiver, tmp_path: Path
) -> None:
    received = through_sockets(tmp_path, receiver.url, [{}, {}, {}], sampling_period=2)
    contexts = [read_context(one.message().span_context) for one in received]
    root = receiver.root()
    assert contexts == [None, TraceContext(int(root.trace_id, 16), int(root.span_id, 16)), None]


def test_a_client_with_a_tracer_sends_the_root_of_what_modules_do(receiver: OtlpReceiver, tmp_path: Path) -> None:
    (_number, _is_key, data) = encode("jpeg", 1)[0]
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    tree = config_of(tmp_path, config(receiver.url, [])["parameters"])
    module = Module(tree, sinks=[])
    module.start()
    thread = threading.Thread(target=module.run)
    thread.start()
    init_jaeger_tracer("tool", receiver.url)
    try:
        with SourceBuilder().with_socket(f"dealer+connect:ipc://{tmp_path}/in.ipc").build() as source:
            sent = source(JpegSource("cam", str(path)))
            source.send_eos("cam")
        module.finish()
    finally:
        thread.join()
        close_tracer(5.0)
    root = receiver.root()
    assert (root.name, root.trace_id, root.resource["service.name"]) == ("send", sent.trace_id, "tool")
    (way,) = root.children
    assert (way.name, way.resource["service.name"]) == ("test", "test")


def test_the_log_says_where_spans_go_and_hides_what_is_secret(
    receiver: OtlpReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    url = receiver.url.replace("//", "//me:secret@") + "?token=secret"
    headers = {"Authorization": "Bearer secret"}
    tracing = {"sampling_period": 100, "provider_params": {"endpoint": url, "headers": headers}}
    run(config(url, [], {"provider": "opentelemetry", **tracing}))
    text = "module 'crossing': traces of 1 frame in 100, and of each that brings one, go by OTLP over HTTP to "
    assert f"{text}{receiver.url}/v1/traces" in caplog.text
    assert "traces: 0 spans were sent to" in caplog.text
    assert "secret" not in caplog.text
    from picasso.module.config import render

    assert "secret" not in render(load_config(config(url, [], tracing), replaced=["source", "sink"]))


def test_a_collector_that_is_away_costs_the_end_of_a_module_no_frame(caplog: pytest.LogCaptureFixture) -> None:
    assert len(run(config("http://127.0.0.1:9", []), 3)) == 3
    assert "traces: 0 spans were sent to http://127.0.0.1:9/v1/traces, 15 were lost" in caplog.text


FAULTS = {
    "endpoint: ftp://x": "parameters.telemetry.tracing.provider_params.endpoint: expected host, host:port, http://",
    "endpoint: a b": "parameters.telemetry.tracing.provider_params.endpoint: expected host, host:port, http://",
    "{endpoint: x, headers: [1]}": "parameters.telemetry.tracing.provider_params.headers: expected a mapping of texts",
}


@pytest.mark.parametrize(("params", "fault"), FAULTS.items(), ids=FAULTS)
def test_wrong_parameters_of_the_provider_are_faults_of_the_configuration(params: str, fault: str) -> None:
    import yaml

    tree = config("x", [], {"provider_params": yaml.safe_load(params)})
    with pytest.raises(ConfigError) as caught:
        load_config(tree, replaced=["source", "sink"])
    assert fault in str(caught.value)


def test_a_module_without_a_provider_loads_no_library_of_traces() -> None:
    program = """if True:
        import sys
        import numpy as np
        from picasso.module import Module
        from picasso.primitives import VideoFrame
        with Module({"name": "m", "parameters": {"frame": {"width": 64, "height": 48}}}) as module:
            module.send(VideoFrame("cam", "30/1", 64, 48), np.zeros((48, 64, 3), np.uint8))
            assert len(module.run()["cam"]) == 1
        print([name for name in sys.modules if name.startswith(("opentelemetry", "requests"))])
    """
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
