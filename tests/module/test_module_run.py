"""Modules that run: sources through elements and the engine into sinks, with nothing lost."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from picasso.media import probe
from picasso.module import ConfigError, Frame, Module, ModuleState
from picasso.module.sinks import MemorySink
from picasso.primitives import BBox, VideoFrame

FRAMES = 12
PATTERN: dict[str, Any] = {"element": "videotestsrc", "properties": {"width": 64, "height": 48, "num-buffers": FRAMES}}


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    ours = ("feed-", "sink-", "elements-", "etcd-")
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith(ours)]


def tree(
    *, parameters: dict[str, Any] | None = None, elements: list[Any] | None = None, **pipeline: Any
) -> dict[str, Any]:
    """The tree of a module with one small source and a sink that keeps nothing."""
    return {
        "name": "m",
        "parameters": {"frame": {"width": 64, "height": 48}, "code_root": None, **(parameters or {})},
        "pipeline": {"source": PATTERN, "sink": [{"element": "devnull_sink"}], "elements": elements or [], **pipeline},
    }


def run(config: dict[str, Any], **options: Any) -> tuple[Module, MemorySink]:
    sink = MemorySink()
    module = Module(config, sinks=[sink], **options)
    module.run()
    return module, sink


def frames_of(sink: MemorySink) -> list[VideoFrame]:
    return [output.as_video_frame() for output in sink.outputs if output.is_video_frame]


def pyfunc(code: Any, tmp_path: Path, text: str, **more: Any) -> dict[str, Any]:
    path = tmp_path / f"{code}.py"
    path.write_text(text)
    return {"element": "pyfunc", "module": str(path), "class_name": "It", **more}


ADDS = """
from picasso.module import ObjectMeta
from picasso.primitives import BBox
def It(frame):
    frame.add_obj_meta(ObjectMeta("yolo", "car", BBox(20, 10, 8, 6), 0.5))
"""


def test_without_an_output_frame_only_metadata_leaves(tmp_path: Path) -> None:
    module, sink = run(tree(elements=[pyfunc("adds", tmp_path, ADDS)]))
    frames = frames_of(sink)
    assert [frame.pts for frame in frames] == [number * 10**9 // 30 for number in range(FRAMES)]
    assert {(f.width, f.height, f.codec, f.keyframe, f.content.is_none()) for f in frames} == {
        (64, 48, None, True, True)
    }
    assert [one.label for frame in frames for one in frame.get_all_objects()] == ["car"] * FRAMES
    assert (sink.outputs[-1].is_eos, len(sink.outputs), module.state) == (True, FRAMES + 1, ModuleState.STOPPED)


CODECS = ["h264", "jpeg", "png", "raw-rgba", "raw-rgb24"]


@pytest.mark.parametrize("codec", CODECS)
def test_frames_leave_encoded(codec: str) -> None:
    _module, sink = run(
        tree(parameters={"output_frame": {"codec": codec, "encoder": "software" if codec == "h264" else None}})
    )
    frames = frames_of(sink)
    assert len(frames) == FRAMES
    assert all(len(frame.content.get_data()) > 0 for frame in frames)
    if codec.startswith("raw"):
        assert len(frames[0].content.get_data()) == 64 * 48 * (4 if codec == "raw-rgba" else 3)


GEOMETRIES = {
    "as it is": ({"width": 64, "height": 48}, (64, 48), (20, 10, 8, 6)),
    "twice as wide": ({"width": 128, "height": 48}, (128, 48), (40, 10, 16, 6)),
    "source size": ({"width": None, "height": None}, (64, 48), (20, 10, 8, 6)),
    "padding kept": ({"width": 64, "height": 48, "padding": {"left": 16, "top": 8}}, (80, 56), (36, 18, 8, 6)),
    "padding dropped": (
        {"width": 64, "height": 48, "padding": {"left": 16, "top": 8, "keep": False}},
        (64, 48),
        (20, 10, 8, 6),
    ),
}
"""Frame block, size that leaves, and where a box that came in at (20, 10, 8, 6) leaves."""


class Boxed:
    """A source whose frames bring a box in source pixels."""

    source_id = "boxed"

    def __iter__(self) -> Iterator[Any]:
        from picasso.surface import SurfaceView, VideoFormat

        for number in range(3):
            frame = VideoFrame("boxed", "30/1", 64, 48, time_base=(1, 10**9), pts=number * 33_333_333)
            frame.create_object("in", "box", detection_box=BBox(20, 10, 8, 6).as_rbbox())
            surface = SurfaceView.allocate(VideoFormat.RGB, (64, 48))
            surface.memset(0)
            surface.planes[0].reshape(48, 64, 3)[7:13, 16:24] = 255
            yield frame, surface

    def stop(self) -> None:
        pass


@pytest.mark.parametrize("edited", [False, True], ids=["untouched", "edited"])
@pytest.mark.parametrize("output", [None, "raw-rgba"])
@pytest.mark.parametrize(("block", "size_wh", "box"), GEOMETRIES.values(), ids=GEOMETRIES)
def test_boxes_leave_in_output_pixels_on_the_pixels_that_they_name(
    tmp_path: Path,
    block: dict[str, Any],
    size_wh: tuple[int, int],
    box: tuple[float, ...],
    output: str | None,
    edited: bool,
) -> None:
    elements = [pyfunc("edits", tmp_path, "def It(frame):\n    with frame.edit_image(): pass")] if edited else []
    parameters = {"frame": block, "output_frame": None if output is None else {"codec": output}}
    _module, sink = run(tree(parameters=parameters, elements=elements), sources=[Boxed()])
    frames = frames_of(sink)
    assert len(frames) == 3
    for frame in frames:
        assert (frame.width, frame.height) == size_wh
        (one,) = frame.get_all_objects()
        assert one.detection_box.as_xcycwh() == pytest.approx(box, abs=1e-3)
        assert frame.transformations[0].values == (64, 48)
        if output is not None:
            pixels = np.frombuffer(frame.content.get_data(), np.uint8).reshape(size_wh[1], size_wh[0], 4)
            left, top, right, bottom = (round(side) for side in one.detection_box.as_ltrb())
            inside = pixels[top:bottom, left:right, 0]
            assert inside.mean() > 200
            assert pixels[..., 0].sum() - inside.sum() < 0.3 * inside.sum()


def test_elements_see_the_total_frame(tmp_path: Path) -> None:
    text = """
