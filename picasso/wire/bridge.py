"""Objects of the ``savant-rs`` package to ours and back, by the bytes that both write.

::

    frame = from_savant(their_frame)       # a picasso VideoFrame, Message, UserData …
    their_frame = to_savant(frame)         # the savant_rs object of the same kind

It needs the extra ``savant``, whose wheels are for CPython 3.9 to 3.12 on Linux.
"""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any, Final

from picasso.errors import MissingDependencyError, require
from picasso.primitives import (
    EndOfStream,
    Message,
    Shutdown,
    UserData,
    VideoFrame,
    VideoFrameBatch,
    VideoFrameUpdate,
)
from picasso.wire.codec import decode_message, encode_message

Ours = Message | VideoFrame | VideoFrameBatch | VideoFrameUpdate | UserData | EndOfStream | Shutdown
_KINDS: Final = (VideoFrame, VideoFrameBatch, VideoFrameUpdate, UserData, EndOfStream, Shutdown)
_FACTORIES: Final = {
    "VideoFrame": "video_frame",
    "VideoFrameBatch": "video_frame_batch",
    "VideoFrameUpdate": "video_frame_update",
    "UserData": "user_data",
    "EndOfStream": "end_of_stream",
    "Shutdown": "shutdown",
}
"""What makes a message of theirs, by the name of their class."""


def to_savant(content: Ours) -> Any:
    """Return the object of ``savant_rs`` that says what ``content`` says; temporary attributes stay here.

    Raises:
        TypeError: It is none of a message, frame, batch, update, user data, end of stream, shutdown.
        ProtocolError: A field does not fit the protocol.
        MissingDependencyError: ``savant-rs`` is not installed.
    """
    if isinstance(content, Message):
        return _theirs().load_message_from_bytes(encode_message(content))
    if not isinstance(content, _KINDS):
        names = ", ".join(kind.__name__ for kind in (Message, *_KINDS))
        raise TypeError(f"to_savant: expected one of {names}, got {type(content).__name__}")
    message = Message(content)
    theirs = _theirs().load_message_from_bytes(encode_message(message))
    return getattr(theirs, f"as_{message.kind}")()


def from_savant(theirs: Any) -> Ours:
    """Return what an object of ``savant_rs``, ``theirs``, says, as ours of the same kind.

    Its package numbers messages as it makes them, so each frame that is read takes a number of its source.

    Raises:
        TypeError: It is none of a message, frame, batch, update, user data, end of stream, shutdown.
        ProtocolError: It holds what ours refuses, such as a frame of no size.
        MissingDependencyError: ``savant-rs`` is not installed.
    """
    serialization = _theirs()
    if isinstance(theirs, serialization.Message):
        return decode_message(serialization.save_message_to_bytes(theirs))
    factory = _FACTORIES.get(type(theirs).__name__)
    if factory is None or not type(theirs).__module__.startswith(("builtins", "savant_rs")):
        raise TypeError(f"from_savant: expected an object of savant_rs that travels, got {type(theirs).__name__}")
    message = getattr(serialization.Message, factory)(theirs)
    content = decode_message(serialization.save_message_to_bytes(message)).content
    if isinstance(content, str):
        raise TypeError(f"from_savant: {type(theirs).__name__} is of no kind that is known here: {content}")
    return content


def _theirs() -> ModuleType:
    """Import the serialization of the package.

    It reads ``LOGLEVEL`` when it is imported, and writes ``trace`` into the environment of later processes where that
    is not set.
    """
    os.environ.setdefault("LOGLEVEL", "info")
    module = require("savant_rs.utils.serialization", extra="savant")
    if not hasattr(module, "save_message_to_bytes") or (getattr(module, "__file__", None) or "").endswith("picasso"):
        raise MissingDependencyError("savant_rs is answered by picasso here, not by the savant-rs package")
    return module
