"""Disks that are full, folders that vanish, and the order in which files reach the disk."""

from __future__ import annotations

import errno
import gc
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_writer import JPEG, JPEG_KIND, output, times_of, unit

from picasso.encode import Codec
from picasso.engine import OutputMessage
from picasso.errors import MediaError
from picasso.media import ImageSequenceWriter, MetadataReader, MetadataWriter, StreamWriter
from picasso.primitives import EndOfStream, VideoFrame
from picasso.signals import Stopped, stop_on_signals

MS = 1_000_000
LIMIT_BYTES = 100_000
LIMITED = """
import json, os, resource, sys
from fractions import Fraction
sys.path.insert(0, sys.argv[2])
from test_writer import JPEG_KIND, unit
from picasso.encode import Codec
from picasso.media import ImageSequenceWriter, MetadataWriter, StreamWriter
from picasso.primitives import VideoFrame
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
os.chdir(sys.argv[1])
big = b"\\xff\\xd8" + bytes(5000)
def run(name, writer, things):
    said, safe = [], 0
    for thing in things:
        try:
            writer.write(thing)
        except OSError as error:
            said.append(str(error))
    closed = []
    for _ in range(2):
        try:
            writer.close()
            closed.append(None)
        except OSError as error:
            closed.append(str(error))
    held = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
    leaked = [fd for fd in held if os.path.exists(fd) and os.readlink(fd).startswith(os.getcwd())]
    return {"said": said, "closed": closed, "safe": getattr(writer, "safe_frames", None), "leaked": leaked}
frames = [unit(index * 40_000_000, data=big) for index in range(60)]
found = {}
options_of = {"plain.mp4": {"fragment": False}, "b.mp4": {"fsync": True}}
for name in ("a.mp4", "a.mov", "a.mkv", "plain.mp4", "b.mp4"):
    options = options_of.get(name, {})
    with open(name, "wb") as file:
        file.write(b"before")
    found[name] = run(name, StreamWriter(name, kind=JPEG_KIND, **options), frames)
found["a.ndjson"] = run("a.ndjson", MetadataWriter("a.ndjson"), [VideoFrame("x" * 5000, "30/1", 64, 48)] * 60)
print(json.dumps(found))
"""
"""Writers in a process whose files may be so large only; the system refuses as a full disk does."""


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("full")
    command = [sys.executable, "-c", LIMITED, str(folder), str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return folder, json.loads(done.stdout)


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "b.mp4"])
def test_a_full_disk_is_told_once_and_what_fitted_plays(full: tuple[Path, dict[str, Any]], name: str) -> None:
    folder, found = full
    result = found[name]
    part = folder / name.replace(".", ".part.")
    assert len(result["said"]) == 1
    assert f"{name}: File too large; " in result["said"][0]
    assert str(part) in result["closed"][0]
    assert result["closed"][1] is None
    assert result["leaked"] == []
    assert (folder / name).read_bytes() == b"before"
    assert f"{result['safe']} frames safe in" in result["closed"][0]
    assert f"{60 - result['safe']} frames lost" in result["closed"][0]
    assert 10 <= result["safe"] < 20
    assert times_of_undecoded(part) == [index * 40 * MS for index in range(result["safe"])]
    assert part.stat().st_size <= LIMIT_BYTES


def test_a_plain_file_on_a_full_disk_is_lost_and_says_so(full: tuple[Path, dict[str, Any]]) -> None:
    folder, found = full
    assert "no frame is safe, 60 frames lost" in found["plain.mp4"]["closed"][0]
    assert (folder / "plain.mp4").read_bytes() == b"before"
    assert not (folder / "plain.part.mp4").exists()


