"""Sound that is copied beside the frames: every packet, at its time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from test_writer import JPEG_KIND, jpeg, unit

from picasso.errors import MediaError
from picasso.media import StreamWriter

NS = 10**9
RATE = 48_000


def record_sound(path: Path, codec: str, seconds: float = 2.0) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=RATE)
        for index in range(round(seconds * RATE / 1024)):
            wave = np.sin(np.arange(1024 * index, 1024 * (index + 1)) * 0.05).astype(np.float32) * 0.3
            frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]), "fltp", "stereo")
            frame.sample_rate, frame.pts = RATE, 1024 * index
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def packets_of(path: Path) -> list[tuple[int, bytes]]:
    """Times in nanoseconds and bytes of the packets of sound."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        return [(round(p.pts * p.time_base * NS), bytes(p)) for p in container.demux(stream) if p.pts is not None]


def samples_of(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(frame.samples for frame in container.decode(audio=0))


def copy(path: Path, target: Path, **options: Any) -> None:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        packets = [packet for packet in container.demux(stream) if packet.pts is not None]
        with StreamWriter(target, kind=JPEG_KIND, sound=[(stream, packets[0])], **options) as writer:
            waiting = list(packets)
            for index in range(50):
                writer.write(unit(index * 40_000_000, data=jpeg(index)))
                while waiting and waiting[0].pts * waiting[0].time_base < Fraction(index + 1, 25):
                    writer.write_sound(waiting.pop(0))
            for packet in waiting:
                writer.write_sound(packet)


@pytest.mark.parametrize("target", ["out.mp4", "out.mov", "out.mkv"])
@pytest.mark.parametrize(
    ("name", "codec"),
    [("in.m4a", "aac"), ("in.ts", "aac"), ("in.mp3", "libmp3lame"), ("in.mkv", "ac3"), ("in.mka", "libopus")],
)
def test_every_packet_is_there_at_its_time(tmp_path: Path, name: str, codec: str, target: str) -> None:
    if codec == "libopus" and target == "out.mov":
        pytest.skip("QuickTime has no Opus")
    given = record_sound(tmp_path / name, codec)
    copy(given, tmp_path / target)
    before, after = packets_of(given), packets_of(tmp_path / target)
    assert len(after) >= len(before) - 1  # what lies before 0 may be cut
    shift = len(before) - len(after)
    times = [time for time, _ in before[shift:]]
    tolerance_ns = 1_100_000 if target == "out.mkv" or name == "in.mka" else 30_000
    assert [time for time, _ in after] == pytest.approx(times, abs=tolerance_ns)
    assert abs(samples_of(tmp_path / target) - samples_of(given)) <= 2 * 1152  # what an encoder adds in front
    with av.open(str(tmp_path / target)) as container:
        frames = [round(frame.pts * frame.time_base * NS) for frame in container.decode(video=0)]
    assert frames == [index * 40_000_000 for index in range(50)]
    if name == "in.ts" and target != "out.mkv":
        assert not any(data.startswith(b"\xff\xf1") for _, data in after)


@pytest.mark.parametrize("target", ["part.mp4", "part.mov", "part.mkv"])
def test_sound_is_there_while_the_file_is_written(tmp_path: Path, target: str) -> None:
    given = record_sound(tmp_path / "in.m4a", "aac")
    with av.open(str(given)) as container:
        stream = container.streams.audio[0]
        packets = [packet for packet in container.demux(stream) if packet.pts is not None]
        writer = StreamWriter(tmp_path / target, kind=JPEG_KIND, sound=[(stream, packets[0])])
        for index in range(100):
            writer.write(unit(index * 40_000_000, data=jpeg(index)))
            if index < len(packets):
                writer.write_sound(packets[index])
        writer.flush()
        assert writer.part_path is not None
        assert samples_of(writer.part_path) > RATE
        writer.abandon()


def test_what_a_container_does_not_hold_is_refused(tmp_path: Path) -> None:
    given = record_sound(tmp_path / "in.mka", "libopus")
    with pytest.raises(MediaError, match=r"out\.mov: "):
        copy(given, tmp_path / "out.mov")
    assert not (tmp_path / "out.mov").exists()
