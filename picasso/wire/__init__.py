"""The wire: messages of the Savant protocol through ZeroMQ sockets.

::

    with Writer("dealer+connect:tcp://127.0.0.1:5555") as writer:
        writer.send("cam-1", message, jpeg)
        writer.send_eos("cam-1")

    with Reader("router+bind:tcp://127.0.0.1:5555") as reader:
        for received in reader:
            received.source_id, received.kind, received.payload
"""

from picasso.primitives.field_texts import explain_fields as _explain_fields
from picasso.wire.bridge import from_savant, to_savant
from picasso.wire.codec import MAX_BYTES, MAX_PARTS, PROTOCOL_VERSION, decode_message, encode_message
from picasso.wire.endpoint import Endpoint, SocketKind
from picasso.wire.envelope import MessageKind
from picasso.wire.reader import Reader
from picasso.wire.results import ReaderStats, Received, Rejected, RejectReason, Sent, TimedOut, WriterStats
from picasso.wire.sequence import Gap
from picasso.wire.writer import Writer

__all__ = [
    "MAX_BYTES",
    "MAX_PARTS",
    "PROTOCOL_VERSION",
    "Endpoint",
    "Gap",
    "MessageKind",
    "Reader",
    "ReaderStats",
    "Received",
    "RejectReason",
    "Rejected",
    "Sent",
    "SocketKind",
    "TimedOut",
    "Writer",
    "WriterStats",
    "decode_message",
    "encode_message",
    "from_savant",
    "to_savant",
]

_explain_fields(globals())
