"""Jobs on a cluster: each is a task of Ray, wherever there is room."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, final

from picasso.cluster.door import RaySession
from picasso.cluster.files.job import Job, JobProgress, JobResult

if TYPE_CHECKING:
    from picasso.cluster.files.fitting import FittedModule
    from picasso.cluster.files.processes import JobEvent

PROGRESS_S: Final = 1.0
"""Seconds between two words of a task about how far it is."""
logger = logging.getLogger("picasso.cluster")
_SPARE: Final = 1.5
"""Tasks that are given, for each that can run: those that wait begin without a way to the head."""


@contextmanager
def ray_workers(module: FittedModule, address: str, most: int | None, cpus: float, gpus: float) -> Iterator[RayWorkers]:
    """Give jobs to a cluster while the context lasts; what is unfinished at its end is cancelled.

    Args:
        module: What they run.
        address: Of the cluster, ``auto`` or ``local``.
        most: Files at once; None for as many as there is room for.
        cpus: That a file takes.
        gpus: That a file takes, or a fraction of one.

    Raises:
        MissingDependencyError: Ray is not installed.
        TransportError: There is no cluster at the address.
    """
    with RaySession(address) as ray:
        workers = RayWorkers(ray, module, most, cpus, gpus)
        try:
            yield workers
        finally:
            workers.close()


@final
class RayWorkers:
    """Tasks of a cluster. A task whose worker or node dies is an attempt that failed; it is given again elsewhere.

    Ray itself tries nothing again, so that no two attempts at a file are ever one attempt.
    """

    def __init__(self, ray: Any, module: FittedModule, most: int | None, cpus: float, gpus: float) -> None:
        """Give nothing yet."""
        self._ray = ray
        self._most = most
        self._needs = {name: value for name, value in (("CPU", cpus), ("GPU", gpus)) if value}
        self._module = ray.put(module)
        self._path = list(filter(None, sys.path))
        self._task = ray.remote(
            num_cpus=cpus, num_gpus=gpus, max_retries=0, num_returns="streaming", max_calls=0 if not gpus else 1
        )(_work)
        self._asked_s = float("-inf")
        self._last_limit = 1
        self._has_warned = False
        self._jobs: dict[Any, Job] = {}
        """By the stream of what a task says."""

    @property
    def room(self) -> int:
        """Jobs that may be given now: as many as the cluster runs at once, and some that wait."""
        return self._limit() - len(self._jobs)

    def give(self, job: Job) -> None:
        """Begin a task."""
        stream = self._task.remote(self._module, job, self._path, os.getcwd())
        self._jobs[stream] = job

    def events(self, timeout_s: float) -> list[JobEvent]:
        """Return what tasks say, after at most that many seconds."""
        found: list[JobEvent] = []
        if not self._jobs:
            time.sleep(timeout_s)
            return found
        ready, _ = self._ray.wait(list(self._jobs), num_returns=len(self._jobs), timeout=timeout_s)
        for stream in ready:
            found += self._read(stream)
        return found

    def give_up(self, job: Job) -> None:
        """Kill the task of a job."""
        for stream in [one for one, its in self._jobs.items() if its is job]:
            del self._jobs[stream]
            self._ray.cancel(stream, force=True)

    def close(self) -> None:
        """Cancel what is unfinished. May be called again."""
        jobs, self._jobs = self._jobs, {}
        for stream in jobs:
            self._ray.cancel(stream, force=True)

    def _read(self, stream: Any) -> Iterator[JobEvent]:
        """Yield the next thing that a task says; where it died, a failed attempt."""
        job = self._jobs[stream]
        try:
            event = self._ray.get(next(stream))
        except StopIteration:
            del self._jobs[stream]
            yield JobResult(job.number, job.attempt, False, error="its task ended without a result", may_pass=True)
            return
        except self._ray.exceptions.RayError as error:
            del self._jobs[stream]
            yield JobResult(job.number, job.attempt, False, error=_words(error), may_pass=True)
            return
        if isinstance(event, JobResult):
            del self._jobs[stream]
        yield event

    def _limit(self) -> int:
        """Return how many jobs may be out; the cluster may grow, and shrink, so it is asked once a second."""
        now_s = time.monotonic()
        if now_s < self._asked_s + PROGRESS_S:
            return self._last_limit
        self._asked_s = now_s
        self._warn_once()
        there = self._ray.cluster_resources()
        at_once = min(int(there.get(name, 0.0) / value) for name, value in self._needs.items())
        limit = max(int(at_once * _SPARE), 1)
        self._last_limit = limit if self._most is None else min(limit, self._most)
        return self._last_limit

    def _warn_once(self) -> None:
        """Say so where no node can run a task: Ray lets it wait, since such a node may come."""
        if self._has_warned:
            return
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        if any(all(node.get(name, 0.0) >= value for name, value in self._needs.items()) for node in nodes):
            return
        self._has_warned = True
        needs = " and ".join(f"{name} {value:g}" for name, value in self._needs.items())
        most = ", ".join(f"{name} {max((node.get(name, 0.0) for node in nodes), default=0):g}" for name in self._needs)
        logger.warning("no node has %s for a file, at most %s: files wait until such a node joins", needs, most)


def _work(module: FittedModule, job: Job, path: list[str], folder: str) -> Iterator[JobProgress | JobResult]:
    """Run one job in a process of Ray's, and yield how far it is and then how it ended."""
    import queue
    import threading

    from picasso.cluster.files.job import run_job
    from picasso.infer.providers import CORES

    sys.path += [one for one in path if one not in sys.path]
    if os.path.isdir(folder):
        os.chdir(folder)  # code of users is looked for there
    import ray

    cpus = ray.get_runtime_context().get_assigned_resources().get("CPU", 1.0)
    os.environ[CORES] = str(max(int(cpus), 1))
    said: queue.SimpleQueue[JobProgress | JobResult] = queue.SimpleQueue()
    last_s = 0.0

    def tell(progress: JobProgress) -> None:
        nonlocal last_s
        if time.monotonic() - last_s >= PROGRESS_S:
            last_s = time.monotonic()
            said.put(progress)

    def run() -> None:
        try:
            said.put(run_job(module, job, tell))
        except BaseException as error:  # noqa: BLE001 - such as SystemExit of users' code: the task waits for a word
            words = f"{type(error).__name__}: {error}"
            said.put(JobResult(job.number, job.attempt, False, error=words, may_pass=False))

    thread = threading.Thread(target=run, name=f"job {job.name}")
    thread.start()
    while True:
        event = said.get()
        yield event
        if isinstance(event, JobResult):
            thread.join()
            return


def _words(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"its task died: {type(error).__name__}: {text}"[:300]
