"""Clients that are slow, wrong or silent: bytes on a socket, as no library would send them."""

from __future__ import annotations

import json
import socket
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from web_kit import PATIENCE_S

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


class Raw:
    """A connection to a server, without any manners."""

    def __init__(self, address: str, *, receive_bytes: int | None = None) -> None:
        place = urlsplit(address)
        assert place.hostname is not None
        self.authority = place.netloc
        self.socket = socket.socket()
        if receive_bytes is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect((place.hostname, place.port))

    def send(self, data: bytes | str) -> None:
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def ask(self, line: str, *headers: str, body: bytes = b"") -> tuple[int, bytes]:
        """Send one request and return the status and everything that comes until the server closes."""
        lines = [
            f"{line} HTTP/1.1",
            *([] if "host:" in str(headers).lower() else [f"Host: {self.authority}"]),
            *headers,
        ]
        self.send("\r\n".join([*lines, "Connection: close", "", ""]))
        self.send(body)
        return self.answer()

    def answer(self) -> tuple[int, bytes]:
        said = self.rest()
        status = said.split(b" ", 2)[1] if said.startswith(b"HTTP/") else b"0"
        return int(status), said.partition(b"\r\n\r\n")[2]

    def rest(self) -> bytes:
        """Everything until the server closes the connection."""
        parts = []
        while data := self._received():
            parts.append(data)
        return b"".join(parts)

    def _received(self) -> bytes:
        try:
            return self.socket.recv(1 << 16)
        except ConnectionResetError:
            return b""

    def watch(self, wish: dict[str, Any], *headers: str) -> None:
        """Become a WebSocket, and say what is wished; nothing is read beyond the answer to the upgrade."""
        lines = [
            "GET /watch HTTP/1.1",
            f"Host: {self.authority}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {KEY}",
            "Sec-WebSocket-Version: 13",
            *headers,
            "",
            "",
        ]
        self.send("\r\n".join(lines))
        said = b""
        while b"\r\n\r\n" not in said:
            said += self.socket.recv(1)
        assert said.startswith(b"HTTP/1.1 101")
        self.say(json.dumps(wish).encode())

    def say(self, payload: bytes) -> None:
        """Send one text message, masked with zeros."""
        size = len(payload)
        length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + size.to_bytes(2, "big")
        if size >= 1 << 16:
            length = bytes([0x80 | 127]) + size.to_bytes(8, "big")
        self.send(b"\x81" + length + bytes(4) + payload)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.socket.close()
