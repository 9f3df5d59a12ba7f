"""``picasso encode`` copies the sound of its input: every packet as it is, at its time beside the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from running import Done, picasso

FLASH_S = 1.2
"""When the picture turns white and the sound begins."""
RATE = 48_000


def record(
    path: Path,
    codecs: Sequence[str] = ("aac",),
    *,
    seconds: float = 2,
    sound_s: float | None = None,
    later_s: float = 0,
) -> Path:
    """Grey pictures at 25 a second that turn white at FLASH_S, and silence that becomes a tone then.

    ``later_s`` moves picture and sound to a later start.
    """
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"tune": "zerolatency"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        tracks = [container.add_stream(codec, rate=RATE, layout="mono") for codec in codecs]
        for track, language in zip(tracks, ("deu", "fra"), strict=False):
            track.metadata["language"] = language
        for index in range(round(25 * seconds)):
            planes = np.full((72, 64), 128, np.uint8)
            planes[:48] = 235 if index / 25 >= FLASH_S else 60
            frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
            frame.pts, frame.time_base = index + round(25 * later_s), Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for track in tracks:
            form = track.codec_context.format.name
            count = round(RATE * (seconds if sound_s is None else sound_s))
            times = np.arange(count) / RATE
            tone = np.where(times >= FLASH_S, 0.5 * np.sin(2 * np.pi * 440 * times), 0)
            kinds = {"fltp": (1, np.float32), "s16": (2**15 - 1, np.int16), "s16p": (2**15 - 1, np.int16)}
            scale, dtype = kinds.get(form, (2**31 - 1, np.int32))
            samples = (tone * scale).astype(dtype)
            frame = av.AudioFrame.from_ndarray(samples[None], form, "mono")
            frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
            fifo = av.AudioFifo()
            fifo.write(frame)
            while (piece := fifo.read(track.codec_context.frame_size or 1024, partial=True)) is not None:
                piece.pts += round(RATE * later_s)
                container.mux(track.encode(piece))
            container.mux(track.encode(None))
    return path


def packets(path: Path, index: int = 0) -> list[tuple[float, bytes]]:
    """Time in seconds and bytes of each packet of a stream of sound."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[index]
        return [(float(p.pts * p.time_base), bytes(p)) for p in container.demux(stream) if p.size and p.pts is not None]


def picture_times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


