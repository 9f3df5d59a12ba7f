"""The cases of ``test_every_key`` for sources, elements and sinks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from every_key import CODE, STOPPED, Case, Run, Tree, refusal

from picasso.flow import NEVER

PATTERN: Final[Tree] = {
    "pipeline.source": {"element": "videotestsrc", "properties": {"width": 64, "height": 48, "num-buffers": 3}}
}
JPEG: Final[Tree] = {"parameters.output_frame.codec": "jpeg"}
H264: Final[Tree] = {
    "parameters.output_frame": {"codec": "h264", "encoder": "software", "encoder_params": {"key-int-max": 1}}
}
SOURCE, PROPERTIES = "pipeline.source", "pipeline.source.properties"
SINK, SINK_PROPERTIES = "pipeline.sink[0]", "pipeline.sink[0].properties"
ELEMENT: Final = "pipeline.elements[0]"


def pyfunc(code: str, index: int = 0, /, **more: Any) -> Tree:
    """The path and value of an element of the cases' own code."""
    return {f"pipeline.elements[{index}]": {"element": "pyfunc", "module": CODE, "class_name": code, **more}}


def names(run: Run) -> set[str]:
    return {frame.source_id for frame in run.frames}


def times(run: Run) -> list[int]:
    return [frame.pts // 10**6 for frame in run.frames]


def sizes(run: Run) -> list[list[int]]:
    """The first entry of each frame's chain: the source's size."""
    return [list(frame.transformations[0].values) for frame in run.frames]


def files(run: Run) -> list[str]:
    return sorted(str(path.relative_to(run.folder)) for path in run.folder.rglob("*") if path.is_file())


def lines(run: Run) -> list[int]:
    return [len(path.read_text().splitlines()) for path in sorted(run.folder.glob("*.ndjson"))]


def said(run: Run) -> list[Any]:
    return run.tags("says")


def decoder_queue(run: Run) -> Any:
    return run.during.sources["test"].decoder_queue.limit


def pattern(key: str, value: Any, look: Any, before: Any, after: Any, **given: Any) -> dict[str, Case]:
    """A property of the pattern."""
    base = {**PATTERN, **{f"{PROPERTIES}.{name}": entry for name, entry in given.items()}}
    return {f"source.videotestsrc.{key}": Case(value, look, before, after, base, f"{PROPERTIES}.{key}", 0)}


def sink(key: str, value: Any, look: Any, before: Any, after: Any, given: Tree, **more: Any) -> dict[str, Case]:
    """A property of a sink: ``kind.key``."""
    kind, _, name = key.partition(".")
    entry = {SINK: {"element": kind, "properties": more}}
    return {f"sink.{key}": Case(value, look, before, after, {**entry, **given}, f"{SINK_PROPERTIES}.{name}")}


def first_records(run: Run) -> list[Any]:
    text = (run.folder / "all.json").read_text()
    return [record.get("source_id") for record in json.loads(text)]


RECORD: Final = {
    "metadata": {
        "objects": [
            {
                "model_name": "m",
                "label": "car",
                "object_id": 1,
                "bbox": {"xc": 20, "yc": 10, "width": 8, "height": 6, "angle": 0},
            }
        ]
    }
}
QUEUED: Final[Tree] = {**pyfunc("other"), "pipeline.elements[1]": {"element": "queue"}, **pyfunc("size", 2)}


def uri(key: str, value: Any, look: Any, before: Any, after: Any, files: Tree | None = None) -> dict[str, Case]:
    """A property of a source that reads a clip of five frames."""
    given = {SOURCE: {"element": "uridecodebin", "properties": {"uri": "CLIP"}}, "files": files or {}}
    return {f"source.uridecodebin.{key}": Case(value, look, before, after, given, f"{PROPERTIES}.{key}", 0)}


INGRESS_FILTER: Final[Tree] = {
    **PATTERN,
    f"{SOURCE}.ingress_frame_filter": {"module": CODE, "class_name": "Every", "kwargs": {"n": 1}},
}
ONLY_ZEROMQ: Final[Tree] = {"ingress_queue_length": 7, "ingress_queue_byte_size": 7, "low_latency_decoding": True}
PHOTOS: Final[Tree] = {SOURCE: {"element": "uridecodebin", "properties": {"uri": "PHOTOS", "source_id": "photos"}}}
CAMERA: Final[Tree] = {SOURCE: {"element": "uridecodebin", "properties": {"uri": "rtsp://127.0.0.1:9/cam"}}}


def guard(key: str, value: Any, look: Any, before: Any, after: Any) -> dict[str, Case]:
    """A rule of the ingress: what the source is held to."""
    return {
        f"source.ingress.{key}": Case(
            value, lambda run: look(run.module._sources[0]), before, after, PATTERN, f"{PROPERTIES}.{key}", 0
        )
    }


def rejection(run: Run) -> Any:
    """Seconds that a source which cannot be decoded is left alone."""
    return run.module._sources[0].restart.reject_s


def told(key: str, value: Any, look: Any, before: Any, after: Any) -> dict[str, Case]:
    """What the reader of a camera is told."""
    return {
        f"source.uridecodebin.{key}": Case(
            value,
            lambda run: look(run.module._sources[0]._source._options),
            before,
            after,
            CAMERA,
            f"{PROPERTIES}.{key}",
            STOPPED,
        )
    }


PIPELINE: dict[str, Case] = {
    "source.element": Case(
        "filesrc",
        lambda run: (run.error or "").partition(";")[0],
        "",
        "pipeline.source.element: unknown element 'filesrc'",
        PATTERN,
        f"{SOURCE}.element",
        0,
    ),
    "source.name": Case("gate", names, {"test"}, {"gate"}, PATTERN, f"{SOURCE}.name", 0),
    **pattern("source_id", "gate", names, {"test"}, {"gate"}),
    **pattern("width", 32, sizes, [[64, 48]] * 3, [[32, 48]] * 3),
    **pattern("height", 32, sizes, [[64, 48]] * 3, [[64, 32]] * 3),
    **pattern("framerate", "10/1", times, [0, 33, 66], [0, 100, 200]),
    **pattern("num-buffers", 2, times, [0, 33, 66], [0, 33]),
    "source.videotestsrc.pattern": Case(
        "white",
        lambda run: run.data[0],
        0,
        255,
        {**PATTERN, f"{PROPERTIES}.pattern": "black", "parameters.output_frame.codec": "raw-rgba"},
        f"{PROPERTIES}.pattern",
        0,
    ),
    "element.element": Case(
        "convert",
        lambda run: (run.error or "").partition(";")[0],
        "",
        "pipeline.elements[0].element: unknown element 'convert'",
        pyfunc("other"),
        f"{ELEMENT}.element",
    ),
    "element.element_type": Case(
        "detector",
        lambda run: (run.error or "").partition(";")[0],
        "",
        "pipeline.elements[0].element: unknown element 'queue@detector'",
        {f"{ELEMENT}.element": "queue"},
        f"{ELEMENT}.element_type",
    ),
    "element.version": Case(
        "v2",
        refusal,
        None,
        "pipeline.elements[0].element: unknown version 'v2' of 'pyfunc'; only v1 exists",
        pyfunc("other"),
        f"{ELEMENT}.version",
    ),
    "element.name": Case(
        "other",
        refusal,
        None,
        "pipeline.elements[1].name: the name 'other' is in use by another element",
        {**pyfunc("other", name="mine"), **pyfunc("size", 1, name="other")},
        f"{ELEMENT}.name",
    ),
    "element.module": Case(
        "nowhere",
        lambda run: (run.error or "").partition(";")[0].rpartition(": ")[2],
        "",
        "module 'nowhere' is not found",
        pyfunc("other"),
        f"{ELEMENT}.module",
    ),
    "element.class_name": Case("Says", said, ["other"] * 3, ["{}"] * 3, pyfunc("other"), f"{ELEMENT}.class_name"),
    "element.kwargs": Case({"lane": 2}, said, ["{}"] * 3, ["{'lane': 2}"] * 3, pyfunc("Says"), f"{ELEMENT}.kwargs"),
    "element.on_error": Case(
        "pass", lambda run: None if run.error else len(run.frames), None, 3, pyfunc("raises"), f"{ELEMENT}.on_error"
    ),
    "element.group.name": Case(
        "twice",
        refusal,
        None,
        "pipeline.elements[1].name: the name 'twice' is in use by another element",
        {"pipeline.elements": [{"group": {"elements": []}}, {"element": "queue", "name": "twice"}]},
        "pipeline.elements[0].group.name",
    ),
    "element.group.init_condition.expr": Case(
        "night",
        said,
        ["other"] * 3,
        [None] * 3,
        {
            "pipeline.elements": [
                {
                    "group": {
                        "init_condition": {"expr": "day", "value": "day"},
                        "elements": [{"element": "pyfunc", "module": CODE, "class_name": "other"}],
                    }
                }
            ]
        },
        f"{ELEMENT}.group.init_condition.expr",
    ),
    "element.group.init_condition.value": Case(
        "night",
        said,
        ["other"] * 3,
        [None] * 3,
        {
            "pipeline.elements": [
                {
                    "group": {
                        "init_condition": {"expr": "day", "value": "day"},
                        "elements": [{"element": "pyfunc", "module": CODE, "class_name": "other"}],
                    }
                }
            ]
        },
        f"{ELEMENT}.group.init_condition.value",
    ),
    "element.queue.max-size-buffers": Case(
        3,
        lambda run: [queue.limit.frames for queue in run.statistics.queues],
        [1],
        [3],
        {
            **pyfunc("other"),
            **pyfunc("size", 2),
            "pipeline.elements[1]": {"element": "queue", "properties": {"max-size-buffers": 1}},
        },
        "pipeline.elements[1].properties.max-size-buffers",
    ),
    "sink.element": Case(
        "nowhere_sink",
        lambda run: (run.error or "").partition(";")[0],
        "",
        "pipeline.sink[0].element: unknown element 'nowhere_sink'",
        {f"{SINK}.element": "devnull_sink"},
        f"{SINK}.element",
    ),
    "sink.name": Case(
        "mine",
        lambda run: run.statistics.sinks[0].name,
        "devnull_sink",
        "mine",
        {f"{SINK}.element": "devnull_sink"},
        f"{SINK}.name",
    ),
    "sink.egress_frame_filter.kwargs": Case(
        {"n": 1},
        lambda run: run.statistics.sinks[0].written,
        ...,
        ...,
        {f"{SINK}": {"element": "devnull_sink", "egress_frame_filter": {"module": CODE, "class_name": "Every"}}},
        f"{SINK}.egress_frame_filter.kwargs",
    ),
    "sink.egress_frame_filter.class_name": Case(
        "nothing",
        lambda run: run.statistics.sinks[0].dropped,
        ...,
        {"filter": 3},
        {f"{SINK}": {"element": "devnull_sink", "egress_frame_filter": {"module": CODE, "class_name": "Every"}}},
        f"{SINK}.egress_frame_filter.class_name",
    ),
    "sink.egress_frame_filter.module": Case(
        "nowhere",
        lambda run: run.statistics.sinks[0].dropped,
        {"filter": 1},
        {},
        {f"{SINK}": {"element": "devnull_sink", "egress_frame_filter": {"module": CODE, "class_name": "Every"}}},
        f"{SINK}.egress_frame_filter.module",
    ),
    **sink(
        "file_sink.file_path", "FOLDER/other.json", files, ["all.json"], ["other.json"], {}, file_path="FOLDER/all.json"
    ),
    **sink(
        "video_file_sink.location",
        "FOLDER/other-{source}.mp4",
        files,
        ["cam.mp4"],
        ["other-cam.mp4"],
        H264,
        location="FOLDER/{source}.mp4",
    ),
    **sink(
        "video_file_sink.segment_s",
        0.08,
        lambda run: len(files(run)),
        1,
        2,
        H264,
        location="FOLDER/{source}-{index}.mp4",
    ),
    **sink(
        "video_file_sink.segment_bytes",
        1,
        lambda run: len(files(run)),
        1,
        3,
        H264,
        location="FOLDER/{source}-{index}.mp4",
    ),
    **sink(
        "image_file_sink.location",
        "FOLDER/other",
        lambda run: {Path(name).parts[0] for name in files(run)},
        {"images"},
        {"other"},
        JPEG,
        location="FOLDER/images",
    ),
    **sink(
        "metadata_json_sink.location",
        "FOLDER/other-{source}.ndjson",
        files,
        ["cam-0000.ndjson"],
        ["other-cam-0000.ndjson"],
        {},
        location="FOLDER/{source}.ndjson",
    ),
    **sink("metadata_json_sink.chunk_size", 2, lines, [4], [2, 2], {}, location="FOLDER/{source}.ndjson"),
    **sink(
        "metadata_json_sink.skip_frames_without_objects",
        True,
        lines,
        [4],
        ...,
        pyfunc("empties"),
        location="FOLDER/{source}.ndjson",
    ),
    "source.videotestsrc.is-live": Case(
        True,
        lambda run: run.module is not None and run.module._sources[0].is_live,  # type: ignore[attr-defined]
        False,
        True,
        PATTERN,
        f"{PROPERTIES}.is-live",
        0,
    ),
    "element.queue.max-size-time": Case(
        7000,
        lambda run: [queue.limits.time_ns for queue in run.module._books._statistician.pipeline.queues],
        [10**9],
        [7000],
        QUEUED,
        "pipeline.elements[1].properties.max-size-time",
    ),
    **uri("uri", "FOLDER/other.mp4", names, {"clip"}, {"other"}, files={"other.mp4": ""}),
    **uri("source_id", "gate", names, {"clip"}, {"gate"}),
    **uri("start_s", 0.1, times, [0, 40, 80, 120, 160], [120, 160]),
    **uri("stop_s", 0.1, times, [0, 40, 80, 120, 160], [0, 40, 80]),
    **uri("absolute_timestamps", True, lambda run: min(times(run)) > 10**12, False, True),
    **uri(
        "metadata",
        "FOLDER/objects.json",
        lambda run: [frame.object_count for frame in run.frames],
        [0] * 5,
        [1, 0, 0, 0, 0],
        files={"objects.json": json.dumps(RECORD)},
    ),
    "source.v4l2src.device": Case(
        "FOLDER/nothing",
        lambda run: str(run.module and run.module.statuses()[0].failure).partition(":")[0],
        ...,
        ...,
        {SOURCE: {"element": "v4l2src", "properties": {"device": "FOLDER/none", "restart": False}}},
        f"{PROPERTIES}.device",
        0,
    ),
    "element.queue.max-size-bytes": Case(
        7000,
        lambda run: {queue.limit.bytes for queue in run.during.queues},
        {10 << 20},
        {7000},
        QUEUED,
        "pipeline.elements[1].properties.max-size-bytes",
    ),
    "source.ingress.decoder_queue_length": Case(
        7,
        lambda run: decoder_queue(run).frames,
        5,
        7,
        PATTERN,
        f"{PROPERTIES}.decoder_queue_length",
        0,
    ),
    "source.ingress.decoder_queue_byte_size": Case(
        7000,
        lambda run: decoder_queue(run).bytes,
        10 << 20,
        7000,
        PATTERN,
        f"{PROPERTIES}.decoder_queue_byte_size",
        0,
    ),
    "source.ingress_frame_filter.module": Case(
        "nowhere",
        lambda run: (run.error or "").partition(" cannot be loaded")[0],
        "",
        "pipeline.source.ingress_frame_filter: the filter",
        INGRESS_FILTER,
        f"{SOURCE}.ingress_frame_filter.module",
        0,
    ),
    "source.ingress_frame_filter.class_name": Case(
        "nothing", times, [0, 33, 66], [], INGRESS_FILTER, f"{SOURCE}.ingress_frame_filter.class_name", 0
    ),
    "source.ingress_frame_filter.kwargs": Case(
        {"n": 10**9}, times, [0, 33, 66], [0, 33], INGRESS_FILTER, f"{SOURCE}.ingress_frame_filter.kwargs", 0
    ),
    **guard("source_timeout", 7, lambda guarded: guarded.idle.timeout_s, 10, 7),
    **guard("source_eviction_interval", 7, lambda guarded: guarded.idle.check_s, 1, 7),
    "source.ingress.blacklist_ttl": Case(7, rejection, 10, 7, CAMERA, f"{PROPERTIES}.blacklist_ttl", STOPPED),
    "source.ingress.blacklist_size": Case(0, rejection, 10, None, CAMERA, f"{PROPERTIES}.blacklist_size", STOPPED),
    **guard("eos_on_frame_resolution_change", False, lambda guarded: guarded._eos_on_resolution_change, True, False),
    **{
        f"source.ingress.{key}": Case(value, lambda run: len(run.warnings), 0, 1, PATTERN, f"{PROPERTIES}.{key}", 0)
        for key, value in {
            "ingress_queue_length": 7,
            "ingress_queue_byte_size": 7,
            "low_latency_decoding": True,
        }.items()
    },
    "source.uridecodebin.framerate": Case("10/1", times, [0, 33], [0, 100], PHOTOS, f"{PROPERTIES}.framerate", 0),
    "source.uridecodebin.eos_on_loop_end": Case(
        False,
        lambda run: run.module._sources[0]._source._ends_loops,
        True,
        False,
        CAMERA,
        f"{PROPERTIES}.eos_on_loop_end",
        STOPPED,
    ),
    **told("rtsp_transport", "udp", lambda reader: reader["options"]["rtsp_transport"], "tcp", "udp"),
    **told("timeout_s", 7, lambda reader: reader["timeout_s"], 10, 7),
    **told("trust", "any", lambda reader: reader["trust"], "origin", "any"),
    **told("options", {"probesize": "7"}, lambda reader: reader["options"].get("probesize"), None, "7"),
    "source.uridecodebin.restart": Case(
        False,
        lambda run: run.module is not None and run.module._sources[0]._source.restart == NEVER,  # type: ignore[attr-defined]
        False,
        True,
        CAMERA,
        f"{PROPERTIES}.restart",
        STOPPED,
    ),
}
