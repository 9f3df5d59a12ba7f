"""Changes for a frame that someone else has: attributes and objects to put into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self, SupportsIndex, TypeVar

import msgspec

from picasso.primitives.attribute import Attribute
from picasso.primitives.attribute_text import attribute_shape
from picasso.primitives.checks import whole
from picasso.primitives.enums import NativeEnum
from picasso.primitives.protocol import as_message, registered_codec
from picasso.primitives.video_object import VideoObject

if TYPE_CHECKING:
    from picasso.primitives.message import Message

_T = TypeVar("_T")


class AttributeUpdatePolicy(NativeEnum):
    """What happens to an attribute whose namespace and name are there already."""

    ReplaceWithForeignWhenDuplicate = 0
    KeepOwnWhenDuplicate = 1
    ErrorWhenDuplicate = 2


class ObjectUpdatePolicy(NativeEnum):
    """What happens to an object whose namespace and label are there already."""

    AddForeignObjects = 0
    ErrorIfLabelsCollide = 1
    ReplaceSameLabelObjects = 2


class ForeignObject(NamedTuple):
    """An object to add, and the id of its parent in the receiving frame."""

    video_object: VideoObject
    parent_id: int | None


_POLICY_TEXTS = {
    AttributeUpdatePolicy.ReplaceWithForeignWhenDuplicate: "ReplaceWithForeign",
    AttributeUpdatePolicy.KeepOwnWhenDuplicate: "KeepOwn",
    AttributeUpdatePolicy.ErrorWhenDuplicate: "Error",
}


class VideoFrameUpdate:
    """Attributes and objects, in the order they were added, and what happens where the frame has such already.

    ``VideoFrame.update`` carries it out.
    """

    __slots__ = (
        "_frame_attribute_policy",
        "_object_attribute_policy",
        "_object_policy",
        "frame_attributes",
        "object_attributes",
        "objects",
    )
    __hash__: Any = None

    def __init__(self) -> None:
        self.frame_attributes: list[Attribute] = []
        """For the frame itself."""
        self.object_attributes: list[tuple[int, Attribute]] = []
        """For its objects, by their ids."""
        self.objects: list[ForeignObject] = []
        """Objects to add."""
        self._frame_attribute_policy = AttributeUpdatePolicy.ErrorWhenDuplicate
        self._object_attribute_policy = AttributeUpdatePolicy.ErrorWhenDuplicate
        self._object_policy = ObjectUpdatePolicy.ErrorIfLabelsCollide

    @property
    def frame_attribute_policy(self) -> AttributeUpdatePolicy:
        """What happens to an attribute that the frame has already."""
        return self._frame_attribute_policy

    @frame_attribute_policy.setter
    def frame_attribute_policy(self, value: AttributeUpdatePolicy) -> None:
        self._frame_attribute_policy = _an("frame_attribute_policy", AttributeUpdatePolicy, value)

    @property
    def object_attribute_policy(self) -> AttributeUpdatePolicy:
        """What happens to an attribute that the object has already."""
        return self._object_attribute_policy

    @object_attribute_policy.setter
    def object_attribute_policy(self, value: AttributeUpdatePolicy) -> None:
        self._object_attribute_policy = _an("object_attribute_policy", AttributeUpdatePolicy, value)

    @property
    def object_policy(self) -> ObjectUpdatePolicy:
        """What happens to an object when the frame has one of its namespace and label."""
        return self._object_policy

    @object_policy.setter
    def object_policy(self, value: ObjectUpdatePolicy) -> None:
        self._object_policy = _an("object_policy", ObjectUpdatePolicy, value)

    def add_frame_attribute(self, attribute: Attribute) -> None:
        """Add an attribute for the frame itself."""
        self.frame_attributes.append(_an("attribute", Attribute, attribute))

    def add_object_attribute(self, object_id: SupportsIndex, attribute: Attribute) -> None:
        """Add an attribute for the object with the id ``object_id``."""
        self.object_attributes.append((whole("object_id", object_id), _an("attribute", Attribute, attribute)))

    def add_object(self, object: VideoObject, parent_id: SupportsIndex | None = None) -> None:
        """Add a copy of an object.

        Args:
            object: Gets a new id in the frame.
            parent_id: Id of the object of the frame that it belongs to.
        """
        copied = _an("object", VideoObject, object).detached_copy()
        self.objects.append(ForeignObject(copied, None if parent_id is None else whole("parent_id", parent_id)))

    @property
    def json(self) -> str:
        """Attributes and their policies as one line of JSON; objects are not in it."""
        shape = {
            "frame_attributes": [attribute_shape(attribute) for attribute in self.frame_attributes],
            "object_attributes": [[number, attribute_shape(each)] for number, each in self.object_attributes],
            "frame_attribute_policy": _POLICY_TEXTS[self._frame_attribute_policy],
            "object_attribute_policy": _POLICY_TEXTS[self._object_attribute_policy],
        }
        return msgspec.json.encode(shape).decode()

    @property
    def json_pretty(self) -> str:
        """The same, indented."""
        return msgspec.json.format(self.json, indent=2)

    def to_message(self) -> Message:
        """Return a message that holds it."""
        return as_message(self)

    def to_protobuf(self) -> bytes:
        """Return the bytes of the protocol, without the temporary attributes."""
        return registered_codec().encode_part(self)

    @classmethod
    def from_protobuf(cls, data: bytes) -> Self:
        """Read the data that ``to_protobuf`` wrote.

        Raises:
            ProtocolError: The bytes hold none.
        """
        made: Self = registered_codec().decode_part(cls, data)
        return made

    def __repr__(self) -> str:
        return (
            f"VideoFrameUpdate(frame_attributes={len(self.frame_attributes)}, "
            f"object_attributes={len(self.object_attributes)}, objects={len(self.objects)})"
        )


def _an(name: str, kind: type[_T], value: _T) -> _T:
    if not isinstance(value, kind):
        raise TypeError(f"{name}: expected {kind.__name__}, got {value!r}")
    return value
