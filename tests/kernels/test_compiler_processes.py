"""Kernels that other processes compile: once for all who want them, and always the right result."""

from __future__ import annotations

import fcntl
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from picasso_kernels.cache import folder as places
from picasso_kernels.processes import pool, worker

PRELUDE = """
import os, sys, threading, time
import numpy
from picasso_kernels.processes import pool
from picasso_kernels.maths.axis import fill_nearest
from picasso_kernels.cpu.compile import host, ready, request
from picasso_kernels.processes.pending import MADE

def fill():
    table = numpy.zeros(5, numpy.int16)
    host(fill_nearest)(table, 0, 5, 0, 0, 5, 1, 0, 10, 1, 0, 10)
    assert table.tolist() == [1, 3, 5, 7, 9]

def show():
    print(*[f"{made.kernel}: {made.how}" for made in MADE], flush=True)

def wait_until(holds):
    deadline_s = time.monotonic() + 50
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)

def say_who_compiles():
    request(fill_nearest)
    wait_until(pool.POOL.processes)
    print(*pool.POOL.processes(), flush=True)
"""
LOCK = ".fill_nearest.lock"
LONG_S = 60


def environment(cache: Path) -> dict[str, str]:
    """What a process is told: a copy of the kernels that nothing was compiled of, and where to keep what is."""
    told = {places.VARIABLE: str(cache), "PYTHONPATH": str(cache.parent), "PICASSO_KERNELS": "jit"}
    return os.environ | told


