"""One ZeroMQ socket and what wakes its thread: opened with its limits, closed without waiting indefinitely."""

from __future__ import annotations

import math
import os
import socket as system_socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from picasso.errors import TransportError, require
from picasso.wire.endpoint import Endpoint, SocketKind

if TYPE_CHECKING:
    from zmq import Context, Poller
    from zmq import Socket as ZmqSocket

    Buffer = bytes | bytearray | memoryview

MAX_PART_BYTES: Final = 1 << 30
"""Longest part of a message that is taken; ZeroMQ drops the connection of who sends a longer one."""
MAX_PARTS: Final = 1024
COPY_BELOW: Final = 65_536
"""Bytes up to which a copy is cheaper than a reference that ZeroMQ gives back."""
IPC_PERMISSIONS: Final = 0o777
_PATIENCE_MS: Final = 2
_HANDSHAKE_MS: Final = 10_000


@final
class Socket:
    """A socket of one reader or writer, with a context of its own.

    Everything but ``wake`` belongs to one thread at a time.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        send_hwm: int | None = None,
        receive_hwm: int | None = None,
        ipc_permissions: int | None = IPC_PERMISSIONS,
        max_part_bytes: int = MAX_PART_BYTES,
        topic_prefix: bytes = b"",
    ) -> None:
        """Open the socket.

        Args:
            endpoint: Where.
            send_hwm: Messages that may wait to be sent, to each peer; None leaves ZeroMQ's own limit.
            receive_hwm: Messages that may wait to be received, of each peer.
            ipc_permissions: Mode of the file of an ipc socket that binds; None leaves what the umask makes of it.
            max_part_bytes: Longest part that is taken.
            topic_prefix: What a SUB socket subscribes to.

        Raises:
            MissingDependencyError: pyzmq is not installed.
            TransportError: It cannot be opened.
        """
        zmq = self._zmq = require("zmq", extra="wire")
        self.endpoint = endpoint
        self._head_parts = 3 if endpoint.kind is SocketKind.ROUTER else 2
        """Parts before the payloads: routing id, topic, message."""
        self._context: Context[Any] = zmq.Context()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        os.set_blocking(self._wake_read, False)
        self._waking = threading.Lock()
        self.is_closed: bool = False
        self._pollers: dict[int, Poller] = {}
        self._settings = send_hwm, receive_hwm, max_part_bytes, topic_prefix
        self._ipc_permissions = ipc_permissions
        self._socket: ZmqSocket[bytes]
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _configure(self, send_hwm: int | None, receive_hwm: int | None, max_part_bytes: int, prefix: bytes) -> None:
        zmq, socket, kind = self._zmq, self._socket, self.endpoint.kind
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.MAXMSGSIZE, max_part_bytes)
        socket.setsockopt(zmq.RCVTIMEO, _PATIENCE_MS)
        socket.setsockopt(zmq.SNDTIMEO, _PATIENCE_MS)
        socket.setsockopt(zmq.HANDSHAKE_IVL, _HANDSHAKE_MS)
        if self.endpoint.address.startswith("tcp://["):
            socket.setsockopt(zmq.IPV6, 1)
        if send_hwm is not None:
            socket.setsockopt(zmq.SNDHWM, send_hwm)
        if receive_hwm is not None:
            socket.setsockopt(zmq.RCVHWM, receive_hwm)
        if kind in (SocketKind.DEALER, SocketKind.REQ):
            socket.setsockopt(zmq.IMMEDIATE, 1)  # a message that waits for a peer who is not there has not been sent
        if kind is SocketKind.REQ:
            socket.setsockopt(zmq.REQ_RELAXED, 1)  # a reply that does not come must not end all sending
            socket.setsockopt(zmq.REQ_CORRELATE, 1)
        if kind is SocketKind.SUB:
            socket.setsockopt(zmq.SUBSCRIBE, prefix)
        if self.endpoint.address.startswith("tcp://"):
            socket.setsockopt(zmq.TCP_KEEPALIVE, 1)

    def _open(self) -> None:
        endpoint, path, ipc_permissions = self.endpoint, self.endpoint.ipc_path, self._ipc_permissions
        try:
            self._socket = self._context.socket(getattr(self._zmq, endpoint.kind.upper()))
            self._configure(*self._settings)
            if not endpoint.bind:
                self._socket.connect(endpoint.address)
                return
            if path is not None:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                if _is_listening(path):  # ZeroMQ would take the name away from who has it
                    raise TransportError(f"{endpoint}: the address is in use")
            self._socket.bind(endpoint.address)
            if path is not None and ipc_permissions is not None:
                os.chmod(path, ipc_permissions)
        except self._zmq.ZMQError as error:
            raise TransportError(f"{endpoint}: {error.strerror}") from None
        except TransportError:
            raise
        except OSError as error:
            raise TransportError(f"{endpoint}: {error.strerror}") from None

    @property
    def address(self) -> str:
        """The address that it is bound to, with the port that the system chose for ``*``; else that it calls."""
        if not self.endpoint.bind:
            return self.endpoint.address
        last: bytes = self._socket.getsockopt(self._zmq.LAST_ENDPOINT)  # type: ignore[assignment]  # of this option
        return last.rstrip(b"\0").decode()

    def receive(self, *, patient: bool = False) -> list[Any] | None:
        """Return the parts of a message that is there, or comes within 2 ms; None where none does.

        All but the last are bytes, of the last two or more those that are payloads are ZeroMQ's own memory.

        Args:
            patient: Whether those 2 ms are waited for: under load that is cheaper than ``wait``.
        """
        zmq, socket = self._zmq, self._socket
        try:
            first = socket.recv(0 if patient else zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return None
        parts: list[Any] = [first.bytes]
        head, more = self._head_parts, first.more  # asking the socket whether there is more takes longer
        while more:
            part = socket.recv(zmq.NOBLOCK, copy=False)
            more, count = part.more, len(parts)
            if count <= MAX_PARTS + 1:  # one more than is taken, and the sender
                parts.append(part.bytes if count < head else part)
        return parts

    def reply(self, *parts: bytes) -> None:
        """Send an acknowledgement; a peer that is gone gets none."""
        with suppress(self._zmq.ZMQError):
            self._socket.send_multipart(parts, self._zmq.NOBLOCK)

    def send(self, parts: Sequence[Buffer]) -> bool:
        """Send the parts of one message now, or within 2 ms; tell whether there was room.

        Raises:
            TransportError: The socket cannot send.
        """
        zmq, socket = self._zmq, self._socket
        last = len(parts) - 1
        try:
            for index, part in enumerate(parts):
                flags = zmq.NOBLOCK if index else 0  # room for the first part is room for all
                flags |= 0 if index == last else zmq.SNDMORE
                socket.send(part, flags, copy=_is_copied(part))
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            raise TransportError(f"{self.endpoint}: {error.strerror}") from None
        return True

    def wait(self, *, to_send: bool, until_s: float | None) -> bool:
        """Wait until there is something to receive, or room to send; False when it is ``until_s``, or woken.

        Args:
            to_send: Whether room to send is waited for.
            until_s: The end of the wait by the monotonic clock; None for none.
        """
        zmq = self._zmq
        event = zmq.POLLOUT if to_send else zmq.POLLIN
        poller = self._pollers.get(event)
        if poller is None:
            poller = self._pollers[event] = zmq.Poller()
            poller.register(self._socket, event)
            poller.register(self._wake_read, zmq.POLLIN)
        left_ms = None if until_s is None else math.ceil(max(until_s - time.monotonic(), 0.0) * 1e3)
        ready = dict(poller.poll(left_ms))
        if self._wake_read in ready:
            self._drain_wakes()
        return self._socket in ready

    def call_again(self) -> None:
        """Leave a connection whose answers are late, and call again: those answers will not come.

        What waits in it is still sent, for a second. A socket that binds stays as it is, and forgets what has come.
        """
        if self.endpoint.bind:
            while self.receive() is not None:
                pass
            return
        self._socket.close(linger=1000)
        self._pollers.clear()
        self._open()

    def wake(self) -> None:
        """End the wait that is under way, or the next one. Any thread."""
        with self._waking, suppress(BlockingIOError):  # full of wakes
            if not self.is_closed:
                os.write(self._wake_write, b"\0")

    def _drain_wakes(self) -> None:
        with suppress(BlockingIOError):
            while os.read(self._wake_read, 4096):
                pass

    def close(self, linger_s: float = 0.0) -> None:
        """Close the socket; may be called again.

        Args:
            linger_s: Longest wait for messages that were sent and have not left yet, in seconds.
        """
        with self._waking:  # a descriptor that is closed may belong to someone else the next moment
            if self.is_closed:
                return
            self.is_closed = True
        self._context.destroy(linger=round(linger_s * 1e3))
        os.close(self._wake_read)
        os.close(self._wake_write)


def _is_copied(part: Buffer) -> bool:
    """Whether ZeroMQ gets a copy: of what is small, and of what its owner may change before it has left."""
    if len(part) < COPY_BELOW:
        return True
    return not isinstance(part, bytes) and not memoryview(part).readonly


def _is_listening(path: str) -> bool:
    """Whether someone answers at an ipc file; one that is left of a dead process does not count."""
    if not os.path.exists(path):
        return False
    with system_socket.socket(system_socket.AF_UNIX, system_socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except BlockingIOError:
            return True
        except OSError:
            return False
    return True
