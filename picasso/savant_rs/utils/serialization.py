"""The names of ``savant_rs.utils.serialization``: messages and their bytes."""

from __future__ import annotations

from picasso.primitives import (
    Message,
    load_message,
    load_message_from_bytebuffer,
    load_message_from_bytes,
    save_message,
    save_message_to_bytebuffer,
    save_message_to_bytes,
)

__all__ = [
    "Message",
    "load_message",
    "load_message_from_bytebuffer",
    "load_message_from_bytes",
    "save_message",
    "save_message_to_bytebuffer",
    "save_message_to_bytes",
]
