"""The reading side of a pair: receives, acknowledges, refuses, and says what is missing."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Self, final

from picasso.errors import SpecError, TransportError
from picasso.wire.blacklist import Blacklist
from picasso.wire.endpoint import Endpoint, SocketKind
from picasso.wire.envelope import MessageKind, read_envelope
from picasso.wire.results import ReaderStats, Received, Rejected, RejectReason, TimedOut
from picasso.wire.routing import Owners
from picasso.wire.sequence import SequenceCheck
from picasso.wire.sockets import IPC_PERMISSIONS, MAX_PART_BYTES, MAX_PARTS, Socket

ACKNOWLEDGEMENT: Final = b"OK"
MOMENT_S: Final = 0.002
FAREWELL_S: Final = 1.0
ANSWERED_S: Final = 0.3
"""How long a connection stays after an answer: a DEALER of libzmq that sends to connected peers only
(``ZMQ_IMMEDIATE``) loses an answer that its program has not taken yet when the connection ends."""
"""Seconds that a reader which is closed waits for its acknowledgements to leave."""
logger: logging.Logger = logging.getLogger("picasso.wire")


@final
class Reader:
    """Receives messages of one socket: SUB, ROUTER or REP.

    Guarantees:

    - A REP socket answers every message, a ROUTER socket every end of stream, also those that are not handed on.
    - Numbers that are missing are told with the message behind them, counted, and logged.
    - A message that is refused is told with its reason; hostile bytes are one of the reasons.
    - ``receive`` belongs to one thread; ``stop``, ``wake`` and the blacklist may be used from any.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        kind: str | None = None,
        bind: bool | None = None,
        source_id: str | None = None,
        source_id_prefix: str | None = None,
        receive_timeout_s: float = 1.0,
        receive_hwm: int = 50,
        blacklist_size: int = 1024,
        blacklist_ttl_s: float = 10.0,
        routing_cache_size: int = 512,
        ipc_permissions: int | None = IPC_PERMISSIONS,
        max_part_bytes: int = MAX_PART_BYTES,
    ) -> None:
        """Open the socket.

        Args:
            endpoint: Such as ``router+bind:ipc:///tmp/in.ipc``; without a prefix it is ``router+bind``.
            kind: ``sub``, ``router`` or ``rep``, where the endpoint names none.
            bind: Whether the socket binds, where the endpoint does not say.
            source_id: The only source that is taken.
            source_id_prefix: What the ids of sources begin with that are taken.
            receive_timeout_s: Longest wait of ``receive`` in seconds.
            receive_hwm: Messages of one peer that may wait; further ones wait at the sender.
            blacklist_size: Sources that may be refused at once.
            blacklist_ttl_s: Seconds for which a source is refused.
            routing_cache_size: Sources whose sender is remembered.
            ipc_permissions: Mode of the file of an ipc socket that binds; None leaves it.
            max_part_bytes: Longest part that is taken, in bytes.

        Raises:
            SpecError: The endpoint is none, or of a writer, or source id and prefix are both given.
            TransportError: The socket cannot be opened.
            MissingDependencyError: pyzmq is not installed.
        """
        self.endpoint: Endpoint = Endpoint.parse(endpoint, reads=True, kind=kind, bind=bind)
        if source_id is not None and source_id_prefix is not None:
            raise SpecError("Reader: source_id and source_id_prefix exclude each other")
        self._exact, self._prefix = source_id, source_id_prefix
        self.receive_timeout_s = receive_timeout_s
        self.blacklist: Blacklist = Blacklist(blacklist_size, blacklist_ttl_s)
        """Sources that are refused."""
        self._owners = Owners(routing_cache_size)
        self._numbers = SequenceCheck()
        self._stats = ReaderStats()
        self._rejected: Counter[RejectReason] = Counter()
        self._is_router = self.endpoint.kind is SocketKind.ROUTER
        self._is_rep = self.endpoint.kind is SocketKind.REP
        self._is_stopped = False
        self._answered_s = -math.inf
        self._socket = Socket(
            self.endpoint,
            receive_hwm=receive_hwm,
            ipc_permissions=ipc_permissions,
            max_part_bytes=max_part_bytes,
            topic_prefix=(source_id or source_id_prefix or "").encode(),
        )

    @property
    def address(self) -> str:
        """Where it is bound, or what it calls; the port of ``tcp://…:*`` is the one that the system chose."""
        return self._socket.address

    @property
    def is_closed(self) -> bool:
        """Whether the socket is closed."""
        return self._socket.is_closed

    def receive(self, timeout_s: float | None = None) -> Received | Rejected | TimedOut:
        """Return the next message, or why there is none.

        Args:
            timeout_s: Longest wait in seconds; by default that of the reader. ``stop`` and ``wake`` end it early.

        Raises:
            TransportError: The reader is closed.
        """
        if self._socket.is_closed:
            raise TransportError(f"{self.endpoint}: the reader is closed")
        wait_s = self.receive_timeout_s if timeout_s is None else timeout_s
        began_s = time.monotonic()
        parts = self._socket.receive(patient=wait_s > MOMENT_S)
        if parts is None:
            until_s = began_s + wait_s
            if not self._socket.wait(to_send=False, until_s=until_s) or (parts := self._socket.receive()) is None:
                return TimedOut(time.monotonic() - began_s)
        return self._judge(parts)

    def __iter__(self) -> Iterator[Received]:
        """Yield messages until ``stop``; what is rejected is counted."""
        while not self._is_stopped:
            result = self.receive()
            if isinstance(result, Received):
                yield result

    def stop(self) -> None:
        """End the iteration and the wait that is under way. Any thread."""
        self._is_stopped = True
        self._socket.wake()

    def wake(self) -> None:
        """End the wait that is under way, or the next one. Any thread."""
        self._socket.wake()

    def stats(self) -> ReaderStats:
        """Return what was seen so far."""
        stats = self._stats
        return ReaderStats(stats.received, stats.received_bytes, stats.missed, stats.gaps, dict(self._rejected))

    def close(self) -> None:
        """Close the socket, on the thread that receives; may be called again.

        Waits up to 0.3 s after an answer, so that who asked has it before the connection ends.
        """
        self._is_stopped = True
        if not self._socket.is_closed:
            time.sleep(max(self._answered_s + ANSWERED_S - time.monotonic(), 0.0))
        self._socket.close(FAREWELL_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def _judge(self, parts: list[Any]) -> Received | Rejected:
        """Acknowledge a message where that is due, and decide whether it is handed on."""
        routing_id = parts.pop(0) if self._is_router else None
        try:
            result = self._read(parts, routing_id)
        except TransportError as error:
            name = parts[0].decode(errors="replace") if parts else ""
            result = self._reject(name, RejectReason.MALFORMED, str(error))
        finally:
            if self._is_rep:
                self._answer(ACKNOWLEDGEMENT)
        return result

    def _answer(self, *parts: bytes) -> None:
        self._socket.reply(*parts)
        self._answered_s = time.monotonic()

    def _read(self, parts: list[Any], routing_id: bytes | None) -> Received | Rejected:
        if not 2 <= len(parts) <= MAX_PARTS:
            raise TransportError(f"expected a topic, a message and payloads, got {len(parts)} parts")
        topic, data = parts[0], parts[1]
        try:
            source_id = topic.decode()
        except UnicodeDecodeError:
            raise TransportError(f"the topic {topic!r:.80} is not text") from None
        envelope = read_envelope(data)
        is_end = envelope.kind is MessageKind.END_OF_STREAM
        if is_end and routing_id is not None:
            self._answer(routing_id, ACKNOWLEDGEMENT)
        if reason := self._refusal(source_id, routing_id, is_end=is_end):
            return self._reject(source_id, reason)
        if is_end and self._is_router:
            self._owners.end(source_id)
        gap = self._numbers.check(source_id, envelope.sequence, is_end=is_end)
        stats = self._stats
        if gap is not None:
            stats.gaps += 1
            stats.missed += gap.missed
            if stats.gaps & (stats.gaps - 1) == 0:
                logger.warning("source %r: gap no. %d of all sources: %s", source_id, stats.gaps, gap)
        payload = tuple(part.buffer for part in parts[2:])
        stats.received += 1
        stats.received_bytes += len(data) + sum(map(len, payload))
        return Received(source_id, envelope.kind, data, payload, routing_id, envelope.sequence, gap)

    def _refusal(self, source_id: str, routing_id: bytes | None, *, is_end: bool) -> RejectReason | None:
        if source_id in self.blacklist:
            return RejectReason.BLACKLISTED
        if not self._passes(source_id) and not (is_end and self.endpoint.kind is not SocketKind.SUB):
            return RejectReason.FILTERED
        if routing_id is not None and not self._owners.accept(source_id, routing_id):
            return RejectReason.SUPERSEDED
        return None

    def _passes(self, source_id: str) -> bool:
        if self._exact is not None:
            return source_id == self._exact
        return self._prefix is None or source_id.startswith(self._prefix)

    def _reject(self, source_id: str, reason: RejectReason, detail: str = "") -> Rejected:
        count = self._rejected[reason] = self._rejected[reason] + 1
        if reason is RejectReason.MALFORMED and count & (count - 1) == 0:
            logger.warning("source %r: malformed message no. %d: %s", source_id, count, detail)
        return Rejected(source_id, reason, detail)
