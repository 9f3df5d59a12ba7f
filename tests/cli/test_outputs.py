"""What a command writes: beside what was there until it is complete, and never over what it reads."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from running import picasso

from picasso.media import ImageSequenceWriter, MetadataReader, VideoReader


@pytest.fixture
def folder(small_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a clip, links to it and to the folder, a sequence of images, and detections."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(small_clip, "in.mp4")
    Path("link.mp4").symlink_to("in.mp4")
    Path("hard.mp4").hardlink_to("in.mp4")
    Path("there").symlink_to(".")
    Path("images").mkdir()
    assert picasso("encode", "in.mp4", "-o", "images", "--codec", "png", "--seconds", "0.2", "-q").code == 0
    Path("images-too").symlink_to("images")
    Path("boxes.ndjson").touch()
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def frames(path: Path | str) -> int:
    with VideoReader(path) as reader:
        return sum(1 for _ in reader.frames())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("in.mp4 -o in.mp4", "read and written at once"),
        ("in.mp4 -o ./in.mp4", "read and written at once"),
        ("in.mp4 -o there/in.mp4", "read and written at once"),
        ("in.mp4 -o link.mp4", "read and written at once"),
        ("link.mp4 -o in.mp4", "read and written at once"),
        ("in.mp4 -o hard.mp4", "read and written at once"),
        ("file://{here}/in.mp4 -o in.mp4", "read and written at once"),
        ("in.mp4 -o file://{here}/in.mp4", "read and written at once"),
        ("in.mp4 -o out.mp4 --metadata in.mp4", "read and written at once"),
        ("in.mp4 -o out.mp4 --metadata link.mp4", "read and written at once"),
        ("in.mp4 -o out.mp4 --draw boxes.ndjson --metadata there/boxes.ndjson", "read and written at once"),
        ("images/%06d.png -o images --codec png", "read and written at once"),
        ("images/%06d.png -o images-too --codec png", "read and written at once"),
        ("images/%06d.png -o there/images --codec jpeg", "read and written at once"),
        ("images/000000.png -o images --codec png", "read and written at once"),
        ("images/%06d.png -o out.mp4 --metadata images/000003.png", "read and written at once"),
        ("in.mp4 -o out.mp4 --metadata out.mp4", "cannot hold both"),
        ("in.mp4 -o out.mp4 --metadata there/out.mp4", "cannot hold both"),
        ("in.mp4 -o out.mp4 --metadata {here}/out.mp4", "cannot hold both"),
        ("in.mp4 -o - --metadata -", "cannot hold both"),
        ("in.mp4 -o - --metadata pipe:1", "cannot hold both"),
    ],
)
def test_outputs_are_compared_with_inputs_and_each_other_as_files(folder: Path, arguments: str, says: str) -> None:
    before = contents(folder)
    done = picasso("encode", *arguments.format(here=folder).split())
    assert done.code == 2
    assert says in done.sentence
    assert contents(folder) == before


@pytest.mark.parametrize(
    "arguments",
    [
        "in.mp4 -o old.mp4 --metadata no/such/folder.ndjson",
        "in.mp4 -o old.mp4 --draw boxes.ndjson --metadata no/such/folder.ndjson",
        "in.mp4 -o no/such/folder.mp4 --metadata old.mp4",
        "missing.mp4 -o old.mp4",
        "boxes.ndjson -o old.mp4",
    ],
)
def test_a_run_that_fails_before_its_first_frame_changes_nothing(folder: Path, arguments: str) -> None:
    (folder / "old.mp4").write_bytes(b"of a run before")
    before = contents(folder)
    assert picasso("encode", *arguments.split(), "-q").code == 1
    assert contents(folder) == before


def test_a_run_that_fails_later_leaves_the_old_output_and_says_where_the_new_frames_are(
    folder: Path, truncated: Path
) -> None:
    shutil.copy("in.mp4", "old.mp4")
    before = contents(folder)
    done = picasso("encode", truncated, "-o", "old.mp4", "--metadata", "old.ndjson", "-q")
    assert done.code == 1
    here = os.path.realpath(folder)
    assert done.sentence.endswith(f"what was written is in {here}/old.part.mp4 and {here}/old.part.ndjson)")
    after = contents(folder)
    count = frames("old.part.mp4")
    assert 30 < count < 120
    with MetadataReader("old.part.ndjson") as lines:
        assert len(list(lines.frames())) == count
    assert {name: after.pop(name) for name in ("old.part.mp4", "old.part.ndjson")}
    assert after == before


def test_images_replace_those_of_a_run_before_only_when_all_are_there(folder: Path, truncated: Path) -> None:
    before = contents(folder)
    assert picasso("encode", truncated, "-o", "images", "--codec", "png", "-q").code == 1
    after = contents(folder)
    assert {name: after[name] for name in before} == before
    assert frames("images/%06d.part.png") > 30
    done = picasso("encode", "in.mp4", "-o", "images", "--codec", "png", "--seconds", "0.1")
    assert done.code == 0
    assert "left from a run before; they stay" in done.err
    assert contents(folder)["images/000000.part.png"] == after["images/000000.part.png"]


def test_a_part_file_of_a_run_before_is_reported_and_stays(folder: Path) -> None:
    Path("out.part.mp4").write_bytes(b"of a run that was killed")
    done = picasso("encode", "in.mp4", "-o", "out.mp4", "-q", "--seconds", "0.2")
    assert done.code == 0
    assert "out.part.mp4 is there" in done.err
    assert Path("out.part.mp4").read_bytes() == b"of a run that was killed"
    assert frames("out.mp4") == 6
    assert not Path("out.part-2.mp4").exists()


def test_a_link_stays_a_link_and_permissions_stay_as_they_are(folder: Path) -> None:
    Path("real.mp4").write_bytes(b"before")
    Path("real.mp4").chmod(0o640)
    Path("out.mp4").symlink_to("real.mp4")
    assert picasso("encode", "in.mp4", "-o", "out.mp4", "-q", "--seconds", "0.2").code == 0
    assert Path("out.mp4").is_symlink()
    assert Path("real.mp4").stat().st_mode & 0o777 == 0o640
    assert frames("real.mp4") == 6


@pytest.mark.parametrize("out", ["-", "pipe:1", "/dev/stdout"])
def test_standard_output_gets_a_video_and_nothing_else(folder: Path, out: str) -> None:
    command = [sys.executable, "-m", "picasso", "encode", "in.mp4", "-o", out, "--seconds", "0.2"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    (folder / "got.mkv").write_bytes(done.stdout)
    assert frames("got.mkv") == 6
    assert b"frames/s" in done.stderr


@pytest.mark.parametrize(("pipe", "got"), [("out.mp4", "got.mp4"), ("out.fifo", "got.mkv"), ("out", "got.mkv")])
def test_a_named_pipe_is_written_directly_whatever_its_name(folder: Path, pipe: str, got: str) -> None:
    os.mkfifo(pipe)
    copy = f"import sys; sys.stdout.buffer.write(open({pipe!r},'rb').read())"
    with subprocess.Popen([sys.executable, "-c", copy], stdout=subprocess.PIPE) as reader:
        done = picasso("encode", "in.mp4", "-o", pipe, "-q", "--seconds", "0.2")
        assert reader.stdout is not None
        (folder / got).write_bytes(reader.stdout.read())
    assert done.code == 0, done.err
    assert frames(got) == 6
    assert not list(folder.glob("*.part*"))


def test_a_file_without_fragments_is_asked_for_by_name(folder: Path) -> None:
    assert picasso("encode", "in.mp4", "-o", "out.mp4", "-q", "--no-fragment", "--seconds", "0.2").code == 0
    assert b"moof" not in Path("out.mp4").read_bytes()
    assert frames("out.mp4") == 6


def test_whole_images_keep_their_part_names_when_the_writer_is_left_by_an_exception(tmp_path: Path) -> None:
    from picasso.encode import Codec, EncodedUnit

    data = np.zeros(8, np.uint8).tobytes()

    def fail() -> None:
        with ImageSequenceWriter(tmp_path, codec=Codec.JPEG, whole=True) as writer:
            writer.write(EncodedUnit(data, 0, None, None, keyframe=True))
            raise RuntimeError

    with pytest.raises(RuntimeError) as caught:
        fail()
    assert caught.value.__notes__ == [f"what was written begins with {tmp_path / '000000.part.jpg'}"]
    assert [path.name for path in tmp_path.iterdir()] == ["000000.part.jpg"]
