"""What a batch costs on the host, counted over a driver that does nothing; no GPU is needed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_compile import is_there

HERE = Path(__file__).parent
HOLLOW = HERE.parents[1] / "bench" / "gpu" / "hollow.c"
NAMES = ["into targets", "into targets that are bound", "tensors"]


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, int]]:
    """Return the steps of batches of 8 and of 32, by their kind."""
    compiler = shutil.which("cc")
    if compiler is None or not is_there("cuda.bindings.driver"):
        pytest.skip("cc or cuda.bindings missing")
    folder = tmp_path_factory.mktemp("hollow")
    made = folder / "libcuda.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(made), str(HOLLOW), "-ldl"], check=True)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(folder)}
    command = [sys.executable, str(HERE / "steps.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=100)
    assert not done.returncode, done.stderr
    counted: list[dict[str, int]] = json.loads(done.stdout)
    return counted


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_like_an_earlier_one_takes_no_step_for_each_picture(name: str, steps: list[dict[str, int]]) -> None:
    few, many = steps
    assert few[name] == many[name] < 1500
