"""Every kernel runs in Numba's simulator, thread by thread, and writes what the CPU writes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from picasso_kernels.cuda.kernels import KERNELS
from picasso_kernels.cuda.paint import PAINTERS

HERE = Path(__file__).parent
pytestmark = pytest.mark.timeout(400)  # the first test waits for all kernels, half a minute on a free core


@pytest.fixture(scope="module")
def report() -> dict[str, list[str]]:
    """Run ``simulated.py`` in a process where ``numba.cuda`` is the simulator; return its words by kernel."""
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    command = [sys.executable, str(HERE / "simulated.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert not done.returncode, done.stderr
    return {name: words for name, *words in (line.split() for line in done.stdout.splitlines())}


@pytest.mark.parametrize("name", [*KERNELS, *PAINTERS])
def test_the_simulator_writes_what_the_cpu_writes(name: str, report: dict[str, list[str]]) -> None:
    assert report[name][0] == "same", report[name]
