"""Run every kernel once under compute-sanitizer: memcheck, racecheck and initcheck.

    python bench/gpu/sanitize.py [tool ...]

Runs ``tests/cuda/test_every_kernel.py``: each kernel of the catalogue alone and in a batch, and all that paint, on
small pictures whose rows lie apart. First without a tool, which also compiles; then all tools at once, each in several
processes. Prints what each tool found, and exits with 1 if one found anything or did not run, or a test failed. Two
planted faults show that the tools see what they are there for: a target that is too small, for memcheck, and a source
that no one wrote, for initcheck. Kernels share no memory within a block, so racecheck has little to look at.

Bytes between rows belong to no pixel. Those of sources are uploaded with the rows, since kernels read whole words;
those of targets are neither written nor read. So initcheck needs no exceptions, and none are made.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

TOOLS = {
    "memcheck": ["--report-api-errors", "no", "--track-stream-ordered-races", "all"],
    "racecheck": [],
    "initcheck": [],
}
"""By tool, its own options. Calls that the driver refuses are errors of ours already, or answers: none are reported."""
PLAIN = "no tool"
PLANTED = "--planted"
FINDS = ("memcheck", "initcheck")
"""Tools for which there is a planted fault."""
ROOT = Path(__file__).parents[2]
FILE = "tests/cuda/test_every_kernel.py"
FOUND = 9
"""The exit status of compute-sanitizer that found something."""
LIMIT_S = 240
"""A process that takes longer has failed."""
PORT, PORTS = 49152, 16
"""Each compute-sanitizer listens on ports of its own."""


class Part(NamedTuple):
    """What one process said."""

    status: int
    said: str
    seconds: float

    @property
    def summaries(self) -> list[str]:
        """What a tool says at its end."""
        return re.findall(r"=+ (?:ERROR|RACECHECK) SUMMARY: (.*)", self.said)

    @property
    def passed(self) -> int:
        """Tests that passed."""
        return sum(int(count) for count in re.findall(r"(\d+) passed", self.said))

    def faults(self, tool: str) -> list[str]:
        """Return why this is no clean run; nothing where it is one."""
        found = [summary for summary in self.summaries if not re.match(r"0 (errors|hazards)", summary)]
        if tool != PLAIN and not self.summaries:
            found.append("the tool did not run")
        if self.status and not found:
            found.append(f"exit status {self.status}")
        return found if found or self.passed else ["no test ran"]


def call(command: list[str]) -> Part:
    """Run a command in the root of the repository."""
    started = time.perf_counter()
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return Part(1, f"no end after {LIMIT_S} s: {' '.join(command)}", time.perf_counter() - started)
    return Part(done.returncode, done.stdout + done.stderr, time.perf_counter() - started)


def under(tool: str, number: int, command: list[str]) -> list[str]:
    """Return a command under a tool; ``number`` is that of the process."""
    if tool == PLAIN:
        return command
    options = ["--tool", tool, "--error-exitcode", str(FOUND), "--port", str(PORT + PORTS * number), *TOOLS[tool]]
    return ["compute-sanitizer", *options, *command]


def pytest(*words: str) -> list[str]:
    """Return a call of pytest; compute-sanitizer is slow, so that no test has a limit."""
    options = ["-q", "-m", "cuda", "-p", "no:cacheprovider", "-o", "addopts=", "-o", "timeout=0"]
    return [sys.executable, "-m", "pytest", *options, *words]


def collect() -> list[str]:
    """Return the tests, by their ids."""
    said = call(pytest("--collect-only", FILE)).said
    names = [line for line in said.splitlines() if line.startswith(FILE)]
    if not names:
        raise SystemExit(f"no tests: {said[-1600:]}")
    return names


def split(names: list[str], count: int) -> list[list[str]]:
    """Deal tests to processes."""
    count = max(1, min(count, len(names)))
    return [names[start::count] for start in range(count)]


def report(tool: str, parts: list[Part]) -> bool:
    """Print a line a tool, and what went wrong; tell whether nothing did."""
    faults = [fault for part in parts for fault in part.faults(tool)]
    slowest = max(part.seconds for part in parts)
    passed = sum(part.passed for part in parts)
    print(f"{tool:10s} {passed} tests passed, {'; '.join(faults) or 'nothing found'}, {slowest:.0f} s", flush=True)
    for part in (part for part in parts if part.faults(tool)):
        lines = part.said.splitlines()
        print("\n".join(lines if len(lines) < 60 else [*lines[:40], "…", *lines[-20:]]))
    return not faults


def report_planted(tool: str, part: Part) -> bool:
    """Print whether a tool saw its planted fault."""
    seen = part.status == FOUND and any(re.match(r"[1-9]", summary) for summary in part.summaries)
    print(f"{tool:10s} {'sees' if seen else 'does not see'} a planted fault: {'; '.join(part.summaries) or part.said}")
    return seen


def plant(tool: str) -> None:
    """Do what a tool has to see."""
    from picasso.surface import VideoFormat
    from picasso.surface.cuda_memory import DeviceBlock, allocate_on_device, view_of_block
    from picasso.transform import Placement
    from picasso.transform.cuda import CudaTransformer

    gpu, size_wh = CudaTransformer(), (64, 48)
    source = allocate_on_device(VideoFormat.RGBA, size_wh, gpu.stream)
    if tool == "memcheck":
        source.memset(90)
        small = DeviceBlock(4096, gpu.stream)
        target = view_of_block(small, VideoFormat.RGBA, size_wh, owner=small)
    else:
        target = allocate_on_device(VideoFormat.RGBA, size_wh, gpu.stream)
    gpu.transform(source, Placement.identity(size_wh), target)
    gpu.wait()


def main(tools: list[str]) -> int:
    """Run, print, return the exit status."""
    if unknown := set(tools) - set(TOOLS):
        raise SystemExit(f"unknown tools {', '.join(sorted(unknown))}; one of {', '.join(TOOLS)}")
    if shutil.which("compute-sanitizer") is None:
        raise SystemExit("compute-sanitizer is not here: it comes with the CUDA toolkit")
    names, cores = collect(), max(1, os.cpu_count() or 1)
    with ThreadPoolExecutor(cores) as pool:
        if not report(PLAIN, list(pool.map(lambda part: call(pytest(*part)), split(names, cores)))):
            return 1
        work = [(tool, pytest(*part)) for tool in tools for part in split(names, cores // len(tools))]
        planted = [tool for tool in FINDS if tool in tools]
        own = [sys.executable, __file__, PLANTED]
        work += [(tool, [*own, tool]) for tool in planted]
        done = list(pool.map(lambda job: call(under(job[1][0], job[0], job[1][1])), enumerate(work)))
    parts = [(tool, part) for (tool, _), part in zip(work, done, strict=True)]
    checked, seeded = parts[: len(parts) - len(planted)], parts[len(parts) - len(planted) :]
    clean = [report(tool, [part for name, part in checked if name == tool]) for tool in tools]
    clean += [report_planted(tool, part) for tool, part in seeded]
    return 0 if all(clean) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == [PLANTED]:
        plant(sys.argv[2])
    else:
        sys.exit(main(sys.argv[1:] or list(TOOLS)))
