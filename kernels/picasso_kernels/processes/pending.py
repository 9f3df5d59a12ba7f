"""A kernel on its way to machine code: found on the disk, compiled by another process, or in this one.

It is made once, however many threads want it: one of them looks for it and has it compiled, all wait for the same
event, without the interpreter's lock, and one loads what was made.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple, Protocol, final

from picasso_kernels.cache.folder import log, say_once, writable_folder
from picasso_kernels.processes import pool
from picasso_kernels.processes.pool import Job


class Form(Protocol):
    """One form of a kernel, as its compiler makes it."""

    @property
    def dispatcher(self) -> Any:
        """What is called."""

    def load(self, content: bytes | None = None) -> bool:
        """Load it from ``content``, or from disk; say whether it is there."""

    def make(self) -> bytes:
        """Load it from disk, else compile it here."""

    def why_absent(self) -> str:
        """Say why ``load`` finds nothing."""


class Made(NamedTuple):
    """A kernel that became ready in this process."""

    kernel: str
    how: str
    """``loaded`` from disk; ``compiled`` for us by a process of ours, or ``compiled here``."""
    seconds: float
    """Of loading, or of compiling."""


MADE: Final[list[Made]] = []
"""What became ready in this process, in its order."""


class CompilingCancelled(RuntimeError):
    """No one waits for a kernel any more: see ``CompilerPool.cancel``."""


@final
class PendingKernel:
    """One kernel, for all threads. Called like the kernel, it waits until it is ready."""

    def __init__(self, name: str, compiled: Callable[[], Form], on_ready: Callable[[Any], None]) -> None:
        """Begin nothing yet.

        Args:
            name: Of the entry.
            compiled: Makes what loads and compiles; called once, when it is needed.
            on_ready: Called with the machine code once there is some.
        """
        self.name = name
        self._new = compiled
        self._on_ready = on_ready
        self.lock = threading.Lock()
        self._compiled: Form | None = None
        self._job: Job | None = None
        self._result: Any = None
        _ALL.add(self)

    def __call__(self, *arguments: Any) -> Any:
        """Call the machine code; wait for it, if need be."""
        return self.wait()(*arguments)

    def ready(self) -> Any:
        """Return the machine code if it is there; never waits."""
        return self._result

    def is_missing(self) -> bool:
        """Load the machine code if it is on the disk; say whether it still has to be compiled. Only while held."""
        self._job = self.job
        return self._result is None and self._job is None and not self._load()

    def begin(self, *, urgent: bool, wait_s: float = 0.0) -> Job:
        """Return the job that compiles it. Only where ``is_missing``, and still held."""
        self._job = Job(self.name, urgent=urgent, wait_s=wait_s)
        self._job.on_done = self._settle
        return self._job

    def wait(self) -> Any:
        """Return the machine code; have it compiled if need be, and wait for it."""
        if self._result is None:
            compile_now(self)
            if job := self._job:
                job.done.wait()
            with self.lock:
                if job and job.is_cancelled and self._result is None:
                    raise CompilingCancelled(f"{self.name} was not compiled to its end: the program is about to stop")
                self._finish()
        return self._result

    def why_absent(self) -> str:
        """Say why ``is_missing`` found nothing."""
        return self._compiled.why_absent() if self._compiled else ""

    @property
    def job(self) -> Job | None:
        """What compiles it; None where that was cancelled."""
        return None if self._job and self._job.is_cancelled else self._job

    def forget(self) -> None:
        """In a child process: start over: the threads of the parent do not exist here."""
        self.lock = threading.Lock()
        if self._job and not self._job.done.is_set():
            self._job = None

    def _settle(self) -> None:
        """Load what a job made, before anybody asks."""
        with self.lock:
            if self._job and not self._job.is_cancelled:
                self._finish()

    def _load(self, content: bytes | None = None) -> bool:
        if self._compiled is None:
            self._compiled = self._new()
        began_s = time.perf_counter()
        if not self._compiled.load(content):
            return False
        if self._job is None:
            self._note("loaded", time.perf_counter() - began_s)
        self._set(self._compiled)
        return True

    def _finish(self) -> None:
        """Load what a job made, or compile here."""
        if self._result is not None:
            return
        job = self._job
        if job and job.answer and not job.error and self._load(job.answer.content):
            self._note("compiled" if job.answer.is_new else "loaded", job.answer.seconds)
            return
        if self._compiled is None:
            self._compiled = self._new()
        began_s = time.perf_counter()
        self._compiled.make()
        self._note("compiled here", time.perf_counter() - began_s)
        self._set(self._compiled)

    def _set(self, compiled: Form) -> None:
        self._result = compiled.dispatcher
        self._on_ready(self._result)

    def _note(self, how: str, seconds: float) -> None:
        MADE.append(Made(self.name, how, seconds))
        log.info("%s: %s in %.1f s", self.name, how, seconds)


_ALL: Final[weakref.WeakSet[PendingKernel]] = weakref.WeakSet()


def compile_now(*kernels: PendingKernel) -> None:
    """Have kernels compiled that are not on the disk, all at the same time; returns at once.

    Where no other process can do that, they stay as they are: the first call compiles it.
    """
    for pending in kernels:
        if pending.job:
            pool.POOL.hurry(pending.job)
    with _held(kernels):
        missing = [pending for pending in dict.fromkeys(kernels) if pending.is_missing()]
        obstacle = pool.POOL.obstacle
        jobs = [] if obstacle else [pending.begin(urgent=True) for pending in missing]
    if not missing:
        return
    names, why = " and ".join(pending.name for pending in missing), missing[0].why_absent()
    if obstacle:
        say_once(f"compiling {names} for this processor in this process, because {why} and {obstacle}")
        return
    kept = f"kept in {writable_folder()}" if writable_folder() else "not kept"
    try:
        say_once(f"compiling {names} for this processor, because {why}; takes about 10 s, once, then it is {kept}")
    finally:  # others wait for what was begun, also where the line cannot be written
        pool.POOL.submit(*jobs)


def compile_later(pending: PendingKernel, wait_s: float) -> None:
    """Have a kernel compiled at the lowest priority, not before ``wait_s`` seconds from now."""
    if pending.job:
        return
    with pending.lock:
        job = pending.begin(urgent=False, wait_s=wait_s) if pending.is_missing() else None
    if job:
        pool.POOL.submit(job)


@contextlib.contextmanager
def _held(kernels: Iterable[PendingKernel]) -> Iterator[None]:
    """Hold kernels: of several threads that ask for the same ones, one begins all of them. Locks have one order."""
    with contextlib.ExitStack() as held:
        for pending in sorted(set(kernels), key=id):
            held.enter_context(pending.lock)
        yield


def _forget() -> None:
    for pending in list(_ALL):
        pending.forget()


os.register_at_fork(after_in_child=_forget)
