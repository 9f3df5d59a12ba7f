"""Bytes with the checksum that was made of them."""

from __future__ import annotations

import zlib
from typing import Any

from picasso.primitives.checks import whole
from picasso.primitives.message import Message, load_message_from_bytes, save_message_to_bytes


class ByteBuffer:
    """Bytes and a checksum, which no one compares.

    Args:
        v: The bytes.
        checksum: Of them, 0 … 2³² − 1.

    Raises:
        TypeError: ``v`` is not bytes.
    """

    __slots__ = ("_bytes", "_checksum")
    __hash__: Any = None

    def __init__(self, v: bytes, checksum: int | None = None) -> None:
        if not isinstance(v, bytes):
            raise TypeError(f"v: expected bytes, got {type(v).__name__}")
        self._bytes = v
        self._checksum = None if checksum is None else whole("checksum", checksum, 0, 2**32 - 1)

    @property
    def bytes(self) -> bytes:
        """The bytes."""
        return self._bytes

    @property
    def checksum(self) -> int | None:
        """The checksum, ``None`` where none was made."""
        return self._checksum

    def len(self) -> int:
        """Return how many bytes there are."""
        return len(self._bytes)

    __len__ = len

    def is_empty(self) -> bool:
        """Say whether there are no bytes."""
        return not self._bytes


def save_message_to_bytebuffer(
    message: Message,
    with_hash: bool = True,
    no_gil: bool = True,  # noqa: ARG001 - the reference's
) -> ByteBuffer:
    """Return the bytes of a message; errors as ``save_message_to_bytes``.

    Args:
        message: The message.
        with_hash: Whether to make a checksum: CRC-32.
        no_gil: Has no effect; existing code gives it.
    """
    data = save_message_to_bytes(message)
    return ByteBuffer(data, zlib.crc32(data) if with_hash else None)


def load_message_from_bytebuffer(buffer: ByteBuffer, no_gil: bool = True) -> Message:  # noqa: ARG001 - the reference's
    """Read a message, as ``load_message_from_bytes`` does; the checksum is not compared.

    Args:
        buffer: The bytes.
        no_gil: Has no effect; existing code gives it.
    """
    return load_message_from_bytes(buffer.bytes)


def load_message(data: bytes | bytearray | list[int], no_gil: bool = True) -> Message:  # noqa: ARG001
    """Read a message, as ``load_message_from_bytes`` does.

    Args:
        data: Bytes, or numbers 0 … 255.
        no_gil: Has no effect; existing code gives it.
    """
    return load_message_from_bytes(bytes(data))


def save_message(message: Message, no_gil: bool = True) -> bytes:  # noqa: ARG001 - the reference's
    """Return the bytes of a message, as ``save_message_to_bytes`` does.

    Args:
        message: The message.
        no_gil: Has no effect; existing code gives it.
    """
    return save_message_to_bytes(message)
