"""``write_video``: pictures that a program makes come back from the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import picasso
from picasso.errors import MediaError, SpecError, SurfaceError
from picasso.surface import SurfaceView, VideoFormat

GRAY = np.full((64, 64, 3), 90, np.uint8)


def rising(shape: tuple[int, ...], count: int = 6) -> Iterator[np.ndarray]:
    """Yield the same array again and again, a little brighter each time."""
    picture = np.zeros(shape, np.uint8)
    for number in range(count):
        picture[:] = 20 + 30 * number
        yield picture


@pytest.mark.parametrize("shape", [(90, 120, 3), (91, 121, 3), (64, 64, 4), (48, 80)])
def test_each_picture_comes_back_in_its_turn_though_the_array_is_used_again(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    assert picasso.write_video(tmp_path / "out.mp4", rising(shape), fps=10) == 6
    with picasso.VideoReader(tmp_path / "out.mp4", pixel_format="rgb") as reader:
        frames = [(frame.pts, float(np.asarray(surface).mean())) for frame, surface in reader.frames()]
        assert reader.info.size_wh == (shape[1] & ~1, shape[0] & ~1)
    assert [pts for pts, _ in frames] == [100_000_000 * number for number in range(6)]
    inner = [20 + 30 * number for number in range(6)]
    assert np.allclose([mean for _, mean in frames], inner, atol=3)


def test_blue_comes_first_where_arrays_are_bgr_and_surfaces_say_it_themselves(tmp_path: Path) -> None:
    blue = np.zeros((64, 64, 3), np.uint8)
    blue[..., 0] = 255
    picasso.write_video(tmp_path / "out.mp4", [blue, SurfaceView.wrap(blue, VideoFormat.BGR)], pixel_format="bgr")
    with picasso.VideoReader(tmp_path / "out.mp4", pixel_format="rgb") as reader:
        for _, surface in reader.frames():
            red, green, seen = np.asarray(surface).mean((0, 1))
            assert seen > 240
            assert max(red, green) < 20


@pytest.mark.parametrize("fps", [25, 29.97, Fraction(30000, 1001), 0.5])
def test_the_rate_is_the_one_that_was_asked_for(fps: float | Fraction, tmp_path: Path) -> None:
    picasso.write_video(tmp_path / "out.mp4", rising((64, 64, 3), 4), fps=fps)
    with picasso.VideoReader(tmp_path / "out.mp4") as reader:
        times = [frame.pts for frame, _ in reader.frames()]
    assert times == pytest.approx([number * 1e9 / float(fps) for number in range(4)], abs=1000)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda path: picasso.write_video(path, []), MediaError, "there is no picture"),
        (lambda path: picasso.write_video(path, [GRAY], fps=0), SpecError, "fps = 0: expected more than 0"),
        (lambda path: picasso.write_video(path, [GRAY], codec="png"), SpecError, "'png'; one of h264, hevc, av1"),
        (lambda path: picasso.write_video(path, [GRAY], pixel_format="yuv"), SpecError, "'yuv'; one of rgb, bgr, gray"),
        (lambda path: picasso.write_video(path, [GRAY / 255]), SurfaceError, "uint8"),
        (lambda path: picasso.write_video(path.with_suffix(".avi"), [GRAY]), MediaError, "one of .mp4, .mov, .mkv"),
    ],
    ids=["no picture", "rate", "codec", "pixel format", "floats", "container"],
)
def test_what_cannot_be_written_is_said_and_no_file_is_left(
    call: Callable[[Path], int], error: type[Exception], words: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=words.replace(".", r"\.")):
        call(tmp_path / "out.mp4")
    assert not list(tmp_path.iterdir())


def test_who_takes_the_end_of_a_stream_for_a_frame_learns_how_to_leave_it_out(tmp_path: Path) -> None:
    picasso.write_video(tmp_path / "out.mp4", rising((64, 64, 3), 2))
    with picasso.VideoReader(tmp_path / "out.mp4") as reader:
        *frames, end = reader
    assert [frame.pts for frame, _ in frames] == [0, 40_000_000]
    with pytest.raises(TypeError, match=r"go through reader\.frames\(\)"):
        _frame, _surface = end
