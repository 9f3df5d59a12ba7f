"""What a frame takes of the interpreter before an engine has it, and when its boxes are read: counts without noise."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench" / "reading.py"
MOST = {
    "VideoReader, cuda, NV12": 980,
    "VideoReader, cuda, RGBA": 1890,
    "VideoReader, cpu": 1070,
    "VideoFrame": 360,
    "add_detections": 580,
    "add_detections of Detections": 570,
    "create_object": 5200,
    "get_detections": 510,
    "get_all_objects": 5400,
}
"""Instructions of bytecode a frame, of 20 boxes where there are boxes: a twentieth more than Python 3.11 takes."""


def test_a_frame_takes_few_instructions_of_the_interpreter() -> None:
    """Counted in a process of its own; RGBA only where there are ``cuda.bindings`` and ``cc``."""
    command = [sys.executable, str(BENCH), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=250)
    assert not done.returncode, done.stderr
    counts: dict[str, int] = json.loads(done.stdout)
    assert {*MOST} - {*counts} <= {"VideoReader, cuda, RGBA"}
    assert {name: count for name, count in counts.items() if not 100 < count <= MOST[name]} == {}
