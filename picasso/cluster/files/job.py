"""One file through a module: in a process of its own, or in a task of a cluster."""

from __future__ import annotations

import errno
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from picasso.cluster.files.digests import FileMark, read_mark
from picasso.cluster.files.folder import OWN, TOKEN
from picasso.errors import DeviceError, EncoderError, MediaError, TransportError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from picasso.cluster.files.fitting import FittedModule
    from picasso.flow import SourceStatus
    from picasso.observe import ModuleStatistics

OUT: Final = "out"
"""The folder of an attempt that its sinks write to."""
IN: Final = "in"
"""That for a file that was brought for it."""
DAMAGE: Final = ("undecodable", "failed", "stopped", "max_sources", "no_keyframe")
"""Reasons for which frames are lost and no one asked for it."""
_PASSING: Final = (ConnectionError, TimeoutError, DeviceError, EncoderError, TransportError, MemoryError)
_PASSING_NUMBERS: Final = frozenset(
    (
        *(errno.EIO, errno.EAGAIN, errno.EBUSY, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE, errno.ENOBUFS),
        *(errno.ENOSPC, errno.EDQUOT, errno.EINTR, errno.ETIMEDOUT),
    )
)
_MOST_WORDS: Final = 500


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt at one file."""

    number: int
    """The file's number among all of this run."""
    attempt: int
    """From 1."""
    location: str
    shown: str
    name: str
    staging: str
    """Where it works; no one else does."""
    folder: str
    token: str
    """The folder of the results, and what this run is called there: a node sees that it has the same one."""
    is_remote: bool = False
    file_name: str = ""
    """Of a file that has to be brought: what it is called here."""
    mark: FileMark = field(default_factory=FileMark)
    """Of such a file what its store says."""
    storage_options: Mapping[str, Any] = field(default_factory=dict)
    keeps_damaged: bool = False
    compat: bool = False


@dataclass(frozen=True, slots=True)
class JobResult:
    """How an attempt ended."""

    number: int
    attempt: int
    is_whole: bool
    outputs: tuple[str, ...] = ()
    mark: FileMark = field(default_factory=FileMark)
    frames: int = 0
    """That left the module."""
    seconds: float = 0.0
    error: str = ""
    """In one line; empty where it is whole."""
    may_pass: bool = False
    """Whether another attempt may do better."""
    note: str = ""
    """What is worth knowing about a whole result."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far an attempt is."""

    number: int
    frames: int
    total: int | None


class _Failed(Exception):
    """A file that failed, with whether another attempt may do better."""

    def __init__(self, text: str, *, may_pass: bool) -> None:
        super().__init__(text)
        self.may_pass = may_pass


def run_job(module: FittedModule, job: Job, on_progress: Callable[[JobProgress], object]) -> JobResult:
    """Run a module for one file. All that fails is a result, except for what ends the process.

    Args:
        module: What to run.
        job: For which file.
        on_progress: Called about ten times a second on this thread.
    """
    started_s = time.monotonic()
    frames = 0

    def tell(statuses: list[SourceStatus]) -> None:
        nonlocal frames
        for one in statuses[:1]:
            frames = one.delivered
            on_progress(JobProgress(job.number, one.delivered, one.total))

    try:
        _check_folder(job)
        with ExitStack() as stack:
            path, mark = _here(job, stack)
            on_progress(JobProgress(job.number, 0, None))  # it is here and known, and begins: frames may be awaited
            frames, note = _run(module, job, path, tell)
            if not job.is_remote and _changed(path, mark):
                raise _Failed("changed while it was read", may_pass=True)
            outputs = module.outputs_in(Path(job.staging) / OUT, job.name)
        seconds = time.monotonic() - started_s
        return JobResult(job.number, job.attempt, True, outputs, mark, frames, seconds, note=note)
    except Exception as error:  # noqa: BLE001 - of users' code, of FFmpeg, of a store: it is this file's
        words = " ".join(f"{error}".split()) or type(error).__name__
        if not isinstance(error, _Failed | MediaError):
            words = words if type(error).__module__.startswith("picasso.") else f"{type(error).__name__}: {words}"
        words = words.replace(job.location, job.shown).removeprefix(f"{job.shown}: ")
        seconds = time.monotonic() - started_s
        return JobResult(
            *(job.number, job.attempt, False),
            frames=frames,
            seconds=seconds,
            error=words[:_MOST_WORDS],
            may_pass=error.may_pass if isinstance(error, _Failed) else may_pass(error),
        )


