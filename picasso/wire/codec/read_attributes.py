"""Bytes to attributes and their values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from picasso.errors import ProtocolError
from picasso.primitives import (
    Attribute,
    AttributeValue,
    BBox,
    Intersection,
    IntersectionKind,
    Point,
    PolygonalArea,
    RBBox,
)


def read_attributes(fields: Iterable[Any], place: str) -> dict[tuple[str, str], Attribute]:
    """Return the attributes of parsed messages by namespace and name; of two with the same, the later.

    Args:
        fields: Parsed messages.
        place: Whose they are, for messages of errors.

    Raises:
        ProtocolError: A value is out of its range.
    """
    table = {}
    for parsed in fields:
        attribute = read_attribute(parsed, place)
        table[attribute.namespace, attribute.name] = attribute
    return table


def read_attribute(parsed: Any, place: str) -> Attribute:
    """Return one attribute; errors as ``read_attributes``."""
    namespace, name = parsed.namespace, parsed.name
    try:
        values = [_read_value(value) for value in parsed.values]
    except (ValueError, OverflowError) as error:
        raise ProtocolError(f"{place}: attribute {namespace!r:.80}, {name!r:.80}: {error!s:.200}") from error
    hint = parsed.hint if parsed.HasField("hint") else None
    return Attribute(namespace, name, values, hint, parsed.is_persistent, parsed.is_hidden)


def _read_value(parsed: Any) -> AttributeValue:
    kind = parsed.WhichOneof("value")
    confidence = parsed.confidence
    sure = confidence if confidence == confidence or parsed.HasField("confidence") else None  # noqa: PLR0124 - NaN
    if kind is None:
        return AttributeValue("none", None, sure)  # of a newer peer, or nothing at all
    return _READERS[kind](getattr(parsed, kind), sure)


def _box(parsed: Any) -> BBox | RBBox:
    angle = parsed.angle
    if angle == angle:  # noqa: PLR0124 - only NaN differs from itself
        return RBBox(parsed.xc, parsed.yc, parsed.width, parsed.height, angle)
    return BBox(parsed.xc, parsed.yc, parsed.width, parsed.height)


def _box_value(parsed: Any, sure: float | None) -> AttributeValue:
    box = _box(parsed.data)
    return AttributeValue("bbox" if isinstance(box, BBox) else "rbbox", box, sure)


def _boxes_value(parsed: Any, sure: float | None) -> AttributeValue:
    boxes = tuple(map(_box, parsed.data))
    if all(isinstance(box, BBox) for box in boxes):
        return AttributeValue("bboxes", boxes, sure)
    turnable = tuple(box.as_rbbox() if isinstance(box, BBox) else box for box in boxes)
    return AttributeValue("rbboxes", turnable, sure)


def _point(parsed: Any) -> Point:
    return Point(parsed.x, parsed.y)


def _polygon(parsed: Any) -> PolygonalArea:
    tags = None
    if parsed.HasField("tags"):
        tags = [each.tag if each.HasField("tag") else None for each in parsed.tags.tags]
    return PolygonalArea(map(_point, parsed.points), tags)


def _intersection(parsed: Any) -> Intersection:
    edges = [(edge.id, edge.tag if edge.HasField("tag") else None) for edge in parsed.edges]
    return Intersection(IntersectionKind(parsed.kind), edges)


_READERS: Final[dict[str, Callable[[Any, float | None], AttributeValue]]] = {
    "bytes": lambda parsed, sure: AttributeValue.bytes(parsed.dims, parsed.data, sure),
    "string": lambda parsed, sure: AttributeValue("string", parsed.data, sure),
    "strings": lambda parsed, sure: AttributeValue("strings", tuple(parsed.data), sure),
    "integer": lambda parsed, sure: AttributeValue("integer", parsed.data, sure),
    "integers": lambda parsed, sure: AttributeValue("integers", tuple(parsed.data), sure),
    "float": lambda parsed, sure: AttributeValue("float", parsed.data, sure),
    "floats": lambda parsed, sure: AttributeValue("floats", tuple(parsed.data), sure),
    "boolean": lambda parsed, sure: AttributeValue("boolean", parsed.data, sure),
    "booleans": lambda parsed, sure: AttributeValue("booleans", tuple(parsed.data), sure),
    "bounding_box": _box_value,
    "bounding_boxes": _boxes_value,
    "point": lambda parsed, sure: AttributeValue("point", _point(parsed.data), sure),
    "points": lambda parsed, sure: AttributeValue("points", tuple(map(_point, parsed.data)), sure),
    "polygon": lambda parsed, sure: AttributeValue("polygon", _polygon(parsed.data), sure),
    "polygons": lambda parsed, sure: AttributeValue("polygons", tuple(map(_polygon, parsed.data)), sure),
    "intersection": lambda parsed, sure: AttributeValue("intersection", _intersection(parsed.data), sure),
    "none": lambda _, sure: AttributeValue("none", None, sure),
    "temporary": lambda _, sure: AttributeValue("temporary_python_object", None, sure),
}
"""By the name of the field. What is of the right type and range already is not checked again."""
