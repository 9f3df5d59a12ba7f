"""A real Prometheus on loopback, and what it says of a server that it scrapes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from ports import free_port

OWN_DISLIKED = {
    f"{name} metric name should not include type 'counter'"
    for name in (
        *("frame_counter_total", "object_counter_total"),
        *("stage_frame_counter_total", "stage_object_counter_total", "stage_batch_counter_total"),
    )
}
"""What promtool says of names that existing dashboards read."""


def program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        missing = f"{name} is not installed: apt-get install prometheus"
        pytest.fail(missing) if os.environ.get("PICASSO_NEED_SERVICES") else pytest.skip(missing)
    return found


def complaints(text: str) -> set[str]:
    """What ``promtool check metrics`` has against a text."""
    command = [program("promtool"), "check", "metrics"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return set(filter(None, (done.stdout + done.stderr).splitlines()))


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(answer.read().decode())


def values(text: str) -> dict[str, float]:
    """Samples by name and labels, as they are written, without their times."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found = {}
    for line in lines:
        name, _, rest = line.rpartition("} ") if "}" in line else line.partition(" ")
        found[name + "}" * ("{" in name)] = float(rest.split()[0])
    return found


class Prometheus:
    """What a Prometheus knows."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1"

    def query(self, expression: str) -> list[dict[str, Any]]:
        text = read(f"{self._url}/query?{urllib.parse.urlencode({'query': expression})}")
        result: list[dict[str, Any]] = json.loads(text)["data"]["result"]
        return result

    def value(self, expression: str) -> float | None:
        """The one value of an expression; None where it has none."""
        found = self.query(expression)
        return float(found[0]["value"][1]) if found else None

    def wait_for(self, expression: str) -> None:
        """Return when an expression has a value."""
        while True:
            try:
                if self.query(expression):
                    return
            except (urllib.error.URLError, ConnectionError):
                pass  # it is starting
            Event().wait(0.05)


@contextmanager
def scraping(port: int, folder: Path) -> Iterator[Prometheus]:
    """A Prometheus that scrapes a port of this host every 200 ms."""
    own = free_port()
    targets = {"targets": [f"127.0.0.1:{port}"]}
    config = {"scrape_configs": [{"job_name": "p", "scrape_interval": "200ms", "static_configs": [targets]}]}
    (folder / "prometheus.yml").write_text(json.dumps(config))
    command = [
        program("prometheus"),
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{own}",
        "--log.level=error",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log)
    try:
        yield Prometheus(own)
    finally:
        process.kill()
        process.wait()
