"""Pictures as players show them: turned, of the shape that the file says, of tones that a screen has."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from picasso.media import VideoReader, probe
from picasso.media.filters import FilterChain, tone_mapping, turning
from picasso.media.notices import say_once
from picasso.media.pictures import PictureWrapper
from picasso.primitives import Orientation, VideoFrame, VideoFrameTransformation
from picasso.surface import ColorSpace, Matrix, SurfaceView, VideoFormat
from picasso.surface.turning import turned

MakeClip = Callable[..., Path]
ORIENTATIONS = [Orientation(turn_deg, mirrored) for turn_deg in (0, 90, 180, 270) for mirrored in (False, True)]
PAL_WIDE = Fraction(64, 45)
HDR = "colorprim=bt2020:transfer={}:colormatrix=bt2020nc"


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    """What the readers warned of; nothing was said before."""
    say_once.forget()
    caplog.set_level(logging.WARNING, "picasso.media")
    yield lambda: [record.getMessage() for record in caplog.records if record.name == "picasso.media"]
    say_once.forget()


def scene(width: int = 64, height: int = 48) -> np.ndarray:
    """An RGB picture of which no turn is like another."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 // width, y * 255 // height, 255 * (x + y < width // 3)], -1).astype(np.uint8)


def read(path: Path, **options: object) -> tuple[VideoFrame, SurfaceView]:
    """The first picture of a file."""
    with VideoReader(path, "cam", **options) as reader:  # type: ignore[arg-type]
        return next(iter(reader.frames()))


@pytest.mark.parametrize("name", ["yuv420p", "yuvj420p", "nv12", "nv21", "rgb24", "bgr24", "rgba", "bgr0", "uyvy422"])
@pytest.mark.parametrize("orientation", ORIENTATIONS[1:], ids=str)
def test_every_format_is_turned_as_numpy_turns_it(name: str, orientation: Orientation) -> None:
    frame = av.VideoFrame.from_ndarray(scene(), "rgb24").reformat(format=name, threads=1)
    raw, wrapper = PictureWrapper(), PictureWrapper()
    wrapper.show(orientation, PAL_WIDE)
    stored, shown = raw.wrap(frame), wrapper.wrap(frame)
    assert (shown.size_wh, shown.sample_aspect_ratio, shown.color) == (
        orientation.size((64, 48)),
        PAL_WIDE,
        stored.color,
    )
    if stored.format is VideoFormat.UYVY:
        assert shown.format is VideoFormat.I420
        stored = SurfaceView.from_planes(i420_planes(frame), VideoFormat.I420, (64, 48), stored.color)
    assert shown.format is stored.format
    for found, expected in zip(shown.planes, turned(stored, orientation).planes, strict=True):
        assert np.array_equal(found, expected)
    for plane, layout in zip(shown.planes, shown.plane_layout(), strict=True):
        assert layout.memory[layout.base] == plane.reshape(-1)[0]


def i420_planes(frame: av.VideoFrame) -> list[np.ndarray]:
    planar = frame.reformat(format="yuv420p", src_colorspace=5, dst_colorspace=5, threads=1)
    rows = [np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size) for plane in planar.planes]
    return [rows[0][:48, :64], rows[1][:24, :32], rows[2][:24, :32]]


def test_an_odd_size_is_turned_as_rgba() -> None:
    wrapper = PictureWrapper()
    wrapper.show(Orientation(90), Fraction(1))
    surface = wrapper.wrap(av.VideoFrame.from_ndarray(scene(63, 47), "rgb24").reformat(format="yuv420p", threads=1))
    assert (surface.format, surface.size_wh) == (VideoFormat.RGBA, (47, 63))
    assert np.abs(surface.planes[0][..., :3].astype(int) - np.rot90(scene(63, 47), -1)).mean() < 8


TURNS = {
    Orientation(90): (270, False, False),
    Orientation(180): (180, False, False),
    Orientation(270): (90, False, False),
    Orientation(0, mirrored=True): (0, True, False),
    Orientation(90, mirrored=True): (90, True, False),
}
"""What a muxer is told: degrees counter-clockwise and flips."""


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov", "clip.mkv"])
@pytest.mark.parametrize("orientation", list(TURNS), ids=str)
@pytest.mark.parametrize("pixel_format", ["native", "rgba"])
def test_a_file_is_read_upright_and_its_chain_leads_back(
    make_clip: MakeClip, name: str, orientation: Orientation, pixel_format: str
) -> None:
    if name == "clip.mkv" and orientation.mirrored:
        orientation = Orientation(90)
    path = make_clip(name, 3, size=(64, 48), turn=TURNS[orientation], aspect=PAL_WIDE)
    stored_frame, stored = read(path, geometry="raw", pixel_format=pixel_format)
    frame, surface = read(path, pixel_format=pixel_format)
    assert (stored_frame.width, stored_frame.height, stored.sample_aspect_ratio) == (64, 48, 1)
    assert surface.size_wh == (frame.width, frame.height) == orientation.size((64, 48)) == probe(path).upright_size_wh
    assert surface.sample_aspect_ratio == (1 / PAL_WIDE if orientation.swaps_sides else PAL_WIDE)
    for found, expected in zip(surface.planes, turned(stored, orientation).planes, strict=True):
        assert np.array_equal(found, expected)
    assert frame.transformations == [
        VideoFrameTransformation.initial_size(64, 48),
        VideoFrameTransformation.orientation(orientation),
    ]
    frame.transform_backward()
    assert (frame.width, frame.height) == (64, 48)


