"""Servers on the loopback that do as a test says, byte by byte."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

Talk = Callable[["Caller"], None]
"""What a server does with one connection, which is closed in order when it returns."""

_RTSP_ANSWERS = {
    "OPTIONS": "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n",
    "SETUP": "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n",
    "PLAY": "Session: 1\r\n",
}
_SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\n{range}m=video 0 RTP/AVP 33\r\na=control:track\r\n"
TS_PACKET = 188


@dataclass
class Caller:
    """One connection, with the request that it began with."""

    link: socket.socket
    server: Server
    request: str = ""

    @property
    def path(self) -> str:
        return self.request.split(" ", 2)[1] if self.request else ""

    def header(self, name: str) -> str:
        """Return the value of a header of the request, or an empty string."""
        for line in self.request.splitlines()[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return ""

    def read_request(self) -> str:
        """Wait for the headers of a request; an empty string when the caller hung up."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (more := self.link.recv(1)):
                return ""
            data += more
        self.request = data.decode()
        return self.request

    def say(self, status: str, body: bytes = b"", headers: Mapping[str, object] | None = None) -> None:
        """Answer with headers, and with the body as it is."""
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in (headers or {}).items()), "", ""]
        self.link.sendall("\r\n".join(lines).encode() + body)

    def fall_silent(self) -> None:
        """Say nothing until the server closes."""
        self.server.silent.set()
        self.server.closing.wait()

    def reset(self) -> None:
        """End the connection as a machine does that went away: by a reset."""
        self.link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.link.close()


@dataclass
class Server:
    """Accepts connections at a free port of the loopback, each on a thread of its own; ``close`` ends all."""

    talk: Talk
    paths: list[str] = field(default_factory=list)
    """The first word after the method of each request, in order."""
    silent: threading.Event = field(default_factory=threading.Event)
    closing: threading.Event = field(default_factory=threading.Event)
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._links: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def url(self, path: str = "/x", scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for link in self._links:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()

    def _accept(self) -> None:
        while True:
            try:
                link, _address = self._listener.accept()
            except OSError:
                return
            self._links.append(link)
            thread = threading.Thread(target=self._serve, args=(link,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, link: socket.socket) -> None:
        with suppress(OSError):  # the caller hung up
            if self.tls is not None:
                link = self.tls.wrap_socket(link, server_side=True)
            with link:
                self.talk(Caller(link, self))


def http(answer: Talk) -> Talk:
    """Read a request, note its path, and answer it."""

    def talk(caller: Caller) -> None:
        if caller.read_request():
            caller.server.paths.append(caller.path)
            answer(caller)

    return talk


def pages(bodies: Mapping[str, bytes | str]) -> Talk:
    """Serve files by path, in parts too; a string is the address that a request is sent on to."""

    def answer(caller: Caller) -> None:
        body = bodies.get(caller.path)
        if body is None:
            caller.say("404 Not Found", headers={"Content-Length": 0})
        elif isinstance(body, str):
            caller.say("302 Found", headers={"Location": body, "Content-Length": 0})
        elif wanted := caller.header("Range").removeprefix("bytes="):
            first, _, last = wanted.partition("-")
            part = body[int(first) : int(last) + 1 if last else None]
            span = f"bytes {first}-{int(first) + len(part) - 1}/{len(body)}"
            caller.say("206 Partial Content", part, {"Content-Length": len(part), "Content-Range": span})
        else:
            caller.say("200 OK", body, {"Content-Length": len(body)})

    return http(answer)


def camera(transport_stream: bytes, then: Talk, *, range_s: float | None = None) -> Talk:
    """Play a transport stream by RTSP, interleaved in its connection, and then do something."""

    def talk(caller: Caller) -> None:
        while request := caller.read_request():
            method = request.split()[0]
            number = caller.header("CSeq")
            status, answer, body = "200 OK", _RTSP_ANSWERS.get(method, ""), ""
            if method == "SETUP" and "TCP" not in caller.header("Transport"):
                status, answer = "461 Unsupported Transport", ""
            if method == "DESCRIBE":
                body = _SDP.format(range="" if range_s is None else f"a=range:npt=0-{range_s}\r\n")
                answer = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
            caller.link.sendall(f"RTSP/1.0 {status}\r\nCSeq: {number}\r\n{answer}\r\n{body}".encode())
            if method == "PLAY":
                _send_rtp(caller, transport_stream)
                then(caller)
                return

    return talk


def _send_rtp(caller: Caller, transport_stream: bytes) -> None:
    for sequence, start in enumerate(range(0, len(transport_stream), 7 * TS_PACKET)):
        payload = transport_stream[start : start + 7 * TS_PACKET]
        packet = struct.pack(">BBHII", 0x80, 33, sequence, 3_600 * sequence, 7) + payload
        caller.link.sendall(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
