"""Sinks of a module: what they write, what they leave out and count, and what happens with one that fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import simplejpeg

sys.path.insert(0, str(Path(__file__).parent))
import numpy as np
from test_module_run import FRAMES, no_thread_is_left, pyfunc, tree

from picasso.engine import OutputMessage, OverflowPolicy
from picasso.errors import MediaError
from picasso.flow import LeftOut, Sink, SinkStatus
from picasso.flow.sink import SinkThread
from picasso.media import VideoReader, probe
from picasso.module import ConfigError, Module, load_config
from picasso.module.sinks import FileSink, ImageFileSink, MetadataFileSink, VideoFileSink
from picasso.module.sinks.open import Filtered
from picasso.primitives import (
    Attribute,
    AttributeValue,
    BBox,
    EndOfStream,
    Point,
    PolygonalArea,
    RBBox,
    VideoFrame,
    VideoFrameContent,
)

__all__ = ["no_thread_is_left"]
FRAME_NS = 40_000_000
JPEG = simplejpeg.encode_jpeg(np.full((48, 64, 3), 100, np.uint8))


def frame(index: int, source_id: str = "s", *, gop: int = 1, codec: str | None = "jpeg", data: bytes = JPEG) -> Any:
    made = VideoFrame(
        source_id,
        "25/1",
        64,
        48,
        codec=codec,
        keyframe=index % gop == 0,
        time_base=(1, 10**9),
        pts=index * FRAME_NS,
        duration=FRAME_NS,
        content=VideoFrameContent.internal(data) if data else VideoFrameContent.none(),
    )
    return OutputMessage(made, is_eos=False)


def end(source_id: str = "s") -> OutputMessage:
    return OutputMessage(EndOfStream(source_id), is_eos=True)


def write(sink: Sink, *outputs: OutputMessage) -> SinkStatus:
    """Write through a sink's own thread, as a module does; everything that came must be accounted for."""
    thread = SinkThread(sink, "m", OverflowPolicy.BLOCK, 0)
    thread.start()
    for output in outputs:
        thread.put(output)
    thread.finish()
    assert thread.join(60)
    status = thread.status()
    assert status.came == sum(not output.is_eos for output in outputs) == status.written + status.dropped
    return status


def sinks_of(module: Module) -> dict[str, SinkStatus]:
    return {status.name: status for status in (sink.status() for sink in module._sinks)}


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def frames_in(path: Path) -> int:
    with VideoReader(path) as reader:
        return sum(1 for _picture in reader.frames())


BAD_NAMES = {
    "metadata, no name": ("metadata_json_sink", "out/{}.ndjson", r"unknown field {}; one of {source}, {file}, {chunk}"),
    "metadata, a number": ("metadata_json_sink", "out/{0}.ndjson", r"unknown field {0}"),
    "metadata, unknown": ("metadata_json_sink", "out/{camera}.ndjson", r"unknown field {camera}"),
    "metadata, attribute": ("metadata_json_sink", "out/{source.x}.ndjson", r"unknown field {source.x}"),
    "metadata, conversion": ("metadata_json_sink", "out/{source!r}.ndjson", r"unknown field {source}"),
    "metadata, format": ("metadata_json_sink", "out/{chunk:zz}.ndjson", r"Unknown format code 'z'"),
    "metadata, open brace": ("metadata_json_sink", "out/{source.ndjson", r"expected '}'"),
    "metadata, a folder": ("metadata_json_sink", "/", r"names no file"),
    "video, no name": ("video_file_sink", "out/{}.mp4", r"unknown field {}; one of source, time, index"),
    "video, suffix": ("video_file_sink", "out/{source}.avi", r"unknown container; one of .mp4, .mov, .mkv"),
    "images, unknown": ("image_file_sink", "out/{time}", r"unknown field {time}; one of {source}"),
}


