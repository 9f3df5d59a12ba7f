"""What a program that systemd runs tells it: that it is ready, that it stops, that it still works."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from typing import Final, final

NOTIFY_SOCKET: Final = "NOTIFY_SOCKET"
"""The environment variable that names the socket of ``Type=notify``."""
LAST_US: Final = 600_000_000
"""Microseconds without a sign of life that the end of a module may take: frames come out, files are finished."""
_STATES: Final = {"running": "READY=1", "stopping": "STOPPING=1"}


@final
class ServiceManager:
    """The program that started this one, and that watches over it. What cannot be told is left out."""

    def __init__(self, address: str, beat_s: float | None = None) -> None:
        """Talk to a socket.

        Args:
            address: Its path; ``@`` in front is an abstract one.
            beat_s: Seconds between two signs of life; None where none are wanted.
        """
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._beat_s = beat_s
        self._beaten_s = 0.0

    @classmethod
    def of_environment(cls) -> ServiceManager | None:
        """Return the one that the environment names; None where there is none."""
        address = os.environ.get(NOTIFY_SOCKET, "")
        if not address.startswith(("/", "@")):
            return None
        is_ours = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        limit_us = os.environ.get("WATCHDOG_USEC", "")
        return cls(address, int(limit_us) / 2e6 if is_ours and limit_us.isdecimal() and int(limit_us) else None)

    def tell(self, state: str) -> None:
        """Say which state the module has come to."""
        lines = [_STATES.get(state), f"STATUS={state}"]
        if state == "stopping" and self._beat_s is not None:
            lines.append(f"WATCHDOG_USEC={LAST_US}")
        self._send("\n".join(filter(None, lines)))

    def beat(self) -> None:
        """Give a sign of life, if it is time for one."""
        if self._beat_s is not None and time.monotonic() - self._beaten_s >= self._beat_s:
            self._beaten_s = time.monotonic()
            self._send("WATCHDOG=1")

    def _send(self, text: str) -> None:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            out.setblocking(False)
            out.sendto(text.encode(), self._address)
