"""What both sides do with what they read: queries, updates, and where segments meet areas."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wheel_kit import WheelSide
from wheel_words import make_update, many, told_frame

from picasso.primitives import (
    Attribute,
    AttributeUpdatePolicy,
    AttributeValue,
    FloatExpression,
    IntExpression,
    MatchQuery,
    Message,
    ObjectUpdatePolicy,
    Point,
    PolygonalArea,
    QueryFunctions,
    RBBox,
    Segment,
    StringExpression,
    VideoFrame,
)
from picasso.wire import decode_message, encode_message

# What both sides do with what they read.

FLOATS = st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0, 3.0, 30.0])
WHOLES = st.integers(0, 4)
NAMES = st.sampled_from(["", "a", "b", "ab"])


def comparisons(kind: Any, values: st.SearchStrategy[Any], names: list[str]) -> st.SearchStrategy[Any]:
    single = st.builds(kind.of, st.sampled_from(names), values)
    several = st.builds(kind.of, st.just("one_of"), st.lists(values, max_size=3))
    pair = st.builds(kind.of, st.just("between"), st.lists(values, min_size=2, max_size=2))
    return single | several | pair if "gt" in names else single | several


ORDER = ["eq", "ne", "lt", "le", "gt", "ge"]
OF_FLOATS = comparisons(FloatExpression, FLOATS, ORDER)
OF_WHOLES = comparisons(IntExpression, WHOLES, ORDER)
OF_TEXTS = comparisons(StringExpression, NAMES, ["eq", "ne", "contains", "not_contains", "starts_with", "ends_with"])
WORDS = ["pass", "confidence.defined", "track.defined", "parent.defined", "bbox.angle.defined"]
WORDS += ["track.bbox.angle.defined", "attributes.empty", "frame.is_key_frame", "frame.no_video"]
WORDS += ["frame.transcoding.is_copy", "frame.attributes.empty"]
SIDES = ["xc", "yc", "width", "height", "area", "width_to_height_ratio", "angle"]


def keyed(keys: list[str], expressions: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(lambda key, expression: {key: expression.form}, st.sampled_from(keys), expressions)


LEAVES = (
    st.sampled_from(WORDS)
    | keyed(["confidence", *(f"{box}.{side}" for box in ("bbox", "track.bbox") for side in SIDES)], OF_FLOATS)
    | keyed(["id", "track.id", "parent.id", "frame.width", "frame.height"], OF_WHOLES)
    | keyed(["namespace", "label", "parent.namespace", "parent.label", "frame.source_id"], OF_TEXTS)
    | st.builds(lambda ns, name: {"attribute.exists": [ns, name]}, NAMES, NAMES)
    | st.builds(lambda ns, name: {"frame.attribute.exists": [ns, name]}, NAMES, NAMES)
    | st.sampled_from(
        [{"attributes.jmes_query": text} for text in ("length(@)", "[? name=='a']", "@", "[0].values[0].value.Integer")]
    )
    | st.sampled_from([{"eval": text} for text in ("bbox.width > 0.5", "id == 2", 'label == "a"', "bbox.xc == 1")])
)
FORMS = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(lambda name, parts: {name: parts}, st.sampled_from(["and", "or"]), st.lists(inner, max_size=3))
        | st.builds(lambda name, one: {name: one}, st.sampled_from(["not", "stop_if_false", "stop_if_true"]), inner)
        | st.builds(lambda one, count: {"with_children": [one, count.form]}, inner, OF_WHOLES)
    ),
    max_leaves=5,
)


@st.composite
def crowds(draw: st.DrawFn) -> VideoFrame:
    """Frames of few words and numbers, so that queries match some of their objects."""
    frame = VideoFrame(draw(NAMES), "30/1", draw(st.integers(1, 4)), draw(st.integers(1, 4)), time_base=(1, 10**9))
    frame.keyframe = draw(st.none() | st.booleans())
    some = st.builds(Attribute, NAMES, NAMES, st.just([AttributeValue.integer(5)]), st.none(), st.just(True))
    for attribute in draw(st.lists(some, max_size=2)):
        frame.set_attribute(attribute)
    boxes = st.builds(RBBox, FLOATS, FLOATS, FLOATS, FLOATS, st.none() | FLOATS)
    for _ in range(draw(st.integers(0, 5))):
        parent = draw(st.sampled_from([None, *range(frame.object_count)]))
        frame.create_object(
            draw(NAMES),
            draw(NAMES),
            parent,
            draw(st.none() | FLOATS),
            draw(boxes),
            draw(st.none() | WHOLES),
            draw(st.none() | boxes),
            draw(st.lists(some, max_size=1)),
        )
    return frame


@many
@given(asked_for=st.lists(st.tuples(crowds(), FORMS), min_size=1, max_size=30))
def test_queries_select_what_they_select_in_the_wheel(
    wheel: WheelSide, asked_for: list[tuple[VideoFrame, Any]]
) -> None:
    queries = [MatchQuery.from_json(json.dumps(form)) for _, form in asked_for]
    frames = [frame for frame, _ in asked_for]
    items = [
        [base64.b64encode(encode_message(frame.to_message())).decode(), query.json]
        for frame, query in zip(frames, queries, strict=True)
    ]
    for frame, query, answer in zip(frames, queries, wheel.ask("query", items), strict=True):
        if "not implemented" in answer.get("error", ""):
            continue  # children of children
        assert "error" not in answer, answer
        assert json.loads(answer["json"]) == json.loads(query.json)
        view = frame.get_all_objects().sorted_by_id
        yes, no = QueryFunctions.partition(view, query)
        assert (yes.ids, no.ids) == (answer["yes"], answer["no"])
        assert QueryFunctions.filter(view, query).ids == answer["filter"]


@many
@given(pairs=st.lists(st.tuples(crowds(), crowds(), st.data()), min_size=1, max_size=8))
def test_updates_make_what_they_make_in_the_wheel(wheel: WheelSide, pairs: list[Any]) -> None:
    changes = []
    for frame, other, data in pairs:
        update = make_update(other, [], *(data.draw(st.sampled_from(kind)) for kind in POLICIES))
        update.objects = [one._replace(parent_id=None) for one in update.objects]
        for number in data.draw(st.lists(st.sampled_from(frame.object_column("id") or [0]), unique=True)):
            update.add_object_attribute(number, Attribute("new", "a", [AttributeValue.integer(7)]))
        changes.append(update)
    items = [
        [base64.b64encode(encode_message(Message(part))).decode() for part in (frame, update)]
        for (frame, _, _), update in zip(pairs, changes, strict=True)
    ]
    for (frame, _, _), update, answer in zip(pairs, changes, wheel.ask("update", items), strict=True):
        if "error" in answer:
            with pytest.raises(ValueError, match=re.escape(answer["error"].partition(": ")[2])):
                frame.update(update)
            continue
        frame.update(update)
        made = decode_message(base64.b64decode(answer["bytes"])).content
        if update.object_attribute_policy != AttributeUpdatePolicy.ErrorWhenDuplicate:  # the wheel then adds nothing
            assert without_ids(told_frame(made)) == without_ids(told_frame(frame))


POLICIES = (AttributeUpdatePolicy, AttributeUpdatePolicy, ObjectUpdatePolicy)


def without_ids(told: Any) -> Any:
    """The wheel counts ids from 1, we from 0; what an update adds has other ids."""
    for one in told["objects"]:
        del one["id"], one["parent_id"]
    told["objects"].sort(key=repr)
    return told


COORDINATES = st.integers(-3, 9).map(float)
POINTS = st.tuples(COORDINATES, COORDINATES)
AREAS = st.lists(POINTS, min_size=3, max_size=6, unique=True).flatmap(
    lambda corners: st.tuples(
        st.just(corners), st.none() | st.lists(st.none() | NAMES, min_size=len(corners), max_size=len(corners))
    )
)


@many
@given(asked_for=st.lists(st.tuples(AREAS, st.lists(st.tuples(POINTS, POINTS), max_size=8)), min_size=1, max_size=12))
def test_segments_meet_areas_as_in_the_wheel(wheel: WheelSide, asked_for: list[Any]) -> None:
    items = [[corners, tags, lines] for (corners, tags), lines in asked_for]
    for (corners, tags, lines), answer in zip(items, wheel.ask("cross", items), strict=True):
        assert "error" not in answer, answer
        area = PolygonalArea([Point(*corner) for corner in corners], tags)
        assert area.is_self_intersecting() == answer["crosses_itself"]
        if area.is_self_intersecting():
            continue  # what is inside of such an outline is a matter of taste
        met = area.crossed_by_segments([Segment(Point(*begin), Point(*end)) for begin, end in lines])
        assert [[int(one.kind), [list(edge) for edge in one.edges]] for one in met] == answer["met"]
        assert area.contains_many_points([Point(*begin) for begin, _ in lines]) == answer["inside"]
