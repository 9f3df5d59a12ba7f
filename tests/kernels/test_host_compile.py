"""Compiling: nothing before it is needed, once for all processes, again when any kernel changes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from picasso_kernels.cache import sources
from picasso_kernels.cpu import compile as compiler
from picasso_kernels.cpu.compile import host, pure
from picasso_kernels.cpu.entries import ENTRIES
from picasso_kernels.maths.rows import fill_pixels

GREY, COUNT = 0x01020304, 3
"""``fill_pixels`` is not an entry: there is never machine code of it that came with the package."""
LOAD = """
import sys
import picasso_kernels.frame.transform, picasso_kernels.cpu.compile as compiler
assert "numba" not in sys.modules
import numpy
from picasso_kernels.maths.rows import fill_pixels
from picasso_kernels.cpu.entries import ENTRIES
kernel = compiler.host(fill_pixels)
kernel(numpy.zeros(12, numpy.uint8), 0x01020304, 3)
print(sum(kernel.stats.cache_hits.values()), sum(kernel.stats.cache_misses.values()))
"""


def test_host_does_what_pure_does() -> None:
    ours, theirs = np.zeros(12, np.uint8), bytearray(12)
    host(fill_pixels)(ours, GREY, COUNT)
    pure(fill_pixels)(theirs, GREY, COUNT)
    assert bytes(ours) == bytes(theirs) == bytes([4, 3, 2, 1] * 3)


def test_a_kernel_is_compiled_once() -> None:
    assert host(fill_pixels) is host(fill_pixels)


def test_the_second_process_loads_and_the_import_needs_no_compiler() -> None:
    host(fill_pixels)(np.zeros(12, np.uint8), GREY, COUNT)
    run = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["1", "0"]


def test_the_key_follows_every_kernel_that_host_code_can_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "PACKAGE", shutil.copytree(sources.PACKAGE, tmp_path / "kernels"))
    key = sources.source_key.__wrapped__
    for path in sorted(sources.PACKAGE.rglob("*.py")):
        before = key()
        path.write_text(path.read_text() + "# changed\n")
        folder = path.relative_to(sources.PACKAGE).parts[0]
        assert (key() != before) is (folder in {"maths", "frame", "paint", "cpu"}), path


def test_kernels_run_without_the_gil_unless_told_otherwise() -> None:
    assert host(fill_pixels).targetoptions["nogil"]
    assert not host(fill_pixels, keep_gil=True).targetoptions["nogil"]
    for entry in ENTRIES.values():
        assert compiler.Compiled(entry).dispatcher.targetoptions["nogil"] is not entry.keep_gil


def test_an_entry_is_the_same_by_all_its_names() -> None:
    for entry in ENTRIES.values():
        assert host(entry.kernel) is host(entry.kernel, inline=entry.inline, keep_gil=entry.keep_gil)
