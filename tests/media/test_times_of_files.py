"""Each file format in each situation: which times its frames get, on real files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from picasso.media import TimesReport, VideoReader, examine
from picasso.primitives import EndOfStream

MS = 1_000_000
SLOT_MS = 40
Packets = list[Any]

FORMATS = {
    "mp4": ("x.mp4", "libx264"),
    "mp4 in fragments": ("f.mp4", "libx264"),
    "mov": ("x.mov", "libx264"),
    "mkv": ("x.mkv", "libx264"),
    "webm": ("x.webm", "libvpx"),
    "ts": ("x.ts", "libx264"),
    "flv": ("x.flv", "libx264"),
    "nut": ("x.nut", "libx264"),
    "asf": ("x.asf", "libx264"),
    "avi h264": ("x.avi", "libx264"),
    "avi mpeg4": ("m.avi", "mpeg4"),
    "avi mjpeg": ("j.avi", "mjpeg"),
    "mpeg-ps": ("x.mpg", "mpeg2video"),
    "h264": ("x.h264", "libx264"),
    "m2v": ("x.m2v", "mpeg2video"),
    "mjpeg": ("x.mjpeg", "mjpeg"),
    "y4m": ("x.y4m", "wrapped_avframe"),
    "gif": ("x.gif", "gif"),
}
"""A name and a codec, with B-frames where it has them."""
WITH_TIMES = [name for name in FORMATS if name not in {"h264", "m2v", "mjpeg", "y4m"}]
COUNTED = ["avi h264", "avi mpeg4", "asf"]
"""Where only the order of decoding is told, with B-frames."""
START_MS = {"flv": 80, "nut": 80, "asf": 40, "ts": 80, "mpeg-ps": 540, "mp4 in fragments": 80}
"""Where a file begins whose first frame was encoded at 0: later by what is decoded ahead, and by the muxer."""


def encode(container: Any, codec: str, slots: Sequence[int]) -> tuple[Any, Packets]:
    """Encode a frame for each slot of 1/25 s, each brighter than the one before."""
    stream = container.add_stream(codec, rate=25)
    stream.width, stream.height = 64, 48
    stream.pix_fmt = {"mjpeg": "yuvj420p", "gif": "gray8"}.get(codec, "yuv420p")
    if codec == "libx264":
        stream.options = {"bf": "2", "b-adapt": "0", "g": "100"}
    elif codec in {"mpeg4", "mpeg2video"}:
        stream.codec_context.max_b_frames = 2
    packets: Packets = []
    for index, slot in enumerate(slots):
        planes = np.full((72, 64), 128, np.uint8)
        planes[:48] = 40 + 8 * index
        frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
        if stream.pix_fmt != "yuv420p":
            frame = frame.reformat(format=stream.pix_fmt, threads=1)
        frame.pts, frame.time_base = slot, Fraction(1, 25)
        packets += stream.encode(frame)
    return stream, [*packets, *stream.encode(None)]


Edit = Callable[[Packets], object]


def write(
    folder: Path,
    form: str,
    slots: Iterable[int],
    edit: Edit = lambda _packets: None,
    codec: str | None = None,
    **options: str,
) -> Path:
    """Write a file of a format; ``edit`` may change the times of its packets."""
    name, usual = FORMATS[form]
    codec = codec or usual
    if form == "mp4 in fragments":
        options["movflags"] = "frag_keyframe+empty_moov"
    path = folder / name
    with av.open(str(path), "w", options=options) as container:
        _, packets = encode(container, codec, [*slots])
        edit(packets)
        for packet in packets:
            container.mux(packet)
    return path


def read(path: Path, **options: Any) -> tuple[list[int | str], list[int], TimesReport]:
    """Return times in milliseconds with ``|`` for an end of stream between, how bright pictures are, and the report."""
    times: list[int | str] = []
    pictures: list[int] = []
    with VideoReader(path, **options) as reader:
        *items, last = reader
        assert isinstance(last, EndOfStream)
        for item in items:
            if isinstance(item, EndOfStream):
                times.append("|")
            else:
                times.append(item[0].pts // MS)
                pictures.append(round(float(item[1].to_numpy()[:40].mean())))
        return times, pictures, reader.times


def from_first(times: Sequence[int | str]) -> list[int]:
    return [int(time) - int(times[0]) for time in times]


@pytest.mark.parametrize("form", FORMATS)
def test_a_steady_rate(tmp_path: Path, form: str) -> None:
    times, pictures, report = read(write(tmp_path, form, range(10)))
    start_ms = START_MS.get(form, 0)
    assert times == [start_ms + SLOT_MS * index for index in range(10)]
    assert pictures == sorted(pictures)
    assert report.restarts == 0
    assert (report.moved > 0) == (form in COUNTED)
    assert report.made == (0 if form in WITH_TIMES or form == "y4m" else 10)


GAPS = {
    "a gap": [0, 1, 2, 3, 4, 55, 56, 57, 58, 59],
    "a variable rate": [0, 1, 3, 4, 8, 9, 10, 15, 16, 20],
    "a frame a second": [0, 25, 50, 75, 76, 100],
}
gaps = pytest.mark.parametrize("slots", GAPS.values(), ids=GAPS)


@gaps
@pytest.mark.parametrize("form", [form for form in WITH_TIMES if form not in {*COUNTED, "mpeg-ps"}])
def test_a_gap_stays_a_gap_and_a_variable_rate_stays_variable(tmp_path: Path, form: str, slots: list[int]) -> None:
    times, pictures, report = read(write(tmp_path, form, slots))
    assert from_first(times) == [SLOT_MS * slot for slot in slots]
    assert pictures == sorted(pictures)
    assert report == TimesReport()


@gaps
@pytest.mark.parametrize("form", ["avi h264", "avi mpeg4"])
def test_where_packets_are_counted_a_gap_comes_as_many_frames_late_as_are_decoded_ahead(
    tmp_path: Path, form: str, slots: list[int]
) -> None:
    """The container holds nothing else: players show the same."""
    counted: list[int] = []
    path = write(tmp_path, form, slots, lambda packets: counted.extend(packet.dts for packet in packets))
    times, pictures, report = read(path)
    assert from_first(times) == [SLOT_MS * (slot - counted[0]) for slot in counted]
    assert pictures == sorted(pictures)
    assert report.moved > 0
    assert report.made == report.restarts == 0


def steady(count: int, begin_ms: int = 0) -> list[int]:
    return [begin_ms + SLOT_MS * index for index in range(count)]


@pytest.mark.parametrize("form", ["mp4", "mp4 in fragments", "mov", "mkv", "ts", "flv", "nut"])
def test_pts_that_are_dts_are_sorted(tmp_path: Path, form: str) -> None:
    def count_packets(packets: Packets) -> None:
        for packet in packets:
            packet.pts = packet.dts = packet.dts + 2

    times, pictures, report = read(write(tmp_path, form, range(20), count_packets))
    assert from_first(times) == steady(20)
    assert pictures == sorted(pictures)
    assert report.moved > 0
    assert report.made == report.restarts == 0


@pytest.mark.parametrize("form", ["mkv", "flv"])
@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([0, 1, 1, 3, 4, 5], [0, 40, 80, 120, 160, 200]),
        ([0, 1, 2, 2, 2, 5], [0, 40, 80, 120, 160, 200]),
        ([0, 1, 2, 3, 3], [0, 40, 80, 120, 160]),
        ([0] * 20, steady(20)),
    ],
    ids=["two", "three", "at the end", "all"],
)
def test_equal_times_are_spread(tmp_path: Path, form: str, given: list[int], wanted: list[int]) -> None:
    def repeat(packets: Packets) -> None:
        for packet, slot in zip(packets, given, strict=True):
            packet.pts = packet.dts = slot

    codec = "flv1" if form == "flv" else "mjpeg"
    path = write(tmp_path, form, range(len(given)), repeat, "flv" if codec == "flv1" else codec)
    times, pictures, report = read(path)
    assert times == wanted
    assert pictures == sorted(pictures)
    assert report == TimesReport(made=sum(slot * SLOT_MS != time for slot, time in zip(given, wanted, strict=True)))


def without_times(path: Path, left_out: Callable[[int], bool]) -> Path:
    """Clear the flags of a transport stream's packets that say that a time follows."""
    data = bytearray(path.read_bytes())
    number, at = 0, 0
    while (at := data.find(b"\0\0\1\xe0", at)) >= 0:
        if left_out(number):
            data[at + 7] &= 0x3F
        number, at = number + 1, at + 4
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
@pytest.mark.parametrize(
    "left_out",
    [lambda n: n < 3, lambda n: 4 <= n < 8, lambda n: n >= 15, lambda n: n % 2 == 1, lambda _n: True],
    ids=["at first", "in the middle", "at the end", "every other", "everywhere"],
)
def test_missing_times_are_filled(tmp_path: Path, codec: str, left_out: Callable[[int], bool]) -> None:
    path = without_times(write(tmp_path, "ts", range(20), codec=codec), left_out)
    times, pictures, _ = read(path)
    assert len(times) == 20
    assert from_first(times) == steady(20)
    assert pictures == sorted(pictures)


