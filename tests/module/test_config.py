"""A module's configuration: what is right is merged and resolved, what is wrong is named with its place."""

from __future__ import annotations

import io
import itertools
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from picasso.module.config import ConfigError, ModuleConfig, editor_schema, load_config, module_schema, render
from picasso.module.config.document import parse

LEAST = """
name: least
pipeline:
  source: {element: videotestsrc}
  sink: [{element: devnull_sink}]
"""
Load = Callable[[str], ModuleConfig]


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MODULE_NAME", "LOGLEVEL", "FRAME_WIDTH", "FRAME_HEIGHT", "OUTPUT_FRAME", "ZMQ_SRC_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(text: str) -> ModuleConfig:
        path = tmp_path / "m.yml"
        path.write_text(dedent(text))
        return load_config(path)

    return load


def faults(load: Load, text: str) -> list[str]:
    """What is wrong with a module, without the name of its folder."""
    with pytest.raises(ConfigError) as caught:
        load(text)
    return [str(problem).removeprefix(f"{Path(problem.file).parent}/") for problem in caught.value.problems]


def with_parameters(lines: str) -> str:
    return LEAST + "parameters:\n" + "".join(f"  {line}\n" for line in dedent(lines).strip().splitlines())


def test_the_shortest_module_has_every_default(load: Load) -> None:
    config = load(LEAST)
    assert (config.name, config.batch_size, config.elements) == ("least", 1, ())
    assert (config.frame.width, config.frame.height, config.frame.padding) == (1280, 720, None)
    assert (config.output_frame, config.draw_func, config.buffer_queues) == (None, None, None)
    assert config.parameters["queue_maxsize"] == 100
    assert config.parameters["telemetry"]["metrics"]["frame_period"] == 10000
    assert [source.element for source in config.sources] == ["videotestsrc"]


def test_the_seeds_defaults_stand_when_only_the_sockets_are_given(monkeypatch: pytest.MonkeyPatch, load: Load) -> None:
    monkeypatch.setenv("ZMQ_SRC_ENDPOINT", "ipc:///tmp/in")
    monkeypatch.setenv("ZMQ_SINK_ENDPOINT", "ipc:///tmp/out")
    config = load("name: wired\npipeline: {source: null}\n")
    (source,), (sink,) = config.sources, config.sinks
    assert (source.element, source.properties["socket"], source.properties["bind"]) == (
        "zeromq_source_bin",
        "ipc:///tmp/in",
        True,
    )
    assert (sink.element, sink.properties) == (
        "zeromq_sink",
        {"socket": "ipc:///tmp/out", "socket_type": "PUB", "bind": True},
    )


def test_an_unset_endpoint_that_is_still_needed_is_an_error_and_a_replaced_one_is_not(load: Load) -> None:
    (fault,) = faults(load, "name: m\npipeline: {sink: [{element: devnull_sink}]}\n")
    assert fault == (
        "defaults.yml: pipeline.source.properties.socket: ${oc.env:ZMQ_SRC_ENDPOINT}: "
        "the environment variable ZMQ_SRC_ENDPOINT is not set, and there is no default"
    )


def test_a_source_replaces_the_default_as_a_whole_and_maps_merge(load: Load) -> None:
    config = load(with_parameters("frame: {width: 640, height: 480}"))
    assert config.sources[0].properties == {}
    assert (config.frame.width, config.frame.geometry_base) == (640, 8)


def test_lists_replace(load: Load) -> None:
    assert [sink.element for sink in load(LEAST).sinks] == ["devnull_sink"]


@pytest.mark.parametrize(
    "empty", ["parameters:", "parameters: {}", "parameters:\n  frame:", "parameters:\n  telemetry:"]
)
def test_a_block_with_nothing_below_says_nothing(load: Load, empty: str) -> None:
    assert load(f"{LEAST}\n{empty}\n").tree == load(LEAST).tree


def test_elements_may_be_absent_or_null(load: Load) -> None:
    assert load(LEAST + "  elements: null\n").elements == ()


def test_standard_input_is_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(LEAST))
    config = load_config("-")
    assert (config.name, config.file, config.folder) == ("least", "<stdin>", None)


def test_a_mapping_is_a_module_and_stays_as_it_was() -> None:
    tree = {"name": "m", "pipeline": {"source": {"element": "videotestsrc"}, "sink": ({"element": "devnull_sink"},)}}
    before = json.dumps(tree)
    assert load_config(tree).name == "m"
    assert json.dumps(tree) == before


