"""Messages of the Savant protocol to bytes and back; ``protocol.proto`` is the schema.

All bytes that hold no message raise ``ProtocolError``; unknown fields, kinds of values and versions are
passed over.
"""

from __future__ import annotations

from picasso.wire.codec.limits import MAX_BYTES, MAX_PARTS
from picasso.wire.codec.messages import decode_message, decode_part, encode_message, encode_part
from picasso.wire.codec.schema import PROTOCOL_VERSION

__all__ = [
    "MAX_BYTES",
    "MAX_PARTS",
    "PROTOCOL_VERSION",
    "decode_message",
    "decode_part",
    "encode_message",
    "encode_part",
]
