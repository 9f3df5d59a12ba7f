"""Frames by number and by time are those of the iteration, in any order, of any container, and leave it alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from media_servers import Server, pages

from picasso.errors import MediaError, UnreadableError
from picasso.media import Frames, NotIndexableError, VideoReader
from picasso.primitives import EndOfStream
from picasso.surface import VideoFormat

COUNT = 75
X264 = "-pix_fmt yuv420p -c:v libx264 -preset ultrafast"
BETTER = X264.replace("ultra", "very")
CLIPS = {
    "plain.mp4": f"{X264} -bf 0 -g 10",
    "b-frames.mp4": f"{BETTER} -bf 3 -b_strategy 0 -g 24",
    "pyramid.mkv": f"{BETTER} -bf 4 -b_strategy 0 -x264-params b-pyramid=normal:open-gop=1 -g 20",
    "open-gop.ts": f"{BETTER} -bf 3 -x264-params open-gop=1 -g 20",
    "refresh.mp4": f"{X264} -x264-params intra-refresh=1 -g 15",
    "one-key.mp4": f"{X264} -g 1000",
    "intra.mov": "-c:v mjpeg -q:v 4",
    "checked.mov": "-c:v png",
    "hevc.mp4": "-c:v libx265 -preset ultrafast -x265-params log-level=none:bframes=3 -g 20",
    "vp9.webm": "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -auto-alt-ref 1 -lag-in-frames 12 -g 25",
    "vp8.webm": "-c:v libvpx -deadline good -cpu-used 8 -auto-alt-ref 1 -lag-in-frames 12 -arnr-maxframes 5 -g 25",
    "av1.mp4": "-c:v libsvtav1 -preset 12 -g 25",
    "mpeg4.avi": "-c:v mpeg4 -bf 2 -g 12",
    "raw.h264": f"{X264} -bf 2 -g 12",
    "vfr.mp4": f"{X264} -bf 2 -g 12 -vf select='not(mod(n\\,3))+gt(n\\,50)' -fps_mode vfr",
    "cut.mp4": f"{X264} -bf 2 -g 30",
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Make a clip of moving pictures, once."""
    folder = tmp_path_factory.mktemp("indexed")

    @cache
    def make(name: str) -> Path:
        path = folder / name
        made = f"ffmpeg -loglevel error -y -f lavfi -i testsrc2=size=96x64:rate=25 -frames:v {COUNT}"
        if name == "cut.mp4":  # an edit list hides the frames before the cut
            whole = folder / "whole.mp4"
            subprocess.run([*made.split(), *CLIPS[name].split(), str(whole)], check=True)
            cut = f"ffmpeg -loglevel error -y -ss 1.3 -i {whole} -c copy {path}"
            subprocess.run(cut.split(), check=True)
            return path
        arguments = [word.replace("'", "") for word in CLIPS[name].split()]
        subprocess.run([*made.split(), *arguments, str(path)], check=True)
        return path

    return make


@cache
def in_order(path: Path, **options: Any) -> list[tuple[int, int | None, bytes]]:
    """Time, duration and pixels of each frame, as the iteration gives them."""
    with VideoReader(path, **options) as reader:
        return [described(*item) for item in reader.frames()]


def described(frame: Any, surface: Any) -> tuple[int, int | None, bytes]:
    return frame.pts, frame.duration, surface.to_numpy().tobytes()