# interpolation


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${oc.env:PICASSO_TEST_X}", "5"),
        ("${oc.decode:${oc.env:PICASSO_TEST_X}}", 5),
        ("${oc.env:PICASSO_TEST_MISSING, seven}", "seven"),
        ("${oc.decode:${oc.env:PICASSO_TEST_MISSING, null}}", None),
        ("${parameters.base}", 3),
        ("${.base}", 3),
        ("${oc.select:parameters.nothing, 9}", 9),
        ("${oc.select:parameters.base, 9}", 3),
        ('${calc:"arg_0 * arg_1", ${.base}, 0.5}', 1.5),
        ("${json:${oc.env:PICASSO_TEST_JSON}}", {"a": [1, {"b": "c, d"}]}),
        ("${json:null}", None),
        ("a ${.base} b", "a 3 b"),
        ("${pipeline.sink[0].element}", "devnull_sink"),
        ("${parameters.${.which}}", 3),
    ],
    ids=str,
)
def test_interpolations(monkeypatch: pytest.MonkeyPatch, load: Load, text: str, value: object) -> None:
    monkeypatch.setenv("PICASSO_TEST_X", "5")
    monkeypatch.setenv("PICASSO_TEST_JSON", '{"a": [1, {"b": "c, d"}]}')
    config = load(with_parameters(f"base: 3\nwhich: base\nresult: '{text}'"))
    assert config.parameters["result"] == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("${oc.env:PICASSO_TEST_MISSING}", "the environment variable PICASSO_TEST_MISSING is not set"),
        ("${nothing.there}", "nothing.there"),
        ("${unknown_resolver:1}", "unknown_resolver"),
        ("${json:'{'}", "Expecting"),
        ("${calc:'__import__(1)'}", "__import__"),
        ("${.result}", "${.result}"),
    ],
    ids=str,
)
def test_what_cannot_be_resolved_is_named_with_its_line(load: Load, text: str, why: str) -> None:
    (fault,) = faults(load, with_parameters(f'result: "{text}"'))
    assert fault.startswith("m.yml:7: parameters.result: ${")
    assert why in fault


def test_values_of_variables_become_what_the_schema_wants(monkeypatch: pytest.MonkeyPatch, load: Load) -> None:
    monkeypatch.setenv("PICASSO_TEST_X", "4")
    monkeypatch.setenv("PICASSO_TEST_B", "1")
    config = load(with_parameters("batch_size: ${oc.env:PICASSO_TEST_X}\ndev_mode: ${oc.env:PICASSO_TEST_B}"))
    assert (config.batch_size, config.parameters["dev_mode"]) == (4, True)


def test_a_whole_output_frame_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, load: Load) -> None:
    monkeypatch.setenv(
        "OUTPUT_FRAME", '{"codec": "jpeg", "encoder_params": {"quality": 60}, "condition": {"tag": "t"}}'
    )
    output = load(LEAST).output_frame
    assert output is not None
    assert (output.codec, output.encoder_params, output.tag) == ("jpeg", {"quality": 60}, "t")


@settings(max_examples=10)
@given(st.dictionaries(st.from_regex(r"u_[a-z]{1,6}", fullmatch=True), st.integers() | st.booleans() | st.none()))
def test_parameters_of_the_user_are_kept_as_they_are(parameters: dict[str, Any]) -> None:
    pipeline = {"source": {"element": "videotestsrc"}, "sink": [{"element": "devnull_sink"}]}
    config = load_config({"name": "m", "parameters": parameters, "pipeline": pipeline})
    assert {key: config.parameters[key] for key in parameters} == parameters


# faults

