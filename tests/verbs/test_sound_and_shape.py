"""Sound, shapes of pixels, turns and times stay right through every verb; nothing is written over what is read."""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from picasso.cli.app import app
from picasso.errors import SpecError
from picasso.media import VideoReader, probe
from picasso.verbs import beside_each_other, contact_sheet, crop_video, process_video, write_gif

RATE_HZ = 16_000
SECONDS = 3


def tone(second: int) -> int:
    """Hertz: another in each second."""
    return 400 + 300 * second


@pytest.fixture(scope="module")
def loud(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3 s of 64x48 at 25 a second, grey as its second, with a tone of its own in each."""
    path = tmp_path_factory.mktemp("loud") / "in.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"g": "10"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("aac", rate=RATE_HZ, layout="mono")
        for number in range(25 * SECONDS):
            pixels = np.full((48, 64, 3), 60 + 60 * (number // 25), np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        for second in range(SECONDS):
            wave = np.sin(2 * np.pi * tone(second) * np.arange(RATE_HZ) / RATE_HZ) * 0.5
            frame = av.AudioFrame.from_ndarray(wave.astype(np.float32)[None], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, second * RATE_HZ
            container.mux(sound.encode(frame))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))
    return path


def sound_of(path: Path) -> tuple[float, Any]:
    """When the sound begins, seconds, and its samples."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    assert frames[0].time is not None
    return frames[0].time, np.concatenate([frame.to_ndarray()[0] for frame in frames])


def pitch_of(samples: Any) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * RATE_HZ / len(samples))