@pytest.mark.parametrize("form", ["ts", "mpeg-ps"])
@pytest.mark.parametrize("policy", ["continue", "segment", "reset"])
def test_times_that_start_again_follow_the_policy(tmp_path: Path, form: str, policy: str) -> None:
    path = write(tmp_path, form, range(10))
    once, _, _ = read(path)
    path.write_bytes(path.read_bytes() * 3)
    times, pictures, report = read(path, on_restart=policy)
    assert (
        times
        == {
            "continue": steady(30, START_MS[form]),
            "segment": [*once, "|", *once, "|", *once],
            "reset": once * 3,
        }[policy]
    )
    assert len(pictures) == 30
    assert report == TimesReport(restarts=2)


@pytest.mark.parametrize("policy", ["continue", "segment", "reset"])
@pytest.mark.parametrize("form", ["mp4", "ts", "avi h264", "h264", "gif"])
def test_a_loop_is_a_restart_that_is_not_reported(tmp_path: Path, form: str, policy: str) -> None:
    path = write(tmp_path, form, range(8))
    once, _, _ = read(path)
    times, _, report = read(path, loops=2, on_restart=policy)
    end_ms = int(once[-1]) + SLOT_MS
    again = steady(8, end_ms) if policy == "continue" else once
    assert times == [*once, *(["|"] if policy == "segment" else []), *again]
    assert report.restarts == 0