FAULTS = {
    "batch_size: 0": "parameters.batch_size: expected at least 1, got 0",
    "batch_size: 1025": "parameters.batch_size: expected at most 1024, got 1025",
    "batch_size: many": "parameters.batch_size: expected a whole number or null, got 'many'",
    "batched_push_timeout: -1": "parameters.batched_push_timeout: expected at least 0, got -1",
    "max_parallel_streams: 1.5": "parameters.max_parallel_streams: expected a whole number, got 1.5",
    "queue_maxsize: -1": "parameters.queue_maxsize: expected at least 0, got -1",
    "egress_queue_length: -2": "parameters.egress_queue_length: expected at least 0, got -2",
    "stream_buffer_pool_size: 0": "parameters.stream_buffer_pool_size: expected at least 1, got 0",
    "muxer_buffer_pool_size: 1025": "parameters.muxer_buffer_pool_size: expected at most 1024, got 1025",
    "dev_mode: perhaps": "parameters.dev_mode: expected true or false, got 'perhaps'",
    "healthcheck_port: 70000": "parameters.healthcheck_port: expected at most 65535, got 70000",
    "log_level: [info]": "parameters.log_level: expected text, got ['info']",
    "frame: {width: 1283}": ("parameters.frame.width: 1283 is not divisible by geometry_base 8; 1280 and 1288 are"),
    "frame: {width: 1280, height: null}": (
        "parameters.frame.height: width and height are given together, or both are null"
    ),
    "frame: {padding: {left: 5}}": "parameters.frame.padding.left: 5 is not divisible by geometry_base 8; 0 and 8 are",
    "frame: {padding: {middle: 8}}": (
        "parameters.frame.padding.middle: unknown key 'middle'; one of bottom, keep, left, right, top"
    ),
    "frame: {widht: 1280}": "parameters.frame.widht: unknown key 'widht'; did you mean 'width'?",
    "frame: 5": "parameters.frame: expected null or a mapping, got 5",
    "output_frame: {codec: h266}": (
        "parameters.output_frame.codec: unknown codec 'h266'; one of h264, hevc, av1, jpeg, png, raw-rgba, raw-rgb24, "
        "copy, vp8, vp9 (did you mean h264?)"
    ),
    "output_frame: {encoder: nvenc}": "parameters.output_frame.codec: a value is required",
    "output_frame: {codec: vp9}": (
        "parameters.output_frame.codec: vp9 is read and not encoded; one of h264, hevc, av1, jpeg, png, copy"
    ),
    "output_frame: {codec: png, encoder: nvenc}": (
        "parameters.output_frame.encoder: nvenc does not encode png; one of software"
    ),
    "output_frame: {codec: copy, encoder: software}": (
        "parameters.output_frame.encoder: software does not encode copy, which has no encoder"
    ),
    "output_frame: {codec: hevc, profile: main}": (
        "parameters.output_frame.profile: only h264 has one here, got codec hevc"
    ),
    "output_frame: {codec: h264, encoder_params: {bitrte: 5}}": (
        "parameters.output_frame.encoder_params.bitrte: unknown parameter of h264: 'bitrte'; did you mean 'bitrate'?"
    ),
    "output_frame: {codec: h264, condition: {}}": "parameters.output_frame.condition.tag: a value is required",
    "draw_func: {module: a.b}": "parameters.draw_func.class_name: module and class_name are given together",
    "draw_func: {rendered_objects: {m: {car: {bbox: {border_color: red}}}}}": (
        "parameters.draw_func.rendered_objects.m.car.bbox.border_color: expected 8 hexadecimal digits, RRGGBBAA, "
        "got 'red'"
    ),
    "buffer_queues: {lenght: 5}": "parameters.buffer_queues.lenght: unknown key 'lenght'; did you mean 'length'?",
    "telemetry: {tracing: {provider: zipkin}}": (
        "parameters.telemetry.tracing.provider: unknown provider 'zipkin'; one of jaeger, opentelemetry, null"
    ),
    "telemetry: {tracing: {provider: jaeger}}": (
        "parameters.telemetry.tracing.provider: jaeger needs provider_params.endpoint"
    ),
    "telemetry: {metrics: {provider: prometheus}}": (
        "parameters.telemetry.metrics.provider: prometheus needs provider_params.port"
    ),
    "telemetry: {metrics: {time_period: 0}}": ("parameters.telemetry.metrics.time_period: expected more than 0, got 0"),
    "etcd: {hosts: [nowhere]}": "parameters.etcd.hosts[0]: expected host:port, got 'nowhere'",
    "etcd: {watch_path: x}": "parameters.etcd.hosts: a value is required",
    "track_ids: some": "parameters.track_ids: unknown track_ids 'some'; one of unset, legacy",
    "on_pyfunc_error: ignore": (
        "parameters.on_pyfunc_error: unknown on_pyfunc_error 'ignore'; one of stop, drop_frame, pass"
    ),
    "batched_push_timeout: 1.0e+30": (
        "parameters.batched_push_timeout: expected at most 1000000000, got 1000000000000000019884624838656"
    ),
    "queue_maxsize: 99999999999999999999": (
        "parameters.queue_maxsize: expected at most 1000000, got 99999999999999999999"
    ),
    "queue_maxsize: .inf": "parameters.queue_maxsize: expected a whole number, got inf",
    "batch_size: .nan": "parameters.batch_size: expected a whole number or null, got nan",
    "telemetry: {metrics: {time_period: .inf}}": (
        "parameters.telemetry.metrics.time_period: expected a number or null, got inf"
    ),
    "telemetry: {metrics: {time_period: '1e999'}}": (
        "parameters.telemetry.metrics.time_period: expected a number or null, got inf"
    ),
    "etcd: {hosts: ['a:2379'], connect_timeout: .nan}": ("parameters.etcd.connect_timeout: expected a number, got nan"),
    "etcd: {hosts: ['a:65536']}": "parameters.etcd.hosts[0]: expected host:port, got 'a:65536'",
    "frame: {width: 16384, height: 720, padding: {left: 8}}": (
        "parameters.frame.width: 16392 pixels with the padding: expected at most 16384"
    ),
    "draw_func: {rendered_objects: {m: {car: {label: {font_scale: .nan}}}}}": (
        "parameters.draw_func.rendered_objects.m.car.label.font_scale: expected a number, got nan"
    ),
    "max_fps: 0": "parameters.max_fps: expected at least 1, got 0",
    "max_fps: 30/0": "parameters.max_fps: expected a rate such as 30 or 30000/1001, got '30/0'",
    "max_fps: fast": "parameters.max_fps: expected a rate such as 30 or 30000/1001, got 'fast'",
}