class Process:
    """A process with a cache of its own."""

    def __init__(self, folder: Path, code: str, **env: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PRELUDE + code],
            env=environment(folder) | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self) -> tuple[str, str]:
        """Wait for it; return what it wrote, line ends apart."""
        out, err = self.process.communicate(timeout=LONG_S)
        assert self.process.returncode == 0, err
        return out.strip(), err.strip()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    ours = Path(places.__file__).parents[1]
    shutil.copytree(ours, tmp_path / ours.name, ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    folder = tmp_path / "cache"
    folder.mkdir(0o700)
    return folder


@pytest.fixture
def locked(cache: Path) -> Iterator[int]:
    """The kernel's lock, held: every compiler waits."""
    descriptor = os.open(cache / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield descriptor
    os.close(descriptor)


def wait_for_end(pid: int) -> bool:
    """Wait until a process has ended; say whether it has."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watched], [], [], LONG_S)[0])
    finally:
        os.close(watched)


def test_many_threads_wait_for_one_compile(cache: Path) -> None:
    crowd = """
threads = [threading.Thread(target=fill) for _ in range(100)]
for thread in threads: thread.start()
for thread in threads: thread.join()
show()
"""
    out, err = Process(cache, crowd).end()
    assert out == "fill_nearest: compiled"
    assert len(err.splitlines()) == 1  # said once
    assert f"compiling fill_nearest for this processor, because none are kept in {cache}" in err


def test_processes_that_start_together_share_one_compile(cache: Path) -> None:
    processes = [Process(cache, "fill(); show()") for _ in range(3)]
    said = sorted(process.end()[0] for process in processes)
    assert said == ["fill_nearest: compiled", "fill_nearest: loaded", "fill_nearest: loaded"]


@pytest.mark.parametrize(("wish", "count"), [("0", 0), ("1", 1), ("3", 3), ("", None), ("many", None), ("-1", None)])
def test_how_many_compile_at_once_is_said_or_found(
    wish: str, count: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(pool.VARIABLE, wish)
    found = pool.compilers.__wrapped__()
    assert found == count if count is not None else 1 <= found <= len(os.sched_getaffinity(0))


def test_memory_bounds_how_many_compile_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(pool.VARIABLE, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: range(64))
    for free_mib, count in ((0, 1), (900, 2), (64_000, 4)):
        monkeypatch.setattr(pool, "_free_bytes", lambda free_mib=free_mib: free_mib << 20)
        assert pool.compilers.__wrapped__() == count


def test_a_lock_that_is_held_for_too_long_is_not_waited_for(
    cache: Path, locked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(places.VARIABLE, str(cache))
    places.cache_folder.cache_clear()
    monkeypatch.setattr(worker, "LOCK_S", 0.2)
    with worker._lock("fill_nearest"):
        pass
    places.cache_folder.cache_clear()


def test_what_is_cancelled_is_an_error_for_who_waits_and_can_be_asked_for_again(cache: Path, locked: int) -> None:
    code = """
from picasso_kernels.processes.pending import CompilingCancelled
errors = []
def wait():
    try: fill()
    except CompilingCancelled as error: errors.append(str(error))
say_who_compiles()
threads = [threading.Thread(target=wait) for _ in range(5)]
for thread in threads: thread.start()
try:
    with pool.cancelled_by_an_error(): raise KeyboardInterrupt
except KeyboardInterrupt: pass
for thread in threads: thread.join()
print(*set(errors), flush=True)
sys.stdin.read()
fill(); show()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", PRELUDE + code],
        env=environment(cache),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    compiler = int(process.stdout.readline())
    assert process.stdout.readline() == "fill_nearest was not compiled to its end: the program is about to stop\n"
    assert wait_for_end(compiler)
    fcntl.flock(locked, fcntl.LOCK_UN)
    assert process.communicate(timeout=LONG_S)[0].strip() == "fill_nearest: compiled"


def test_who_can_do_without_never_waits(cache: Path, locked: int) -> None:
    code = """
assert ready(fill_nearest, after_s=0) is None
assert ready(fill_nearest, after_s=0) is None
print("went on", flush=True)
sys.stdin.read()
fill(); show()
assert ready(fill_nearest) is host(fill_nearest)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", PRELUDE + code],
        env=environment(cache),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "went on\n"
    fcntl.flock(locked, fcntl.LOCK_UN)
    assert process.communicate(timeout=LONG_S)[0].strip() == "fill_nearest: compiled"


def test_what_can_wait_is_cancelled_too_and_nobody_compiles_it_here(cache: Path, locked: int) -> None:
    code = """
assert ready(fill_nearest, after_s=0) is None
wait_until(pool.POOL.processes)
pool.POOL.cancel()
wait_until(lambda: not pool.POOL.processes())
assert ready(fill_nearest, after_s=LONG_S) is None
print("none")
"""
    assert Process(cache, code.replace("LONG_S", str(LONG_S))).end() == ("none", "")


ASKED = {"request(fill_nearest)": 0, "ready(fill_nearest, after_s=0)": 5, "ready(fill_nearest, after_s=1.1)": 19}


@pytest.mark.parametrize(("ask", "nice"), ASKED.items(), ids=ASKED)
def test_what_can_wait_gives_way_to_other_work(cache: Path, locked: int, ask: str, nice: int) -> None:
    code = f"""
{ask}
wait_until(pool.POOL.processes)
usual = os.getpriority(os.PRIO_PROCESS, 0)
wait_until(lambda: os.getpriority(os.PRIO_PROCESS, pool.POOL.processes()[0]) == min(usual + {nice}, 19))
print("seen", flush=True)
"""
    assert Process(cache, code).end()[0] == "seen"


def test_progress_is_told_while_there_is_any(cache: Path, locked: int) -> None:
    code = """
assert pool.POOL.progress() is None
say_who_compiles()
done, total, seconds = pool.POOL.progress()
assert (done, total) == (0, 1) and seconds > 0
fill()
assert pool.POOL.progress() is None
"""
    process = Process(cache, code)
    assert process.process.stdout
    assert process.process.stdout.readline()
    fcntl.flock(locked, fcntl.LOCK_UN)
    process.end()


OBSTACLES = {
    "none is wanted": ("pass", {"PICASSO_COMPILERS": "0"}),
    "a frozen program": ("sys.frozen = True", {}),
    "no executable": ("sys.executable = ''", {}),
    "no executable known": ("sys.executable = None", {}),
    "an interpreter in another program": ("sys.executable = '/usr/bin/env'", {}),
    "an executable that is gone": ("sys.executable = '/nowhere/python3'", {}),
    "an executable that ends at once": ("sys.executable = FAKE", {"FAKE": "exit 3"}),
    "an executable that speaks another language": ("sys.executable = FAKE", {"FAKE": "echo hello; read wait"}),
    "a process without our packages": (
        "import picasso_kernels.processes.child as child; child._BOOT = 'import nowhere'",
        {},
    ),
}


@pytest.mark.parametrize(("change", "env"), OBSTACLES.values(), ids=OBSTACLES)
def test_where_no_other_process_can_compile_this_one_does(
    cache: Path, tmp_path: Path, change: str, env: dict[str, str]
) -> None:
    fake = tmp_path / "python3"
    fake.write_text(f"#!/bin/sh\n{env.get('FAKE', '')}\n")
    fake.chmod(0o755)
    setup = f"import numba, llvmlite, picasso_kernels.cpu.entries; FAKE = {str(fake)!r}; {change}; pool._forget()\n"
    out, err = Process(cache, f"{setup}fill(); assert ready(fill_nearest); show()", **env).end()
    assert out == "fill_nearest: compiled here"
    assert "in this process" in err
    assert list(cache.glob("*.kernel"))


def test_where_the_system_gives_no_thread_this_process_compiles(cache: Path) -> None:
    code = """
def refuse(self):
    raise RuntimeError("can't start new thread")
threading.Thread.start = refuse
fill(); show()
"""
    out, err = Process(cache, code).end()
    assert out == "fill_nearest: compiled here"
    assert "can't start new thread" in err


def test_kernels_that_changed_since_a_process_began_are_compiled_by_it(cache: Path) -> None:
    code = """
from picasso_kernels.cache.sources import source_key
source_key()
with open(picasso_kernels.maths.axis.__file__, "a") as file:
    print("# changed", file=file)
fill(); show()
"""
    out, err = Process(cache, f"import picasso_kernels.maths.axis\n{code}").end()
    assert out == "fill_nearest: compiled here"
    assert "the kernels have changed since the process that wants them has loaded them" in err


def test_a_compiling_process_that_is_killed_is_replaced_by_this_one(cache: Path, locked: int) -> None:
    process = Process(cache, "say_who_compiles(); fill(); show()")
    assert process.process.stdout
    os.kill(int(process.process.stdout.readline()), signal.SIGKILL)
    out, err = process.end()
    assert out == "fill_nearest: compiled here"
    assert "ended with signal 9" in err


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_compiling_processes_end_with_their_parent(cache: Path, locked: int, number: signal.Signals) -> None:
    process = Process(cache, "say_who_compiles(); fill()").process
    assert process.stdout
    assert process.stderr
    pid = int(process.stdout.readline())
    process.send_signal(number)
    out, err = process.communicate(timeout=LONG_S)
    assert process.returncode == -number
    assert out == ""
    assert ("KeyboardInterrupt" in err) == (number == signal.SIGINT)
    assert wait_for_end(pid)


def test_compiling_processes_end_although_a_forked_process_lives_on(cache: Path, locked: int) -> None:
    code = """
say_who_compiles()
if os.fork() == 0:
    sys.stdin.read()
    os._exit(0)
os.kill(os.getpid(), 9)
"""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", PRELUDE + code],
        env=environment(cache),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert wait_for_end(int(process.stdout.readline()))
    process.communicate(timeout=LONG_S)


def test_a_fork_in_the_midst_of_it_begins_without_jobs(cache: Path, locked: int) -> None:
    code = """
say_who_compiles()
if (pid := os.fork()) == 0:
    print("forked", flush=True)
    fill(); show()
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
fill(); show()
"""
    process = Process(cache, code, PYTHONWARNINGS="ignore")
    assert process.process.stdout
    assert process.process.stdout.readline().strip().isdecimal()
    assert process.process.stdout.readline() == "forked\n"
    fcntl.flock(locked, fcntl.LOCK_UN)
    out, _ = process.end()
    assert len(out.splitlines()) == 2
    assert set(out.splitlines()) <= {"fill_nearest: compiled", "fill_nearest: loaded"}


def test_the_working_folder_may_be_gone(cache: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    code = f"os.chdir({str(gone)!r}); os.rmdir({str(gone)!r}); sys.path.insert(0, ''); fill(); show()"
    assert Process(cache, f"import numba.core.registry; {code}").end()[0] == "fill_nearest: compiled"


def test_a_script_without_a_guard_runs_once(cache: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(PRELUDE + "print('here')\nfill()\nshow()\n")
    env = environment(cache)
    run = subprocess.run([sys.executable, script], env=env, capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[:2] == ["here", "fill_nearest: compiled"]


def test_what_no_disk_takes_comes_through_the_pipe(cache: Path) -> None:
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))\n"
    out, err = Process(cache, f"{full}fill(); show()").end()
    assert out == "fill_nearest: compiled"
    assert not list(cache.glob("*.kernel"))
    assert "are not kept" in err
