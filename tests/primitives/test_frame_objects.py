from __future__ import annotations

import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from picasso.errors import DetachedObjectError
from picasso.primitives import (
    Attribute,
    AttributeValue,
    BBox,
    IdCollisionResolutionPolicy,
    MatchQuery,
    RBBox,
    VideoFrame,
    VideoObject,
    VideoObjectBBoxTransformation,
)

BOX = RBBox(10, 20, 30, 40)
Policy = IdCollisionResolutionPolicy


def a_frame():
    return VideoFrame("cam", "30/1", 640, 480)


def an_object(object_id=0, label="car", **changes):
    return VideoObject(**{"id": object_id, "namespace": "d", "label": label, "detection_box": BOX, **changes})


@pytest.fixture
def frame():
    frame = a_frame()
    for label in ("car", "bus", "car"):
        frame.create_object("d", label, detection_box=BOX)
    return frame


@pytest.fixture(params=["own", "borrowed"])
def any_object(request):
    loose = an_object(5, attributes=[Attribute("a", "b")], confidence=0.5, track_id=7, track_box=BBox(1, 2, 3, 4))
    if request.param == "own":
        return loose
    request.node.frame = a_frame()  # a borrowed object does not keep its frame
    return request.node.frame.add_object(loose)


def test_all_fields_are_read(any_object):
    assert (any_object.id, any_object.namespace, any_object.label, any_object.draw_label) == (5, "d", "car", "car")
    assert (any_object.confidence, any_object.track_id) == (0.5, 7)
    assert any_object.detection_box == BOX
    assert any_object.track_box == BBox(1, 2, 3, 4)
    assert isinstance(any_object.track_box, RBBox)
    assert any_object.attributes == [("a", "b")]
    assert "label='car'" in repr(any_object)


def test_all_fields_are_written(any_object):
    any_object.namespace, any_object.label, any_object.confidence, any_object.track_id = "e", "bus", None, None
    any_object.detection_box = BBox(1, 1, 1, 1)
    any_object.track_box = None
    assert (any_object.namespace, any_object.label, any_object.confidence) == ("e", "bus", None)
    assert (any_object.track_id, any_object.track_box) == (None, None)
    assert any_object.detection_box == BBox(1, 1, 1, 1)
    any_object.set_track_info(9, RBBox(1, 2, 3, 4, 5))
    assert (any_object.track_id, any_object.track_box) == (9, RBBox(1, 2, 3, 4, 5))
    any_object.clear_track_info()
    assert (any_object.track_id, any_object.track_box) == (None, None)


def test_the_draw_label_covers_the_label(any_object):
    any_object.draw_label = "No 5"
    assert (any_object.draw_label, any_object.label) == ("No 5", "car")
    any_object.draw_label = None
    assert any_object.draw_label == "car"


def test_boxes_are_shared_in_place(any_object):
    any_object.detection_box.shift(1, 2)
    any_object.detection_box.angle = 30
    any_object.track_box.scale(2, 2)
    assert any_object.detection_box == RBBox(11, 22, 30, 40, 30)
    assert any_object.track_box == BBox(2, 4, 6, 8)
    held, copied = any_object.detection_box, any_object.detection_box.copy()
    any_object.detection_box = BOX
    assert held == BOX
    assert copied == RBBox(11, 22, 30, 40, 30)


def test_an_assigned_box_is_copied(any_object):
    box = RBBox(1, 2, 3, 4)
    any_object.detection_box = box
    box.xc = 100
    assert any_object.detection_box.xc == 1
    any_object.track_box = any_object.detection_box
    any_object.detection_box.xc = 50
    assert any_object.track_box.xc == 1


def test_geometry_steps_move_both_boxes(any_object):
    any_object.transform_geometry(
        [VideoObjectBBoxTransformation.scale(2, 3), VideoObjectBBoxTransformation.shift(1, -1)]
    )
    assert any_object.detection_box == BBox(21, 59, 60, 120)
    assert any_object.track_box == BBox(3, 5, 6, 12)


