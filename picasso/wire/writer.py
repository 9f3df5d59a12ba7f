"""The writing side of a pair: numbers messages, sends them, waits for acknowledgements, and says what was lost."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Self, final

from picasso.errors import SpecError, TransportError, TransportTimeoutError
from picasso.wire.codec import encode_message
from picasso.wire.endpoint import Endpoint, SocketKind
from picasso.wire.envelope import MessageKind, end_of_stream, read_envelope, stamped
from picasso.wire.results import Sent, WriterStats
from picasso.wire.sequence import SequenceCounter
from picasso.wire.sockets import IPC_PERMISSIONS, Socket

if TYPE_CHECKING:
    from collections.abc import Callable

    from picasso.primitives import Message
    from picasso.wire.sockets import Buffer

logger: logging.Logger = logging.getLogger("picasso.wire")


@final
class Writer:
    """Sends messages through one socket: PUB, DEALER or REQ.

    Guarantees:

    - A message that no one takes, or no one acknowledges, in time raises; it is never told as sent. Its number is
      spent, so that the reader notices.
    - REQ waits for an answer to every message, DEALER to every end of stream, PUB for none: what its readers cannot
      take is lost, which they see by the numbers.
    - Payloads go beside the message. Bytes and read-only views of 64 KiB and more are not copied: what they show must
      stay as it is until the message has left. Writable buffers are copied.
    - Everything but ``stop`` belongs to one thread at a time.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        kind: str | None = None,
        bind: bool | None = None,
        send_timeout_s: float = 5.0,
        send_retries: int | None = 3,
        receive_timeout_s: float = 5.0,
        receive_retries: int = 3,
        send_hwm: int = 50,
        ipc_permissions: int | None = IPC_PERMISSIONS,
    ) -> None:
        """Open the socket.

        Args:
            endpoint: Such as ``dealer+connect:tcp://host:5555``; without a prefix it is ``dealer+bind``.
            kind: ``pub``, ``dealer`` or ``req``, where the endpoint names none.
            bind: Whether the socket binds, where the endpoint does not say.
            send_timeout_s: Longest wait in seconds for room at the reader, for each attempt.
            send_retries: Further attempts; None waits until ``stop``, with a warning after each.
            receive_timeout_s: Longest wait in seconds for an acknowledgement, for each attempt.
            receive_retries: Further attempts.
            send_hwm: Messages that may wait to be sent to one peer.
            ipc_permissions: Mode of the file of an ipc socket that binds; None leaves it.

        Raises:
            SpecError: The endpoint is none, or of a reader.
            TransportError: The socket cannot be opened.
            MissingDependencyError: pyzmq is not installed.
        """
        self.endpoint: Endpoint = Endpoint.parse(endpoint, reads=False, kind=kind, bind=bind)
        self._send_timeout_s = send_timeout_s
        self._send_retries = send_retries
        self._receive_timeout_s = receive_timeout_s
        self._receive_retries = receive_retries
        self._is_req = self.endpoint.kind is SocketKind.REQ
        self._is_pub = self.endpoint.kind is SocketKind.PUB
        self._numbers = SequenceCounter()
        self._stats = WriterStats()
        self._is_stopped = False
        self._is_answer_late = False
        """An answer may come that must not count for the next message."""
        self._owed = 0
        """Answers that no one waits for and that have not come."""
        self._socket = Socket(self.endpoint, send_hwm=send_hwm, receive_hwm=None, ipc_permissions=ipc_permissions)

    @property
    def address(self) -> str:
        """Where it is bound, or what it calls; the port of ``tcp://…:*`` is the one that the system chose."""
        return self._socket.address

    def send(self, source_id: str | None, message: Message | bytes, *payload: Buffer) -> Sent:
        """Send a message of a source.

        Args:
            source_id: The source, which is the topic; None for the one that the endpoint names.
            message: The message, or its bytes; it gets its number here.
            payload: Parts beside it; without any an empty one is sent, as peers expect.

        Raises:
            TransportTimeoutError: No one took it, or no one acknowledged it, in time.
            TransportError: The writer is closed or stopped, or the message is none.
            SpecError: There is no source id.
            ProtocolError: A field of the message does not fit the protocol.
        """
        if isinstance(message, bytes):
            data, is_end = message, read_envelope(message).kind is MessageKind.END_OF_STREAM
        else:
            data, is_end = encode_message(message), message.kind == "end_of_stream"
        return self._send(source_id, data, () if is_end else payload or (b"",), is_end=is_end)

    def send_eos(self, source_id: str | None = None, *, wait: bool = True) -> Sent:
        """End the stream of a source, and wait until a DEALER's or REQ's reader has acknowledged that.

        Args:
            source_id: The source; None for the one that the endpoint names.
            wait: Whether a DEALER waits for the answer; if not, ``take_answers`` tells of it.

        Raises:
            TransportTimeoutError: No one took or acknowledged it in time.
            TransportError: The writer is closed or stopped.
            SpecError: There is no source id.
        """
        return self._send(source_id, end_of_stream(self._source(source_id)), (), is_end=True, wait=wait)

    def take_answers(self, wait_s: float = 0.0) -> int:
        """Return how many answers have come, since the last call, that no one waited for.

        Args:
            wait_s: Longest wait in seconds for those that have not come.
        """
        owed, until_s = self._owed, time.monotonic() + wait_s
        while self._owed:
            if self._socket.receive() is not None:
                self._owed -= 1
            elif self._is_stopped or not self._socket.wait(to_send=False, until_s=until_s):
                break
        return owed - self._owed

    def stop(self) -> None:
        """End the wait that is under way, and refuse to send from now on. Any thread."""
        self._is_stopped = True
        self._socket.wake()

    def stats(self) -> WriterStats:
        """Return what was done so far."""
        return replace(self._stats)

    def close(self, linger_s: float = 5.0) -> None:
        """Close the socket, on the thread that sends; may be called again.

        Args:
            linger_s: Longest wait in seconds for messages that have not left yet.
        """
        self._socket.close(linger_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def _source(self, source_id: str | None) -> str:
        name = self.endpoint.source_id if source_id is None else source_id
        if not name:
            raise SpecError(f"{self.endpoint}: expected a source id, got {source_id!r}")
        return name

    def _send(
        self, source_id: str | None, message: bytes, payload: tuple[Buffer, ...], *, is_end: bool, wait: bool = True
    ) -> Sent:
        name = self._source(source_id)
        if self._socket.is_closed or self._is_stopped:
            raise TransportError(f"{self.endpoint}: the writer is {'closed' if self._socket.is_closed else 'stopped'}")
        number = self._numbers.next(name)
        if is_end:
            self._numbers.end(name)
        parts: list[Buffer] = [name.encode(), stamped(message, number), *payload]
        is_answered = self._is_req or (is_end and not self._is_pub)
        needs_answer = is_answered and (wait or self._is_req)
        try:
            if self._is_answer_late:
                self._is_answer_late = False
                self._owed = 0
                self._socket.call_again()
            retries = self._attempt(
                lambda: self._socket.send(parts), self._send_timeout_s, self._send_retries, to_send=True
            )
            if needs_answer:
                retries += self._attempt(
                    self._is_answered, self._receive_timeout_s, self._receive_retries, to_send=False
                )
        except BaseException:
            self._stats.lost += 1
            self._is_answer_late = needs_answer and not self._is_req  # REQ tells its own answers by a number
            raise
        self._owed += is_answered and not needs_answer
        self._stats.sent += 1
        self._stats.sent_bytes += len(parts[1]) + sum(map(len, payload))
        self._stats.retries += retries
        return Sent(number, retries, needs_answer)

    def _attempt(self, step: Callable[[], bool], timeout_s: float, retries: int | None, *, to_send: bool) -> int:
        """Take a step until it succeeds; return how many further attempts that took."""
        if step():
            return 0
        for attempt in count() if retries is None else range(retries + 1):
            until_s = time.monotonic() + timeout_s
            while True:
                is_ready = self._socket.wait(to_send=to_send, until_s=until_s)
                if self._is_stopped:
                    raise TransportError(f"{self.endpoint}: stopped while a message waited")
                if is_ready and step():
                    return attempt
                if time.monotonic() >= until_s:
                    break
            if retries is None and attempt & (attempt + 1) == 0:
                logger.warning("%s: no one has taken a message for %g s", self.endpoint, timeout_s * (attempt + 1))
        what = "took" if to_send else "acknowledged"
        total_s = timeout_s * ((retries or 0) + 1)
        raise TransportTimeoutError(f"{self.endpoint}: no one {what} a message within {total_s:g} s")

    def _is_answered(self) -> bool:
        self.take_answers()  # those of earlier messages come first
        return not self._owed and self._socket.receive() is not None
