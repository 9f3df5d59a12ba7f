"""``picasso map --ray``: the same results from tasks of a real Ray."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from map_kit import COUNT, Running, clips, command, module, records, results, write_module
from small_ray_kit import small_ray

from picasso.cluster import map_files
from picasso.cluster.files.fitting import fitted
from picasso.cluster.files.folder import OutputFolder
from picasso.cluster.files.job import Job, JobResult
from picasso.cluster.files.on_ray import RayWorkers

__all__ = ["clips", "module", "small_ray"]
pytestmark = [pytest.mark.cluster, pytest.mark.filterwarnings("ignore")]  # Ray's own, of its libraries


@pytest.fixture(scope="module")
def by_processes(clips: Path, module: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("processes")
    map_files(module, clips, folder).raise_for_failures()
    return folder


def test_a_damaged_file_and_a_task_that_dies_fail_alone(small_ray: Any, clips: Path, tmp_path: Path) -> None:
    few, mine, mark = tmp_path / "few", write_module(tmp_path / "mine"), tmp_path / "was here"
    few.mkdir()
    for number in range(4):
        shutil.copy(clips / f"c{number:02}.mp4", few)
    (few / "c02.mp4").write_bytes((few / "c02.mp4").read_bytes()[:900])
    (tmp_path / "mine" / "square.py").write_text(
        "import os, signal\n"
        "def find_square(frame):\n"
        f"    if frame.source_id == 'c01' and not os.path.exists({str(mark)!r}):\n"
        f"        open({str(mark)!r}, 'w').close()\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    if frame.source_id == 'c03':\n"
        "        raise LookupError('no square')\n"
    )
    outcome = map_files(mine, few, tmp_path / "out", ray="auto", first_pause_s=0.01)
    assert [(one.name, one.state, one.attempts) for one in outcome] == [
        *(("c00", "done", 1), ("c01", "done", 2), ("c02", "failed", 1), ("c03", "failed", 1)),
    ]
    assert "no square" in outcome.failed[1].error
    assert small_ray.is_initialized()  # a connection that was there stays


def test_a_folder_that_a_node_does_not_see_is_an_error_that_says_so(
    small_ray: Any, clips: Path, module: Path, tmp_path: Path
) -> None:
    workers = RayWorkers(small_ray, fitted(module), None, 1.0, 0.0)
    job = Job(0, 1, str(clips / "c00.mp4"), "c00.mp4", "c00", str(tmp_path / "w"), str(tmp_path / "out"), "token")
    workers.give(job)
    workers.give(replace(job, number=1, folder="/nowhere"))
    events: list[Any] = []
    while len(events) < 2:
        events += [event for event in workers.events(1.0) if isinstance(event, JobResult)]
    assert {one.error.partition(" is not ")[0] for one in events} == {str(tmp_path / "out"), "/nowhere"}
    assert not any(one.may_pass for one in events)


def test_a_task_that_no_node_can_run_waits_and_the_log_says_for_what(
    small_ray: Any, module: Path, caplog: pytest.LogCaptureFixture
) -> None:
    workers = RayWorkers(small_ray, fitted(module), None, 1.0, 4.0)
    assert workers.room == 1
    assert [one.getMessage() for one in caplog.records] == [
        "no node has CPU 1 and GPU 4 for a file, at most CPU 2, GPU 0: files wait until such a node joins"
    ]
    began_s = time.monotonic()
    assert workers.events(0.2) == []
    assert time.monotonic() - began_s >= 0.2  # while all files wait for their next attempt, nothing spins


def test_a_task_that_is_given_up_is_killed_and_another_does_its_file(
    small_ray: Any, clips: Path, tmp_path: Path
) -> None:
    module, fifo = write_module(tmp_path / "module"), tmp_path / "fifo"
    os.mkfifo(fifo)
    os.mkfifo(f"{fifo}.never")
    waits = module.with_name("waits")
    waits.write_text(f"c00\n{fifo}\n")
    workers = RayWorkers(small_ray, fitted(module), None, 2.0, 0.0)  # both CPUs: the second waits for the first
    with OutputFolder(tmp_path / "out") as folder:
        first, second = (
            Job(0, one, str(clips / "c00.mp4"), "c00.mp4", "c00", str(folder.staging(0, one)), *at(folder))
            for one in (1, 2)
        )
        workers.give(first)
        with fifo.open("rb") as here:
            assert here.read() == b"here"
        waits.unlink()
        workers.give_up(first)
        workers.give(second)
        events: list[Any] = []
        while not any(isinstance(event, JobResult) for event in events):
            events += workers.events(1.0)
    assert (events[-1].is_whole, events[-1].attempt, events[-1].error) == (True, 2, "")


def at(folder: OutputFolder) -> tuple[str, str]:
    return str(folder.path), folder.token


def test_code_that_ends_the_program_fails_its_file_alone(small_ray: Any, clips: Path, tmp_path: Path) -> None:
    few, mine = tmp_path / "few", write_module(tmp_path / "mine")
    few.mkdir()
    for number in range(2):
        shutil.copy(clips / f"c{number:02}.mp4", few)
    (tmp_path / "mine" / "square.py").write_text(
        "def find_square(frame):\n    if frame.source_id == 'c01':\n        raise SystemExit('enough')\n"
    )
    outcome = map_files(mine, few, tmp_path / "out", ray="auto", retries=0)
    assert [(one.name, one.state) for one in outcome] == [("c00", "done"), ("c01", "failed")]
    assert "enough" in outcome.failed[0].error


def test_a_run_on_ray_that_is_killed_half_way_and_resumed_gives_what_processes_give(
    small_ray: Any, clips: Path, module: Path, by_processes: Path, tmp_path: Path
) -> None:
    out, address = tmp_path / "out", small_ray.get_runtime_context().gcs_address
    running = Running(tmp_path, "c20", module, clips, "-o", out, "--ray", address, "--workers", "1")
    running.wait_until_there()
    running.kill_group(signal.SIGKILL)
    assert len(records(out, "done")) == 20
    resumed = subprocess.run(
        command(module, clips, "-o", out, "--ray", address), capture_output=True, text=True, check=False
    )
    assert resumed.returncode == 0, resumed.stderr
    assert "40 files: 20 done, 20 done before, 0 failed" in resumed.stdout
    assert results(out) == results(by_processes)
    assert len(records(out, "done")) == COUNT
