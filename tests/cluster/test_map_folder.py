"""The folder of a run: its manifest, its lock, and results that come to their places in one piece."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picasso.cluster.files.digests import FileMark
from picasso.cluster.files.folder import FolderInUseError, Made, OutputFolder, TakenError
from picasso.cluster.files.manifest import Manifest, Record
from picasso.errors import MediaError

CALLS = ("write", "fsync", "ftruncate", "rename", "replace", "mkdir", "rmdir", "unlink", "open")
"""Steps at which a process can be killed."""


def record(name: str, state: str = "done", **more: object) -> Record:
    return Record(state=state, file=f"/clips/{name}.mp4", name=name, mark=FileMark(7), module="m", **more)  # type: ignore[arg-type]


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=6), st.data())
def test_what_is_left_of_a_manifest_that_was_cut_off_anywhere_is_read_and_goes_on(
    names: list[str], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _cut_and_go_on(names, data, Path(folder) / "manifest.ndjson")


def _cut_and_go_on(names: list[str], data: st.DataObject, path: Path) -> None:
    with Manifest(path) as manifest:
        for number, name in enumerate(names):
            manifest.append(record(name, frames=number))
    whole = path.read_bytes()
    kept = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:kept])
    lines = max(whole[:kept].count(b"\n") - 1, 0)
    wanted = {f"/clips/{name}.mp4": number for number, name in enumerate(names[:lines])}
    with Manifest(path) as manifest:
        assert {file: one.frames for file, one in manifest.done.items()} == wanted
        manifest.append(record("d", frames=99))
    with Manifest(path, writes=False) as manifest:
        assert {file: one.frames for file, one in manifest.done.items()} == {**wanted, "/clips/d.mp4": 99}


def test_a_line_that_is_no_record_is_left_out_and_the_others_count(tmp_path: Path) -> None:
    path = tmp_path / "manifest.ndjson"
    with Manifest(path) as manifest:
        manifest.append(record("a"))
        manifest.append(record("b"))
    lines = path.read_bytes().split(b"\n")
    lines[1] = b"\0" * len(lines[1])
    path.write_bytes(b"\n".join(lines))
    with Manifest(path) as manifest:
        assert set(manifest.done) == {"/clips/b.mp4"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("something else\n", "is no manifest of picasso map"),
        ('{"schema":"other","version":1}\n', "is no manifest of picasso map"),
        ('{"schema":"picasso.map","version":9}\n', "has version 9, and this picasso knows 1; upgrade it"),
    ],
)
def test_another_file_of_that_name_is_refused_and_stays(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.ndjson").write_text(text)
    with pytest.raises(MediaError, match=words), OutputFolder(tmp_path):
        pytest.fail("it was opened")
    assert (tmp_path / "manifest.ndjson").read_text() == text


def test_one_run_at_a_time_writes_to_a_folder(tmp_path: Path) -> None:
    with (
        OutputFolder(tmp_path / "out"),
        pytest.raises(FolderInUseError, match=f"another run of picasso map writes there: process {os.getpid()} on "),
        OutputFolder(tmp_path / "out"),
    ):
        pytest.fail("it was opened")
    with OutputFolder(tmp_path / "out") as again:
        assert again.manifest.done == {}


def make(folder: OutputFolder, files: dict[str, str], attempt: int = 1) -> Made:
    """Make a result as an attempt does."""
    staging = folder.staging(0, attempt) / "out"
    for name, text in files.items():
        path = staging / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    outputs = {f"{name.split('/')[0]}/" if name.startswith("frames/") else name for name in files}
    return Made(staging, tuple(sorted(outputs)))


OLD = {"a.mp4": "old", "sub/a.ndjson": "old", "gone.txt": "old", "frames/0.jpg": "old", "frames/1.jpg": "old"}
NEW = {"a.mp4": "new", "sub/a.ndjson": "new", "frames/0.jpg": "new"}


def contents(folder: Path) -> dict[str, str]:
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {
        name: path.read_text()
        for name, path in found.items()
        if not name.startswith(".picasso") and name != "manifest.ndjson"
    }


def killed_at(step: int, out: Path) -> bool:
    """Replace the old result by the new one in a child that is dead before the given step; whether it got there."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) in (0, 9)
        return os.waitstatus_to_exitcode(status) == 9
    try:
        count = 0

        def counted(call):  # type: ignore[no-untyped-def]
            def step_of(*args, **kwargs):  # type: ignore[no-untyped-def]
                nonlocal count
                count += 1
                if count > step:
                    os._exit(9)
                return call(*args, **kwargs)

            return step_of

        with OutputFolder(out) as folder:
            made = make(folder, NEW)
            for name in CALLS:
                setattr(os, name, counted(getattr(os, name)))
            folder.keep(record("a", frames=2), made)
            for name in CALLS:
                setattr(os, name, getattr(os, name))
            os._exit(0)
    except BaseException as error:  # noqa: BLE001 - a child never returns into the tests
        print(f"the child raised {error!r}", file=sys.stderr)
        os._exit(1)


