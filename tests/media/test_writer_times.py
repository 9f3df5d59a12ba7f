"""Pauses of any length and starts at any epoch come back as they were written, in every container."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from picasso.encode import Codec, EncodedUnit, EncoderConfig, open_encoder
from picasso.errors import MediaError
from picasso.media import StreamKind, StreamWriter, VideoReader, examine, probe
from picasso.media.mp4_boxes import boxes
from picasso.media.muxers import frame_ticks
from picasso.primitives import VideoFrame
from picasso.surface import SurfaceView

S = 1_000_000_000
SIZE_WH = (64, 48)
SUFFIXES = [".mp4", ".mov", ".mkv"]
RATES = [Fraction(25), Fraction(30), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(60000, 1001), Fraction(7)]


def encode(count: int) -> list[EncodedUnit]:
    encoder = open_encoder(EncoderConfig(Codec.H264, *SIZE_WH).fps(25, 1))
    picture = SurfaceView.allocate(encoder.input_format, SIZE_WH, encoder.color)
    picture.memset(100)
    units = [unit for index in range(count) for unit in encoder.encode(picture, index * 40_000_000, 40_000_000)]
    encoder.close()
    return units


UNITS = encode(30)
"""One keyframe, and frames that need it."""


def write(path: Path, times: list[int], rate: Fraction, *, keyframes: bool, fragment: bool = True) -> None:
    kind = StreamKind(Codec.H264, SIZE_WH, rate)
    with StreamWriter(path, kind=kind, fragment=fragment) as writer:
        for index, pts_ns in enumerate(times):
            unit = UNITS[0 if keyframes else index]
            writer.write(EncodedUnit(unit.data, pts_ns, pts_ns, round(S / rate), unit.keyframe))


def read(path: Path) -> list[int]:
    with VideoReader(path) as reader:
        return [frame.pts for frame, _ in reader.frames()]


def as_other_players_see_it(path: Path) -> list[int]:
    """Times by PyAV alone, nanoseconds."""
    with av.open(path) as container:
        return [round(frame.pts * frame.time_base * S) for frame in container.decode(video=0)]


def assert_same(path: Path, times: list[int], rate: Fraction) -> None:
    half_tick_ns = 500_000 if path.suffix == ".mkv" else float(S * frame_ticks(rate) / 2)
    assert read(path) == pytest.approx(times, abs=half_tick_ns + 1)
    assert as_other_players_see_it(path) == pytest.approx(times, abs=half_tick_ns + 1)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("rate", RATES, ids=str)
def test_pauses_around_the_widths_of_a_containers_numbers(tmp_path: Path, suffix: str, rate: Fraction) -> None:
    """Before the pause, 2^31 or 2^32 ticks of 1 ms, 1 µs or the frame's own, less one, exactly, and one more."""
    tick = frame_ticks(rate)
    frame = 1 / rate
    for index, (bits, ticks, more) in enumerate(itertools.product((31, 32), {tick, Fraction(1, 1000)}, (-1, 0, 1))):
        pause = (2**bits + more) * ticks
        times = [round(S * time) for time in (0, frame, frame + pause, 2 * frame + pause, 3 * frame + 2 * pause)]
        path = tmp_path / f"{index}{suffix}"
        write(path, times, rate, keyframes=index % 2 == 0)
        assert_same(path, times, rate)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("start_s", [0, 1, 2147, 2148, 4294, 4295, 5000, 86_400, 2**31, 2**32, 1_700_000_000, 2.5e9])
def test_streams_may_start_at_any_time(tmp_path: Path, suffix: str, start_s: float) -> None:
    rate = Fraction(30)
    times = [round((start_s + index / 30) * S) for index in range(8)]
    path = tmp_path / f"out{suffix}"
    write(path, times, rate, keyframes=False)
    assert_same(path, times, rate)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("pause_s", [1, 32, 33, 66, 2000, 4000, 4300, 5000, 86_400, 30 * 86_400])
def test_pauses_of_any_length_anywhere(tmp_path: Path, suffix: str, pause_s: int) -> None:
    times = [index * 40_000_000 + (index > 10) * pause_s * S + (index > 20) * pause_s * S for index in range(25)]
    path = tmp_path / f"out{suffix}"
    write(path, times, Fraction(25), keyframes=False)
    assert_same(path, times, Fraction(25))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("start_s", [0, 3, 60, 1_700_000_000])
