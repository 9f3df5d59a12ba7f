"""A detector and a tracker over a video: what is drawn, what is written, what goes wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from picasso.cli import glance
from picasso.cli.app import app
from picasso.errors import MediaError, ModelError, SpecError
from picasso.media import MetadataReader, VideoReader
from picasso.primitives import Detections
from picasso.surface import SurfaceView
from picasso.track import TRACKERS, IouTracker
from picasso.verbs import TrackedVideo, track_video

sys.path.insert(0, str(Path(__file__).parents[1] / "infer"))
from squares import finder

COUNT = 20
SIZE_WH = (96, 96)


def box_of(number: int, color: str) -> tuple[int, int, int, int]:
    left, top = (4 + 3 * number, 10) if color == "red" else (70 - 2 * number, 60)
    return left, top, left + 16, top + 12


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A red thing that goes right, and a blue one that goes left, 25 frames a second."""
    path = tmp_path_factory.mktemp("track") / "in.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = *SIZE_WH, "yuv420p"
        for number in range(COUNT):
            pixels = np.full((96, 96, 3), 90, np.uint8)
            for color, rgb in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
                left, top, right, bottom = box_of(number, color)
                pixels[top:bottom, left:right] = rgb
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "finder.onnx"
    path.write_bytes(finder(SIZE_WH))
    return path


def rows_of(path: Path) -> dict[int, Detections]:
    return Detections.from_mot(path.read_text(), ["red", "green", "blue"])


@pytest.mark.parametrize("every", [1, 2])
def test_each_thing_is_one_track_and_its_boxes_are_where_it_is(
    clip: Path, model: Path, tmp_path: Path, every: int
) -> None:
    found = track_video(clip, tmp_path / "out.mp4", model, objects=tmp_path / "out.txt", every=every)
    assert found == TrackedVideo(frames=COUNT, tracks=2, boxes=2 * COUNT)
    rows = rows_of(tmp_path / "out.txt")
    assert sorted(rows) == list(range(1, COUNT + 1))
    tracks = {}
    for number, objects in rows.items():
        assert sorted(objects.labels) == ["blue", "red"]
        for one in objects:
            assert tracks.setdefault(one.label, one.track_id) == one.track_id
            late = 0 if every == 1 or number > every + 1 else 3 * every  # its speed is known from the second look on
            assert np.abs(one.xyxy - box_of(number - 1, one.label)).max() <= 2 + late
    with VideoReader(clip) as before, VideoReader(tmp_path / "out.mp4") as after:
        pairs = list(zip(before.frames(), after.frames(), strict=True))
    assert [one[0].pts for one, _ in pairs] == [other[0].pts for _, other in pairs]
    assert all(np.abs(one[1].to_rgb().astype(int) - other[1].to_rgb()).max() > 60 for one, other in pairs)


def test_objects_come_as_frames_too_and_without_a_video(clip: Path, model: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    found = track_video(
        clip,
        None,
        model,
        objects=tmp_path / "out.ndjson",
        start_s=0.2,
        end_s=0.6,
        on_progress=lambda *now: seen.append(now),
    )
    assert (found.frames, found.tracks) == (10, 2)
    assert seen == [(number, None) for number in range(1, 11)]
    with MetadataReader(tmp_path / "out.ndjson") as reader:
        frames = list(reader.frames())
    assert [frame.pts for frame in frames] == [200_000_000 + 40_000_000 * number for number in range(10)]
    for number, frame in enumerate(frames, 5):
        for one in frame.get_detections():
            assert one.track_id in (1, 2)
            assert np.abs(one.xyxy - box_of(number, one.label)).max() <= 2


def test_a_function_and_a_tracker_of_yours_do_as_well(clip: Path, tmp_path: Path) -> None:
    """Objects without a track are left out: those of which the tracker is not sure yet."""

    def still(surface: SurfaceView) -> Detections:
        assert surface.size_wh == SIZE_WH
        return Detections.of([[10, 10, 40, 40]], ["thing"], confidences=[0.9])

    found = track_video(clip, None, still, tracker=IouTracker(min_hits=3), objects=tmp_path / "out.txt", stride=2)
    assert found == TrackedVideo(frames=10, tracks=1, boxes=8)
    assert min(rows_of(tmp_path / "out.txt")) == 3


def nothing(_surface: SurfaceView) -> Any:
    return Detections.empty()


WRONG: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "nothing to write": ({"destination": None}, SpecError, "expected a destination, objects, or both"),
    "over itself": ({"objects": "{clip}", "destination": None}, SpecError, "is read and written at once"),
    "suffix": ({"objects": "{folder}/x.csv"}, SpecError, "unknown suffix '.csv'; one of .txt, .ndjson"),
    "tracker": ({"tracker": "deep"}, SpecError, "deep"),
    "model": ({"model": "{clip}"}, ModelError, "ONNX Runtime does not load it"),
    "every": ({"every": 0}, SpecError, "every = 0: expected at least 1"),
    "no frame": ({"start_s": 99}, MediaError, "no frame between start_s and end_s"),
    "no detections": ({"model": lambda _surface: [1, 2]}, TypeError, "expected Detections of the model, got list"),
    "no folder": ({"objects": "{folder}/none/x.txt"}, MediaError, "No such file"),
}


