"""The outside of a message: its kind, its sequence number, its version; read and stamped without decoding the rest.

A reader has to know what to acknowledge and whether numbers are missing before anybody asks for the frame; a writer
numbers messages that were encoded earlier. Both need a few bytes of the outermost level only.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from picasso.errors import TransportError

PROTOCOL_VERSION: Final = "0.2.0"
"""What travels with each message. Newer peers send other versions, which are read as well."""
_VERSION, _SEQUENCE = 1, 4
_MAX_FIELDS: Final = 100_000
"""Fields of the outermost level: labels and trace context are lists there."""
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_SHIFT: Final = 63
_UINT64: Final = (1 << 64) - 1


class MessageKind(IntEnum):
    """What a message holds, by the number of its field."""

    NOTHING = 0
    """No field that this version knows; newer peers may send one."""
    VIDEO_FRAME = 5
    VIDEO_FRAME_BATCH = 6
    VIDEO_FRAME_UPDATE = 7
    USER_DATA = 8
    END_OF_STREAM = 9
    UNKNOWN = 10
    SHUTDOWN = 11


_KINDS: Final = {kind.value: kind for kind in MessageKind if kind}


@dataclass(frozen=True, slots=True)
class Envelope:
    """The outside of a message."""

    kind: MessageKind
    sequence: int
    """Number within the source, from 1; 0 where the message has none."""


def read_envelope(data: bytes) -> Envelope:
    """Read the outermost level of a message.

    Raises:
        TransportError: These bytes are not a message.
    """
    position, end, kind, sequence = 0, len(data), MessageKind.NOTHING, 0
    for _ in range(_MAX_FIELDS):
        if position >= end:
            return Envelope(kind, sequence)
        try:
            tag = data[position]
            position += 1
            if tag >= 0x80:  # most are shorter, and a call is dear
                tag, position = _varint(data, position - 1)
            wire_type, number = tag & 7, tag >> 3
            if wire_type == _BYTES:
                length = data[position]
                position += 1
                if length >= 0x80:
                    length, position = _varint(data, position - 1)
                position += length
                kind = _KINDS.get(number, kind)
            elif wire_type == _VARINT:
                value, position = _varint(data, position)
                if number == _SEQUENCE:
                    sequence = value & _UINT64
            elif wire_type == _FIXED64:
                position += 8
            elif wire_type == _FIXED32:
                position += 4
            else:
                raise TransportError(f"no message: byte {position} holds a field of wire type {wire_type}")
        except IndexError:
            position = end + 1
        if position > end or number == 0:
            raise TransportError(f"no message: {end} bytes end within a field")
    raise TransportError(f"no message: more than {_MAX_FIELDS} fields")


def stamped(data: bytes, sequence: int) -> bytes:
    """Return a message with its sequence number set; of a number that is given twice the last one counts."""
    return b"%b\x20%b" % (data, _varint_bytes(sequence))


def end_of_stream(source_id: str) -> bytes:
    """Return the message that ends a stream, without its number."""
    name = source_id.encode()
    inner = b"\x0a%b%b" % (_varint_bytes(len(name)), name)
    return b"\x0a\x05%b\x4a%b%b" % (PROTOCOL_VERSION.encode(), _varint_bytes(len(inner)), inner)


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = data[position]
    position += 1
    if value < 0x80:
        return value, position
    value &= 0x7F
    shift = 7
    while shift <= _MAX_SHIFT:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise IndexError  # more than ten bytes


def _varint_bytes(value: int) -> bytes:
    parts = bytearray()
    while value >= 0x80:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)
