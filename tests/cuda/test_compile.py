"""Every kernel is compiled without a GPU, assembled for every architecture, and takes no more than it took.

Skipped where the compiler is not installed; ``--need-kernels``, which the automatic run says, makes that an error.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

from picasso_kernels.cuda.cubin import ARCHITECTURES, Usage, assemble, build_ptx, entry_name, read_usage
from picasso_kernels.cuda.kernels import KERNELS
from picasso_kernels.cuda.paint import PAINTERS

RECORD = Path(__file__).parent / "usage.json"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
"""Numba compiles bytecode, so the same kernel takes other registers from another Python."""
TOOLS = ("numba-cuda", "llvmlite", "nvidia-nvvm", "nvidia-nvjitlink")
STEP = 8
"""Registers that a GPU gives a thread at a time: how far compilers that were not recorded may be off."""
BUILDS = [(name, batched) for name in KERNELS for batched in (False, True)] + [(name, False) for name in PAINTERS]
NAMES = [entry_name(name, batched=batched) for name, batched in BUILDS]


@pytest.fixture(scope="module", autouse=True)
def compiler(request: pytest.FixtureRequest) -> None:
    """Skip without the compiler, unless it is demanded."""
    missing = [name for name in ("numba_cuda", "cuda.bindings.nvjitlink") if not is_there(name)]
    if missing:
        why = f"{', '.join(missing)} missing: pip install 'picasso-engine[cuda13]'"
        if request.config.getoption("need_kernels"):
            pytest.fail(why)
        pytest.skip(why)


def is_there(module: str) -> bool:
    """Whether a module could be imported."""
    parts = module.split(".")
    parents = [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return all(importlib.util.find_spec(parent) for parent in parents)


def measure(name: str, batched: bool) -> dict[str, Usage]:
    """Return what a kernel takes, by architecture."""
    ptx = build_ptx(name, batched=batched)
    return {f"sm_{major}{minor}": read_usage(assemble(ptx, (major, minor))[1]) for major, minor in ARCHITECTURES}


def tools() -> dict[str, str]:
    """Return the versions of what compiles."""
    return {tool: version_of(tool) for tool in TOOLS}


def version_of(distribution: str) -> str:
    """Return the version of what is installed; CUDA 12 has no ``nvidia-nvvm``."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "none"


def allowed(record: dict[str, Any], entry: str, architecture: str) -> int:
    """Return how many registers a kernel may take: as recorded, or a step more by compilers that were not."""
    known = record["registers"]
    if record["tools"] == tools() and entry in known.get(PYTHON, {}):
        return int(known[PYTHON][entry][architecture])
    return max(int(table[entry][architecture]) for table in known.values()) + STEP


@pytest.mark.parametrize(("name", "batched"), BUILDS, ids=NAMES)
def test_a_kernel_takes_no_more_registers_and_spills_none(name: str, batched: bool) -> None:
    """A rise is to be looked at; ``python tests/cuda/test_compile.py [NAME ...]`` writes the record of this Python."""
    record = json.loads(RECORD.read_text())
    for architecture, usage in measure(name, batched).items():
        assert (usage.stack, usage.local) == (0, 0), architecture
        assert usage.registers <= allowed(record, entry_name(name, batched=batched), architecture), architecture


def test_the_record_names_every_kernel_and_no_other() -> None:
    for python, table in json.loads(RECORD.read_text())["registers"].items():
        assert sorted(table) == sorted(NAMES), python


def instructions(name: str, *, batched: bool) -> list[str]:
    """The PTX of a kernel without what Numba declares for functions and no one reads: their names are numbered."""
    return [line for line in build_ptx(name, batched=batched).splitlines() if not line.startswith(".common .global")]


def test_a_kernel_is_the_same_whatever_was_compiled_before_it() -> None:
    from picasso_kernels.cuda.numba_adapter import _shared_function

    chosen = [("nv12_bilinear_to_pixels", True), ("words_copied_to_pixels", False)]
    _shared_function.cache_clear()
    first, second = (instructions(name, batched=batched) for name, batched in chosen)
    assert _shared_function.cache_info().hits > 0  # the second has taken functions over
    _shared_function.cache_clear()
    assert [instructions(name, batched=batched) for name, batched in reversed(chosen)] == [second, first]


def main(parts: list[str]) -> None:
    """Write the record of this Python, or of the kernels that have one of ``parts`` in their name.

    Those of other Pythons are kept as long as the compilers are the same.
    """
    old = json.loads(RECORD.read_text())
    kept = old["registers"] if old.get("tools") == tools() else {}
    table = {entry: usage for entry, usage in kept.get(PYTHON, {}).items() if entry in NAMES}
    for entry, build in zip(NAMES, BUILDS, strict=True):
        if any(part in entry for part in parts) or entry not in table or not parts:
            usages = measure(*build)
            if any(usage.stack or usage.local for usage in usages.values()):
                raise SystemExit(f"{entry} spills registers: {usages}")
            table[entry] = {architecture: usage.registers for architecture, usage in usages.items()}
    record = {"tools": tools(), "registers": dict(sorted({**kept, PYTHON: table}.items()))}
    RECORD.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