def test_a_late_start_is_no_damage_and_no_length(tmp_path: Path, suffix: str, start_s: int) -> None:
    path = tmp_path / f"out{suffix}"
    write(path, [start_s * S + index * 40_000_000 for index in range(25)], Fraction(25), keyframes=False)
    info = probe(path)
    assert (info.start_ns, info.duration_ns) == (start_s * S, pytest.approx(S, abs=41_000_000))
    assert not examine(path).damage


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize(
    ("start_s", "pause_s", "is_plain"),
    [(0, 0, True), (3, 0, True), (0, 2147, True), (60, 0, False), (1_700_000_000, 0, False), (0, 2148, False)],
)
def test_files_are_plain_where_players_read_them_so(
    tmp_path: Path, suffix: str, start_s: int, pause_s: int, is_plain: bool
) -> None:
    path = tmp_path / f"out{suffix}"
    times = [(start_s + (index > 10) * pause_s) * S + index * 40_000_000 for index in range(25)]
    write(path, times, Fraction(25), keyframes=False)
    assert_same(path, times, Fraction(25))
    top = [kind for kind, _ in boxes(path.read_bytes())]
    assert top == [b"ftyp", b"mdat", b"moov"] if is_plain else top[:4] == [b"ftyp", b"free", b"moov", b"moof"]


def test_a_plain_file_refuses_a_pause_that_it_cannot_express(tmp_path: Path) -> None:
    times = [0, 2147 * S, 2 * 2147 * S]
    write(tmp_path / "out.mp4", times, Fraction(25), keyframes=True, fragment=False)
    assert_same(tmp_path / "out.mp4", times, Fraction(25))
    with pytest.raises(MediaError, match="a pause of 2148 s does not fit into a file that is not fragmented"):
        write(tmp_path / "long.mp4", [0, 2148 * S], Fraction(25), keyframes=True, fragment=False)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_times_that_start_again_go_behind_the_last_frame(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    write(path, [0, 40_000_000, 0, 40_000_000, 5 * S, 20_000_000], Fraction(25), keyframes=True)
    behind = [0, 40_000_000, 80_000_000, 120_000_000, 5 * S + 80_000_000, 5 * S + 120_000_000]
    assert_same(path, behind, Fraction(25))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_decoding_times_may_lie_below_zero(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out{suffix}"
    with StreamWriter(path, kind=StreamKind(Codec.H264, SIZE_WH, Fraction(25))) as writer:
        for index, unit in enumerate(UNITS[:5]):
            writer.write(EncodedUnit(unit.data, index * 40_000_000, (index - 2) * 40_000_000, None, unit.keyframe))
        assert writer.part_path is not None
        writer.flush()
        if suffix != ".mkv":
            assert as_other_players_see_it(writer.part_path) == [index * 40_000_000 for index in range(5)]
    assert as_other_players_see_it(path) == [index * 40_000_000 for index in range(5)]


def test_frames_with_b_frames_in_the_order_in_which_they_are_shown_are_refused(tmp_path: Path) -> None:
    """A file of them would open, and show other pictures than those that were written."""
    with av.open(str(tmp_path / "in.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"x264-params": "bframes=2:b-adapt=0:scenecut=0"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for number in range(12):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(_ramp(number), format="rgb24")))
        container.mux(stream.encode(None))
    with VideoReader(tmp_path / "in.mp4", payload=True) as reader:
        shown = [frame for frame, _ in reader.frames()]
    assert [frame.dts for frame in shown] != sorted(frame.dts for frame in shown)
    writer = StreamWriter(tmp_path / "a.mp4")
    with pytest.raises(MediaError, match="written in the order of decoding"):
        _write_all(writer, shown)
    writer.abandon()
    assert not (tmp_path / "a.mp4").exists()


def _write_all(writer: StreamWriter, frames: list[VideoFrame]) -> None:
    for frame in frames:
        writer.write(frame)


def _ramp(number: int) -> np.ndarray:
    return np.roll(np.tile(np.arange(0, 256, 4, dtype=np.uint8)[None, :, None], (64, 1, 3)), 3 * number, axis=1)
