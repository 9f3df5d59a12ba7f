"""Sources of a module: files, folders and patterns, loops and ranges, streams that change, objects beside them."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import simplejpeg

sys.path.insert(0, str(Path(__file__).parent))
from rtsp_kit import Seen
from test_module_run import PATTERN, frames_of, no_thread_is_left, pyfunc, run, tree, uri, video

from picasso.flow import SourceState
from picasso.module import ConfigError, Module
from picasso.module.sinks import MemorySink
from picasso.module.sources import PatternSource, UriSource
from picasso.primitives import EndOfStream, VideoFrame
from picasso.surface import SurfaceView, VideoFormat
from picasso.testing import FakeClock

__all__ = ["no_thread_is_left", "video"]
OWN_SIZE: dict[str, Any] = {"frame": {"width": None, "height": None}}
FRAME_NS = 40_000_000
Make = Callable[..., Path]


def read(source: UriSource, most: int = 10_000) -> list[int | str]:
    """The times of a source's frames in units of a frame, and ``"eos"``."""
    items = itertools.islice(source, most)
    return ["eos" if isinstance(item, EndOfStream) else round(item[0].pts / FRAME_NS, 3) for item in items]


def test_a_looping_file_ends_its_stream_with_each_pass_and_its_times_rise(video: Make) -> None:
    path = str(video(frames=3))
    assert read(UriSource(path, loop=True), 9) == [0, 1, 2, "eos", 3, 4, 5, "eos", 6]
    assert read(UriSource(path, loop=True, eos_on_loop_end=False), 7) == [0, 1, 2, 3, 4, 5, 6]


def test_a_looping_folder_has_one_line_of_time(video: Make, tmp_path: Path) -> None:
    video("clips/a.mp4", 2), video("clips/b.mp4", 3)
    assert read(UriSource(f"{tmp_path}/clips", loop=True), 9) == [0, 1, "eos", 2, 3, 4, "eos", 5, 6]
    assert read(UriSource(f"{tmp_path}/clips")) == [0, 1, "eos", 0, 1, 2, "eos"]
    assert read(UriSource(f"{tmp_path}/clips/*.mp4")) == [0, 1, "eos", 0, 1, 2, "eos"]


def test_a_range_is_cut_from_each_pass(video: Make) -> None:
    source = UriSource(str(video(frames=10)), loop=True, start_s=0.1, stop_s=0.2)
    assert read(source, 6) == [3, 4, "eos", 5, 6, "eos"]


@pytest.mark.parametrize("loop", [False, True])
def test_a_range_behind_the_end_ends_the_source_with_a_reason(video: Make, loop: bool) -> None:
    module, _sink = run(tree(source=[uri(video(frames=3), loop=loop, start_s=60), PATTERN]))
    status = module.statuses()[0]
    assert (status.state, status.read) == (SourceState.FAILED, 0)
    assert str(status.failure).endswith("clip.mp4: holds no frame from start_s = 60")


def test_a_range_that_is_none_is_found_before_anything_opens() -> None:
    with pytest.raises(ConfigError, match=r"stop_s: 1 s: expected more than start_s = 2"):
        Module(tree(source=uri("in.mp4", start_s=2, stop_s=1)))


