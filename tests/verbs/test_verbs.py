"""One call each: a video with something done to its frames, at a glance, cut, compared."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
from typer.testing import CliRunner

import picasso
from picasso.annotators import BoxAnnotator, ColorAnnotator, CropAnnotator
from picasso.cli.app import app
from picasso.draw import ColorDraw
from picasso.errors import MediaError, SpecError, SurfaceError
from picasso.media import VideoReader, probe
from picasso.primitives import Detections, VideoFrame
from picasso.surface import SurfaceView, VideoFormat
from picasso.verbs import beside_each_other, compare_videos, contact_sheet, crop_video, process_video, write_gif
from picasso.verbs.compare import similarity

COUNT = 24
WHITE = ColorDraw(255, 255, 255, 255)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """128x96 at 24 a second; frame ``i`` is grey, of ``40 + 6 i``, with a ramp at its right."""
    path = tmp_path_factory.mktemp("verbs") / "in.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"crf": "4", "g": "12"})
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for number in range(COUNT):
            pixels = np.full((96, 128, 3), 40 + 6 * number, np.uint8)
            pixels[:, 96:] = np.linspace(20, 230, 96, dtype=np.uint8)[:, None, None]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def grey_of(path: Path) -> list[Any]:
    with VideoReader(path, pixel_format="gray") as reader:
        return [np.asarray(surface).astype(int) for _, surface in reader.frames()]


def box(frame: VideoFrame, _surface: SurfaceView) -> None:
    frame.add_detections("test", [[20, 20, 60, 60]], "car", confidences=[0.9])


def test_a_video_without_work_keeps_its_frames_times_and_pixels(clip: Path, tmp_path: Path) -> None:
    out, seen = tmp_path / "out.mp4", []
    assert picasso.process_video(clip, out, on_progress=lambda now, total: seen.append((now, total))) == COUNT
    assert seen == [(number, COUNT) for number in range(1, COUNT + 1)]
    with VideoReader(clip) as before, VideoReader(out) as after:
        assert [frame.pts for frame, _ in before.frames()] == [frame.pts for frame, _ in after.frames()]
    assert max(np.abs(a - b).mean() for a, b in zip(grey_of(clip), grey_of(out), strict=True)) < 2


@pytest.mark.parametrize("how", ["adds to the frame", "returns detections", "returns the frame"])
def test_what_the_callback_finds_is_drawn_and_nothing_else_changes(clip: Path, tmp_path: Path, how: str) -> None:
    def work(frame: VideoFrame, surface: SurfaceView) -> Any:
        assert surface.format is VideoFormat.I420
        if how == "returns detections":
            return Detections.of([[20, 20, 60, 60]], labels=["car"])
        box(frame, surface)
        return frame if how == "returns the frame" else None

    process_video(clip, tmp_path / "out.mp4", work, annotators=[BoxAnnotator(WHITE, 4)], crf=4)
    for before, after in zip(grey_of(clip), grey_of(tmp_path / "out.mp4"), strict=True):
        assert after[40, 19:21].min() > 200
        assert np.abs(before - after)[64:, :].mean() < 3
        assert np.abs(before - after)[30:50, 30:50].mean() < 4


def test_drawing_moves_with_another_size(clip: Path, tmp_path: Path) -> None:
    work = {"annotators": [BoxAnnotator(WHITE, 4)], "crf": 4}
    process_video(clip, tmp_path / "out.mp4", box, size_wh=(256, 192), **work)
    frame = grey_of(tmp_path / "out.mp4")[0]
    assert frame.shape == (192, 256)
    assert frame[80, 39:41].min() > 200
    assert frame[80, 50:110].max() < 80


@pytest.mark.parametrize("size_wh", [None, (322, 194)], ids=["a source of odd sides", "another size"])
def test_what_another_library_found_moves_with_the_size(tmp_path: Path, size_wh: tuple[int, int] | None) -> None:
    still, xyxy = tmp_path / "still.png", np.array([[40, 20, 100, 60]], float)
    SurfaceView.wrap(np.zeros((97, 161, 3), np.uint8)).save(still)
    absent = dict.fromkeys(("confidence", "class_id", "tracker_id", "mask"))
    for found in (SimpleNamespace(xyxy=xyxy), SimpleNamespace(xyxy=xyxy, data={}, **absent)):
        work = {"annotators": ColorAnnotator("#FFFFFF", opacity=1), "size_wh": size_wh, "crf": 4}
        process_video(still, tmp_path / "out.mp4", lambda *_, found=found: found, **work)
        (frame,) = grey_of(tmp_path / "out.mp4")
        rows, columns = np.flatnonzero(frame.max(axis=1) > 128), np.flatnonzero(frame.max(axis=0) > 128)
        scale = frame.shape[1] / 161
        assert np.abs(np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) - xyxy[0] * scale).max() <= 1


def test_crops_are_shown_in_another_size(colored: Path, tmp_path: Path) -> None:
    def reds(_frame: VideoFrame, _surface: SurfaceView) -> Detections:
        return Detections.of([[36, 30, 44, 38]], "red")  # shown once more on the blue half

    crops = CropAnnotator("#000000", scale=3, position="center_right", border_thickness=0)
    process_video(colored, tmp_path / "out.mp4", reds, annotators=crops, size_wh=(192, 128), crf=4)
    with VideoReader(tmp_path / "out.mp4", pixel_format="rgb") as reader:
        assert reader.info.upright_size_wh == (192, 128)
        frame = np.asarray(reader[0][1]).astype(int)
    assert np.abs(frame[68, 100:130] - (200, 0, 0)).max() < 16
    assert np.abs(frame[68, 150:] - (0, 0, 200)).max() < 16


def test_a_picture_that_is_returned_is_what_is_written(clip: Path, tmp_path: Path) -> None:
    def inverted(_frame: VideoFrame, surface: SurfaceView) -> Any:
        return 255 - np.asarray(surface)

    process_video(clip, tmp_path / "out.mp4", inverted, pixel_format="rgb", crf=4)
    for before, after in zip(grey_of(clip), grey_of(tmp_path / "out.mp4"), strict=True):
        assert np.abs(before + after - 255).mean() < 3


@pytest.mark.parametrize("how", ["array", "surface", "pillow", "annotated"])
@pytest.mark.parametrize("pixel_format", ["rgb", "bgr"])
def test_a_picture_that_is_returned_keeps_its_colors(
    colored: Path, tmp_path: Path, pixel_format: str, how: str
) -> None:
    def work(_frame: VideoFrame, surface: SurfaceView) -> Any:
        nothing = Detections.empty()
        return {
            "array": lambda: np.array(surface),
            "surface": lambda: surface,
            "pillow": surface.to_pil,
            "annotated": lambda: picasso.annotate(surface, nothing),
        }[how]()

    process_video(colored, tmp_path / "out.mp4", work, pixel_format=pixel_format, crf=4)
    with VideoReader(tmp_path / "out.mp4", pixel_format="rgb") as reader:
        pixels = np.asarray(reader[0][1]).astype(int)
    assert np.abs(pixels[32, 20] - (200, 0, 0)).max() < 12
    assert np.abs(pixels[32, 76] - (0, 0, 200)).max() < 12


@pytest.fixture(scope="module")
def colored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """96x64, frame ``i`` red at its left, blue at its right, greener from frame to frame."""
    path = tmp_path_factory.mktemp("colors") / "in.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(6):
            pixels = np.zeros((64, 96, 3), np.uint8)
            pixels[:, :48, 0], pixels[:, 48:, 2], pixels[..., 1] = 200, 200, 20 * number
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("form", ["native", "rgb", "bgr", "rgba", "gray"])
@pytest.mark.parametrize("span", [{}, {"start_s": 0.08, "stride": 2}])
def test_the_callback_gets_the_pixels_it_asks_for_and_the_video_keeps_its_colors(
    colored: Path, tmp_path: Path, form: Any, span: dict[str, Any]
) -> None:
    seen: list[Any] = []
    work = lambda _frame, surface: seen.append(surface.to_numpy())  # noqa: E731
    process_video(colored, tmp_path / "out.mp4", work, pixel_format=form, crf=4, **span)
    with VideoReader(colored, pixel_format=form, **span) as reader:
        for got, (_, surface) in zip(seen, reader.frames(), strict=True):
            assert (got == surface.to_numpy()).all()
    with VideoReader(colored, **span) as before, VideoReader(tmp_path / "out.mp4") as after:
        for (_, one), (_, other) in zip(before.frames(), after.frames(), strict=True):
            assert np.abs(one.to_rgb().astype(int) - other.to_rgb()).mean() < 3


def test_the_native_pixels_of_a_reader_are_those_of_its_newest_frame(colored: Path) -> None:
    with VideoReader(colored, pixel_format="gray") as reader, VideoReader(colored) as plain:
        with pytest.raises(MediaError, match="no frame was read yet"):
            reader.native()
        for _, (_, expected) in zip(reader.frames(), plain.frames(), strict=True):
            made = reader.native()
            assert made.format is VideoFormat.I420
            assert (made.to_numpy() == expected.to_numpy()).all()


def test_a_part_and_a_stride_are_taken(clip: Path, tmp_path: Path) -> None:
    assert process_video(clip, tmp_path / "out.mp4", start_s=0.5, stride=4) == 3
    with VideoReader(tmp_path / "out.mp4") as reader:
        assert len(reader) == 3
    assert probe(tmp_path / "out.mp4").frame_rate == pytest.approx(6, rel=0.1)


def fails(_frame: VideoFrame, _surface: SurfaceView) -> None:
    raise KeyError("mine")


WRONG: dict[str, tuple[Callable[..., Any], dict[str, Any], type[Exception], str]] = {
    "raises": (fails, {}, KeyError, "mine"),
    "returns text": (lambda _f, _s: "boxes", {}, TypeError, "the callback returns None, detections or a picture"),
    "codec": (box, {"codec": "h265"}, SpecError, "unknown codec 'h265'; one of h264, hevc, av1"),
    "nothing left": (box, {"start_s": 99}, MediaError, "no frame between start_s and end_s"),
    "odd size": (box, {"size_wh": (33, 33)}, SpecError, "33"),
}


@pytest.mark.parametrize(("work", "options", "error", "words"), WRONG.values(), ids=WRONG)
def test_what_goes_wrong_is_raised_and_leaves_what_was_there(
    clip: Path, tmp_path: Path, work: Any, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    out = tmp_path / "out.mp4"
    out.write_bytes(b"before")
    with pytest.raises(error, match=words):
        process_video(clip, out, work, **options)
    assert out.read_bytes() == b"before"


def test_a_sheet_shows_frames_of_the_whole_video_in_order(clip: Path) -> None:
    sheet = contact_sheet(clip, columns=3, rows=2, width=400)
    pixels = np.asarray(sheet).astype(int)
    tile = (400 - 4) // 3 - 4
    high = round(tile * 96 / 128)
    assert pixels.shape == (2 * (high + 4) + 4, 400, 3)
    shown = [
        pixels[4 + row * (high + 4) + high // 2, 4 + column * (tile + 4) + tile // 3].mean()
        for row in range(2)
        for column in range(3)
    ]
    assert shown == sorted(shown)
    assert [round((value - 40) / 6) for value in shown] == [2, 6, 10, 14, 18, 22]


def test_a_gif_plays_a_part(clip: Path, tmp_path: Path) -> None:
    assert write_gif(clip, tmp_path / "x.gif", start_s=0.25, end_s=0.75, fps=12, width=64) == 6
    with av.open(str(tmp_path / "x.gif")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        assert container.format.name == "gif"
    assert (len(frames), frames[0].shape) == (6, (48, 64, 3))
    assert [round((float(frame[20, 10].mean()) - 40) / 6) for frame in frames] == [6, 8, 10, 12, 14, 16]


def test_a_crop_is_a_video_of_the_rectangle(clip: Path, tmp_path: Path) -> None:
    assert crop_video(clip, tmp_path / "out.mp4", (96, 16, 128, 80), crf=4) == COUNT
    before, after = grey_of(clip)[5], grey_of(tmp_path / "out.mp4")[5]
    assert after.shape == (64, 32)
    assert np.abs(before[16:80, 96:128] - after).mean() < 3
    with pytest.raises(SurfaceError, match="holds no pixel"):
        crop_video(clip, tmp_path / "none.mp4", (500, 0, 600, 50))


def test_equal_videos_are_equal_and_worse_ones_are_worse(clip: Path, tmp_path: Path) -> None:
    same = compare_videos(clip, clip)
    assert (same.frames, same.psnr_db, same.ssim, same.left_over) == (COUNT, math.inf, 1.0, (0, 0))
    found = []
    for crf in (20, 45):
        process_video(clip, tmp_path / f"{crf}.mp4", crf=crf)
        found.append(compare_videos(clip, tmp_path / f"{crf}.mp4"))
    assert found[0].psnr_db > found[1].psnr_db > 20
    assert 1 > found[0].ssim > found[1].ssim > found[1].worst_ssim - 1e-12
    process_video(clip, tmp_path / "short.mp4", end_s=0.5)
    assert compare_videos(clip, tmp_path / "short.mp4").left_over == (12, 0)


def test_psnr_and_ssim_are_those_of_their_definitions() -> None:
    chance = np.random.default_rng(1)
    one, other = (chance.integers(0, 256, (16, 24)).astype(float) for _ in range(2))
    values = []
    for top in (0, 8):
        for left in (0, 8, 16):
            a, b = (picture[top : top + 8, left : left + 8] for picture in (one, other))
            c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
            covariance = ((a - a.mean()) * (b - b.mean())).mean()
            values.append(
                (2 * a.mean() * b.mean() + c1) * (2 * covariance + c2)
                / ((a.mean() ** 2 + b.mean() ** 2 + c1) * (a.var() + b.var() + c2))
            )  # fmt: skip
    assert similarity(one, other) == pytest.approx(np.mean(values))


def test_two_videos_stand_beside_each_other(clip: Path, tmp_path: Path) -> None:
    process_video(clip, tmp_path / "small.mp4", size_wh=(64, 48), end_s=0.5)
    assert beside_each_other(clip, tmp_path / "small.mp4", tmp_path / "both.mp4", crf=4) == COUNT
    both = grey_of(tmp_path / "both.mp4")
    assert both[0].shape == (96, 256)
    assert np.abs(both[3][:, :90] - both[3][:, 128:218]).mean() < 6


def test_the_commands_do_the_same(clip: Path, tmp_path: Path) -> None:
    def run(*arguments: object) -> str:
        result = CliRunner().invoke(app, [str(one) for one in arguments])
        assert result.exit_code == 0, result.output
        return result.output

    assert "3 x 2 pictures" in run("sheet", clip, "-o", tmp_path / "s.png", "--columns", 3, "--rows", 2)
    assert "12 pictures" in run("gif", clip, "-o", tmp_path / "x.gif", "--fps", 12)
    assert f"{COUNT} frames" in run("crop", clip, "0,0,64,48", "-o", tmp_path / "c.mp4")
    assert probe(tmp_path / "c.mp4").size_wh == (64, 48)
    assert "SSIM 1.0000" in run("compare", clip, clip)
    found = json.loads(run("compare", clip, tmp_path / "c.mp4", "--json"))
    assert (found["frames"], found["left_over"]) == (COUNT, [0, 0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sheet", "{clip}", "-o", "{folder}/x.webp"], "unknown image format '.webp'"),
        (["gif", "{clip}", "-o", "{folder}/x.png"], "expected a name that ends in .gif"),
        (["crop", "{clip}", "1,2,3"], "LEFT,TOP,WIDTH,HEIGHT"),
        (["crop", "{clip}", "0,0,64,48", "-o", "{folder}/x.avi"], "unknown container '.avi'; one of .mp4, .mov, .mkv"),
        (["compare", "{clip}", "{clip}", "--side-by-side", "{folder}/x.txt"], "unknown container '.txt'"),
        (["sheet", "-", "-o", "{folder}/x.png"], "contact_sheet: - is read once, and this reads it twice"),
        (["crop", "/dev/stdin", "0,0,9,9", "-o", "{folder}/x.mp4"], "crop_video: /dev/stdin is read once"),
        (["compare", "-", "{clip}", "--side-by-side", "{folder}/x.mp4"], "--side-by-side: - is read once"),
        (["compare", "{clip}", "-", "--side-by-side", "{folder}/x.mp4"], "--side-by-side: - is read once"),
        (["track", "{clip}", "-m", "none.onnx", "-o", "{folder}/x"], "unknown container ''"),
        (["gif", "{clip}", "--fps", "0", "-o", "{folder}/x.gif"], "expected 0 < fps <= 50"),
    ],
)
def test_bad_arguments_are_named(clip: Path, tmp_path: Path, arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(app, [one.format(clip=clip, folder=tmp_path) for one in arguments])
    assert result.exit_code == 2
    assert words in " ".join(result.output.split())
    assert "frames" not in result.output  # found before any work
    assert not list(tmp_path.iterdir())


def test_two_videos_beside_each_other_need_a_first_one_that_can_be_read_twice(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="beside_each_other: /dev/stdin is read once, and this reads it twice"):
        beside_each_other("/dev/stdin", clip, tmp_path / "x.mp4")
    assert not list(tmp_path.iterdir())


def test_what_is_no_annotator_is_found_before_a_frame_is_read(clip: Path, tmp_path: Path) -> None:
    seen: list[VideoFrame] = []
    with pytest.raises(TypeError, match=r"write BoxAnnotator\(\)"):
        process_video(clip, tmp_path / "out.mp4", lambda frame, _: seen.append(frame), annotators=[BoxAnnotator])  # type: ignore[list-item]
    assert not seen
    assert not list(tmp_path.iterdir())


def test_a_gif_that_the_disk_does_not_take_is_named_with_the_reason(clip: Path, tmp_path: Path) -> None:
    program = """
import resource, sys
from picasso.verbs import write_gif
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
try:
    write_gif(sys.argv[2], "x.gif", width=256)
except OSError as error:
    print(error)
"""
    for limit in ("0", "1000", "3000"):
        line = [sys.executable, "-c", program, limit, str(clip)]
        done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path, timeout=60, check=False)
        assert done.stdout == "x.gif: File too large\n", done.stderr
        assert not list(tmp_path.iterdir())