def test_a_file_that_lies_upright_has_the_chain_of_a_new_frame(make_clip: MakeClip) -> None:
    frame, surface = read(make_clip(frames=2, aspect=Fraction(8, 9)))
    assert frame.transformations == [VideoFrameTransformation.initial_size(64, 48)]
    assert surface.sample_aspect_ratio == Fraction(8, 9)


def test_a_turn_that_is_none_by_quarters_is_left_and_said_once(
    make_clip: MakeClip, warnings: Callable[[], list[str]]
) -> None:
    path = make_clip(frames=2, turn=(45, False, False))
    for _ in range(2):
        frame, _surface = read(path)
        assert (frame.width, frame.height) == (64, 48)
    assert warnings() == [f"{path}: its turn by 45 degrees is none by quarters, and not applied"]


def test_interlaced_files_are_said_once(make_clip: MakeClip, warnings: Callable[[], list[str]]) -> None:
    path = make_clip(frames=2, size=(64, 64), coding={"x264-params": "tff=1"})
    assert probe(path).is_interlaced
    assert warnings() == []  # who asks knows already
    for _ in range(2):
        read(path)
    assert warnings() == [f"{path}: interlaced (tt): both fields are left in one picture"]


@pytest.mark.parametrize("geometry", ["upright", "", None])
def test_an_unknown_geometry_is_refused(make_clip: MakeClip, geometry: object) -> None:
    with pytest.raises(ValueError, match=r"geometry .*: expected one of display, raw"):
        VideoReader(make_clip(frames=2), geometry=geometry)  # type: ignore[arg-type]


def pq_frame(rgb_nits: tuple[float, float, float], transfer: int = 16) -> av.VideoFrame:
    """A frame of one colour, given as light of BT.709's primaries, in BT.2020 and PQ (SMPTE ST 2084), 10 bits."""
    to_bt2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
    light = (to_bt2020 @ rgb_nits / 10_000) ** (2610 / 16384)
    red, green, blue = ((3424 / 4096 + 2413 / 128 * light) / (1 + 2392 / 128 * light)) ** (2523 / 32)
    luma = 0.2627 * red + 0.6780 * green + 0.0593 * blue
    samples = 64 + 876 * luma, 512 + 896 * (blue - luma) / 1.8814, 512 + 896 * (red - luma) / 1.4746
    frame = av.VideoFrame(64, 48, "yuv420p10le")
    for plane, sample in zip(frame.planes, samples, strict=True):
        np.frombuffer(plane, np.uint16)[:] = round(sample)
    frame.color_trc, frame.color_primaries, frame.colorspace, frame.color_range = transfer, 9, 9, 1
    return frame


@pytest.fixture(scope="module")
def shown_rgb() -> Callable[[tuple[float, float, float]], np.ndarray]:
    """What light becomes on a screen, R G B; one wrapper for all, as the table of tones takes a while to make."""
    wrapper = PictureWrapper("rgba")
    return lambda rgb_nits: wrapper.wrap(pq_frame(rgb_nits)).planes[0][20, 30, :3].astype(int)


Shown = Callable[[tuple[float, float, float]], np.ndarray]


def test_tones_rise_with_light_and_grey_stays_grey(shown_rgb: Shown) -> None:
    shades = np.array([shown_rgb((nits, nits, nits)) for nits in (0, 1, 10, 100, 1000, 10_000)])
    assert np.ptp(shades, axis=1).max() <= 3
    assert (np.diff(shades[:, 1]) > 10).all()
    assert shades[0].max() <= 2
    assert shades[-1].min() >= 240


@pytest.mark.parametrize("light", [(100, 0, 0), (0, 100, 0), (0, 0, 100)], ids=["red", "green", "blue"])
def test_a_pure_colour_stays_that_colour(shown_rgb: Shown, light: tuple[int, int, int]) -> None:
    rgb, channel = shown_rgb(light), int(np.argmax(light))
    assert rgb[channel] > 2 * max(np.delete(rgb, channel))


@pytest.mark.parametrize(("transfer", "turn"), [("smpte2084", 0), ("arib-std-b67", 270)])
def test_high_dynamic_range_becomes_bt709_of_8_bits_which_is_said(
    make_clip: MakeClip, warnings: Callable[[], list[str]], transfer: str, turn: int
) -> None:
    coding = {"x264-params": HDR.format(transfer)}
    path = make_clip(frames=2, pix_fmt="yuv420p10le", coding=coding, turn=(turn, False, False))
    assert probe(path).is_hdr
    _frame, surface = read(path)
    assert (surface.format, surface.color) == (VideoFormat.I420, ColorSpace(Matrix.BT709))
    assert surface.size_wh == ((48, 64) if turn else (64, 48))
    assert read(path, tone_map=False)[1].format is VideoFormat.RGBA
    assert warnings() == [
        f"{path}: {transfer} is high dynamic range: its tones are mapped to BT.709",
        f"{path}: {transfer} is high dynamic range: its numbers are kept as if they were BT.709",
    ]


def test_standard_range_of_10_bits_is_not_mapped(make_clip: MakeClip, warnings: Callable[[], list[str]]) -> None:
    _frame, surface = read(make_clip(frames=2, pix_fmt="yuv420p10le"))
    assert surface.format is VideoFormat.I420
    assert surface.planes[0].mean() == pytest.approx(20, abs=2)
    assert warnings() == []


def test_a_filter_that_this_ffmpeg_lacks_is_one_sentence() -> None:
    from picasso.errors import MediaError

    with pytest.raises(MediaError, match=r"FFmpeg .* cannot filter pictures by nonsense: "):
        FilterChain(av.VideoFrame(64, 48, "yuv420p"), [("nonsense", "")])
    assert not turning(Orientation())
    assert tone_mapping()
