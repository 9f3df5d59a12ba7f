"""A real etcd on loopback, that a test can stop and start again."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ports import free_port


class Etcd:
    """One member, its data in a folder, so that it comes back as it was."""

    def __init__(self, folder: Path, *, has_tls: bool = False) -> None:
        program = shutil.which("etcd")
        if program is None:
            missing = "etcd is not installed: apt-get install etcd-server"
            pytest.fail(missing) if os.environ.get("PICASSO_NEED_SERVICES") else pytest.skip(missing)
        self.program = program
        self._folder = folder
        self._port, self._peer_port = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.tls = self._certificates() if has_tls else None
        """Files for a client, where only clients with a certificate are served."""
        self.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        scheme = "http" if self.tls is None else "https"
        client, peer = f"{scheme}://127.0.0.1:{self._port}", f"http://127.0.0.1:{self._peer_port}"
        tls = self.tls or {}
        secured = (
            [
                *("--client-cert-auth", "--trusted-ca-file", tls["ca_certificate"]),
                *("--cert-file", tls["certificate"], "--key-file", tls["key"]),
            ]
            if tls
            else []
        )
        self._process = subprocess.Popen(
            [
                *(self.program, "--data-dir", str(self._folder / "data"), "--log-level", "error"),
                *("--listen-client-urls", client, "--advertise-client-urls", client),
                *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
                *("--initial-cluster", f"default={peer}", "--unsafe-no-fsync"),
                *secured,
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
        self._client().put(key, value)

    def delete(self, key: str) -> None:
        self._client().delete(key)

    def _client(self) -> Any:
        from etcd3gw import Etcd3Client

        names = {"ca_cert": "ca_certificate", "cert_cert": "certificate", "cert_key": "key"}
        files = {name: self.tls[key] for name, key in names.items()} if self.tls else {}
        protocol = "https" if self.tls else "http"
        client = Etcd3Client(host="127.0.0.1", port=self._port, timeout=10, protocol=protocol, **files)
        client.session.trust_env = False
        return client

    def _is_up(self) -> bool:
        try:
            return bool(self._client().status())
        except Exception:  # noqa: BLE001 - it is not up yet
            return False

    def _certificates(self) -> dict[str, str]:
        """Make an authority and one certificate that server and client use, with openssl."""
        folder = self._folder
        (folder / "names").write_text("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n")
        make = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj"]
        sign = ["openssl", "x509", "-req", "-in", "own.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
        for command in (
            [*make, "/CN=test authority", "-x509", "-keyout", "ca.key", "-out", "ca.pem"],
            [*make, "/CN=127.0.0.1", "-keyout", "own.key", "-out", "own.csr"],
            [*sign, "-extfile", "names", "-out", "own.pem"],
        ):
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
        files = {"ca_certificate": "ca.pem", "certificate": "own.pem", "key": "own.key"}
        return {name: str(folder / file) for name, file in files.items()}