@pytest.mark.parametrize("name", CLIPS)
def test_every_frame_by_number_is_that_of_the_iteration(clip: Callable[[str], Path], name: str) -> None:
    path = clip(name)
    expected = in_order(path)
    order = [*range(len(expected) - 1, -1, -9), *range(0, len(expected), 5), len(expected) - 1, 0, len(expected) // 2]
    with VideoReader(path) as reader:
        assert len(reader) == len(expected) > 40 - 20 * (name == "vfr.mp4")
        for number in order:
            assert described(*reader[number]) == expected[number], number
        assert [described(*item) for item in reader[:]] == expected


@pytest.mark.parametrize("name", ["b-frames.mp4", "pyramid.mkv", "vp8.webm"])
@given(numbers=st.lists(st.integers(-COUNT, COUNT - 1), max_size=8))
@settings(max_examples=12)
def test_any_order_gives_the_same(clip: Callable[[str], Path], name: str, numbers: list[int]) -> None:
    expected = in_order(clip(name))
    with VideoReader(clip(name)) as reader:
        assert [described(*item) for item in reader[numbers]] == [expected[number] for number in numbers]


def test_indexing_leaves_the_iteration_alone(clip: Callable[[str], Path]) -> None:
    path = clip("b-frames.mp4")
    expected, seen = in_order(path), []
    with VideoReader(path) as reader:
        for number, item in enumerate(reader):
            if isinstance(item, EndOfStream):
                break
            seen.append(described(*item))
            assert described(*reader[-1 - number]) == expected[-1 - number]
            assert described(*reader.at(1.0)) == expected[25]
    assert seen == expected


SLICES = [slice(10, 70, 5), slice(None, None, -7), slice(-5, None), slice(3, 3), slice(50, 200), slice(60, 5, -11)]


@pytest.mark.parametrize("chosen", SLICES, ids=str)
def test_a_slice_is_a_sequence_of_the_same_frames(clip: Callable[[str], Path], chosen: slice) -> None:
    expected = in_order(clip("b-frames.mp4"))[chosen]
    with VideoReader(clip("b-frames.mp4")) as reader:
        frames = reader[chosen]
        assert isinstance(frames, Frames)
        assert len(frames) == len(expected)
        assert [described(*item) for item in frames] == expected
        if expected:
            assert described(*frames[-1]) == expected[-1]
            assert [described(*item) for item in frames[::2]] == expected[::2]


def test_numbers_may_come_from_numpy_and_masks_take_what_is_true(clip: Callable[[str], Path]) -> None:
    expected = in_order(clip("b-frames.mp4"))
    mask = np.arange(COUNT) % 20 == 3
    with VideoReader(clip("b-frames.mp4")) as reader:
        assert described(*reader[np.int64(-2)]) == expected[-2]
        assert described(*reader.at(np.float32(1))) == expected[25]
        for chosen in (np.array([7, 3, -1]), range(3, 9, 2), (5, 5)):
            assert [described(*item) for item in reader[chosen]] == [expected[number] for number in chosen]
        for taken in (reader[mask], reader[mask.tolist()]):
            assert [described(*item) for item in taken] == [expected[number] for number in (3, 23, 43, 63)]
        assert len(reader[[]]) == len(reader[~np.ones(COUNT, bool)]) == 0


def test_a_reader_says_what_it_reads(clip: Callable[[str], Path]) -> None:
    path = clip("b-frames.mp4")
    with VideoReader(path) as reader:
        assert repr(reader) == f"VideoReader({str(path)!r}, h264, 96x64, 25 frames/s, 3 s)"


@pytest.mark.parametrize("name", ["b-frames.mp4", "vfr.mp4", "cut.mp4", "raw.h264"])
@given(time_ns=st.integers(0, 3_200_000_000))
@settings(max_examples=15)
def test_at_gives_the_frame_that_is_shown_then(clip: Callable[[str], Path], name: str, time_ns: int) -> None:
    expected = in_order(clip(name))
    with VideoReader(clip(name)) as reader:
        end_ns = expected[-1][0] + (expected[-1][1] or 0)
        if not expected[0][0] <= time_ns < end_ns:
            with pytest.raises(IndexError, match=f"{name}: no frame at .* s; there are some from "):
                reader.at(time_ns / 1e9)
            return
        shown = [one for one in expected if one[0] <= time_ns][-1]
        assert described(*reader.at(time_ns / 1e9)) == shown


@given(span=st.lists(st.integers(0, 4_000_000_000), min_size=2, max_size=2).map(sorted))
@settings(max_examples=25)
@pytest.mark.parametrize("name", ["b-frames.mp4", "vfr.mp4"])
def test_between_gives_what_is_shown_from_then_to_before_then(
    clip: Callable[[str], Path], name: str, span: list[int]
) -> None:
    expected = in_order(clip(name))
    ends = [one[0] for one in expected[1:]] + [expected[-1][0] + (expected[-1][1] or 0)]
    shown = [one[0] for one, end in zip(expected, ends, strict=True) if one[0] < span[1] and end > span[0]]
    with VideoReader(clip(name)) as reader:
        frames = reader.between(span[0] / 1e9, span[1] / 1e9)
        found = [reader._random.index.pts_ns[number] for number in frames.numbers]
        assert found == (shown if span[0] < span[1] else [])


RANGES: list[dict[str, Any]] = [
    {"start_s": 1.0}, {"end_s": 1.0}, {"start_s": 0.5, "end_s": 2.01}, {"stride": 7}, {"start_s": 1.02, "stride": 25},
    {"start_s": 50},
]  # fmt: skip


@pytest.mark.parametrize("options", RANGES, ids=str)
@pytest.mark.parametrize("name", ["b-frames.mp4", "vp8.webm", "raw.h264"])
def test_a_span_and_a_stride_hold_for_the_iteration_and_for_numbers(
    clip: Callable[[str], Path], name: str, options: dict[str, Any]
) -> None:
    start_ns, end_ns = options.get("start_s", 0) * 10**9, options.get("end_s", 99) * 10**9
    expected = [one for one in in_order(clip(name)) if start_ns <= one[0] < end_ns][:: options.get("stride", 1)]
    with VideoReader(clip(name), **options) as reader:
        assert len(reader) == len(expected)
        assert [described(*item) for item in reader.frames()] == expected
        assert [described(*item) for item in reader[::-1]] == expected[::-1]
        if expected:
            assert described(*reader.at(expected[-1][0] / 1e9)) == expected[-1]
    with VideoReader(clip(name), **options, payload=True) as reader:  # decoded in order, since each has its bytes
        assert [frame.pts for frame, _ in reader.frames()] == [one[0] for one in expected]
    if expected:
        with VideoReader(clip(name), **options, loops=2) as reader:
            assert sum(1 for _ in reader.frames()) == 2 * len(expected)


FORMS = {
    "rgb": (VideoFormat.RGB, (64, 96, 3)),
    "bgr": (VideoFormat.BGR, (64, 96, 3)),
    "gray": (VideoFormat.GRAY8, (64, 96)),
}


@pytest.mark.parametrize("name", FORMS)
def test_pixels_come_as_they_are_asked_for(clip: Callable[[str], Path], name: Any) -> None:
    form, shape = FORMS[name]
    with VideoReader(clip("plain.mp4"), pixel_format="rgba") as reader:
        rgba = reader[7][1].to_numpy()
    with VideoReader(clip("plain.mp4")) as reader:
        luma = reader[7][1].planes[0].astype(float)
    with VideoReader(clip("plain.mp4"), pixel_format=name) as reader:
        surface = reader[7][1]
        assert (surface.format, surface.to_numpy().shape) == (form, shape)
        assert described(*next(iter(reader))) == described(*reader[0])
    pixels = surface.to_numpy()
    if name == "gray":
        expected = np.clip((luma - 16) * 255 / 219, 0, 255)
        assert np.abs(pixels - expected).max() <= 1
    else:
        assert (pixels == (rgba[..., :3] if name == "rgb" else rgba[..., 2::-1])).all()


def test_a_number_names_a_camera() -> None:
    with pytest.raises(OSError, match="/dev/video97"):
        VideoReader(97)


def test_a_pipe_has_no_numbers_and_is_read_in_order(clip: Callable[[str], Path]) -> None:
    reading, writing = os.pipe()
    os.write(writing, clip("open-gop.ts").read_bytes()[:60_000])
    os.close(writing)
    with VideoReader(f"pipe:{reading}") as reader:
        assert reader
        with pytest.raises(NotIndexableError, match="is a stream of this process, whose frames have no numbers"):
            reader[0]
        assert sum(1 for _ in zip(range(5), reader, strict=False)) == 5


def test_a_file_of_a_server_has_numbers(clip: Callable[[str], Path]) -> None:
    path = clip("b-frames.mp4")
    with Server(pages({"/a.mp4": path.read_bytes()})) as server, VideoReader(server.url("/a.mp4")) as reader:
        with pytest.raises(TypeError, match="take a frame first"):
            len(reader)
        assert described(*reader[-3]) == in_order(path)[-3]
        assert described(*reader.at(0.5)) == in_order(path)[12]
        assert len(reader) == COUNT


def test_frames_of_a_damaged_file_keep_their_numbers(clip: Callable[[str], Path], tmp_path: Path) -> None:
    body = bytearray(clip("checked.mov").read_bytes())
    start = body.index(b"mdat") + 4
    place = body.index(b"\x89PNG", start + (len(body) - start) // 3)
    body[place : place + 40] = bytes(40)
    path = tmp_path / "damaged.mov"
    path.write_bytes(body)
    good, left = in_order(clip("checked.mov")), in_order(path)
    (lost,) = [number for number, one in enumerate(good) if one[0] not in {other[0] for other in left}]
    with VideoReader(path) as reader:
        for number in (COUNT - 1, 3, lost, lost + 1, lost - 1, lost, 0):
            if number == lost:
                with pytest.raises(UnreadableError, match=f"frame {lost} at .* s cannot be decoded"):
                    reader[number]
            else:
                assert described(*reader[number]) == good[number]
        assert len(reader) == COUNT
    with VideoReader(path, start_s=good[lost - 1][0] / 1e9) as reader:
        assert [frame.pts for frame, _ in reader.frames()] == [one[0] for one in [good[lost - 1], *good[lost + 1 :]]]


@pytest.mark.parametrize("name", ["open-gop.ts", "pyramid.mkv", "vp8.webm"])
def test_a_file_that_breaks_off_has_the_frames_that_come_before(
    clip: Callable[[str], Path], tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    body = clip(name).read_bytes()
    path.write_bytes(body[: len(body) * 3 // 5])
    expected = []
    with VideoReader(path) as reader, suppress(MediaError):
        expected.extend(described(*item) for item in reader.frames())
    assert 10 < len(expected) < COUNT
    with VideoReader(path) as reader:
        assert len(reader) >= len(expected)
        assert described(*reader[5]) == expected[5]
        assert described(*reader[len(expected) - 8]) == expected[-8]
        seen = []
        with suppress(MediaError):
            seen.extend(item for item in reader if not isinstance(item, EndOfStream))
        assert len(seen) == len(expected)


def test_a_reader_that_was_stopped_gives_no_frames_by_number(clip: Callable[[str], Path]) -> None:
    with (
        Server(pages({"/a.mp4": clip("plain.mp4").read_bytes()})) as server,
        VideoReader(server.url("/a.mp4")) as reader,
    ):
        reader.stop()
        with pytest.raises(MediaError, match="stopped"):
            reader[3]


def test_an_index_is_kept_until_the_file_changes(clip: Callable[[str], Path], tmp_path: Path) -> None:
    path = tmp_path / "same.mp4"
    path.write_bytes(clip("plain.mp4").read_bytes())
    with VideoReader(path) as one, VideoReader(path) as two:
        assert one._random.index is two._random.index
    path.write_bytes(clip("vfr.mp4").read_bytes())
    with VideoReader(path) as reader:
        assert len(reader) == len(in_order(clip("vfr.mp4")))


WRONG: dict[str, tuple[Callable[[VideoReader], Any], type[Exception], str]] = {
    "reader[75]": (lambda reader: reader[75], IndexError, "frame 75 is not there; it has 75"),
    "reader[-76]": (lambda reader: reader[-76], IndexError, "frame -76 is not there"),
    "reader[1.0]": (lambda reader: reader[1.0], TypeError, "integer"),
    "reader['1']": (lambda reader: reader["1"], TypeError, "integer"),
    "at(nan)": (lambda reader: reader.at(float("nan")), ValueError, "at: expected seconds, got nan"),
    "at(-1)": (lambda reader: reader.at(-1), IndexError, "no frame at -1 s; there are some from 0 to 3 s"),
    "at(3)": (lambda reader: reader.at(3), IndexError, "no frame at 3 s; there are some from 0 to 3 s"),
    "at('1')": (lambda reader: reader.at("1"), TypeError, "at: expected seconds, got '1'"),
    "between(1, None)": (lambda reader: reader.between(1, None), TypeError, "end_s: expected seconds, got None"),
    "reader[[True]]": (lambda reader: reader[[True]], IndexError, "a mask of 1 bools; it has 75 frames"),
    "between(2, 1)": (lambda reader: reader.between(2, 1), ValueError, "end_s = 1 lies before start_s = 2"),
}


@pytest.mark.parametrize(("call", "error", "words"), WRONG.values(), ids=WRONG)
def test_what_is_not_there_is_named(
    clip: Callable[[str], Path], call: Callable[[VideoReader], Any], error: type[Exception], words: str
) -> None:
    with VideoReader(clip("plain.mp4")) as reader, pytest.raises(error, match=words):
        call(reader)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start_s": -1}, "start_s = -1: expected at least 0"),
        ({"start_s": 2, "end_s": 2}, "end_s = 2: expected more than start_s = 2"),
        ({"start_s": float("inf")}, "start_s: expected seconds, got inf"),
        ({"stride": 0}, "stride = 0: expected a whole number of at least 1"),
        ({"pixel_format": "yuv"}, "pixel_format 'yuv': expected one of native, rgba, rgb, bgr, gray"),
        ({"pixel_format": "rgb", "device": "cuda"}, "expected one of native, rgba"),
    ],
)
def test_what_a_reader_cannot_do_is_refused(clip: Callable[[str], Path], options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        VideoReader(clip("plain.mp4"), **options)
