"""Attributes and their values to bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import Any, Final

from picasso.primitives import Attribute, AttributeValue, BBox, Intersection, Point, PolygonalArea, RBBox
from picasso.wire.codec.numbers import bytes_tag, field, text_field, varint

_T1, _T2, _T3, _T4 = (bytes_tag(number) for number in (1, 2, 3, 4))
_upright = struct.Struct("<cfcfcfcf").pack
_turned = struct.Struct("<cfcfcfcfcf").pack
_pair = struct.Struct("<cfcf").pack
_float = struct.Struct("<cf").pack
_double = struct.Struct("<cd").pack
_FLOAT32_MAX: Final = 3.4028235677973366e38
"""From here on a number rounds to infinity."""


def float32(value: float) -> float:
    """Return a number that ``struct`` takes as float32: what is too large becomes infinite, as in a box."""
    if -_FLOAT32_MAX < value < _FLOAT32_MAX or value != value:  # noqa: PLR0124 - only NaN differs from itself
        return value
    return float("inf") if value > 0 else float("-inf")


def attribute_fields(tag: bytes, attributes: Iterable[Attribute]) -> list[bytes]:
    """Return a field for each persistent attribute."""
    return [field(tag, write_attribute(attribute)) for attribute in attributes if attribute.is_persistent]


def write_attribute(attribute: Attribute) -> bytes:
    """Return the bytes of one attribute."""
    parts = [text_field(_T1, attribute.namespace), text_field(_T2, attribute.name)]
    parts += [field(_T3, _write_value(value)) for value in attribute.values]
    if attribute.hint is not None:
        parts.append(text_field(_T4, attribute.hint))
    if attribute.is_persistent:
        parts.append(b"\x28\x01")
    if attribute.is_hidden:
        parts.append(b"\x30\x01")
    return b"".join(parts)


def write_box(box: BBox | RBBox) -> bytes:
    """Return the bytes of one box."""
    xc, yc, width, height = box.as_xcycwh()
    angle = box.angle if isinstance(box, RBBox) else None
    if angle is None:
        return _upright(b"\x0d", xc, b"\x15", yc, b"\x1d", width, b"\x25", height)
    return _turned(b"\x0d", xc, b"\x15", yc, b"\x1d", width, b"\x25", height, b"\x2d", angle)


def _write_value(value: AttributeValue) -> bytes:
    tag, write, kind = _WRITERS[value.kind]
    content = write(getattr(value, f"as_{kind}")()) if kind else b""
    written = field(tag, content)
    confidence = value.confidence
    return written if confidence is None else _float(b"\x0d", float32(confidence)) + written


def _several(write: Callable[[Any], bytes]) -> Callable[[Iterable[Any]], bytes]:
    def written(contents: Iterable[Any]) -> bytes:
        return b"".join([field(_T1, write(content)) for content in contents])

    return written


def _one(write: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    return lambda content: field(_T1, write(content))


def _packed(write: Callable[[Any], bytes]) -> Callable[[Iterable[Any]], bytes]:
    return lambda contents: field(_T1, write(contents))


def _integers(numbers: Iterable[int]) -> bytes:
    return b"".join(map(varint, numbers))


def _blob(content: tuple[list[int], bytes]) -> bytes:
    dims, blob = content
    return (field(_T1, _integers(dims)) if dims else b"") + field(_T2, blob)


def _point(point: Point) -> bytes:
    return _pair(b"\x0d", float32(point.x), b"\x15", float32(point.y))


def _polygon(polygon: PolygonalArea) -> bytes:
    parts = [field(_T1, _point(vertex)) for vertex in polygon.vertices]
    if polygon.tags is not None:
        tags = [field(_T1, b"" if tag is None else text_field(_T1, tag)) for tag in polygon.tags]
        parts.append(field(_T2, b"".join(tags)))
    return b"".join(parts)


def _intersection(met: Intersection) -> bytes:
    parts = [b"\x08" + varint(int(met.kind))]
    for edge, tag in met.edges:
        parts.append(field(_T2, b"\x08" + varint(edge) + (b"" if tag is None else text_field(_T2, tag))))
    return b"".join(parts)


_WRITERS: Final[dict[str, tuple[bytes, Callable[[Any], bytes], str]]] = {
    "bytes": (bytes_tag(2), _blob, "bytes"),
    "string": (bytes_tag(3), _one(str.encode), "string"),
    "strings": (bytes_tag(4), _several(str.encode), "strings"),
    "integer": (bytes_tag(5), lambda number: b"\x08" + varint(number), "integer"),
    "integers": (bytes_tag(6), _packed(_integers), "integers"),
    "float": (bytes_tag(7), lambda number: _double(b"\x09", number), "float"),
    "floats": (bytes_tag(8), _packed(lambda numbers: struct.pack(f"<{len(numbers)}d", *numbers)), "floats"),
    "boolean": (bytes_tag(9), lambda truth: b"\x08\x01" if truth else b"\x08\x00", "boolean"),
    "booleans": (bytes_tag(10), _packed(bytes), "booleans"),
    "bbox": (bytes_tag(11), _one(write_box), "bbox"),
    "rbbox": (bytes_tag(11), _one(write_box), "rbbox"),
    "bboxes": (bytes_tag(12), _several(write_box), "bboxes"),
    "rbboxes": (bytes_tag(12), _several(write_box), "rbboxes"),
    "point": (bytes_tag(13), _one(_point), "point"),
    "points": (bytes_tag(14), _several(_point), "points"),
    "polygon": (bytes_tag(15), _one(_polygon), "polygon"),
    "polygons": (bytes_tag(16), _several(_polygon), "polygons"),
    "intersection": (bytes_tag(17), _one(_intersection), "intersection"),
    "none": (bytes_tag(18), bytes, ""),
    "temporary_python_object": (bytes_tag(19), bytes, ""),
}
"""By kind: the bytes before it, how its content is written, and by which method it is read."""
