"""One run over many files: in which order, how often, and what came of each."""

from __future__ import annotations

import heapq
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from picasso.cluster.files.digests import FileMark, glance
from picasso.cluster.files.folder import Made, OutputFolder, TakenError
from picasso.cluster.files.job import IN, OUT, Job, JobProgress, JobResult, may_pass
from picasso.cluster.files.manifest import Record
from picasso.cluster.files.remote import IN_PROCESS, bring
from picasso.cluster.files.results import FileAtWork, FileResult, MapOutcome, MapProgress, PlannedFile
from picasso.errors import MediaError
from picasso.infer.files.fetching import scheme_of
from picasso.media.location import printable
from picasso.signals import hold_stop

if TYPE_CHECKING:
    from picasso.cluster.files.inputs import InputFile
    from picasso.cluster.files.processes import Workers

REFRESH_S: Final = 0.2
FIRST_PAUSE_S: Final = 1.0
"""Before the second attempt; each later pause is twice as long, up to ``LONGEST_PAUSE_S``."""
LONGEST_PAUSE_S: Final = 60.0
MOST_DOUBLINGS: Final = 64
STALL_S: Final = 3600.0
"""Seconds without a new frame after which an attempt at a file is given up."""
_DIST: Final = "picasso-engine"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What holds for every file of a run."""

    digest: str
    """Of the module."""
    retries: int = 2
    """Further attempts at a file whose error may pass."""
    keeps_damaged: bool = False
    compat: bool = False
    storage_options: Mapping[str, Any] | None = None
    first_pause_s: float = FIRST_PAUSE_S
    stall_s: float | None = STALL_S
    """Seconds without a new frame after which an attempt is given up; None waits for good."""


@final
class MapRun:
    """All files of a run, from the plan to the outcome. One thread."""

    def __init__(
        self, files: Sequence[InputFile], planned: Sequence[PlannedFile], folder: OutputFolder, options: RunOptions
    ) -> None:
        """Take over what is done, and queue the rest.

        Args:
            files: All of the run.
            planned: What is to be done with each.
            folder: Where results go; it is open.
            options: What holds for all.
        """
        self._files = list(files)
        self._folder = folder
        self._options = options
        self._results: dict[int, FileResult] = {}
        self._sizes = [self._size_of(file) for file in self._files]
        for number, (file, one) in enumerate(zip(files, planned, strict=True)):
            if one.is_done:
                self._results[number] = self._result_of(number, folder.manifest.done[file.key], is_new=False)
        self._before = len(self._results)
        self._done = self._failed = 0
        """Files of this run that have come to an end."""
        self._bytes_every = sum(size for number, size in enumerate(self._sizes) if number not in self._results)
        self._bytes_come = 0
        self._waiting = deque(number for number in range(len(files)) if number not in self._results)
        self._pausing: list[tuple[float, int]] = []
        """When a file may be tried again, by ``time.monotonic()``."""
        self._attempts = [0] * len(files)
        self._jobs: dict[int, Job] = {}
        self._at_work: dict[int, JobProgress] = {}
        self._moved_s: dict[int, float] = {}
        """When the module of a job has begun or given its newest frame, by ``time.monotonic()``."""
        self._retried = 0
        self._frames = 0
        self._started_s = time.monotonic()

    def run(self, workers: Workers, on_progress: Callable[[MapProgress], object] | None = None) -> MapOutcome:
        """Do every file that is to be done, and say what came of all.

        Args:
            workers: Who does them.
            on_progress: Told several times a second, and at the end.

        Raises:
            MediaError: The folder of the results cannot be written any more.
        """
        while self._waiting or self._pausing or self._jobs:
            self._give(workers)
            for event in workers.events(REFRESH_S):
                self._take(event)
            self._give_up_stalled(workers)
            if on_progress is not None:
                on_progress(self.progress())
        return MapOutcome(tuple(self._results[number] for number in range(len(self._files))), self._seconds)

    def progress(self) -> MapProgress:
        """Return how far the run is."""
        seconds = self._seconds
        frames = self._frames + sum(one.frames for one in self._at_work.values())
        at_work = tuple(
            FileAtWork(self._files[number].shown, one.frames, one.total)
            for number, one in sorted(self._at_work.items())
        )
        return MapProgress(
            total=len(self._files),
            done_before=self._before,
            done=self._done,
            failed=self._failed,
            retried=self._retried,
            at_work=at_work,
            frames=frames,
            frames_per_s=frames / seconds if seconds > 0 else 0.0,
            seconds=seconds,
            eta_s=self._eta_s(seconds),
        )

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._started_s

    def _eta_s(self, seconds: float) -> float | None:
        """Return how long the rest takes if its bytes go as fast as those before."""
        come = float(self._bytes_come)
        for number, one in self._at_work.items():
            if one.total:
                come += self._sizes[number] * min(one.frames / one.total, 1.0)
        return None if come <= 0 or seconds <= 0 else max(self._bytes_every - come, 0.0) * seconds / come

    def _give(self, workers: Workers) -> None:
        now_s = time.monotonic()
        while self._pausing and self._pausing[0][0] <= now_s:
            self._waiting.append(heapq.heappop(self._pausing)[1])
        while self._waiting and workers.room > 0:
            number = self._waiting.popleft()
            job = self._job(number)
            try:
                self._bring(job)
            except MediaError as error:
                self._take(JobResult(number, job.attempt, False, error=str(error), may_pass=may_pass(error)))
                continue
            self._at_work[number] = JobProgress(number, 0, None)
            workers.give(job)

    def _job(self, number: int) -> Job:
        file, remote = self._files[number], self._files[number].remote
        self._attempts[number] += 1
        job = Job(
            number=number,
            attempt=self._attempts[number],
            location=file.location,
            shown=file.shown,
            name=file.name,
            staging=str(self._folder.staging(number, self._attempts[number])),
            folder=str(self._folder.path),
            token=self._folder.token,
            is_remote=remote is not None,
            file_name="" if remote is None else remote.file_name,
            mark=FileMark() if remote is None else FileMark(size=remote.size, mark=remote.mark),
            storage_options=dict(self._options.storage_options or {}),
            keeps_damaged=self._options.keeps_damaged,
            compat=self._options.compat,
        )
        self._jobs[number] = job
        return job

    def _bring(self, job: Job) -> None:
        """Bring a file that only this process has."""
        if job.is_remote and scheme_of(job.location) == IN_PROCESS:
            bring(job.location, Path(job.staging) / IN, job.file_name, job.storage_options)

    def _take(self, event: JobProgress | JobResult) -> None:
        job = self._jobs.get(event.number)
        if job is None or (isinstance(event, JobResult) and event.attempt != job.attempt):
            return
        if isinstance(event, JobProgress):
            before = self._at_work.get(event.number)
            if event.number not in self._moved_s or before is None or event.frames != before.frames:
                self._moved_s[event.number] = time.monotonic()
            self._at_work[event.number] = event
            return
        with hold_stop():
            self._settle(job, event)

    def _give_up_stalled(self, workers: Workers) -> None:
        """End attempts that give no frame any more: of an element that hangs, of a disk that does not answer."""
        stall_s = self._options.stall_s
        if stall_s is None:
            return
        now_s = time.monotonic()
        for number in [one for one, moved_s in self._moved_s.items() if now_s > moved_s + stall_s]:
            job = self._jobs[number]
            workers.give_up(job)
            words = f"no new frame for {stall_s:g} s: it was given up"
            self._take(JobResult(number, job.attempt, False, error=words, may_pass=True))

    def _settle(self, job: Job, result: JobResult) -> None:
        """Keep a whole result, try a file again, or write down that it has failed."""
        number = job.number
        del self._jobs[number]
        self._at_work.pop(number, None)
        self._moved_s.pop(number, None)
        self._frames += result.frames
        staging = Path(job.staging)
        record = self._record(job, result)
        if result.is_whole:
            try:
                record = self._folder.keep(record, Made(staging / OUT, result.outputs))
            except TakenError as error:
                record = self._record(job, JobResult(number, job.attempt, False, error=str(error), mark=result.mark))
        self._folder.discard(staging)
        if record.state == "done":
            self._end(number, record)
        elif result.may_pass and self._attempts[number] <= self._options.retries:
            self._retried += 1
            doublings = min(self._attempts[number] - 1, MOST_DOUBLINGS)  # more make a number that is no float
            pause_s = min(self._options.first_pause_s * 2.0**doublings, LONGEST_PAUSE_S)
            heapq.heappush(self._pausing, (time.monotonic() + pause_s, number))
        else:
            self._folder.manifest.append(record)
            self._end(number, record)

    def _end(self, number: int, record: Record) -> None:
        """Take notice that a file has come to its end."""
        self._results[number] = self._result_of(number, record)
        self._bytes_come += self._sizes[number]
        self._done += record.state == "done"
        self._failed += record.state == "failed"

    def _record(self, job: Job, result: JobResult) -> Record:
        return Record(
            state="done" if result.is_whole else "failed",
            file=self._files[job.number].key,
            name=job.name,
            mark=result.mark,
            module=self._options.digest,
            frames=result.frames,
            seconds=round(result.seconds, 3),
            attempts=job.attempt,
            error=printable(result.error),
            note=printable(result.note),
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            picasso=version(_DIST),
        )

    def _result_of(self, number: int, record: Record, *, is_new: bool = True) -> FileResult:
        is_done = record.state == "done"
        return FileResult(
            file=record.file,
            shown=self._files[number].shown,
            name=record.name,
            state="done" if is_done else "failed",
            is_new=is_new,
            outputs=tuple(self._folder.path / name for name in record.outputs) if is_done else (),
            frames=record.frames,
            seconds=record.seconds,
            attempts=record.attempts,
            error=record.error,
            note=record.note,
        )

    @staticmethod
    def _size_of(file: InputFile) -> int:
        try:
            return glance(file).size or 1
        except OSError:
            return 1
