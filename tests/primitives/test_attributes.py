from __future__ import annotations

import math

import pytest

from picasso.errors import MetadataError
from picasso.primitives import (
    Attribute,
    AttributeValue,
    BBox,
    Intersection,
    IntersectionKind,
    Point,
    PolygonalArea,
    RBBox,
    VideoFrame,
    VideoObject,
)

TRIANGLE = PolygonalArea([Point(0, 0), Point(1, 0), Point(0, 1)], ["a", None, "c"])
MARKER = object()

VALUES = {
    "string": (("text",), "text"),
    "strings": ((["a", "b"],), ["a", "b"]),
    "integer": ((-7,), -7),
    "integers": (((1, 2),), [1, 2]),
    "float": ((1.5,), 1.5),
    "floats": (([1.5, 2],), [1.5, 2.0]),
    "boolean": ((True,), True),
    "booleans": (([True, False],), [True, False]),
    "bytes": (([2, 2], b"abcd"), ([2, 2], b"abcd")),
    "bbox": ((BBox(1, 2, 3, 4),), BBox(1, 2, 3, 4)),
    "bboxes": (([BBox(1, 2, 3, 4)],), [BBox(1, 2, 3, 4)]),
    "rbbox": ((RBBox(1, 2, 3, 4, 5),), RBBox(1, 2, 3, 4, 5)),
    "rbboxes": (([RBBox(1, 2, 3, 4, 5)],), [RBBox(1, 2, 3, 4, 5)]),
    "point": ((Point(1, 2),), Point(1, 2)),
    "points": (([Point(1, 2)],), [Point(1, 2)]),
    "polygon": ((TRIANGLE,), TRIANGLE),
    "polygons": (([TRIANGLE],), [TRIANGLE]),
    "intersection": (
        (Intersection(IntersectionKind.Enter, [(0, "a")]),),
        Intersection(IntersectionKind.Enter, [(0, "a")]),
    ),
    "temporary_python_object": ((MARKER,), MARKER),
}


@pytest.mark.parametrize(("kind", "arguments", "expected"), [(k, a, e) for k, (a, e) in VALUES.items()], ids=VALUES)
def test_a_value_is_read_by_its_own_reader(kind, arguments, expected):
    value = getattr(AttributeValue, kind)(*arguments, 0.5)
    assert value.kind == kind
    assert value.confidence == 0.5
    assert not value.is_none()
    for other in VALUES:
        is_read = other in (kind, f"r{kind}")  # an upright box is one that may be turned, too
        assert getattr(value, f"as_{other}")() == (expected if is_read else None)
    assert value == getattr(AttributeValue, kind)(*arguments, confidence=0.5)
    assert value != getattr(AttributeValue, kind)(*arguments)
    assert repr(value).startswith(f"AttributeValue.{kind}(")


def test_a_box_without_an_angle_is_the_same_value_whichever_factory_made_it():
    upright, turnable = AttributeValue.bbox(BBox(1, 2, 3, 4)), AttributeValue.rbbox(RBBox(1, 2, 3, 4))
    assert upright == turnable
    assert turnable.as_bbox() == upright.as_bbox() == BBox(1, 2, 3, 4)
    assert isinstance(upright.as_rbbox(), RBBox)
    several = AttributeValue.rbboxes([RBBox(1, 2, 3, 4), RBBox(1, 2, 3, 4, 0)])
    assert several.as_bboxes() is None
    assert AttributeValue.rbboxes([]).as_bboxes() == []
    assert AttributeValue.rbbox(RBBox(1, 2, 3, 4, 0)).as_bbox() is None


