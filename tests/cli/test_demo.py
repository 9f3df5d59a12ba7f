"""The demo's files hold what they promise: decoded with PyAV, compared with the clips they were made from."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest
from running import picasso

from picasso.cli.look import RGB
from picasso.cli.showcase.acts import ACTS, Act, Annotator
from picasso.cli.showcase.clips import clip_path
from picasso.cli.showcase.overlay import BAR_HEIGHT
from picasso.media import MetadataReader, VideoReader
from picasso.primitives import VideoFrame
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Placement, place
from picasso.transform.cpu import transform

SECONDS = 1.5
LABEL_WIDTH, LABEL_HEIGHT = 120, 24
"""No label of the demo is larger, in pixels."""
OFF = 6
"""Pixels beside a line where the line no longer shows."""
REACH = 8
"""Pixels around something drawn that an encoder may smear it over: half a macroblock."""

Pixels = npt.NDArray[np.uint8]
FloatPixels = npt.NDArray[np.float64]
Boxes = npt.NDArray[np.float32]


@dataclass
class Play:
    """One act, and what the demo wrote of it."""

    act: Act
    folder: Path
    printed: str

    @cached_property
    def source(self) -> list[tuple[VideoFrame, SurfaceView]]:
        """What went in."""
        with VideoReader(clip_path(self.act.clip), self.act.source_id) as reader:
            return list(itertools.takewhile(lambda picture: picture[0].pts < SECONDS * 1e9, reader.frames()))

    @cached_property
    def decoded(self) -> list[av.VideoFrame]:
        """What came out."""
        with av.open(self.folder / f"{self.act.source_id}.mp4") as container:
            return list(container.decode(video=0))

    @cached_property
    def metadata(self) -> list[VideoFrame]:
        with MetadataReader(self.folder / f"{self.act.source_id}.ndjson") as reader:
            return list(reader.frames())

    @cached_property
    def placement(self) -> Placement:
        surface, act = self.source[0][1], self.act
        ratio = surface.sample_aspect_ratio
        return Placement.compute(surface.size_wh, act.target_wh, src_rect=act.src_rect, sample_aspect_ratio=ratio)

    def boxes(self, index: int) -> Boxes:
        """The boxes of a frame by its NDJSON line, placed in the encoded picture: (N, 4) x0 y0 x1 y1."""
        return place(self.metadata[index].get_detections().xyxy, self.placement)

    def drawn(self, index: int) -> npt.NDArray[np.bool_]:
        """Where something may have been drawn: boxes, labels and the bar, with what an encoder smears around them."""
        width, height = self.act.target_wh
        mask = np.zeros((height, width), bool)
        mask[height - BAR_HEIGHT - REACH :] = True
        for x0, y0, x1, y1 in self.boxes(index):
            right, bottom = max(x1, x0 + LABEL_WIDTH), max(y1, y0 + LABEL_HEIGHT)
            rows, columns = (
                slice(max(int(low) - REACH, 0), int(high) + REACH) for low, high in ((y0, bottom), (x0, right))
            )
            mask[rows, columns] = True
        return mask

    def tints(self, index: int, margin: int) -> list[float]:
        """How far the picture went towards the outlines' colour, at points on outlines ``margin`` pixels larger."""
        shown = self.decoded[index].to_ndarray(format="rgb24").astype(float)
        before = self.undrawn(index, VideoFormat.RGBA).to_numpy()[..., :3].astype(float)
        outlines = self.boxes(index) + np.array([-margin, -margin, margin, margin], np.float32)
        points = points_on_lines(outlines, self.act.target_wh)
        return [tint(shown, before, x, y, self.act.color_rgb) for x, y in points]

    def undrawn(self, index: int, form: VideoFormat) -> SurfaceView:
        """The picture without anything drawn, never encoded; YUV keeps the source's meaning, as the stream does."""
        surface = self.source[index][1]
        target = SurfaceView.allocate(form, self.act.target_wh, surface.color if form.is_yuv else None)
        transform(surface, self.placement, target)
        return target


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "picasso", "demo", "-o", folder, "--seconds", f"{SECONDS}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=True)
    return folder, done.stdout


