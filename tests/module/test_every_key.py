"""Every key of a module has an effect: a case changes only that key, and sees another output, statistic or refusal."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from etcd_kit import Etcd
from every_key import (
    CODE,
    STOPPED,
    Case,
    Look,
    Run,
    Tree,
    keys_of_the_schema,
    picture,
    put,
    refusal,
    run_of,
    sent,
    write_clip,
)
from every_key_pipeline import PATTERN, PIPELINE, said
from test_module_run import no_thread_is_left

from picasso.engine.clock import MonotonicClock
from picasso.module import Module
from picasso.module.config.schema import kinds
from picasso.module.sinks import MemorySink
from picasso.module.sources import limited
from picasso.primitives import EndOfStream, VideoFrame
from picasso.surface import SurfaceView
from picasso.testing import FakeClock

__all__ = ["no_thread_is_left"]

Function = TypeVar("Function", bound=Callable[..., None])
SOFTWARE: Tree = {"parameters.output_frame": {"codec": "h264", "encoder": "software"}}
RAW: Tree = {"parameters.output_frame.codec": "raw-rgba"}
PADDED: Tree = {**RAW, "parameters.frame.padding": {"left": 16, "right": 8, "top": 8, "bottom": 24}}
DRAWER: Tree = {
    "parameters.output_frame.codec": "raw-rgba",
    "parameters.draw_func": {"module": CODE, "class_name": "Drawer"},
}
NO_ETCD: Tree = {"parameters.etcd.hosts": []}
LOOKS = "parameters.draw_func.rendered_objects.yolo.car"
DRAWN: Tree = {
    **RAW,
    LOOKS: {"bbox": {"background_color": "0000FF80"}, "label": {"position": {"position": "Center"}}, "central_dot": {}},
}


def pyfunc(code: str, index: int = 0, /, **more: Any) -> Tree:
    """The path and value of an element of the cases' own code."""
    return {f"pipeline.elements[{index}]": {"element": "pyfunc", "module": CODE, "class_name": code, **more}}


def box(run: Run) -> list[float]:
    """The box of the first frame, as it leaves."""
    (one, *_) = run.frames[0].get_all_objects()
    return [round(value, 3) for value in one.detection_box.as_xcycwh()]


def size(run: Run) -> tuple[int, int]:
    return run.frames[0].width, run.frames[0].height


def pixels(run: Run) -> bytes:
    return run.data


def encoded(run: Run) -> list[bool]:
    return [frame.content.is_internal() for frame in run.frames]


def warned(run: Run) -> list[str]:
    return [text for text in run.warnings if "draws nothing" not in text]


def during(run: Run) -> Any:
    """The statistics of the source, while it runs."""
    (one,) = run.during.sources.values()
    return one


def records(run: Run) -> list[str]:
    """The kinds of the records that were taken, the oldest first."""
    assert run.module is not None
    return [record.record_type for record in reversed(run.module._books.recorder.latest(100))]


def side(run: Run) -> list[bytes]:
    """What the stream of a pyfunc's own consists of."""
    assert run.outcome is not None
    return [out.data for out in run.outcome["side"]]


def auxiliary(key: str, value: Any, look: Any, codec: str) -> dict[str, Case]:
    """A setting of the encoder of a pyfunc's own stream: it changes the bytes, or the module is refused."""
    entry = {"codec": codec} if codec == "jpeg" else {"codec": codec, "encoder": "software"}
    given = {"parameters.auxiliary_encoders": [entry], **pyfunc("Makes", kwargs={"codec": codec})}

    def seen(run: Run) -> Any:
        return (
            run.error is None
            if look is None
            else (run.error and "refused") or [look(data) if callable(look) else data[look] for data in side(run)]
        )

    name, path = f"parameters.auxiliary_encoders[].{key}", f"parameters.auxiliary_encoders[0].{key}"
    return {name: Case(value, seen, ..., ..., given, path)}


def drawn(key: str, value: Any, given: Tree | None = None) -> dict[str, Case]:
    """A part of a look that changes the picture."""
    return {
        f"parameters.draw_func.rendered_objects.*.*.{key}": Case(
            value, pixels, ..., ..., {**DRAWN, **(given or {})}, f"{LOOKS}.{key}"
        )
    }