@pytest.mark.parametrize(("kind", "name", "words"), BAD_NAMES.values(), ids=BAD_NAMES)
def test_a_name_that_cannot_be_used_is_found_before_anything_opens(kind: str, name: str, words: str) -> None:
    codec = "jpeg"
    sinks = [{"element": kind, "properties": {"location": name}}]
    with pytest.raises(ConfigError) as caught:
        load_config(tree(parameters={"output_frame": {"codec": codec}}, sink=sinks))
    (problem,) = caught.value.problems
    assert problem.path == ("pipeline", "sink", 0, "properties", "location")
    assert words in problem.text


@pytest.mark.parametrize(
    ("kind", "codec", "words"),
    [
        ("video_file_sink", "png", "does not write png; one of h264, hevc, av1, jpeg, copy"),
        ("video_file_sink", "raw-rgba", "does not write raw-rgba"),
        ("image_file_sink", "h264", "does not write h264; one of jpeg, png, copy"),
    ],
)
def test_a_sink_that_cannot_write_the_codec_is_refused(kind: str, codec: str, words: str) -> None:
    sinks = [{"element": kind, "properties": {"location": "out/{source}.mp4"}}]
    with pytest.raises(ConfigError, match=words):
        load_config(tree(parameters={"output_frame": {"codec": codec}}, sink=sinks))


def test_a_sink_of_pictures_without_pictures_is_warned_about() -> None:
    config = load_config(tree(sink=[{"element": "image_file_sink", "properties": {"location": "out"}}]))
    assert [warning.text for warning in config.warnings] == ["image_file_sink writes nothing: output_frame is null"]


def test_two_sinks_may_not_write_one_file() -> None:
    sinks = [{"element": "file_sink", "properties": {"file_path": "all.json"}}] * 2
    with pytest.raises(ConfigError, match=r"pipeline.sink\[1\].properties.file_path: sink 0 writes all.json, too"):
        load_config(tree(sink=sinks))


def test_a_source_that_cannot_be_written_is_left_out_until_its_stream_ends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad = [frame(index, "bad", codec="png") for index in range(3)]
    good = [frame(index, "good") for index in range(3)]
    again = [frame(index, "bad") for index in range(2)]
    mixed = [output for pair in zip(good, bad, strict=True) for output in pair]
    status = write(VideoFileSink(f"{tmp_path}/{{source}}-{{index}}.mp4"), *mixed, end("bad"), *again, end("bad"))
    assert (status.written, status.dropped_by, status.failure) == (5, {"failed": 3}, None)
    assert {name: probe(tmp_path / name).frame_count for name in names(tmp_path)} == {"good-1.mp4": 3, "bad-2.mp4": 2}
    assert "video_file_sink: source 'bad' is not written until its stream ends" in caplog.text


def test_a_sink_fails_when_no_source_can_be_written(tmp_path: Path) -> None:
    sink = VideoFileSink(f"{tmp_path}/{{source}}.mp4")
    status = write(sink, *(frame(index, "bad", codec="png") for index in range(3)))
    assert (status.written, status.dropped_by) == (0, {"failed": 3})
    assert isinstance(status.failure, MediaError)


def test_video_begins_at_a_keyframe_and_numbers_go_on_behind_an_end_of_stream(tmp_path: Path) -> None:
    streams = [
        *(frame(index, gop=5) for index in range(3, 10)),
        end(),
        *(frame(index, gop=5) for index in range(5)),
        frame(5, data=b""),
    ]
    status = write(VideoFileSink(f"{tmp_path}/{{index}}.mp4"), *streams)
    assert (status.written, status.dropped_by) == (10, {"no_keyframe": 2, "no_payload": 1})
    assert {name: probe(tmp_path / name).frame_count for name in names(tmp_path)} == {"1-s.mp4": 5, "2-s.mp4": 5}


@pytest.mark.parametrize(
    ("limits", "counts"), [({"segment_s": 0.3}, [10, 10, 4]), ({"segment_bytes": len(JPEG) * 12}, [15, 9]), ({}, [24])]
)
def test_segments_end_at_the_keyframe_behind_their_limit(
    tmp_path: Path, limits: dict[str, Any], counts: list[int]
) -> None:
    sink = VideoFileSink(f"{tmp_path}/{{source}}/{{index}}.mp4", **limits)
    write(sink, *(frame(index, gop=5) for index in range(24)))
    assert [frames_in(tmp_path / name) for name in names(tmp_path)] == counts