@pytest.mark.parametrize(("line", "fault"), FAULTS.items(), ids=FAULTS)
def test_a_wrong_parameter_is_named_with_line_path_value_and_choices(load: Load, line: str, fault: str) -> None:
    assert faults(load, with_parameters(line)) == [f"m.yml:7: {fault}"]


PIPELINES = {
    "source: {element: uridecodebin}\n  sink: [{element: devnull_sink}]": [
        "m.yml:3: pipeline.source.properties.uri: a value is required"
    ],
    "source: {element: uridecodebin, properties: {}}\n  sink: [{element: devnull_sink}]": [
        "m.yml:3: pipeline.source.properties.uri: a value is required"
    ],
    "source: {element: filesrc}\n  sink: [{element: devnull_sink}]": [
        "m.yml:3: pipeline.source.element: unknown element 'filesrc'; one of zeromq_source_bin, uridecodebin, v4l2src, "
        "videotestsrc"
    ],
    "source: {element: videotestsrc, properties: {loop: true}}\n  sink: [{element: devnull_sink}]": [
        "m.yml:3: pipeline.source.properties.loop: unknown key 'loop'; one of "
    ],
    "source: {element: videotestsrc}\n  sink: []": ["m.yml:4: pipeline.sink: expected at least 1 entries, got 0"],
    "source: {element: videotestsrc}\n  sink: [{element: video_file_sink, properties: {location: a, segment_s: 0}}]": [
        "m.yml:4: pipeline.sink[0].properties.segment_s: expected more than 0, got 0",
        "m.yml:4: pipeline.sink[0].properties.location: a: unknown container; one of .mp4, .mov, .mkv",
    ],
    "source: {element: videotestsrc}\n  sink: [{element: devnull_sink}]\n  sinks: []": [
        "m.yml:5: pipeline.sinks: unknown key 'sinks'; did you mean 'sink'?"
    ],
}


@pytest.mark.parametrize(("lines", "expected"), PIPELINES.items(), ids=[line[:50] for line in PIPELINES])
def test_a_wrong_pipeline_is_named(load: Load, lines: str, expected: list[str]) -> None:
    found = faults(load, f"name: m\npipeline:\n  {lines}\n")
    assert len(found) == len(expected)
    assert all(one.startswith(start) for one, start in zip(found, expected, strict=True)), found


def elements(*lines: str) -> str:
    return LEAST + "  elements:\n" + "".join(f"    - {line}\n" for line in lines)


ELEMENTS = {
    "{element: pyfunc, module: a}": "class_name: a pyfunc needs it",
    "{element: pyfunc, class_name: A}": "module: a pyfunc needs it",
    "{element: pyfunc, module: a, class_name: A, model: {}}": "model: 'model' does not belong to a pyfunc",
    "{element: nvinfer@detector, model: {model_file: a.onnx}}": "name: a nvinfer@detector needs it",
    "{element: nvinfer@detector, name: n}": "model: a nvinfer@detector needs it",
    "{element: nvinfer, name: n, model: {model_file: a.onnx}}": "element: nvinfer needs a type: nvinfer@TYPE with",
    "{element: pyfunc:v2, module: a, class_name: A}": "element: unknown version 'v2' of 'pyfunc'; only v1 exists",
    "{element: videoconvert}": "element: unknown element 'videoconvert'; one of pyfunc, queue, nvtracker, ",
    "{element: nvinfer@detector, element_type: detector, name: n, model: {model_file: a}}": (
        "element_type: given by element 'nvinfer@detector', too; use one notation"
    ),
    "{element: queue, properties: {max-size-buffer: 5}}": (
        "properties.max-size-buffer: unknown key 'max-size-buffer'; did you mean 'max-size-buffers'?"
    ),
    "{element: nvinfer@detector, name: n, model: {model_file: a.onnx, precision: fp8}}": (
        "model.precision: unknown precision 'fp8'; one of fp32, fp16, int8"
    ),
    "{group: {elements: [], nmae: x}}": "group.nmae: unknown key 'nmae'; did you mean 'name'?",
    "{element: pyfunc, module: a, class_name: A, on_error: retry}": (
        "on_error: unknown on_error 'retry'; one of stop, drop_frame, pass"
    ),
}