def shape(part: str, values: Tree, given: Tree | None = None) -> dict[str, Case]:
    """Keys of the look of a shape: each changes the picture of objects that have one."""
    base = {**pyfunc("shaped"), f"{LOOKS}.{part}": given or {}}
    return {name: case for key, value in values.items() for name, case in drawn(f"{part}.{key}", value, base).items()}


WEB: Tree = {"parameters.web": {"port": 8080}}


def served(field: str) -> Look:
    """Something of each address that the module would serve."""

    def seen(run: Run) -> Any:
        assert run.module is not None, run.error
        return [getattr(listener, field) for listener in run.module.web.listeners]

    return seen


CASES: dict[str, Case] = {
    "name": Case("other", lambda run: run.statistics.name, "least", "other"),
    "parameters.frame.width": Case(128, box, [32, 24, 24, 16], [64, 24, 48, 16]),
    "parameters.frame.height": Case(96, box, [32, 24, 24, 16], [32, 48, 24, 32]),
    "parameters.frame.padding.keep": Case(False, size, (88, 80), (64, 48), PADDED),
    "parameters.frame.padding.left": Case(32, box, [48, 32, 24, 16], [64, 32, 24, 16], PADDED),
    "parameters.frame.padding.right": Case(32, size, (88, 80), (112, 80), PADDED),
    "parameters.frame.padding.top": Case(32, box, [48, 32, 24, 16], [48, 56, 24, 16], PADDED),
    "parameters.frame.padding.bottom": Case(32, size, (88, 80), (88, 88), PADDED),
    "parameters.frame.geometry_base": Case(10, lambda run: (run.error or "").count(" is not divisible by "), 0, 2),
    "parameters.batch_size": Case(2, lambda run: run.tags("batch"), [0, 0, 0], [0, 1, 0], pyfunc("batch")),
    "parameters.queue_maxsize": Case(7, lambda run: run.statistics.sinks[0].queue.limit.frames, 100, 7),
    "parameters.output_frame.codec": Case(
        "png", lambda run: {frame.codec for frame in run.frames}, {"raw-rgba"}, {"png"}, RAW
    ),
    "parameters.output_frame.encoder": Case(
        "nvenc",
        lambda run: (run.error or "")[:58],
        "",
        "parameters.output_frame.encoder: h264 by nvenc cannot be e",
        SOFTWARE,
    ),
    "parameters.output_frame.encoder_params": Case(
        {"key-int-max": 1},
        lambda run: [frame.keyframe for frame in run.frames],
        [True, False, False],
        [True] * 3,
        SOFTWARE,
    ),
    "parameters.output_frame.profile": Case("main", lambda run: run.data[5], 66, 77, SOFTWARE),
    "parameters.output_frame.condition.tag": Case(
        "second",
        encoded,
        [True] * 3,
        [False, True, False],
        {"parameters.output_frame.codec": "jpeg", **pyfunc("second")},
    ),
    "parameters.draw_func.element": Case(
        "other", refusal, None, "parameters.draw_func.element: expected 'drawbin', got 'other'", {**DRAWN}
    ),
    "parameters.draw_func.condition.tag": Case("never", pixels, ..., ..., DRAWN),
    **drawn("bbox.border_color", "FF0000FF"),
    **drawn("bbox.background_color", "FF0000FF"),
    **drawn("bbox.thickness", 4),
    **drawn("bbox.padding.left", 4),
    **drawn("bbox.padding.right", 4),
    **drawn("bbox.padding.top", 4),
    **drawn("bbox.padding.bottom", 4),
    **drawn("label.font_color", "FF0000FF"),
    **drawn("label.background_color", "FF0000FF"),
    **drawn("label.border_color", "FF0000FF"),
    **drawn("label.font_scale", 0.8),
    **drawn("label.thickness", 3, {f"{LOOKS}.label.border_color": "FF0000FF"}),
    **drawn("label.format", ["{label} {confidence}"]),
    **drawn("label.padding.left", 4),
    **drawn("label.padding.right", 4),
    **drawn("label.padding.top", 4),
    **drawn("label.padding.bottom", 4),
    **drawn("label.position.position", "TopLeftInside"),
    **drawn("label.position.margin_x", 5),
    **drawn("label.position.margin_y", 5),
    **drawn("central_dot.color", "FF0000FF"),
    **drawn("central_dot.radius", 2),
    **drawn("blur", True),
    **shape("mask", {"color": "FF0000FF"}),
    **shape("polygon", {"border_color": "FF0000FF", "background_color": "FF0000FF", "thickness": 6}),
    **shape("keypoints", {"color": "FF0000FF", "radius": 7, "min_confidence": 0.5}),
    **shape("keypoints", {"line_color": "FF0000FF"}, {"skeleton": [[0, 1]], "thickness": 16}),
    **shape("keypoints", {"skeleton": [[0, 1]]}, {"thickness": 16}),  # the label hides a thin line
    **shape("keypoints", {"thickness": 16}, {"skeleton": [[0, 1]]}),
    **shape("trace", {"color": "FF0000FF", "thickness": 6, "length": 2}),
    "parameters.buffer_queues.length": Case(
        3,
        lambda run: [queue.limit.frames for queue in run.statistics.queues],
        [1],
        [3],
        {**pyfunc("other"), **pyfunc("size", 1), "parameters.buffer_queues.length": 1},
    ),
    "parameters.track_ids": Case(
        "legacy",
        lambda run: [one.track_id for frame in run.frames for one in frame.get_all_objects()],
        [None] * 3,
        [0] * 3,
    ),
    "parameters.on_pyfunc_error": Case(
        "drop_frame", lambda run: None if run.error else len(run.frames), None, 2, pyfunc("raises")
    ),
    "parameters.min_fps": Case("10/1", warned, [], ["has no effect: frames are taken as they come"]),
    "parameters.shutdown_auth": Case(
        "sesame", warned, [], ["has no effect: no source brings shutdown messages"], PATTERN, None, 0
    ),
    "parameters.healthcheck_port": Case(8080, served("port"), [], [8080], {}, None, STOPPED),
    "parameters.web.port": Case(8081, served("port"), [8080], [8081], WEB, None, STOPPED),
    "parameters.web.host": Case("localhost", served("host"), ["127.0.0.1"], ["localhost"], WEB, None, STOPPED),
    "parameters.web.token": Case("open sesame", served("token"), [None], ["open sesame"], WEB, None, STOPPED),
    "parameters.max_same_source_frames": Case(
        1, lambda run: run.tags("batch"), [0, 1, 2], [0, 0, 0], {**pyfunc("batch"), "parameters.batch_size": 3}
    ),
    "parameters.egress_queue_length": Case(7, lambda run: during(run).egress.limit.frames, 200, 7),
    "parameters.egress_queue_byte_size": Case(7000, lambda run: during(run).egress.limit.bytes, 10 << 20, 7000),
    "parameters.stream_buffer_pool_size": Case(7, lambda run: during(run).pictures.size, 4, 7),
    "parameters.muxer_buffer_pool_size": Case(7, lambda run: run.during.batches.size, 4, 7),
    "parameters.buffer_queues.byte_size": Case(
        7000,
        lambda run: {queue.limit.bytes for queue in run.during.queues},
        {None},
        {7000},
        {**pyfunc("other"), **pyfunc("size", 1), "parameters.buffer_queues.length": 1},
    ),
    "parameters.code_root": Case(
        "FOLDER/code",
        lambda run: None if run.error else said(run),
        None,
        ["found"] * 3,
        {
            "files": {"code/only_in_the_root.py": "def found(frame): frame.set_tag('says', 'found')"},
            "pipeline.elements[0]": {"element": "pyfunc", "module": "only_in_the_root", "class_name": "found"},
        },
    ),
    "parameters.dev_mode": Case(
        True,
        lambda run: None if run.error else len(run.frames),
        None,
        3,
        {"pipeline.elements[0]": {"element": "pyfunc", "module": "FOLDER/nowhere.py", "class_name": "It"}},
    ),
    "parameters.telemetry.metrics.frame_period": Case(
        1, records, ["initial", "frame"], ["initial", "frame", "frame", "frame"]
    ),
    "parameters.telemetry.metrics.time_period": Case(1e-9, lambda run: "timestamp" in records(run), False, True),
    "parameters.telemetry.metrics.history": Case(
        2,
        records,
        ["initial", "frame", "frame", "frame"],
        ["frame", "frame"],
        {"parameters.telemetry.metrics.frame_period": 1},
    ),
    "parameters.draw_func.module": Case(
        "nowhere", lambda run: "module 'nowhere' is not found" in (run.error or ""), False, True, DRAWER
    ),
    "parameters.draw_func.class_name": Case("OtherDrawer", pixels, ..., ..., DRAWER),
    "parameters.draw_func.kwargs": Case({"side": 16}, pixels, ..., ..., DRAWER),
    **auxiliary("codec", "png", 0, "jpeg"),
    **auxiliary("encoder_params", {"quality": 5}, len, "jpeg"),
    **auxiliary("encoder", "nvenc", None, "jpeg"),
    **auxiliary("profile", "main", 5, "h264"),
    **{
        f"parameters.etcd.tls.{key}": Case(
            "nowhere.pem", refusal, None, f"parameters.etcd.tls.{key}: no such file: nowhere.pem", NO_ETCD
        )
        for key in ("ca_certificate", "certificate", "key")
    },
    **{
        f"parameters.etcd.credentials.{key}": Case(
            5,
            refusal,
            ...,
            f"parameters.etcd.credentials.{key}: expected text, got '********'",
            {**NO_ETCD, "parameters.etcd.credentials": {"username": "a", "password": "b"}},
        )
        for key in ("username", "password")
    },
    **PIPELINE,
}


