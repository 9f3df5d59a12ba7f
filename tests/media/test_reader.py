"""Reading files: every frame, its time, its loops, its pace, its end."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from picasso.errors import MediaError
from picasso.media import MediaInfo, VideoReader, probe
from picasso.primitives import EndOfStream, VideoFrame
from picasso.surface import ColorSpace, Matrix, SurfaceView, VideoFormat
from picasso.testing.clock import FakeClock

MakeClip = Any


def mean_luma(surface: SurfaceView) -> int:
    return round(float(surface.planes[0].mean()))


@pytest.mark.parametrize(
    ("name", "size_wh", "rate", "count"),
    [
        ("bikes.mp4", (640, 272), Fraction(25), 250),
        ("carphone_pristine.mp4", (176, 144), Fraction(30000, 1001), 120),
        ("bigbuckbunny.mp4", (1280, 720), Fraction(25), 132),
    ],
)
def test_a_real_clip_from_its_first_frame_to_its_end(
    real_clips: Path, name: str, size_wh: tuple[int, int], rate: Fraction, count: int
) -> None:
    with VideoReader(real_clips / name) as reader:
        info = reader.info
        *pictures, end = reader
    assert (info.size_wh, info.frame_rate, info.frame_count) == (size_wh, rate, count)
    assert (info.codec, info.pixel_format, info.rotation_deg) == ("h264", "yuv420p", 0)
    assert info.color == ColorSpace.for_height(size_wh[1])
    assert info.duration_ns == round(count / rate * 10**9)
    assert end == EndOfStream(name.removesuffix(".mp4"))
    assert [frame.pts for frame, _ in pictures] == [round(index / rate * 10**9) for index in range(count)]
    frame, surface = pictures[0]
    assert (frame.source_id, frame.width, frame.height) == (end.source_id, *size_wh)
    assert (frame.time_base, frame.fps) == ((1, 10**9), (rate.numerator, rate.denominator))
    assert (frame.codec, frame.keyframe, frame.duration) == ("h264", True, round(10**9 / rate))
    assert frame.content.is_none()
    assert (surface.format, surface.size_wh, surface.readonly) == (VideoFormat.I420, size_wh, True)


def test_surfaces_hold_the_decoders_pixels(real_clips: Path) -> None:
    path = real_clips / "carphone_pristine.mp4"
    with av.open(str(path)) as container:
        expected = [frame.to_ndarray() for frame in container.decode(video=0)]
    with VideoReader(path) as reader:
        surfaces = [surface for _, surface in reader.frames()]
    assert all(np.array_equal(s.to_numpy(), a) for s, a in zip(surfaces, expected, strict=True))


def test_frames_come_in_the_order_in_which_they_are_shown(make_clip: MakeClip) -> None:
    with VideoReader(make_clip(), "camera") as reader:
        pictures = list(reader.frames())
    assert [frame.pts for frame, _ in pictures] == [index * 40_000_000 for index in range(10)]
    assert [mean_luma(surface) for _, surface in pictures] == pytest.approx([20 + 10 * i for i in range(10)], abs=2)
    assert [bool(frame.keyframe) for frame, _ in pictures] == [index % 5 == 0 for index in range(10)]
    assert {frame.source_id for frame, _ in pictures} == {"camera"}


def test_loops_follow_each_other_without_a_gap(make_clip: MakeClip) -> None:
    with VideoReader(make_clip(frames=3), loops=3) as reader:
        items = list(reader)
    assert isinstance(items[-1], EndOfStream)
    assert [frame.pts for frame, _ in items[:-1]] == [index * 40_000_000 for index in range(9)]


def test_a_late_start_is_kept_and_loops_follow_it(make_clip: MakeClip) -> None:
    path = make_clip(frames=2, first=50)
    assert probe(path).start_ns == 2 * 10**9
    with VideoReader(path, loops=2) as reader:
        assert [frame.pts // 10**6 for frame, _ in reader.frames()] == [2000, 2040, 2080, 2120]


def test_a_stream_without_times_gets_those_of_its_rate(make_clip: MakeClip) -> None:
    with VideoReader(make_clip("clip.h264", frames=3, muxer="h264")) as reader:
        assert reader.info.duration_ns is None
        assert reader.info.frame_count is None
        assert [frame.pts for frame, _ in reader.frames()] == [0, 40_000_000, 80_000_000]


def test_endless_loops_end_when_stopped(make_clip: MakeClip) -> None:
    seen = []
    with VideoReader(make_clip(frames=2), loops=None) as reader:
        for item in reader:
            seen.append(item)
            if len(seen) == 7:
                reader.stop()
    assert [type(item) for item in seen[-2:]] == [tuple, EndOfStream]
    assert len(seen) == 8


def test_a_paced_reader_gives_frames_at_their_times(make_clip: MakeClip) -> None:
    clock = FakeClock(start_ns=5)
    got: list[int] = []
    with VideoReader(make_clip(frames=3), pace=True, clock=clock) as reader:
        feeding = threading.Thread(target=lambda: got.extend(frame.pts for frame, _ in reader.frames()))
        feeding.start()
        for _ in range(2):
            clock.wait_for_sleepers(1)
            before = len(got)
            clock.advance(0.039)
            clock.wait_for_sleepers(1)
            assert len(got) == before
            clock.advance(0.001)
        feeding.join(timeout=30)
    assert got == [0, 40_000_000, 80_000_000]


@pytest.mark.parametrize("policy", ["continue", "segment", "reset"])
def test_a_paced_reader_keeps_its_pace_over_loops(make_clip: MakeClip, policy: str) -> None:
    clock = FakeClock()
    got: list[Any] = []
    with VideoReader(make_clip(frames=2), pace=True, clock=clock, loops=2, on_restart=policy) as reader:
        feeding = threading.Thread(target=lambda: got.extend(clock.now_ns() for _ in reader.frames()))
        feeding.start()
        for _ in range(3):
            clock.wait_for_sleepers(1)
            clock.advance(0.04)
        feeding.join(timeout=30)
    assert [time_ns - got[0] for time_ns in got] == [0, 40_000_000, 80_000_000, 120_000_000]


def test_a_paced_reader_catches_up(make_clip: MakeClip) -> None:
    """Frames whose time is over come at once."""
    clock = FakeClock()
    with VideoReader(make_clip(frames=5), pace=True, clock=clock) as reader:
        first = next(reader)
        assert not isinstance(first, EndOfStream)
        clock.advance(60)
        assert len(list(reader)) == 5


def test_stop_wakes_a_paced_reader(make_clip: MakeClip) -> None:
    clock = FakeClock()
    items: list[Any] = []
    with VideoReader(make_clip(frames=5), pace=True, clock=clock) as reader:
        feeding = threading.Thread(target=lambda: items.extend(reader))
        feeding.start()
        clock.wait_for_sleepers(1)
        reader.stop()
        feeding.join(timeout=30)
        assert not feeding.is_alive()
    assert [type(item) for item in items] == [tuple, EndOfStream]


def test_surfaces_outlive_their_reader(make_clip: MakeClip) -> None:
    with VideoReader(make_clip(frames=3)) as reader:
        _, surface = next(reader.frames())
    assert mean_luma(surface) == pytest.approx(20, abs=2)


def test_closing_twice_is_closing_once(make_clip: MakeClip) -> None:
    reader = VideoReader(make_clip())
    next(reader)
    reader.close()
    reader.close()
    assert list(reader) == []


def test_a_reader_that_came_to_its_end_stays_there(make_clip: MakeClip) -> None:
    with VideoReader(make_clip(frames=2)) as reader:
        assert len(list(reader)) == 3
        assert list(reader) == []


def test_image_sequences_are_streams(tmp_path: Path) -> None:
    for index in range(3):
        frame = av.VideoFrame.from_ndarray(np.full((16, 32, 3), 50 * index, np.uint8), "rgb24")
        frame.save(str(tmp_path / f"{index:04d}.png"))
    with VideoReader(tmp_path / "%04d.png", options={"framerate": "10"}) as reader:
        pictures = list(reader.frames())
    assert [frame.pts for frame, _ in pictures] == [0, 10**8, 2 * 10**8]
    assert [surface.format for _, surface in pictures] == [VideoFormat.RGB] * 3
    assert [int(surface.planes[0][0, 0, 0]) for _, surface in pictures] == [0, 50, 100]


def test_a_rotation_is_told_and_not_applied(make_clip: MakeClip, tmp_path: Path) -> None:
    """The display matrix of an MP4's track header is set to a quarter turn."""
    data = bytearray(make_clip().read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    one = (1 << 16).to_bytes(4, "big")
    minus_one = (-(1 << 16)).to_bytes(4, "big", signed=True)
    data[at : at + 20] = bytes(4) + one + bytes(4) + minus_one + bytes(4)
    turned = tmp_path / "turned.mp4"
    turned.write_bytes(data)
    info = probe(turned)
    assert abs(info.rotation_deg) == 90
    assert info.size_wh == (64, 48)


def test_probe_says_what_a_reader_says(make_clip: MakeClip) -> None:
    path = make_clip(rate=Fraction(30000, 1001))
    with VideoReader(path) as reader:
        info = reader.info
    assert probe(path) == info
    assert isinstance(info, MediaInfo)
    assert (info.location, info.container) == (str(path), "mov,mp4,m4a,3gp,3g2,mj2")
    assert info.bit_rate is not None
    assert info.color == ColorSpace(Matrix.BT601)


@pytest.mark.parametrize("loops", [0, -1])
def test_at_least_one_loop(make_clip: MakeClip, loops: int) -> None:
    with pytest.raises(ValueError, match=f"loops must be at least 1, or None without a limit, got {loops}"):
        VideoReader(make_clip(), loops=loops)


def test_an_unknown_pixel_format(make_clip: MakeClip) -> None:
    with pytest.raises(ValueError, match="pixel_format 'hsv': expected one of native, rgba"):
        VideoReader(make_clip(), pixel_format="hsv")  # type: ignore[arg-type]  # the point of the test


def test_frames_of_a_reader_are_video_frames(make_clip: MakeClip) -> None:
    with VideoReader(make_clip(frames=1), pixel_format="rgba") as reader:
        ((frame, surface),) = reader.frames()
    assert isinstance(frame, VideoFrame)
    assert surface.format is VideoFormat.RGBA
    assert surface.color is None


def test_several_decoder_threads_give_the_same_frames(make_clip: MakeClip) -> None:
    path = make_clip()
    with VideoReader(path) as one, VideoReader(path, threads=2) as two:
        pairs = zip(one.frames(), two.frames(), strict=True)
        assert all(a.pts == b.pts and np.array_equal(x.to_numpy(), y.to_numpy()) for (a, x), (b, y) in pairs)


def test_a_file_that_disappears_between_two_loops_is_an_error(make_clip: MakeClip) -> None:
    path = make_clip(frames=1)
    with VideoReader(path, loops=None) as reader:
        next(reader)
        path.unlink()
        with pytest.raises(MediaError, match="No such file or directory"):
            next(reader)
