"""How often a file is tried, and when an attempt is given up."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from map_kit import write_clip, write_module

from picasso.cluster import map_files
from picasso.cluster.files.fitting import fitted
from picasso.cluster.files.folder import OutputFolder
from picasso.cluster.files.inputs import find_inputs
from picasso.cluster.files.job import Job, JobProgress, JobResult
from picasso.cluster.files.plan import plan
from picasso.cluster.files.processes import ProcessWorkers
from picasso.cluster.files.running import MapRun, RunOptions


class Spoken:
    """Does no job: it says what a test says of each."""

    def __init__(self, says: Callable[[Job], JobProgress | JobResult]) -> None:
        self.says = says
        self.given: list[Job] = []
        self.given_up: list[str] = []
        self.events_: list[JobProgress | JobResult] = []
        self.room = 10

    def give(self, job: Job) -> None:
        self.given.append(job)
        self.events_.append(self.says(job))

    def events(self, timeout_s: float) -> list[JobProgress | JobResult]:
        said, self.events_ = self.events_, []
        return said

    def give_up(self, job: Job) -> None:
        self.given_up.append(job.name)

    def close(self) -> None:
        pass


@contextmanager
def run_over(tmp_path: Path, names: list[str], options: RunOptions) -> Iterator[MapRun]:
    for name in names:
        (tmp_path / f"{name}.mp4").write_bytes(b"x")
    files = find_inputs([tmp_path / f"{name}.mp4" for name in names])
    with OutputFolder(tmp_path / "out") as folder:
        yield MapRun(files, plan(files, folder.manifest, folder.path, "m"), folder, options)


def test_a_file_may_be_tried_any_number_of_times(tmp_path: Path) -> None:
    workers = Spoken(lambda job: JobResult(job.number, job.attempt, False, error="later", may_pass=True))
    with run_over(tmp_path, ["a"], RunOptions("m", retries=1_100, first_pause_s=0.0)) as run:
        (result,) = run.run(workers)
    assert (result.state, result.attempts, result.error) == ("failed", 1_101, "later")


def test_an_attempt_that_gives_no_frame_is_given_up_and_tried_again_while_the_others_go_on(tmp_path: Path) -> None:
    def says(job: Job) -> JobProgress | JobResult:
        if job.name == "hangs" and job.attempt < 3:
            return JobProgress(job.number, 7, None)
        return JobResult(job.number, job.attempt, False, error="broken")

    workers = Spoken(says)
    with run_over(tmp_path, ["a", "hangs", "b"], RunOptions("m", first_pause_s=0.0, stall_s=0.05)) as run:
        outcome = run.run(workers)
    assert [(one.name, one.attempts, one.error) for one in outcome] == [
        ("a", 1, "broken"),
        ("hangs", 3, "broken"),
        ("b", 1, "broken"),
    ]
    assert workers.given_up == ["hangs", "hangs"]


def test_an_attempt_that_was_given_up_says_why_in_the_end(tmp_path: Path) -> None:
    with run_over(tmp_path, ["a"], RunOptions("m", retries=0, stall_s=0.05)) as run:
        (result,) = run.run(Spoken(lambda job: JobProgress(job.number, 0, None)))
    assert (result.state, result.error) == ("failed", "no new frame for 0.05 s: it was given up")


@pytest.mark.parametrize("stall_s", [0.0, -1.0, float("nan")])
def test_a_stall_of_no_time_is_refused(stall_s: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"stall_s = .*: expected more than 0, or None"):
        map_files({}, "clips", tmp_path / "out", stall_s=stall_s)


def test_the_process_of_a_job_that_is_given_up_is_gone_and_another_takes_its_place(tmp_path: Path) -> None:
    module, clip = write_module(tmp_path / "module"), write_clip(tmp_path / "clip.mp4", 1)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    os.mkfifo(f"{fifo}.never")
    waits = module.with_name("waits")
    waits.write_text(f"clip\n{fifo}\n")
    with OutputFolder(tmp_path / "out") as folder:
        workers = ProcessWorkers(fitted(module), 1, folder.log)

        def job(attempt: int) -> Job:
            staging = str(folder.staging(0, attempt))
            return Job(0, attempt, str(clip), "clip.mp4", "clip", staging, str(folder.path), folder.token)

        try:
            first = job(1)
            workers.give(first)
            with fifo.open("rb") as here:
                assert here.read() == b"here"
            (process,) = (one._process for one in workers._workers)
            assert workers.room == 0
            workers.give_up(first)
            assert process.returncode == -9
            assert workers.room == 1
            waits.unlink()
            workers.give(job(2))
            events: list[JobProgress | JobResult] = []
            while not any(isinstance(event, JobResult) for event in events):
                events += workers.events(1.0)
        finally:
            workers.close()
    assert isinstance(events[-1], JobResult)
    assert (events[-1].is_whole, events[-1].attempt, events[-1].error) == (True, 2, "")