def first_picture_s(path: Path) -> float:
    """When the container says that the first picture is decoded: AVI says no more, and there are no B-frames."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        packet = next(packet for packet in container.demux(video) if packet.size)
        return float(packet.dts * packet.time_base)


def encode(*arguments: object) -> Done:
    done = picasso("encode", "-q", *arguments)
    assert done.code == 0, done.err
    return done


@pytest.mark.parametrize(
    ("source", "codec", "target"),
    [
        ("in.mp4", "aac", "out.mp4"),
        ("in.mp4", "aac", "out.mkv"),
        ("in.mkv", "libopus", "out.mp4"),
        ("in.mkv", "flac", "out.mkv"),
        ("in.mov", "pcm_s16le", "out.mov"),
        ("in.mkv", "ac3", "out.mp4"),
        ("in.ts", "aac", "out.mkv"),
        ("in.avi", "libmp3lame", "out.mp4"),
    ],
)
def test_packets_are_copied_at_their_times(tmp_path: Path, source: str, codec: str, target: str) -> None:
    given, out = record(tmp_path / source, [codec]), tmp_path / target
    encode(given, "-o", out)
    start = first_picture_s(given) - first_picture_s(out)
    before, after = packets(given), packets(out)
    before = before[len(before) - len(after) :]
    assert len(before) > 20
    for (was_s, _), (is_s, _) in zip(before, after, strict=True):
        assert is_s + start == pytest.approx(was_s, abs=0.0011)
    if source != "in.ts":  # there each packet has a header of its own
        assert [data for _, data in before] == [data for _, data in after]
    assert len(packets(given)) - len(after) <= 2  # what ends before the first picture


@pytest.mark.parametrize("later_s", [0, 7.4])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_the_tone_begins_with_the_flash(tmp_path: Path, suffix: str, later_s: float) -> None:
    out = tmp_path / f"out.{suffix}"
    encode(record(tmp_path / "in.mkv", later_s=later_s), "-o", out)
    with av.open(str(out)) as container:
        flash_s = next(f.time for f in container.decode(video=0) if f.to_ndarray()[:48].mean() > 150)
    with av.open(str(out)) as container:
        tone_s = next(
            frame.time + float(np.argmax(np.abs(frame.to_ndarray()[0]) > 0.1)) / RATE
            for frame in container.decode(audio=0)
            if np.abs(frame.to_ndarray()).max() > 0.1
        )
    assert flash_s == pytest.approx(later_s + FLASH_S, abs=0.03)
    assert tone_s == pytest.approx(flash_s, abs=0.03)


def test_only_the_sound_of_the_excerpt_is_copied(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    encode(record(tmp_path / "in.mp4"), "-o", out, "--seconds", "0.8")
    times = [time for time, _ in packets(out)]
    assert 0.75 < times[-1] < 0.8


@pytest.mark.parametrize(("seconds", "sound_s"), [(1, 2), (2, 1)])
def test_sound_may_be_longer_or_shorter_than_the_pictures(tmp_path: Path, seconds: float, sound_s: float) -> None:
    out = tmp_path / "out.mp4"
    encode(record(tmp_path / "in.mp4", seconds=seconds, sound_s=sound_s), "-o", out)
    assert len(picture_times(out)) == 25 * seconds
    assert packets(out)[-1][0] == pytest.approx(sound_s, abs=0.06)


def test_sound_follows_when_the_times_start_again(tmp_path: Path) -> None:
    one = record(tmp_path / "one.ts").read_bytes()
    both, out = tmp_path / "both.ts", tmp_path / "out.mp4"
    both.write_bytes(one + one)
    encode(both, "-o", out)
    pictures, times = picture_times(out), [time for time, _ in packets(out)]
    assert len(pictures) == 100
    second = [time for time in times if time >= pictures[50]]
    assert second[0] - pictures[50] == pytest.approx(times[0] - pictures[0], abs=0.03)
    assert len(second) == pytest.approx(len(times) / 2, abs=2)


def test_sound_ends_where_times_may_go_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one = record(tmp_path / "one.ts").read_bytes()
    both, out = tmp_path / "both.ts", tmp_path / "out.mkv"
    both.write_bytes(one + one)
    encode(both, "-o", out, "--on-restart", "reset")
    assert len(picture_times(out)) == 100
    assert 0.8 < packets(out)[-1][0] - packets(out)[0][0] < 2.1
    assert [r for r in caplog.records if "times of the source start again" in r.getMessage()]


def test_every_stream_is_copied_with_its_language(tmp_path: Path) -> None:
    for target in ("out.mp4", "out.mkv"):
        out = tmp_path / target
        encode(record(tmp_path / "in.mkv", ["aac", "ac3"]), "-o", out)
        with av.open(str(out)) as container:
            found = [(s.codec_context.name, s.metadata.get("language")) for s in container.streams.audio]
        assert found == [("aac", "deu"), ("ac3", "fra")]


def test_no_audio_leaves_it_out(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    encode(record(tmp_path / "in.mp4"), "-o", out, "--no-audio")
    with av.open(str(out)) as container:
        assert not container.streams.audio


def test_what_a_container_cannot_hold_is_left_out_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    given, out = record(tmp_path / "in.avi", ["adpcm_ms"]), tmp_path / "out.mp4"
    encode(given, "-o", out)
    with av.open(str(out)) as container:
        assert not container.streams.audio
    assert len(picture_times(out)) == 50
    said = [record.getMessage() for record in caplog.records if "left out" in record.getMessage()]
    assert len(said) == 1
    assert said[0].startswith(f"{given}: audio stream 0 (adpcm_ms) is left out: .mp4 cannot hold it")


def test_images_have_no_sound_and_nothing_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    encode(record(tmp_path / "in.mp4"), "-o", tmp_path / "images", "--codec", "jpeg", "--seconds", "0.1")
    assert not [record for record in caplog.records if "left out" in record.getMessage()]
