"""Queries: what each matches, where they stop, and that JSON and YAML hold them."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from picasso.primitives import (
    Attribute,
    AttributeValue,
    BBoxMetricType,
    FloatExpression,
    IntExpression,
    MatchQuery,
    QueryFunctions,
    RBBox,
    StringExpression,
    VideoFrame,
    VideoFrameContent,
)
from picasso.primitives.expression import ExpressionError

F, N, S, Q = FloatExpression, IntExpression, StringExpression, MatchQuery


def street() -> VideoFrame:
    """A car with a plate and a wheel, a bus that is tracked, a person with nothing."""
    frame = VideoFrame("cam-1", "30/1", 640, 480, keyframe=True)
    frame.set_persistent_attribute("sys", "hidden", True)
    car = frame.create_object(
        "det", "car", None, 0.7, RBBox(10, 20, 4, 2, 30), attributes=[Attribute("color", "body", [red(0.9)])]
    )
    frame.create_object("det2", "plate", car.id, None, RBBox(11, 20, 1, 0))
    frame.create_object("det2", "wheel", car.id, 0.5, RBBox(9, 20, 1, 1))
    bus = frame.create_object("det", "bus", None, 0.2, RBBox(100, 20, 40, 20), 5, RBBox(101, 20, 40, 20, 0))
    bus.draw_label = "car"
    frame.create_object("", "person", detection_box=RBBox(0, 0, 0, 0), attributes=[Attribute("x", "y", is_hidden=True)])
    return frame


def red(sureness: float) -> AttributeValue:
    return AttributeValue.string("red", sureness)


CASES = {
    "idle": (Q.idle(), '"pass"', [0, 1, 2, 3, 4]),
    "id": (Q.id(N.between(1, 3)), '{"id":{"between":[1,3]}}', [1, 2, 3]),
    "namespace": (Q.namespace(S.starts_with("det")), '{"namespace":{"starts_with":"det"}}', [0, 1, 2, 3]),
    "label": (Q.label(S.eq("car")), '{"label":{"eq":"car"}}', [0]),
    "label contains": (Q.label(S.not_contains("a")), '{"label":{"not_contains":"a"}}', [2, 3, 4]),
    "label ends": (Q.label(S.ends_with("l")), '{"label":{"ends_with":"l"}}', [2]),
    "label one of": (Q.label(S.one_of("bus", "car")), '{"label":{"one_of":["bus","car"]}}', [0, 3]),
    "one of none": (Q.label(S.one_of()), '{"label":{"one_of":[]}}', []),
    "confidence": (Q.confidence(F.eq(0.7)), '{"confidence":{"eq":0.7}}', [0]),
    "confidence ne": (Q.confidence(F.ne(0.7)), '{"confidence":{"ne":0.7}}', [2, 3]),
    "confidence defined": (Q.confidence_defined(), '"confidence.defined"', [0, 2, 3]),
    "track": (Q.track_id(N.one_of(5, 6)), '{"track.id":{"one_of":[5,6]}}', [3]),
    "track defined": (Q.track_id_defined(), '"track.defined"', [3]),
    "parent": (Q.parent_id(N.ge(0)), '{"parent.id":{"ge":0}}', [1, 2]),
    "parent namespace": (Q.parent_namespace(S.eq("det")), '{"parent.namespace":{"eq":"det"}}', [1, 2]),
    "parent label": (Q.parent_label(S.ne("bus")), '{"parent.label":{"ne":"bus"}}', [1, 2]),
    "parent defined": (Q.parent_defined(), '"parent.defined"', [1, 2]),
    "box x": (Q.box_x_center(F.lt(10)), '{"bbox.xc":{"lt":10.0}}', [2, 4]),
    "box y": (Q.box_y_center(F.le(0)), '{"bbox.yc":{"le":0.0}}', [4]),
    "box width": (Q.box_width(F.gt(1)), '{"bbox.width":{"gt":1.0}}', [0, 3]),
    "box height": (Q.box_height(F.between(1, 2)), '{"bbox.height":{"between":[1.0,2.0]}}', [0, 2]),
    "box area": (Q.box_area(F.one_of(8, 800)), '{"bbox.area":{"one_of":[8.0,800.0]}}', [0, 3]),
    "box ratio": (
        Q.box_width_to_height_ratio(F.eq(-1)),
        '{"bbox.width_to_height_ratio":{"eq":-1.0}}',
        [1, 4],
    ),
    "box angle": (Q.box_angle(F.eq(30)), '{"bbox.angle":{"eq":30.0}}', [0]),
    "box angle defined": (Q.box_angle_defined(), '"bbox.angle.defined"', [0]),
    "box metric": (
        Q.box_metric(RBBox(100, 20, 40, 20), BBoxMetricType.IoU, F.gt(0.99)),
        '{"bbox.metric":{"other":[100.0,20.0,40.0,20.0,null],"metric_type":"IoU","threshold_expr":{"gt":0.99}}}',
        [3],
    ),
    "track box x": (Q.track_box_x_center(F.ne(1)), '{"track.bbox.xc":{"ne":1.0}}', [3]),
    "track box area": (Q.track_box_area(F.eq(800)), '{"track.bbox.area":{"eq":800.0}}', [3]),
    "track box angle defined": (Q.track_box_angle_defined(), '"track.bbox.angle.defined"', [3]),
    "track box metric": (
        Q.track_box_metric(RBBox(0, 0, 1, 1, 0), BBoxMetricType.IoOther, F.le(0)),
        '{"track.bbox.metric":{"other":[0.0,0.0,1.0,1.0,0.0],"metric_type":"IoOther","threshold_expr":{"le":0.0}}}',
        [3],
    ),
    "attribute": (Q.attribute_defined("x", "y"), '{"attribute.exists":["x","y"]}', [4]),
    "no attributes": (Q.attributes_empty(), '"attributes.empty"', [1, 2, 3]),
    "jmes": (
        Q.attributes_jmes_query("[? name=='body' && values[0].value.String == 'red']"),
        "{\"attributes.jmes_query\":\"[? name=='body' && values[0].value.String == 'red']\"}",
        [0],
    ),
    "jmes of nothing": (Q.attributes_jmes_query("length(@)"), '{"attributes.jmes_query":"length(@)"}', [0, 1, 2, 3, 4]),
    "source": (Q.frame_source_id(S.contains("am")), '{"frame.source_id":{"contains":"am"}}', [0, 1, 2, 3, 4]),
    "frame width": (Q.frame_width(N.eq(640)), '{"frame.width":{"eq":640}}', [0, 1, 2, 3, 4]),
    "frame height": (Q.frame_height(N.eq(640)), '{"frame.height":{"eq":640}}', []),
    "key frame": (Q.frame_is_key_frame(), '"frame.is_key_frame"', [0, 1, 2, 3, 4]),
    "no video": (Q.frame_no_video(), '"frame.no_video"', [0, 1, 2, 3, 4]),
    "copy": (Q.frame_transcoding_is_copy(), '"frame.transcoding.is_copy"', [0, 1, 2, 3, 4]),
    "frame attribute": (
        Q.frame_attribute_exists("sys", "hidden"),
        '{"frame.attribute.exists":["sys","hidden"]}',
        [0, 1, 2, 3, 4],
    ),
    "no frame attributes": (Q.frame_attributes_empty(), '"frame.attributes.empty"', [0, 1, 2, 3, 4]),
    "frame jmes": (Q.frame_attributes_jmes_query("@"), '{"frame.attributes.jmes_query":"@"}', []),
    "children": (
        Q.with_children(Q.confidence_defined(), N.eq(1)),
        '{"with_children":["confidence.defined",{"eq":1}]}',
        [0],
    ),
    "and": (Q.and_(Q.parent_defined(), Q.id(N.gt(1))), '{"and":["parent.defined",{"id":{"gt":1}}]}', [2]),
    "or": (Q.or_(Q.id(N.lt(1)), Q.id(N.gt(3))), '{"or":[{"id":{"lt":1}},{"id":{"gt":3}}]}', [0, 4]),
    "and of nothing": (Q.and_(), '{"and":[]}', [0, 1, 2, 3, 4]),
    "or of nothing": (Q.or_(), '{"or":[]}', []),
    "not": (Q.not_(Q.parent_defined()), '{"not":"parent.defined"}', [0, 3, 4]),
    "stop if false": (Q.stop_if_false(Q.id(N.le(1))), '{"stop_if_false":{"id":{"le":1}}}', [0, 1]),
    "stop if true": (Q.stop_if_true(Q.id(N.eq(1))), '{"stop_if_true":{"id":{"eq":1}}}', [1]),
    "eval": (
        Q.eval('bbox.width > 10 || label == "car"'),
        '{"eval":"bbox.width > 10 || label == \\"car\\""}',
        [0, 3],
    ),
    "eval of whole numbers": (Q.eval("bbox.width == 40"), '{"eval":"bbox.width == 40"}', []),
    "eval of numbers": (Q.eval("bbox.width == 40.0"), '{"eval":"bbox.width == 40.0"}', [3]),
    "eval of the frame": (
        Q.eval('frame.source == "cam-1" && frame.width == 640 && frame.keyframe && frame.time_base.nominator == 1'),
        None,
        [0, 1, 2, 3, 4],
    ),
    "eval with a name": (Q.eval("x = id; x > 3"), '{"eval":"x = id; x > 3"}', [4]),
    "eval of what is not there": (Q.eval('typeof(parent.label) == "empty"'), None, [0, 3, 4]),
    "eval with functions": (Q.eval("if(len(label) == 3, true, contains((1, 2), id)) && min(id, 2) < 2"), None, [0, 1]),
}


@pytest.mark.parametrize(("query", "form", "ids"), CASES.values(), ids=CASES)
def test_a_query_matches_the_same_when_it_comes_from_text(query: MatchQuery, form: str | None, ids: list[int]) -> None:
    frame = street()
    assert frame.access_objects(query).ids == ids
    assert form in (query.json, None)
    for again in (Q.from_json(query.json), Q.from_json(query.json_pretty), Q.from_yaml(query.yaml)):
        assert again.json == query.json
        assert frame.access_objects(again).ids == ids


def test_yaml_has_its_keys_in_order() -> None:
    query = Q.box_metric(RBBox(1, 2, 3, 4, 5), BBoxMetricType.IoSelf, F.gt(0.5))
    assert query.yaml == (
        "bbox.metric:\n  metric_type: IoSelf\n  other:\n  - 1.0\n  - 2.0\n  - 3.0\n  - 4.0\n  - 5.0\n"
        "  threshold_expr:\n    gt: 0.5\n"
    )
    assert Q.idle().yaml == "pass\n"


def test_newer_peers_write_metrics() -> None:
    query = Q.track_box_metric(RBBox(1, 2, 3, 4, 5), BBoxMetricType.IoSelf, F.gt(0.5))
    assert Q.from_json(query.json.replace("metric", "metrics", 1)).json == query.json


def people() -> VideoFrame:
    frame = VideoFrame("cam", "30/1", 4, 2)
    frame.create_object("d", "nothing", detection_box=RBBox(0, 0, 1, 1))
    for label in ("person", "car", "person"):
        frame.create_object("d", label, detection_box=RBBox(0, 0, 1, 1))
    frame.delete_objects_with_ids([0])
    return frame


@pytest.mark.parametrize(
    ("query", "yes", "no"),
    [
        (Q.stop_if_false(Q.label(S.eq("person"))), [1], [2]),
        (Q.not_(Q.stop_if_false(Q.id(N.ne(2)))), [2], [1]),
        (Q.stop_if_true(Q.id(N.eq(2))), [2], [1]),
        (Q.and_(Q.idle(), Q.stop_if_true(Q.id(N.eq(1))), Q.or_()), [1], []),
        (Q.or_(Q.stop_if_false(Q.id(N.ne(2))), Q.idle()), [1], [2]),
        (Q.or_(Q.idle(), Q.stop_if_false(Q.or_())), [1, 2, 3], []),
    ],
)
def test_a_stop_ends_the_walk(query: MatchQuery, yes: list[int], no: list[int]) -> None:
    view = people().get_all_objects()
    frame = people()
    view = frame.get_all_objects().sorted_by_id
    assert QueryFunctions.filter(view, query).ids == frame.access_objects(query).ids == yes
    assert tuple(part.ids for part in QueryFunctions.partition(view, query)) == (yes, no)


def test_a_stop_among_children_ends_there() -> None:
    query = Q.with_children(Q.stop_if_true(Q.idle()), N.eq(1))
    assert street().access_objects(query).ids == [0]


def test_queries_on_a_frame_are_false_without_one() -> None:
    frame = street()
    view = frame.get_all_objects()
    (first, *_) = view
    asked = Q.frame_width(N.eq(640))
    assert not asked(first)
    assert QueryFunctions.filter(view, asked).ids == [0, 1, 2, 3, 4]
    assert QueryFunctions.filter(view[1:3], asked).ids == [1, 2]
    other = VideoFrame("cam", "30/1", 4, 2, VideoFrameContent.internal(b""))
    other.create_object("d", "l", detection_box=RBBox(0, 0, 1, 1))
    assert other.access_objects(Q.frame_no_video()).ids == []


def test_predicates_of_python_take_part_but_have_no_text() -> None:
    query = Q.and_(Q(lambda found: found.label == "car"), Q.confidence_defined())
    assert street().access_objects(query).ids == [0]
    for broken in (query, Q.not_(query), Q.with_children(query, N.eq(1))):
        with pytest.raises(TypeError, match="a predicate of Python has no JSON"):
            broken.json  # noqa: B018


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Invalid JSON: "),
        ('"foo"', "Invalid JSON: unknown variant `foo`, expected one of `pass`, `and`"),
        ('{"foo": 1}', "Invalid JSON: unknown variant `foo`, expected one of"),
        ('{"id": {"foo": 1}}', "Invalid JSON: unknown variant `foo`, expected one of `eq`, `ne`"),
        ('{"label": {"between": ["a", "b"]}}', "unknown variant `between`"),
        ('{"id": {"eq": 1, "ne": 2}}', "expected one comparison"),
        ('{"id": {"eq": 1.5}}', "Only i64 values are allowed, got 1.5"),
        ('{"id": {"between": [1]}}', "not enough values"),
        ('{"id": {"one_of": 1}}', "expected several values"),
        ('{"label": {"eq": 1}}', "Only String values are allowed"),
        ('{"and": "pass"}', "expected a list of queries"),
        ('{"with_children": ["pass"]}', "expected a list of two"),
        ('{"bbox.metric": {"other": [1, 2, 3, 4]}}', "expected other, metric_type and threshold_expr"),
        ('{"eval": "1 +"}', "unexpected 'the end'"),
        ('{"attributes.jmes_query": "[?"}', "Parse error"),
        ("[]", "expected a name, or one name with its argument"),
        ('{"a": 1, "b": 2}', "expected a name, or one name"),
        ('{"not": ' * 100 + '"pass"' + "}" * 100, "nested more than 64 deep"),
        ("[" * 100_000, "Invalid JSON"),
    ],
)
def test_text_that_holds_no_query_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Q.from_json(text)


def test_yaml_that_holds_no_query_is_refused() -> None:
    for text in ("a: [", "foo", "!!python/object:os.system x"):
        with pytest.raises(ValueError, match="Invalid YAML"):
            Q.from_yaml(text)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.eq("1"), "Only f32 values are allowed, got '1'"),
        (lambda: N.one_of(1, "2"), "Only i64 values are allowed, got '2'"),
        (lambda: N.eq(1.0), "Only i64 values are allowed"),
        (lambda: S.one_of(1), "Only String values are allowed"),
        (lambda: Q.and_(1), "Only Query values are allowed, got 1"),
        (lambda: Q.id(F.eq(1)), "expected IntExpression"),
        (lambda: Q.label("car"), "expected StringExpression, got 'car'"),
        (lambda: Q.box_metric((1, 2, 3, 4), BBoxMetricType.IoU, F.eq(1)), "expected RBBox"),
        (lambda: hash(Q.idle()), "unhashable"),
        (lambda: hash(N.eq(1)), "unhashable"),
    ],
)
def test_arguments_of_another_type_are_refused(call: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1", "ExpectedBoolean"),
        ("unknown == 1", "unknown name 'unknown'"),
        ("confidence > 0.5", "takes numbers, got the empty value"),
        ('is_empy("")', "unknown function 'is_empy'"),
    ],
)
def test_an_expression_without_truth_value_is_an_error_when_it_is_asked(text: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        street().access_objects(Q.eval(text))


def test_queries_know_the_environment_and_the_parameters_of_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    resolvers = pytest.importorskip("picasso.savant_rs.match_query")
    monkeypatch.setenv("PICASSO_TEST_LABEL", "car")
    resolvers.register_config_resolver({"least": "0.5"})
    resolvers.update_config_resolver({"most": "3"})
    frame = street()
    try:
        assert frame.access_objects(Q.eval("!is_empty(confidence) && confidence > 0.5")).ids == [0]
        assert frame.access_objects(Q.eval('label == env("PICASSO_TEST_LABEL", "")')).ids == [0]
        assert frame.access_objects(Q.eval('id >= config("most", 0) && config("least", 1.0) < 1.0')).ids == [3, 4]
    finally:
        resolvers.unregister_resolver("config-resolver")
    assert frame.access_objects(Q.eval('id == config("most", 1)')).ids == [1]


def digits_of(number: float) -> tuple[int, ...]:
    """Return the digits of a number's text without zeros at its ends."""
    return Decimal(repr(number)).normalize().as_tuple().digits


@example(0.0, 999999995904.0)  # 1e12 as float32, whose text as float64 is longer
@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.floats(width=32, allow_nan=False))
def test_numbers_are_compared_as_float32_and_written_short(subject: float, value: float) -> None:
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        expression = getattr(F, name)(value)
        expected = {"eq": subject == value, "ne": subject != value, "lt": subject < value, "le": subject <= value}
        expected |= {"gt": subject > value, "ge": subject >= value}
        assert expression.matches(subject) is expected[name]
    if abs(value) != float("inf"):
        ((_, written),) = json.loads(json.dumps(F.eq(value).form)).items()
        assert F.eq(written).matches(value)
        assert len(digits_of(written)) <= len(digits_of(value))
