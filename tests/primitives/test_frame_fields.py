from __future__ import annotations

import copy
import gc
import pickle
import time
import uuid
import weakref

import msgspec
import pytest

from picasso.primitives import (
    EndOfStream,
    MatchQuery,
    RBBox,
    VideoFrame,
    VideoFrameContent,
    VideoFrameTranscodingMethod,
    VideoFrameTransformation,
)
from picasso.primitives.enums import NamedNativeEnum
from picasso.primitives.frame_state import FrameState, frames_like
from picasso.primitives.orientation import Orientation


class Codec(NamedNativeEnum):
    HEVC = 1


def a_frame(**changes):
    return VideoFrame(**{"source_id": "cam", "framerate": "30/1", "width": 640, "height": 480, **changes})


def test_defaults():
    frame = VideoFrame("cam", "30/1", 640, 480, VideoFrameContent.none())
    assert (frame.source_id, frame.framerate, frame.fps) == ("cam", "30/1", (30, 1))
    assert (frame.width, frame.height) == (640, 480)
    assert frame.content.is_none()
    assert frame.transcoding_method == VideoFrameTranscodingMethod.Copy == 0
    assert (frame.codec, frame.keyframe, frame.dts, frame.duration) == (None, None, None, None)
    assert (frame.time_base, frame.pts) == ((1, 1_000_000), 0)
    assert (frame.previous_frame_seq_id, frame.previous_keyframe_uuid) == (None, None)
    assert frame.transformations == [VideoFrameTransformation.initial_size(640, 480)]
    assert abs(frame.creation_timestamp_ns - time.time_ns()) < 60e9
    assert not frame.has_objects()
    assert frame.attributes == []


def test_all_positional():
    method = VideoFrameTranscodingMethod.Encoded
    content = VideoFrameContent.internal(b"x")
    frame = VideoFrame("cam", "25/2", 4, 2, content, method, "H264", True, (1, 1000), 5, 4, 3)
    assert (frame.content, frame.transcoding_method, frame.codec, frame.keyframe) == (content, method, "h264", True)
    assert (frame.time_base, frame.pts, frame.dts, frame.duration) == ((1, 1000), 5, 4, 3)
    assert frame.fps == (25, 2)


@pytest.mark.parametrize(
    "rate", [{"framerate": "30/1"}, {"framerate": (30, 1)}, {"fps": (30, 1)}, {"fps": [30, 1]}], ids=str
)
def test_framerate_and_fps_are_one(rate):
    frame = VideoFrame("cam", width=4, height=2, **rate)
    assert (frame.framerate, frame.fps) == ("30/1", (30, 1))
    frame.framerate = "30000/1001"
    assert frame.fps == (30000, 1001)
    frame.fps = (15, 1)
    assert frame.framerate == "15/1"


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"width": 0}, ValueError, "width: must be at least 1, got 0"),
        ({"height": -1}, ValueError, "height: must be at least 1, got -1"),
        ({"width": 2**31}, OverflowError, "width: 2147483648 does not fit"),
        ({"width": 1.5}, TypeError, "width: expected int, got 1.5"),
        ({"height": "480"}, TypeError, "height: expected int, got '480'"),
        ({"time_base": (0, 1)}, ValueError, "time_base: must be at least 1, got 0"),
        ({"time_base": (1, -1)}, ValueError, "time_base: must be at least 1, got -1"),
        ({"pts": -1}, ValueError, "pts: must be at least 0, got -1"),
        ({"dts": -1}, ValueError, "dts: must be at least 0, got -1"),
        ({"duration": -1}, ValueError, "duration: must be at least 0, got -1"),
        ({"pts": 2**63}, OverflowError, "pts"),
        ({"pts": None}, TypeError, "pts: expected int, got None"),
        ({"source_id": 1}, TypeError, "source_id: expected str, got int"),
        ({"source_id": "cam\udc80"}, ValueError, "source_id: .* cannot be written as UTF-8"),
        ({"framerate": "30"}, ValueError, "framerate: expected '30/1' or .30, 1., got '30'"),
        ({"framerate": "30/x"}, ValueError, "framerate"),
        ({"framerate": "0/1"}, ValueError, "framerate: both parts must be positive, got '0/1'"),
        ({"framerate": (30, -1)}, ValueError, "both parts must be positive"),
        ({"framerate": (29.97, 1)}, TypeError, "framerate"),
        ({"framerate": 30}, TypeError, "framerate"),
        ({"framerate": None}, TypeError, "one of both"),
        ({"fps": (30, 1)}, TypeError, "one of both"),
        ({"content": b"x"}, TypeError, "content: expected VideoFrameContent, got bytes"),
        ({"transcoding_method": 0}, TypeError, "transcoding_method"),
        ({"codec": 1}, TypeError, "codec: expected str, got int"),
        ({"keyframe": 1}, TypeError, "keyframe: expected bool or None, got 1"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else None,
)
def test_bad_arguments_are_refused(changes, error, message):
    with pytest.raises(error, match=message):
        a_frame(**changes)
    ((name, value),) = changes.items()
    if None not in changes.values() and name != "fps":
        frame = a_frame()
        before = frame.json
        with pytest.raises(error, match=message):
            setattr(frame, name, value)
        assert frame.json == before