@pytest.mark.parametrize(("line", "fault"), ELEMENTS.items(), ids=ELEMENTS)
def test_a_wrong_element_is_named(load: Load, line: str, fault: str) -> None:
    (found,) = faults(load, elements(line))
    assert found.startswith(f"m.yml:7: pipeline.elements[0].{fault}"), found


def test_two_elements_of_one_name_are_an_error_wherever_they_stand(load: Load) -> None:
    queue = "{element: queue, name: q}"
    (fault,) = faults(load, elements(queue, f"{{group: {{elements: [{queue}]}}}}"))
    assert fault == "m.yml:8: pipeline.elements[1].group.elements[0].name: the name 'q' is in use by another element"


def test_both_notations_of_an_element_mean_the_same(load: Load) -> None:
    short = "{element: NvInfer@Classifier:v1, name: a, model: {model_file: a.onnx}}"
    long = "{element: nvinfer, element_type: classifier, version: v1, name: b, model: {model_file: a.onnx}}"
    assert {element.element for element in load(elements(short, long)).elements} == {"nvinfer@classifier"}


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("{expr: '${parameters.mode}', value: day}", 2),
        ("{expr: '${parameters.mode}', value: night}", 1),
        ("{expr: 1, value: '1'}", 2),
    ],
)
def test_a_group_is_enabled_when_its_condition_holds(load: Load, condition: str, count: int) -> None:
    group = f"{{group: {{init_condition: {condition}, elements: [{{element: queue, name: inner}}]}}}}"
    text = elements("{element: queue, name: q}", group) + "parameters: {mode: day}\n"
    assert len(load(text).elements) == count


def test_every_fault_is_reported_at_once_in_the_order_of_the_file(load: Load) -> None:
    found = faults(
        load,
        """
        name: ""
        parameters:
          batch_size: 0
          frame: {width: 1283, height: 720}
          user: ${oc.env:PICASSO_TEST_MISSING}
        pipeline:
          source: {element: nothing}
          sink: [{element: devnull_sink, extra: 1}]
        """,
    )
    assert [fault.split(": ")[:2] for fault in found] == [
        ["m.yml:2", "name"],
        ["m.yml:4", "parameters.batch_size"],
        ["m.yml:5", "parameters.frame.width"],
        ["m.yml:6", "parameters.user"],
        ["m.yml:8", "pipeline.source.element"],
        ["m.yml:9", "pipeline.sink[0].extra"],
    ]


TWO_STAGES = {
    """
    source: {element: zeromq_source_bin, properties: {socket: 'tcp://x', receive_hwm: -1}}
    """: ["properties.socket: ", "properties.receive_hwm: expected at least 1, got -1"],
    """
    source: {element: uridecodebin, properties: {uri: a.mp4, start_s: 9, stop_s: 4, loop: 7}}
    """: ["properties.loop: expected true or false, got 7", "properties.stop_s: 4 s: expected more than start_s = 9"],
    """
    source: [{element: uridecodebin, nmae: b, properties: {uri: a, source_id: x}},
             {element: uridecodebin, properties: {uri: b, source_id: x}}]
    """: ["[0].nmae: unknown key 'nmae'", "[1].properties.source_id: the source id 'x' is in use"],
    """
    source: {element: videotestsrc}
    elements: [{element: pyfunc, module: '', class_nmae: A, model: {}, on_error: retry}]
    """: [
        "[0].module: a pyfunc needs it",
        "[0].class_nmae: unknown key 'class_nmae'; did you mean 'class_name'?",
        "[0].on_error: unknown on_error 'retry'",
        "[0].model: 'model' does not belong to a pyfunc",
        "[0].class_name: a pyfunc needs it",
    ],
}


@pytest.mark.parametrize(("lines", "expected"), TWO_STAGES.items(), ids=["socket", "range", "names", "pyfunc"])
def test_what_an_entry_says_wrong_in_one_place_hides_nothing_else_of_it(
    load: Load, lines: str, expected: list[str]
) -> None:
    text = f"name: m\npipeline:\n  sink: [{{element: devnull_sink}}]\n{dedent(lines).strip()}"
    found = faults(load, text.replace("\nsource", "\n  source").replace("\nelements", "\n  elements"))
    assert len(found) == len(expected), found
    for part in expected:
        assert sum(part in one for one in found) == 1, (part, found)


