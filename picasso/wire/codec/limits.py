"""How much a message may be: its bytes, and the parts that it is made of.

A part of two bytes becomes an object of a hundred. So what is counted is not only bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from picasso.errors import ProtocolError
from picasso.wire.codec.schema import file_of_protocol

MAX_BYTES: Final = 2**28
"""Bytes of a message; an uncompressed 8K picture in RGBA is half of it."""
MAX_PARTS: Final = 500_000
"""Objects, attributes, values, boxes, points and texts in a message; of numbers in lists, each eight count as one."""
_PART_BYTES: Final = 2
"""Bytes of the smallest part; so a short message has no more parts than are read."""
_AROUND_PAYLOADS: Final = {"Message", "VideoFrame", "VideoFrameBatch", "VideoFrameBatch.BatchEntry"}
"""Messages in which encoded pictures lie."""
_LENGTH: Final = 2
_FOUR_BYTES: Final = 5
_FIXED: Final = {1: 8, _FOUR_BYTES: 4}
"""Bytes of the content, by wire type."""
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
    if len(data) > _PART_BYTES * MAX_PARTS:
        count = _Count(data)
        if len(data) - count.payload_bytes(kind, 0, len(data)) > _PART_BYTES * MAX_PARTS:
            count.message(kind, 0, len(data))


class _Count:
    """Counts the parts of one message, without reading them; stops where there are too many."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._eighths = 8 * MAX_PARTS

    def message(self, kind: str, at: int, end: int) -> None:
        """Count the parts of a message between two positions; what cannot be parsed is left to the parser."""
        fields = _fields()[kind]
        for number, wire_type, start, stop in self._walk(at, end):
            inside = fields.get(number)
            if wire_type == _LENGTH:
                if inside is not None:
                    self._part(inside, start, stop - start)
            elif inside is not None and wire_type != _FOUR_BYTES:
                self._take(1)

    def payload_bytes(self, kind: str, at: int, end: int) -> int:
        """Return how many bytes of a message between two positions are encoded pictures."""
        fields, total = _fields()[kind], 0
        for number, wire_type, start, stop in self._walk(at, end):
            inside = fields.get(number)
            if wire_type == _LENGTH and inside == _BYTES:
                total += stop - start
            elif wire_type == _LENGTH and inside in _AROUND_PAYLOADS:
                total += self.payload_bytes(str(inside), start, stop)
        return total

    def _walk(self, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Yield number and wire type of each field, and where its content begins and ends."""
        while at < end:
            key, at = self._varint(at, end)
            wire_type, start = key & 7, at
            if wire_type == 0:
                _, at = self._varint(at, end)
            elif wire_type == _LENGTH:
                size, start = self._varint(at, end)
                at = start + size
            elif wire_type in _FIXED:
                at += _FIXED[wire_type]
            else:
                return
            if at > end:
                return
            yield key >> 3, wire_type, start, at

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
