"""Messages to bytes and back: nothing is lost but what the protocol does not have, and hostile bytes are one error."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

import picasso.wire.codec
from picasso.errors import ProtocolError
from picasso.primitives import (
    Attribute,
    AttributeUpdatePolicy,
    AttributeValue,
    EndOfStream,
    Message,
    ObjectUpdatePolicy,
    Orientation,
    RBBox,
    Shutdown,
    UserData,
    VideoFrame,
    VideoFrameBatch,
    VideoFrameContent,
    VideoFrameTransformation,
    VideoFrameUpdate,
    VideoObject,
    load_message_from_bytes,
    save_message_to_bytes,
)
from picasso.testing import attributes, video_frames
from picasso.wire import decode_message, encode_message
from picasso.wire.codec import limits
from picasso.wire.codec.numbers import varint
from picasso.wire.codec.schema import protocol_class

CODEC = Path(picasso.wire.codec.__file__).parent
TEXTS = st.text(max_size=6)
AROUND_POWERS = [2**power + step for power in range(7, 64, 7) for step in (-1, 0, 1)]
"""Where a number of variable length becomes a byte longer."""


@given(st.integers(1, 2**64 - 1) | st.sampled_from(AROUND_POWERS))
def test_a_number_has_the_bytes_that_the_library_writes(number):
    assert b"\x20" + varint(number) == protocol_class("Message")(seq_id=number).SerializeToString()


def singles(document):
    """The numbers of a document as float32 has them: the protocol carries no more for boxes, points, confidences."""
    if isinstance(document, dict):
        return {key: value if key in ("float", "floats") else singles(value) for key, value in document.items()}
    if isinstance(document, list):
        return [singles(item) for item in document]
    if isinstance(document, float):
        with np.errstate(over="ignore"):
            number = float(np.float32(document))
        return number if math.isfinite(number) else str(number)
    return document


def told(frame: VideoFrame) -> dict:
    """What a frame says, in the numbers of the protocol; a box without an angle has one kind, a turn is not a step."""
    fields = json.loads(frame.json)
    for attribute in fields["attributes"] + [a for found in fields["objects"] for a in found.get("attributes", [])]:
        for value in attribute.get("values", []):
            for plain, turned in (("bbox", "rbbox"), ("bboxes", "rbboxes")):
                if plain in value:
                    boxes = value.pop(plain)
                    value[turned] = [*boxes, None] if plain == "bbox" else [[*box, None] for box in boxes]
            if value.get("confidence") == "nan":
                del value["confidence"]
    return singles(fields)


def plain_frames():
    """Frames that the protocol can carry whole."""
    return video_frames(wild=True).filter(
        lambda frame: max(frame.time_base) < 2**31 and not any(step.is_orientation for step in frame.transformations)
    )


def assert_same(back: VideoFrame, frame: VideoFrame) -> None:
    assert told(back) == told(frame)
    assert_array_equal(back.detection_boxes(), frame.detection_boxes())
    is_tracked = ~np.isnan(frame.track_boxes()[:, 0])  # one without a centre is none
    assert_array_equal(back.track_boxes()[is_tracked], frame.track_boxes()[is_tracked])


@given(plain_frames())
def test_a_frame_goes_through_bytes(frame):
    assert_same(VideoFrame.from_protobuf(frame.to_protobuf()), frame)


@given(plain_frames())
def test_the_library_of_protobuf_reads_what_is_written_by_hand(frame):
    parsed = protocol_class("VideoFrame").FromString(frame.to_protobuf())
    assert (parsed.source_id, parsed.uuid, parsed.pts) == (frame.source_id, frame.uuid, frame.pts)
    assert [each.id for each in parsed.objects] == frame.object_ids().tolist()
    assert [each.detection_box.HasField("angle") for each in parsed.objects] == (
        ~np.isnan(frame.detection_boxes()[:, 4])
    ).tolist()
    assert_same(VideoFrame.from_protobuf(parsed.SerializeToString()), frame)  # zeros left out, as peers do


@given(st.data())
def test_every_kind_of_message_goes_through_bytes(data):
    frame = data.draw(plain_frames())
    batch = VideoFrameBatch()
    for number in data.draw(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=2)):
        batch.add(number, frame)
    update = VideoFrameUpdate()
    update.frame_attribute_policy = data.draw(st.sampled_from(AttributeUpdatePolicy))
    update.object_attribute_policy = data.draw(st.sampled_from(AttributeUpdatePolicy))
    update.object_policy = data.draw(st.sampled_from(ObjectUpdatePolicy))
    for attribute in data.draw(st.lists(attributes(persistent=None), max_size=2)):
        update.add_frame_attribute(attribute)
        update.add_object_attribute(data.draw(st.integers(-(2**63), 2**63 - 1)), attribute)
    for found in frame.get_all_objects():
        update.add_object(found.detached_copy(), data.draw(st.none() | st.integers(-(2**63), 2**63 - 1)))
    content = data.draw(
        st.sampled_from([frame, batch, update])
        | st.builds(UserData, TEXTS, st.lists(attributes(persistent=None), max_size=3))
        | st.builds(EndOfStream, TEXTS)
        | st.builds(Shutdown, TEXTS)
        | TEXTS
    )
    message = Message(
        content,
        labels=data.draw(st.lists(TEXTS, max_size=3)),
        span_context=data.draw(st.dictionaries(TEXTS, TEXTS, max_size=3)),
        seq_id=data.draw(st.integers(0, 2**64 - 1)),
        system_id=data.draw(TEXTS),
    )
    written = encode_message(message)
    back = decode_message(written)
    for name in ("kind", "labels", "span_context", "seq_id", "system_id", "source_id"):
        assert getattr(back, name) == getattr(message, name)
    assert encode_message(back) == written or isinstance(content, VideoFrameBatch)
    if isinstance(content, VideoFrame):
        assert_same(back.as_video_frame(), frame)
    elif isinstance(content, VideoFrameBatch):
        assert sorted(back.content.ids) == sorted(batch.ids)
        for number in batch.ids:
            assert_same(back.content.get(number), frame)
    elif isinstance(content, VideoFrameUpdate):
        assert back.content.objects == [] or back.content.objects[0].parent_id == update.objects[0].parent_id
        assert back.content.object_policy == update.object_policy
    elif isinstance(content, UserData):
        assert set(back.content.persistent_copy()._attribute_table()) == set(
            content.persistent_copy()._attribute_table()
        )
    else:
        assert back.content == content


def test_presence_is_kept():
    bare = VideoFrame("cam", "30/1", 4, 2, time_base=(1, 10**9))
    full = VideoFrame(
        "cam",
        "30/1",
        4,
        2,
        VideoFrameContent.internal(b""),
        codec="",
        keyframe=False,
        dts=0,
        duration=0,
        time_base=(1, 2),
    )
    bare.create_object("", "", detection_box=RBBox(0, 0, 0, 0))
    found = full.create_object("", "", None, 0.0, RBBox(0, 0, 0, 0, 0), 0, RBBox(0, 0, 0, 0, 0))
    found.draw_label = ""
    full.create_object("", "", 0, detection_box=RBBox(0, 0, 0, 0))
    full.set_persistent_attribute("", "", False, "", [AttributeValue.float(0.0, 0.0)])
    bare_back, full_back = (VideoFrame.from_protobuf(frame.to_protobuf()) for frame in (bare, full))
    assert (bare_back.codec, bare_back.keyframe, bare_back.dts, bare_back.duration) == (None, None, None, None)
    assert (full_back.codec, full_back.keyframe, full_back.dts, full_back.duration) == ("", False, 0, 0)
    assert (bare_back.content.is_none(), full_back.content.is_internal()) == (True, True)
    (plain,), (first, second) = bare_back.get_all_objects(), full_back.get_all_objects()
    assert (plain.confidence, plain.track_id, plain.track_box, plain.parent_id) == (None, None, None, None)
    assert (plain.detection_box.angle, first.detection_box.angle, first.track_box.angle) == (None, 0.0, 0.0)
    assert (first.confidence, first.track_id, second.parent_id) == (0.0, 0, 0)
    assert full_back.object_column("draw_label") == ["", ""]
    attribute = full_back.get_attribute("", "")
    assert (attribute.hint, attribute.values[0].confidence) == ("", 0.0)


def test_temporary_attributes_stay_here():
    frame = VideoFrame("cam", "30/1", 4, 2)
    frame.set_temporary_attribute("a", "b")
    frame.set_persistent_attribute("a", "c", values=[AttributeValue.temporary_python_object(object())])
    found = frame.create_object("d", "e", detection_box=RBBox(1, 2, 3, 4))
    found.set_temporary_attribute("a", "b")
    back = VideoFrame.from_protobuf(frame.to_protobuf())
    assert frame.attributes == [("a", "b"), ("a", "c")]
    assert back.attributes == [("a", "c")]
    assert back.get_attribute("a", "c").values[0].kind == "temporary_python_object"
    assert back.get_all_objects()[0].attributes == []
    data = UserData("cam", [Attribute.temporary("a", "b"), Attribute.persistent("a", "c", is_hidden=True)])
    assert data.to_message().as_user_data()._attribute_table().keys() == {("a", "c")}
    assert UserData.from_protobuf(data.to_protobuf()).has_attribute("a", "c")


def test_what_turned_a_picture_is_sent_as_its_initial_size():
    frame = VideoFrame("cam", "30/1", 100, 50)
    frame.clear_transformations()
    for step in (
        VideoFrameTransformation.initial_size(60, 110),
        VideoFrameTransformation.padding(1, 2, 3, 4),
        VideoFrameTransformation.orientation(Orientation(90)),
        VideoFrameTransformation.letter_box(100, 50, 0, 0, 0, 0),
    ):
        frame.add_transformation(step)
    assert VideoFrame.from_protobuf(frame.to_protobuf()).transformations == [
        VideoFrameTransformation.initial_size(116, 64),
        VideoFrameTransformation.letter_box(100, 50, 0, 0, 0, 0),
    ]


def test_a_time_base_is_reduced_to_32_bits_or_refused():
    frame = VideoFrame("cam", "30/1", 4, 2, time_base=(10, 10**10))
    assert VideoFrame.from_protobuf(frame.to_protobuf()).time_base == (1, 10**9)
    with pytest.raises(ProtocolError, match="time_base: 1/10000000000 does not fit"):
        VideoFrame("cam", "30/1", 4, 2, time_base=(1, 10**10)).to_protobuf()


def test_a_message_shares_its_frame():
    frame = VideoFrame("cam", "30/1", 4, 2)
    message = frame.to_message()
    frame.pts = 7
    assert load_message_from_bytes(save_message_to_bytes(message)).as_video_frame().pts == 7


def frame_bytes(**fields) -> bytes:
    """A message that holds a frame with these fields, others as they should be."""
    frame = protocol_class("VideoFrame")(
        source_id="cam", uuid="01a229ba-9114-707e-96d0-bda7b8201166", framerate="30/1", width=4, height=2
    )
    frame.time_base_numerator, frame.time_base_denominator = 1, 1000
    frame.MergeFrom(protocol_class("VideoFrame")(**fields))
    return protocol_class("Message")(protocol_version="0.2.0", video_frame=frame).SerializeToString()


BOX = {"xc": 1}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "none of the kinds"),
        (b"\x00", "Error parsing"),
        (b"not a message", "Error parsing"),
        (b"\x2a\xff\xff\xff\xff\x0f", "Error parsing"),
        (b"\x0a\x01\xff", "UTF-8"),
        (b"\x0a\x050.2.0", "none of the kinds"),
        (frame_bytes(width=-1), "width and height: expected 1 to 2147483647, got -1 and 2"),
        (frame_bytes(height=2**31), "got 4 and 2147483648"),
        (frame_bytes(framerate="x"), "framerate: expected two whole numbers > 0 as '30/1', got 'x'"),
        (frame_bytes(framerate="1/0"), "framerate"),
        (frame_bytes(uuid="?"), r"uuid: expected a UUID, got '\?'"),
        (frame_bytes(previous_keyframe="?"), "previous_keyframe: expected a UUID"),
        (frame_bytes(pts=-1), "pts: expected at least 0, got -1"),
        (frame_bytes(dts=-5), "dts: expected at least 0, got -5"),
        (frame_bytes(duration=-5), "duration"),
        (frame_bytes(time_base_numerator=-1), "time_base: expected two numbers > 0, got -1 and 1000"),
        (frame_bytes(transcoding_method=7), "transcoding_method"),
        (frame_bytes(creation_timestamp_ns_high=1), "creation_timestamp_ns: 18446744073709551616"),
        (frame_bytes(transformations=[{"initial_size": {"width": 4}}]), "transformations: initial_size: height"),
        (frame_bytes(transformations=[{"crop": {"left": 2**63}}]), "transformations: crop: left"),
        (frame_bytes(objects=[{"id": 3}]), "object 3 has no detection box"),
        (frame_bytes(objects=[{"id": 3, "detection_box": BOX}] * 2), "object 3 is there twice"),
        (frame_bytes(objects=[{"id": 3, "detection_box": BOX, "parent_id": 4}]), "parent 4 of object 3 is not there"),
        (frame_bytes(objects=[{"id": 3, "detection_box": BOX, "parent_id": 3}]), "object 3 hangs below itself"),
        (
            frame_bytes(attributes=[{"name": "b", "values": [{"intersection": {"data": {"kind": 9}}}]}]),
            "frame: attribute '', 'b': 9 is not a valid IntersectionKind",
        ),
        (
            frame_bytes(attributes=[{"values": [{"polygon": {"data": {"tags": {"tags": [{}]}}}}]}]),
            "must have the same length",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_bytes_that_hold_no_message_are_one_error(data, message):
    with pytest.raises(ProtocolError, match=message):
        decode_message(data)
    unknown = load_message_from_bytes(data)
    assert unknown.is_unknown()
    assert unknown.as_unknown()


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_one_error(data):
    try:
        decode_message(data)
    except ProtocolError:
        return


@given(plain_frames(), st.data())
def test_a_message_that_was_damaged_is_a_message_or_one_error(frame, data):
    written = bytearray(encode_message(frame.to_message()))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(written) - 1))
        match data.draw(st.sampled_from(["change", "cut", "insert", "repeat"])):
            case "change":
                written[at] = data.draw(st.integers(0, 255))
            case "cut":
                del written[at : at + data.draw(st.integers(1, 8))]
            case "insert":
                written[at:at] = data.draw(st.binary(max_size=8))
            case "repeat":
                written += written[at:]
        assume(written)
    try:
        back = decode_message(bytes(written))
    except ProtocolError:
        return
    encode_message(back)
    if back.is_video_frame():
        assert_array_equal(VideoFrame.from_protobuf(back.content.to_protobuf()).object_ids(), back.content.object_ids())


@pytest.mark.parametrize(
    "part",
    [
        b"\xca\x01\x02\x32\x00",  # an object with an empty box
        b"\xc2\x01\x02\x1a\x00",  # an attribute with an empty value
        b"\xba\x01\x00",  # a transformation
    ],
    ids=["objects", "attributes", "steps"],
)
def test_more_parts_than_the_limit_are_refused_before_memory_is_taken(part, monkeypatch):
    monkeypatch.setattr(limits, "MAX_PARTS", 30_000)
    written = part * 40_000
    message = b"\x2a" + bytes((len(written) & 127 | 128, len(written) >> 7 & 127 | 128, len(written) >> 14)) + written
    with pytest.raises(ProtocolError, match="more than 30000 parts"):
        decode_message(message)


def test_numbers_in_lists_count_and_payloads_do_not(monkeypatch):
    monkeypatch.setattr(limits, "MAX_PARTS", 1000)
    frame = VideoFrame("cam", "30/1", 4, 2, VideoFrameContent.internal(bytes(200_000)))
    frame.set_persistent_attribute("a", "b", values=[AttributeValue.bytes([1], bytes(200_000))])
    assert decode_message(encode_message(frame.to_message())).content.content == frame.content
    frame.set_persistent_attribute("a", "c", values=[AttributeValue.booleans([True] * 9_000)])
    with pytest.raises(ProtocolError, match="more than 1000 parts"):
        decode_message(encode_message(frame.to_message()))


def test_more_bytes_than_the_limit_are_refused():
    with pytest.raises(ProtocolError, match="11 bytes; at most 10 are read"):
        decode_message(bytes(11), max_bytes=10)


def test_newer_peers_are_read():
    message = protocol_class("Message").FromString(frame_bytes(pts=5))
    message.protocol_version = "9.9.9"
    extra = b"\xf8\x07\x05" + b"\xfa\x07\x03abc" + b"\xfd\x07abcd" + b"\xf9\x07abcdefgh"  # number 127, every kind
    newer = message.SerializeToString() + extra
    assert decode_message(newer).as_video_frame().pts == 5
    inside = protocol_class("VideoFrame").FromString(message.video_frame.SerializeToString() + extra)
    box = protocol_class("BoundingBox").FromString(protocol_class("BoundingBox")(xc=3).SerializeToString() + extra)
    inside.objects.add(id=1).detection_box.CopyFrom(box)
    value = protocol_class("AttributeValue").FromString(extra)
    inside.attributes.add(name="new").values.append(value)
    inside.transformations.append(protocol_class("Transformation").FromString(extra))
    back = VideoFrame.from_protobuf(inside.SerializeToString())
    assert back.get_object(1).detection_box == RBBox(3, 0, 0, 0)
    assert back.get_attribute("", "new").values[0].is_none()
    assert back.transformations == []


@pytest.mark.parametrize(
    "kind", [VideoFrame, VideoFrameBatch, VideoFrameUpdate, UserData], ids=lambda kind: kind.__name__
)
def test_parts_say_what_they_are_not(kind):
    with pytest.raises(RuntimeError, match=r"Failed to deserialize (video frame|user data).* from protobuf"):
        kind.from_protobuf(b"\xff")
    with pytest.raises(TypeError, match="expected bytes, got str"):
        kind.from_protobuf("text")


def test_objects_go_through_bytes_alone():
    found = VideoObject(
        -5, "ns", "l", RBBox(1, 2, 3, 4, 5), [Attribute.persistent("a", "b")], 0.5, 9, RBBox(0, 0, 1, 1)
    )
    back = VideoObject.from_protobuf(found.to_protobuf())
    assert repr(back) == repr(found)
    assert back.attributes == [("a", "b")]
    frame = VideoFrame("cam", "30/1", 4, 2)
    frame.add_object(found)
    child = frame.create_object("ns", "child", -5, detection_box=RBBox(1, 1, 1, 1))
    assert VideoObject.from_protobuf(child.to_protobuf()).label == "child"


def test_the_compiled_schema_is_that_of_its_text(tmp_path):
    pytest.importorskip("grpc_tools", reason="compiling the schema needs grpcio-tools")
    line = [sys.executable, "-m", "grpc_tools.protoc", f"-I{CODEC}", f"--descriptor_set_out={tmp_path / 'out'}"]
    subprocess.run([*line, "protocol.proto"], check=True, cwd=CODEC)
    assert (tmp_path / "out").read_bytes() == (CODEC / "protocol.binpb").read_bytes()
