"""Numba that is not as the adapter expects: kernels are compiled by ``numba.njit`` instead, with the same result."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from picasso_kernels.cpu.numba_adapter import check

RUN = """
import logging, os, pathlib, sys
import numpy
from picasso_kernels.cache import folder
folder.places = lambda: iter([pathlib.Path(os.environ["PICASSO_CACHE_DIR"])])  # no other cache is read
from picasso_kernels.maths.axis import fill_bilinear
from picasso_kernels.cpu.compile import cached_files, host, prepare

logging.basicConfig(format="%(message)s", stream=sys.stderr)
numbers = (0, 5, 0, 0, 5, 1, 0, 10, 1, 0, 10)
expected = numpy.zeros(15, numpy.int16)
fill_bilinear(expected, *numbers)
prepare(fill_bilinear)
table = numpy.zeros(15, numpy.int16)
host(fill_bilinear)(table, *numbers)
assert table.tolist() == expected.tolist() and table.any()
print(sum(host(fill_bilinear).stats.cache_hits.values()), cached_files()["fill_bilinear"])
"""
ADAPTER = "from picasso_kernels.cpu.numba_adapter import cache, lowering, vectors\n"
IMPORTED = "import sys, numba.core.registry, numba.np.random.generator_methods\n"
BREAKAGES = {
    "a module that the adapter imports is gone": "sys.modules['numba.core.types.containers'] = sys.modules['types']",
    "a name that the adapter imports is gone": "del numba.core.registry.CPUDispatcher",
    "lowering takes other arguments": f"{ADAPTER}lowering._Lowering.__init__ = lambda self: None",
    "libraries are linked otherwise": f"{ADAPTER}lowering._link = lambda library: library.no_such_part",
    "a compiled function cannot be taken apart": f"{ADAPTER}cache.serialize = None",
    "a compiled function cannot be put together": f"{ADAPTER}cache.CompileResult = None",
    "arguments come in another form": f"{ADAPTER}vectors.cgutils = None",
    "vector code has another result": (
        "from picasso_kernels.cpu.vector_ops import Emitter\nsame = Emitter.same\n"
        "Emitter.same = lambda self, bits, number, count: same(self, bits, number + 1, count)"
    ),
}


def run(cache: Path, setup: str) -> tuple[list[str], str]:
    told = os.environ | {"PICASSO_KERNELS": "jit", "PICASSO_CACHE_DIR": str(cache), "PICASSO_COMPILERS": "0"}
    done = subprocess.run([sys.executable, "-c", setup + RUN], env=told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split(), done.stderr


def test_the_adapter_fits_the_numba_that_is_installed() -> None:
    assert check.obstacle() is None


@pytest.mark.parametrize("change", BREAKAGES.values(), ids=BREAKAGES)
def test_a_numba_that_is_not_as_expected_compiles_the_plain_way(tmp_path: Path, change: str) -> None:
    (hits, place), said = run(tmp_path, f"{IMPORTED}{change}\n")
    assert said.count("numba.njit compiles them instead") == 1
    assert (hits, Path(place).suffix) == ("0", ".nbi")


def test_what_was_compiled_the_plain_way_is_loaded_by_the_next_process(tmp_path: Path) -> None:
    for expected in ("0", "1"):
        (hits, _), _ = run(tmp_path, f"{ADAPTER}vectors.cgutils = None\n")
        assert hits == expected