def test_a_detached_copy_is_independent(any_object):
    any_object.draw_label = "x"
    copied = any_object.detached_copy()
    assert isinstance(copied, VideoObject)
    assert repr(copied).partition("(")[2] == repr(any_object).partition("(")[2]
    assert (copied.attributes, copied.draw_label) == ([("a", "b")], "x")
    copied.label = "bus"
    copied.detection_box.xc = 0
    copied.clear_attributes()
    assert (any_object.label, any_object.detection_box, any_object.attributes) == ("car", BOX, [("a", "b")])


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"id": 1.5}, TypeError),
        ({"id": 2**63}, OverflowError),
        ({"namespace": 1}, TypeError),
        ({"label": None}, TypeError),
        ({"detection_box": None}, TypeError),
        ({"detection_box": (1, 2, 3, 4)}, TypeError),
        ({"confidence": "0.5"}, TypeError),
        ({"track_id": 1.0}, TypeError),
        ({"track_id": 2**63}, OverflowError),
        ({"track_box": (1, 2, 3, 4)}, TypeError),
    ],
    ids=str,
)
def test_bad_fields_are_refused(change, error):
    ((name, value),) = change.items()
    with pytest.raises(error, match=name):
        an_object(**change)
    with pytest.raises(error, match=name):
        setattr(an_object(), name, value)
    if name == "id":
        return
    frame = a_frame()
    with pytest.raises(error, match=name):
        frame.create_object(**{"namespace": "d", "label": "car", "detection_box": BOX, **change})
    assert frame.object_count == 0
    assert frame.get_all_objects().ids == []


def test_bad_attributes_are_refused():
    with pytest.raises(TypeError, match="attributes: expected Attribute, got str"):
        an_object(attributes=["x"])
    frame = a_frame()
    with pytest.raises(TypeError, match="attributes: expected Attribute, got str"):
        frame.create_object("d", "car", detection_box=BOX, attributes=["x"])
    assert frame.object_count == 0


def test_a_loose_object_may_be_renamed():
    loose = an_object(5, attributes=[Attribute("a", "b")])
    loose.draw_label = "x"
    loose.id = 9
    assert (loose.id, loose.attributes, loose.draw_label) == (9, [("a", "b")], "x")


def test_an_added_object_is_a_copy():
    frame, loose = a_frame(), an_object(3, attributes=[Attribute("a", "b")])
    added = frame.add_object(loose)
    loose.label = "bus"
    loose.detection_box.xc = 0
    loose.clear_attributes()
    assert (added.label, added.detection_box, added.attributes) == ("car", BOX, [("a", "b")])


def test_create_object_takes_everything():
    frame = a_frame()
    parent = frame.create_object("d", "car", None, 0.5, BOX, 3, BOX, [Attribute("a", "b", [AttributeValue.none()])])
    child = frame.create_object("d", "plate", parent_id=parent.id, detection_box=BOX)
    assert (parent.id, child.id) == (0, 1)
    assert (parent.parent_id, child.parent_id) == (None, parent.id)
    assert (parent.confidence, parent.track_id, parent.track_box, parent.attributes) == (0.5, 3, BOX, [("a", "b")])


def test_id_collisions():
    frame = a_frame()
    assert frame.add_object(an_object(7), Policy.GenerateNewId).id == 7
    assert frame.add_object(an_object(7, "bus"), Policy.GenerateNewId).id == 8
    held = frame.get_object(7)
    held.draw_label = "x"
    frame.set_parent_by_id(8, 7)
    assert frame.add_object(an_object(7, "van", attributes=[Attribute("a", "b")]), Policy.Overwrite) == held
    assert (held.label, held.draw_label, held.attributes) == ("van", "van", [("a", "b")])
    assert frame.get_object(8).parent_id == 7
    with pytest.raises(ValueError, match="object 7 is in this frame already"):
        frame.add_object(an_object(7), Policy.Error)
    assert frame.get_all_objects().ids == [7, 8]
    assert frame.add_object(an_object(-3), Policy.Error).id == -3
    assert frame.create_object("d", "x", detection_box=BOX).id == 9


def test_an_object_gets_a_copy_of_the_box_of_another(frame):
    first = frame.get_object(0)
    second = frame.create_object("d", "car", detection_box=first.detection_box, track_box=first.detection_box)
    first.detection_box.xc = 99
    assert (second.detection_box, second.track_box) == (BOX, BOX)


@pytest.mark.parametrize(
    "make", [VideoFrame.copy, lambda frame: pickle.loads(pickle.dumps(frame))], ids=["copy", "pickle"]
)
def test_objects_added_one_by_one_are_kept_where_rows_run_out(make):
    frame = a_frame()
    for number in range(100):
        made = frame.create_object(
            "d", "car", None, number / 2, RBBox(number, 1, 2, 3, number), number, BBox(4, number, 5, 6)
        )
        frame = make(frame) if number == 50 else frame
    assert made.id == 99
    for number, kept in enumerate(frame.get_all_objects()):
        assert (kept.id, kept.confidence, kept.track_id) == (number, number / 2, number)
        assert (kept.detection_box, kept.track_box) == (RBBox(number, 1, 2, 3, number), RBBox(4, number, 5, 6))