@pytest.mark.parametrize(("kind", "arguments"), [(k, a) for k, (a, _) in VALUES.items()], ids=VALUES)
def test_a_value_goes_through_the_json_of_peers(kind, arguments):
    value = getattr(AttributeValue, kind)(*arguments, 0.5)
    back = AttributeValue.from_json(value.json)
    assert back.value_type == value.value_type
    assert (back.json, back.confidence) == (value.json, 0.5)
    assert back == value or kind == "temporary_python_object"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "Input data was truncated"),
        ("[]", "Expected `object`"),
        ("{}", "missing field `value`"),
        ('{"value": {"Number": 1}}', "unknown kind 'Number'; one of None, Bytes"),
        ('{"value": {"Integer": "1"}}', "expected int"),
        ('{"value": {}}', "not enough values"),
        ('{"value": {"Point": {"x": 1}}}', "missing field `y`"),
        ('{"value": {"Intersection": {"kind": "Near", "edges": []}}}', "missing field `Near`"),
    ],
)
def test_json_that_is_no_value_is_refused(document, message):
    with pytest.raises(MetadataError, match=message):
        AttributeValue.from_json(document)


def test_an_attribute_goes_through_the_json_of_peers():
    attribute = Attribute("a", "b", [AttributeValue.integer(5, 0.5)], "hint", False, True)
    assert attribute.json == (
        '{"namespace":"a","name":"b","values":[{"confidence":0.5,"value":{"Integer":5}}],'
        '"hint":"hint","is_persistent":false,"is_hidden":true}'
    )
    assert Attribute.from_json(attribute.json) == attribute
    with pytest.raises(MetadataError, match="missing field `namespace`"):
        Attribute.from_json('{"name": "b", "values": []}')


def test_none_holds_nothing():
    value = AttributeValue.none()
    assert value.is_none()
    assert value.confidence is None
    assert repr(value) == "AttributeValue.none()"
    assert [getattr(value, f"as_{kind}")() for kind in VALUES] == [None] * len(VALUES)


def test_bytes_from_list():
    assert AttributeValue.bytes_from_list([3], [1, 2, 255]) == AttributeValue.bytes([3], b"\x01\x02\xff")


def test_a_value_keeps_its_own_boxes():
    box = BBox(1, 2, 3, 4)
    value = AttributeValue.bboxes([box])
    box.xc = 100
    value.as_bboxes()[0].xc = 200
    assert value.as_bboxes() == [BBox(1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: AttributeValue.string(1), TypeError, "string: expected str, got int"),
        (lambda: AttributeValue.strings("abc"), TypeError, "strings: expected several values, got one str"),
        (lambda: AttributeValue.strings(["a", 1]), TypeError, "strings: expected str, got int"),
        (lambda: AttributeValue.integer(1.5), TypeError, "integer: expected int, got 1.5"),
        (lambda: AttributeValue.integer(2**63), OverflowError, "integer"),
        (lambda: AttributeValue.integer(-(2**63) - 1), OverflowError, "integer"),
        (lambda: AttributeValue.integers(["1"]), TypeError, "integers"),
        (lambda: AttributeValue.float("1"), TypeError, "float: expected float, got str"),
        (lambda: AttributeValue.floats(["1"]), TypeError, "floats"),
        (lambda: AttributeValue.boolean(1), TypeError, "boolean: expected bool, got int"),
        (lambda: AttributeValue.bytes([2**63], b""), OverflowError, "dims"),
        (lambda: AttributeValue.bytes([1], "a"), TypeError, "blob: expected bytes, got str"),
        (lambda: AttributeValue.bytes_from_list([1], [256]), ValueError, "256"),
        (lambda: AttributeValue.bbox(RBBox(1, 2, 3, 4)), TypeError, "bbox: expected BBox, got RBBox"),
        (lambda: AttributeValue.point((1, 2)), TypeError, "point: expected Point, got tuple"),
        (lambda: AttributeValue.integer(1, "high"), TypeError, "confidence"),
        (lambda: PolygonalArea(TRIANGLE.vertices, ["a"]), ValueError, "must have the same length: 3 vertices, 1 tags"),
        (lambda: PolygonalArea(TRIANGLE.vertices, [1, 2, 3]), TypeError, "tags: expected str, got int"),
        (lambda: Point("1", 2), TypeError, "x: expected float, got str"),
        (lambda: Intersection(IntersectionKind.Enter, [(-1, None)]), ValueError, "edges: must be at least 0, got -1"),
        (lambda: Intersection(0), TypeError, "kind: expected IntersectionKind, got 0"),
        (lambda: Attribute("a", "b", [1]), TypeError, "values: expected AttributeValue, got int"),
        (lambda: Attribute(1, "b"), TypeError, "namespace: expected str, got int"),
        (lambda: Attribute("a", "b", hint=1), TypeError, "hint: expected str, got int"),
        (lambda: VideoFrame("s", "1/1", 1, 1).set_attribute("x"), TypeError, "expected Attribute, got str"),
    ],
    ids=lambda value: None,
)
def test_bad_values_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_an_attribute_is_immutable():
    attribute = Attribute.persistent("ns", "name", [AttributeValue.integer(1)], "hint", True)
    attribute.values.append(AttributeValue.none())
    assert len(attribute.values) == 1
    assert (attribute.hint, attribute.is_hidden, attribute.is_persistent) == ("hint", True, True)
    assert Attribute.temporary("ns", "name").is_temporary()
    with pytest.raises(AttributeError):
        attribute.name = "other"


