"""What one side writes, the other reads: the wheel of savant-rs 0.3.0 and us, every kind of message, every field."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wheel_kit import WheelSide
from wheel_words import (
    as_written,
    asked,
    frames_in,
    heard,
    many,
    messages,
    plain,
    spec_of,
    told_frame,
    told_message,
    told_step,
)

from picasso.errors import ProtocolError
from picasso.primitives import (
    Message,
    VideoFrame,
    VideoFrameTransformation,
)
from picasso.testing import video_frames
from picasso.wire import decode_message, encode_message

BOXES = ("bbox", "bboxes", "rbbox", "rbboxes")


@many
@given(sent=st.lists(messages(), min_size=1, max_size=12))
def test_the_wheel_reads_what_we_write_and_we_read_what_it_writes_of_it(wheel: WheelSide, sent: list[Message]) -> None:
    answers = wheel.ask("describe", [asked(message) for message in sent])
    for message, answer in zip(sent, answers, strict=True):
        assert "error" not in answer, answer
        assert heard(message.kind, answer[message.kind]) == told_message(message)
        assert (answer["labels"], answer["context"]) == (message.labels, message.span_context.as_dict())
        again = decode_message(base64.b64decode(answer["again"]))
        assert again.kind == message.kind
        assert told_message(again) == as_written(message.kind, told_message(message))
        assert (again.labels, again.span_context) == (message.labels, message.span_context)


@many
@given(wanted=st.lists(messages(), min_size=1, max_size=12))
def test_we_read_what_the_wheel_makes(wheel: WheelSide, wanted: list[Message]) -> None:
    for message, answer in zip(wanted, wheel.ask("build", list(map(spec_of, wanted))), strict=True):
        assert "error" not in answer, answer
        read = decode_message(base64.b64decode(answer["bytes"]))
        assert (read.kind, read.labels) == (message.kind, message.labels)
        told, expected = told_message(read), told_message(message)
        for frame, other in frames_in(read.kind, told, expected):
            for name in ("uuid", "creation_timestamp_ns", "previous_frame_seq_id", "previous_keyframe"):
                other[name] = frame[name]  # the wheel gives its own
        assert told == as_written(read.kind, expected)
        if read.kind == "video_frame":
            made = read.as_video_frame()
            assert (made.uuid, made.creation_timestamp_ns) == (answer["uuid"], answer["creation_timestamp_ns"])


def test_numbers_of_messages_are_those_of_their_source(wheel: WheelSide) -> None:
    specs = [{"content": ["end_of_stream", f"numbered-{index % 2}"], "labels": []} for index in range(4)]
    read = [decode_message(base64.b64decode(answer["bytes"])) for answer in wheel.ask("build", specs)]
    assert [message.source_id for message in read] == ["numbered-0", "numbered-1"] * 2
    assert [message.seq_id for message in read] == [1, 1, 2, 2]


@many
@given(frames=st.lists(video_frames(wild=True), min_size=1, max_size=8))
def test_old_peers_read_every_chain(wheel: WheelSide, frames: list[VideoFrame]) -> None:
    for frame in frames:
        frame.time_base = (1, 10**9)
    written = [encode_message(frame.to_message(), old_peers=True) for frame in frames]
    answers = wheel.ask("describe", [[base64.b64encode(data).decode(), []] for data in written])
    for frame, data, answer in zip(frames, written, answers, strict=True):
        assert "error" not in answer, answer
        steps = decode_message(data).content.transformations
        assert answer["video_frame"]["transformations"] == plain([told_step(step) for step in steps])
        assert not any(step.is_crop or step.is_orientation for step in steps)
        if not any(step.is_crop or step.is_orientation or step.is_letter_box for step in frame.transformations):
            assert steps == frame.transformations


def test_a_letter_box_is_a_scale_and_a_padding_to_old_peers(wheel: WheelSide) -> None:
    frame = VideoFrame("cam", "30/1", 640, 480, time_base=(1, 10**9))
    for step in (
        VideoFrameTransformation.crop(10, 20, 30, 40),
        VideoFrameTransformation.letter_box(640, 480, 0, 60, 0, 61),
    ):
        frame.add_transformation(step)
    data = base64.b64encode(encode_message(frame.to_message(), old_peers=True)).decode()
    (answer,) = wheel.ask("describe", [[data, []]])
    assert answer["video_frame"]["transformations"] == [
        ["initial_size", [600, 420]],
        ["scale", [640, 359]],
        ["padding", [0, 60, 0, 61]],
    ]


def test_the_wheel_reads_what_only_newer_peers_send(wheel: WheelSide) -> None:
    frame = VideoFrame("cam", "30/1", 4, 2, time_base=(1, 10**9))
    message = Message(frame, system_id="host-1", seq_id=7)
    (answer,) = wheel.ask("describe", [asked(message)])
    assert heard("video_frame", answer["video_frame"]) == told_frame(frame)
    again = decode_message(base64.b64decode(answer["again"]))
    assert (again.system_id, again.seq_id) == ("", 7)


def test_what_ends_the_wheel_is_an_error_here(wheel: WheelSide) -> None:
    """An object without a box, and a message without content: 0.3.0 panics, we say what is wrong."""
    for data in (b"", bytes.fromhex("2a03ca0100")):
        (answer,) = wheel.ask("describe", [[base64.b64encode(data).decode(), []]])
        assert "Panic" in answer["error"]
        with pytest.raises(ProtocolError):
            decode_message(data)
