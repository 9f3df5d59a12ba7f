"""The other side of a socket: readers and writers of the wheel of ``savant-rs``, told what to do line by line.

A request is one line of JSON, ``[verb, argument…]``, and so is its answer. It imports nothing of picasso.
"""

import base64
import json
import os
import sys

os.environ["LOGLEVEL"] = "error"  # the wheel reads it when it is imported
from savant_rs.match_query import MatchQuery
from savant_rs.primitives import (
    Attribute,
    AttributeValue,
    Shutdown,
    UserData,
    VideoFrame,
    VideoFrameContent,
    VideoFrameTranscodingMethod,
    VideoFrameTransformation,
)
from savant_rs.primitives.geometry import RBBox
from savant_rs.zmq import (
    BlockingReader,
    BlockingWriter,
    ReaderConfigBuilder,
    ReaderResultMessage,
    ReaderResultPrefixMismatch,
    ReaderResultTimeout,
    TopicPrefixSpec,
    WriterConfigBuilder,
    WriterResultAck,
    WriterResultSuccess,
)

OPEN = {}


def main():
    for line in sys.stdin:
        verb, *arguments = json.loads(line)
        try:
            answer = VERBS[verb](*arguments)
        except BaseException as error:
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def open_reader(endpoint, prefix, timeout_ms):
    builder = ReaderConfigBuilder(endpoint)
    builder.with_receive_timeout(timeout_ms)
    if prefix is not None:
        builder.with_topic_prefix_spec(TopicPrefixSpec.prefix(prefix))
    OPEN["reader"] = BlockingReader(builder.build())
    OPEN["reader"].start()


def open_writer(endpoint, timeout_ms):
    builder = WriterConfigBuilder(endpoint)
    builder.with_send_timeout(timeout_ms)
    builder.with_receive_timeout(timeout_ms)
    OPEN["writer"] = BlockingWriter(builder.build())
    OPEN["writer"].start()


def close():
    while OPEN:
        OPEN.popitem()[1].shutdown()


def receive():
    result = OPEN["reader"].receive()
    if isinstance(result, ReaderResultTimeout):
        return {"kind": "timeout"}
    if isinstance(result, ReaderResultPrefixMismatch):
        return {"kind": "mismatch", "topic": bytes(result.topic).decode()}
    assert isinstance(result, ReaderResultMessage), result
    message = result.message
    said = {"topic": bytes(result.topic).decode(), "context": message.span_context.as_dict(), "labels": message.labels}
    said["data"] = [base64.b64encode(result.data(number)).decode() for number in range(result.data_len())]
    if message.is_end_of_stream():
        return {**said, "kind": "eos", "source_id": message.as_end_of_stream().source_id}
    if message.is_shutdown():
        return {**said, "kind": "shutdown", "auth": message.as_shutdown().auth}
    if message.is_user_data():
        return {**said, "kind": "user_data", "source_id": message.as_user_data().source_id}
    frame = message.as_video_frame()
    return {**said, "kind": "frame", **describe(frame)}


def describe(frame):
    return {
        "source_id": frame.source_id,
        "uuid": frame.uuid,
        "framerate": frame.framerate,
        "size": [frame.width, frame.height],
        "codec": frame.codec,
        "keyframe": frame.keyframe,
        "time_base": list(frame.time_base),
        "times": [frame.pts, frame.dts, frame.duration],
        "objects": [
            [
                *(one.namespace, one.label, list(one.detection_box.as_xcycwh()), one.detection_box.angle),
                *(one.confidence, one.track_id, one.id),
            ]
            for one in sorted(frame.access_objects(MatchQuery.idle()), key=lambda one: one.id)
        ],
        "tags": sorted(list(key) for key in frame.attributes),
    }


def frame(source_id, number):
    made = VideoFrame(
        source_id=source_id, framerate="30/1", width=1280, height=720,
        content=VideoFrameContent.external("zeromq", None), transcoding_method=VideoFrameTranscodingMethod.Copy,
        codec="jpeg", keyframe=True, time_base=(1, 10**9), pts=number, dts=None, duration=33333333,
    )  # fmt: skip
    made.add_transformation(VideoFrameTransformation.initial_size(1280, 720))
    for index in range(2):
        made.create_object(
            namespace="detector", label="person", parent_id=None, confidence=0.5, track_id=index,
            detection_box=RBBox(400 + index, 300, 200, 100, None), track_box=RBBox(400, 300, 200, 100, None),
            attributes=[Attribute.persistent("a", "b", [AttributeValue.string("red", 0.5)], None, False)],
        )  # fmt: skip
    made.set_persistent_attribute("default", "draw", False, None, [AttributeValue.boolean(True)])
    return made


def send(source_id, numbers, size):
    answers = []
    for number in numbers:
        made = frame(source_id, number)
        result = OPEN["writer"].send_message(source_id, made.to_message(), bytes([number % 256]) * size)
        answers.append([outcome(result), describe(made)])
    return answers


def send_other(kind, source_id):
    message = UserData(source_id).to_message() if kind == "user_data" else Shutdown("key").to_message()
    return outcome(OPEN["writer"].send_message(source_id, message, b""))


def send_eos(source_id):
    return outcome(OPEN["writer"].send_eos(source_id))


def outcome(result):
    if isinstance(result, WriterResultAck):
        return "acknowledged"
    return "sent" if isinstance(result, WriterResultSuccess) else type(result).__name__


VERBS = {
    "open_reader": open_reader,
    "open_writer": open_writer,
    "receive": receive,
    "send": send,
    "send_other": send_other,
    "send_eos": send_eos,
    "close": close,
}

if __name__ == "__main__":
    main()