def test_ids_are_not_given_twice(frame):
    frame.delete_objects_with_ids([2])
    assert frame.create_object("d", "car", detection_box=BOX).id == 3
    frame.clear_objects()
    assert frame.create_object("d", "car", detection_box=BOX).id == 4


def test_the_ids_may_run_out():
    frame = a_frame()
    frame.add_object(an_object(2**63 - 1))
    with pytest.raises(OverflowError, match="object ids: 1 more do not fit"):
        frame.create_object("d", "car", detection_box=BOX)
    with pytest.raises(OverflowError, match="object ids"):
        frame.add_detections("d", [[0, 0, 1, 1]], "car")
    assert frame.object_count == 1


def test_only_objects_are_added(frame):
    with pytest.raises(TypeError, match="expected VideoObject, got BorrowedVideoObject"):
        frame.add_object(frame.get_object(0))


def test_finding(frame):
    assert frame.get_all_objects().ids == [0, 1, 2]
    assert frame.get_object(1).label == "bus"
    assert frame.get_object(9) is None
    assert frame.access_objects(MatchQuery.idle()).ids == [0, 1, 2]
    assert frame.access_objects(MatchQuery(lambda found: found.label == "car")).ids == [0, 2]
    assert frame.access_objects(lambda found: found.id > 0).ids == [1, 2]
    assert frame.access_objects_with_ids([2, 9, 0]).ids == [2, 0]
    assert frame.has_objects()
    assert frame.object_count == 3


def test_deleting_returns_copies(frame):
    removed = frame.delete_objects(lambda found: found.label == "car")
    assert [(loose.id, loose.label) for loose in removed] == [(0, "car"), (2, "car")]
    assert frame.get_all_objects().ids == [1]
    assert [loose.id for loose in frame.delete_objects_with_ids([1, 1, 5])] == [1]
    assert not frame.has_objects()
    assert frame.delete_objects(MatchQuery.idle()) == []


def test_a_view_is_a_sequence(frame):
    view = frame.get_all_objects()
    frame.get_object(1).track_id = 5
    assert len(view) == 3
    assert view[-1].id == 2
    assert view[1:].ids == [1, 2]
    assert [found.id for found in view] == [0, 1, 2]
    assert view.track_ids == [None, 5, None]
    assert frame.access_objects_with_ids([2, 0, 1]).sorted_by_id.ids == [0, 1, 2]
    assert repr(view).startswith("VideoObjectsView([BorrowedVideoObject(id=0")
    with pytest.raises(IndexError):
        view[3]


def test_views_are_the_same_object_by_identity(frame):
    assert frame.get_object(1) == frame.get_all_objects()[1]
    assert frame.get_object(1) != frame.get_object(2)
    assert frame.get_object(1) != frame.copy().get_object(1)
    assert len({frame.get_object(1), frame.get_object(1)}) == 1
    assert frame.get_object(1) != 1


@pytest.mark.parametrize(
    "access",
    [
        lambda gone, box: gone.id,
        lambda gone, box: gone.label,
        lambda gone, box: gone.attributes,
        lambda gone, box: gone.detection_box,
        lambda gone, box: setattr(gone, "label", "x"),
        lambda gone, box: gone.parent_id,
        lambda gone, box: box.xc,
        lambda gone, box: box.shift(1, 1),
        lambda gone, box: repr(gone),
    ],
    ids=["id", "label", "attributes", "detection_box", "label=", "parent_id", "box.xc", "box.shift", "repr"],
)
def test_gone_objects_say_so(access):
    frame = a_frame()
    gone = frame.create_object("d", "car", detection_box=BOX)
    box = gone.detection_box
    frame.clear_objects()
    with pytest.raises(DetachedObjectError, match="object 0 is no longer in its frame"):
        access(gone, box)
    del frame
    with pytest.raises(RuntimeError, match="the frame of object 0 is gone"):
        access(gone, box)


