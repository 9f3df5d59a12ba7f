"""Who turns metadata into the bytes of a protocol and back: a codec that registers here.

This room only knows the name of the one that comes with the package, and loads it when it is first asked.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from picasso.primitives.message import Message


class ProtocolCodec(Protocol):
    """What a protocol must be able to do."""

    def encode_message(self, message: Message) -> bytes:
        """Return the bytes of a message."""
        ...

    def decode_message(self, data: bytes) -> Message:
        """Read the data of a message; ``ProtocolError`` when the bytes hold none."""
        ...

    def encode_part(self, part: Any) -> bytes:
        """Return the bytes of a part: a frame, a batch, an update, user data or an object, no message around it."""
        ...

    def decode_part(self, kind: type, data: bytes) -> Any:
        """Read the data that ``encode_part`` wrote of something of this kind; ``ProtocolError`` when it holds none."""
        ...


_registered: list[ProtocolCodec | str] = ["picasso.wire.codec"]


def register_codec(codec: ProtocolCodec | str) -> None:
    """Make ``codec`` the one that frames and messages ask.

    Args:
        codec: The codec, or the module that is the codec, by its dotted name: then it is imported on first use.
    """
    _registered[:] = [codec]


def registered_codec() -> ProtocolCodec:
    """Return the codec.

    Raises:
        MissingDependencyError: It needs a library that is not installed.
    """
    codec = _registered[0]
    if isinstance(codec, str):
        codec = _registered[0] = importlib.import_module(codec)
    return codec


_message_makers: list[Callable[[Any], Message]] = []


def register_message(make: Callable[[Any], Message]) -> None:
    """Make ``make`` what ``as_message`` calls; messages know frames, frames do not know messages."""
    _message_makers[:] = [make]


def as_message(content: Any) -> Message:
    """Return a message that holds a frame, a batch, an update, user data or a signal."""
    return _message_makers[0](content)
