"""Attributes of a source that belong to no frame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

import msgspec

from picasso.primitives.attribute import Attribute, AttributeHolder, AttributeKey, attribute_table
from picasso.primitives.attribute_text import attribute_shape
from picasso.primitives.checks import text
from picasso.primitives.protocol import as_message, registered_codec

if TYPE_CHECKING:
    from picasso.primitives.message import Message


class UserData(AttributeHolder):
    """Named facts about a source.

    Args:
        source_id: Name of the source.
        attributes: The facts; of two with one namespace and name the later counts.
    """

    __slots__ = ("_attributes", "_source_id")
    __hash__: Any = None

    def __init__(self, source_id: str, attributes: Iterable[Attribute] = ()) -> None:
        self._source_id = text("source_id", source_id)
        self._attributes = attribute_table(attributes)

    @property
    def source_id(self) -> str:
        """Name of the source."""
        return self._source_id

    @property
    def json(self) -> str:
        """Source and attributes as one line of JSON, hidden and temporary ones too."""
        attributes = [attribute_shape(attribute) for attribute in self._attributes.values()]
        return msgspec.json.encode({"attributes": attributes, "source_id": self._source_id}).decode()

    @property
    def json_pretty(self) -> str:
        """The same, indented."""
        return msgspec.json.format(self.json, indent=2)

    def persistent_copy(self) -> UserData:
        """Return an independent one without the temporary attributes."""
        return UserData(self._source_id, (kept for kept in self._attributes.values() if kept.is_persistent))

    def to_message(self) -> Message:
        """Return a message that holds a copy, without the temporary attributes."""
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

    def _attribute_table(self) -> dict[AttributeKey, Attribute]:
        return self._attributes

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, UserData):
            return NotImplemented
        return (self._source_id, self._attributes) == (other._source_id, other._attributes)

    def __repr__(self) -> str:
        return f"UserData({self._source_id!r}, attributes={len(self._attributes)})"