PARAMETERS_OF_TWO_STAGES = {
    "frame: {width: 1281, height: tall}": ["width: 1281 is not divisible", "height: expected a whole number"],
    "frame: {width: 1281, height: 720, geometry_base: 0}": ["geometry_base: expected at least"],
    "output_frame: {codec: h265, encoder_params: {bitrat: 5}}": ["unknown codec 'h265'", "did you mean 'bitrate'"],
    "output_frame: {codec: png, encoder: gpu, encoder_params: {compression-level: 90}}": [
        "unknown encoder 'gpu'",
        "expected a whole number from 0 to 9, got 90",
    ],
    "output_frame: {codec: h264, encoder: softwre, encoder_params: {bitrate: 500}}": ["unknown encoder 'softwre'"],
    "output_frame: {codec: h264, condition: {tagg: a}, encoder_params: {bitrate: 0}}": [
        "condition.tagg: unknown key",
        "condition.tag: a value is required",
        "encoder_params.bitrate: expected a whole number",
    ],
    "telemetry: {tracing: {provider: jaeger, provider_params: 5}}": ["provider_params: expected a mapping"],
    "draw_func: {module: a, rendered_objects: 5}": ["rendered_objects: expected a mapping", "class_name: module and"],
    "draw_func: {module: a, class_name: 5}": ["class_name: expected text"],
    "frame: {width: '${oc.env:NOT_SET_HERE}', height: 721}": ["is not set", "721 is not divisible"],
}


@pytest.mark.parametrize(
    ("line", "expected"), PARAMETERS_OF_TWO_STAGES.items(), ids=[line[:45] for line in PARAMETERS_OF_TWO_STAGES]
)
def test_what_a_block_says_wrong_in_one_place_hides_nothing_else_and_invents_nothing(
    load: Load, line: str, expected: list[str]
) -> None:
    found = faults(load, with_parameters(line))
    assert len(found) == len(expected), found
    for part in expected:
        assert sum(part in one for one in found) == 1, (part, found)


def test_a_key_that_is_given_twice_hides_no_other_fault(load: Load) -> None:
    found = faults(load, LEAST + "parameters: {batch_size: 0, batch_size: -1}\nname: again\n")
    assert [text.partition(": ")[2].partition(":")[0] for text in found] == [
        "parameters.batch_size",
        "parameters.batch_size",
        "name",
    ], found


def test_merge_keys_bring_what_a_mapping_does_not_say_itself(load: Load) -> None:
    config = load(
        """
name: m
parameters:
  small: &small {width: 64, height: 48, geometry_base: 4}
  tall: &tall {height: 96, geometry_base: 16}
  frame: &frame
    <<: *small
    height: 80
  both: {<<: [*small, *tall], width: 32}
  again: *frame
pipeline: {source: {element: videotestsrc}, sink: [{element: devnull_sink}]}
"""
    )
    assert (config.frame.width, config.frame.height, config.frame.geometry_base) == (64, 80, 4)
    assert config.parameters["both"] == {"width": 32, "height": 48, "geometry_base": 4}
    assert config.parameters["again"] == {"width": 64, "height": 80, "geometry_base": 4}
    assert str(config.origin(("parameters", "frame", "height"))).endswith(":8")


def test_an_expression_without_quotes_inside_braces_gets_advice() -> None:
    advice = '; inside braces, ${…} stands in quotes: "${…}"'
    for text, has_advice in (("a: {b: ${c.d}, e: 1}", True), ('a: {b: "${c.d}" e: 1}', False), ("a: {b: 1", False)):
        (problem,) = parse(text, "m.yml").problems
        assert problem.text.startswith("not YAML: while parsing a flow mapping")
        assert problem.text.endswith(advice) == has_advice


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: [1\n", "m.yml:2: not YAML: while parsing a flow sequence"),
        ("- 1\n", "m.yml:1: expected a mapping with name, parameters and pipeline, got [1]"),
        ("name: a\nname: b\n", "m.yml:2: name: the key is given twice, first in line 1"),
        ("", "name"),
        ("parameters:\n  a: &a [*a]\n", "m.yml:2: not YAML: nested more than 50 deep, or an alias holds itself"),
        ("parameters:\n  a: &a {b: *a}\n", "m.yml:2: not YAML: nested more than 50 deep, or an alias holds itself"),
        (f"parameters:\n  a: {'[' * 60}{']' * 60}\n", "m.yml:2: not YAML: nested more than 50 deep"),
        (
            "parameters:\n  a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n"
            + "".join(f"  {b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in itertools.pairwise("abcdef")),
            "not YAML: more than 100000 values, aliases counted each time",
        ),
        (
            "parameters:\n  a: &a {x: 1}\n  b: {<<: *a, x: 2, x: 3}\n",
            "m.yml:3: parameters.b.x: the key is given twice, first in line 3",
        ),
    ],
    ids=["broken", "list", "twice", "empty", "own list", "own map", "deep", "laughs", "twice beside a merge"],
)
def test_text_that_is_no_module_is_refused(load: Load, text: str, fault: str) -> None:
    found = faults(load, text)
    assert any(fault in one for one in found), found


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yml: cannot be read: No such file or directory"):
        load_config(tmp_path / "none.yml")


