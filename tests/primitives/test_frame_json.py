from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from picasso.errors import MetadataError
from picasso.primitives import (
    Attribute,
    AttributeValue,
    BBox,
    RBBox,
    VideoFrame,
    VideoFrameContent,
)
from picasso.testing import attribute_values, video_frames


def same(a, b):
    """Equality of parsed JSON in which NaN equals itself: it is written as text."""
    return json.loads(a.json) == json.loads(b.json)


@given(video_frames(wild=True))
def test_json_there_and_back(frame):
    back = VideoFrame.from_json(frame.json)
    assert back.json == frame.json
    assert back.uuid == frame.uuid
    assert back.transformations == frame.transformations
    assert back.content == frame.content
    assert back.object_column("draw_label") == frame.object_column("draw_label")
    assert back.object_column("parent_id") == frame.object_column("parent_id")
    assert_array_equal(back.detection_boxes(), frame.detection_boxes())


@given(video_frames(wild=True))
def test_every_form_is_the_same_frame(frame):
    for back in (
        VideoFrame.from_json(frame.json_line()),
        VideoFrame.from_json(frame.json_pretty),
        VideoFrame.from_dict(frame.to_dict()),
        VideoFrame.from_dict(json.loads(frame.json)),
        frame.copy(),
    ):
        assert same(back, frame)


@given(attribute_values())
def test_values_there_and_back(value):
    frame = VideoFrame("cam", "30/1", 4, 2)
    frame.set_persistent_attribute("a", "b", values=[value])
    (back,) = VideoFrame.from_json(frame.json).get_attribute("a", "b").values
    assert repr(back) == repr(value)  # NaN is not equal to itself, but reads alike


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf], ids=str)
def test_what_json_cannot_write_survives(number):
    frame = VideoFrame("cam", "30/1", 4, 2)
    frame.create_object("d", "car", detection_box=RBBox(number, 1, 2, 3), track_box=RBBox(1, number, 2, 3))
    frame.set_persistent_attribute("a", "b", values=[AttributeValue.floats([number], number)])

    def refuse(text):
        raise AssertionError(f"{text} is not JSON")

    json.loads(frame.json, parse_constant=refuse)
    back = VideoFrame.from_json(frame.json)
    assert repr(back.get_object(0).detection_box) == repr(frame.get_object(0).detection_box)
    assert repr(back.get_object(0).track_box) == repr(frame.get_object(0).track_box)
    assert repr(back.get_attribute("a", "b")) == repr(frame.get_attribute("a", "b"))


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("number", [1e300, -1e300, math.inf])
def test_numbers_that_no_box_can_hold_are_read_as_a_box_takes_them(number, place):
    frame = VideoFrame("cam", "30/1", 4, 2)
    frame.create_object("d", "car", detection_box=RBBox(1, 1, 2, 3), confidence=0.5)
    tree = frame.to_dict()
    tree["objects"][0]["detection_box"] = [*(number if at == place else 1.0 for at in range(4)), None]
    tree["objects"][0]["confidence"] = 1e300
    back = VideoFrame.from_dict(tree)
    assert repr(back.get_object(0).detection_box) == repr(RBBox(*tree["objects"][0]["detection_box"]))
    assert back.get_detections().confidences.tolist() == [math.inf]
    assert back.get_detections().xywha[0, place] == np.float32(math.copysign(math.inf, number))


def test_temporary_things_are_left_out():
    frame = VideoFrame("cam", "30/1", 4, 2)
    kept = [AttributeValue.temporary_python_object(object()), AttributeValue.integer(1)]
    frame.set_persistent_attribute("a", "kept", values=kept)
    frame.set_temporary_attribute("a", "left")
    back = VideoFrame.from_json(frame.json)
    assert back.attributes == [("a", "kept")]
    assert back.get_attribute("a", "kept").values == [AttributeValue.integer(1)]


def test_the_shape_of_the_json():
    frame = VideoFrame("cam", "30/1", 4, 2, VideoFrameContent.internal(b"abc"), codec="h264", pts=5)
    parent = frame.create_object("d", "car", None, 0.5, RBBox(1, 2, 3, 4, 5), 7, RBBox(1, 2, 3, 4))
    frame.create_object("d", "plate", parent.id, detection_box=BBox(1, 2, 3, 4))
    frame.set_persistent_attribute("a", "b", True, "hint", [AttributeValue.integer(3, 0.5), AttributeValue.none()])
    fields = json.loads(frame.json)
    assert fields.pop("uuid") == frame.uuid
    assert fields.pop("creation_timestamp_ns") == frame.creation_timestamp_ns
    assert fields == {
        "source_id": "cam",
        "framerate": "30/1",
        "width": 4,
        "height": 2,
        "time_base": [1, 1000000],
        "pts": 5,
        "dts": None,
        "duration": None,
        "codec": "h264",
        "keyframe": None,
        "transcoding_method": "copy",
        "content": {"kind": "internal", "data": "YWJj"},
        "previous_frame_seq_id": None,
        "previous_keyframe_uuid": None,
        "transformations": [{"step": "initial_size", "values": [4, 2]}],
        "attributes": [
            {
                "namespace": "a",
                "name": "b",
                "values": [{"integer": 3, "confidence": 0.5}, {}],
                "hint": "hint",
                "is_hidden": True,
            }
        ],
        "objects": [
            {
                "id": 0,
                "namespace": "d",
                "label": "car",
                "detection_box": [1.0, 2.0, 3.0, 4.0, 5.0],
                "confidence": 0.5,
                "track_id": 7,
                "track_box": [1.0, 2.0, 3.0, 4.0, None],
            },
            {"id": 1, "namespace": "d", "label": "plate", "detection_box": [1.0, 2.0, 3.0, 4.0, None], "parent_id": 0},
        ],
    }
    assert json.loads(frame.json_pretty) == json.loads(frame.json)
    assert "\n  " in frame.json_pretty