def test_images_go_on_in_the_folder_of_their_source(tmp_path: Path) -> None:
    sink = ImageFileSink(f"{tmp_path}/{{source}}/img")
    status = write(sink, frame(0, "a"), frame(0, "b"), end("a"), frame(0, "a"), frame(1, "a", data=b""))
    assert (status.written, status.dropped_by) == (3, {"no_payload": 1})
    assert names(tmp_path) == ["a/img/000000.jpg", "a/img/000001.jpg", "b/img/000000.jpg"]


def test_images_of_a_run_before_stay(tmp_path: Path) -> None:
    for run in range(2):
        data = simplejpeg.encode_jpeg(np.full((48, 64, 3), 100 * run, np.uint8))
        write(ImageFileSink(f"{tmp_path}/{{source}}"), frame(0, data=data), frame(1, data=data))
    assert names(tmp_path) == [f"s/{number:06d}.jpg" for number in range(4)]
    assert [round(simplejpeg.decode_jpeg((tmp_path / name).read_bytes()).mean()) for name in names(tmp_path)] == [
        *(0, 0, 100, 100)
    ]


def tagged(index: int, location: str) -> OutputMessage:
    output = frame(index, gop=2)
    attribute = Attribute("default", "location", [AttributeValue.string(location)])
    output.as_video_frame().set_attribute(attribute)
    return output


def test_lines_go_into_chunks_that_begin_at_keyframes_and_are_named_after_the_file(tmp_path: Path) -> None:
    sink = MetadataFileSink(f"{tmp_path}/%source_id/%src_filename-%chunk_idx.ndjson", chunk_size=3)
    streams = [*(tagged(index, "clips/a.mp4") for index in range(6)), end(), tagged(0, "clips/b.mp4"), end()]
    assert write(sink, *streams).written == 7
    records = {
        name: [json.loads(line) for line in (tmp_path / name).read_text().splitlines()] for name in names(tmp_path)
    }
    assert {name: [record.get("frame_num", "end") for record in lines] for name, lines in records.items()} == {
        "s/a-0.ndjson": [0, 1, 2, 3],
        "s/a-1.ndjson": [4, 5, "end"],
        "s/b-2.ndjson": [6, "end"],
    }


def test_a_stream_without_objects_leaves_no_file_and_is_counted(tmp_path: Path) -> None:
    sink = MetadataFileSink(f"{tmp_path}/{{source}}.ndjson", skip_frames_without_objects=True)
    status = write(sink, frame(0), frame(1), end())
    assert (status.written, status.dropped_by, names(tmp_path)) == (0, {"no_objects": 2}, [])


def test_what_is_no_number_of_json_becomes_null(tmp_path: Path) -> None:
    output = frame(0)
    output.as_video_frame().set_attribute(Attribute("default", "score", [AttributeValue.float(float("nan"))]))
    output.as_video_frame().set_attribute(Attribute("default", "name", [AttributeValue.string("É\n\0")]))
    status = write(MetadataFileSink(f"{tmp_path}/{{source}}.ndjson", 0), output)
    (line,) = (tmp_path / "s.ndjson").read_text(encoding="utf-8").splitlines()
    assert (status.written, json.loads(line)["tags"]) == (1, {"score": None, "name": "É\n\0"})


SHAPED: dict[str, tuple[AttributeValue, Any]] = {
    "bbox": (AttributeValue.bbox(BBox(1, 2, 3, 4)), {"bbox": [1, 2, 3, 4]}),
    "rbboxes": (AttributeValue.rbboxes([RBBox(1, 2, 3, 4, 5)]), {"rbboxes": [[1, 2, 3, 4, 5]]}),
    "point": (AttributeValue.point(Point(1, 2)), {"point": [1, 2]}),
    "polygon": (
        AttributeValue.polygon(PolygonalArea([Point(0, 0), Point(1, 0), Point(1, 1)])),
        {"polygon": {"vertices": [[0, 0], [1, 0], [1, 1]]}},
    ),
    "bytes": (AttributeValue.bytes([2], b"ab"), {"bytes": {"dims": [2], "blob": "YWI="}}),
    "integers": (AttributeValue.integers([1, 2]), [1, 2]),
}


