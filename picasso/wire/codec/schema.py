"""The messages of the protocol as classes: of ``protocol.proto``, and a view of the same bytes that is fast to read.

The view differs in nothing that travels. An absent field reads as a value that no one sends, which spares a question
for each field; boxes of objects read as their bytes, so that those of all objects become one array.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Final

from picasso.errors import require

PROTOCOL_VERSION: Final = "0.2.0"
"""What senders write; readers do not refuse others."""

ABSENT_ID: Final = -(2**63)
"""Reads for a parent, track or sequence number that is not there."""
ABSENT_TEXT: Final = "\0absent"
ABSENT_BOX: Final = b"\0"
"""Reads for a box that is not there; no box has these bytes."""

_DEFAULTS: Final = {
    ("VideoFrame", "previous_frame_seq_id"): str(ABSENT_ID),
    ("VideoFrame", "codec"): ABSENT_TEXT,
    ("VideoFrame", "dts"): str(ABSENT_ID),
    ("VideoFrame", "duration"): str(ABSENT_ID),
    ("VideoFrame", "previous_keyframe"): ABSENT_TEXT,
    ("VideoObject", "parent_id"): str(ABSENT_ID),
    ("VideoObject", "draw_label"): ABSENT_TEXT,
    ("VideoObject", "confidence"): "nan",
    ("VideoObject", "track_id"): str(ABSENT_ID),
    ("VideoObject", "detection_box"): "\\000",
    ("VideoObject", "track_box"): "\\000",
    ("BoundingBox", "angle"): "nan",
    ("AttributeValue", "confidence"): "nan",
}
_AS_BYTES: Final = {("VideoObject", "detection_box"), ("VideoObject", "track_box")}


@cache
def file_of_protocol() -> Any:
    """Return the description of ``protocol.proto``, compiled."""
    descriptors = require("google.protobuf.descriptor_pb2", extra="wire")
    compiled = files(__package__).joinpath("protocol.binpb").read_bytes()
    (file,) = descriptors.FileDescriptorSet.FromString(compiled).file
    return file


@cache
def protocol_class(name: str) -> Any:
    """Return the class of a message as ``protocol.proto`` has it."""
    return _class_of(_pool(reads=False), name)


@cache
def reading_class(name: str) -> Any:
    """Return the class of a message in the view that is fast to read."""
    return _class_of(_pool(reads=True), name)


def decode_error() -> type[Exception]:
    """Return what the classes raise for bytes that they cannot parse."""
    error: type[Exception] = require("google.protobuf.message", extra="wire").DecodeError
    return error


def _class_of(pool: Any, name: str) -> Any:
    factory = require("google.protobuf.message_factory", extra="wire")
    return factory.GetMessageClass(pool.FindMessageTypeByName(f"protocol.{name}"))


@cache
def _pool(*, reads: bool) -> Any:
    pool = require("google.protobuf.descriptor_pool", extra="wire").DescriptorPool()
    pool.Add(_reading_file() if reads else file_of_protocol())
    return pool


def _reading_file() -> Any:
    """Return the description of the view: presence for every field, open enumerations, checked UTF-8 as in proto3."""
    descriptors = require("google.protobuf.descriptor_pb2", extra="wire")
    file = descriptors.FileDescriptorProto()
    file.CopyFrom(file_of_protocol())
    file.syntax, file.edition = "editions", descriptors.EDITION_2023
    for message in file.message_type:
        synthetic = {field.oneof_index for field in message.field if field.proto3_optional}
        for field in message.field:
            if field.proto3_optional:
                field.ClearField("proto3_optional")
                field.ClearField("oneof_index")
            if (message.name, field.name) in _AS_BYTES:
                field.type = field.TYPE_BYTES
                field.ClearField("type_name")
            if (message.name, field.name) in _DEFAULTS:
                field.default_value = _DEFAULTS[message.name, field.name]
        kept = [oneof for index, oneof in enumerate(message.oneof_decl) if index not in synthetic]
        del message.oneof_decl[:]
        message.oneof_decl.extend(kept)  # real ones come first, so the indexes of their fields stay
    return file