@pytest.fixture(scope="session", params=ACTS, ids=lambda act: act.source_id)
def play(request: pytest.FixtureRequest, demo: tuple[Path, str]) -> Play:
    return Play(request.param, *demo)


def test_every_frame_is_there_in_the_right_size_and_codec(play: Play) -> None:
    with av.open(play.folder / f"{play.act.source_id}.mp4") as container:
        video = container.streams.video[0]
        assert (video.width, video.height) == play.act.target_wh
        assert video.codec_context.codec.canonical_name == play.act.codec.name()
    assert len(play.decoded) == len(play.source) == len(play.metadata)


def test_times_rise_and_are_those_of_the_clip(play: Play) -> None:
    times = [frame.pts * frame.time_base for frame in play.decoded]
    assert all(before < after for before, after in itertools.pairwise(times))
    assert [float(time) for time in times] == pytest.approx([frame.pts / 1e9 for frame, _ in play.source], abs=1e-6)


def test_boxes_in_the_metadata_are_those_found_in_source_pixels(play: Play) -> None:
    annotate = Annotator(play.act)
    for (frame, surface), written in zip(play.source, play.metadata, strict=True):
        annotate(frame, surface)
        found, read = frame.get_detections(), written.get_detections()
        assert (written.width, written.height, written.pts) == (frame.width, frame.height, frame.pts)
        assert read.track_ids.tolist() == found.track_ids.tolist()
        assert read.xyxy == pytest.approx(found.xyxy, abs=0.01)
        frame.clear_objects()
    assert sum(len(frame.get_detections()) for frame in play.metadata) > len(play.metadata) // 2


def test_boxes_are_drawn_where_the_metadata_says(play: Play) -> None:
    """Points on the outlines have taken on the colour of the outlines; points beside them have not."""
    on_line: list[float] = []
    beside: list[float] = []
    for index in range(0, len(play.decoded), 6):
        on_line += play.tints(index, margin=0)
        beside += play.tints(index, margin=OFF)
    assert len(on_line) >= 30
    assert np.percentile(on_line, 5) > 0.35
    assert np.median(on_line) > 0.7
    assert np.median(beside) < 0.2


def smeared(low: float, high: float) -> slice:
    """Rows or columns that something drawn between two positions may reach once it is encoded."""
    return slice(max(int(low) - REACH, 0), int(high) + REACH)


def tint(shown: FloatPixels, before: FloatPixels, x: int, y: int, color_rgb: RGB) -> float:
    """How far a pixel or a neighbour of it went from what it was to a colour: 0 not at all, 1 all the way."""
    there = slice(y - 1, y + 2), slice(x - 1, x + 2)
    way = np.array(color_rgb, float) - before[there]
    gone = ((shown[there] - before[there]) * way).sum(axis=2) / np.maximum((way**2).sum(axis=2), 1)
    return float(gone.max())


