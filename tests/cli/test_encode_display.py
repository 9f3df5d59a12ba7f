"""``picasso encode`` of files whose pixels lie otherwise than players show them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from running import picasso

from picasso.cli.look import AMBER
from picasso.media import MetadataReader, MetadataWriter
from picasso.primitives import Orientation, VideoFrame, VideoFrameTransformation
from picasso.verbs.encoding import even_display_size

MARK = (32, 16, 56, 32)
"""Corners x0 y0 x1 y1 of a white mark in a grey picture, in pixels as stored."""
SIZE = (96, 64)
WIDE = Fraction(3, 2)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """Three pictures of 96x64 with a mark, of pixels that are half as wide again as high."""
    return write(tmp_path / "stored.mp4", WIDE, 0)


@pytest.fixture
def on_its_side(tmp_path: Path) -> Path:
    """The same, to be turned clockwise by 90 degrees."""
    return write(tmp_path / "side.mp4", WIDE, -90)


def write(path: Path, ratio: Fraction, rotation_deg: int) -> Path:
    planes = np.full((SIZE[1] * 3 // 2, SIZE[0]), 128, np.uint8)
    planes[: SIZE[1]] = 90
    planes[MARK[1] : MARK[3], MARK[0] : MARK[2]] = 235
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.sample_aspect_ratio = ratio
        stream.set_display_rotation(rotation_deg)
        for index in range(3):
            frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def first(path: Path) -> np.ndarray:
    """The first picture of a file, RGB."""
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)


def mark_in(picture: np.ndarray) -> list[int]:
    """Corners of what is white."""
    white = picture.min(axis=2) > 170
    rows, columns = np.flatnonzero(white.any(axis=1)), np.flatnonzero(white.any(axis=0))
    return [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]


@pytest.mark.parametrize(
    ("options", "size_wh", "mark"),
    [
        ("", (144, 64), (48, 16, 84, 32)),
        ("--size 72x96", (72, 96), (24, 40, 42, 48)),  # 72x32 between bars of 32
        ("--size 96x64 --padding none", (96, 64), MARK),
        ("--crop 16,0,64,64", (96, 64), (24, 16, 60, 32)),
        ("--raw-geometry", (96, 64), MARK),
    ],
)
def test_pixels_become_square(
    stored: Path, tmp_path: Path, options: str, size_wh: tuple[int, int], mark: tuple[int, ...]
) -> None:
    out = tmp_path / "out.mp4"
    assert picasso("encode", stored, "-o", out, "-q", "--crf", "10", *options.split()).code == 0
    picture = first(out)
    assert picture.shape[1::-1] == size_wh
    assert np.allclose(mark_in(picture), mark, atol=2)


@pytest.mark.parametrize(
    ("options", "size_wh", "mark"),
    [
        ("", (64, 144), (32, 48, 48, 84)),
        ("--size 96x72", (96, 72), (48, 24, 56, 42)),  # 32x72 between bars of 32
        ("--raw-geometry", (96, 64), MARK),
    ],
)
def test_pictures_are_turned_upright(
    on_its_side: Path, tmp_path: Path, options: str, size_wh: tuple[int, int], mark: tuple[int, ...]
) -> None:
    out = tmp_path / "out.mp4"
    assert picasso("encode", on_its_side, "-o", out, "-q", "--crf", "10", *options.split()).code == 0
    picture = first(out)
    assert picture.shape[1::-1] == size_wh
    assert np.allclose(mark_in(picture), mark, atol=2)


def test_boxes_of_upright_pictures_are_drawn_there_and_their_chain_leads_to_stored_pixels(
    on_its_side: Path, tmp_path: Path
) -> None:
    """In the file of detections and in that of metadata boxes are in pixels of the picture as the reader gives it."""
    detections, metadata, out = (tmp_path / name for name in ("found.ndjson", "out.ndjson", "out.mp4"))
    with MetadataWriter(detections) as writer:
        for index in range(3):
            frame = VideoFrame("cam", "25/1", 64, 96, time_base=(1, 25), pts=index)
            frame.add_detections("me", [[32, 32, 48, 56]], "thing", track_ids=[7])
            writer.write(frame)
    options = ("--draw", detections, "--metadata", metadata, "--crf", "10", "-q")
    assert picasso("encode", on_its_side, "-o", out, *options).code == 0
    picture = first(out)
    for y, x in ((84, 40), (66, 32), (66, 48)):  # the bottom edge and both sides of the mark, on the display
        assert np.abs(picture[y - 1 : y + 2, x - 1 : x + 2] - AMBER).sum(axis=2).min() < 160
    with MetadataReader(metadata) as reader:
        frames = list(reader.frames())
    assert len(frames) == 3
    for frame in frames:
        assert (frame.width, frame.height) == (64, 96)
        assert np.allclose(frame.get_detections().xyxy, [[32, 32, 48, 56]], atol=0.01)
        assert frame.transformations == [
            VideoFrameTransformation.initial_size(*SIZE),
            VideoFrameTransformation.orientation(Orientation(90)),
        ]
        frame.transform_backward()
        assert (frame.width, frame.height) == SIZE
        assert np.allclose(frame.get_detections().xyxy, [MARK], atol=0.01)


def test_the_width_of_pal_wide_is_1024(tmp_path: Path) -> None:
    path = tmp_path / "pal.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 720, 576, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(64, 45)
        container.mux([*stream.encode(av.VideoFrame(720, 576, "yuv420p")), *stream.encode(None)])
    assert picasso("encode", path, "-o", tmp_path / "out.mkv", "-q").code == 0
    assert first(tmp_path / "out.mkv").shape == (576, 1024, 3)


def test_a_size_that_no_encoder_has_asks_for_another(tmp_path: Path) -> None:
    path = tmp_path / "wide.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 256, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(200)
        container.mux([*stream.encode(av.VideoFrame(96, 256, "yuv420p")), *stream.encode(None)])
    done = picasso("encode", path, "-o", tmp_path / "out.mp4")
    assert done.code == 2
    assert "players show 19200x256 of it; say another --size, or --raw-geometry" in done.sentence
    assert picasso("encode", path, "-o", tmp_path / "out.mp4", "--raw-geometry", "-q").code == 0


def test_a_crop_is_checked_against_the_upright_picture(on_its_side: Path, tmp_path: Path) -> None:
    done = picasso("encode", on_its_side, "-o", tmp_path / "out.mp4", "--crop", "0,0,65,96")
    assert done.code == 2
    assert "crop right edge 65 exceeds the width 64" in done.sentence
    assert "64x96" in done.sentence


@pytest.mark.parametrize(
    ("size_wh", "scale_xy", "even_wh"),
    [
        ((720, 576), (Fraction(64, 45), 1), (1024, 576)),
        ((720, 480), (Fraction(32, 27), 1), (854, 480)),
        ((720, 480), (Fraction(8, 9), 1), (640, 480)),
        ((480, 720), (1, Fraction(32, 27)), (480, 854)),
        ((101, 75), (1, 1), (100, 74)),
        ((1, 1), (Fraction(1, 3), 1), (2, 2)),
    ],
)
def test_sizes_for_display_are_even(
    size_wh: tuple[int, int], scale_xy: tuple[Fraction, Fraction], even_wh: tuple[int, int]
) -> None:
    scale_x, scale_y = scale_xy
    assert even_display_size(size_wh, (Fraction(scale_x), Fraction(scale_y))) == even_wh