def may_pass(error: BaseException | None) -> bool:
    """Whether an error may be gone at the next attempt: of networks, devices, memory, disks; not of the file itself."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, _PASSING) or (isinstance(error, OSError) and error.errno in _PASSING_NUMBERS):
            return True
        error = error.__cause__ or error.__context__
    return False


def _check_folder(job: Job) -> None:
    try:
        token = (Path(job.folder) / OWN / TOKEN).read_text()
    except OSError:
        token = ""
    if token != job.token:
        raise _Failed(
            f"{job.folder} is not the folder of this run on this machine; -o is a folder that all nodes share",
            may_pass=False,
        )


def _here(job: Job, stack: ExitStack) -> tuple[str, FileMark]:
    """Return where the file can be read on this machine, and what it is like."""
    if not job.is_remote:
        return job.location, read_mark(job.location)
    from picasso.cluster.files.remote import bring

    brought = Path(job.staging) / IN / job.file_name
    if brought.exists():  # the program that started this one has it
        return str(brought), job.mark
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="picasso-map-"))
    return str(bring(job.location, Path(folder), job.file_name, job.storage_options)), job.mark


def _run(module: FittedModule, job: Job, path: str, tell: Callable[[Any], object]) -> tuple[int, str]:
    """Run the module, and return how many frames left it and what is worth knowing."""
    from picasso.module import Module

    folder = Path(job.staging) / OUT
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.pop("SAVANT_STATUS_FILEPATH", None)  # one file for many processes says nothing
    config = module.for_file(path, job.shown, job.name, folder)
    one = Module(config, compat=job.compat)
    outcome = one.run(tell)
    if one.stopped_by is not None:
        raise _Failed(f"stopped by {signal.Signals(one.stopped_by).name}", may_pass=True)
    (status,) = outcome.statuses
    faults = list(_faults(status, one.statistics()))
    if status.failure is not None and not (job.keeps_damaged and status.delivered and not may_pass(status.failure)):
        raise status.failure
    if faults and not job.keeps_damaged:
        raise _Failed("; ".join(faults), may_pass=False)
    if sinks := list(_sink_faults(one.statistics())):
        raise _Failed("; ".join(sinks), may_pass=True)
    notes = [*([" ".join(str(status.failure).split())] if status.failure is not None else []), *faults]
    return status.delivered, "; ".join(notes)


def _faults(status: SourceStatus, statistics: ModuleStatistics) -> Iterator[str]:
    """Say of which frames there is no result although no one asked for that."""
    account = statistics.sources[status.source_id].account
    lost = {reason: count for reason, count in account.dropped.items() if reason in DAMAGE}
    if lost:
        why = ", ".join(f"{reason} {count}" for reason, count in sorted(lost.items()))
        yield f"{sum(lost.values())} of {account.came} frames are lost: {why}"


def _sink_faults(statistics: ModuleStatistics) -> Iterator[str]:
    for sink in statistics.sinks:
        lost = sum(
            count for reason, count in sink.dropped.items() if reason in ("failed", "lost", "stopped", "overflow")
        )
        if sink.failure is not None:
            yield f"{sink.name}: {' '.join(str(sink.failure).split())}"
        elif lost:
            yield f"{sink.name}: {lost} of {sink.came} frames are not written"


def _changed(path: str, mark: FileMark) -> bool:
    status = os.stat(path)
    seen = FileMark(status.st_size, None, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    return not mark.is_as_quickly_seen(seen)