def packets_of(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_sound_is_copied_packet_by_packet(loud: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"out{suffix}"
    assert process_video(loud, out) == 25 * SECONDS
    copied, given = packets_of(out), packets_of(loud)
    assert copied == given[-len(copied) :]
    assert len(given) - len(copied) <= 1  # what ends before the first frame: AAC begins with silence
    assert probe(out).audio[0].codec == "aac"


def test_a_span_has_its_own_sound_and_begins_at_0(loud: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    assert process_video(loud, out, start_s=1, end_s=2, stride=5) == 5
    begin_s, samples = sound_of(out)
    assert begin_s == pytest.approx(0, abs=0.1)
    assert begin_s + len(samples) / RATE_HZ == pytest.approx(1, abs=0.1)
    middle = samples[int((0.2 - begin_s) * RATE_HZ) : int((0.8 - begin_s) * RATE_HZ)]
    assert pitch_of(middle) == pytest.approx(tone(1), abs=10)
    with VideoReader(out, pixel_format="gray") as reader:
        frames = list(reader.frames())
    assert [frame.pts for frame, _ in frames] == [200_000_000 * number for number in range(5)]
    assert all(abs(float(np.asarray(surface).mean()) - 120) < 6 for _, surface in frames)


def test_sound_and_pictures_of_the_end_of_a_file_go_together(loud: Path, tmp_path: Path) -> None:
    process_video(loud, tmp_path / "out.mkv", start_s=1.5)
    begin_s, samples = sound_of(tmp_path / "out.mkv")
    for second, at_s in ((1, 0.25), (2, 1.0)):
        start = int((at_s - 0.15 - begin_s) * RATE_HZ)
        assert pitch_of(samples[start : start + int(0.3 * RATE_HZ)]) == pytest.approx(tone(second), abs=10)


def silent(path: Path) -> bool:
    return not probe(path).audio


def test_sound_is_left_out_where_that_is_wanted_or_there_is_none(loud: Path, tmp_path: Path) -> None:
    process_video(loud, tmp_path / "out.mp4", audio=False)
    assert silent(tmp_path / "out.mp4")
    process_video(tmp_path / "out.mp4", tmp_path / "again.mp4")
    assert silent(tmp_path / "again.mp4")
    crop_video(loud, tmp_path / "crop.mp4", (0, 0, 32, 32), audio=False)
    assert silent(tmp_path / "crop.mp4")


def test_sound_that_the_container_cannot_hold_is_left_out_with_a_warning(
    loud: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = tmp_path / "in.mkv"
    with av.open(str(loud)) as given, av.open(str(source), "w") as made:
        video = made.add_stream_from_template(given.streams.video[0])
        sound = made.add_stream("wavpack", rate=RATE_HZ, layout="mono")
        for packet in given.demux(video=0):
            if packet.size:
                packet.stream = video
                made.mux(packet)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, RATE_HZ), np.float32), format="fltp", layout="mono")
        silence.sample_rate = RATE_HZ
        made.mux(sound.encode(silence))
        made.mux(sound.encode(None))
    process_video(source, tmp_path / "out.mp4")
    assert silent(tmp_path / "out.mp4")
    assert "audio stream 0 (wavpack) is left out" in caplog.text


def test_two_videos_beside_each_other_keep_the_sound_of_the_first(loud: Path, tmp_path: Path) -> None:
    beside_each_other(loud, loud, tmp_path / "both.mp4")
    assert packets_of(tmp_path / "both.mp4") == packets_of(loud)[1:]


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48x64 stored, of pixels twice as wide as high: 96x64 on a screen. A square stands in the middle there."""
    path = tmp_path_factory.mktemp("wide") / "in.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = 48, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(2)
        pixels = np.zeros((64, 48, 3), np.uint8)
        pixels[16:48, 16:32] = 255
        for _ in range(6):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def square_in(gray: Any) -> tuple[int, int, int, int]:
    """Left, top, width and height of what is white."""
    rows, columns = np.flatnonzero((gray > 128).any(1)), np.flatnonzero((gray > 128).any(0))
    return columns[0], rows[0], columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0]


def first_gray(path: Path) -> Any:
    with VideoReader(path, pixel_format="gray") as reader:
        return np.asarray(reader[0][1])


def test_a_square_on_the_screen_stays_one_in_every_verb(wide: Path, tmp_path: Path) -> None:
    assert probe(wide).display_size_wh == (96, 64)
    process_video(wide, tmp_path / "out.mp4", crf=4)
    crop_video(wide, tmp_path / "crop.mp4", (8, 8, 40, 56), crf=4)
    beside_each_other(wide, wide, tmp_path / "both.mp4", crf=4)
    write_gif(wide, tmp_path / "out.gif", width=96)
    sheet = np.asarray(contact_sheet(wide, columns=1, rows=1, width=104))[..., 0]
    gif = first_gray(tmp_path / "out.gif")
    assert first_gray(tmp_path / "out.mp4").shape == (64, 96)
    assert gif.shape == (64, 96)
    assert first_gray(tmp_path / "crop.mp4").shape == (48, 64)
    assert first_gray(tmp_path / "both.mp4").shape == (64, 192)
    pictures = [first_gray(tmp_path / "out.mp4"), first_gray(tmp_path / "crop.mp4"), gif, sheet]
    pictures.append(first_gray(tmp_path / "both.mp4")[:, 96:])
    for picture in pictures:
        _, _, width, height = square_in(picture)
        assert abs(width - height) <= 2
        assert abs(height - 32) <= 2


def turned(path: Path, target: Path) -> Path:
    with av.open(str(path)) as given, av.open(str(target), "w") as made:
        stream = made.add_stream_from_template(given.streams.video[0])
        stream.set_display_rotation(90)
        for packet in given.demux(video=0):
            if packet.size:
                packet.stream = stream
                made.mux(packet)
    return target


def test_a_video_that_is_stored_turned_comes_out_upright(loud: Path, tmp_path: Path) -> None:
    source = turned(loud, tmp_path / "turned.mp4")
    assert probe(source).upright_size_wh == (48, 64)
    process_video(source, tmp_path / "out.mp4")
    crop_video(source, tmp_path / "crop.mp4", (0, 32, 48, 64))
    write_gif(source, tmp_path / "out.gif", width=48, end_s=0.5)
    assert probe(tmp_path / "out.mp4").size_wh == (48, 64)
    assert probe(tmp_path / "out.mp4").rotation_deg == 0
    assert probe(tmp_path / "crop.mp4").size_wh == (48, 32)
    assert probe(tmp_path / "out.gif").size_wh == (48, 64)
    assert contact_sheet(source, columns=1, rows=1, width=56).size_wh == (56, 72)


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames at 0, 0.04, 0.08, then 1, 1.5 and 1.52 s."""
    path = tmp_path_factory.mktemp("uneven") / "in.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, at_ms in enumerate((0, 40, 80, 1000, 1500, 1520)):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 20 + 40 * number, np.uint8), format="rgb24")
            frame.pts, frame.time_base = at_ms, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_times_of_an_uneven_rate_are_kept(uneven: Path, tmp_path: Path) -> None:
    process_video(uneven, tmp_path / "out.mp4")
    with VideoReader(uneven) as before, VideoReader(tmp_path / "out.mp4") as after:
        times = [frame.pts for frame, _ in before.frames()]
        assert [frame.pts for frame, _ in after.frames()] == pytest.approx(times, abs=1_000_000)


def test_a_gif_shows_pictures_as_long_as_the_video_does(uneven: Path, tmp_path: Path) -> None:
    assert write_gif(uneven, tmp_path / "all.gif", fps=50, width=64) == 6
    assert write_gif(uneven, tmp_path / "few.gif", fps=10, width=64) == 3
    for name, times_ms in (("all", [0, 40, 80, 1000, 1500, 1520]), ("few", [0, 1000, 1500])):
        with av.open(str(tmp_path / f"{name}.gif")) as container:
            frames = [frame for frame in container.decode(video=0) if frame.time is not None]
            assert [round(float(frame.time or 0) * 1000) for frame in frames] == times_ms


def test_a_gif_of_a_pipe_is_that_of_the_file(loud: Path, tmp_path: Path) -> None:
    source = tmp_path / "in.mkv"
    process_video(loud, source, end_s=1, audio=False)
    read, write = os.pipe()
    data = source.read_bytes()
    assert len(data) < 65_536  # what a pipe holds
    os.write(write, data)
    os.close(write)
    piped = write_gif(f"pipe:{read}", tmp_path / "pipe.gif", width=64)
    assert piped == write_gif(source, tmp_path / "file.gif", width=64) == 10
    assert (tmp_path / "pipe.gif").read_bytes() == (tmp_path / "file.gif").read_bytes()


OVER: dict[str, Callable[[Path], Any]] = {
    "process_video": lambda file: process_video(file, file),
    "crop_video": lambda file: crop_video(file, file, (0, 0, 32, 32)),
    "beside_each_other": lambda file: beside_each_other(file.parent / "other.mp4", file, file),
    "through a link": lambda file: process_video(file, file.parent / "link.mp4"),
    "another name": lambda file: process_video(str(file), f"{file.parent}/./{file.name}"),
}


@pytest.mark.parametrize("call", OVER.values(), ids=OVER)
def test_nothing_is_written_over_what_is_read(loud: Path, tmp_path: Path, call: Callable[[Path], Any]) -> None:
    file = tmp_path / "in.mp4"
    file.write_bytes(loud.read_bytes())
    (tmp_path / "other.mp4").write_bytes(loud.read_bytes())
    (tmp_path / "link.mp4").symlink_to(file)
    with pytest.raises(SpecError, match="is read and written at once"):
        call(file)
    assert file.read_bytes() == loud.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sheet", "{clip}", "-o", "{folder}/s.png"], "16/16 frames"),
        (["gif", "{clip}", "-o", "{folder}/x.gif", "--width", "64"], "30/30 frames"),
        (["crop", "{clip}", "0,0,32,32", "-o", "{folder}/c.mp4"], "75/75 frames"),
        (["compare", "{clip}", "{clip}"], "compared: 75/75 frames"),
        (["compare", "{clip}", "{clip}", "--side-by-side", "{folder}/b.mp4"], "written: 75/75 frames"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_the_commands_say_how_far_they_are(loud: Path, tmp_path: Path, arguments: list[str], said: str) -> None:
    given = [one.format(clip=loud, folder=tmp_path) for one in arguments]
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 0
    assert said in " ".join(result.stderr.split())
    quiet = CliRunner().invoke(app, [*given, "--quiet"])
    assert (quiet.exit_code, quiet.stderr) == (0, "")


@pytest.mark.parametrize("name", ["sheet", "gif", "crop", "compare", "track"])
def test_each_command_has_help_with_an_example(name: str) -> None:
    result = CliRunner().invoke(app, [name, "--help"])
    assert result.exit_code == 0
    assert f"Example: picasso {name} in.mp4" in " ".join(result.output.split())


BAD: list[tuple[list[str], int, str]] = [
    (["sheet", "none.mp4"], 1, "none.mp4: No such file"),
    (["gif", "none.mp4"], 1, "none.mp4: No such file"),
    (["crop", "none.mp4", "0,0,32,32"], 1, "none.mp4: No such file"),
    (["compare", "{clip}", "none.mp4"], 1, "none.mp4: No such file"),
    (["sheet", "text.mp4"], 1, "text.mp4: Invalid data"),
    (["gif", "text.mp4"], 1, "text.mp4: Invalid data"),
    (["crop", "text.mp4", "0,0,32,32"], 1, "text.mp4: Invalid data"),
    (["compare", "text.mp4", "{clip}"], 1, "text.mp4: Invalid data"),
    (["sheet", "{clip}", "-o", "none/x.png"], 1, "none/x.png: No such file"),
    (["gif", "{clip}", "-o", "none/x.gif"], 1, "none/x.gif: No such file"),
    (["crop", "{clip}", "0,0,32,32", "-o", "none/x.mp4"], 1, "none/x.mp4: No such file"),
    (["crop", "{clip}", "0,0,32,32", "-o", "{clip}"], 2, "is read and written at once"),
    (["crop", "{clip}", "0,0,32,32", "-o", "x.avi"], 2, "unknown container '.avi'"),
    (["crop", "{clip}", "900,0,32,32", "-o", "x.mp4"], 2, "holds no pixel of a picture of 64x48"),
    (["compare", "{clip}", "{clip}", "--side-by-side", "{clip}"], 2, "is read and written at once"),
    (["gif", "{clip}", "--start", "2", "--end", "1"], 2, "expected more than start_s"),
    (["gif", "{clip}", "--start", "99"], 1, "no frame between start_s and end_s"),
]


@pytest.mark.parametrize(("arguments", "code", "words"), BAD, ids=[" ".join(row[0]) for row in BAD])
def test_bad_input_of_a_command_is_named_and_leaves_nothing(
    loud: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.mp4").write_text("no video")
    before = loud.read_bytes()
    result = CliRunner().invoke(app, [one.format(clip=loud) for one in arguments])
    said = " ".join(result.output.split())
    assert (result.exit_code, words in said) == (code, True), said
    assert [path.name for path in tmp_path.iterdir()] == ["text.mp4"]
    assert loud.read_bytes() == before
