"""Any sequence of additions, changes and removals, against a plain dict of dicts."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from picasso.primitives import (
    Attribute,
    AttributeValue,
    BBox,
    IdCollisionResolutionPolicy,
    VideoFrame,
    VideoObject,
)

labels = st.sampled_from(["car", "bus", "van"])
box_values = st.tuples(*[st.integers(0, 500)] * 4)
track_ids = st.none() | st.integers(0, 9)
picks = st.integers(0, 10**6)


class FrameModel(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.frame = VideoFrame("cam", "30/1", 640, 480)
        self.model = {}
        self.next_id = 0

    def picked(self, pick):
        ids = list(self.model)
        return ids[pick % len(ids)] if ids else None

    def expect(self, object_id, label, box, track_id=None, attributes=()):
        self.model[object_id] = {
            "label": label,
            "box": box,
            "track_id": track_id,
            "parent": None,
            "attributes": list(attributes),
        }
        self.next_id = max(self.next_id, object_id + 1)

    @rule(label=labels, box=box_values, track_id=track_ids)
    def create(self, label, box, track_id):
        made = self.frame.create_object("d", label, detection_box=BBox(*box), track_id=track_id)
        assert made.id == self.next_id
        self.expect(made.id, label, box, track_id)

    @rule(
        object_id=st.integers(0, 30), label=labels, box=box_values, policy=st.sampled_from(IdCollisionResolutionPolicy)
    )
    def add(self, object_id, label, box, policy):
        loose = VideoObject(object_id, "d", label, BBox(*box), [Attribute("a", "b", [AttributeValue.integer(1)])])
        taken = object_id in self.model
        if taken and policy == IdCollisionResolutionPolicy.Error:
            with pytest.raises(ValueError, match="already"):
                self.frame.add_object(loose, policy)
            return
        expected = self.next_id if taken and policy == IdCollisionResolutionPolicy.GenerateNewId else object_id
        assert self.frame.add_object(loose, policy).id == expected
        self.expect(expected, label, box, attributes=[("a", "b")])

    @rule(boxes=st.lists(box_values, max_size=40), label=labels)
    def add_detections(self, boxes, label):
        xyxy = [BBox.ltwh(*box).as_ltrb() for box in boxes]
        ids = self.frame.add_detections("d", xyxy, label).tolist()
        assert ids == list(range(self.next_id, self.next_id + len(boxes)))
        for object_id, (left, top, width, height) in zip(ids, boxes, strict=True):
            self.expect(object_id, label, (left + width / 2, top + height / 2, width, height))

    @rule(pick=picks, label=labels, box=box_values, track_id=track_ids)
    def change(self, pick, label, box, track_id):
        object_id = self.picked(pick)
        if object_id is None:
            return
        found = self.frame.get_object(object_id)
        found.label, found.detection_box, found.track_id = label, BBox(*box), track_id
        found.set_attribute(Attribute("a", "c"))
        entry = self.model[object_id]
        entry.update(label=label, box=box, track_id=track_id)
        if ("a", "c") not in entry["attributes"]:
            entry["attributes"].append(("a", "c"))

    @rule(child=picks, parent=picks)
    def set_parent(self, child, parent):
        child, parent = self.picked(child), self.picked(parent)
        if child is None:
            return
        line, ancestor = [], parent
        while ancestor is not None:
            line.append(ancestor)
            ancestor = self.model[ancestor]["parent"]
        if child in line:
            with pytest.raises(ValueError, match="hang below itself"):
                self.frame.set_parent_by_id(child, parent)
        else:
            self.frame.set_parent_by_id(child, parent)
            self.model[child]["parent"] = parent

    @rule(drawn=st.lists(picks, max_size=5))
    def delete(self, drawn):
        ids = {self.picked(pick) for pick in drawn} - {None}
        removed = self.frame.delete_objects_with_ids(ids)
        assert {loose.id for loose in removed} == ids
        for object_id in ids:
            del self.model[object_id]
        for entry in self.model.values():
            if entry["parent"] in ids:
                entry["parent"] = None

    @rule(label=labels)
    def delete_by_label(self, label):
        self.delete_all([object_id for object_id, entry in self.model.items() if entry["label"] == label], label)

    def delete_all(self, ids, label):
        assert [loose.id for loose in self.frame.delete_objects(lambda found: found.label == label)] == ids
        self.model = {key: entry for key, entry in self.model.items() if key not in ids}
        for entry in self.model.values():
            if entry["parent"] in ids:
                entry["parent"] = None

    @rule()
    def copy(self):
        self.frame = self.frame.copy()

    @rule()
    def through_json(self):
        self.frame = VideoFrame.from_json(self.frame.json)
        self.next_id = max([-1, *self.model]) + 1

    @invariant()
    def same(self):
        assert self.frame.object_count == len(self.model)
        assert self.frame.object_ids().tolist() == self.frame.get_all_objects().ids == list(self.model)
        for found in self.frame.get_all_objects():
            entry = self.model[found.id]
            assert found.label == entry["label"]
            assert found.detection_box == BBox(*entry["box"])
            assert (found.track_id, found.track_box) == (entry["track_id"], None)
            assert found.parent_id == entry["parent"]
            assert found.attributes == entry["attributes"]


TestFrameModel = FrameModel.TestCase
TestFrameModel.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
