"""Attributes as pyfuncs see them: plain Python values instead of ``AttributeValue``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from picasso.primitives import Attribute, AttributeValue

_ONE: Final[dict[type, Callable[..., AttributeValue]]] = {
    bool: AttributeValue.boolean,
    int: AttributeValue.integer,
    float: AttributeValue.float,
    str: AttributeValue.string,
}
_MANY: Final[dict[type, Callable[..., AttributeValue]]] = {
    bool: AttributeValue.booleans,
    int: AttributeValue.integers,
    float: AttributeValue.floats,
    str: AttributeValue.strings,
}
_READERS: Final[dict[str, Callable[[AttributeValue], Any]]] = {
    "string": AttributeValue.as_string,
    "integer": AttributeValue.as_integer,
    "float": AttributeValue.as_float,
    "boolean": AttributeValue.as_boolean,
    "strings": AttributeValue.as_strings,
    "integers": AttributeValue.as_integers,
    "floats": AttributeValue.as_floats,
    "booleans": AttributeValue.as_booleans,
}


@dataclass(frozen=True, slots=True)
class AttributeMeta:
    """One value of an attribute of an object."""

    element_name: str
    """Who made it: the name of an element."""
    name: str
    value: Any
    """A boolean, number or text, a list of one kind of those, or any object, which then stays in the module."""
    confidence: float = 1.0
    """0..1."""


def to_value(value: Any, confidence: float | None = None) -> AttributeValue:
    """Turn a plain value into an ``AttributeValue``; what cannot leave the module becomes a temporary object.

    Args:
        value: A boolean, whole number, number, text, None, or a list or tuple of one kind of those; NumPy's scalars
            and one-dimensional arrays count as what they hold.
        confidence: 0..1, or None.
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if value is None:
        return AttributeValue.none()
    make = _ONE.get(type(value))
    if make is None and isinstance(value, list | tuple) and value:
        make = _MANY.get(_kind(value))
    if make is not None:
        return make(value, confidence)
    return AttributeValue.temporary_python_object(value, confidence)


def from_value(value: AttributeValue) -> Any:
    """Return the plain value; kinds without one, such as boxes, come as the ``AttributeValue`` itself."""
    if value.is_none():
        return None
    read = _READERS.get(value.kind)
    if read is not None:
        return read(value)
    held = value.as_temporary_python_object()
    return value if held is None else held


def is_exportable(value: AttributeValue) -> bool:
    """Whether it can leave the module."""
    return value.as_temporary_python_object() is None


def to_attribute(metas: Sequence[AttributeMeta], *, internal: bool = False) -> Attribute:
    """Put the values of one element and name together; ``internal`` ones do not leave the module."""
    first = metas[0]
    values = [to_value(meta.value, meta.confidence) for meta in metas]
    persistent = not internal and all(map(is_exportable, values))
    return Attribute(first.element_name, first.name, values, None, persistent)


def from_attribute(attribute: Attribute) -> list[AttributeMeta]:
    """Take the values of an attribute apart."""
    return [
        AttributeMeta(
            attribute.namespace,
            attribute.name,
            from_value(value),
            1.0 if value.confidence is None else value.confidence,
        )
        for value in attribute.values
    ]


def _kind(values: Iterable[Any]) -> type:
    """Return the one type of all values; whole numbers among numbers count as numbers; ``object`` where they differ."""
    kinds = {type(value) for value in values}
    if kinds == {int, float}:
        return float
    return kinds.pop() if len(kinds) == 1 else object
