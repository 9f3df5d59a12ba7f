"""What both sides say of a message, in the same words; and what the wheel is told to make."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from picasso.primitives import (
    Attribute,
    AttributeUpdatePolicy,
    AttributeValue,
    BorrowedVideoObject,
    EndOfStream,
    Message,
    ObjectUpdatePolicy,
    RBBox,
    Shutdown,
    UserData,
    VideoFrame,
    VideoFrameBatch,
    VideoFrameTransformation,
    VideoFrameUpdate,
)
from picasso.testing import attributes, video_frames
from picasso.wire import encode_message

BOXES = ("bbox", "bboxes", "rbbox", "rbboxes")
many = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each step of shrinking asks the process again
)
"""An example is a list of messages, for one call of the process."""
TEXTS = st.text(max_size=6)


# What both sides say of a thing, in the same words.


def plain(value: Any) -> Any:
    """Numbers as float32 has them, and as JSON can write them: null for those it cannot; no angle is null."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float):
        with np.errstate(over="ignore"):
            number = float(np.float32(value))
        return number if math.isfinite(number) and number < 3.4028e38 else None
    return value


def told_attribute(attribute: Attribute) -> Any:
    return plain(json.loads(attribute.json))


def told_object(found: BorrowedVideoObject) -> Any:
    own_label = found.draw_label
    return {
        "attributes": sorted([told_attribute(each) for each in all_attributes(found)], key=key_of),
        "confidence": found.confidence,
        "detection_box": told_box(found.detection_box),
        "draw_label": None if own_label == found.label else own_label,
        "id": found.id,
        "label": found.label,
        "label_id": None,
        "namespace": found.namespace,
        "namespace_id": None,
        "parent_id": found.parent_id,
        "track_box": None if found.track_box is None else told_box(found.track_box),
        "track_id": found.track_id,
    }


def all_attributes(holder: Any) -> list[Attribute]:
    """Hidden ones too, without the temporary ones."""
    return [each for each in holder._attribute_table().values() if each.is_persistent]


def told_box(box: RBBox) -> Any:
    xc, yc, width, height = box.as_xcycwh()
    return {"xc": xc, "yc": yc, "width": width, "height": height, "angle": box.angle, "has_modifications": False}


def key_of(attribute: Any) -> tuple[str, str]:
    return attribute["namespace"], attribute["name"]


def told_frame(frame: VideoFrame) -> Any:
    content: Any = None
    if frame.content.is_internal():
        content = {"internal": base64.b64encode(frame.content.get_data()).decode()}
    elif frame.content.is_external():
        content = {"external": [frame.content.get_method(), frame.content.get_location()]}
    told = {
        "attributes": [told_attribute(attribute) for attribute in all_attributes(frame)],
        "codec": frame.codec,
        "content": content,
        "creation_timestamp_ns": frame.creation_timestamp_ns,
        "dts": frame.dts,
        "duration": frame.duration,
        "framerate": frame.framerate,
        "height": frame.height,
        "keyframe": frame.keyframe,
        "objects": [told_object(found) for found in frame.get_all_objects()],
        "previous_frame_seq_id": frame.previous_frame_seq_id,
        "previous_keyframe": frame.previous_keyframe_uuid,
        "pts": frame.pts,
        "source_id": frame.source_id,
        "time_base": frame.time_base,
        "transcoding_method": repr(frame.transcoding_method).rpartition(".")[2],
        "transformations": [told_step(step) for step in frame.transformations],
        "uuid": frame.uuid,
        "width": frame.width,
    }
    return in_order(told)


def told_step(step: VideoFrameTransformation) -> Any:
    return ["scale", step.values[:2]] if step.is_letter_box else [step.step.value, step.values]


def in_order(told: Any) -> Any:
    """The wheel keeps objects and attributes in no order."""
    told = plain(told)
    told["attributes"].sort(key=key_of)
    told["objects"].sort(key=lambda one: one["id"])
    for one in told["objects"]:
        one["attributes"].sort(key=key_of)
        if one["draw_label"] == one["label"]:
            one["draw_label"] = None
    return told