def points_on_lines(boxes: Boxes, size_wh: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Points of each box's outline that lie in the picture and under no label, no bar and no other box's label."""
    width, height = size_wh
    for number, (x0, y0, x1, y1) in enumerate(boxes):
        for share in (0.35, 0.5, 0.65):
            across, down = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
            for x, y in ((across, y1), (x0, down), (x1, down)):
                hidden = any(
                    bx - REACH < x < bx + LABEL_WIDTH and by - REACH < y < by + LABEL_HEIGHT
                    for bx, by in boxes[number:, :2]
                )
                if 2 <= x < width - 2 and 2 <= y < height - BAR_HEIGHT - 2 and not hidden:
                    yield int(x), int(y)


def test_the_picture_is_close_to_its_source_where_nothing_is_drawn(play: Play) -> None:
    for index, frame in enumerate(play.decoded):
        shown = frame.to_ndarray(format="yuv420p")
        expected = play.undrawn(index, VideoFormat.I420).to_numpy()
        bare = ~play.drawn(index)
        luma = slice(0, play.act.target_wh[1])
        assert bare.mean() > 0.05
        assert psnr(shown[luma][bare], expected[luma][bare]) >= 35, f"frame {index}"


def psnr(a: Pixels, b: Pixels) -> float:
    error = np.mean((a.astype(float) - b) ** 2)
    return 10 * np.log10(255**2 / max(error, 1e-9))


def test_the_table_has_the_figures_of_every_source(demo: tuple[Path, str]) -> None:
    rows = [line.split() for line in demo[1].splitlines() if line.split()[0] in {act.source_id for act in ACTS}]
    assert demo[1].split()[:7] == ["source", "codec", "size", "frames", "dropped", "frames/s", "p50"]
    for row, act in zip(rows, ACTS, strict=True):
        width, height = act.target_wh
        assert row[:3] == [act.source_id, act.codec.name(), f"{width}x{height}"]
        frames, dropped, per_second, p50_ms, p99_ms, kilobytes = (float(figure) for figure in row[3:])
        assert (frames > 30, dropped) == (True, 0)
        assert min(per_second, p50_ms, kilobytes) > 0
        assert p99_ms >= p50_ms


def test_the_contact_sheet_shows_every_source(demo: tuple[Path, str]) -> None:
    sheet = cv2.imread(str(demo[0] / "contact-sheet.png"))
    assert sheet.shape[1] == 960
    assert 400 < sheet.shape[0] < 800
    assert (demo[0] / "contact-sheet.png").stat().st_size < 400_000


def test_reproducible_runs_make_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        done = picasso("demo", "-o", tmp_path / name, "--seconds", "0.3", "--reproducible", "--quiet")
        assert done.code == 0, done.err
    for path in (tmp_path / "one").iterdir():
        again = tmp_path / "two" / path.name
        if path.suffix == ".ndjson":
            assert without_identity(path) == without_identity(again)
        else:
            assert path.read_bytes() == again.read_bytes(), path.name


def without_identity(path: Path) -> list[dict[str, object]]:
    """The lines of a file without what makes every frame unique."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [{key: line[key] for key in line.keys() - {"uuid", "creation_timestamp_ns"}} for line in lines]


def test_without_skia_the_demo_runs_without_its_overlay_and_says_so(tmp_path: Path) -> None:
    package = tmp_path / "skia"
    package.mkdir()
    (package / "__init__.py").write_text('raise ImportError("libGL.so.1: cannot open shared object file")\n')
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    command = [sys.executable, "-m", "picasso", "demo", "-o", tmp_path / "out", "--seconds", "0.2"]
    environment = os.environ | {"PYTHONPATH": path}
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=True, env=environment)
    says = "Plays without the overlay: Skia does not load (apt-get install libgl1 libegl1)."
    assert done.stderr.splitlines().count(says) == 1
    light = {}
    for act in ACTS:
        with av.open(tmp_path / "out" / f"{act.source_id}.mp4") as container:
            light[act.source_id] = next(container.decode(video=0)).to_ndarray(format="gray")[-BAR_HEIGHT:].mean()
    assert light["bikes"] == 0  # a bar of the letterbox, and no text on it
    assert light["bunny"] > 100  # grass, not darkened


def test_frames_that_come_too_fast_are_dropped_in_real_time(tmp_path: Path) -> None:
    done = picasso("demo", "-o", tmp_path, "--seconds", "0.3", "--realtime", "--quiet")
    assert done.code == 0, done.err
    with MetadataReader(tmp_path / "bikes.ndjson") as reader:
        assert len(list(reader.frames())) <= 8


@pytest.mark.parametrize("folder", ["file.txt", "file.txt/below"])
def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file.txt").touch()
    done = picasso("demo", "-o", tmp_path / folder, "--seconds", "0.1")
    assert done.code == 1
    assert str(tmp_path / "file.txt") in done.sentence


def test_without_the_extra_the_pip_line_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("picasso.cli.showcase.clips.find_spec", lambda _name: None)
    done = picasso("demo", "-o", tmp_path / "out")
    assert done.code == 1
    assert "pip install 'picasso-engine[demo]'" in done.sentence
    assert not (tmp_path / "out").exists()


def test_without_opencv_the_pip_line_is_named(tmp_path: Path) -> None:
    program = "import sys; sys.modules['cv2'] = None; from picasso.cli import main; main()"
    line = [sys.executable, "-c", program, "demo", "-o", str(tmp_path / "out")]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "pip install 'picasso-engine[demo]'" in done.stderr
    assert "Traceback" not in done.stderr