def It(frame):
    frame.set_tag("size", f"{frame.width}x{frame.height}")
    frame.set_tag("shape", str(frame.image().shape))
    frame.set_tag("box", str([round(v) for o in frame.objects for v in o.bbox.as_xcycwh()]))
"""
    block = {"width": 64, "height": 48, "padding": {"left": 16, "top": 8, "keep": False}}
    _module, sink = run(tree(parameters={"frame": block}, elements=[pyfunc("sees", tmp_path, text)]), sources=[Boxed()])
    seen = frames_of(sink)[0]
    tags = {name: seen.get_attribute("default", name).values[0].as_string() for name in ("size", "shape", "box")}  # type: ignore[union-attr]
    assert tags == {"size": "80x56", "shape": "(56, 80, 4)", "box": "[36, 18, 8, 6]"}


def test_what_a_pyfunc_writes_is_what_leaves(tmp_path: Path) -> None:
    text = "def It(frame):\n    with frame.edit_image() as pixels:\n        pixels[..., :3] = (10, 20, 30)"
    _module, sink = run(
        tree(parameters={"output_frame": {"codec": "raw-rgba"}}, elements=[pyfunc("writes", tmp_path, text)])
    )
    pixels = np.frombuffer(frames_of(sink)[0].content.get_data(), np.uint8).reshape(-1, 4)
    assert {tuple(pixel) for pixel in pixels[:, :3].tolist()} == {(10, 20, 30)}


def test_frames_that_a_pyfunc_drops_are_counted(tmp_path: Path) -> None:
    text = "def It(frame):\n    if frame.frame_num % 2: frame.drop()"
    module, sink = run(tree(elements=[pyfunc("drops", tmp_path, text)]))
    (status,) = module.statuses()
    assert (status.read, status.delivered, status.stage_dropped) == (FRAMES, FRAMES // 2, {"element": FRAMES // 2})
    assert len(frames_of(sink)) == FRAMES // 2


def test_an_element_that_raises_stops_the_module_and_names_itself(tmp_path: Path) -> None:
    text = "def It(frame):\n    if frame.frame_num == 3: raise ValueError('no lane')"
    module = Module(tree(elements=[pyfunc("raises", tmp_path, text)]), sinks=[sink := MemorySink()])
    with pytest.raises(
        Exception, match=r"element pyfunc/.*raises\.py\.It: source 'test' at pts 100000000: ValueError: no lane"
    ):
        module.run()
    assert module.state is ModuleState.STOPPED
    assert [frame.pts for frame in frames_of(sink)] == [0, 33333333, 66666666]
    (status,) = module.statuses()
    assert status.read == status.delivered + status.dropped


def test_a_broken_source_does_not_stop_the_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken = {"element": "uridecodebin", "properties": {"uri": str(tmp_path / "none.mp4"), "source_id": "broken"}}
    module, sink = run(tree(source=[PATTERN, broken]))
    assert {status.source_id: str(status.state) for status in module.statuses()} == {
        "test": "ended",
        "broken": "failed",
    }
    assert [text for text in caplog.messages if "has failed" in text] == [
        f"source 'broken' has failed: {tmp_path}/none.mp4: No such file or directory"
    ]
    assert len(frames_of(sink)) == FRAMES


@pytest.mark.parametrize("queues", [None, {}, {"length": 1}], ids=str)
@pytest.mark.parametrize("batch_size", [1, 4])
def test_many_sources_share_batches_and_keep_their_order(tmp_path: Path, batch_size: int, queues: Any) -> None:
    sources = [{**PATTERN, "properties": {**PATTERN["properties"], "source_id": name}} for name in ("a", "b", "c")]
    text = """
