"""Entry kernels to object files: through Numba, as on first use, for the processors of a level.

``main`` writes an object file for each of some entries, in a process of its own: Numba compiles for one kind of
processor a process. Functions have the arguments of Numba's own convention, where an
array is seven of them; ``shim`` writes the C that calls them. Each entry is compiled once: where one calls another, as
a whole frame calls transform and painter, it calls the other's function.
"""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import Final

from picasso_kernels.cpu.entries import ENTRIES, Entry
from picasso_kernels.cpu.levels import Level, level_of

PREFIX: Final = "picasso_"
"""Of the functions' names in the object files."""


def prepare(level: Level) -> None:
    """Let Numba compile for a level; before anything imports it."""
    if "numba" in sys.modules:
        raise RuntimeError("Numba is loaded already, and compiles for this processor")
    os.environ["PICASSO_KERNELS"] = "jit"
    os.environ["NUMBA_CPU_NAME"], os.environ["NUMBA_CPU_FEATURES"] = level.cpu, features_of(level)
    if level.architecture != platform.machine():
        from picasso_kernels.cpu.numba_adapter.objects import pretend_to_be

        pretend_to_be(f"{level.architecture}-unknown-linux-gnu")


def features_of(level: Level) -> str:
    """Return what a level has and has not, for LLVM.

    The name of a processor stands for what is fast; without the second part LLVM would use all that this one has. A
    "generic" one has nothing more than is said.
    """
    from picasso_kernels.cpu.numba_adapter.objects import host_features

    had = level.features.split(",")
    if level.cpu == "generic":
        return level.features
    if level.architecture != platform.machine():
        raise RuntimeError(
            f"{level.name} is built on {level.architecture}: only there LLVM says what there is to leave out"
        )
    lacks = [f"-{name}" for name in host_features() if f"+{name}" not in had]
    return ",".join([*lacks, *had])


def emit(entry: Entry, level: Level) -> bytes:
    """Return the object file of an entry, whose one function that others see is ``PREFIX`` and its name."""
    from picasso_kernels.cpu.compile import linked_kernel
    from picasso_kernels.cpu.numba_adapter.objects import external_call, object_file

    calls = {
        other.kernel: external_call(PREFIX + other.name, other.arguments, other.returns)
        for other in ENTRIES.values()
        if other is not entry
    }
    linked = linked_kernel(entry.kernel, entry.inline, not entry.keep_gil, calls)
    return object_file(entry, linked, PREFIX + entry.name, level.cpu, features_of(level))


def main(level_name: str, folder: str, *names: str) -> None:
    """Write the object files of some entries."""
    level = level_of(level_name)
    prepare(level)
    entries = {entry.name: entry for entry in ENTRIES.values()}
    for entry in map(entries.__getitem__, names):
        (Path(folder) / f"{entry.name}.o").write_bytes(emit(entry, level))
