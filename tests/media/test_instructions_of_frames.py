"""What a frame takes of the interpreter before an engine has it, and when its boxes are read: counts without noise."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench" / "reading.py"
MOST = {
    "VideoReader, cuda, NV12": 1000,
    "VideoReader, cuda, RGBA": 2150,
    "VideoReader, cpu": 1070,
    "VideoFrame": 400,
    "add_detections": 580,
    "add_detections of Detections": 570,
    "create_object": 5200,
    "get_detections": 510,
    "get_all_objects": 5400,
}
"""Instructions of bytecode a frame, of 20 boxes where there are boxes: a twentieth more than Python 3.11 takes."""


@pytest.fixture(scope="module")
def counts() -> dict[str, int]:
    """Return what a process of its own counts, by what is done with a frame."""
    command = [sys.executable, str(BENCH), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert not done.returncode, done.stderr
    found: dict[str, int] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", MOST)
def test_a_frame_takes_few_instructions_of_the_interpreter(name: str, counts: dict[str, int]) -> None:
    if name not in counts:
        pytest.skip("needs cuda.bindings and cc")
    assert 100 < counts[name] <= MOST[name]