class It:
    def __init__(self): self.sizes = set()
    def __call__(self, frame): frame.set_tag("batch", frame.batch_id)
"""
    parameters = {"batch_size": batch_size, "buffer_queues": queues, "output_frame": {"codec": "jpeg"}}
    elements = [pyfunc("one", tmp_path, text), pyfunc("two", tmp_path, text)]
    module, sink = run(tree(parameters=parameters, elements=elements, source=sources))
    for name in ("a", "b", "c"):
        own = [frame for frame in frames_of(sink) if frame.source_id == name]
        assert [frame.pts for frame in own] == [number * 10**9 // 30 for number in range(FRAMES)]
    batch_ids = {frame.get_attribute("default", "batch").values[0].as_integer() for frame in frames_of(sink)}  # type: ignore[union-attr]
    assert max(batch_ids) < batch_size  # type: ignore[type-var]
    assert all(status.read == status.delivered == FRAMES for status in module.statuses())


def test_the_primary_object_leaves_only_if_it_says_something(tmp_path: Path) -> None:
    text = """
from picasso.primitives import BBox
def It(frame):
    if frame.frame_num == 1: frame.roi = BBox(8, 8, 4, 4)
    if frame.frame_num == 2: frame.primary.add_attr_meta("scene", "kind", "road")
"""
    _module, sink = run(tree(elements=[pyfunc("roi", tmp_path, text)]))
    labels = [[f"{one.namespace}.{one.label}" for one in frame.get_all_objects()] for frame in frames_of(sink)]
    assert labels[:4] == [[], ["auto.frame"], ["auto.frame"], []]


@pytest.mark.parametrize(("setting", "track_ids"), [("unset", [None] * 3), ("legacy", [0, 1, 0])])
def test_untracked_objects_leave_as_the_setting_says(tmp_path: Path, setting: str, track_ids: list[int | None]) -> None:
    text = """
from picasso.module import ObjectMeta
from picasso.primitives import BBox
def It(frame):
    for label in ("car", "car", "bus"):
        frame.add_obj_meta(ObjectMeta("yolo", label, BBox(20, 10, 8, 6)))
