"""The wheel of ``savant-rs`` 0.3.0 in a process of its own: the judge of what others read and write."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import pytest

WHEEL = "savant-rs==0.3.0"
VERSIONS = ("3.12", "3.11", "3.10", "3.9")
"""The Pythons that it was built for."""
SIDE = Path(__file__).with_name("wheel_side.py")


@cache
def wheel_command() -> tuple[list[str], dict[str, str]]:
    """The command line of a Python that has the wheel, and its environment; skips where there is none.

    With ``PICASSO_NEED_SERVICES`` it fails instead.
    """
    python, version = _python()
    folder = _installed(version)
    environment = {**os.environ, "PYTHONPATH": str(folder), "LOGLEVEL": "error"}
    done = subprocess.run(
        [python, "-c", "import savant_rs.primitives"], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        _missing(f"{WHEEL} does not load: {done.stderr.strip()[-300:]}")
    return [python], environment


def _python() -> tuple[str, str]:  # noqa: RET503 - ``_missing`` does not return
    """A Python of one of the versions: this one where it fits."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    if own in VERSIONS and sys.implementation.name == "cpython":
        return sys.executable, own
    for version in VERSIONS:
        pythons = [shutil.which(f"python{version}"), *Path.home().glob(f".pyenv/versions/{version}.*/bin/python")]
        for python in filter(None, pythons):
            said = subprocess.run([python, "-c", "import sys; print(sys.version)"], capture_output=True, check=False)
            if said.returncode == 0 and said.stdout.startswith(version.encode()):
                return str(python), version
    _missing(f"{WHEEL} needs CPython 3.9 to 3.12; none is here")


def _installed(version: str) -> Path:
    """The folder that holds the wheel for a version; it is fetched once for all runs."""
    cache_home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    folder = cache_home / "picasso-tests" / f"savant-rs-0.3.0-py{version}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several workers want it at once
        if not folder.is_dir():
            with tempfile.TemporaryDirectory(dir=folder.parent) as staging:
                line = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--only-binary=:all:"]
                line += ["--python-version", version, "--implementation", "cp", "--target", f"{staging}/site", WHEEL]
                done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=240)
                if done.returncode:
                    _missing(f"{WHEEL} cannot be installed for CPython {version}: {done.stderr.strip()[-300:]}")
                Path(staging, "site").rename(folder)
    return folder


def _missing(why: str) -> NoReturn:
    if os.environ.get("PICASSO_NEED_SERVICES"):
        pytest.fail(why)
    pytest.skip(why)


class WheelSide:
    """A process that reads and makes messages with the wheel, many in one call."""

    def __init__(self) -> None:
        command, environment = wheel_command()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process; panics write their traces there
        self._process = subprocess.Popen(
            [*command, str(SIDE)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def ask(self, verb: str, items: list[Any]) -> list[Any]:
        """Send one request and return its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([verb, items]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            pytest.fail(f"the wheel's process ended: {self._errors.read()[-2000:].decode(errors='replace')}")
        answers: list[Any] = json.loads(line)
        return answers

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=20)
        self._process.stdout.close()
        self._errors.close()
