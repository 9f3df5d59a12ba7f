"""Examining files: damage is found with its place, and what is whole or was never there is no damage."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.logging
import numpy as np
import pytest

from picasso.errors import MediaError
from picasso.media import Examination, TimesReport, VideoReader, examine
from picasso.media.ffmpeg_log import logged_errors
from picasso.media.wholeness import breaks_at, is_cut

MakeClip = Any
MS = 1_000_000


@pytest.fixture
def noisy(tmp_path: Path) -> Callable[..., Path]:
    """Encode 40 frames of noise at 25 frames/s with B-frames, so that every byte of the file matters."""

    def make(name: str, codec: str = "libx264", options: dict[str, str] | None = None) -> Path:
        random = np.random.default_rng(7)
        path = tmp_path / name
        with av.open(str(path), "w", options=options or {}) as container:
            stream = container.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt, stream.gop_size = 64, 48, "yuv420p", 10
            stream.codec_context.max_b_frames = 2
            for index in range(40):
                picture = random.integers(0, 255, (72, 64), np.uint8)
                frame = av.VideoFrame.from_ndarray(picture, "yuv420p")
                frame.pts, frame.time_base = index, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return make


def without(path: Path, left_out: Collection[int], name: str, **options: str) -> Path:
    """Copy a file without the packets of these numbers."""
    copy = path.with_name(name)
    with av.open(str(path)) as source, av.open(str(copy), "w", options=options) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if packet.dts is not None and number not in left_out:
                packet.stream = stream
                target.mux(packet)
    return copy


def mjpeg(container: Any) -> Any:
    stream = container.add_stream("mjpeg", rate=25)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
    return stream


def pictures(stream: Any, times: Iterable[int]) -> list[Any]:
    """Encode a picture for each time, in frames of 1/25 s."""
    packets = []
    for pts in times:
        frame = av.VideoFrame.from_ndarray(np.full((72, 64), 5 * pts, np.uint8), "yuvj420p")
        frame.pts, frame.time_base = pts, Fraction(1, 25)
        packets += stream.encode(frame)
    return [*packets, *stream.encode(None)]


def overwrite(path: Path, share: float, count: int) -> Path:
    """Put zeros into a file, from a share of its length on."""
    data = bytearray(path.read_bytes())
    at = int(len(data) * share)
    data[at : at + count] = bytes(count)
    path.write_bytes(data)
    return path


def places(examination: Examination) -> list[tuple[int, int]]:
    return [(damage.frame, damage.pts_ns // MS) for damage in examination.damage]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("clip.mp4", "libx264"), ("clip.mov", "libx264"), ("clip.mkv", "libx264"), ("clip.ts", "libx264"),
        ("clip.flv", "libx264"), ("clip.avi", "libx264"), ("clip.h264", "libx264"), ("clip.avi", "mpeg4"),
        ("clip.mpg", "mpeg2video"), ("clip.webm", "libvpx"), ("clip.nut", "libx264"), ("clip.asf", "libx264"),
    ],
)  # fmt: skip
def test_a_file_that_is_whole_has_no_damage(noisy: Callable[..., Path], name: str, codec: str) -> None:
    found = examine(noisy(name, codec))
    assert found.damage == ()
    assert (found.frames, found.times_rise) == (40, True)
    assert found.times.restarts == found.times.made == 0


@pytest.mark.parametrize("name", ["bikes.mp4", "carphone_pristine.mp4", "carphone_distorted.mp4", "bigbuckbunny.mp4"])
def test_real_clips_have_none(real_clips: Path, name: str) -> None:
    found = examine(real_clips / name)
    assert (found.damage, found.times) == ((), TimesReport())


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("clip.mp4", "libx264"), ("clip.mkv", "libx264"), ("clip.ts", "libx264"), ("clip.avi", "libx264"),
        ("clip.avi", "mpeg4"), ("clip.mpg", "mpeg2video"),
    ],
)  # fmt: skip
def test_errors_that_a_decoder_conceals_are_found_where_they_are(
    noisy: Callable[..., Path], name: str, codec: str
) -> None:
    path = overwrite(noisy(name, codec), 0.5, 3000)
    found = examine(path)
    assert found.damage
    assert all(10 <= damage.frame <= 30 and 300 <= damage.pts_ns // MS <= 2000 for damage in found.damage)


def test_a_reader_counts_what_is_concealed_and_says_so_once(
    noisy: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    path = overwrite(noisy("clip.avi", "mpeg4"), 0.5, 3000)
    with VideoReader(path) as reader:
        count = sum(1 for _ in reader.frames())
        assert count + reader.skipped >= 39
        assert reader.damaged > 0
        said = f"damaged: {reader.skipped} packet{'s' * (reader.skipped != 1)} could not be decoded"
    assert [said in record.getMessage() for record in caplog.records] == [True]


def test_packets_that_cannot_be_decoded_are_found(make_clip: MakeClip) -> None:
    path = make_clip("clip.mov", frames=6, codec="png", pix_fmt="gray")
    data = path.read_bytes()
    starts = [at for at in range(len(data)) if data.startswith(b"\x89PNG", at)]
    path.write_bytes(data[: starts[2]] + bytes(8) + data[starts[2] + 8 :])
    found = examine(path)
    assert found.damage[0].what == "a packet before it: cannot be decoded"
    assert places(found)[0] == (2, 120)
    assert found.frames == 5


def test_fragments_that_are_gone_are_found(noisy: Callable[..., Path]) -> None:
    """A broken header of a fragment hides all that come after it, and FFmpeg says nothing."""
    path = noisy("clip.mp4", options={"movflags": "frag_keyframe+empty_moov"})
    data = bytearray(path.read_bytes())
    third = data.index(b"moof", data.index(b"moof", data.index(b"moof") + 4) + 4)
    data[third - 4 : third + 400] = bytes(404)
    path.write_bytes(data)
    found = examine(path)
    assert found.frames == 18  # those of two fragments; the B-frames before the third keyframe are in the third
    with VideoReader(path) as reader, pytest.raises(MediaError, match="truncated after 18 frames"):
        list(reader)
    assert [damage.what for damage in found.damage] == [
        f"the file cannot be followed from byte {third - 4} on",
        "truncated after 18 frames",
    ]


def test_a_hole_in_a_steady_stream_is_found(make_clip: MakeClip) -> None:
    path = make_clip("clip.mkv", frames=30)
    found = examine(without(path, {11, 12, 13}, "hole.mkv"))
    assert [damage.what for damage in found.damage] == ["a hole of 0.120 s before it, room for 3 frames"]
    assert places(found) == [(11, 560)]


def test_far_too_few_frames_are_found(tmp_path: Path) -> None:
    """Two of three frames are missing everywhere, so that no hole stands out."""
    path = tmp_path / "few.mkv"
    with av.open(str(path), "w") as container:
        stream = mjpeg(container)
        for packet in pictures(stream, range(30)):
            if packet.pts % 3 == 0:
                container.mux(packet)
    found = examine(path)
    assert [damage.what for damage in found.damage] == ["10 frames in all, where there is room for 28"]


def test_a_stream_that_ends_before_its_header_says_is_found(make_clip: MakeClip) -> None:
    path = make_clip("clip.mkv", frames=30, codec="mjpeg", pix_fmt="yuvj420p")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    found = examine(path)
    assert 8 < found.frames < 20
    assert places(found)[-1] == (found.frames, 40 * found.frames)
    assert "truncated" in found.damage[-1].what


@pytest.mark.parametrize("share", [0.3, 0.6])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.avi", "clip.mkv"])
def test_a_cut_file_is_truncated_for_a_reader_too(make_clip: MakeClip, name: str, share: float) -> None:
    path = make_clip(name, frames=30, codec="mjpeg", pix_fmt="yuvj420p", options={"movflags": "faststart"})
    assert is_cut(path) is False
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert is_cut(path) is True
    frames = []
    with VideoReader(path) as reader, pytest.raises(MediaError, match="truncated after"):
        frames.extend(reader.frames())
    assert 0 < len(frames) < 25


def test_slots_of_avi_that_were_left_empty_are_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "slots.avi"
    with av.open(str(path), "w") as container:
        container.mux(pictures(mjpeg(container), (0, 1, 2, 10, 11, 30, 31)))
    found = examine(path)
    assert (found.frames, found.damage) == (7, ())
    with VideoReader(path) as reader:
        assert reader.info.frame_count == 32
        assert [frame.pts // MS for frame, _ in reader.frames()] == [0, 40, 80, 400, 440, 1200, 1240]


def test_a_variable_rate_is_no_damage(tmp_path: Path, make_clip: MakeClip) -> None:
    path = make_clip("clip.mkv", frames=20)
    kept = {0, 1, 2, 5, 6, 9, 12, 13, 17, 19}
    assert examine(without(path, set(range(20)) - kept, "variable.mkv")).damage == ()


def test_joined_transport_streams_are_no_damage(noisy: Callable[..., Path]) -> None:
    path = noisy("clip.ts")
    path.write_bytes(path.read_bytes() * 2)
    found = examine(path)
    assert (found.frames, found.damage, found.times.restarts) == (80, (), 1)


def test_a_recording_that_begins_between_keyframes_is_no_damage(noisy: Callable[..., Path]) -> None:
    path = noisy("clip.ts")
    data = path.read_bytes()
    path.write_bytes(data[len(data) // 3 // 188 * 188 :])
    found = examine(path)
    assert 10 < found.frames < 30
    assert found.damage == ()


def test_what_ffmpeg_said_of_another_file_is_not_told_of_this_one(noisy: Callable[..., Path]) -> None:
    whole = noisy("whole.avi", "mpeg4")
    assert examine(overwrite(noisy("clip.avi", "mpeg4"), 0.9, 3000)).damage
    assert examine(whole).damage == ()


def test_packets_of_a_transport_stream_that_are_gone_are_found(noisy: Callable[..., Path]) -> None:
    path = noisy("clip.ts")
    data = path.read_bytes()
    middle = len(data) // 2 // 188 * 188
    path.write_bytes(data[:middle] + data[middle + 10 * 188 :])
    found = examine(path)
    assert found.damage
    assert all(10 < damage.frame < 30 for damage in found.damage)


def test_the_log_of_ffmpeg_is_left_as_it_was(make_clip: MakeClip) -> None:
    before = av.logging.get_level()
    examine(make_clip(frames=2))
    assert av.logging.get_level() == before


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(bytes(100))
    with pytest.raises(MediaError, match="Invalid data found"):
        examine(path)


@pytest.mark.parametrize(
    ("content", "cut", "breaks"),
    [
        (b"", None, None),
        (b"just text", None, None),
        (b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x10mdat" + bytes(8), False, None),
        (b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x11mdat" + bytes(8), True, None),
        (b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\0mdat" + bytes(8), False, None),
        (b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\1mdat" + (20).to_bytes(8, "big") + bytes(4), False, None),
        (b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\1mdat" + (2**40).to_bytes(8, "big") + bytes(4), True, None),
        (b"\0\0\0\x10ftypisom\0\0\0\0" + bytes(64), False, None),
        (b"\0\0\0\x10ftypisom\0\0\0\0" + bytes(64) + b"moof", False, 16),
        (b"RIFF\x04\0\0\0AVI ", False, None),
        (b"RIFF\x05\0\0\0AVI ", True, None),
        (b"RIFF\0\0\0\0AVI ", None, None),
        (b"RIFF\x04\0\0\0AVI RIFF\x08\0\0\0AVIX", True, None),
        (b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x84abcd", False, None),
        (b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x85abcd", True, None),
        (b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xffabcd", None, None),
    ],
)  # fmt: skip
def test_the_structure_of_a_file(tmp_path: Path, content: bytes, cut: bool | None, breaks: int | None) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert (is_cut(path), breaks_at(path)) == (cut, breaks)


@pytest.mark.parametrize("name", ["late.mkv", "late.flv", "late.mp4"])
def test_a_file_that_begins_late_and_is_whole_has_no_damage(noisy: Callable[..., Path], name: str) -> None:
    late = noisy("clip.mp4").with_name(name)
    with av.open(str(noisy("clip.mp4"))) as source, av.open(str(late), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None and packet.pts is not None:
                packet.pts, packet.dts = (ticks + int(3 / packet.time_base) for ticks in (packet.pts, packet.dts))
                packet.stream = stream
                target.mux(packet)
    found = examine(late)
    assert (found.frames, found.damage) == (40, ())
    assert found.end_ns == 4600 * MS


def test_who_reads_the_log_of_ffmpeg_is_not_disturbed_by_another_thread_that_is_done() -> None:
    before = av.logging.get_level(), av.logging.get_skip_repeated()
    entered, goes_on, levels = threading.Event(), threading.Event(), []

    def read() -> None:
        with logged_errors():
            entered.set()
            goes_on.wait()
            levels.append(av.logging.get_level())

    other = threading.Thread(target=read)
    with logged_errors():
        other.start()
        entered.wait()
    goes_on.set()
    other.join()
    assert levels == [av.logging.ERROR]
    assert (av.logging.get_level(), av.logging.get_skip_repeated()) == before