def test_parents(frame):
    frame.set_parent_by_id(1, 0)
    frame.get_object(2).parent_id = 1
    assert frame.get_children(0).ids == [1]
    assert frame.set_parent(lambda found: found.id == 2, frame.get_object(0)).ids == [2]
    assert frame.get_children(0).ids == [1, 2]
    assert frame.clear_parent(lambda found: found.id == 1).ids == [1]
    assert frame.get_children(0).ids == [2]
    frame.get_object(2).parent_id = None
    assert frame.get_children(0).ids == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda frame: frame.create_object("d", "x", 9, None, BOX), "no object 9 in this frame"),
        (lambda frame: frame.set_parent_by_id(1, 9), "no object 9 in this frame"),
        (lambda frame: frame.set_parent_by_id(9, 1), "object_id: no object 9 in this frame"),
        (lambda frame: frame.set_parent_by_id(0, 2), "object 0 cannot hang below itself, through 2"),
        (lambda frame: frame.set_parent_by_id(1, 1), "object 1 cannot hang below itself"),
        (lambda frame: frame.set_parent(MatchQuery.idle(), frame.get_object(2)), "cannot hang below itself"),
        (lambda frame: setattr(frame.get_object(0), "parent_id", 2), "cannot hang below itself"),
    ],
    ids=["create", "no-parent", "no-child", "loop", "itself", "all", "setter"],
)
def test_bad_parents_are_refused(frame, call, message):
    frame.set_parent_by_id(1, 0)
    frame.set_parent_by_id(2, 1)
    before = frame.json
    with pytest.raises(ValueError, match=message):
        call(frame)
    assert frame.json == before


def test_children_of_a_removed_parent_have_none(frame):
    frame.set_parent_by_id(1, 0)
    frame.set_parent_by_id(2, 1)
    frame.delete_objects_with_ids([0])
    assert (frame.get_object(1).parent_id, frame.get_object(2).parent_id) == (None, 1)


@dataclass
class DrawLabel:
    own: bool

    def is_own_label(self):
        return self.own

    def get_label(self):
        return "drawn"


def test_draw_labels_of_objects_and_parents(frame):
    frame.set_parent_by_id(1, 0)
    frame.set_draw_label(lambda found: found.id == 2, DrawLabel(own=True))
    frame.set_draw_label(lambda found: found.id >= 1, DrawLabel(own=False))
    assert frame.object_column("draw_label") == ["drawn", "bus", "drawn"]


def test_columns(frame):
    frame.set_parent_by_id(1, 0)
    frame.get_object(1).track_id = 5
    frame.get_object(2).confidence = 0.25
    expected = {
        "id": [0, 1, 2],
        "namespace": ["d"] * 3,
        "label": ["car", "bus", "car"],
        "draw_label": ["car", "bus", "car"],
        "parent_id": [None, 0, None],
        "track_id": [None, 5, None],
        "confidence": [None, None, 0.25],
    }
    assert {name: frame.object_column(name) for name in expected} == expected
    with pytest.raises(ValueError, match="unknown field 'box'; one of id, namespace"):
        frame.object_column("box")


def test_arrays_are_live_views(frame):
    boxes = frame.detection_boxes()
    assert boxes.shape == (3, 5)
    assert boxes.dtype == np.float32
    boxes[:, 0] = [1, 2, 3]
    frame.get_object(2).detection_box.xc = 7
    assert [found.detection_box.xc for found in frame.get_all_objects()] == [1, 2, 7]
    assert boxes[2, 0] == 7
    assert np.isnan(boxes[:, 4]).all()
    assert np.isnan(frame.track_boxes()).all()
    assert_array_equal(frame.object_ids(), [0, 1, 2])


def test_an_empty_frame_has_empty_arrays():
    frame = a_frame()
    assert frame.detection_boxes().shape == frame.track_boxes().shape == (0, 5)
    assert frame.object_ids().shape == (0,)
    frame.move_boxes((2, 2), (1, 1))
    frame.transform_forward()


def test_geometry_is_put_back_exactly(frame):
    frame.get_object(1).detection_box = RBBox(1.1, 2.2, 3.3, 4.4, 12.3)
    before, saved = frame.json, frame.save_geometry()
    frame.move_boxes((1.1, 3.3), (5, 6))
    frame.set_geometry(100, 50)
    assert frame.json != before
    frame.restore_geometry(saved)
    assert frame.json == before


def test_geometry_is_put_back_for_the_objects_that_stayed(frame):
    saved = frame.save_geometry()
    frame.move_boxes((2, 2), (0, 0))
    frame.delete_objects_with_ids([1])
    frame.create_object("d", "new", detection_box=RBBox(5, 5, 5, 5))
    frame.restore_geometry(saved)
    assert [found.detection_box for found in frame.get_all_objects()] == [BOX, BOX, RBBox(5, 5, 5, 5)]


def test_moving_boxes_leaves_size_and_chain(frame):
    frame.get_object(0).track_box = BOX
    frame.move_boxes((2, 0.5), (1, -1))
    assert frame.get_object(0).detection_box == frame.get_object(0).track_box == BBox(21, 9, 60, 20)
    assert frame.get_object(1).track_box is None
    frame.check_pristine()
