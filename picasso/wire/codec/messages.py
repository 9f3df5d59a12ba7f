"""Messages, and what they hold, to bytes and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from picasso.errors import ProtocolError
from picasso.primitives import (
    AttributeUpdatePolicy,
    BorrowedVideoObject,
    EndOfStream,
    Message,
    ObjectUpdatePolicy,
    PropagatedContext,
    Shutdown,
    UserData,
    VideoFrame,
    VideoFrameBatch,
    VideoFrameUpdate,
    VideoObject,
)
from picasso.wire.codec.limits import MAX_BYTES, check_size
from picasso.wire.codec.numbers import SMALL, bytes_tag, field, text_field, varint
from picasso.wire.codec.read_attributes import read_attribute, read_attributes
from picasso.wire.codec.read_frame import read_frame
from picasso.wire.codec.read_objects import read_object
from picasso.wire.codec.schema import PROTOCOL_VERSION, decode_error, reading_class
from picasso.wire.codec.write_attributes import attribute_fields, write_attribute
from picasso.wire.codec.write_frame import write_frame
from picasso.wire.codec.write_objects import write_object

_T1, _T2, _T3 = (bytes_tag(number) for number in (1, 2, 3))
_VERSION: Final = text_field(_T1, PROTOCOL_VERSION)
_SYSTEM_ID: Final = bytes_tag(20)


def encode_message(message: Message, *, old_peers: bool = False) -> bytes:
    """Return the bytes of a message; temporary attributes are left out.

    Args:
        message: The message.
        old_peers: Whether the chains of frames are written in steps that savant-rs before 1.0 knows; it ends the
            program of the reader for a crop, and does not see the padding of a letter box.

    Raises:
        ProtocolError: A field does not fit the protocol.
    """
    parts = [_VERSION]
    if message._labels:
        parts += [text_field(_T2, label) for label in message._labels]
    for name, value in sorted(message.span_context.items()) if message.span_context else ():
        parts.append(field(_T3, text_field(_T1, name) + text_field(_T2, value)))
    if message.seq_id:
        parts += b"\x20", varint(message.seq_id)
    tag, write = _KINDS[message.kind]
    content = write(message.content, old_peers)
    parts += tag, varint(len(content)), content
    if message.system_id:
        parts.append(text_field(_SYSTEM_ID, message.system_id))
    return b"".join(parts)


def decode_message(data: bytes | memoryview, max_bytes: int = MAX_BYTES) -> Message:
    """Read a message.

    Args:
        data: What a peer sent, of any version of the protocol.
        max_bytes: Longer messages are refused.

    Raises:
        ProtocolError: The bytes hold no message, or one that is out of range; the text names the field.
    """
    parsed = _parse("Message", data, max_bytes)
    kind = parsed.WhichOneof("content")
    if kind is None:
        raise ProtocolError("message: it holds none of the kinds that are known here")
    context = parsed.propagated_context
    return Message(
        _READERS[kind](getattr(parsed, kind)),
        labels=parsed.routing_labels,
        span_context=PropagatedContext(dict(context)) if context else None,
        seq_id=parsed.seq_id,
        system_id=parsed.system_id,
    )


def encode_part(part: Any) -> bytes:
    """Return the bytes of a frame, a batch, an update, user data or an object, without a message around it.

    Raises:
        ProtocolError: A field does not fit the protocol.
        TypeError: It is something else.
    """
    for kind, (_, write, _) in _PARTS.items():
        if isinstance(part, kind):
            return write(part)
    raise TypeError(f"expected one of {', '.join(kind.__name__ for kind in _PARTS)}, got {type(part).__name__}")


def decode_part(kind: type, data: bytes) -> Any:
    """Read what ``encode_part`` wrote of something of this kind.

    Args:
        kind: The class, or one made from it.
        data: Its bytes.

    Raises:
        ProtocolError: The bytes hold none.
        TypeError: The kind is another one, or ``data`` is not bytes.
    """
    for known, (name, _, read) in _PARTS.items():
        if issubclass(kind, known):
            what = _SPOKEN.get(name, name)
            try:
                return read(kind, _parse(name, data, MAX_BYTES))
            except ProtocolError as error:
                raise ProtocolError(f"Failed to deserialize {what} from protobuf: {error}") from error
    raise TypeError(f"expected one of {', '.join(known.__name__ for known in _PARTS)}, got {kind.__name__}")


def _parse(name: str, data: bytes | memoryview, max_bytes: int) -> Any:
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError(f"data: expected bytes, got {type(data).__name__}")
    whole = data if isinstance(data, bytes) else bytes(data)
    check_size(name, whole, max_bytes)
    try:
        return reading_class(name).FromString(whole)
    except decode_error() as error:
        raise ProtocolError(f"message: {error}") from error


def _write_batch(batch: VideoFrameBatch, old_peers: bool = False) -> bytes:
    parts = []
    for number, frame in zip(batch.ids, batch.frames, strict=True):
        parts.append(field(_T1, b"\x08" + varint(number) + field(_T2, write_frame(frame, old_peers))))
    return b"".join(parts)


def _read_batch(kind: type[VideoFrameBatch], parsed: Any) -> VideoFrameBatch:
    batch = kind()
    for number in sorted(parsed.batch):
        batch.add(number, read_frame(VideoFrame, parsed.batch[number]))
    return batch


def _write_user_data(user_data: UserData) -> bytes:
    attributes = attribute_fields(_T2, user_data._attribute_table().values())
    return text_field(_T1, user_data.source_id) + b"".join(attributes)


def _read_user_data(kind: type[UserData], parsed: Any) -> UserData:
    return kind(parsed.source_id, read_attributes(parsed.attributes, "user data").values())


def _write_update(update: VideoFrameUpdate) -> bytes:
    parts = attribute_fields(_T1, update.frame_attributes)
    for number, attribute in update.object_attributes:
        if attribute.is_persistent:
            parts.append(field(_T2, b"\x08" + varint(number) + field(_T2, write_attribute(attribute))))
    for video_object, parent in update.objects:
        content = field(_T1, _write_object(video_object))
        parts.append(field(_T3, content if parent is None else content + b"\x10" + varint(parent)))
    policies = update.frame_attribute_policy, update.object_attribute_policy, update.object_policy
    parts += [bytes((number << 3,)) + SMALL[int(policy)] for number, policy in zip((4, 5, 6), policies, strict=True)]
    return b"".join(parts)


def _read_update(kind: type[VideoFrameUpdate], parsed: Any) -> VideoFrameUpdate:
    update = kind()
    for each in parsed.frame_attributes:
        update.add_frame_attribute(read_attribute(each, "update"))
    for each in parsed.object_attributes:
        update.add_object_attribute(each.object_id, read_attribute(each.attribute, "update"))
    for each in parsed.objects:
        parent = each.parent_id if each.HasField("parent_id") else None
        update.add_object(read_object(each.object), parent)
    try:
        update.frame_attribute_policy = AttributeUpdatePolicy(parsed.frame_attribute_policy)
        update.object_attribute_policy = AttributeUpdatePolicy(parsed.object_attribute_policy)
        update.object_policy = ObjectUpdatePolicy(parsed.object_policy)
    except ValueError as error:
        raise ProtocolError(f"update: policy: {error}") from error
    return update


def _write_object(video_object: VideoObject | BorrowedVideoObject) -> bytes:
    return write_object(*video_object.locate())


_PARTS: Final[dict[type, tuple[str, Callable[[Any], bytes], Callable[[Any, Any], Any]]]] = {
    VideoFrame: ("VideoFrame", write_frame, read_frame),
    VideoFrameBatch: ("VideoFrameBatch", _write_batch, _read_batch),
    VideoFrameUpdate: ("VideoFrameUpdate", _write_update, _read_update),
    UserData: ("UserData", _write_user_data, _read_user_data),
    VideoObject: ("VideoObject", _write_object, lambda _, parsed: read_object(parsed)),
    BorrowedVideoObject: ("VideoObject", _write_object, lambda _, parsed: read_object(parsed)),
}
"""By class: the name of the message, how it is written and read."""
_SPOKEN: Final = {
    "VideoFrame": "video frame",
    "VideoFrameBatch": "video frame batch",
    "VideoFrameUpdate": "video frame update",
    "UserData": "user data",
    "VideoObject": "video object",
}
_KINDS: Final[dict[str, tuple[bytes, Callable[[Any, bool], bytes]]]] = {
    "video_frame": (bytes_tag(5), write_frame),
    "video_frame_batch": (bytes_tag(6), _write_batch),
    "video_frame_update": (bytes_tag(7), lambda update, _: _write_update(update)),
    "user_data": (bytes_tag(8), lambda user_data, _: _write_user_data(user_data)),
    "end_of_stream": (bytes_tag(9), lambda eos, _: text_field(_T1, eos.source_id)),
    "unknown": (bytes_tag(10), lambda text, _: text_field(_T1, text)),
    "shutdown": (bytes_tag(11), lambda shutdown, _: text_field(_T1, shutdown.auth)),
}
_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "video_frame": lambda parsed: read_frame(VideoFrame, parsed),
    "video_frame_batch": lambda parsed: _read_batch(VideoFrameBatch, parsed),
    "video_frame_update": lambda parsed: _read_update(VideoFrameUpdate, parsed),
    "user_data": lambda parsed: _read_user_data(UserData, parsed),
    "end_of_stream": lambda parsed: EndOfStream(parsed.source_id),
    "unknown": lambda parsed: parsed.message,
    "shutdown": lambda parsed: Shutdown(parsed.auth),
}