def test_lines_on_a_full_disk_are_whole(full: tuple[Path, dict[str, Any]]) -> None:
    folder, found = full
    result = found["a.ndjson"]
    assert len(result["said"]) == 1
    with MetadataReader(folder / "a.part.ndjson") as reader:
        count = len(list(reader.frames()))
    assert f"{count} lines safe in" in result["closed"][0]
    assert f"{60 - count} lost" in result["closed"][0]
    assert result["leaked"] == []


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_signal_while_the_disk_is_full_hides_no_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def write(_fd: int, _data: object) -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def write_all() -> None:
        for index in range(100):
            writer.write(unit(index * 40 * MS))

    writer = StreamWriter(tmp_path / name, kind=JPEG_KIND)
    with monkeypatch.context() as patched, stop_on_signals(exits=False):
        patched.setattr(os, "write", write)
        with pytest.raises(Stopped):
            write_all()
    taken = writer.frames
    with pytest.raises(MediaError, match=f"No space left on device; no frame is safe, {taken + 1} frames? lost"):
        writer.close()
    assert not (tmp_path / name).exists()


def test_a_signal_while_a_file_is_closed_leaves_the_failure_to_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fsync(_fd: int) -> None:
        if stop.signum is None:
            os.kill(os.getpid(), signal.SIGTERM)
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    path = tmp_path / "a.mp4"
    writer = StreamWriter(path, kind=JPEG_KIND)
    for index in range(3):
        writer.write(unit(index * 40 * MS))
    with monkeypatch.context() as patched, stop_on_signals(exits=False) as stop:
        patched.setattr(os, "fsync", fsync)
        with pytest.raises(Stopped):
            writer.close()
    assert [record.message for record in caplog.records] == [
        f"{path}: Input/output error; 3 frames written to {tmp_path / 'a.part.mp4'}"
    ]
    writer.close()
    assert writer.paths == ()


def times_of_undecoded(path: Path) -> list[int]:
    """Times of packets whose pictures are none."""
    import av

    with av.open(path) as container:
        (video,) = container.streams.video
        assert video.time_base is not None
        return [
            round(packet.pts * video.time_base * 10**9) for packet in container.demux(video) if packet.pts is not None
        ]


@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv", "out.ndjson"])
def test_a_folder_that_vanishes_is_told_by_close(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    writer: Any = MetadataWriter(folder / name) if name.endswith("ndjson") else StreamWriter(folder / name)
    for index in range(40):
        writer.write(output(unit(index * 40 * MS)))
        if index == 20:
            shutil.rmtree(folder)
    with pytest.raises(MediaError, match="No such file or directory"):
        writer.close()
    writer.close()


def test_two_writers_of_one_output_both_keep_their_frames(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "two.mp4"
    first, second = StreamWriter(path, kind=JPEG_KIND), StreamWriter(path, kind=JPEG_KIND)
    for index in range(10):
        first.write(unit(index * 40 * MS))
        second.write(unit(index * 80 * MS))
    first.close()
    second.close()
    assert times_of(path) == [index * 40 * MS for index in range(10)]
    assert second.paths == (tmp_path / "two-2.mp4",)
    assert times_of(tmp_path / "two-2.mp4") == [index * 80 * MS for index in range(10)]
    assert "two.part.mp4 is there" in caplog.text
    assert "another file came there meanwhile" in caplog.text


@pytest.mark.parametrize("fsync", [False, True])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_files_are_written_then_synced_then_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fsync: bool, suffix: str
) -> None:
    """So that after a power cut there is the old output, or the whole new one."""
    calls: list[str] = []
    path = tmp_path / f"out{suffix}"
    path.write_bytes(b"before")
    for name in ("write", "pwrite", "fsync", "replace", "ftruncate"):
        monkeypatch.setattr(os, name, recorded(name, getattr(os, name), calls, tmp_path))
    with StreamWriter(path, kind=JPEG_KIND, fsync=fsync) as writer:
        for index in range(100):
            writer.write(unit(index * 40 * MS))
    monkeypatch.undo()
    assert len(times_of(path)) == 100
    assert calls[-3:] == ["fsync", f"replace out.part{suffix} out{suffix}", "fsync folder"]
    index_at = calls.index("pwrite")
    assert calls[index_at - 1] == "fsync"  # the index is on the disk before the file says that it has one
    while_writing = "".join(call[0] for call in calls[: index_at - 2])
    if suffix == ".mp4":  # a header, then a fragment at a time
        assert re.fullmatch("w(wf){8}" if fsync else "w{9}", while_writing)
    else:
        assert ("f" in while_writing) is fsync


def recorded(name: str, call: Callable[..., Any], calls: list[str], folder: Path) -> Callable[..., Any]:
    def wrapped(*arguments: Any, **options: Any) -> Any:
        if name == "replace":
            calls.append(f"replace {Path(arguments[0]).name} {Path(arguments[1]).name}")
        else:
            target = os.readlink(f"/proc/self/fd/{arguments[0]}")
            if target == str(folder):
                calls.append(f"{name} folder")
            elif target.startswith(str(folder)):
                calls.append(name)
        return call(*arguments, **options)

    return wrapped


def test_images_are_never_half_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, recorded(name, getattr(os, name), calls, tmp_path))
    with ImageSequenceWriter(tmp_path, codec=Codec.JPEG, fsync=True) as writer:
        writer.write(unit(0))
        assert (tmp_path / "000000.jpg").read_bytes() == JPEG
    assert calls == ["fsync", "replace 000000.part.jpg 000000.jpg"]


