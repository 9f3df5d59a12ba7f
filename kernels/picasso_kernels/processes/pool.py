"""Kernels are compiled by other processes of ours, several at once, while this one goes on.

A compiler holds the interpreter's lock for seconds; in this process it would stop every source. So each kernel goes to
a child process (``worker``), which puts machine code into the cache, or sends it where no disk takes it.

Guarantees:

- Urgent work goes to as many processes as there are processors and memory for; work that can wait goes to one more, of
  lower priority, once nothing urgent is left.
- Children end when they have nothing to do, and when this process ends, however it ends. They write nothing anywhere
  but in the cache. Ctrl-C on a terminal reaches this process and not them.
- Where no child can be started, or one fails, jobs fail with the reason, and who asked compiles in this process.
- Threads are daemons, named ``kernel-compiler``; after a fork, the child process begins without jobs.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, final

from picasso_kernels.cache.folder import say_once

if TYPE_CHECKING:
    from picasso_kernels.processes.child import Answer, Child

VARIABLE: Final = "PICASSO_COMPILERS"
"""The environment variable that says how many processes compile at once; 0: this one does it."""
_MOST: Final = 4
"""As many kernels are urgent at once."""
_CHILD_BYTES: Final = 400 << 20
"""What one process takes, and some."""


_SOON_S: Final = 1.0
_SOON_NICE: Final = 5
"""Of what frames do without at a price, and that is short."""
_LATER_NICE: Final = 19
"""Of what frames hardly miss."""


class Progress(NamedTuple):
    """How far urgent work is."""

    done: int
    """Kernels that are ready, of those that were asked for since nothing was left to do."""
    total: int
    seconds: float
    """Since the first of them was asked for."""

    def __str__(self) -> str:
        return f"compiling kernels for this processor, once: {self.done} of {self.total} ready, {self.seconds:.0f} s"


def _nothing() -> None:
    """Do nothing."""


@final
class Job:
    """A kernel that is to be compiled."""

    __slots__ = ("answer", "done", "due_s", "error", "is_cancelled", "name", "nice", "on_done", "urgent")

    def __init__(self, name: str, *, urgent: bool, wait_s: float = 0.0) -> None:
        self.name = name
        """Of the entry."""
        self.urgent = urgent
        self.due_s = time.monotonic() + wait_s
        """When it may begin."""
        self.nice = 0 if urgent else _SOON_NICE if wait_s <= _SOON_S else _LATER_NICE
        """How much lower than ours the priority of its process is."""
        self.on_done: Callable[[], None] = _nothing
        """Called before ``done`` is set, by a thread of the pool."""
        self.done = threading.Event()
        """Set when the rest is decided."""
        self.answer: Answer | None = None
        """What the child said."""
        self.error: str | None = None
        """Why it did not."""
        self.is_cancelled = False
        """Whether who waits is to give up."""

    def fail(self, error: BaseException | str) -> None:
        """Give up: who waits tries in this process. Says why, once."""
        self.error = str(error) or type(error).__name__
        say_once(f"kernels are compiled in this process: {self.error}")


@final
class CompilerPool:
    """The processes that compile; see the module."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._jobs: list[Job] = []
        self._begun: set[Job] = set()
        self._round: list[Job] = []
        self._round_began_s = 0.0
        self._busy = {True: 0, False: 0}
        self._children: set[Child] = set()
        self._failure: str | None = None

    @property
    def obstacle(self) -> str | None:
        """Why no other process can compile for this one; None as far as we know one can."""
        return self._failure or why_not()

    def submit(self, *jobs: Job) -> None:
        """Have kernels compiled; returns at once. ``job.done`` says when, ``job.error`` whether."""
        with self._changed:
            if not any(not job.done.is_set() for job in self._round):
                self._round, self._round_began_s = [], time.monotonic()
            self._round += [job for job in jobs if job.urgent]
            self._jobs += jobs
            for urgent in (True, False):
                waiting = sum(job.urgent is urgent for job in self._jobs)
                for _ in range(min(waiting, (compilers() if urgent else 1) - self._busy[urgent])):
                    self._start_thread(urgent)
            self._changed.notify_all()

    def hurry(self, job: Job) -> None:
        """Make a job urgent that is not yet begun."""
        with self._changed:
            if job.urgent or job in self._begun or job.done.is_set():
                return
            job.urgent, job.nice = True, 0
            if job in self._jobs:  # else who made it is about to submit it
                self._jobs.remove(job)
                self.submit(job)

    def cancel(self) -> None:
        """Give up what is being compiled: who waits for it gets an error, who asks again has it compiled again."""
        with self._changed:
            for job in {*self._jobs, *self._begun, *self._round}:
                if not job.done.is_set():
                    job.is_cancelled = True
                    job.done.set()
            self._jobs.clear()
            for child in self._children:
                child.kill()
            self._changed.notify_all()

    def progress(self) -> Progress | None:
        """Say how far urgent work is; None when there is none."""
        with self._changed:
            done = sum(job.done.is_set() for job in self._round)
            if done == len(self._round):
                return None
            return Progress(done, len(self._round), time.monotonic() - self._round_began_s)

    def processes(self) -> list[int]:
        """Return the numbers of the processes that are there for it."""
        with self._changed:
            return [child.number for child in self._children]

    def close_after_fork(self) -> None:
        """In a child process: let go of what belongs to the threads of its parent."""
        for child in self._children:
            child.forget()

    def _start_thread(self, urgent: bool) -> None:
        """Begin with jobs of a kind; where the system gives no thread for the first of them, they fail."""
        try:
            threading.Thread(target=self._work, args=(urgent,), name="kernel-compiler", daemon=True).start()
        except RuntimeError as error:
            for job in [job for job in self._jobs if job.urgent is urgent and not self._busy[urgent]]:
                self._jobs.remove(job)
                job.fail(error)
                job.done.set()
        else:
            self._busy[urgent] += 1

    def _work(self, urgent: bool) -> None:
        """Compile one job after another with one child; end when there is none."""
        child: Child | None = None
        try:
            while job := self._next(urgent):
                try:
                    child = child or self._open()
                    if not job.is_cancelled:
                        job.answer = child.compile(job.name, job.nice)
                        job.on_done()
                except Exception as error:  # noqa: BLE001  # who waits tries in this process
                    if not job.is_cancelled:
                        job.fail(error)
                    if child:
                        self._close(child)
                    child = None
                with self._changed:
                    self._begun.discard(job)
                    job.done.set()
                    self._changed.notify_all()
        finally:
            if child:
                self._close(child)

    def _next(self, urgent: bool) -> Job | None:
        """Wait for the next job of a kind; None when there is none, and the thread is counted no more."""
        with self._changed:
            while mine := [job for job in self._jobs if job.urgent is urgent]:
                job = min(mine, key=lambda job: job.due_s)
                wait_s = max(job.due_s - time.monotonic(), 0.0)
                is_blocked = not urgent and any(not other.done.is_set() for other in self._round)
                if not is_blocked and not wait_s:
                    self._jobs.remove(job)
                    self._begun.add(job)
                    return job
                self._changed.wait(None if is_blocked else wait_s)
            self._busy[urgent] -= 1
            return None

    def _open(self) -> Child:
        from picasso_kernels.processes.child import Child, ChildError

        if self._failure:
            raise ChildError(self._failure)
        try:
            child = Child()
        except Exception as error:
            self._failure = str(error) or type(error).__name__
            raise
        with self._changed:
            self._children.add(child)
        return child

    def _close(self, child: Child) -> None:
        child.close()
        with self._changed:
            self._children.discard(child)