def test_a_file_of_several_that_cannot_be_read_is_left_out(
    video: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    video("clips/a.mp4", 2), video("clips/c.mp4", 2)
    (tmp_path / "clips" / "b.mp4").write_bytes(b"no video at all" * 100)
    module, sink = run(tree(source=uri(tmp_path / "clips")))
    (status,) = module.statuses()
    assert (status.state, status.delivered, len(frames_of(sink))) == (SourceState.ENDED, 4, 4)
    assert "source 'clips': a file is left out: " in caplog.text
    assert "b.mp4" in caplog.text


@pytest.mark.parametrize("loop", [False, True])
def test_a_folder_of_which_no_file_can_be_read_fails_once(tmp_path: Path, loop: bool) -> None:
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(b"no video at all" * 100)
    module, sink = run(tree(source=[uri(tmp_path, loop=loop, source_id="bad"), PATTERN]))
    assert (module.statuses()[0].state, len(frames_of(sink))) == (SourceState.FAILED, 12)


def pictures(folder: Path, *sizes_wh: tuple[int, int]) -> None:
    folder.mkdir(exist_ok=True)
    for index, (width, height) in enumerate(sizes_wh):
        data = simplejpeg.encode_jpeg(np.full((height, width, 3), 20 * index, np.uint8))
        (folder / f"{index:02d}.jpg").write_bytes(data)


def test_pictures_of_a_folder_are_one_stream_at_their_rate(tmp_path: Path) -> None:
    pictures(tmp_path / "images", *[(64, 48)] * 4)
    (tmp_path / "images" / "01.jpg").write_bytes(b"broken")
    source = UriSource(str(tmp_path / "images"), framerate="25/1")
    assert read(source) == [0, 2, 3, "eos"]
    frame = next(iter(source))[0]  # type: ignore[index]
    assert (frame.framerate, frame.duration) == ("25/1", FRAME_NS)
    assert frame.get_attribute("default", "location").values[0].as_string().endswith("00.jpg")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("setting", "kinds"), [(True, "64 64 eos 32 32 eos"), (False, "64 64 32 32 eos"), (None, "64 64 eos 32 32 eos")]
)
def test_another_size_of_pictures_ends_the_stream_as_the_setting_says(
    tmp_path: Path, setting: bool | None, kinds: str
) -> None:
    pictures(tmp_path / "images", *[(64, 48)] * 2, *[(32, 48)] * 2)
    source = uri(tmp_path / "images", eos_on_frame_resolution_change=setting)
    _module, sink = run(tree(parameters=OWN_SIZE, source=source))
    assert " ".join("eos" if o.is_eos else str(o.as_video_frame().width) for o in sink.outputs) == kinds


def encode(path: Path, *parts: tuple[int, int, int], muxer: str = "h264", **options: str) -> Path:
    """Write parts of ``(frames, width, height)`` one after the other into one file."""
    with path.open("wb") as file:
        for count, width, height in parts:
            part = path.with_name("part")
            with av.open(str(part), "w", format=muxer) as container:
                stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", **options})
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
                for index in range(count):
                    pixels = np.full((height, width, 3), 4 * index, np.uint8)
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
                container.mux(stream.encode(None))
            file.write(part.read_bytes())
            part.unlink()
    return path


def test_another_size_in_the_middle_of_a_stream_ends_it_and_begins_another(tmp_path: Path) -> None:
    path = encode(tmp_path / "in.h264", (5, 64, 48), (5, 96, 64), tune="zerolatency")
    for parameters in (OWN_SIZE, {**OWN_SIZE, "output_frame": {"codec": "jpeg"}}):
        module, sink = run(tree(parameters=parameters, source=uri(path)))
        kinds = ["eos" if out.is_eos else out.as_video_frame().width for out in sink.outputs]
        assert kinds == [*[64] * 5, "eos", *[96] * 5, "eos"]
        times = [frame.pts for frame in frames_of(sink)]
        assert times == sorted(set(times))
        (status,) = module.statuses()
        assert status.read == status.delivered == 10


def test_times_that_start_again_end_the_stream_and_go_on_behind_it(tmp_path: Path) -> None:
    path = encode(tmp_path / "in.ts", (5, 64, 48), (5, 64, 48), muxer="mpegts", tune="zerolatency")
    _module, sink = run(tree(source=uri(path)))
    kinds = ["eos" if out.is_eos else out.as_video_frame().pts for out in sink.outputs]
    first = kinds[0]
    assert isinstance(first, int)
    assert kinds == [
        *(first + index * FRAME_NS for index in range(5)),
        "eos",
        *(first + index * FRAME_NS for index in range(5, 10)),
        "eos",
    ]


CODINGS = {
    "B-frames": ("in.mp4", {"bf": "3"}),
    "B-frames in a stream without times": ("in.h264", {"bf": "3"}),
    "no times": ("in.h264", {"tune": "zerolatency"}),
    "times of decoding": ("in.avi", {"bf": "2"}),
    "Matroska": ("in.mkv", {"bf": "2"}),
}


