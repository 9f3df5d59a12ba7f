"""Named facts about a frame or an object, and the table that keeps them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from picasso.errors import MetadataError
from picasso.primitives.attribute_text import attribute_shape, parsed, text_of, value_of
from picasso.primitives.attribute_value import AttributeValue
from picasso.primitives.checks import text

AttributeKey = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True, slots=True, init=False)
class Attribute:
    """An immutable named list of values.

    Args:
        namespace: Who made it; together with ``name`` its identity.
        name: What it is.
        values: Its values, in order.
        hint: A note for people, or ``None``.
        is_persistent: Whether it is written to JSON.
        is_hidden: Whether listings leave it out; ``get_attribute`` still finds it.

    Raises:
        TypeError: A text is not text, or a value no ``AttributeValue``.
    """

    namespace: str
    name: str
    _values: tuple[AttributeValue, ...]
    hint: str | None
    is_persistent: bool
    is_hidden: bool

    def __init__(
        self,
        namespace: str,
        name: str,
        values: Iterable[AttributeValue] = (),
        hint: str | None = None,
        is_persistent: bool = True,
        is_hidden: bool = False,
    ) -> None:
        kept = tuple(values)
        for value in kept:
            if not isinstance(value, AttributeValue):
                raise TypeError(f"values: expected AttributeValue, got {type(value).__name__}")
        put = object.__setattr__
        put(self, "namespace", text("namespace", namespace))
        put(self, "name", text("name", name))
        put(self, "_values", kept)
        put(self, "hint", hint if hint is None else text("hint", hint))
        put(self, "is_persistent", bool(is_persistent))
        put(self, "is_hidden", bool(is_hidden))

    @classmethod
    def persistent(
        cls,
        namespace: str,
        name: str,
        values: Iterable[AttributeValue] = (),
        hint: str | None = None,
        is_hidden: bool = False,
    ) -> Attribute:
        """Make one that JSON keeps.

        ``namespace``, ``name``, ``values``, ``hint`` and ``is_hidden`` are those of the class.
        """
        return cls(namespace, name, values, hint, True, is_hidden)

    @classmethod
    def temporary(
        cls,
        namespace: str,
        name: str,
        values: Iterable[AttributeValue] = (),
        hint: str | None = None,
        is_hidden: bool = False,
    ) -> Attribute:
        """Make one that JSON leaves out.

        ``namespace``, ``name``, ``values``, ``hint`` and ``is_hidden`` are those of the class.
        """
        return cls(namespace, name, values, hint, False, is_hidden)

    @property
    def values(self) -> list[AttributeValue]:
        """The values, as a new list."""
        return list(self._values)

    @property
    def key(self) -> AttributeKey:
        """Namespace and name."""
        return self.namespace, self.name

    @property
    def json(self) -> str:
        """The attribute as one line of JSON, with ``is_persistent`` and ``is_hidden``."""
        return text_of(attribute_shape(self))

    @classmethod
    def from_json(cls, document: str) -> Attribute:
        """Read a document that ``json`` wrote; ``MetadataError`` when it is something else."""
        shape = parsed(document, "attribute")
        try:
            values = [value_of(AttributeValue, value) for value in shape["values"]]
            return cls(
                shape["namespace"],
                shape["name"],
                values,
                shape.get("hint"),
                bool(shape.get("is_persistent", True)),
                bool(shape.get("is_hidden", False)),
            )
        except KeyError as error:
            raise MetadataError(f"attribute: missing field `{error.args[0]}`") from error
        except TypeError as error:
            raise MetadataError(f"attribute: {error}") from error

    def is_temporary(self) -> bool:
        """Say whether JSON leaves it out."""
        return not self.is_persistent


def attribute_table(attributes: Iterable[Attribute]) -> dict[AttributeKey, Attribute]:
    """Return attributes by namespace and name, of two with the same the later; ``TypeError`` for anything else."""
    table = {}
    for attribute in attributes:
        if not isinstance(attribute, Attribute):
            raise TypeError(f"attributes: expected Attribute, got {type(attribute).__name__}")
        table[attribute.key] = attribute
    return table


class AttributeHolder:
    """The attributes of a frame or an object: at most one for each namespace and name.

    Subclasses say where the table is.
    """

    __slots__ = ()

    def _attribute_table(self) -> dict[AttributeKey, Attribute]:
        """Return the live table."""
        raise NotImplementedError

    @property
    def attributes(self) -> list[AttributeKey]:
        """Namespace and name of every attribute that is not hidden."""
        return self._keys(lambda _: True)

    def has_attribute(self, namespace: str, name: str) -> bool:
        """Say whether there is one, hidden or not."""
        return (namespace, name) in self._attribute_table()

    def get_attribute(self, namespace: str, name: str) -> Attribute | None:
        """Return the attribute, hidden or not; ``None`` when there is none."""
        return self._attribute_table().get((namespace, name))

    def set_attribute(self, attribute: Attribute) -> Attribute | None:
        """Put an attribute instead of the one with its namespace and name, and return that one."""
        new = attribute_table((attribute,))
        table = self._attribute_table()
        previous = table.get(attribute.key)
        table.update(new)
        return previous

    def set_persistent_attribute(
        self,
        namespace: str,
        name: str,
        is_hidden: bool = False,
        hint: str | None = None,
        values: Iterable[AttributeValue] = (),
    ) -> Attribute | None:
        """Put an attribute that JSON keeps; return the one that it replaces.

        ``namespace``, ``name``, ``is_hidden``, ``hint`` and ``values`` are those of ``Attribute``.
        """
        return self.set_attribute(Attribute(namespace, name, values, hint, True, is_hidden))

    def set_temporary_attribute(
        self,
        namespace: str,
        name: str,
        is_hidden: bool = False,
        hint: str | None = None,
        values: Iterable[AttributeValue] = (),
    ) -> Attribute | None:
        """Put an attribute that JSON leaves out; return the one that it replaces.

        ``namespace``, ``name``, ``is_hidden``, ``hint`` and ``values`` are those of ``Attribute``.
        """
        return self.set_attribute(Attribute(namespace, name, values, hint, False, is_hidden))

    def delete_attribute(self, namespace: str, name: str) -> Attribute | None:
        """Remove an attribute and return it; ``None`` when there is none."""
        return self._attribute_table().pop((namespace, name), None)

    def find_attributes_with_ns(self, namespace: str) -> list[AttributeKey]:
        """List the attributes of a namespace, without the hidden ones."""
        return self._keys(lambda attribute: attribute.namespace == namespace)

    def find_attributes_with_names(self, names: Iterable[str]) -> list[AttributeKey]:
        """List the attributes of any of these names, without the hidden ones."""
        wanted = set(names)
        return self._keys(lambda attribute: attribute.name in wanted)

    def find_attributes_with_hints(self, hints: Iterable[str | None]) -> list[AttributeKey]:
        """List the attributes with any of these hints, without the hidden ones."""
        wanted = set(hints)
        return self._keys(lambda attribute: attribute.hint in wanted)

    def delete_attributes_with_ns(self, namespace: str) -> None:
        """Remove the attributes of a namespace, hidden or not."""
        self._remove(lambda attribute: attribute.namespace == namespace)

    def delete_attributes_with_names(self, names: Iterable[str]) -> None:
        """Remove the attributes of any of these names, hidden or not."""
        wanted = set(names)
        self._remove(lambda attribute: attribute.name in wanted)

    def delete_attributes_with_hints(self, hints: Iterable[str | None]) -> None:
        """Remove the attributes with any of these hints, hidden or not."""
        wanted = set(hints)
        self._remove(lambda attribute: attribute.hint in wanted)

    def clear_attributes(self) -> None:
        """Remove all attributes."""
        self._attribute_table().clear()

    def _keys(self, wanted: Callable[[Attribute], bool]) -> list[AttributeKey]:
        table = self._attribute_table()
        return [key for key, attribute in table.items() if not attribute.is_hidden and wanted(attribute)]

    def _remove(self, wanted: Callable[[Attribute], bool]) -> None:
        table = self._attribute_table()
        for key in [key for key, attribute in table.items() if wanted(attribute)]:
            del table[key]
