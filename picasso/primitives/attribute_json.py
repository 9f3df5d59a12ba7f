"""Attributes to records and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import UNSET

from picasso.errors import MetadataError
from picasso.primitives.attribute import Attribute, AttributeKey
from picasso.primitives.attribute_value import AttributeValue
from picasso.primitives.boxes import BBox, RBBox
from picasso.primitives.records import (
    AttributeRecord,
    Box,
    BytesRecord,
    IntersectionRecord,
    PairXY,
    PolygonRecord,
    ValueRecord,
    to_number,
)
from picasso.primitives.shapes import Intersection, IntersectionKind, Point, PolygonalArea


def attribute_records(attributes: Iterable[Attribute]) -> list[AttributeRecord]:
    """Return the records of the persistent attributes; objects of this process are left out of their values."""
    return [
        AttributeRecord(
            attribute.namespace,
            attribute.name,
            [_value_record(value) for value in attribute.values if value.kind != "temporary_python_object"],
            attribute.hint,
            attribute.is_hidden,
        )
        for attribute in attributes
        if attribute.is_persistent
    ]


def attributes_of(records: Iterable[AttributeRecord], path: str) -> dict[AttributeKey, Attribute]:
    """Return the attributes of records.

    Args:
        records: As decoded; their fields are of the right types.
        path: Where the list stands in the JSON, for messages.

    Raises:
        MetadataError: A value has several kinds, or does not fit its kind; or two attributes have one name.
    """
    table: dict[AttributeKey, Attribute] = {}
    for index, record in enumerate(records):
        place = f"{path}[{index}]"
        values = [_value(value, f"{place}.values[{n}]") for n, value in enumerate(record.values)]
        attribute = Attribute(record.namespace, record.name, values, record.hint, True, record.is_hidden)
        if attribute.key in table:
            raise MetadataError(f"attribute {attribute.key} is there twice - at `{place}`")
        table[attribute.key] = attribute
    return table


def _same(content: Any) -> Any:
    return content


def _from_box(box: RBBox) -> Box:
    angle = box.angle
    xc, yc, width, height = map(to_number, box.as_xcycwh())
    return xc, yc, width, height, None if angle is None else to_number(angle)


def _to_box(record: Box) -> RBBox:
    *upright, angle = record
    xc, yc, width, height = map(float, upright)
    return RBBox(xc, yc, width, height, None if angle is None else float(angle))


def _from_polygon(polygon: PolygonalArea) -> PolygonRecord:
    tags = polygon.tags
    return PolygonRecord([_from_point(point) for point in polygon.vertices], None if tags is None else list(tags))


def _to_polygon(record: PolygonRecord) -> PolygonalArea:
    return PolygonalArea(map(_to_point, record.vertices), record.tags)


def _from_point(point: Point) -> PairXY:
    return to_number(point.x), to_number(point.y)


def _to_point(record: PairXY) -> Point:
    return Point(float(record[0]), float(record[1]))


_CONVERTERS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "string": (_same, _same),
    "integer": (_same, _same),
    "float": (to_number, float),
    "boolean": (_same, _same),
    "bytes": (lambda content: BytesRecord(*content), lambda record: (record.dims, record.blob)),
    "bbox": (lambda box: tuple(map(to_number, box.as_xcycwh())), lambda record: BBox(*map(float, record))),
    "rbbox": (_from_box, _to_box),
    "point": (_from_point, _to_point),
    "polygon": (_from_polygon, _to_polygon),
    "intersection": (
        lambda content: IntersectionRecord(content.kind.name.lower(), list(content.edges)),
        lambda record: Intersection(IntersectionKind.from_name(record.kind), record.edges),
    ),
}
"""To and from the record of one content, by kind."""

_PLURALS = {
    "strings": "string",
    "integers": "integer",
    "floats": "float",
    "booleans": "boolean",
    "bboxes": "bbox",
    "rbboxes": "rbbox",
    "points": "point",
    "polygons": "polygon",
}


def _value_record(value: AttributeValue) -> ValueRecord:
    record = ValueRecord(confidence=None if value.confidence is None else to_number(value.confidence))
    kind = value.kind
    if kind != "none":
        content = getattr(value, f"as_{kind}")()
        encode, _ = _CONVERTERS[_PLURALS.get(kind, kind)]
        setattr(record, kind, [encode(item) for item in content] if kind in _PLURALS else encode(content))
    return record


def _value(record: ValueRecord, place: str) -> AttributeValue:
    kinds = [kind for kind in record.__struct_fields__ if kind != "confidence" and getattr(record, kind) is not UNSET]
    confidence = None if record.confidence is None else float(record.confidence)
    if not kinds:
        return AttributeValue("none", None, confidence)
    if len(kinds) > 1:
        raise MetadataError(f"a value is of one kind, got {' and '.join(kinds)} - at `{place}`")
    kind, payload = kinds[0], getattr(record, kinds[0])
    _, decode = _CONVERTERS[_PLURALS.get(kind, kind)]
    try:
        content = [decode(item) for item in payload] if kind in _PLURALS else decode(payload)
    except ValueError as error:
        raise MetadataError(f"{error} - at `{place}.{kind}`") from error
    factory = getattr(AttributeValue, kind)
    made: AttributeValue = factory(*content, confidence) if kind == "bytes" else factory(content, confidence)
    return made