@pytest.mark.parametrize(("value", "expected"), SHAPED.values(), ids=SHAPED)
def test_a_value_without_a_number_or_text_of_its_own_is_written_by_its_kind(
    tmp_path: Path, value: AttributeValue, expected: Any
) -> None:
    output = frame(0)
    shown = output.as_video_frame()
    shown.set_attribute(Attribute("default", "tag", [value]))
    made = shown.create_object("m", "car", detection_box=BBox(5, 5, 2, 2))
    made.set_attribute(Attribute("m", "shape", [value]))
    status = write(MetadataFileSink(f"{tmp_path}/{{source}}.ndjson", 0), output)
    (line,) = map(json.loads, (tmp_path / "s.ndjson").read_text(encoding="utf-8").splitlines())
    (attribute,) = line["metadata"]["objects"][-1]["attributes"]
    assert (status.written, line["tags"]["tag"], attribute["value"]) == (1, expected, expected)


def test_a_file_sink_is_one_array_of_frames_in_the_packages_own_form(tmp_path: Path) -> None:
    file = tmp_path / "a folder" / "that is not there" / "all.json"
    status = write(FileSink(str(file)), frame(0), frame(1), end())
    *frames, last = json.loads(file.read_text())
    assert status.written == 2
    assert [VideoFrame.from_json(json.dumps(one)).pts for one in frames] == [0, FRAME_NS]
    assert last == {"source_id": "s", "schema": "EndOfStream"}


@pytest.mark.parametrize(
    ("json_mode", "first", "last"), [(False, "s: pts 0.000 s", "s: end of stream"), (True, "{", "{")]
)
def test_the_console_shows_a_line_a_frame(
    capsys: pytest.CaptureFixture[str], json_mode: bool, first: str, last: str
) -> None:
    from picasso.module.sinks import ConsoleSink

    assert write(ConsoleSink(json_mode), frame(0), frame(1), end()).written == 2
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith(first)
    assert lines[-1].startswith(last)
    if json_mode:
        assert [json.loads(line)["schema"] for line in lines] == ["VideoFrame", "VideoFrame", "EndOfStream"]


class Takes:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.outputs: list[OutputMessage] = []

    def write(self, output: OutputMessage) -> None:
        self.outputs.append(output)

    def close(self) -> None:
        pass


def test_a_filter_keeps_frames_back_and_never_an_end_of_stream() -> None:
    sink = Takes()
    status = write(Filtered(sink, lambda frame: frame.pts == FRAME_NS), frame(0), frame(1), frame(2), end())
    assert (status.written, status.dropped_by) == (1, {"filter": 2})
    assert [output.is_eos for output in sink.outputs] == [False, True]


def test_a_filter_that_raises_lets_frames_pass_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    def raises(_frame: VideoFrame) -> bool:
        raise ZeroDivisionError("no ratio")

    assert write(Filtered(Takes(), raises), frame(0), frame(1)).written == 2
    assert caplog.messages == ["egress filter of Takes raised, frames pass: ZeroDivisionError: no ratio"]


FILTERS = {
    "a class with kwargs": (
        "class It:\n    def __init__(self, n): self.n = n\n    def __call__(self, f): return f.pts == self.n",
        1,
    ),
    "cannot be loaded": ("import nowhere", FRAMES),
    "is not there": ("other = 1", FRAMES),
    "cannot be called": ("It = 7", FRAMES),
}


@pytest.mark.parametrize(("text", "count"), FILTERS.values(), ids=FILTERS)
def test_the_egress_filter_of_a_sink_is_loaded_or_lets_everything_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, count: int
) -> None:
    entry = {
        key: value for key, value in pyfunc("filters", tmp_path, text, kwargs={"n": 0}).items() if key != "element"
    }
    Module(tree(sink=[{"element": "console_sink", "egress_frame_filter": entry}])).run()
    lines = capsys.readouterr().out.splitlines()
    assert (len(lines), lines[-1]) == (count + 1, "test: end of stream")


