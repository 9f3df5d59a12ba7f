"""A real broker on loopback, Debian's mosquitto, and a client that reads from it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from ports import free_port


class Broker:
    """mosquitto, which a test can stop and start again on the same port."""

    def __init__(self, folder: Path, *, password: str | None = None, tls: dict[str, str] | None = None) -> None:
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        if program is None:
            missing = "mosquitto is not installed: apt-get install mosquitto"
            pytest.fail(missing) if os.environ.get("PICASSO_NEED_SERVICES") else pytest.skip(missing)
        self._program, self._folder, self.port = program, folder, free_port()
        lines = [f"listener {self.port} 127.0.0.1", "log_type none", "persistence false"]
        if password is None:
            lines.append("allow_anonymous true")
        else:
            users = folder / "users"
            tool = shutil.which("mosquitto_passwd") or "/usr/bin/mosquitto_passwd"
            subprocess.run([tool, "-b", "-c", str(users), "me", password], check=True, capture_output=True)
            users.chmod(0o644)
            folder.chmod(0o755)
            lines.append(f"password_file {users}")
        self._scheme = "mqtt" if tls is None else "mqtts"
        if tls is not None:
            lines += [f"cafile {tls['ca_certificate']}", f"certfile {tls['certificate']}", f"keyfile {tls['key']}"]
            lines.append("require_certificate true")
        if os.getuid() == 0:
            lines.append("user root")
        self._config = folder / "mosquitto.conf"
        self._config.write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._program, "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        while self._process.poll() is None and not self._is_up():
            pass
        if self._process.poll() is not None:
            pytest.fail(f"mosquitto ended: {self._process.communicate()[1].decode()[-500:]}")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _is_up(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Subscriber:
    """Reads every topic of a broker."""

    def __init__(self, broker: Broker, password: str | None = None) -> None:
        from paho.mqtt.client import CallbackAPIVersion, Client

        self.messages: list[tuple[str, Any]] = []
        self._changed = threading.Condition()
        self._is_subscribed = False
        self._client = Client(CallbackAPIVersion.VERSION2)
        if password is not None:
            self._client.username_pw_set("me", password)
        self._client.on_message = self._take
        self._client.on_subscribe = self._subscribed
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        self._client.subscribe("#", 1)
        with self._changed:
            assert self._changed.wait_for(lambda: self._is_subscribed, 30)

    def _subscribed(self, *_arguments: Any) -> None:
        with self._changed:
            self._is_subscribed = True
            self._changed.notify_all()

    def _take(self, _client: Any, _data: Any, message: Any) -> None:
        with self._changed:
            self.messages.append((message.topic, json.loads(message.payload)))
            self._changed.notify_all()

    def wait_for(self, count: int) -> list[tuple[str, Any]]:
        """Wait until that many messages have come, and return all that have."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.messages) >= count, 60), self.messages
            return list(self.messages)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