@pytest.mark.parametrize(("given", "error", "words"), WRONG.values(), ids=WRONG)
def test_what_goes_wrong_is_named_and_leaves_nothing(
    clip: Path, tmp_path: Path, given: dict[str, Any], error: type[Exception], words: str
) -> None:
    before = clip.read_bytes()
    arguments: dict[str, Any] = {"destination": tmp_path / "out.mp4", "model": nothing, "objects": tmp_path / "o.txt"}
    if given.keys() == {"destination"}:
        arguments["objects"] = None
    for name, value in given.items():
        arguments[name] = value.format(clip=clip, folder=tmp_path) if isinstance(value, str) else value
    with pytest.raises(error, match=words):
        track_video(clip, **arguments)
    assert clip.read_bytes() == before
    assert not list(tmp_path.iterdir())


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    return result.exit_code, " ".join(result.output.split())


def test_the_command_tracks_and_says_what_it_wrote(
    clip: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, said = run("track", clip, "--model", model)
    assert (code, said.split(": ")[-1]) == (0, f"{COUNT} frames, 2 tracks, {2 * COUNT} boxes")
    assert "tracked.mp4" in said
    assert f"{COUNT}/{COUNT} frames" in said
    assert (tmp_path / "tracked.mp4").exists()
    code, said = run("track", clip, "-m", model, "--objects", "o.txt", "--class", "red", "--quiet")
    assert (code, said) == (0, "")
    assert {one.label for objects in rows_of(tmp_path / "o.txt").values() for one in objects} == {"red"}


def test_the_command_lists_the_trackers_there_are() -> None:
    assert glance.TRACKERS == TRACKERS


BAD: dict[str, tuple[Callable[[Path, Path], list[object]], int, str]] = {
    "no model": (lambda clip, _model: ["track", clip], 2, "--model"),
    "no such model": (lambda clip, _model: ["track", clip, "-m", "none.onnx"], 2, "none.onnx: there is no such file"),
    "no such file": (lambda _clip, model: ["track", "none.mp4", "-m", model], 1, "none.mp4: No such file"),
    "no video": (lambda _clip, model: ["track", model, "-m", model, "-o", "x.mp4"], 1, "Invalid data"),
    "over itself": (lambda clip, model: ["track", clip, "-m", model, "-o", clip], 2, "is read and written at once"),
    "over the model": (lambda clip, model: ["track", clip, "-m", model, "--objects", model], 2, "read and written"),
    "class": (lambda clip, model: ["track", clip, "-m", model, "--class", "cat"], 2, "the model has no 'cat'"),
    "tracker": (lambda clip, model: ["track", clip, "-m", model, "--tracker", "x"], 2, "one of iou, sort, bytetrack"),
}


@pytest.mark.parametrize(("arguments", "code", "words"), BAD.values(), ids=BAD)
def test_bad_arguments_of_the_command_are_named(
    clip: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: Any, code: int, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    found, said = run(*arguments(clip, model))
    assert (found, words in said) == (code, True), said
    assert not list(tmp_path.iterdir())