@pytest.mark.parametrize("key", CASES)
def test_a_key_alone_changes_what_is_seen(key: str, tmp_path: Path) -> None:
    case = CASES[key]
    (tmp_path / "before").mkdir()
    (tmp_path / "after").mkdir()
    before = case.look(run_of(case.given, tmp_path / "before", case.frames))
    changed = {**case.given, case.at or key: case.value}
    after = case.look(run_of(changed, tmp_path / "after", case.frames))
    assert before != after
    if case.before is not ...:
        assert before == case.before
    if case.after is not ...:
        assert after == case.after


LATER_PREFIXES = ("source.zeromq_source_bin.", "sink.zeromq_sink.")
"""Keys of what issues of their own build; the element itself is refused, or runs, as a whole."""
WITHOUT_A_DEVICE = {f"source.v4l2src.{key}" for key in ("source_id", "width", "height", "framerate", "restart")}
"""Keys of cameras at this machine, of which there is none here."""

_BLOCKS, _MODELS, _TRACKER = "test_model_blocks.py::test_", "test_models.py::test_", "test_tracker_elements.py::test_"
_OF_MODELS: dict[str, tuple[str, ...]] = {
    f"{_BLOCKS}a_key_of_a_model_alone_changes_what_is_seen": (
        *("provider", "threads", "input.maintain_aspect_ratio", "input.symmetric_padding", "input.pad"),
        *("input.scale_factor", "input.offsets", "input.color_format", "output.confidence", "output.top_k"),
        *("output.max_objects", "output.objects[].class_id", "output.objects[].label"),
    ),
    f"{_BLOCKS}what_cannot_be_loaded_is_refused_with_its_path_when_the_file_is_checked": (
        *("model_file", "format", "engine_create_func_name", "input.object_min_width", "input.object_max_width"),
    ),
    f"{_BLOCKS}what_is_for_tensorrt_is_said_to_have_no_effect": (
        *("engine_file", "config_file", "precision", "workspace_size", "int8_calib_file", "custom_lib_path"),
    ),
    f"{_BLOCKS}a_model_is_fetched_once_and_runs_without_a_network_later": (
        *("remote.url", "remote.always_check", "label_file"),
    ),
    "../infer/test_files.py::test_a_checksum_is_that_of_what_came": ("remote.checksum_url",),
    "../infer/test_files.py::test_headers_and_users_are_sent_and_written_nowhere": ("remote.parameters",),
    f"{_BLOCKS}what_does_not_fit_the_graph_is_refused_before_a_source_is_opened": (
        *("input.layer_name", "input.shape", "output.layer_names", "output.head", "output.num_detected_classes"),
    ),
    f"{_BLOCKS}a_converter_of_objects_gives_rows_in_pixels_of_the_frame": (
        *("output.converter.module", "output.converter.class_name"),
    ),
    f"{_BLOCKS}code_that_cannot_be_loaded_is_named_with_its_key": ("output.converter.kwargs",),
    f"{_MODELS}squares_of_four_sources_are_found_where_they_are": ("local_path",),
    f"{_MODELS}frames_of_many_sources_are_one_call_of_the_model": ("batch_size",),
    f"{_MODELS}an_interval_skips_frames_of_each_source": ("interval",),
    f"{_MODELS}objects_outside_the_limits_are_not_looked_at": ("input.object_min_height", "input.object_max_height"),
    f"{_MODELS}objects_found_on_objects_have_them_as_parents": (
        *("input.object", "input.preprocess_object_meta.module", "input.preprocess_object_meta.class_name"),
        "input.preprocess_object_meta.kwargs",
    ),
    f"{_MODELS}a_hook_may_change_the_picture_of_an_object": tuple(
        f"input.preprocess_object_image.{key}" for key in ("module", "class_name", "kwargs")
    ),
    f"{_MODELS}a_user_selector_decides_which_candidates_are_objects": (
        *("output.objects[].selector.module", "output.objects[].selector.class_name"),
    ),
    f"{_MODELS}numbers_of_the_stock_selector_are_taken_by_the_names_of_the_reference": (
        "output.objects[].selector.kwargs",
    ),
    f"{_MODELS}a_second_model_gives_attributes_to_the_objects_of_the_first": (
        *("output.attributes[].name", "output.attributes[].labels"),
    ),
    f"{_MODELS}internal_attributes_are_seen_by_later_elements_and_do_not_leave": ("output.attributes[].internal",),
    f"{_MODELS}thresholds_and_many_labels_of_a_classifier": (
        *("output.attributes[].threshold", "output.attributes[].multi_label"),
    ),
    f"{_MODELS}overlapping_objects_suppress_each_other_as_the_block_says": ("output.iou", "output.agnostic"),
}
"""Keys of a model by the test that shows them."""

