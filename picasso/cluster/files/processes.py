"""Jobs on this machine: as many processes as are wanted, each with one file at a time."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from multiprocessing.connection import Pipe, wait
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, final

from picasso.cluster.files.job import Job, JobProgress, JobResult
from picasso.infer.providers import CORES, usable_cores

if TYPE_CHECKING:
    from picasso.cluster.files.fitting import FittedModule

_START: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from picasso.cluster.files.worker import main; main(int(sys.argv[1]))"
)
_END_S: Final = 5.0

JobEvent = JobProgress | JobResult


class Workers(Protocol):
    """Who does the jobs."""

    @property
    def room(self) -> int:
        """Jobs that may be given now."""

    def give(self, job: Job) -> None:
        """Begin a job."""

    def events(self, timeout_s: float) -> list[JobEvent]:
        """Return what has happened, after at most that many seconds."""

    def give_up(self, job: Job) -> None:
        """End a job that is being done: nothing more comes of it."""

    def close(self) -> None:
        """End, and give up what is unfinished. May be called again."""


@final
class ProcessWorkers:
    """Processes of this machine. One that dies takes its own file along, and another takes its place.

    They end with this program, however it ends: their connection is closed then.
    """

    def __init__(self, module: FittedModule, count: int, log: Path) -> None:
        """Start nothing yet.

        Args:
            module: What they run.
            count: How many, at least 1.
            log: The file for what they print.
        """
        self._module = module
        self._count = count
        self._log = log
        self._workers: list[_Worker] = []

    @property
    def room(self) -> int:
        """Jobs that may be given now."""
        return self._count - sum(worker.job is not None for worker in self._workers)

    def give(self, job: Job) -> None:
        """Give a job to a process without one, or to a new one."""
        for worker in self._workers:
            if worker.job is None and worker.is_there:
                break
        else:
            worker = _Worker(self._module, self._log, self._count)
            self._workers.append(worker)
        worker.give(job)

    def events(self, timeout_s: float) -> list[JobEvent]:
        """Return what has happened, after at most that many seconds."""
        found: list[JobEvent] = []
        by_connection = {worker.connection: worker for worker in self._workers}
        if not by_connection:
            time.sleep(timeout_s)
            return found
        for ready in wait(list(by_connection), timeout_s):
            worker = by_connection[ready]  # type: ignore[index]  # they are connections
            found += worker.read()
            if not worker.is_there:
                self._workers.remove(worker)
        return found

    def give_up(self, job: Job) -> None:
        """Kill the process that does a job."""
        for worker in [one for one in self._workers if one.job is job]:
            self._workers.remove(worker)
            worker.kill()

    def close(self) -> None:
        """End every process. May be called again."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.hang_up()
        deadline_s = time.monotonic() + _END_S
        for worker in workers:
            worker.end(max(deadline_s - time.monotonic(), 0.0))


@final
class _Worker:
    """One process and its connection."""

    def __init__(self, module: FittedModule, log: Path, count: int) -> None:
        self.job: Job | None = None
        self.is_there = True
        self.connection, theirs = Pipe()
        environment = {**os.environ, CORES: str(max(usable_cores() // count, 1))}
        arguments = [sys.executable, "-P", "-c", _START, str(theirs.fileno()), json.dumps([*filter(None, sys.path)])]
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # it is born without an ear for Ctrl-C
        try:
            with theirs, log.open("ab") as out:
                self._process = subprocess.Popen(
                    arguments,
                    env=environment,
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
        self._send(module)

    def give(self, job: Job) -> None:
        self.job = job
        self._send(job)

    def read(self) -> list[JobEvent]:
        """Return what it says; the last of it when it has died."""
        found: list[JobEvent] = []
        try:
            while self.connection.poll():
                found.append(self._take(self.connection.recv()))
        except (EOFError, OSError):
            self.is_there = False
            self.connection.close()
            code = self._process.wait()
            if self.job is not None:
                found.append(JobResult(self.job.number, self.job.attempt, False, error=_words(code), may_pass=True))
                self.job = None
        return found

    def hang_up(self) -> None:
        """Close the connection: the process ends at once."""
        self.connection.close()

    def kill(self) -> None:
        """End the process, and wait for that; not for long, as one that waits for a disk cannot be killed."""
        self._process.kill()
        self.connection.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)

    def end(self, timeout_s: float) -> None:
        """Wait for its end, and make one where it does not come."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _take(self, event: JobEvent) -> JobEvent:
        if isinstance(event, JobResult):
            self.job = None
        return event

    def _send(self, thing: object) -> None:
        try:
            self.connection.send(thing)
        except OSError:
            return  # it has died, which is read


def _words(code: int) -> str:
    if code >= 0:
        return f"its process ended with {code}"
    name = signal.Signals(-code).name if -code in signal.Signals._value2member_map_ else str(-code)
    reason = "; the system may have run out of memory" if name == "SIGKILL" else ""
    return f"its process was killed by {name}{reason}"
