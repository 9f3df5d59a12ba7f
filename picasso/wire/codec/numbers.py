"""How numbers and lengths are written: variable-length integers, and fields that carry a length."""

from __future__ import annotations

from typing import Final

_MASK: Final = 2**64 - 1
_56_BITS: Final = 2**56
_63_BITS: Final = 2**63 - 1


def _made(value: int) -> bytes:
    if _56_BITS <= value <= _63_BITS:  # such as a time in nanoseconds: nine bytes at once
        low, high = value & 0xFFFFFFF, value >> 28
        return bytes((
            low & 127 | 128, low >> 7 & 127 | 128, low >> 14 & 127 | 128, low >> 21 | 128,
            high & 127 | 128, high >> 7 & 127 | 128, high >> 14 & 127 | 128, high >> 21 & 127 | 128, high >> 28,
        ))  # fmt: skip
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    parts.append(value)
    return bytes(parts)


SMALL: Final = [_made(value) for value in range(4096)]
"""The bytes of the small ones, which almost all are."""


def varint(value: int) -> bytes:
    """Return an integer in 1 to 10 bytes; a negative one as its two's complement of 64 bits."""
    return SMALL[value] if 0 <= value < 4096 else _made(value & _MASK)


def field(tag: bytes, content: bytes) -> bytes:
    """Return a field that carries its length; ``tag`` is its number and kind."""
    return tag + varint(len(content)) + content


def text_field(tag: bytes, content: str) -> bytes:
    """Return a field that holds a text."""
    return field(tag, content.encode())


def tag_of(number: int, wire_type: int) -> bytes:
    """Return the bytes before a field.

    Args:
        number: Number of the field.
        wire_type: 0 for an integer, 1 for 8 bytes, 2 for a length, 5 for 4 bytes.
    """
    return _made(number << 3 | wire_type)


def bytes_tag(number: int) -> bytes:
    """Return the bytes before a field that carries its length."""
    return tag_of(number, 2)
