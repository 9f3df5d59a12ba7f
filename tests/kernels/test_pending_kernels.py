"""Kernels that several threads ask for at once: who asks first begins all of them, in one step and with one line."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from picasso_kernels.processes import pending, pool
from picasso_kernels.processes.pending import PendingKernel, compile_later, compile_now
from picasso_kernels.processes.pool import Job

CROWD = 8


class Absent:
    """A kernel that is not on the disk, for want of which nothing happens here."""

    dispatcher = None

    def load(self, content: bytes | None = None) -> bool:
        return False

    def make(self) -> bytes:
        raise AssertionError("the pool compiles it")

    def why_absent(self) -> str:
        return "none are kept"


class Recorder(pool.CompilerPool):
    """Keeps what it is given, and compiles nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[tuple[str, ...]] = []

    @property
    def obstacle(self) -> str | None:
        return None

    def submit(self, *jobs: Job) -> None:
        self.given.append(tuple(job.name for job in jobs))


def absent(name: str) -> PendingKernel:
    return PendingKernel(name, Absent, lambda _code: None)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    recorder = Recorder()
    monkeypatch.setattr(pool, "POOL", recorder)
    monkeypatch.setattr(pending, "say_once", lambda text: None)
    return recorder.given


@pytest.mark.usefixtures("hasty")
def test_of_many_who_ask_for_two_kernels_one_begins_both(given: list[tuple[str, ...]]) -> None:
    together = threading.Barrier(CROWD)

    def ask(number: int, one: PendingKernel, other: PendingKernel) -> None:
        together.wait()
        compile_now(*((one, other) if number % 2 else (other, one)))

    with ThreadPoolExecutor(CROWD) as threads:
        for _ in range(200):
            one, other = absent("one"), absent("other")
            given.clear()
            list(threads.map(ask, range(CROWD), [one] * CROWD, [other] * CROWD))
            assert [set(jobs) for jobs in given] == [{"one", "other"}]


def test_a_kernel_that_is_named_twice_is_begun_once(given: list[tuple[str, ...]]) -> None:
    kernel = absent("one")
    compile_now(kernel, kernel)
    compile_now(kernel)
    compile_later(kernel, 0.0)
    assert given == [("one",)]


def test_what_another_began_is_not_begun_again(given: list[tuple[str, ...]]) -> None:
    one, other = absent("one"), absent("other")
    compile_later(one, 0.0)
    compile_now(other, one)
    assert given == [("one",), ("other",)]


def test_what_was_begun_is_compiled_also_where_the_line_of_the_log_is_interrupted(
    given: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_text: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pending, "say_once", interrupt)
    kernel = absent("one")
    with pytest.raises(KeyboardInterrupt):
        compile_now(kernel)
    assert given == [("one",)]
    assert kernel.job is not None


def test_a_job_that_another_thread_is_about_to_submit_is_hurried_as_well() -> None:
    compilers = pool.CompilerPool()
    job = Job("one", urgent=False, wait_s=5.0)
    compilers.hurry(job)
    assert (job.urgent, job.nice) == (True, 0)
    assert compilers.progress() is None  # who made it submits it
    over = Job("other", urgent=False)
    over.done.set()
    compilers.hurry(over)
    assert not over.urgent
