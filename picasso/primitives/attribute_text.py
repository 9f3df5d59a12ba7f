"""Attributes in the JSON of the Savant peers: what queries see, and what ``json`` of an attribute shows.

Convention: ``{"namespace", "name", "values": [{"confidence", "value"}], "hint", "is_persistent", "is_hidden"}``. A
value is ``"None"`` or one field named after its kind, such as ``{"Integer": 5}``. The JSON of frames is another one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from picasso.errors import MetadataError
from picasso.primitives.boxes import BBox, RBBox
from picasso.primitives.shapes import Intersection, IntersectionKind, Point, PolygonalArea

_V = TypeVar("_V")
_NO_ANGLE: Final = 3.4028234e38
"""Peers write the largest float32 for a box without an angle."""


def attribute_shape(attribute: Any) -> dict[str, Any]:
    """Return an ``Attribute`` as dicts, lists, texts and numbers."""
    return {
        "namespace": attribute.namespace,
        "name": attribute.name,
        "values": [value_shape(value) for value in attribute.values],
        "hint": attribute.hint,
        "is_persistent": attribute.is_persistent,
        "is_hidden": attribute.is_hidden,
    }


def value_shape(value: Any) -> dict[str, Any]:
    """Return an ``AttributeValue`` and its confidence as dicts, lists, texts and numbers."""
    return {"confidence": value.confidence, "value": _content_shape(value)}


def text_of(shape: Any) -> str:
    """Return a shape as one line of JSON; numbers that JSON cannot write are null."""
    return msgspec.json.encode(shape).decode()


def parsed(document: str, what: str) -> Mapping[str, Any]:
    """Parse one JSON object.

    Raises:
        MetadataError: It is none.
    """
    try:
        return msgspec.json.decode(document, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise MetadataError(f"{what}: {error}") from error


def value_of(values: type[_V], shape: Mapping[str, Any]) -> _V:
    """Read a shape that ``value_shape`` made.

    Args:
        values: ``AttributeValue``.
        shape: The shape.

    Raises:
        MetadataError: It is none.
    """
    try:
        confidence, content = shape.get("confidence"), shape["value"]
        if content == "None":
            made: _V = values("none", None, confidence)  # type: ignore[call-arg]  # the constructor of AttributeValue
            return made
        ((name, inside),) = content.items()
        if name not in _READ:
            raise MetadataError(f"attribute value: unknown kind {name!r}; one of None, {', '.join(_READ)}")
        factory, read = _READ[name]
        argument = read(inside)
        make = getattr(values, factory)
        made = make(*argument, confidence) if factory == "bytes" else make(argument, confidence)
    except KeyError as error:
        raise MetadataError(f"attribute value: missing field `{error.args[0]}`") from error
    except (TypeError, ValueError, AttributeError, LookupError) as error:
        raise MetadataError(f"attribute value: {error}") from error
    return made


def _content_shape(value: Any) -> Any:
    kind = value.kind
    if kind == "none":
        return "None"
    name, write = _WRITTEN[kind]
    content = getattr(value, f"as_{kind}")()
    return {name: [write(item) for item in content] if isinstance(content, list) else write(content)}


def _same(content: Any) -> Any:
    return content


def _box(box: BBox | RBBox) -> dict[str, Any]:
    xc, yc, width, height = box.as_xcycwh()
    angle = box.angle if isinstance(box, RBBox) else None
    return {"xc": xc, "yc": yc, "width": width, "height": height, "angle": angle, "has_modifications": False}


def _to_box(shape: Mapping[str, Any]) -> RBBox:
    angle = shape.get("angle")
    none = angle is None or angle >= _NO_ANGLE or math.isnan(angle)
    return RBBox(shape["xc"], shape["yc"], shape["width"], shape["height"], None if none else angle)


def _point(point: Point) -> dict[str, Any]:
    return {"x": point.x, "y": point.y}


def _to_point(shape: Mapping[str, Any]) -> Point:
    return Point(float(shape["x"]), float(shape["y"]))


def _polygon(polygon: PolygonalArea) -> dict[str, Any]:
    tags = None if polygon.tags is None else list(polygon.tags)
    return {"vertices": [_point(vertex) for vertex in polygon.vertices], "tags": tags}


def _to_polygon(shape: Mapping[str, Any]) -> PolygonalArea:
    return PolygonalArea(map(_to_point, shape["vertices"]), shape.get("tags"))


def _intersection(met: Intersection) -> dict[str, Any]:
    return {"kind": met.kind.name, "edges": [list(edge) for edge in met.edges]}


def _to_intersection(shape: Mapping[str, Any]) -> Intersection:
    return Intersection(IntersectionKind[shape["kind"]], [(edge, tag) for edge, tag in shape["edges"]])


_WRITTEN: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "bytes": ("Bytes", lambda content: [content[0], list(content[1])]),
    "string": ("String", _same),
    "strings": ("StringVector", _same),
    "integer": ("Integer", _same),
    "integers": ("IntegerVector", _same),
    "float": ("Float", _same),
    "floats": ("FloatVector", _same),
    "boolean": ("Boolean", _same),
    "booleans": ("BooleanVector", _same),
    "bbox": ("BBox", _box),
    "bboxes": ("BBoxVector", _box),
    "rbbox": ("BBox", _box),
    "rbboxes": ("BBoxVector", _box),
    "point": ("Point", _point),
    "points": ("PointVector", _point),
    "polygon": ("Polygon", _polygon),
    "polygons": ("PolygonVector", _polygon),
    "intersection": ("Intersection", _intersection),
    "temporary_python_object": ("TemporaryValue", lambda _: {}),
}
"""By kind: its name in the JSON, and how one content is written."""

_READ: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "Bytes": ("bytes", lambda inside: (inside[0], bytes(inside[1]))),
    "String": ("string", _same),
    "StringVector": ("strings", _same),
    "Integer": ("integer", _same),
    "IntegerVector": ("integers", _same),
    "Float": ("float", _same),
    "FloatVector": ("floats", _same),
    "Boolean": ("boolean", _same),
    "BooleanVector": ("booleans", _same),
    "BBox": ("rbbox", _to_box),
    "BBoxVector": ("rbboxes", lambda inside: list(map(_to_box, inside))),
    "Point": ("point", _to_point),
    "PointVector": ("points", lambda inside: list(map(_to_point, inside))),
    "Polygon": ("polygon", _to_polygon),
    "PolygonVector": ("polygons", lambda inside: list(map(_to_polygon, inside))),
    "Intersection": ("intersection", _to_intersection),
    "TemporaryValue": ("temporary_python_object", lambda _: None),
}
"""By the name in the JSON: the factory, and how its argument is read."""