def asked(message: Message) -> list[Any]:
    content = message.content
    holders = content.frames if isinstance(content, VideoFrameBatch) else [content]
    names = [each.name for one in holders if isinstance(one, VideoFrame) for each in one._attributes.values()]
    return [base64.b64encode(encode_message(message)).decode(), names]


# Frames that 0.3.0 knows: its steps are initial size, scale and padding, its time base has 32 bits.


def old_frames() -> st.SearchStrategy[VideoFrame]:
    return video_frames(wild=True).map(aged)


def aged(frame: VideoFrame) -> VideoFrame:
    numerator, denominator = (min(part, 2**31 - 1) for part in frame.time_base)
    frame.time_base = numerator, denominator
    steps = frame.transformations
    frame.clear_transformations()
    for step in steps:
        if step.is_letter_box:
            frame.add_transformation(VideoFrameTransformation.letter_box(*step.values[:2], 0, 0, 0, 0))
        elif not step.is_crop and not step.is_orientation:
            frame.add_transformation(step)
    return frame


def updates() -> st.SearchStrategy[VideoFrameUpdate]:
    return st.builds(
        make_update,
        old_frames(),
        st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), attributes()), max_size=2),
        st.sampled_from(AttributeUpdatePolicy),
        st.sampled_from(AttributeUpdatePolicy),
        st.sampled_from(ObjectUpdatePolicy),
    )


def make_update(
    frame: VideoFrame,
    of_objects: list[tuple[int, Attribute]],
    first: AttributeUpdatePolicy,
    second: AttributeUpdatePolicy,
    third: ObjectUpdatePolicy,
) -> VideoFrameUpdate:
    update = VideoFrameUpdate()
    update.frame_attribute_policy, update.object_attribute_policy, update.object_policy = first, second, third
    for attribute in frame._attributes.values():
        update.add_frame_attribute(attribute)
    for number, attribute in of_objects:
        update.add_object_attribute(number, attribute)
    for found in frame.get_all_objects():
        update.add_object(found.detached_copy(), found.parent_id)
    return update


def told_update(update: VideoFrameUpdate) -> Any:
    told = json.loads(update.json)
    told["objects"] = [
        [one.id, one.namespace, one.label, one.detection_box.as_xcycwh(), one.detection_box.angle, parent]
        for one, parent in update.objects
    ]
    told["object_policy"] = int(update.object_policy)
    return plain(told)


def told_message(message: Message) -> Any:
    content = message.content
    if isinstance(content, VideoFrame):
        return told_frame(content)
    if isinstance(content, VideoFrameBatch):
        return [[number, told_frame(content.get(number))] for number in sorted(content.ids)]
    if isinstance(content, VideoFrameUpdate):
        return told_update(content)
    if isinstance(content, UserData):
        return [content.source_id, sorted(map(told_attribute, all_attributes(content)), key=key_of)]
    if isinstance(content, EndOfStream):
        return content.source_id
    return content.auth if isinstance(content, Shutdown) else content


def heard(kind: str, said: Any) -> Any:
    """What the wheel says of a message, in the order that ours has."""
    if kind == "video_frame":
        return in_order(said)
    if kind == "video_frame_batch":
        return [[number, in_order(frame)] for number, frame in said]
    if kind == "user_data":
        return [said[0], sorted(plain(said[1]), key=key_of)]
    return plain(said)


def as_written(kind: str, told: Any) -> Any:
    """What the wheel writes of it: hidden attributes of objects it leaves out, those of frames it does not."""
    for frame, _ in frames_in(kind, told, told):
        for one in frame["objects"]:
            one["attributes"] = [each for each in one["attributes"] if not each["is_hidden"]]
    return told


def frames_in(kind: str, told: Any, expected: Any) -> list[tuple[Any, Any]]:
    if kind == "video_frame":
        return [(told, expected)]
    return [(one[1], other[1]) for one, other in zip(told, expected, strict=True)] if kind.endswith("batch") else []


