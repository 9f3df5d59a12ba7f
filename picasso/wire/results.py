"""What a reader and a writer say of a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from picasso.wire.codec import decode_message
from picasso.wire.envelope import MessageKind
from picasso.wire.sequence import Gap

if TYPE_CHECKING:
    from picasso.primitives import Message


class RejectReason(StrEnum):
    """Why a reader does not hand a message on."""

    FILTERED = "filtered"
    """Its source id is not the one, or does not begin as, the reader was told."""
    BLACKLISTED = "blacklisted"
    """Its source is refused for a while."""
    SUPERSEDED = "superseded"
    """Another sender has taken the source over."""
    MALFORMED = "malformed"
    """It is not a message of the protocol."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message."""

    source_id: str
    """The source that it belongs to."""
    kind: MessageKind
    """What kind of message it is."""
    data: bytes
    """The message as it came, encoded."""
    payload: tuple[memoryview, ...]
    """Parts beside the message, in memory that ZeroMQ holds as long as these views are there."""
    routing_id: bytes | None = None
    """The sender, of a ROUTER socket."""
    sequence: int = 0
    """Number within the source; 0 where the sender does not count."""
    gap: Gap | None = None
    """What is wrong with the number; None where nothing is."""

    @property
    def payload_bytes(self) -> int:
        """Length of all parts of the payload together."""
        return sum(len(part) for part in self.payload)

    def message(self) -> Message:
        """Decode the message.

        Raises:
            ProtocolError: Its bytes hold none, or one that is out of range.
        """
        return decode_message(self.data)

    def joined_payload(self) -> bytes | memoryview:
        """Return the payload in one piece: a view where it is one part, a copy where it is several."""
        if len(self.payload) == 1:
            return self.payload[0]
        return b"".join(self.payload)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A message that the reader keeps to itself; it was acknowledged where its sender waits for that."""

    source_id: str
    """The source that it names."""
    reason: RejectReason
    """Why it is not handed on."""
    detail: str = ""
    """What exactly is wrong; empty where the reason says all."""


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Nothing came."""

    waited_s: float
    """Seconds that were waited."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was handed to ZeroMQ, and acknowledged where its kind asks for that."""

    sequence: int
    """Number within the source."""
    retries: int
    """Further attempts that it took."""
    is_acknowledged: bool
    """Whether the reader has answered; only messages of REQ sockets and ends of streams are answered."""


@dataclass(slots=True)
class ReaderStats:
    """What a reader has seen."""

    received: int = 0
    """Messages handed on."""
    received_bytes: int = 0
    """Their bytes, payloads included."""
    missed: int = 0
    """Messages that did not come, by the numbers of those that did."""
    gaps: int = 0
    """How often numbers did not follow each other."""
    rejected: Mapping[RejectReason, int] = field(default_factory=dict)
    """Messages by the reason for which they were not handed on."""


@dataclass(slots=True)
class WriterStats:
    """What a writer has done."""

    sent: int = 0
    """Messages that were handed to ZeroMQ."""
    sent_bytes: int = 0
    """Their bytes, payloads included."""
    retries: int = 0
    """Further attempts, of all messages together."""
    lost: int = 0
    """Messages that no one took in time, or that no one acknowledged."""
