"""Ports for servers that tests start as programs of their own."""

from __future__ import annotations

import random
import socket
from pathlib import Path
from typing import Final

_RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LEAST: Final = 15_000
_given: Final[set[int]] = set()


def free_port() -> int:
    """Return a port that no one listens at, and that the system gives to no one who asks it for any.

    One that the system chose for a socket, which is closed again, is free to be chosen again a moment later: for any
    socket of any process that connects, or that asks for a port as well.
    """
    chance = random.SystemRandom()  # tests seed the other one, and several processes must not choose alike
    least_of_system = int(_RANGE.read_text().split()[0]) if _RANGE.exists() else 32_768
    while True:
        port = chance.randrange(min(_LEAST, least_of_system - 1_000), least_of_system)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