def test_what_a_sender_noted_is_kept():
    fields = VideoFrame("cam", "30/1", 4, 2).to_dict()
    fields.update(previous_frame_seq_id=5, previous_keyframe_uuid=fields["uuid"])
    frame = VideoFrame.from_dict(fields)
    assert (frame.previous_frame_seq_id, frame.previous_keyframe_uuid) == (5, fields["uuid"])


def changed(path, value):
    """Return the fields of a frame with two objects and one of them replaced, added or (``...``) removed."""
    frame = VideoFrame("cam", "30/1", 4, 2, VideoFrameContent.external("s3", "there"))
    frame.set_persistent_attribute("a", "b", values=[AttributeValue.integer(3)])
    frame.create_object("d", "car", detection_box=BBox(1, 2, 3, 4))
    frame.create_object("d", "car", 0, detection_box=BBox(1, 2, 3, 4), attributes=[Attribute("a", "b")])
    fields = frame.to_dict()
    *way, last = path
    place = fields
    for key in way:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return fields


ATTRIBUTE = {"namespace": "a", "name": "b"}
POLYGON = {"vertices": [[0, 0], [1, 0], [0, 1]], "tags": ["a"]}


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (["width"], 0, "$.width"),
        (["width"], 10**12, "$.width"),
        (["height"], "2", "$.height"),
        (["height"], 2.5, "$.height"),
        (["pts"], -1, "$.pts"),
        (["pts"], 10**30, "$.pts"),
        (["dts"], True, "$.dts"),
        (["source_id"], None, "$.source_id"),
        (["source_id"], ..., "source_id"),
        (["uuid"], "no", "$.uuid"),
        (["framerate"], "30", "$.framerate"),
        (["framerate"], "0/1", "$.framerate"),
        (["time_base"], [1], "$.time_base"),
        (["time_base"], [0, 1], "$.time_base[0]"),
        (["colour"], 1, "colour"),
        (["transcoding_method"], "move", "$.transcoding_method"),
        (["keyframe"], 1, "$.keyframe"),
        (["content"], {"kind": "void"}, "$.content.kind"),
        (["content", "method"], ..., "$.content"),
        (["transformations", 0, "step"], "scale", "$.transformations[0].step"),
        (["transformations", 0, "values"], [4], "$.transformations[0].values"),
        (["transformations", 0, "values", 1], 0, "$.transformations[0].values[1]"),
        (["attributes", 0, "values", 0, "integer"], 2**63, "$.attributes[0].values[0].integer"),
        (["attributes", 0, "values", 0, "integer"], "3", "$.attributes[0].values[0].integer"),
        (["attributes", 0, "values", 0, "string"], "x", "$.attributes[0].values[0]"),
        (["attributes", 0, "values", 0], {"bytes": {"dims": [], "blob": "?"}}, "$.attributes[0].values[0].bytes.blob"),
        (["attributes", 0, "values", 0], {"polygon": POLYGON}, "$.attributes[0].values[0].polygon"),
        (["attributes", 0, "values", 0], {"points": [[1]]}, "$.attributes[0].values[0].points[0]"),
        (["attributes"], [ATTRIBUTE, ATTRIBUTE], "$.attributes[1]"),
        (["objects", 0, "id"], 2**63, "$.objects[0].id"),
        (["objects", 1, "id"], 0, "$.objects[1].id"),
        (["objects", 1, "parent_id"], 5, "$.objects[1].parent_id"),
        (["objects", 0, "parent_id"], 1, "$.objects[0].parent_id"),
        (["objects", 0, "detection_box"], ..., "$.objects[0]"),
        (["objects", 0, "detection_box"], [1, 2, 3, 4], "$.objects[0].detection_box"),
        (["objects", 0, "detection_box", 2], None, "$.objects[0].detection_box[2]"),
        (["objects", 0, "detection_box", 2], "NaN", "$.objects[0].detection_box[2]"),
        (["objects", 0, "track_id"], -(2**63), "$.objects[0].track_id"),
        (["objects", 0, "label"], ["car"], "$.objects[0].label"),
        (["objects", 1, "attributes", 0, "name"], 5, "$.objects[1].attributes[0].name"),
        (["objects"], {}, "$.objects"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, list | dict) else str(value),
)
def test_bad_fields_name_their_place(path, value, place):
    fields = changed(path, value)
    for read in (lambda: VideoFrame.from_dict(fields), lambda: VideoFrame.from_json(json.dumps(fields))):
        with pytest.raises(MetadataError) as raised:
            read()
        assert place in str(raised.value)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "1", '"x"', "{}", b"\xff\xfe", "\ud800", "[" * 100_000, '{"x":' * 100_000, "NaN"],
    ids=[
        "empty",
        "cut",
        "list",
        "null",
        "number",
        "text",
        "no-fields",
        "bytes",
        "surrogate",
        "deep",
        "deep-dict",
        "nan",
    ],
)
def test_what_is_no_frame_is_refused(text):
    with pytest.raises(MetadataError, match="frame: "):
        VideoFrame.from_json(text)


@given(st.data())
def test_damaged_json_is_refused_or_read(data):
    """No cut and no replacement makes the reader raise another exception."""
    text = json.dumps(changed(["pts"], 5)).encode()
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, min(len(text), start + 12)))
    damaged = text[:start] + data.draw(st.binary(max_size=4)) + text[stop:]
    try:
        frame = VideoFrame.from_json(damaged)
    except MetadataError:
        return
    assert VideoFrame.from_json(frame.json).json == frame.json
