"""Endpoint text: ``[<type>+<bind|connect>:]<ipc|tcp>://<address>[:<source>]``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from picasso.errors import SpecError


class SocketKind(StrEnum):
    """What a socket does: the first three read, the last three write."""

    SUB = "sub"
    ROUTER = "router"
    REP = "rep"
    PUB = "pub"
    DEALER = "dealer"
    REQ = "req"

    @property
    def reads(self) -> bool:
        """Whether it is the reading side of its pair."""
        return self in READING


READING: Final = (SocketKind.SUB, SocketKind.ROUTER, SocketKind.REP)
WRITING: Final = (SocketKind.PUB, SocketKind.DEALER, SocketKind.REQ)
_TEXT: Final = re.compile(
    r"(?:(?P<kind>[a-z]*)(?:\+(?P<side>[a-z]*))?:)?(?P<protocol>ipc|tcp)://(?P<rest>.+)", re.DOTALL
)
_TCP: Final = re.compile(r"(?P<address>(?:\[[^\]]+\]|[^:]+):(?:[0-9]+|\*))(?::(?P<source>.+))?")
_IPC: Final = re.compile(r"(?P<address>[^:]+)(?::(?P<source>.+))?")
_MAX_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A parsed endpoint."""

    kind: SocketKind
    """The kind of socket."""
    bind: bool
    """Whether the socket waits for others, instead of calling them."""
    address: str
    """What ZeroMQ is told, such as ``tcp://127.0.0.1:5555``."""
    source_id: str | None = None
    """The source that a writer writes, where the text names one."""

    @classmethod
    def parse(cls, text: str, *, reads: bool, kind: SocketKind | str | None = None, bind: bool | None = None) -> Self:
        """Read the text of an endpoint.

        Args:
            text: ``tcp://host:port`` or ``ipc://path``, with or without a prefix such as ``sub+connect:``.
            reads: Whether a reader will use it. It decides what a text without a prefix is: ``router+bind`` for a
                reader, ``dealer+bind`` for a writer.
            kind: The kind where the text names none.
            bind: The side where the text names none.

        Raises:
            SpecError: The text is not an endpoint, or its kind is of the other direction.
        """
        if not isinstance(text, str):
            raise SpecError(f"endpoint: expected a text such as 'tcp://127.0.0.1:5555', got {text!r}")
        match = _TEXT.fullmatch(text)
        if match is None:
            raise SpecError(
                f"endpoint {text!r}: expected [TYPE+bind:|TYPE+connect:]ipc://PATH or tcp://HOST:PORT,"
                f" with a TYPE of {_names(READING if reads else WRITING)}"
            )
        given = match["kind"] or kind or (SocketKind.ROUTER if reads else SocketKind.DEALER)
        chosen = _kind(text, str(given), reads)
        if match["side"] not in (None, "bind", "connect"):
            raise SpecError(f"endpoint {text!r}: expected bind or connect after '+', got {match['side']!r}")
        side = match["side"] == "bind" if match["side"] else True if bind is None else bool(bind)
        address, source_id = _address(text, match["protocol"], match["rest"])
        if source_id is not None and reads:
            raise SpecError(f"endpoint {text!r}: a reader takes no source behind the address; got {source_id!r}")
        return cls(chosen, side, f"{match['protocol']}://{address}", source_id)

    @property
    def ipc_path(self) -> str | None:
        """The file of an ``ipc`` socket; None for tcp and for names that are not files."""
        path = self.address.removeprefix("ipc://")
        return None if path == self.address or path.startswith("@") else path

    def __str__(self) -> str:
        return f"{self.kind}+{'bind' if self.bind else 'connect'}:{self.address}"


def _kind(text: str, name: str, reads: bool) -> SocketKind:
    allowed = READING if reads else WRITING
    try:
        kind = SocketKind(name.lower())
    except ValueError:
        raise SpecError(f"endpoint {text!r}: unknown socket type {name!r}; one of {_names(allowed)}") from None
    if kind not in allowed:
        role, other = ("reader", "writes") if reads else ("writer", "reads")
        raise SpecError(f"endpoint {text!r}: {kind} {other}; a {role} takes one of {_names(allowed)}")
    return kind


def _address(text: str, protocol: str, rest: str) -> tuple[str, str | None]:
    match = (_TCP if protocol == "tcp" else _IPC).fullmatch(rest)
    if match is None:
        raise SpecError(f"endpoint {text!r}: expected {'tcp://HOST:PORT' if protocol == 'tcp' else 'ipc://PATH'}")
    address = match["address"]
    port = address.rpartition(":")[2]
    if protocol == "tcp" and port != "*" and not 0 <= int(port) <= _MAX_PORT:
        raise SpecError(f"endpoint {text!r}: expected a port of 0 … {_MAX_PORT}, got {port}")
    return address, match["source"]


def _names(kinds: tuple[SocketKind, ...]) -> str:
    return ", ".join(kinds)