# warnings and printing


@pytest.mark.parametrize(
    ("line", "warning"),
    [
        ("batchsize: 4", "taken for a parameter of yours; did you mean 'batch_size'?"),
        ("draw_func: {}", "nothing is drawn: output_frame is null"),
        ("output_frame: {codec: raw-rgba, condition: {tag: t}}", "ignored for codec raw-rgba"),
        ("min_fps: 30/1", "has no effect: frames are taken as they come"),
        (
            "output_frame: {codec: h264, encoder: nvenc, encoder_params: {bitrate: 4000}}",
            "4000 bit/s: bits are counted, and kilobits only where encoder is software",
        ),
        (
            "stream_buffer_pool_size: 1\n  max_parallel_streams: 2",
            "2 streams x 1 pictures (stream_buffer_pool_size) < 1 frames a batch x 4 batches (muxer_buffer_pool_size): "
            "batches will wait for pictures",
        ),
    ],
    ids=str,
)
def test_what_is_probably_not_meant_is_a_warning(load: Load, line: str, warning: str) -> None:
    (problem,) = load(f"{LEAST}parameters:\n  {line}\n").warnings
    assert (problem.text, problem.line) == (warning, 7)


@pytest.mark.parametrize("line", ["bach: 4", "threshold: 1", "stream_buffer_pool_size: 64"])
def test_other_parameters_warn_of_nothing(load: Load, line: str) -> None:
    assert load(f"{LEAST}parameters:\n  {line}\n").warnings == ()


def test_copy_never_keeps_the_padding(load: Load) -> None:
    config = load(with_parameters("output_frame: {codec: copy}\nframe: {padding: {left: 8, keep: true}}"))
    assert config.frame.padding is not None
    assert config.frame.padding.keep is False
    assert "false for codec copy" in config.warnings[0].text


def test_printing_says_where_each_value_came_from_and_masks_secrets(
    monkeypatch: pytest.MonkeyPatch, load: Load
) -> None:
    monkeypatch.setenv("PICASSO_TEST_PASSWORD", "hunter2")
    config = load(
        """
        name: printed
        parameters:
          shutdown_auth: open-sesame
          etcd: {hosts: ["localhost:2379"], credentials: {username: u, password: "${oc.env:PICASSO_TEST_PASSWORD}"}}
          camera: rtsp://admin:hunter3@gate/cam
          threshold: 0.5
        pipeline:
          source: {element: videotestsrc}
          sink: [{element: devnull_sink}]
        """
    )
    text = render(config)
    assert not [secret for secret in ("hunter2", "hunter3", "open-sesame") if secret in text]
    rows = {line.split("#")[0].strip(): line.split("# ")[1] for line in text.splitlines() if "#" in line}
    assert rows["threshold: 0.5"].endswith("m.yml:7")
    assert rows["batched_push_timeout: 2000"] == "default"
    assert rows['password: "********"'].endswith("m.yml:5, $PICASSO_TEST_PASSWORD")
    assert load_config(json.loads(json.dumps(config.tree))).tree == config.tree


def test_what_is_printed_is_the_same_module(load: Load) -> None:
    config = load(elements("{element: pyfunc, module: a.b, class_name: C, kwargs: {n: 'yes', list: [1, {x: null}]}}"))
    assert load(render(config)).tree == config.tree


KINDS_OF_SCHEMA: dict[str, Callable[[], Any]] = {"checked": module_schema, "printed": editor_schema}