@pytest.mark.parametrize(("codec", "name"), [("H264", "h264"), (Codec.HEVC, "hevc"), (None, None)], ids=str)
def test_codec_takes_names_and_members(codec, name):
    frame = a_frame(codec=codec)
    assert frame.codec == name
    frame.codec = None
    frame.codec = codec
    assert frame.codec == name


def test_size_does_not_touch_the_chain():
    frame = a_frame()
    frame.width = 100
    frame.height = 50
    assert frame.transformations == [VideoFrameTransformation.initial_size(640, 480)]


def test_the_chain_is_handed_out_as_a_copy():
    frame = a_frame()
    frame.transformations.clear()
    assert len(frame.transformations) == 1
    frame.clear_transformations()
    assert frame.transformations == []


def test_uuid_is_made_once_and_sorts_by_time():
    frame = a_frame()
    assert frame.uuid == frame.uuid
    assert uuid.UUID(frame.uuid).version == 7
    assert uuid.UUID(frame.uuid).variant == uuid.RFC_4122
    assert uuid.UUID(frame.uuid).int >> 80 == frame.creation_timestamp_ns // 1_000_000
    other = a_frame()
    other.creation_timestamp_ns = frame.creation_timestamp_ns + 10**9
    assert frame.uuid < other.uuid
    with pytest.raises(AttributeError):
        frame.uuid = "x"


@pytest.mark.parametrize("make", [VideoFrame.copy, copy.copy, copy.deepcopy, lambda f: pickle.loads(pickle.dumps(f))])
def test_a_copy_is_the_same_and_independent(make):
    frame = a_frame(codec="h264")
    frame.create_object("d", "car", detection_box=RBBox(1, 2, 3, 4))
    frame.set_persistent_attribute("a", "b")
    frame.set_temporary_attribute("a", "c")
    before = frame.uuid and frame.json
    twin = make(frame)
    assert twin.json == before
    assert twin.has_attribute("a", "c")
    twin.get_object(0).label = "bus"
    twin.get_object(0).detection_box.xc = 100
    twin.clear_attributes()
    twin.add_transformation(VideoFrameTransformation.crop(1, 1, 1, 1))
    twin.create_object("d", "car", detection_box=RBBox(1, 2, 3, 4))
    twin.pts = 7
    assert frame.json == before


TURNED = Orientation(90, mirrored=True)


@pytest.mark.parametrize("turned", [False, True], ids=["upright", "turned"])
def test_a_frame_like_another_is_what_the_constructor_makes(turned):
    fields = {"codec": "H264", "time_base": (1, 1000), "fps": (25, 2), "framerate": None}
    first, expected = a_frame(**fields), a_frame(**fields, pts=7, duration=3, keyframe=True)
    if turned:
        first.turn(TURNED)
        expected.turn(TURNED)
    before = first.json
    made = frames_like(first)(7, 3, True)
    own = {"__weakref__", "_creation_timestamp_ns", "_objects"}
    for name in set(FrameState.__slots__) - own:
        assert getattr(made, name) == getattr(expected, name), name
    assert abs(made.creation_timestamp_ns - time.time_ns()) < 60e9
    made.add_detections("a", [[1, 2, 3, 4]], "b")
    assert made._attributes is not first._attributes
    made.add_transformation(VideoFrameTransformation.padding(1, 1, 1, 1))
    assert first.json == before
    assert made.uuid != first.uuid


def test_a_frame_like_another_has_times_of_64_bits():
    for pts, duration in ((-1, 0), (0, -1), (2**63, 0)):
        with pytest.raises((ValueError, OverflowError)):
            frames_like(a_frame())(pts, duration, True)


@pytest.mark.parametrize("make", [VideoFrame.copy, copy.copy, copy.deepcopy, lambda f: pickle.loads(pickle.dumps(f))])
def test_what_leaves_a_copy_stays_in_the_frame(make):
    """Rows close up when objects go, in one of the two only."""
    frame = a_frame()
    for number in range(4):
        frame.create_object("d", f"car {number}", detection_box=RBBox(number, 2, 3, 4), track_id=number)
    twin = make(frame)
    twin.delete_objects_with_ids([0, 2])
    frame.delete_objects_with_ids([1])
    for left, ids in ((twin, [1, 3]), (frame, [0, 2, 3])):
        assert left.object_ids().tolist() == ids
        assert left.detection_boxes()[:, 0].tolist() == ids
        assert [(found.id, found.label, found.track_id) for found in left.get_all_objects()] == [
            (number, f"car {number}", number) for number in ids
        ]