@pytest.mark.parametrize(("name", "options"), CODINGS.values(), ids=CODINGS)
def test_frames_come_in_the_order_in_which_they_are_shown_at_even_times(
    tmp_path: Path, name: str, options: dict[str, str]
) -> None:
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "fast", **options})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(20):
            pixels = np.full((48, 64, 3), 10 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    config = tree(parameters={"output_frame": {"codec": "raw-rgb24"}}, source=uri(path))
    frames = frames_of(run(config)[1])
    lumas = [np.frombuffer(frame.content.get_data(), np.uint8).mean() for frame in frames]
    assert len(frames) == 20
    assert lumas == sorted(lumas)
    steps = {after.pts - before.pts for before, after in itertools.pairwise(frames)}
    assert all(abs(step - FRAME_NS) <= 1_000_000 for step in steps)


def test_an_edit_list_cuts_what_it_hides(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.mp4", tmp_path / "cut.mp4"
    encode(whole, (25, 64, 48), muxer="mp4", g="25", tune="zerolatency")
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    subprocess.run(
        ["ffmpeg", "-v", "error", "-ss", "0.4", "-i", str(whole), "-c", "copy", str(cut)], check=True, timeout=60
    )
    frames = frames_of(run(tree(source=uri(cut)))[1])
    assert (len(frames), frames[0].pts) == (15, 0)


def test_what_cannot_be_decoded_is_counted(tmp_path: Path) -> None:
    path = encode(tmp_path / "in.mkv", (40, 64, 48), muxer="matroska", g="5", tune="zerolatency")
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux() if packet.size]
    data = bytearray(path.read_bytes())
    bad = bytes(packets[20])
    at = data.find(bad)
    data[at : at + len(bad)] = b"\xff" * len(bad)
    path.write_bytes(data)
    module, sink = run(tree(source=uri(path)))
    (status,) = module.statuses()
    assert status.source_dropped.get("undecodable", 0) >= 1
    assert status.read == status.delivered + status.dropped == 40
    assert len(frames_of(sink)) == status.delivered


@pytest.mark.parametrize("how", ["property", "variable"])
def test_times_can_be_those_of_the_wall_clock(video: Make, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how == "variable":
        monkeypatch.setenv("USE_ABSOLUTE_TIMESTAMPS", "true")
    properties = {"absolute_timestamps": True} if how == "property" else {}
    begin_ns = time.time_ns()
    _module, sink = run(tree(source=uri(video(frames=3), **properties)))
    first, *rest = (frame.pts for frame in frames_of(sink))
    assert begin_ns <= first <= time.time_ns()
    assert [pts - first for pts in rest] == [FRAME_NS, 2 * FRAME_NS]


def test_wall_clock_times_of_several_files_rise(video: Make, tmp_path: Path) -> None:
    video("clips/a.mp4", 10), video("clips/b.mp4", 10)
    items = list(UriSource(f"{tmp_path}/clips", absolute_timestamps=True))
    times = [item[0].pts for item in items if not isinstance(item, EndOfStream)]
    assert times == sorted(set(times))
    assert len(times) == 20


FILTERS = {
    "a function": ("def It(frame): return frame.pts != 0", 11, {"filtered": 1}, ""),
    "one that raises": (
        "def It(frame): return 1 / 0",
        12,
        {},
        "the ingress filter raised, frames pass: ZeroDivisionError",
    ),
    "a class": (
        "class It:\n    def __init__(self): pass\n    def __call__(self, frame): return False",
        0,
        {"filtered": 12},
        "",
    ),
}


@pytest.mark.parametrize(("text", "count", "dropped", "words"), FILTERS.values(), ids=FILTERS)
def test_the_ingress_filter_decides_and_one_that_raises_gives_way(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str, count: int, dropped: dict[str, int], words: str
) -> None:
    entry = {key: value for key, value in pyfunc("filters", tmp_path, text).items() if key != "element"}
    module, sink = run(tree(source={**PATTERN, "ingress_frame_filter": entry}))
    (status,) = module.statuses()
    assert (len(frames_of(sink)), status.source_dropped, status.read) == (count, dropped, 12)
    assert sum(words in message for message in caplog.messages) == 1 or not words


def test_a_filter_that_is_a_function_is_called_with_its_kwargs(tmp_path: Path) -> None:
    text = "def It(frame, after_ns): return frame.pts > after_ns"
    entry = {key: value for key, value in pyfunc("late", tmp_path, text).items() if key != "element"}
    kwargs = {"after_ns": 200_000_000}
    _module, sink = run(tree(source={**PATTERN, "ingress_frame_filter": {**entry, "kwargs": kwargs}}))
    assert [frame.pts for frame in frames_of(sink)] == [n * 10**9 // 30 for n in range(7, 12)]
    wrong = {**entry, "kwargs": {"after": 1}}
    with pytest.raises(ConfigError, match=r"It cannot be called with a frame and kwargs after: .*frame, after_ns$"):
        Module(tree(source={**PATTERN, "ingress_frame_filter": wrong}))


def test_an_ingress_filter_that_cannot_be_loaded_is_refused_by_its_path(tmp_path: Path) -> None:
    entry = {"module": str(tmp_path / "none.py"), "class_name": "It"}
    with pytest.raises(ConfigError, match=r"pipeline.source.ingress_frame_filter: the filter cannot be loaded"):
        Module(tree(source={**PATTERN, "ingress_frame_filter": entry}))


def many(count: int, **properties: Any) -> list[dict[str, Any]]:
    return [
        {**PATTERN, "properties": {**PATTERN["properties"], "source_id": f"s{number}", **properties}}
        for number in range(count)
    ]


class Holds:
    """A source that stays open until it is released."""

    source_id = "holds"

    def __init__(self) -> None:
        self.go = threading.Event()

    def __iter__(self) -> Iterator[Any]:
        surface = SurfaceView.allocate(VideoFormat.RGB, (64, 48))
        yield VideoFrame("holds", "25/1", 64, 48, time_base=(1, 10**9), pts=0), surface
        self.go.wait()

    def stop(self) -> None:
        self.go.set()


@pytest.mark.parametrize(("limit", "is_rejected"), [(64, False), (0, False), (1, True)])
def test_streams_over_the_limit_are_rejected_one_by_one_and_lose_nothing(limit: int, is_rejected: bool) -> None:
    holds, seen = Holds(), Seen()
    parameters = {"max_parallel_streams": limit}
    module = Module(tree(parameters=parameters), sources=[holds], sinks=[seen])
    with module:
        seen.wait_for(lambda: seen.count("holds") == 1)
        late = PatternSource("late", width=64, height=48, frames=5)
        module._add(late)
        while not (status := module.statuses()[1]).state.is_over and status.state is not SourceState.REJECTED:
            pass
        assert (status.state is SourceState.REJECTED) is is_rejected
        assert not is_rejected or str(status.last_error) == "source 'late': 1 sources are in, and no more may"
        holds.go.set()
        seen.wait_for(lambda: seen.ends("late") == 1)
    assert [(status.source_id, status.delivered, status.dropped) for status in module.statuses()] == [
        ("holds", 1, 0),
        ("late", 5, 0),
    ]


def test_a_source_that_says_nothing_has_its_stream_ended_when_the_setting_says(tmp_path: Path) -> None:
    clock, seen = FakeClock(), Seen()
    text = """
from picasso.module import PyFunc
class It(PyFunc):
    def on_source_eos(self, source_id):
        with open(self.path, "a") as file:
            print(source_id, file=file)
    def __call__(self, frame): pass
"""
    slow = {"is-live": True, "framerate": "1/100", "num-buffers": 3, "source_timeout": 20}
    element = pyfunc("ends", tmp_path, text, kwargs={"path": str(tmp_path / "ends")})
    module = Module(tree(source=many(1, **slow), elements=[element]), sinks=[seen], clock=clock)
    with module:
        for stream in range(1, 3):
            seen.wait_for(lambda stream=stream: seen.count("s0") == stream)  # type: ignore[misc]
            for _second in range(30):
                clock.wait_for_sleepers(2)
                clock.advance(1)
            seen.wait_for(lambda stream=stream: seen.ends("s0") == stream)  # type: ignore[misc]
            while seen.count("s0") == stream:
                clock.wait_for_sleepers(1)
                clock.advance(10)
                threading.Event().wait(0.001)
    assert [len(frames) for frames in seen.streams("s0")] == [1, 1, 1, 0]
    assert (tmp_path / "ends").read_text().split() == ["s0"] * 3


def record(*objects: dict[str, Any]) -> str:
    return json.dumps({"schema": "VideoFrame", "metadata": {"objects": list(objects)}})


BOX = {"xc": 20, "yc": 10, "width": 8, "height": 6}
CAR = {"model_name": "m", "label": "car", "bbox": BOX}


def test_a_bad_record_beside_a_file_is_reported_and_its_frame_goes_on(
    video: Make, caplog: pytest.LogCaptureFixture
) -> None:
    path = video(frames=4)
    lost = {**CAR, "parent_model_name": "m", "parent_label": "bus", "parent_object_id": 1}
    lines = [record(CAR), record(CAR, lost), record({"label": "no model"}), record(CAR, CAR)]
    path.with_suffix(".json").write_text("\n".join([*lines, '{"schema": "EndOfStream", "source_id": "clip"}']))
    module, sink = run(tree(source=uri(path)))
    assert [frame.object_count for frame in frames_of(sink)] == [1, 0, 0, 2]
    assert module.statuses()[0].state is SourceState.ENDED
    assert "bad record no. 1: " in caplog.text
    assert "the parent ('m', 'bus', 1) is not in the same list" in caplog.text
    assert "bad record no. 2: " in caplog.text


def test_a_file_beside_a_video_that_holds_no_records_is_passed_over(
    video: Make, caplog: pytest.LogCaptureFixture
) -> None:
    path = video(frames=2)
    for text in ('{"streams": [\n1\n]}', '{"streams": []}', "no json", "[1, 2]"):
        path.with_suffix(".json").write_text(text)
        caplog.clear()
        assert len(frames_of(run(tree(source=uri(path)))[1])) == 2
        assert "clip.json: is beside" in caplog.text


def test_a_file_of_records_that_was_named_must_hold_some(video: Make, tmp_path: Path) -> None:
    path = video(frames=2)
    (tmp_path / "clip-objects.json").write_text(record(CAR) + "\n{broken")
    source = uri(path, metadata=f"{tmp_path}/{{stem}}-objects.json")
    module, _sink = run(tree(source=[source, PATTERN]))
    assert "clip-objects.json:2: no JSON" in str(module.statuses()[0].failure)


def test_a_file_is_named_by_path_or_by_its_address(video: Make, tmp_path: Path) -> None:
    path = video("a b.mp4", 2)
    for name in (str(path), f"file://{path}", f"file://localhost{str(path).replace(' ', '%20')}", path.as_uri()):
        source = UriSource(name)
        assert (source.source_id, read(source)) == ("a b", [0, 1])


def test_a_device_that_is_no_camera_is_reported(tmp_path: Path) -> None:
    camera = {"element": "v4l2src", "properties": {"device": str(tmp_path / "video9"), "restart": False}}
    module, _sink = run(tree(source=[camera, PATTERN]))
    (status, _other) = module.statuses()
    assert (status.source_id, status.state) == ("video9", SourceState.FAILED)
    assert "video9: No such file or directory" in str(status.failure)


@pytest.mark.parametrize("rate", ["0/1", "-1", "x"])
def test_a_rate_of_pictures_must_be_above_0(rate: str) -> None:
    with pytest.raises(ValueError, match=r"framerate|Invalid literal"):
        UriSource("images", framerate=rate)


def test_a_source_can_be_interrupted_and_read_again(video: Make) -> None:
    source = UriSource(str(video(frames=3)), loop=True)
    items = iter(source)
    next(items)
    source.interrupt()
    assert list(items) == []
    assert len(list(itertools.islice(source, 5))) == 5
    source.stop()
    assert list(source) == []


def test_the_rate_of_a_fraction_is_kept() -> None:
    assert UriSource("images", framerate="30000/1001")._rate == Fraction(30000, 1001)


def test_memory_sinks_keep_everything(video: Make) -> None:
    sink = MemorySink()
    Module(tree(source=uri(video(frames=2))), sinks=[sink]).run()
    assert [output.is_eos for output in sink.outputs] == [False, False, True]
