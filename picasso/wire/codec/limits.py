"""How much a message may be: its bytes, and the parts that it is made of.

A part of two bytes becomes an object of a hundred. So what is counted is not only bytes.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from picasso.errors import ProtocolError
from picasso.wire.codec.schema import file_of_protocol

MAX_BYTES: Final = 2**28
"""Bytes of a message; an uncompressed 8K picture in RGBA is half of it."""
MAX_PARTS: Final = 1_000_000
"""Objects, attributes, values, boxes, points and texts in a message; of numbers in lists, each eight count as one."""
_UNCOUNTED: Final = 100_000
"""Bytes up to which a message cannot have parts enough to matter."""
_STRING: Final = 9
_BYTES: Final = 12
_MESSAGE: Final = 11


def check_size(kind: str, data: bytes, max_bytes: int = MAX_BYTES) -> None:
    """Refuse what is too large to be read.

    Args:
        kind: Name of the message in ``protocol.proto``.
        data: Its bytes.
        max_bytes: How many there may be.

    Raises:
        ProtocolError: There are too many bytes or parts.
    """
    if len(data) > max_bytes:
        raise ProtocolError(f"message: {len(data)} bytes; at most {max_bytes} are read")
    if len(data) > _UNCOUNTED:
        _Count(data).message(kind, 0, len(data))


class _Count:
    """Counts the parts of one message, without reading them; stops where there are too many."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._eighths = 8 * MAX_PARTS

    def message(self, kind: str, at: int, end: int) -> None:
        """Count the parts of a message between two positions; what cannot be parsed is left to the parser."""
        fields = _fields()[kind]
        while at < end:
            key, at = self._varint(at, end)
            wire_type = key & 7
            if wire_type == 0:
                _, at = self._varint(at, end)
                self._take(1 if key >> 3 in fields else 0)
            elif wire_type == 1:
                at += 8
                self._take(1)
            elif wire_type == 5:
                at += 4
            elif wire_type == 2:
                size, at = self._varint(at, end)
                inside = fields.get(key >> 3)
                if at + size > end:
                    return
                if inside is not None:
                    self._part(inside, at, size)
                at += size
            else:
                return

    def _part(self, inside: str | int, at: int, size: int) -> None:
        if isinstance(inside, str):
            self._take(8)
            self.message(inside, at, at + size)
        else:
            self._take(8 if inside == _STRING else 0 if inside == _BYTES else size)

    def _take(self, eighths: int) -> None:
        self._eighths -= eighths
        if self._eighths < 0:
            raise ProtocolError(f"message: more than {MAX_PARTS} parts")

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        value = shift = 0
        data = self._data
        while at < end and shift < 70:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value, at
            shift += 7
        return 0, end


@cache
def _fields() -> dict[str, dict[int, Any]]:
    """Return, by message and number of the field, the name of a message or the number of a type."""
    known: dict[str, dict[int, Any]] = {}
    messages = [(message.name, message) for message in file_of_protocol().message_type]
    messages += [(f"{name}.{inner.name}", inner) for name, message in messages for inner in message.nested_type]
    for name, message in messages:
        known[name] = {
            field.number: field.type_name.removeprefix(".protocol.") if field.type == _MESSAGE else field.type
            for field in message.field
        }
    return known