def test_sinks_bear_the_names_that_they_are_given() -> None:
    module = Module(tree(sink=[{"element": "devnull_sink", "name": "first"}, {"element": "devnull_sink"}]))
    module.run()
    assert {name: status.written for name, status in sinks_of(module).items()} == {"first": 12, "devnull_sink": 12}


def test_left_out_is_a_word() -> None:
    assert LeftOut("filter") == "filter"


FULL_DISK = """
import json, resource, sys
from picasso.module import Module
out, limit = sys.argv[1], 300_000
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
def source(name):
    size = {"width": 640, "height": 480, "num-buffers": 60, "pattern": "counter", "source_id": name}
    return {"element": "videotestsrc", "properties": size}
config = {
    "name": "full",
    "parameters": {"frame": {"width": 640, "height": 480}, "output_frame": {"codec": "jpeg"}, "code_root": None},
    "pipeline": {
        "source": [source("a"), source("b")],
        "sink": [
            {"element": "video_file_sink", "properties": {"location": out + "/{source}.mp4"}},
            {"element": "metadata_json_sink", "properties": {"location": out + "/{source}.ndjson"}},
        ],
    },
}
module = Module(config)
module.run()
statuses = module.statuses()
print(json.dumps({
    "sources": {one.source_id: [str(one.state), one.read, one.delivered, one.dropped] for one in statuses},
    "sinks": [[s.name, s.came, s.written, s.dropped_by, str(s.failure)] for s in (t.status() for t in module._sinks)],
}))
"""


def test_a_full_disk_costs_one_sink_and_every_frame_is_accounted_for(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=True, timeout=300
    )
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["sources"] == {"a": ["ended", 60, 60, 0], "b": ["ended", 60, 60, 0]}
    (video, came, written, dropped_by, why), metadata = told["sinks"]
    assert (video, came) == ("video_file_sink", 120)
    assert written + sum(dropped_by.values()) == 120
    assert "File too large" in why
    assert metadata == ["metadata_json_sink", 120, 120, {}, "None"]
    assert sum(map(frames_in, tmp_path.glob("*.mp4"))) == written


KILLED = """
import sys
from picasso.module import Module
out = sys.argv[1]
size = {"width": 64, "height": 48, "source_id": "cam"}
Module({
    "name": "killed",
    "parameters": {
        "frame": {"width": 64, "height": 48},
        "output_frame": {"codec": "h264", "encoder": "software", "encoder_params": {"key-int-max": 15}},
        "code_root": None,
    },
    "pipeline": {
        "source": {"element": "videotestsrc", "properties": size},
        "sink": [
            {"element": "video_file_sink", "properties": {"location": out + "/{source}-{index}.mp4", "segment_s": 2}},
            {"element": "metadata_json_sink", "properties": {"location": out + "/{source}.ndjson"}},
            {"element": "console_sink"},
        ],
    },
}).run()
"""


def test_what_was_written_before_a_kill_plays_and_parses(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True, env={**os.environ}
    ) as process:
        assert process.stdout is not None
        for _number in range(400):
            assert process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.stdout.close()
    videos = [path for path in sorted(tmp_path.glob("*.mp4")) if b"moof" in path.read_bytes()]
    assert len(videos) >= 2
    assert len(videos) >= len(list(tmp_path.glob("*.mp4"))) - 1  # the newest one may hold no frame yet
    for path in videos:
        with VideoReader(path) as reader:
            times = [picture[0].pts for picture in reader.frames()]
        assert len(times) >= 15
        assert times == sorted(times)
    (metadata,) = tmp_path.glob("*.ndjson")
    *lines, last = metadata.read_bytes().split(b"\n")
    assert last == b""
    assert [json.loads(line)["frame_num"] for line in lines] == [*range(len(lines))]