def test_a_result_is_old_or_new_as_a_whole_after_a_kill_at_any_step_of_replacing_it(tmp_path: Path) -> None:
    step, seen = 0, set()
    while True:
        out = tmp_path / f"{step}"
        with OutputFolder(out) as folder:
            assert folder.keep(record("a", frames=1), make(folder, OLD)).state == "done"
        was_killed = killed_at(step, out)
        with OutputFolder(out) as folder:
            frames = folder.manifest.done["/clips/a.mp4"].frames
            assert contents(out) == (OLD if frames == 1 else NEW)
            assert not folder.manifest.placing
            assert not (out / ".picasso" / "work").exists()
            assert folder.has(folder.manifest.done["/clips/a.mp4"].outputs)
            folder.keep(record("a", frames=3), make(folder, OLD, 2))  # and it goes on
            assert contents(out) == OLD
        seen.add(frames)
        step += 1
        if not was_killed:
            break
    assert step > 8
    assert seen == {1, 2}


def test_nothing_is_moved_where_one_place_is_taken(tmp_path: Path) -> None:
    with OutputFolder(tmp_path) as folder:
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "a.ndjson").write_text("theirs")
        with pytest.raises(TakenError, match=r"sub/a.ndjson: is there already"):
            folder.keep(record("a"), make(folder, NEW))
        assert contents(tmp_path) == {"sub/a.ndjson": "theirs"}
        assert folder.manifest.done == folder.manifest.placing == {}


def test_a_manifest_written_by_hand_removes_nothing_outside_its_folder(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    out = tmp_path / "out"
    with OutputFolder(out) as folder:
        folder.manifest.append(record("a", outputs=("../victim", str(victim))))
        folder.keep(record("a"), make(folder, {"a.mp4": "new"}))
    assert victim.read_text() == "mine"


@pytest.mark.parametrize(
    "staging", ["", ".", ".picasso", ".picasso/work", "../victim", ".picasso/work/../../../victim"]
)
def test_a_manifest_written_by_hand_takes_no_folder_for_a_place_of_work(staging: str, tmp_path: Path) -> None:
    victim, out = tmp_path / "victim", tmp_path / "out"
    victim.mkdir()
    (victim / "mine").write_text("mine")
    with OutputFolder(out) as folder:
        folder.keep(record("a"), make(folder, {"a.mp4": "old"}))
    with Manifest(out / "manifest.ndjson") as manifest:
        manifest.append(record("b", state="placing", staging=staging))
        manifest.append(record("c", state="placing", staging=".picasso/work/1/out", outputs=("../victim/mine",)))
    with OutputFolder(out) as folder:
        assert set(folder.manifest.failed) == {"/clips/b.mp4", "/clips/c.mp4"}
        assert not folder.manifest.placing
    assert contents(out) == {"a.mp4": "old"}
    assert (victim / "mine").read_text() == "mine"
