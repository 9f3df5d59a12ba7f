"""Where a server listens, what it does there, and how much it takes."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Final

ALL: Final = ""
"""Every interface of the machine, IPv6 too where there is any."""
CONNECTIONS: Final = 512
"""Connections that a listener answers at once; further ones get 503."""
WAITING: Final = 8
"""Calls of a listener that may wait for the module at once, of those that change something and of those that ask."""
ANSWER_S: Final = 90
"""Seconds that an answer may take, its client included; a snapshot waits for 60 of them at most."""
IDLE_S: Final = 10
"""Seconds that a connection may stay without a whole request."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Where a server listens, and what it does there."""

    host: str
    """An address or a name; empty for every interface."""
    port: int
    """0 takes one that is free."""
    is_control: bool = False
    """Whether the module can be controlled and watched there; else it can only be asked how it is doing."""
    token: str | None = field(default=None, repr=False)
    """What callers have to prove that they know; beyond loopback a listener with ``is_control`` needs one."""

    def __post_init__(self) -> None:
        if self.is_control and not self.token and not is_loopback(self.host):
            raise ValueError(f"Listener: {self.host!r} can be reached from other machines, so it needs a token")


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach an address or name."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