def test_an_overlap_is_a_restart(tmp_path: Path) -> None:
    path = write(tmp_path, "ts", range(10))
    first = path.read_bytes()
    path.write_bytes(first + write(tmp_path, "ts", range(6, 16)).read_bytes())
    times, _, report = read(path)
    assert from_first(times) == steady(20)
    assert report == TimesReport(restarts=1)


TURN_SLOTS = 2**33 // 3600
"""Frames of 1/25 s in which the clock of a transport stream, 33 bits at 90 kHz, begins at 0 again."""


@pytest.mark.parametrize("before", [3, 9, 20])
def test_the_clock_of_a_transport_stream_goes_on_when_it_begins_at_0_again(tmp_path: Path, before: int) -> None:
    times, pictures, report = read(write(tmp_path, "ts", range(TURN_SLOTS - before, TURN_SLOTS - before + 20)))
    assert from_first(times) == steady(20)
    assert pictures == sorted(pictures)
    assert report == TimesReport()


@pytest.mark.parametrize("hours", [1, 12, 26])
def test_a_camera_that_restarts_after_hours_is_a_restart_and_no_gap(tmp_path: Path, hours: int) -> None:
    """FFmpeg takes a fall by more than a minute for the clock's turn, and adds 26 hours."""
    begin = hours * 3600 * 25
    path = write(tmp_path, "ts", range(begin, begin + 10))
    first = path.read_bytes()
    path.write_bytes(first + write(tmp_path, "ts", range(10)).read_bytes())
    times, _, report = read(path, on_restart="segment")
    assert times == [*steady(10, hours * 3_600_000), "|", *steady(10, 80)]
    assert report == TimesReport(restarts=1)
    assert from_first(read(path)[0]) == steady(20)


@pytest.mark.parametrize("form", ["mp4", "mov"])
def test_frames_that_an_edit_list_leaves_out_are_not_missing(tmp_path: Path, form: str) -> None:
    path = write(tmp_path, form, range(20))
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 12
    ticks = int.from_bytes(data[data.index(b"mdhd") + 16 : data.index(b"mdhd") + 20], "big")
    begin = int.from_bytes(data[at + 4 : at + 8], "big") + 5 * ticks // 25
    data[at : at + 4] = (600).to_bytes(4, "big")  # fifteen frames, in milliseconds
    data[at + 4 : at + 8] = begin.to_bytes(4, "big")
    path.write_bytes(data)
    times, pictures, report = read(path)
    assert times == steady(15)
    assert pictures == sorted(pictures)
    assert report == TimesReport()
    assert examine(path).damage == ()


def test_what_was_done_is_logged_once_a_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path, "ts", range(10))
    path.write_bytes(path.read_bytes() * 2)
    with caplog.at_level(logging.INFO, "picasso.media"):
        read(path)
        read(write(tmp_path, "avi h264", range(8)))
        read(write(tmp_path, "mp4", range(8)))
        read(write(tmp_path, "h264", range(8)))
    levels = {record.levelno: record.getMessage() for record in caplog.records}
    assert len(caplog.records) == 2
    assert levels[logging.WARNING] == f"{path}: the times start again at 1 frame"
    assert levels[logging.INFO].endswith("frames were in the order of decoding")


def test_an_unknown_policy_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown policy 'stop' for timestamps that start again; one of continue"):
        VideoReader(write(tmp_path, "ts", range(2)), on_restart="stop")