ELSEWHERE: dict[str, str] = {
    "parameters.model_path": f"{_BLOCKS}a_model_lies_in_the_folder_of_its_element",
    "parameters.download_path": f"{_BLOCKS}a_model_is_fetched_once_and_runs_without_a_network_later",
    **{f"element.model.{key}": test for test, keys in _OF_MODELS.items() for key in keys},
    "element.model.gpu_id": "../cuda/test_device_models.py::test_a_session_reads_a_tensor_where_it_is",
    "element.nvtracker.tracker": f"{_TRACKER}trackers_of_the_library_run_in_a_module",
    "element.nvtracker.options": f"{_TRACKER}parameters_reach_the_tracker",
    "element.nvtracker.disable-obj-init": f"{_TRACKER}disable_obj_init_leaves_out_what_is_expected",
    **{
        f"element.nvtracker.{key}": f"{_TRACKER}what_is_nvidias_is_accepted_and_said_to_have_no_effect"
        for key in kinds("elements")["nvtracker"]["properties"]
        if key not in ("tracker", "options", "disable-obj-init")
    },
    "parameters.compat": "test_compat.py::test_an_existing_module_runs_unchanged",
    **{
        f"parameters.telemetry.tracing.{key}": f"../trace/test_module_traces.py::{test}"
        for key, test in {
            "provider": "test_a_module_without_a_provider_loads_no_library_of_traces",
            "provider_params": "test_the_log_says_where_spans_go_and_hides_what_is_secret",
            "sampling_period": "test_the_period_counts_frames",
            "root_span_name": "test_a_module_without_output_frame_has_the_stages_that_its_frames_pass",
            "append_frame_meta_to_span": "test_stages_say_what_the_frame_was_at_their_ends",
        }.items()
    },
    "parameters.telemetry.metrics.provider": "../observe/test_metrics.py"
    "::test_the_families_and_labels_of_existing_dashboards_are_there",
    "parameters.telemetry.metrics.provider_params": "../observe/test_metrics.py"
    "::test_a_port_may_come_from_the_environment_as_a_text",
    **{
        f"sink.{element}.{key}": f"test_far_sinks.py::{test}"
        for element, keys, test in (
            ("mqtt_sink", ("url", "retain", "client_id", "keepalive_s"), "test_what_is_said_of_a_connection_arrives"),
            ("mqtt_sink", ("topic", "qos", "send"), "test_one_kind_may_be_sent_alone"),
            ("mqtt_sink", ("username", "password"), "test_a_broker_that_wants_a_password_gets_it"),
            (
                "mqtt_sink",
                ("ca_certificate", "certificate", "key"),
                "test_a_broker_is_reached_by_tls",
            ),
            (
                "mqtt_sink",
                ("queue_length", "queue_byte_size"),
                "test_a_broker_that_stays_away_costs_the_oldest_messages_and_no_frame",
            ),
            ("webhook_sink", ("url", "headers", "secret"), "test_records_are_posted_in_arrays_and_signed"),
            ("webhook_sink", ("batch_size", "send"), "test_with_a_batch_of_one_each_record_is_posted_alone"),
            (
                "webhook_sink",
                ("queue_length", "queue_byte_size"),
                "test_a_slow_receiver_costs_the_oldest_records_and_no_frame",
            ),
            ("webhook_sink", ("timeout_s",), "test_a_receiver_that_takes_too_long_is_tried_again"),
            ("mqtt_sink", ("skip_frames_without_objects",), "test_frames_without_objects_may_be_left_out"),
            ("webhook_sink", ("skip_frames_without_objects",), "test_webhooks_leave_them_out_too"),
        )
        for key in keys
    },
    "parameters.log_format": "test_logs.py::test_a_module_logs_as_its_parameters_say",
    "parameters.log_repeats": "test_logs.py::test_a_module_logs_as_its_parameters_say",
    "parameters.max_parallel_streams": "test_sources.py"
    "::test_streams_over_the_limit_are_rejected_one_by_one_and_lose_nothing",
    "source.uridecodebin.loop": "test_module_run.py::test_a_looping_file_has_times_that_keep_rising",
    "sink.video_file_sink.fsync": "test_sinks.py::test_what_was_written_before_a_kill_plays_and_parses",
    "element.dev_mode": "test_reloading.py::test_code_that_is_not_there_yet_lets_frames_pass_until_it_comes",
}
"""Keys whose effect takes more than a frame to see, and the test that shows it."""
COVERED: set[str] = set()
"""Keys that a test below shows."""


