"""Updates of frames: what each policy does, and that an error changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picasso.primitives import (
    Attribute,
    AttributeUpdatePolicy,
    AttributeValue,
    MatchQuery,
    ObjectUpdatePolicy,
    RBBox,
    StringExpression,
    VideoFrame,
    VideoFrameBatch,
    VideoFrameUpdate,
    VideoObject,
    VideoObjectBBoxTransformation,
)
from picasso.testing import video_frames

REPLACE, KEEP, ERROR = AttributeUpdatePolicy
ADD, COLLIDE, SAME = ObjectUpdatePolicy


def frame_with_objects() -> VideoFrame:
    frame = VideoFrame("cam", "30/1", 640, 480)
    frame.set_attribute(attribute("a", 1))
    frame.set_attribute(attribute("z", 1))
    for label in ("car", "bus"):
        frame.create_object("ns", label, detection_box=RBBox(1, 2, 3, 4), attributes=[attribute("own", 1)])
    return frame


def attribute(name: str, number: int) -> Attribute:
    return Attribute.persistent("n", name, [AttributeValue.integer(number)])


def one(label: str, namespace: str = "ns") -> VideoObject:
    return VideoObject(77, namespace, label, RBBox(5, 6, 7, 8), [attribute("new", 2)], 0.5)


def number(holder: object, name: str) -> int | None:
    found = holder.get_attribute("n", name)
    return None if found is None else found.values[0].as_integer()


def test_the_defaults_are_the_strict_policies() -> None:
    update = VideoFrameUpdate()
    assert update.frame_attribute_policy == update.object_attribute_policy == ERROR
    assert update.object_policy == COLLIDE


@pytest.mark.parametrize(("policy", "left"), [(REPLACE, 2), (KEEP, 1)])
def test_attributes_of_the_frame(policy: AttributeUpdatePolicy, left: int) -> None:
    frame, update = frame_with_objects(), VideoFrameUpdate()
    update.frame_attribute_policy = policy
    update.add_frame_attribute(attribute("a", 2))
    update.add_frame_attribute(attribute("b", 2))
    frame.update(update)
    assert frame.attributes == [("n", "a"), ("n", "z"), ("n", "b")]
    assert (number(frame, "a"), number(frame, "b")) == (left, 2)


@pytest.mark.parametrize(("policy", "left"), [(REPLACE, 2), (KEEP, 1)])
def test_attributes_of_objects(policy: AttributeUpdatePolicy, left: int) -> None:
    frame, update = frame_with_objects(), VideoFrameUpdate()
    update.object_attribute_policy = policy
    update.add_object_attribute(1, attribute("own", 2))
    update.add_object_attribute(1, attribute("new", 2))
    frame.update(update)
    assert (number(frame.get_object(1), "own"), number(frame.get_object(1), "new")) == (left, 2)
    assert number(frame.get_object(0), "own") == 1


def test_a_new_attribute_is_added_whatever_the_policy() -> None:
    frame, update = frame_with_objects(), VideoFrameUpdate()
    update.add_frame_attribute(attribute("b", 2))
    update.add_object_attribute(0, attribute("new", 2))
    frame.update(update)
    assert (number(frame, "b"), number(frame.get_object(0), "new")) == (2, 2)


def test_objects_get_new_ids_and_parents_of_the_frame() -> None:
    frame, update = frame_with_objects(), VideoFrameUpdate()
    frame.delete_objects_with_ids([1])  # its id is not given again
    update.object_policy = ADD
    update.add_object(one("car"), 0)
    update.add_object(one("wheel"), 2)  # the one before it
    frame.update(update)
    assert frame.object_column("id") == [0, 2, 3]
    assert frame.object_column("label") == ["car", "car", "wheel"]
    assert frame.object_column("parent_id") == [None, 0, 2]
    assert number(frame.get_object(3), "new") == 2


def test_labels_that_are_there_are_replaced() -> None:
    frame, update = frame_with_objects(), VideoFrameUpdate()
    update.object_policy = SAME
    for label in ("car", "van", "van"):
        update.add_object(one(label))
    update.add_object(one("bus", "other"))
    frame.update(update)
    assert list(zip(frame.object_column("id"), frame.object_column("label"), strict=True)) == [
        (1, "bus"),
        (2, "car"),
        (4, "van"),  # of two new ones the last is left
        (5, "bus"),
    ]


def test_an_update_is_a_copy_of_what_was_added() -> None:
    update, video_object = VideoFrameUpdate(), one("car")
    update.add_object(video_object, 3)
    video_object.label = "bus"
    assert [(added.label, parent) for added, parent in update.objects] == [("car", 3)]
    assert update.objects[0].parent_id == 3


BAD = {
    "Attribute with name 'a' created by 'n' already exists in the frame.": lambda u: u.add_frame_attribute(
        attribute("a", 2)
    ),
    "Object with ID 9 does not exist in the frame.": lambda u: u.add_object_attribute(9, attribute("x", 1)),
    "Attribute with name 'n.own' already exists in the object with ID 1.": lambda u: u.add_object_attribute(
        1, attribute("own", 2)
    ),
    "Objects with label 'car' and namespace 'ns' already exists in the frame.": lambda u: u.add_object(one("car")),
    "Objects with label 'van' and namespace 'ns' already exists": lambda u: [u.add_object(one("van")) for _ in "12"],
    "Parent object with ID 99 does not exist in the frame.": lambda u: u.add_object(one("van"), 99),
    "Parent object with ID 2 does not exist in the frame.": lambda u: u.add_object(one("van"), 2),  # itself
}


@pytest.mark.parametrize(("message", "spoil"), BAD.items(), ids=BAD)
def test_an_error_changes_nothing(message: str, spoil: object) -> None:
    frame, update = frame_with_objects(), VideoFrameUpdate()
    update.add_frame_attribute(attribute("b", 2))
    update.add_object_attribute(1, attribute("new", 2))
    update.add_object(one("truck"))
    update.objects.pop()
    spoil(update)
    before = frame.json
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        frame.update(update)
    assert frame.json == before
    assert frame._objects.next_id == 2


def test_a_parent_that_is_replaced_is_not_there() -> None:
    frame, update = frame_with_objects(), VideoFrameUpdate()
    update.object_policy = SAME
    update.add_object(one("car"), 0)
    with pytest.raises(ValueError, match="Parent object with ID 0 does not exist"):
        frame.update(update)


@given(video_frames(max_objects=4), video_frames(max_objects=4), st.sampled_from(ObjectUpdatePolicy))
def test_objects_that_are_added_are_there_once(
    frame: VideoFrame, other: VideoFrame, policy: ObjectUpdatePolicy
) -> None:
    update = VideoFrameUpdate()
    update.object_policy = policy
    labels = list(zip(other.object_column("namespace"), other.object_column("label"), strict=True))
    own = list(zip(frame.object_column("namespace"), frame.object_column("label"), strict=True))
    for found in other.get_all_objects():
        update.add_object(found.detached_copy())
    before = frame.json
    try:
        frame.update(update)
    except ValueError:
        assert policy == COLLIDE
        assert len({*own, *labels}) < len({*own}) + len(labels)
        assert frame.json == before
        return
    now = list(zip(frame.object_column("namespace"), frame.object_column("label"), strict=True))
    if policy == SAME:
        assert [label for label in now if label not in labels] == [label for label in own if label not in labels]
        assert sorted(label for label in now if label in labels) == sorted(set(labels))
    else:
        assert now == own + labels
    assert len(set(frame.object_column("id"))) == len(now)


def test_the_json_holds_attributes_and_their_policies() -> None:
    update = VideoFrameUpdate()
    update.add_frame_attribute(Attribute.temporary("n", "a", is_hidden=True))
    update.add_object_attribute(3, Attribute.persistent("n", "b"))
    update.object_attribute_policy = KEEP
    assert update.json == (
        '{"frame_attributes":[{"namespace":"n","name":"a","values":[],"hint":null,"is_persistent":false,'
        '"is_hidden":true}],"object_attributes":[[3,{"namespace":"n","name":"b","values":[],"hint":null,'
        '"is_persistent":true,"is_hidden":false}]],"frame_attribute_policy":"Error","object_attribute_policy":"KeepOwn"}'
    )


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda u: u.add_frame_attribute("a"), "attribute: expected Attribute, got 'a'"),
        (lambda u: u.add_object_attribute("1", attribute("a", 1)), "object_id: expected int"),
        (lambda u: u.add_object(RBBox(1, 2, 3, 4)), "object: expected VideoObject"),
        (lambda u: u.add_object(one("a"), "1"), "parent_id: expected int"),
        (lambda u: setattr(u, "frame_attribute_policy", 1), "frame_attribute_policy: expected AttributeUpdatePolicy"),
        (lambda u: setattr(u, "object_policy", ERROR), "object_policy: expected ObjectUpdatePolicy"),
    ],
)
def test_what_is_no_update_is_refused(call: object, error: str) -> None:
    with pytest.raises(TypeError, match=error):
        call(VideoFrameUpdate())


def test_a_batch_shares_its_frames() -> None:
    batch, frame = VideoFrameBatch(), frame_with_objects()
    batch.add(7, VideoFrame("other", "30/1", 4, 2))
    batch.add(7, frame)
    batch.add(-1, frame_with_objects())
    assert batch.get(7) is frame
    assert (batch.ids, batch.frames[0], len(batch)) == ([7, -1], frame, 2)
    cars = batch.access_objects(lambda found: found.label == "car")
    assert {number: view.ids for number, view in cars.items()} == {7: [0], -1: [0]}
    batch.delete_objects(lambda found: found.label == "car")
    assert frame.object_column("label") == ["bus"]
    assert (batch.del_(7), batch.del_(7), batch.get(7)) == (frame, None, None)
    with pytest.raises(TypeError, match="frame: expected VideoFrame"):
        batch.add(1, "frame")


def test_steps_move_the_boxes_of_all_objects() -> None:
    frame = frame_with_objects()
    frame.get_object(1).track_box = RBBox(10, 20, 30, 40, 90)
    steps = [VideoObjectBBoxTransformation.scale(2, 3), VideoObjectBBoxTransformation.shift(1, -1)]
    expected = frame.copy(no_gil=False)
    for found in expected.get_all_objects():
        found.transform_geometry(steps)
    before = frame.transformations
    frame.transform_geometry(steps, no_gil=False)
    assert frame.get_object(0).detection_box == RBBox(3, 5, 6, 12)
    for found in frame.get_all_objects():
        twin = expected.get_object(found.id)
        assert found.detection_box.almost_eq(twin.detection_box, 1e-4)
        assert found.track_box is None or found.track_box.almost_eq(twin.track_box, 1e-4)
    assert (frame.transformations, frame.width) == (before, 640)


def test_a_parent_is_of_the_same_frame() -> None:
    frame, other = frame_with_objects(), frame_with_objects()
    query = MatchQuery.label(StringExpression.eq("bus"))
    with pytest.raises(ValueError, match=r"Cannot set parent ID=0 .* must be attached to the same frame"):
        frame.set_parent(query, other.get_object(0), no_gil=False)
    assert frame.object_column("parent_id") == [None, None]
    assert frame.set_parent(query, frame.get_object(0)).ids == [1]
    assert frame.clear_parent(query, no_gil=False).ids == [1]
    assert [gone.label for gone in frame.delete_objects(query, no_gil=False)] == ["bus"]
