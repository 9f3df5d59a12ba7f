"""A frame as a record of JSON, in the shape that adapters of the reference write."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from picasso.engine import OutputMessage
from picasso.module.meta.attribute import from_attribute, is_exportable
from picasso.module.meta.frame import TAGS
from picasso.primitives import Attribute, AttributeValue, BorrowedVideoObject, VideoFrame
from picasso.primitives.attribute_json import attribute_records

Record = dict[str, Any]
FRAME_SCHEMA: Final = "VideoFrame"
END_SCHEMA: Final = "EndOfStream"


def record_of(output: OutputMessage, frame_num: int) -> Record:
    """Return the record of a frame, or of the end of a stream.

    Args:
        output: What came out.
        frame_num: Number of the frame within its source, from 0.
    """
    if output.is_eos:
        return {"source_id": output.source_id, "schema": END_SCHEMA}
    frame = output.as_video_frame()
    return {
        "source_id": frame.source_id,
        "framerate": frame.framerate,
        "width": frame.width,
        "height": frame.height,
        "pts": frame.pts,
        "dts": frame.dts,
        "duration": frame.duration,
        "keyframe": frame.keyframe,
        "codec": frame.codec,
        "tags": tags_of(frame),
        "transformations": [{step.step.value: list(step.values)} for step in frame.transformations],
        "metadata": {"objects": [_object(frame, one) for one in frame.get_all_objects()]},
        "schema": FRAME_SCHEMA,
        "frame_num": frame_num,
    }


def json_of(record: Record) -> bytes:
    """Return a record as JSON in UTF-8, in one line; numbers that are none become null."""
    return msgspec.json.encode(record)


def tags_of(frame: VideoFrame) -> Record:
    """Return the tags of a frame by name."""
    tags = {}
    for namespace, name in frame.attributes:
        attribute = frame.get_attribute(namespace, name)
        if namespace == TAGS and attribute is not None and attribute.values:
            tags[name] = _plain(from_attribute(attribute)[0].value)
    return tags


def _object(frame: VideoFrame, one: BorrowedVideoObject) -> Record:
    box = one.detection_box
    parent = None if one.parent_id is None else frame.get_object(one.parent_id)
    return {
        "model_name": one.namespace,
        "label": one.label,
        "object_id": _object_id(one),
        "bbox": {"xc": box.xc, "yc": box.yc, "width": box.width, "height": box.height, "angle": box.angle or 0.0},
        "confidence": one.confidence,
        "attributes": [entry for key in one.attributes for entry in _attributes(one.get_attribute(*key))],
        "parent_model_name": None if parent is None else parent.namespace,
        "parent_label": None if parent is None else parent.label,
        "parent_object_id": None if parent is None else _object_id(parent),
    }


def _object_id(one: BorrowedVideoObject) -> int:
    """Return the track id, or for an untracked object its number in the frame."""
    return one.id if one.track_id is None else one.track_id


def _attributes(attribute: Attribute | None) -> list[Record]:
    if attribute is None or attribute.is_temporary() or not all(map(is_exportable, attribute.values)):
        return []
    return [
        {
            "element_name": meta.element_name,
            "name": meta.name,
            "value": _plain(meta.value),
            "confidence": meta.confidence,
        }
        for meta in from_attribute(attribute)
    ]


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: boxes, points, polygons and bytes as a mapping from kind to numbers."""
    if not isinstance(value, AttributeValue):
        return value
    (record,) = attribute_records([Attribute("of", "one", [value])])
    shape: Record = msgspec.to_builtins(record.values[0])
    shape.pop("confidence", None)
    return shape