def covers(*keys: str) -> Callable[[Function], Function]:
    """Say which keys a test shows."""
    COVERED.update(keys)
    return lambda function: function


def test_every_key_of_the_schema_has_a_case() -> None:
    keys = [key for key in keys_of_the_schema() if not key.startswith(LATER_PREFIXES) and key not in WITHOUT_A_DEVICE]
    shown = {*CASES, *COVERED, *ELSEWHERE}
    assert [key for key in keys if key not in shown] == []
    assert sorted(shown - set(keys)) == []


@pytest.mark.parametrize("key", ELSEWHERE)
def test_a_test_that_is_named_for_a_key_is_there(key: str) -> None:
    file, _, name = ELSEWHERE[key].partition("::")
    assert f"def {name}(" in (Path(__file__).parent / file).read_text()


def taken(module: Module) -> int:
    """Batches that the elements have got."""
    return sum(stage.batches for stage in module.statistics().stages if stage.name == "prepare-input")


@covers("parameters.batched_push_timeout")
def test_a_batch_waits_as_long_as_its_timeout_says() -> None:
    def batch_ids(timeout_us: int) -> list[Any]:
        parameters = {"batch_size": 2, "batched_push_timeout": timeout_us, "frame": {"width": 64, "height": 48}}
        elements = [{"element": "pyfunc", "module": CODE, "class_name": "batch"}]
        clock = FakeClock()
        with Module({"name": "m", "parameters": parameters, "pipeline": {"elements": elements}}, clock=clock) as module:
            module.send(sent(0), picture(0))
            clock.advance(0.002)
            while timeout_us == 2000 and taken(module) == 0:
                threading.Event().wait(0.001)
            module.send(sent(1), picture(1))
            return [out.frame.get_tag("batch") for out in module.run()["cam"]]

    assert (batch_ids(2000), batch_ids(1_000_000)) == ([0, 0], [0, 1])