def test_what_nobody_closed_is_complete_if_the_stream_ended(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name, things in [("ended", [OutputMessage(EndOfStream("camera"), is_eos=True)]), ("open", [])]:
        video, lines = StreamWriter(tmp_path / f"{name}.mp4"), MetadataWriter(tmp_path / f"{name}.ndjson")
        for thing in [output(unit(0)), *things]:
            video.write(thing)
            lines.write(thing)
        del video, lines
        gc.collect()
    there = {path.name for path in tmp_path.iterdir()}
    assert there == {"ended.mp4", "ended.ndjson", "open.part.mp4", "open.part.ndjson"}
    assert times_of(tmp_path / "open.part.mp4") == times_of(tmp_path / "ended.mp4") == [0]
    assert "a writer that no one closed left 1 frames here" in caplog.text


AT_EXIT = """
import sys
sys.path.insert(0, sys.argv[2])
from test_writer import JPEG_KIND, output, unit
from picasso import *
from picasso.encode import Codec
from picasso.media import StreamWriter
from picasso.primitives import VideoFrame
from picasso.transform import TransformConfig
import numpy as np
writer = StreamWriter(sys.argv[1])
engine = PicassoEngine(GeneralSpec(), Callbacks(on_encoded_frame=writer.write))
engine.set_source_spec("a", SourceSpec(codec=CodecSpec.encode(TransformConfig(), EncoderConfig(Codec.JPEG, 64, 64))))
for index in range(9):
    frame = VideoFrame("a", "25/1", 64, 64, time_base=(1, 25), pts=index)
    engine.send_frame("a", frame, np.zeros((64, 64, 4), np.uint8))
"""


@pytest.mark.parametrize(("last", "name"), [("", "out.mp4"), ("raise ValueError", "out.part.mp4")], ids=["well", "ill"])
def test_a_program_that_ends_without_closing_anything_has_its_file(tmp_path: Path, last: str, name: str) -> None:
    """The engine ends first, and its last frames are in the file; which is complete unless the program failed."""
    command = [sys.executable, "-c", AT_EXIT + last, str(tmp_path / "out.mp4"), str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == (1 if last else 0), done.stderr
    assert ("no one closed" in done.stderr) is bool(last)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert times_of(tmp_path / name) == [index * 40 * MS for index in range(9)]


def test_lines_that_wait_are_in_the_file_when_it_is_flushed(tmp_path: Path) -> None:
    with MetadataWriter(tmp_path / "out.ndjson") as writer:
        writer.write(VideoFrame("a", "25/1", 64, 64))
        writer.flush()
        assert writer.part_path is not None
        with MetadataReader(writer.part_path) as reader:
            assert [frame.source_id for frame in reader.frames()] == ["a"]


def test_the_log_of_the_library_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "out.part.mp4").touch()
    with caplog.at_level(logging.WARNING, "picasso.media"), StreamWriter(tmp_path / "out.mp4"):
        pass
    assert [record.name for record in caplog.records] == ["picasso.media"]
    assert (tmp_path / "out.part.mp4").exists()
