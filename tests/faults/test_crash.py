"""Writers that are killed: what they wrote plays, except a group of pictures or two seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

KIT = Path(__file__).with_name("crash_kit.py")


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv"])
def test_what_a_killed_writer_leaves_plays(container: str) -> None:
    """Ten moments by chance; ``just crash`` tries two hundred."""
    command = [sys.executable, str(KIT), "--trials", "10", "--containers", container, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    trials = json.loads(done.stdout)
    assert [trial for trial in trials if trial["fault"]] == [], done.stderr
    assert len(trials) == 10
    assert done.returncode == 0


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv"])
def test_a_writer_that_is_interrupted_anywhere_closes_well(container: str) -> None:
    """Ctrl-C on the thread that writes, with Python's own handler."""
    command = [sys.executable, str(KIT), "--trials", "60", "--containers", container, "--interrupt", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr + done.stdout
    assert len(json.loads(done.stdout)) == 60
