"""One value of an attribute: of which kind it is, what it holds, how sure its maker was."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import Any, SupportsFloat, SupportsIndex, TypeAlias, TypeVar

from picasso.primitives.attribute_text import parsed, text_of, value_of, value_shape
from picasso.primitives.boxes import BBox, RBBox
from picasso.primitives.checks import real, text, whole
from picasso.primitives.enums import NativeEnum
from picasso.primitives.shapes import Intersection, Point, PolygonalArea

_T = TypeVar("_T")

# The factories named after them hide the built-in names inside the class.
Real: TypeAlias = float
Blob: TypeAlias = bytes


class AttributeValueType(NativeEnum):
    """The kinds of value, by the numbers of the reference."""

    Bytes = 0
    String = 1
    StringList = 2
    Integer = 3
    IntegerList = 4
    Float = 5
    FloatList = 6
    Boolean = 7
    BooleanList = 8
    BBox = 9
    BBoxList = 10
    Point = 11
    PointList = 12
    Polygon = 13
    PolygonList = 14
    Intersection = 15
    TemporaryValue = 16
    None_ = 17

    def __repr__(self) -> str:
        return self._name_


class AttributeValue:
    """An immutable value of one kind: made by the factory of that kind, read by its ``as_…`` method.

    Convention: the ``as_…`` methods of all other kinds return ``None``; a box without an angle is of both kinds of box,
    and equal to itself whichever factory made it. Integers are signed 64 bit, else
    ``OverflowError``; content of another type is a ``TypeError``. ``confidence`` is optional and not checked.
    """

    __slots__ = ("_confidence", "_content", "_kind")
    __hash__: Any = None  # may hold boxes, which have none

    def __init__(self, kind: str, content: Any, confidence: Real | None = None) -> None:
        self._kind = kind
        self._content = content
        self._confidence = None if confidence is None else real("confidence", confidence)

    @staticmethod
    def none() -> AttributeValue:
        """Hold nothing."""
        return AttributeValue("none", None)

    @staticmethod
    def string(value: str, confidence: Real | None = None) -> AttributeValue:
        """Hold a text."""
        return AttributeValue("string", text("string", value), confidence)

    @staticmethod
    def strings(values: Iterable[str], confidence: Real | None = None) -> AttributeValue:
        """Hold texts."""
        kept = tuple(text("strings", value) for value in _all("strings", str, values))
        return AttributeValue("strings", kept, confidence)

    @staticmethod
    def integer(value: SupportsIndex, confidence: Real | None = None) -> AttributeValue:
        """Hold an integer."""
        return AttributeValue("integer", whole("integer", value), confidence)

    @staticmethod
    def integers(values: Iterable[SupportsIndex], confidence: Real | None = None) -> AttributeValue:
        """Hold integers."""
        return AttributeValue("integers", tuple(whole("integers", value) for value in values), confidence)

    @staticmethod
    def float(value: SupportsFloat, confidence: Real | None = None) -> AttributeValue:
        """Hold a number."""
        return AttributeValue("float", real("float", value), confidence)

    @staticmethod
    def floats(values: Iterable[SupportsFloat], confidence: Real | None = None) -> AttributeValue:
        """Hold numbers."""
        return AttributeValue("floats", tuple(real("floats", value) for value in values), confidence)

    @staticmethod
    def boolean(value: bool, confidence: Real | None = None) -> AttributeValue:
        """Hold a truth value."""
        return AttributeValue("boolean", _a("boolean", bool, value), confidence)

    @staticmethod
    def booleans(values: Iterable[bool], confidence: Real | None = None) -> AttributeValue:
        """Hold truth values."""
        return AttributeValue("booleans", _all("booleans", bool, values), confidence)

    @staticmethod
    def bytes(dims: Iterable[SupportsIndex], blob: Blob, confidence: Real | None = None) -> AttributeValue:
        """Hold a blob with the dimensions of what is in it; they are not compared with its length."""
        shape = tuple(whole("dims", dim) for dim in dims)
        return AttributeValue("bytes", (shape, _a("blob", Blob, blob)), confidence)

    @staticmethod
    def bytes_from_list(
        dims: Iterable[SupportsIndex], blob: Iterable[SupportsIndex], confidence: Real | None = None
    ) -> AttributeValue:
        """Hold a blob of shape ``dims``, given as numbers 0 … 255, else ``ValueError``."""
        return AttributeValue.bytes(dims, Blob(blob), confidence)

    @staticmethod
    def bbox(value: BBox, confidence: Real | None = None) -> AttributeValue:
        """Hold a copy of an upright box."""
        return AttributeValue("bbox", _own(_a("bbox", BBox, value)), confidence)

    @staticmethod
    def bboxes(values: Iterable[BBox], confidence: Real | None = None) -> AttributeValue:
        """Hold copies of upright boxes."""
        return AttributeValue("bboxes", tuple(map(_own, _all("bboxes", BBox, values))), confidence)

    @staticmethod
    def rbbox(value: RBBox, confidence: Real | None = None) -> AttributeValue:
        """Hold a copy of a box."""
        return AttributeValue("rbbox", _own(_a("rbbox", RBBox, value)), confidence)

    @staticmethod
    def rbboxes(values: Iterable[RBBox], confidence: Real | None = None) -> AttributeValue:
        """Hold copies of boxes."""
        return AttributeValue("rbboxes", tuple(map(_own, _all("rbboxes", RBBox, values))), confidence)

    @staticmethod
    def point(value: Point, confidence: Real | None = None) -> AttributeValue:
        """Hold a point."""
        return AttributeValue("point", _a("point", Point, value), confidence)

    @staticmethod
    def points(values: Iterable[Point], confidence: Real | None = None) -> AttributeValue:
        """Hold points."""
        return AttributeValue("points", _all("points", Point, values), confidence)

    @staticmethod
    def polygon(value: PolygonalArea, confidence: Real | None = None) -> AttributeValue:
        """Hold a polygon."""
        return AttributeValue("polygon", _a("polygon", PolygonalArea, value), confidence)

    @staticmethod
    def polygons(values: Iterable[PolygonalArea], confidence: Real | None = None) -> AttributeValue:
        """Hold polygons."""
        return AttributeValue("polygons", _all("polygons", PolygonalArea, values), confidence)

    @staticmethod
    def intersection(value: Intersection, confidence: Real | None = None) -> AttributeValue:
        """Hold how a track met an area."""
        return AttributeValue("intersection", _a("intersection", Intersection, value), confidence)

    @staticmethod
    def temporary_python_object(value: object, confidence: Real | None = None) -> AttributeValue:
        """Hold any object of this process; it is shared by copies and left out of JSON."""
        return AttributeValue("temporary_python_object", value, confidence)

    @property
    def kind(self) -> str:
        """The name of the factory that made the value."""
        return self._kind

    @property
    def value_type(self) -> AttributeValueType:
        """The kind as a member of the enumeration; boxes with and without an angle are of one."""
        return _TYPES[self._kind]

    @property
    def json(self) -> str:
        """Value and confidence as one line of JSON, such as ``{"confidence":null,"value":{"Integer":5}}``."""
        return text_of(value_shape(self))

    @staticmethod
    def from_json(document: str) -> AttributeValue:
        """Read a document that ``json`` wrote; ``MetadataError`` when it is something else."""
        return value_of(AttributeValue, parsed(document, "attribute value"))

    @property
    def confidence(self) -> Real | None:
        """How sure the maker of the value was, usually 0 … 1."""
        return self._confidence

    def is_none(self) -> bool:
        """Say whether it holds nothing."""
        return self._kind == "none"

    def as_string(self) -> str | None:
        """Return the text."""
        return self._one("string", str)

    def as_strings(self) -> list[str] | None:
        """Return the texts."""
        return self._many("strings", str)

    def as_integer(self) -> int | None:
        """Return the integer."""
        return self._one("integer", int)

    def as_integers(self) -> list[int] | None:
        """Return the integers."""
        return self._many("integers", int)

    def as_float(self) -> Real | None:
        """Return the number."""
        return self._one("float", Real)

    def as_floats(self) -> list[Real] | None:
        """Return the numbers."""
        return self._many("floats", Real)

    def as_boolean(self) -> bool | None:
        """Return the truth value."""
        return self._one("boolean", bool)

    def as_booleans(self) -> list[bool] | None:
        """Return the truth values."""
        return self._many("booleans", bool)

    def as_bytes(self) -> tuple[list[int], Blob] | None:
        """Return the dimensions and the blob."""
        return (list(self._content[0]), self._content[1]) if self._kind == "bytes" else None

    def as_bbox(self) -> BBox | None:
        """Return a copy of the box; ``None`` when it has an angle."""
        return _upright(self._content) if self._kind in _BOX else None

    def as_bboxes(self) -> list[BBox] | None:
        """Return copies of the boxes; ``None`` when one has an angle."""
        boxes = [_upright(box) for box in self._content] if self._kind in _BOXES else [None]
        return [box for box in boxes if box is not None] if None not in boxes else None

    def as_rbbox(self) -> RBBox | None:
        """Return a copy of the box, whichever of the two factories made it."""
        return _turnable(self._content) if self._kind in _BOX else None

    def as_rbboxes(self) -> list[RBBox] | None:
        """Return copies of the boxes, whichever of the two factories made them."""
        return [_turnable(box) for box in self._content] if self._kind in _BOXES else None

    def as_point(self) -> Point | None:
        """Return the point."""
        return self._one("point", Point)

    def as_points(self) -> list[Point] | None:
        """Return the points."""
        return self._many("points", Point)

    def as_polygon(self) -> PolygonalArea | None:
        """Return the polygon."""
        return self._one("polygon", PolygonalArea)

    def as_polygons(self) -> list[PolygonalArea] | None:
        """Return the polygons."""
        return self._many("polygons", PolygonalArea)

    def as_intersection(self) -> Intersection | None:
        """Return how a track met an area."""
        return self._one("intersection", Intersection)

    def as_temporary_python_object(self) -> object:
        """Return the object itself."""
        return self._one("temporary_python_object", object)

    def _one(self, kind: str, of: type[_T]) -> _T | None:
        """Return the content if it is of this kind; a box as a copy."""
        return _own(_a(kind, of, self._content)) if self._kind == kind else None

    def _many(self, kind: str, of: type[_T]) -> list[_T] | None:
        """Return the contents if they are of this kind; boxes as copies."""
        return [_own(_a(kind, of, item)) for item in self._content] if self._kind == kind else None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AttributeValue):
            return NotImplemented
        same_kind = self._kind == other._kind or any(self._kind in two and other._kind in two for two in (_BOX, _BOXES))
        return same_kind and (self._content, self._confidence) == (other._content, other._confidence)

    def __repr__(self) -> str:
        sure = "" if self._confidence is None else f", confidence={self._confidence}"
        return f"AttributeValue.{self._kind}({'' if self.is_none() else repr(self._content)}{sure})"


def _a(name: str, kind: type[_T], value: _T) -> _T:
    """Return ``value``; ``TypeError`` unless it is a ``kind``."""
    if not isinstance(value, kind):
        raise TypeError(f"{name}: expected {kind.__name__}, got {type(value).__name__}")
    return value


def _all(name: str, kind: type[_T], values: Iterable[_T]) -> tuple[_T, ...]:
    """Return ``values``; ``TypeError`` unless each is a ``kind``, or when they are one text."""
    if isinstance(values, str):
        raise TypeError(f"{name}: expected several values, got one str")
    return tuple(_a(name, kind, value) for value in values)


def _own(content: _T) -> _T:
    """Return a copy of a box, and anything else as it is."""
    return copy(content) if isinstance(content, (BBox, RBBox)) else content


_BOX = ("bbox", "rbbox")
_BOXES = ("bboxes", "rbboxes")
_TYPES = {
    "bytes": AttributeValueType.Bytes,
    "string": AttributeValueType.String,
    "strings": AttributeValueType.StringList,
    "integer": AttributeValueType.Integer,
    "integers": AttributeValueType.IntegerList,
    "float": AttributeValueType.Float,
    "floats": AttributeValueType.FloatList,
    "boolean": AttributeValueType.Boolean,
    "booleans": AttributeValueType.BooleanList,
    "bbox": AttributeValueType.BBox,
    "rbbox": AttributeValueType.BBox,
    "bboxes": AttributeValueType.BBoxList,
    "rbboxes": AttributeValueType.BBoxList,
    "point": AttributeValueType.Point,
    "points": AttributeValueType.PointList,
    "polygon": AttributeValueType.Polygon,
    "polygons": AttributeValueType.PolygonList,
    "intersection": AttributeValueType.Intersection,
    "temporary_python_object": AttributeValueType.TemporaryValue,
    "none": AttributeValueType.None_,
}


def _upright(box: BBox | RBBox) -> BBox | None:
    """Return a copy as an upright box; ``None`` when it has an angle."""
    return None if isinstance(box, RBBox) and box.angle is not None else BBox(*box.as_xcycwh())


def _turnable(box: BBox | RBBox) -> RBBox:
    return box.as_rbbox() if isinstance(box, BBox) else box.copy()