@covers("parameters.max_fps", "parameters.max_fps_control")
@pytest.mark.parametrize(
    ("parameters", "pts", "dropped"),
    [
        ({}, [0, 25, 50, 75, 100, 125], {}),
        ({"max_fps": "20/1"}, [0, 25, 50, 75, 100, 125], {}),
        ({"max_fps_control": True}, [0, 25, 75, 100, 125], {"max_fps": 1}),  # 30/1 by default
        ({"max_fps_control": True, "max_fps": "20/1"}, [0, 50, 100], {"max_fps": 3}),
    ],
)
def test_a_camera_gives_at_most_max_fps(parameters: dict[str, Any], pts: list[int], dropped: dict[str, int]) -> None:
    class Camera:
        source_id, is_live = "cam", True

        def __iter__(self) -> Iterator[Any]:
            for number in range(6):
                frame = VideoFrame("cam", "40/1", 64, 48, time_base=(1, 10**9), pts=number * 25_000_000)
                yield frame, SurfaceView.wrap(picture(number).copy())
                clock.advance(0.025)

        def stop(self) -> None:
            pass

    clock = FakeClock()
    limits = {"frame": {"width": 64, "height": 48}, **parameters}
    sources: list[Any] = [Camera()]
    module = Module({"name": "m", "parameters": limits}, sources=sources, clock=clock)
    assert [out.frame.pts // 10**6 for out in module.run()["cam"]] == pts
    assert dict(module.statuses()[0].source_dropped) == dropped


class File:
    """A source that gives six frames as fast as they are taken."""

    source_id = "file"

    def __init__(self) -> None:
        self.is_stopped = False

    def __iter__(self) -> Iterator[Any]:
        for number in range(6):
            frame = VideoFrame("file", "40/1", 64, 48, time_base=(1, 10**9), pts=number * 25_000_000)
            yield frame, SurfaceView.wrap(picture(number).copy())
        yield EndOfStream("file")

    def stop(self) -> None:
        self.is_stopped = True


class Leaps:
    """A clock that is at the end of a wait as soon as it begins, and knows who waited for what."""

    def __init__(self) -> None:
        self.waits_ms: list[int] = []
        self._now_ns = 0

    def now_ns(self) -> int:
        return self._now_ns

    def wait(self, bell: object, deadline_ns: int | None) -> None:
        assert deadline_ns is not None
        self.waits_ms.append((deadline_ns - self._now_ns) // 10**6)
        self._now_ns = deadline_ns

    def work(self, seconds: float) -> None:
        self._now_ns += round(seconds * 1e9)


@pytest.mark.parametrize(
    ("rate", "work_s", "times_ms", "waits_ms"),
    [
        ("20/1", 0.0, [0, 50, 100, 150, 200, 250], [50] * 5),
        ("40/1", 0.010, [0, 25, 50, 75, 100, 125], [15] * 5),
        ("40/1", 0.060, [0, 60, 120, 180, 240, 300], []),  # what comes late is not made up for
        ("1/2", 0.0, [0, 2000, 4000, 6000, 8000, 10_000], [2000] * 5),
    ],
    ids=["waits", "waits for the rest", "is late", "seldom"],
)
def test_a_file_waits_for_its_turn_and_loses_nothing(
    rate: str, work_s: float, times_ms: list[int], waits_ms: list[int]
) -> None:
    clock = Leaps()
    source = limited(File(), {"max_fps_control": True, "max_fps": rate}, clock)
    times, ends = [], 0
    for item in source:
        if isinstance(item, EndOfStream):
            ends += 1
            continue
        times.append(clock.now_ns() // 10**6)
        clock.work(work_s)
    assert (times, clock.waits_ms, ends) == (times_ms, waits_ms, 1)
    assert not +source.dropped  # type: ignore[attr-defined]


def test_a_file_that_waits_for_its_turn_is_stopped_at_once() -> None:
    clock, file = FakeClock(), File()
    source = limited(file, {"max_fps_control": True, "max_fps": "1"}, clock)
    seen: list[Any] = []
    reading = threading.Thread(target=lambda: seen.extend(source))
    reading.start()
    clock.wait_for_sleepers(1)
    clock.advance(1)
    clock.wait_for_sleepers(1)
    source.stop()
    reading.join(60)
    assert not reading.is_alive()
    assert (len(seen), file.is_stopped) in {(2, True), (3, True)}


def test_a_module_that_limits_a_file_lets_all_of_it_out() -> None:
    parameters = {"frame": {"width": 64, "height": 48}, "max_fps_control": True, "max_fps": "1000/1"}
    module = Module({"name": "m", "parameters": parameters}, sources=[File()], clock=MonotonicClock())
    assert [out.frame.pts // 10**6 for out in module.run()["file"]] == [0, 25, 50, 75, 100, 125]
    assert dict(module.statuses()[0].source_dropped) == {}


@covers("parameters.log_level")
@pytest.mark.parametrize(("level", "lines"), [("info", 0), ("insight::savant::logs=debug", 1)])
def test_the_level_says_what_is_logged(tmp_path: Path, level: str, lines: int) -> None:
    tree: Tree = {"name": "m", "parameters": {"log_level": level, "frame": {"width": 64, "height": 48}}}
    for path, value in {**PATTERN, **pyfunc("logs")}.items():
        put(tree, path, value)
    put(tree, "pipeline.source.properties.num-buffers", 1)
    put(tree, "pipeline.sink", [{"element": "devnull_sink"}])
    (tmp_path / "m.yml").write_text(json.dumps(tree))
    (tmp_path / f"{CODE}.py").write_text((Path(__file__).parent / f"{CODE}.py").read_text())
    command = [sys.executable, "-m", "picasso", "run", "m.yml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr.count("DEBUG insight::savant::logs > frame 0") == lines


@covers("source.uridecodebin.pace")
@pytest.mark.parametrize(("pace", "seconds"), [(False, 0), (True, 1)])
def test_a_paced_file_waits_for_its_times(tmp_path: Path, pace: bool, seconds: int) -> None:
    tree: Tree = {"name": "m"}
    clip = tmp_path / "clip.mp4"
    write_clip(clip)
    put(tree, "pipeline.source", {"element": "uridecodebin", "properties": {"uri": str(clip), "pace": pace}})
    clock, sink = FakeClock(), MemorySink()
    with Module(tree, sinks=[sink], clock=clock) as module:
        if pace:
            while module.statuses()[0].read < 1:
                threading.Event().wait(0.001)
            assert module.statuses()[0].read == 1
        clock.advance(seconds)
        outcome = module.run()
    assert outcome.statuses[0].read == 5


@covers("parameters.etcd.hosts", "parameters.etcd.watch_path", "parameters.etcd.watch_path_wait_timeout")
def test_etcd_is_read_where_the_settings_say(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    server = Etcd(tmp_path / "etcd")
    try:
        server.put("savant/gate", "from savant")
        server.put("other/gate", "from other")
        seen = []
        for settings in (
            {"hosts": []},
            {"hosts": [server.host]},
            {"hosts": [server.host], "watch_path": "other"},
            {"hosts": [server.host], "watch_path": "empty", "watch_path_wait_timeout": 0.25},
        ):
            run = run_of({**pyfunc("dynamic"), "parameters.etcd": settings}, tmp_path, 1)
            assert run.error is None
            seen += run.tags("dynamic")
    finally:
        server.stop()
    assert seen == ["default", "from savant", "from other", "default"]
    assert "etcd: nothing below 'empty/' after 0.2 s; defaults are used" in caplog.text


@covers("parameters.etcd.connect_timeout")
def test_an_etcd_that_accepts_and_says_nothing_fails_the_start_after_the_timeout(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        settings = {"hosts": [f"127.0.0.1:{deaf.getsockname()[1]}"], "connect_timeout": 0.125}
        assert "0.125" in (run_of({"parameters.etcd": settings}, tmp_path, 0).error or "")


@covers("sink.console_sink.json_mode")
@pytest.mark.parametrize(("json_mode", "start"), [(False, "cam: pts 0.000 s, 1 objects"), (True, '{"source_id":"cam"')])
def test_the_console_says_words_or_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], json_mode: bool, start: str
) -> None:
    run_of({"pipeline.sink[0]": {"element": "console_sink", "properties": {"json_mode": json_mode}}}, tmp_path, 1)
    assert capsys.readouterr().out.startswith(start)