@pytest.fixture(params=["frame", "object", "borrowed"])
def holder(request):
    frame = VideoFrame("cam", "30/1", 640, 480)
    loose = VideoObject(3, "d", "car", RBBox(1, 2, 3, 4), [])
    borrowed = frame.add_object(loose)
    request.node.frame = frame  # a borrowed object does not keep its frame
    return {"frame": frame, "object": loose, "borrowed": borrowed}[request.param]


def test_set_returns_what_it_replaces(holder):
    first = Attribute("a", "x", [AttributeValue.integer(1)])
    second = Attribute("a", "x", [AttributeValue.integer(2)])
    assert holder.set_attribute(first) is None
    assert holder.set_attribute(second) == first
    assert holder.get_attribute("a", "x") == second
    assert holder.set_persistent_attribute("a", "x") == second
    assert holder.set_temporary_attribute("a", "x").is_persistent
    assert holder.get_attribute("a", "x").is_temporary()
    assert holder.get_attribute("a", "y") is None


def test_positional_use(holder):
    holder.set_persistent_attribute("recording", "active", False, "hint", [AttributeValue.boolean(True)])
    attribute = holder.get_attribute("recording", "active")
    assert attribute == Attribute("recording", "active", [AttributeValue.boolean(True)], "hint")


def test_hidden_ones_are_found_but_not_listed(holder):
    holder.set_persistent_attribute("a", "seen")
    holder.set_persistent_attribute("a", "hidden", is_hidden=True)
    assert holder.attributes == [("a", "seen")]
    assert holder.find_attributes_with_ns("a") == [("a", "seen")]
    assert holder.has_attribute("a", "hidden")
    assert holder.get_attribute("a", "hidden").is_hidden
    assert not holder.has_attribute("a", "other")


@pytest.fixture
def filled(holder):
    for namespace, name, hint in (("a", "x", "h"), ("a", "y", None), ("b", "x", None), ("b", "z", "g")):
        holder.set_persistent_attribute(namespace, name, hint=hint)
    return holder


def test_find(filled):
    assert filled.find_attributes_with_ns("a") == [("a", "x"), ("a", "y")]
    assert filled.find_attributes_with_names(["x", "z"]) == [("a", "x"), ("b", "x"), ("b", "z")]
    assert filled.find_attributes_with_hints([None, "g"]) == [("a", "y"), ("b", "x"), ("b", "z")]


def test_delete(filled):
    assert filled.delete_attribute("a", "x").hint == "h"
    assert filled.delete_attribute("a", "x") is None
    filled.delete_attributes_with_hints(["g"])
    assert filled.attributes == [("a", "y"), ("b", "x")]
    filled.delete_attributes_with_names(["x"])
    assert filled.attributes == [("a", "y")]
    filled.delete_attributes_with_ns("a")
    assert filled.attributes == []


def test_clear(filled):
    filled.clear_attributes()
    assert filled.attributes == []


def test_nan_is_kept():
    assert math.isnan(AttributeValue.float(math.nan).as_float())