"""
    _module, sink = run(tree(parameters={"track_ids": setting}, elements=[pyfunc("tracks", tmp_path, text)]))
    assert [one.track_id for one in frames_of(sink)[0].get_all_objects()] == track_ids


LOOKS: dict[str, Any] = {
    "nothing": (None, 0),
    "stock": ({}, 1),
    "listed": ({"rendered_objects": {"yolo": {"car": {}}}}, 1),
    "not listed": ({"rendered_objects": {"yolo": {"bus": {}}}}, 0),
}


@pytest.mark.parametrize(("draw", "drawn"), LOOKS.values(), ids=LOOKS)
def test_objects_are_drawn_as_the_map_says(tmp_path: Path, draw: Any, drawn: int) -> None:
    parameters = {"output_frame": {"codec": "raw-rgba"}, "draw_func": draw}
    black = {**PATTERN, "properties": {**PATTERN["properties"], "pattern": "black"}}
    _module, sink = run(tree(parameters=parameters, elements=[pyfunc("adds", tmp_path, ADDS)], source=black))
    pixels = np.frombuffer(frames_of(sink)[0].content.get_data(), np.uint8).reshape(48, 64, 4)
    assert bool((pixels[..., 1] > 200).any()) is bool(drawn)


def test_a_tag_says_which_frames_are_drawn_on(tmp_path: Path) -> None:
    text = ADDS + "    if frame.frame_num == 1: frame.set_tag('draw', False)\n"
    parameters = {"output_frame": {"codec": "raw-rgba"}, "draw_func": {"condition": {"tag": "draw"}}}
    black = {**PATTERN, "properties": {**PATTERN["properties"], "pattern": "black"}}
    _module, sink = run(tree(parameters=parameters, elements=[pyfunc("tags", tmp_path, text)], source=black))
    green = [
        (np.frombuffer(f.content.get_data(), np.uint8).reshape(48, 64, 4)[..., 1] > 200).any() for f in frames_of(sink)
    ]
    assert green[:3] == [False, True, False]


@pytest.fixture
def video(tmp_path: Path) -> Callable[..., Path]:
    def make(name: str = "clip.mp4", frames: int = 10) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for index in range(frames):
                pixels = np.full((48, 64, 3), 4 * index, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            container.mux(stream.encode(None))
        return path

    return make


def uri(path: Path | str, **properties: Any) -> dict[str, Any]:
    return {"element": "uridecodebin", "properties": {"uri": str(path), **properties}}


def test_files_go_in_and_segments_images_and_metadata_come_out(tmp_path: Path, video: Callable[..., Path]) -> None:
    out = tmp_path / "out"
    sinks = [
        {"element": "video_file_sink", "properties": {"location": f"{out}/{{source}}/{{index}}.mp4"}},
        {
            "element": "metadata_json_sink",
            "properties": {"location": f"{out}/{{source}}-{{chunk}}.ndjson", "chunk_size": 4},
        },
        {"element": "file_sink", "properties": {"file_path": f"{out}/all.json"}},
    ]
    out.mkdir()
    config = tree(
        parameters={"output_frame": {"codec": "h264", "encoder": "software", "encoder_params": {"key-int-max": 1}}},
        source=[uri(video()), uri(video("other.mp4", 7))],
        sink=sinks,
    )
    Module(config).run()
    assert (probe(out / "clip" / "1.mp4").frame_count, probe(out / "other" / "1.mp4").frame_count) == (10, 7)
    lines = [[json.loads(line) for line in file.read_text().splitlines()] for file in sorted(out.glob("clip-*.ndjson"))]
    assert [len(chunk) for chunk in lines] == [4, 4, 3]
    assert [record["frame_num"] for chunk in lines for record in chunk[:4] if record["schema"] == "VideoFrame"] == [
        *range(10)
    ]
    assert lines[0][0]["tags"]["location"].endswith("clip.mp4")
    assert lines[-1][-1] == {"source_id": "clip", "schema": "EndOfStream"}
    assert len(json.loads((out / "all.json").read_text())) == 10 + 7 + 2


def test_images_have_a_folder_for_each_source(tmp_path: Path, video: Callable[..., Path]) -> None:
    sinks = [{"element": "image_file_sink", "properties": {"location": f"{tmp_path}/images"}}]
    Module(tree(parameters={"output_frame": {"codec": "jpeg"}}, source=uri(video()), sink=sinks)).run()
    assert len(list((tmp_path / "images" / "clip").glob("*.jp*g"))) == 10


def test_a_folder_is_one_source_with_an_end_of_stream_for_each_file(tmp_path: Path, video: Callable[..., Path]) -> None:
    video("folder/b.mp4", 3)
    video("folder/a.mp4", 2)
    (tmp_path / "folder" / "notes.txt").write_text("not a video")
    _module, sink = run(tree(source=uri(tmp_path / "folder")))
    kinds = [
        "eos"
        if out.is_eos
        else Path(str(out.as_video_frame().get_attribute("default", "location").values[0].as_string())).name
        for out in sink.outputs
    ]  # type: ignore[union-attr]
    assert kinds == ["a.mp4", "a.mp4", "eos", "b.mp4", "b.mp4", "b.mp4", "eos"]
    assert {out.source_id for out in sink.outputs} == {"folder"}


def test_a_looping_file_has_times_that_keep_rising(video: Callable[..., Path]) -> None:
    sink = MemorySink()
    module = Module(tree(source=uri(video(), loop=True)), sinks=[sink])
    with module:
        while len(frames_of(sink)) < 25:
            threading.Event().wait(0.001)
    times = [frame.pts for frame in frames_of(sink)]
    assert len(times) >= 25
    assert all(after > before for before, after in itertools.pairwise(times))


def test_start_and_stop_cut_a_file(video: Callable[..., Path]) -> None:
    _module, sink = run(tree(source=uri(video(), start_s=0.1, stop_s=0.3)))
    assert [frame.pts for frame in frames_of(sink)] == [120_000_000, 160_000_000, 200_000_000, 240_000_000, 280_000_000]


def test_objects_beside_a_file_come_with_its_frames(tmp_path: Path, video: Callable[..., Path]) -> None:
    path = video()
    box = {"xc": 20, "yc": 10, "width": 8, "height": 6, "angle": 0}
    plate = {
        "model_name": "m",
        "label": "plate",
        "object_id": 2,
        "bbox": box,
        "parent_model_name": "m",
        "parent_label": "car",
        "parent_object_id": 1,
    }
    car = {
        "model_name": "m",
        "label": "car",
        "object_id": 1,
        "bbox": box,
        "confidence": 0.5,
        "attributes": [{"element_name": "c", "name": "color", "value": "red", "confidence": 0.9}],
    }
    path.with_suffix(".json").write_text(
        "\n".join(json.dumps({"metadata": {"objects": [car, plate]}}) for _ in range(2))
    )
    _module, sink = run(tree(source=uri(path)))
    counts = [frame.object_count for frame in frames_of(sink)]
    assert counts == [2, 2, *[0] * 8]
    first = frames_of(sink)[0]
    seen = {one.label: one for one in first.get_all_objects()}
    assert (seen["plate"].parent_id, seen["car"].confidence) == (seen["car"].id, 0.5)
    assert seen["car"].get_attribute("c", "color").values[0].as_string() == "red"  # type: ignore[union-attr]


FILTER = """
class Every:
    def __init__(self, n): self.n = n
    def __call__(self, frame): return frame.pts // 33_000_000 % self.n == 0
