"""Peers of other versions: their bytes are recorded, and read as what they say."""

from __future__ import annotations

import json

import pytest
from record import RECORDED, UUID, as_text

from picasso.primitives import RBBox, VideoFrameTransformation
from picasso.wire import decode_message, encode_message

MESSAGES = {name: bytes.fromhex(text) for name, text in json.loads(RECORDED.read_text()).items()}
FRAMES = {name: data for name, data in MESSAGES.items() if "end of stream" not in name}


def test_what_is_recorded_is_what_the_schema_makes() -> None:
    assert RECORDED.read_text() == as_text()


@pytest.mark.parametrize("data", FRAMES.values(), ids=FRAMES)
def test_frames_of_other_versions_are_read_whole(data: bytes) -> None:
    message = decode_message(data)
    assert (message.seq_id, message.labels, message.span_context.as_dict()) == (42, ["a"], {"uber-trace-id": "1:2:3:4"})
    frame = message.as_video_frame()
    assert frame is not None
    assert (frame.source_id, frame.uuid, frame.framerate) == ("cam-1", UUID, "25/1")
    assert (frame.width, frame.height, frame.codec, frame.keyframe) == (640, 480, "hevc", False)
    assert (frame.time_base, frame.pts, frame.dts) == ((1, 10**9), 80_000_000, 40_000_000)
    assert (frame.duration, frame.creation_timestamp_ns) == (40_000_000, 1_700_000_000_000_000_000)
    assert (frame.previous_frame_seq_id, frame.previous_keyframe_uuid) == (41, UUID)
    assert (frame.content.get_method(), frame.content.get_location()) == ("zeromq", "beside")
    assert frame.transformations == [
        VideoFrameTransformation.initial_size(1920, 1080),
        VideoFrameTransformation.crop(240, 0, 240, 0),
        VideoFrameTransformation.letter_box(640, 480, 0, 0, 0, 0),
        VideoFrameTransformation.padding(8, 8, 8, 8),
    ]
    assert frame.get_attribute("n", "draw").values[0].as_boolean() is True
    car, plate = frame.get_all_objects()
    assert (car.id, car.label, car.detection_box, car.confidence) == (2, "car", RBBox(10, 20, 4, 2), None)
    assert (plate.id, plate.parent_id, plate.draw_label, plate.confidence) == (5, 2, "AB-123", 0.5)
    assert (plate.detection_box.angle, plate.track_id, plate.track_box) == (0.0, 7, RBBox(1, 1, 1, 1, 45))
    assert decode_message(encode_message(message)).as_video_frame().json == frame.json


def test_newer_peers_say_who_they_are() -> None:
    assert [decode_message(data).system_id for data in MESSAGES.values()] == ["", "host-1", "host-1", "host-1"]


def test_an_end_of_stream_of_another_version_is_read() -> None:
    message = decode_message(MESSAGES["1.15.0, end of stream"])
    assert (message.as_end_of_stream().source_id, message.seq_id) == ("cam-1", 43)
