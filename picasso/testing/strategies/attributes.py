"""Attributes of frames and objects, with values of every kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

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

INT64 = st.integers(-(2**63), 2**63 - 1)
COUNTS = st.integers(0, 2**63 - 1)
FLOATS = st.floats()
SINGLES = st.floats(width=32)
TEXTS = st.text(max_size=8)
SOME_TEXT = st.none() | TEXTS
RBBOXES = st.builds(RBBox, SINGLES, SINGLES, SINGLES, SINGLES, st.none() | SINGLES)
_BBOXES = st.builds(BBox, SINGLES, SINGLES, SINGLES, SINGLES)
_POINTS = st.builds(Point, FLOATS, FLOATS)
_EDGES = st.lists(st.tuples(COUNTS, SOME_TEXT), max_size=3)


@st.composite
def _polygons(draw: st.DrawFn) -> PolygonalArea:
    corners = draw(st.lists(_POINTS, max_size=5))
    tags = st.lists(SOME_TEXT, min_size=len(corners), max_size=len(corners))
    return PolygonalArea(corners, draw(st.none() | tags))


_SURENESS = st.none() | FLOATS


def _valued(make: Callable[..., AttributeValue], content: st.SearchStrategy[Any]) -> st.SearchStrategy[AttributeValue]:
    return st.builds(make, content, _SURENESS)


_VALUES = st.one_of(
    st.just(AttributeValue.none()),
    st.builds(AttributeValue.bytes, st.lists(INT64, max_size=3), st.binary(max_size=8), _SURENESS),
    _valued(AttributeValue.string, TEXTS),
    _valued(AttributeValue.strings, st.lists(TEXTS, max_size=3)),
    _valued(AttributeValue.integer, INT64),
    _valued(AttributeValue.integers, st.lists(INT64, max_size=3)),
    _valued(AttributeValue.float, FLOATS),
    _valued(AttributeValue.floats, st.lists(FLOATS, max_size=3)),
    _valued(AttributeValue.boolean, st.booleans()),
    _valued(AttributeValue.booleans, st.lists(st.booleans(), max_size=3)),
    _valued(AttributeValue.bbox, _BBOXES),
    _valued(AttributeValue.bboxes, st.lists(_BBOXES, max_size=3)),
    _valued(AttributeValue.rbbox, RBBOXES),
    _valued(AttributeValue.rbboxes, st.lists(RBBOXES, max_size=3)),
    _valued(AttributeValue.point, _POINTS),
    _valued(AttributeValue.points, st.lists(_POINTS, max_size=3)),
    _valued(AttributeValue.polygon, _polygons()),
    _valued(AttributeValue.polygons, st.lists(_polygons(), max_size=2)),
    _valued(AttributeValue.intersection, st.builds(Intersection, st.sampled_from(list(IntersectionKind)), _EDGES)),
)
_CONTENTS = (TEXTS, TEXTS, st.lists(_VALUES, max_size=3), SOME_TEXT)
_ATTRIBUTES = {
    True: st.builds(Attribute, *_CONTENTS, st.just(True), st.booleans()),
    False: st.builds(Attribute, *_CONTENTS, st.just(False), st.booleans()),
    None: st.builds(Attribute, *_CONTENTS, st.booleans(), st.booleans()),
}


def attribute_values() -> st.SearchStrategy[AttributeValue]:
    """Make an ``AttributeValue`` of any kind; numbers may be infinite or NaN, texts any Unicode."""
    return _VALUES


def attributes(*, persistent: bool | None = True) -> st.SearchStrategy[Attribute]:
    """Make an ``Attribute`` of up to three values.

    Args:
        persistent: Whether it is written to JSON; None makes both kinds.
    """
    return _ATTRIBUTES[persistent]
