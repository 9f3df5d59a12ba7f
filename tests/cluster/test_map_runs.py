"""``picasso map``: every file once, also when it is interrupted."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from map_kit import (
    CODE,
    COUNT,
    FRAMES,
    MODULE,
    Running,
    clips,
    command,
    module,
    records,
    results,
    write_clip,
    write_module,
)

from picasso.cluster import MapError, MapProgress, map_files, plan_files

__all__ = ["clips", "module"]


@pytest.fixture(scope="module")
def unbroken(clips: Path, module: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a run that nothing interrupts."""
    folder = tmp_path_factory.mktemp("unbroken")
    outcome = map_files(module, clips, folder)
    outcome.raise_for_failures()
    assert [(one.name, one.state, one.frames) for one in outcome] == [
        (f"c{number:02}", "done", FRAMES) for number in range(COUNT)
    ]
    return folder


@pytest.fixture
def few(clips: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "few"
    folder.mkdir()
    for number in range(3):
        shutil.copy(clips / f"c{number:02}.mp4", folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_run_that_is_killed_half_way_and_resumed_gives_what_an_unbroken_one_gives(
    number: signal.Signals, clips: Path, module: Path, unbroken: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    running = Running(tmp_path, "c20", module, clips, "-o", out, "--workers", "1")
    running.wait_until_there()
    said = running.kill_group(number)
    assert running.process.returncode == {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130}[number], said
    assert len(records(out, "done")) == 20
    running.wait_until_gone()
    if number != signal.SIGKILL:
        assert "the same command goes on" in said
        assert not (out / ".picasso" / "work").exists()

    resumed = subprocess.run(command(module, clips, "-o", out), capture_output=True, text=True, check=False)
    assert (resumed.returncode, resumed.stderr.count("failed")) == (0, resumed.stderr.count("0 failed"))
    assert "40 files: 20 done, 20 done before, 0 failed" in resumed.stdout
    assert results(out) == results(unbroken)
    assert len(records(out, "done")) == COUNT
    assert {path.name for path in out.iterdir()} == {path.name for path in unbroken.iterdir()}


def test_workers_end_when_the_program_that_started_them_is_killed(few: Path, module: Path, tmp_path: Path) -> None:
    running = Running(tmp_path, "c01", module, few, "-o", tmp_path / "out", "--workers", "1")
    running.wait_until_there()
    assert len(running.processes()) == 2
    os.kill(running.process.pid, signal.SIGKILL)
    running.waits.unlink()
    said, _ = running.process.communicate(timeout=60)  # its workers hold the pipe, too: it ends with the last of them
    assert "Traceback" not in said


def test_a_second_run_of_the_same_folder_is_refused_and_the_first_goes_on(
    few: Path, module: Path, tmp_path: Path
) -> None:
    running = Running(tmp_path, "c01", module, few, "-o", tmp_path / "out", "--workers", "1")
    running.wait_until_there()
    second = subprocess.run(command(module, few, "-o", tmp_path / "out"), capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert f"another run of picasso map writes there: process {running.process.pid} on " in second.stderr
    assert running.process.poll() is None
    running.kill_group(signal.SIGKILL)


def test_a_damaged_file_fails_alone_and_is_a_row_of_the_table(few: Path, module: Path, tmp_path: Path) -> None:
    whole = (few / "c01.mp4").read_bytes()
    (few / "c01.mp4").write_bytes(whole[: len(whole) // 2])
    (few / "noise.mp4").write_bytes(bytes(range(256)) * 20)
    (few / "empty.mp4").touch()
    run = subprocess.run(command(module, few, "-o", tmp_path / "out"), capture_output=True, text=True, check=False)
    assert run.returncode == 1
    rows = {Path(line.split()[0]).name: line.split() for line in run.stdout.splitlines() if line.startswith(str(few))}
    assert {name: row[1] for name, row in rows.items()} == {"c01.mp4": "1", "empty.mp4": "1", "noise.mp4": "1"}
    assert "5 files: 2 done, 3 failed" in run.stdout
    assert set(results(tmp_path / "out")) == {"c00.mp4", "c00.ndjson", "c02.mp4", "c02.ndjson"}


def test_what_can_be_decoded_of_a_damaged_file_is_kept_on_request(module: Path, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "cut.mkv", 3, frames=60)
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size * 2 // 3])
    (failed,) = map_files(module, clip, tmp_path / "out", workers=1)
    assert failed.state == "failed"
    assert not results(tmp_path / "out")
    (kept,) = map_files(module, clip, tmp_path / "out", workers=1, keep_damaged=True)
    assert kept.state == "done"
    assert 10 < kept.frames < 60
    assert kept.note
    assert len(results(tmp_path / "out")["cut.mp4"]) == kept.frames


def test_only_what_has_changed_is_done_again(few: Path, module: Path, tmp_path: Path) -> None:
    out, mine = tmp_path / "out", write_module(tmp_path / "mine")
    map_files(mine, few, out, workers=1).raise_for_failures()

    def again() -> dict[str, bool]:
        outcome = map_files(mine, few, out, workers=1)
        outcome.raise_for_failures()
        return {one.name: one.is_new for one in outcome}

    def why() -> list[str]:
        return [one.why for one in plan_files(mine, few, out)]

    assert again() == {"c00": False, "c01": False, "c02": False}
    os.utime(few / "c00.mp4")  # the content is the same
    assert why() == ["done"] * 3
    write_clip(few / "c01.mp4", 17)
    assert why() == ["done", "the file has changed", "done"]
    assert again() == {"c00": False, "c01": True, "c02": False}
    write_clip(few / "c03.mp4", 4)
    assert why() == ["done", "done", "done", "new"]
    assert again() == {"c00": False, "c01": False, "c02": False, "c03": True}
    (out / "c02.ndjson").unlink()
    assert why() == ["done", "done", "results are gone", "done"]
    assert again() == {"c00": False, "c01": False, "c02": True, "c03": False}
    (tmp_path / "mine" / "square.py").write_text(CODE.replace("0.9", "0.8"))
    assert why() == ["the module has changed"] * 4
    assert set(again().values()) == {True}
    confidences = {record["metadata"]["objects"][0]["confidence"] for record in results(out)["c00.ndjson"][:-1]}
    assert [round(value, 4) for value in confidences] == [0.8]
    mine.write_text(MODULE.replace("name: finder", "name: other"))
    assert why() == ["the module has changed"] * 4
    mine.write_text(MODULE.replace("name: finder", "name: finder").replace("loop: true", "loop: false, pace: true"))
    (tmp_path / "mine" / "square.py").write_text(CODE.replace("0.9", "0.8"))
    assert why() == ["done"] * 4


def test_files_of_one_name_keep_their_results_apart(clips: Path, module: Path, tmp_path: Path) -> None:
    for folder, number in (("a", 1), ("b", 2)):
        (tmp_path / folder).mkdir()
        shutil.copy(clips / f"c{number:02}.mp4", tmp_path / folder / "clip.mp4")
    files = [tmp_path / folder / "clip.mp4" for folder in ("a", "b")]
    outcome = map_files(module, files, tmp_path / "out", workers=1)
    outcome.raise_for_failures()
    names = [one.name for one in outcome]
    assert len(set(names)) == 2
    assert all(name.startswith("clip-") for name in names)
    found = results(tmp_path / "out")
    assert len(found) == 4
    assert found[f"{names[0]}.mp4"] != found[f"{names[1]}.mp4"]
    assert [one.is_new for one in map_files(module, files, tmp_path / "out", workers=1)] == [False, False]


def test_a_process_that_dies_takes_one_attempt_of_one_file_along(few: Path, tmp_path: Path) -> None:
    mine = write_module(tmp_path / "mine")
    mark = tmp_path / "was here"
    (tmp_path / "mine" / "square.py").write_text(
        "import os, signal\n"
        "def find_square(frame):\n"
        f"    if frame.source_id == 'c01' and not os.path.exists({str(mark)!r}):\n"
        f"        open({str(mark)!r}, 'w').close()\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    if frame.source_id == 'c02':\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    seen: list[MapProgress] = []
    outcome = map_files(mine, few, tmp_path / "out", workers=2, first_pause_s=0.01, on_progress=seen.append)
    assert [(one.name, one.state, one.attempts) for one in outcome] == [
        *(("c00", "done", 1), ("c01", "done", 2), ("c02", "failed", 3)),
    ]
    assert outcome.failed[0].error == ("its process was killed by SIGKILL; the system may have run out of memory")
    assert (seen[-1].done, seen[-1].failed, seen[-1].left, seen[-1].retried) == (2, 1, 0, 3)
    with pytest.raises(MapError, match=r"1 of 3 files failed; .*c02.mp4: its process was killed by SIGKILL"):
        outcome.raise_for_failures()


def test_an_element_that_raises_fails_its_file_at_the_first_attempt(few: Path, tmp_path: Path) -> None:
    mine = write_module(tmp_path / "mine")
    (tmp_path / "mine" / "square.py").write_text(
        "def find_square(frame):\n    if frame.source_id == 'c01':\n        raise LookupError('no square')\n"
    )
    outcome = map_files(mine, few, tmp_path / "out", workers=1)
    assert [(one.state, one.attempts) for one in outcome] == [("done", 1), ("failed", 1), ("done", 1)]
    assert "no square" in outcome.failed[0].error
    assert not (tmp_path / "out" / "c01.mp4").exists()


def test_a_dry_run_lists_and_leaves_no_trace(few: Path, module: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run = subprocess.run(command(module, few, "-o", out, "--dry-run"), capture_output=True, text=True, check=False)
    assert run.returncode == 0
    assert run.stdout.splitlines() == [f"new\tc{number:02}\t{few / f'c{number:02}.mp4'}" for number in range(3)]
    assert not out.exists()


def test_what_stands_where_a_result_belongs_stays(few: Path, module: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "c01.mp4").write_text("someone's")
    outcome = map_files(module, few, out, workers=1)
    assert [one.state for one in outcome] == ["done", "failed", "done"]
    assert "is there already, and is no result of this file" in outcome.failed[0].error
    assert (out / "c01.mp4").read_text() == "someone's"
    assert not (out / "c01.ndjson").exists()
    (out / "c01.mp4").unlink()
    assert [one.is_new for one in map_files(module, few, out, workers=1)] == [False, True, False]


def test_a_result_that_is_made_again_replaces_all_of_the_one_before(few: Path, tmp_path: Path) -> None:
    out, mine = tmp_path / "out", write_module(tmp_path / "mine")
    sinks = '    - {element: image_file_sink, properties: {location: "out/pictures/{source}"}}\n'
    jpeg = MODULE.replace("codec: h264, encoder: software", "codec: jpeg")
    mine.write_text(jpeg + sinks)
    map_files(mine, few, out, workers=1).raise_for_failures()
    pictures = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.jpg"))
    assert pictures == [f"pictures/c{clip:02}/{n:06}.jpg" for clip in range(3) for n in range(FRAMES)]
    first = (out / "pictures" / "c00").stat().st_ino
    mine.write_text(jpeg.replace("name: finder", "name: other") + sinks)
    map_files(mine, few, out, workers=1).raise_for_failures()
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.jpg")) == pictures
    assert (out / "pictures" / "c00").stat().st_ino != first
    mine.write_text(jpeg)
    map_files(mine, few, out, workers=1).raise_for_failures()
    assert not list(out.rglob("*.jpg"))
    assert len(list(out.glob("c*"))) == 6


def test_streams_that_a_pyfunc_makes_are_named_after_their_file(few: Path, tmp_path: Path) -> None:
    mine = write_module(tmp_path / "mine", MODULE.replace("class_name: find_square", "class_name: Small"))
    (tmp_path / "mine" / "square.py").write_text(
        "from picasso.module import NvDsPyFuncPlugin\n"
        "class Small(NvDsPyFuncPlugin):\n"
        "    def on_start(self):\n"
        "        self.stream = self.auxiliary_stream('small', 64, 48, {'codec': 'jpeg'}, '25/1')\n"
        "        return True\n"
        "    def process_frame(self, buffer, frame_meta):\n"
        "        self.stream.create_frame(frame_meta.pts)\n"
    )
    map_files(mine, few, tmp_path / "out", workers=1).raise_for_failures()
    names = {path.name for path in (tmp_path / "out").glob("*.mp4")}
    assert names == {f"c{n:02}{end}.mp4" for n in range(3) for end in ("", "-small")}
