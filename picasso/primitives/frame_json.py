"""Frames to JSON records and back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from picasso.errors import MetadataError
from picasso.primitives.attribute_json import attribute_records, attributes_of
from picasso.primitives.content import VideoFrameContent, VideoFrameTranscodingMethod
from picasso.primitives.frame_state import FrameState
from picasso.primitives.object_store import DETECTION, NO_TRACK_ID, TRACK, ObjectStore
from picasso.primitives.records import (
    Box,
    CropRecord,
    ExternalRecord,
    FrameRecord,
    InitialSizeRecord,
    InternalRecord,
    LetterBoxRecord,
    ObjectRecord,
    OrientationRecord,
    PaddingRecord,
    to_number,
)
from picasso.primitives.transformation import ChainStep, VideoFrameTransformation

_Frame = TypeVar("_Frame", bound=FrameState)

_STEP_RECORDS: dict[ChainStep, type[Any]] = {
    ChainStep.INITIAL_SIZE: InitialSizeRecord,
    ChainStep.LETTER_BOX: LetterBoxRecord,
    ChainStep.PADDING: PaddingRecord,
    ChainStep.CROP: CropRecord,
    ChainStep.ORIENTATION: OrientationRecord,
}
_STEPS = {record: step for step, record in _STEP_RECORDS.items()}

_decoder = msgspec.json.Decoder(FrameRecord)

MAX_SENTENCE = 300
"""Characters that an error quotes of a document at most."""


def decode_record(text: str | bytes) -> FrameRecord:
    """Parse and check JSON.

    Raises:
        MetadataError: It is not JSON, or not of a frame; the message names the place.
    """
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise MetadataError(f"frame: {_sentence(error)}") from error


def _sentence(error: Exception) -> str:
    """Return what went wrong on one line of bounded length, for any names in the document."""
    text = str(error)[:MAX_SENTENCE]
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def convert_record(fields: Mapping[str, Any]) -> FrameRecord:
    """Check dicts and lists.

    Raises:
        MetadataError: They are not those of a frame; the message names the place.
    """
    try:
        return msgspec.convert(fields, FrameRecord)
    except (msgspec.DecodeError, RecursionError) as error:
        raise MetadataError(f"frame: {_sentence(error)}") from error


def frame_record(frame: FrameState) -> FrameRecord:
    """Return the record of a frame, without temporary attributes."""
    previous_keyframe = frame.previous_keyframe_uuid
    return FrameRecord(
        source_id=frame.source_id,
        uuid=UUID(frame.uuid),
        creation_timestamp_ns=frame.creation_timestamp_ns,
        framerate=frame.framerate,
        width=frame.width,
        height=frame.height,
        time_base=frame.time_base,
        pts=frame.pts,
        dts=frame.dts,
        duration=frame.duration,
        codec=frame.codec,
        keyframe=frame.keyframe,
        transcoding_method="copy" if frame.transcoding_method == VideoFrameTranscodingMethod.Copy else "encoded",
        content=_content_record(frame.content),
        previous_frame_seq_id=frame.previous_frame_seq_id,
        previous_keyframe_uuid=None if previous_keyframe is None else UUID(previous_keyframe),
        transformations=[_STEP_RECORDS[t.step](t.values) for t in frame._transformations],
        attributes=attribute_records(frame._attributes.values()),
        objects=_object_records(frame._objects),
    )


def build_frame(frame_type: type[_Frame], record: FrameRecord) -> _Frame:
    """Make the frame of a record.

    Raises:
        MetadataError: Ids or attributes are there twice, or a parent is not there.
    """
    frame = frame_type(
        record.source_id,
        record.framerate,
        record.width,
        record.height,
        _content(record.content),
        VideoFrameTranscodingMethod.from_name(record.transcoding_method),
        record.codec,
        record.keyframe,
        record.time_base,
        record.pts,
        record.dts,
        record.duration,
    )
    frame.creation_timestamp_ns = record.creation_timestamp_ns
    frame._uuid = str(record.uuid)
    frame._previous_frame_seq_id = record.previous_frame_seq_id
    if record.previous_keyframe_uuid is not None:
        frame._previous_keyframe_uuid = str(record.previous_keyframe_uuid)
    frame._transformations = [VideoFrameTransformation(_STEPS[type(t)], t.values) for t in record.transformations]
    frame._attributes = attributes_of(record.attributes, "$.attributes")
    _fill(frame._objects, record.objects)
    return frame


def _content_record(content: VideoFrameContent) -> InternalRecord | ExternalRecord | None:
    if content.is_internal():
        return InternalRecord(content.get_data())
    return ExternalRecord(content.get_method(), content.get_location()) if content.is_external() else None


def _content(record: InternalRecord | ExternalRecord | None) -> VideoFrameContent:
    if record is None:
        return VideoFrameContent.none()
    if isinstance(record, InternalRecord):
        return VideoFrameContent.internal(record.data)
    return VideoFrameContent.external(record.method, record.location)


def _object_records(store: ObjectStore) -> list[ObjectRecord]:
    detections = _box_records(store.boxes[DETECTION, :, : store.count])
    tracked = np.flatnonzero(~np.isnan(store.boxes[TRACK, 0, : store.count]))
    tracks = dict(zip(tracked.tolist(), _box_records(store.boxes[TRACK, :, tracked].T), strict=True))
    track_ids, confidences = store.column("track_id"), store.column("confidence")
    return [
        ObjectRecord(
            object_id,
            store.namespaces[row],
            store.labels[row],
            detections[row],
            store.parents.get(object_id),
            store.draw_labels.get(object_id),
            None if confidences[row] is None else to_number(confidences[row]),
            track_ids[row],
            tracks.get(row),
            attribute_records(store.attributes[object_id].values()) if object_id in store.attributes else [],
        )
        for object_id, row in store.rows.items()
    ]


def _box_records(boxes: NDArray[np.float32]) -> list[Box]:
    """Return the records of boxes ``(5, N)``."""
    fields: list[list[Any]] = boxes.tolist()
    for column in np.flatnonzero(~np.isfinite(boxes[:4]).all(axis=1)):
        fields[column] = [to_number(value) for value in fields[column]]
    fields[4] = [None if math.isnan(angle) else to_number(angle) for angle in fields[4]]
    return list(zip(*fields, strict=True))


def _fill(store: ObjectStore, records: list[ObjectRecord]) -> None:
    """Put the objects of records into an empty store."""
    ids = [record.id for record in records]
    _check_identity(records)
    rows = store.extend(
        np.array(ids, np.int64), (record.namespace for record in records), (record.label for record in records)
    )
    store.boxes[DETECTION, :, rows] = _columns(record.detection_box for record in records)
    store.boxes[TRACK, :, rows] = _columns(record.track_box for record in records)
    store.track_ids[rows] = [NO_TRACK_ID if record.track_id is None else record.track_id for record in records]
    store.confidences[rows] = [
        math.nan if record.confidence is None else float(record.confidence) for record in records
    ]
    store.parents = {record.id: record.parent_id for record in records if record.parent_id is not None}
    store.draw_labels = {record.id: record.draw_label for record in records if record.draw_label is not None}
    store.attributes = {
        record.id: attributes_of(record.attributes, f"$.objects[{index}].attributes")
        for index, record in enumerate(records)
        if record.attributes
    }


def _columns(boxes: Iterable[Box | None]) -> NDArray[np.float32]:
    """Return boxes as ``(5, N)``; NaN for what is absent, infinite what float32 cannot hold, as in ``RBBox``."""
    rows = [[math.nan if value is None else float(value) for value in box or [None] * 5] for box in boxes]
    with np.errstate(over="ignore"):
        return np.array(rows, np.float32).reshape(-1, 5).T


def _check_identity(records: list[ObjectRecord]) -> None:
    """Raise ``MetadataError`` unless ids are unique and every chain of parents ends at an object that has none."""
    parents = {record.id: record.parent_id for record in records}
    if len(parents) < len(records):
        seen: set[int] = set()
        for index, record in enumerate(records):
            if record.id in seen:
                raise MetadataError(f"frame: object {record.id} is there twice - at `$.objects[{index}].id`")
            seen.add(record.id)
    grounded: set[int] = set()
    for index, record in enumerate(records):
        line: set[int] = set()
        ancestor: int | None = record.id
        while ancestor is not None and ancestor not in grounded:
            if ancestor not in parents or ancestor in line:
                why = "is not there" if ancestor not in parents else "hangs below itself"
                raise MetadataError(f"frame: object {ancestor} {why} - at `$.objects[{index}].parent_id`")
            line.add(ancestor)
            ancestor = parents[ancestor]
        grounded |= line