@functools.cache
def why_not() -> str | None:
    """Say what forbids that another process compiles for this one; None where nothing is known."""
    if compilers() == 0:
        return f"{VARIABLE} is {os.environ[VARIABLE]}"
    if getattr(sys, "frozen", False) or hasattr(sys.modules.get("__main__"), "__compiled__"):
        return "the program is frozen"
    if not sys.executable or not Path(sys.executable).name.lower().startswith(("python", "pypy")):
        return f"the interpreter is embedded in {sys.executable or 'another program'}"
    return None if os.access(sys.executable, os.X_OK) else f"{sys.executable} cannot be run"


@functools.cache
def compilers() -> int:
    """Return how many processes compile at once: what the variable says, else by processors and memory."""
    wish = os.environ.get(VARIABLE, "")
    if wish.isdecimal():
        return int(wish)
    if wish:
        say_once(f"{VARIABLE} = {wish!r}: expected a number of processes, 0 or more")
    by_memory = _free_bytes() // _CHILD_BYTES
    return max(1, min(_MOST, len(os.sched_getaffinity(0)), by_memory))


def _free_bytes() -> int:
    """Return how much memory there is for other processes: what the machine has, or what our group may still take."""
    free = [1 << 40]
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free += [int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")]
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        if limit.isdecimal():
            free.append(int(limit) - int(Path("/sys/fs/cgroup/memory.current").read_text()))
    except (OSError, ValueError, IndexError):
        pass
    return max(0, min(free))


@contextlib.contextmanager
def cancelled_by_an_error() -> Iterator[None]:
    """Where the body is left by an exception, Ctrl-C among them, no one waits for the compiler any more."""
    try:
        yield
    except BaseException:
        POOL.cancel()
        raise


POOL = CompilerPool()


def _forget() -> None:
    global POOL  # noqa: PLW0603  # the one pool of this process
    POOL.close_after_fork()
    POOL = CompilerPool()


os.register_at_fork(after_in_child=_forget)
