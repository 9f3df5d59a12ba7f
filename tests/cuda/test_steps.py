"""What batches and frames cost on the host, counted over a driver that does nothing; no GPU is needed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_compile import is_there

HERE = Path(__file__).parent
HOLLOW = HERE.parents[1] / "bench" / "gpu" / "hollow.c"
NAMES = ["into targets", "into targets that are bound", "tensors"]


MOST_STEPS = {"20": (290, 2080), "0": (290, 1520)}
"""By boxes a frame, those of sending it and those of its source's thread; 275 and 2,040 were counted, and 1,479."""


@pytest.fixture(scope="module")
def count(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """Return what runs a script over the driver that does nothing, and reads what it prints."""
    compiler = shutil.which("cc")
    if compiler is None or not is_there("cuda.bindings.driver"):
        pytest.skip("cc or cuda.bindings missing")
    folder = tmp_path_factory.mktemp("hollow")
    made = folder / "libcuda.so.1"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(made), str(HOLLOW), "-ldl"], check=True)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(folder)}

    def run(script: str) -> Any:
        command = [sys.executable, str(HERE / script)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=100)
        assert not done.returncode, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="module")
def steps(count: Callable[[str], Any]) -> list[dict[str, int]]:
    """Return the steps of batches of 8 and of 32, by their kind."""
    counted: list[dict[str, int]] = count("steps.py")
    return counted


def test_a_frame_takes_few_steps_from_sender_to_callback(count: Callable[[str], Any]) -> None:
    counted: dict[str, tuple[int, int]] = count("frame_steps.py")
    slack = 1 if sys.version_info[:2] == (3, 11) else 1.3  # other versions have other instructions
    for boxes, most in MOST_STEPS.items():
        for taken, bound in zip(counted[boxes], most, strict=True):
            assert bound / 2 < taken <= bound * slack, (boxes, counted)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_like_an_earlier_one_takes_no_step_for_each_picture(name: str, steps: list[dict[str, int]]) -> None:
    few, many = steps
    assert few[name] == many[name] < 1500