@pytest.mark.parametrize("schema", KINDS_OF_SCHEMA.values(), ids=KINDS_OF_SCHEMA)
def test_the_schema_is_a_schema_and_takes_what_the_loader_takes(load: Load, schema: Callable[[], Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(load(LEAST).tree, schema())


WRITTEN: dict[str, str] = {
    "least": "name: a\npipeline: {source: {element: videotestsrc}, sink: [{element: devnull_sink}]}",
    "nothing but a name": "name: a",
    "without a name": "pipeline: {source: null, elements: null, sink: null}\nparameters: null",
    "interpolated": """
parameters:
  batch_size: ${oc.decode:${oc.env:BATCH, 4}}
  output_frame: ${json:${oc.env:OUT, null}}
  frame: {width: "${.height}", height: 720, padding: {left: "${parameters.mine}"}}
  mine: 8
pipeline:
  source: {element: uridecodebin, properties: {uri: "${oc.env:CAMERA}", loop: "${parameters.loop}"}}
  sink: "${json:${oc.env:SINKS}}"
""",
    "elements": """
pipeline:
  elements:
    - {element: NvInfer@Classifier:v1, name: a, model: {model_file: a.onnx, batch_size: "${parameters.batch_size}"}}
    - {element: pyfunc, module: a, class_name: B, kwargs: {anything: [1, {goes: here}]}}
    - group: {init_condition: {expr: "${oc.env:MODE, day}", value: day}, elements: [{element: queue}]}
""",
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_the_printed_schema_takes_what_users_write(text: str) -> None:
    jsonschema.validate(yaml.safe_load(text), editor_schema())


@pytest.mark.parametrize(
    "text",
    [
        "parameters: {batch_size: 0}",
        "parameters: {batch_size: four}",
        "parameters: {frame: {widht: 5}}",
        "parameters: {output_frame: {codec: h266}}",
        "pipeline: {source: {element: filesrc}}",
        "pipeline: {source: {element: uridecodebin, properties: {url: x}}}",
        "pipeline: {elements: [{element: videoconvert}]}",
        "pipeline: {sink: [{element: file_sink}]}",
        "pipelines: {}",
    ],
)
def test_the_printed_schema_refuses_what_the_check_refuses(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), editor_schema())


DOCS = Path(__file__).parents[2] / "docs"


def modules_of_the_docs() -> dict[str, str]:
    """Every module that a page or an example shows."""
    found = {path.name: path.read_text() for path in sorted((DOCS / "examples").rglob("*.yml"))}
    found = {name: text for name, text in found.items() if "pipeline:" in text}  # others are rules of Prometheus
    for page in sorted(DOCS.glob("*.md")):
        for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)):
            if "pipeline:" in block:
                found[f"{page.name} {number}"] = block
    return found


@pytest.mark.parametrize("text", modules_of_the_docs().values(), ids=modules_of_the_docs())
def test_an_editor_finds_no_fault_in_a_module_of_the_docs(text: str) -> None:
    jsonschema.validate(yaml.safe_load(text), editor_schema())


@settings(max_examples=30)
@given(st.floats())
def test_every_number_is_printed_so_that_it_is_read_back(number: float) -> None:
    pipeline = {"source": {"element": "videotestsrc"}, "sink": [{"element": "devnull_sink"}]}
    text = render(load_config({"name": "m", "parameters": {"mine": number}, "pipeline": pipeline}))
    back = parse(text, "m.yml").tree["parameters"]["mine"]
    assert back == number or (math.isnan(number) and math.isnan(back))


SECRETS = {
    "db_password: hunter2": True,
    "api_key: hunter2": True,
    "nested: {token: [hunter2]}": True,
    "shutdown_auth: hunter2": True,
    "camera: 'rtsp://admin:hunter2@gate/cam'": True,
    "camera: 'http://gate/cam?user=a&token=hunter2&x=1'": True,
    "mine: ${oc.env:PICASSO_TEST_SECRET}": True,
    "author: hunter2": False,
    "passes: hunter2": False,
}


@pytest.mark.parametrize(("line", "is_secret"), SECRETS.items(), ids=SECRETS)
def test_secrets_are_masked_where_they_are_printed(
    monkeypatch: pytest.MonkeyPatch, load: Load, line: str, is_secret: bool
) -> None:
    monkeypatch.setenv("PICASSO_TEST_SECRET", "hunter2")
    assert ("hunter2" not in render(load(with_parameters(line)))) is is_secret


def test_secrets_are_masked_in_faults_and_an_encoders_pass_is_none(load: Load) -> None:
    (fault,) = faults(load, with_parameters("shutdown_auth: [hunter2]"))
    assert fault == "m.yml:7: parameters.shutdown_auth: expected text or null, got ['********']"
    output = "output_frame: {codec: h264, encoder: software, encoder_params: {pass: quant}}"
    assert "pass: quant" in render(load(with_parameters(output)))


@settings(max_examples=40)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    )
)
def test_no_tree_makes_anything_but_a_configuration_error(tree: Any) -> None:
    for value in (
        {"name": "m", "pipeline": tree},
        {"name": tree, "parameters": tree},
        {"pipeline": {"elements": tree, "sink": tree, "source": tree}},
    ):
        with pytest.raises(ConfigError):
            load_config(value)