def batch_of(frames: list[VideoFrame]) -> VideoFrameBatch:
    batch = VideoFrameBatch()
    for index, frame in enumerate(frames):
        batch.add(index * 7 - 3, frame)
    return batch


def messages() -> st.SearchStrategy[Message]:
    contents = (
        old_frames()
        | st.lists(old_frames(), max_size=2).map(batch_of)
        | updates()
        | st.builds(UserData, TEXTS, st.lists(attributes(), max_size=3))
        | st.builds(EndOfStream, TEXTS)
        | st.builds(Shutdown, TEXTS)
        | TEXTS
    )
    return st.builds(
        lambda content, labels, context: Message(content, labels=labels, span_context=context),
        contents,
        st.lists(TEXTS, max_size=2),
        st.dictionaries(TEXTS, TEXTS, max_size=2),
    )


# What the wheel makes of a specification, in plain lists and numbers.


def spec_of(message: Message) -> Any:
    content: Any = message.content
    given: Any = content
    if isinstance(content, VideoFrame):
        given = frame_spec(content)
    elif isinstance(content, VideoFrameBatch):
        given = [[number, frame_spec(content.get(number))] for number in content.ids]
    elif isinstance(content, VideoFrameUpdate):
        given = {
            "frame_attributes": list(map(attribute_spec, content.frame_attributes)),
            "object_attributes": [[number, attribute_spec(each)] for number, each in content.object_attributes],
            "objects": [[object_spec(one), parent] for one, parent in content.objects],
            "frame_attribute_policy": int(content.frame_attribute_policy),
            "object_attribute_policy": int(content.object_attribute_policy),
            "object_policy": int(content.object_policy),
        }
    elif isinstance(content, UserData):
        given = [content.source_id, list(map(attribute_spec, content._attribute_table().values()))]
    elif isinstance(content, EndOfStream):
        given = content.source_id
    elif isinstance(content, Shutdown):
        given = content.auth
    return {"content": [message.kind, given], "labels": message.labels}


def frame_spec(frame: VideoFrame) -> Any:
    return {
        **told_frame(frame),
        "transcoding_method": int(frame.transcoding_method),
        "attributes": [attribute_spec(attribute) for attribute in frame._attributes.values()],
        "objects": [
            {**object_spec(found), "parent_id": found.parent_id, "draw_label": frame._objects.draw_labels.get(found.id)}
            for found in frame.get_all_objects()
        ],
    }


def object_spec(found: Any) -> Any:
    return {
        "id": found.id,
        "namespace": found.namespace,
        "label": found.label,
        "confidence": found.confidence,
        "detection_box": box_spec(found.detection_box),
        "track_id": found.track_id,
        "track_box": None if found.track_box is None else box_spec(found.track_box),
        "attributes": [attribute_spec(attribute) for attribute in found._attribute_table().values()],
    }


def box_spec(box: RBBox) -> Any:
    return [*box.as_xcycwh(), box.angle]


def attribute_spec(attribute: Attribute) -> Any:
    values = [value_spec(value) for value in attribute.values]
    return [attribute.namespace, attribute.name, values, attribute.hint, attribute.is_persistent, attribute.is_hidden]


def value_spec(value: AttributeValue) -> Any:
    kind = value.kind.removeprefix("r") if value.kind in BOXES else value.kind
    content: Any = None if kind == "none" else getattr(value, f"as_r{kind}" if kind in BOXES else f"as_{kind}")()
    match kind:
        case "bytes":
            content = [content[0], base64.b64encode(content[1]).decode()]
        case "bbox":
            content = box_spec(content)
        case "bboxes":
            content = list(map(box_spec, content))
        case "point":
            content = [content.x, content.y]
        case "points":
            content = [[point.x, point.y] for point in content]
        case "polygon":
            content = polygon_spec(content)
        case "polygons":
            content = list(map(polygon_spec, content))
        case "intersection":
            content = [int(content.kind), content.edges]
    return [kind, content, value.confidence]


def polygon_spec(polygon: Any) -> Any:
    return [[[point.x, point.y] for point in polygon.vertices], polygon.tags]
