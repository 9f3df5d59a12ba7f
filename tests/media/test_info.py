"""What files say beside their pixels: shape of a pixel, turn, fields, colour, depth, audio."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from picasso.media import AudioInfo, VideoReader, examine, probe
from picasso.media.describe import orientation_of_matrix
from picasso.primitives import Orientation

MakeClip = Callable[..., Path]
ASPECT = Fraction(64, 45)
BT2020 = "colorprim=bt2020:transfer={}:colormatrix=bt2020nc"


@pytest.mark.parametrize(
    ("name", "codec"),
    [(f"clip.{suffix}", "libx264") for suffix in ("mp4", "mov", "mkv", "ts", "avi")]
    + [(f"clip.{suffix}", "libx265") for suffix in ("mp4", "mkv", "ts")],
)
def test_the_shape_of_a_pixel_is_told_by_every_container(make_clip: MakeClip, name: str, codec: str) -> None:
    info = probe(make_clip(name, 10, size=(720, 576), codec=codec, aspect=ASPECT))
    assert (info.sample_aspect_ratio, info.size_wh, info.display_size_wh) == (ASPECT, (720, 576), (1024, 576))
    assert (info.orientation, info.upright_size_wh) == (Orientation(), (720, 576))


def test_a_pixel_is_square_where_nothing_is_said(make_clip: MakeClip) -> None:
    info = probe(make_clip(frames=2))
    assert (info.sample_aspect_ratio, info.display_size_wh) == (1, (64, 48))


TURNS = [
    ((0, False, False), Orientation(0)),
    ((90, False, False), Orientation(270)),
    ((180, False, False), Orientation(180)),
    ((270, False, False), Orientation(90)),
    ((0, True, False), Orientation(0, mirrored=True)),
    ((0, False, True), Orientation(180, mirrored=True)),
    ((90, True, False), Orientation(90, mirrored=True)),
    ((90, False, True), Orientation(270, mirrored=True)),
]
"""What a muxer is told, degrees counter-clockwise and flips, and what that is."""


@pytest.mark.parametrize(
    ("name", "turn", "orientation"),
    [
        (name, *row)
        for name in ("clip.mp4", "clip.mov", "clip.mkv")
        for row in TURNS
        if name != "clip.mkv" or not row[1][1]
    ],
    ids=str,
)  # Matroska stores a roll, not a mirror
def test_turns_are_read_from_the_display_matrix(
    make_clip: MakeClip, name: str, turn: tuple[int, bool, bool], orientation: Orientation
) -> None:
    info = probe(make_clip(name, 2, turn=turn))
    assert info.orientation == orientation
    assert info.upright_size_wh == ((48, 64) if orientation.swaps_sides else (64, 48))
    if not orientation.mirrored:
        assert (info.rotation_deg + orientation.turn_deg) % 360 == 0


def test_turned_pixels_that_are_not_square_change_their_ratio(make_clip: MakeClip) -> None:
    info = probe(make_clip(frames=2, size=(720, 576), aspect=ASPECT, turn=(270, False, False)))
    assert (info.upright_size_wh, info.upright_sample_aspect_ratio) == ((576, 720), 1 / ASPECT)
    assert info.display_size_wh == (576, 1024)


def test_a_turn_by_45_degrees_is_told_and_is_no_orientation(make_clip: MakeClip) -> None:
    info = probe(make_clip(frames=2, turn=(45, False, False)))
    assert (info.rotation_deg, info.orientation, info.upright_size_wh) == (45, None, (64, 48))


@pytest.mark.parametrize("scale", [1, 0.5, 3])
@pytest.mark.parametrize("turn_deg", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_scaled_display_matrix_is_the_same_turn(scale: float, turn_deg: int, mirrored: bool) -> None:
    """The matrix is made of where it sends a step to the right and a step down."""
    cosine, sine = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[turn_deg]
    right, down = np.array([cosine, sine]) * (-1 if mirrored else 1), np.array([-sine, cosine])
    (a, b), (c, d) = (np.round(65536 * scale * step).astype(int) for step in (right, down))
    matrix = struct.pack("=9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    assert orientation_of_matrix(matrix) == Orientation(turn_deg, mirrored)


@pytest.mark.parametrize(
    "matrix",
    [b"", bytes(36), struct.pack("=9i", 65536, 0, 0, 0, 0, 0, 0, 0, 1 << 30)],
    ids=["empty", "zeros", "flat"],
)
def test_a_display_matrix_that_shows_nothing_turns_nothing(matrix: bytes) -> None:
    assert orientation_of_matrix(matrix) == Orientation()


def test_a_sheared_display_matrix_is_no_orientation() -> None:
    assert orientation_of_matrix(struct.pack("=9i", 65536, 0, 0, 65536, 65536, 0, 0, 0, 1 << 30)) is None


@pytest.mark.parametrize(("order", "told"), [("tff", "tt"), ("bff", "bb")])
def test_interlaced_pictures_are_told_with_their_order(make_clip: MakeClip, order: str, told: str) -> None:
    info = probe(make_clip(frames=2, size=(64, 64), coding={"x264-params": f"{order}=1"}))
    assert (info.field_order, info.is_interlaced) == (told, True)
    assert not probe(make_clip("whole.mp4", 2)).is_interlaced


@pytest.mark.parametrize(("transfer", "is_hdr"), [("smpte2084", True), ("arib-std-b67", True), ("bt2020-10", False)])
def test_the_transfer_tells_high_dynamic_range(make_clip: MakeClip, transfer: str, is_hdr: bool) -> None:
    info = probe(make_clip(frames=2, pix_fmt="yuv420p10le", coding={"x264-params": BT2020.format(transfer)}))
    assert (info.color_transfer, info.color_primaries, info.color_matrix) == (transfer, "bt2020", "bt2020nc")
    assert (info.is_hdr, info.bit_depth, info.color, info.color_range) == (is_hdr, 10, None, "tv")


def test_audio_streams_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "sound.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        speech = container.add_stream("aac", rate=48000, layout="stereo")
        music = container.add_stream("flac", rate=44100, layout="mono")
        speech.metadata["language"] = "deu"
        container.mux(video.encode(av.VideoFrame(64, 48, "yuv420p")))
        for stream in (speech, music):
            layout, form = stream.layout.name, "fltp" if stream is speech else "s16"
            channels = stream.layout.nb_channels
            shape = (channels, 4096) if form == "fltp" else (1, 4096 * channels)
            silence = np.zeros(shape, np.float32 if form == "fltp" else np.int16)
            frame = av.AudioFrame.from_ndarray(silence, form, layout)
            frame.sample_rate, frame.pts = stream.rate, 0
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        container.mux(video.encode(None))
    assert probe(path).audio == (AudioInfo("aac", 48000, 2, "deu"), AudioInfo("flac", 44100, 1, None))


def photo(path: Path, exif_orientation: int) -> Path:
    """Write a JPEG picture of 64x48 with EXIF data, as a phone does."""
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 64, 48, "yuvj420p", Fraction(1, 25)
    picture = av.VideoFrame.from_ndarray(np.full((72, 64), 128, np.uint8), "yuvj420p")
    picture.pts = 0
    jpeg = b"".join(bytes(packet) for packet in [*encoder.encode(picture), *encoder.encode(None)])
    entry = struct.pack(">HHIHH", 0x112, 3, 1, exif_orientation, 0)
    exif = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    path.write_bytes(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
    return path


@pytest.mark.parametrize(
    ("exif", "orientation"),
    [
        (1, Orientation()),
        (2, Orientation(0, mirrored=True)),
        (3, Orientation(180)),
        (4, Orientation(180, mirrored=True)),
        (6, Orientation(90)),
        (8, Orientation(270)),
    ],
)
@pytest.mark.parametrize("name", ["photo.jpg", "photo.JPEG", "a*b?.jpg", "i%03d.jpg", "photo.mjpeg"])
def test_a_photo_is_read_and_its_exif_turn_is_told(
    tmp_path: Path, name: str, exif: int, orientation: Orientation
) -> None:
    path = photo(tmp_path / name, exif)
    assert probe(path).orientation == orientation
    with VideoReader(path) as reader:
        (frame, _), *more = reader.frames()
    assert not more
    assert (frame.width, frame.height) == ((48, 64) if exif in {6, 8} else (64, 48))
    assert examine(path).damage == ()
