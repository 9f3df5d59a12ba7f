"""Levels to extension modules: all entries compiled in processes side by side, then linked with their shim."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from picasso_build import compiler, shim
from picasso_kernels.cache.sources import source_key
from picasso_kernels.cpu.entries import ENTRIES
from picasso_kernels.cpu.levels import Level

_PAIRS: Final = (("paint_planes", "paint_pixels"), ("transform_frame",))
"""Entries that take seconds, by what they share: a process each, and the rest to the last."""


class BuildError(Exception):
    """An entry does not compile."""


def build(
    levels: Iterable[Level],
    folder: Path,
    command: Sequence[str],
    *,
    jobs: int | None = None,
    names: Collection[str] | None = None,
) -> list[Path]:
    """Make the extension modules of some levels.

    Args:
        levels: Which.
        folder: Where they are written.
        command: The C compiler's.
        jobs: How many processes compile at a time; by default as many as there are cores.
        names: Of the entries; by default all.

    Returns:
        The files, in the order of the levels.

    Raises:
        BuildError: Numba is missing, or an entry does not compile.
        CompilerError: The C compiler refuses.
    """
    levels, made = list(levels), []
    entries = [entry for entry in ENTRIES.values() if names is None or entry.name in names]
    cores = jobs or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    groups = groups_of(names or [entry.name for entry in entries], len(_PAIRS) * len(levels) < cores)
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(cores) as pool:
        work = [(level, group, Path(scratch) / level.name) for group in groups for level in levels]
        for level in levels:
            (Path(scratch) / level.name).mkdir()
        for task in [pool.submit(compile_entries, *item) for item in work]:
            task.result()
        for level in levels:
            text = shim.source(level.module, level.name, source_key(), entries)
            objects = [Path(scratch) / level.name / f"{entry.name}.o" for entry in entries]
            folder.mkdir(parents=True, exist_ok=True)
            out = folder / f"{level.module}.abi3.so"
            compiler.link(command, text, objects, Path(scratch) / out.name)
            os.replace(_beside(Path(scratch) / out.name, out), out)
            made.append(out)
    return made


def groups_of(names: Iterable[str], are_cores_left: bool) -> list[list[str]]:
    """Return what a process compiles together, slowest first: as few as keep all cores busy, for they share much."""
    dear = [[name] for pair in _PAIRS for name in pair] if are_cores_left else [list(pair) for pair in _PAIRS]
    rest = [name for name in names if not any(name in pair for pair in _PAIRS)]
    groups = [[name for name in group if name in names] for group in dear]
    groups[-1:] = [groups[-1], rest] if are_cores_left else [groups[-1] + rest]
    return [group for group in groups if group]


def _beside(made: Path, out: Path) -> Path:
    """Copy a file next to where it goes, so that it gets there in one step: a running process may hold the old one."""
    part = out.with_suffix(".part")
    part.write_bytes(made.read_bytes())
    part.chmod(0o755)
    return part


_RUN: Final = "import sys; sys.path[:0] = [sys.argv.pop(1)]; from picasso_build.emit import main; main(*sys.argv[1:])"
"""Not by ``PYTHONPATH``: where this project is installed, pip takes its folders out of it."""


def compile_entries(level: Level, group: Sequence[str], folder: Path) -> None:
    """Write the object files of some entries for a level, by a process of its own.

    Raises:
        BuildError: Numba is missing, or an entry does not compile.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    environment |= {"PYTHONHASHSEED": "0", "LC_ALL": "C"}
    line = [sys.executable, "-c", _RUN, str(Path(__file__).parents[1]), level.name, str(folder), *group]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise BuildError(f"{level.name}: {', '.join(group)}: {said[-1]}")