def test_a_frame_is_a_handle():
    frame = a_frame()
    other = frame
    other.pts = 5
    assert frame.pts == 5


def test_nothing_keeps_a_frame_alive():
    frame = a_frame()
    frame.create_object("d", "car", detection_box=RBBox(1, 2, 3, 4))
    gone = weakref.ref(frame)
    gc.disable()
    try:
        del frame
        assert gone() is None
    finally:
        gc.enable()


def test_pristine_is_exactly_one_initial_size():
    frame = a_frame()
    frame.check_pristine()
    frame.add_transformation(VideoFrameTransformation.crop(1, 1, 1, 1))
    expected = (
        r"Invalid transformation chain: expected \[InitialSize\(640, 480\)\], "
        r"got \[InitialSize\(640, 480\), Crop\(1, 1, 1, 1\)\]"
    )
    with pytest.raises(RuntimeError, match=expected):
        frame.check_pristine()
    frame.set_geometry(640, 480)
    frame.check_pristine()
    frame.width = 100
    with pytest.raises(RuntimeError, match="Invalid transformation chain"):
        frame.check_pristine()


def test_content_is_one_of_three():
    none, internal = VideoFrameContent.none(), VideoFrameContent.internal(b"abc")
    external = VideoFrameContent.external("zeromq", "there")
    kinds = [(c.is_none(), c.is_internal(), c.is_external()) for c in (none, internal, external)]
    assert kinds == [(True, False, False), (False, True, False), (False, False, True)]
    assert internal.get_data() == b"abc"
    assert (external.get_method(), external.get_location()) == ("zeromq", "there")
    assert VideoFrameContent.external("s3").get_location() is None
    assert VideoFrameContent.internal(b"abc") == internal != external
    assert len({none, internal, VideoFrameContent.internal(b"abc")}) == 2
    assert repr(internal) == "VideoFrameContent.internal(<3 bytes>)"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (VideoFrameContent.none().get_data, "holds no data"),
        (VideoFrameContent.external("x").get_data, "holds no data"),
        (VideoFrameContent.internal(b"").get_method, "has no method"),
        (VideoFrameContent.none().get_location, "has no location"),
        (lambda: VideoFrameContent.internal("x"), "data: expected bytes, got str"),
        (lambda: VideoFrameContent.external(1), "method: expected str, got int"),
        (lambda: VideoFrameContent.external("x", 1), "location: expected str, got int"),
        (lambda: EndOfStream(1), "source_id: expected str, got int"),
        (lambda: MatchQuery("x"), "predicate: expected a callable, got str"),
    ],
    ids=["none.data", "external.data", "internal.method", "none.location", "str", "method", "location", "eos", "query"],
)
def test_the_wrong_kind_is_a_type_error(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_end_of_stream():
    end = EndOfStream("cam")
    assert end.source_id == "cam"
    assert msgspec.json.decode(end.json) == {"source_id": "cam"}
    assert end.to_message().as_end_of_stream() == end
    assert end == EndOfStream("cam")


def test_text():
    assert repr(a_frame(pts=5)) == "VideoFrame('cam', 640x480, pts=5, objects=0, attributes=0)"
    assert repr(MatchQuery.idle()) == "MatchQuery.idle()"


def test_what_an_encoder_made_is_set_at_once():
    frame = a_frame(time_base=(1, 30), pts=3)
    frame.set_encoded(b"unit", "h264", True, 5, 4, None)
    assert (frame.content.get_data(), frame.codec, frame.keyframe) == (b"unit", "h264", True)
    assert frame.transcoding_method == VideoFrameTranscodingMethod.Encoded
    assert (frame.time_base, frame.pts, frame.dts, frame.duration) == ((1, 1_000_000_000), 5, 4, None)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("no bytes", "h264", True, 0, 0, 0), TypeError),
        ((b"", "h264", None, -1, 0, 0), ValueError),
        ((b"", "h264", True, 0, -1, 0), ValueError),
        ((b"", "h264", True, 0, 0, -1), ValueError),
        ((b"", "h264", 1, 0, 0, 0), TypeError),
    ],
    ids=["data", "pts", "dts", "duration", "keyframe"],
)
def test_what_no_encoder_makes_changes_nothing(arguments, error):
    frame = a_frame(time_base=(1, 30), pts=3)
    before = frame.to_dict()
    with pytest.raises(error):
        frame.set_encoded(*arguments)
    assert frame.to_dict() == before
