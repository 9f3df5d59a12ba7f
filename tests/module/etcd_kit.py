"""A real etcd on loopback, that a test can stop and start again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import urllib.request
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Etcd:
    """One member, its data in a folder, so that it comes back as it was."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("etcd")
        if program is None:
            missing = "etcd is not installed: apt-get install etcd-server"
            pytest.fail(missing) if os.environ.get("PICASSO_NEED_SERVICES") else pytest.skip(missing)
        self.program = program
        self._folder = folder
        self._port, self._peer_port = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        client, peer = f"http://127.0.0.1:{self._port}", f"http://127.0.0.1:{self._peer_port}"
        self._process = subprocess.Popen(
            [
                *(self.program, "--data-dir", str(self._folder / "data"), "--log-level", "error"),
                *("--listen-client-urls", client, "--advertise-client-urls", client),
                *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
                *("--initial-cluster", f"default={peer}", "--unsafe-no-fsync"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        while self._process.poll() is None and not self._is_up():
            pass
        if self._process.poll() is not None:
            pytest.fail(f"etcd ended: {self._process.communicate()[1].decode()[-500:]}")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def put(self, key: str, value: str) -> None:
        from etcd3gw import Etcd3Client

        Etcd3Client(port=self._port, timeout=10).put(key, value)

    def delete(self, key: str) -> None:
        from etcd3gw import Etcd3Client

        Etcd3Client(port=self._port, timeout=10).delete(key)

    def _is_up(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.host}/health", timeout=1) as answer:
                return b'"true"' in answer.read()
        except OSError:
            return False