"""


def test_an_egress_filter_keeps_frames_back_and_lets_ends_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "filters.py").write_text(FILTER)
    sink = {
        "element": "console_sink",
        "egress_frame_filter": {"module": str(tmp_path / "filters.py"), "class_name": "Every", "kwargs": {"n": 3}},
    }
    Module(tree(sink=[sink])).run()
    lines = capsys.readouterr().out.splitlines()
    assert (len(lines), lines[-1]) == (5, "test: end of stream")


def test_a_sink_that_fails_does_not_stop_the_others() -> None:
    class Fails(MemorySink):
        def write(self, output: Any) -> None:
            raise OSError("the disk is full")

    good = MemorySink()
    module = Module(tree(), sinks=[Fails(), good])
    module.run()
    assert len(frames_of(good)) == FRAMES


def test_stop_drains_and_the_state_file_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    status = tmp_path / "state" / "status"
    monkeypatch.setenv("SAVANT_STATUS_FILEPATH", str(status))
    endless = {**PATTERN, "properties": {**PATTERN["properties"], "num-buffers": -1}}
    sink = MemorySink()
    module = Module(tree(source=endless), sinks=[sink])
    module.start()
    assert status.read_text() == "running\n"
    while len(sink.outputs) < 5:
        threading.Event().wait(0.001)
    module.close()
    assert status.read_text() == "stopped\n"
    (one,) = module.statuses()
    assert one.read == one.delivered + one.dropped
    assert sink.outputs[-1].is_eos


def test_two_sources_of_one_name_are_refused(video: Callable[..., Path]) -> None:
    path = video()
    with pytest.raises(
        ConfigError, match=r"pipeline\.source\[0\]\.properties\.source_id: the source id 'clip' is in use"
    ):
        Module(tree(source=[uri(path), uri(path)]))


def test_a_module_under_test_needs_no_file_and_no_socket(video: Callable[..., Path]) -> None:
    _module, sink = run(tree(), sources=[video()])
    assert len(frames_of(sink)) == 10


@pytest.mark.parametrize("codec", ["h264", "jpeg"])
@pytest.mark.parametrize("keep", ["frame.frame_num % 3 == 1", "False", "frame.frame_num < 5"])
def test_only_tagged_frames_are_encoded_and_all_leave_in_order(tmp_path: Path, codec: str, keep: str) -> None:
    text = f"def It(frame):\n    if {keep}: frame.set_tag('encode', False)"
    output = {"codec": codec, "encoder": "software" if codec == "h264" else None, "condition": {"tag": "encode"}}
    module, sink = run(tree(parameters={"output_frame": output}, elements=[pyfunc("tags", tmp_path, text)]))
    frames = frames_of(sink)
    assert [frame.pts for frame in frames] == [number * 10**9 // 30 for number in range(FRAMES)]
    tagged = [eval(keep, {"frame": Frame(frame, None, frame_num=number)}) for number, frame in enumerate(frames)]
    assert [frame.content.is_internal() for frame in frames] == tagged
    untagged = [frame for frame in frames if frame.content.is_none()]
    assert {(frame.keyframe, frame.dts, frame.codec) for frame in untagged} <= {(False, None, codec)}
    (status,) = module.statuses()
    assert (status.read, status.delivered, status.dropped, sink.outputs[-1].is_eos) == (FRAMES, FRAMES, 0, True)
