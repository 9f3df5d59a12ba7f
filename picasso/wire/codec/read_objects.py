"""Bytes to the objects of a frame: boxes of all of them as one array, the rest column by column."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from operator import attrgetter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from picasso.errors import ProtocolError
from picasso.primitives import VideoObject
from picasso.primitives.object_store import DETECTION, TRACK, ObjectStore
from picasso.wire.codec.read_attributes import read_attributes
from picasso.wire.codec.schema import ABSENT_BOX, ABSENT_ID, ABSENT_TEXT, decode_error, reading_class

_SIDE: Final = 5
"""Bytes of one number of a box: a tag, then float32."""
_SIDE_TAGS: Final = b"\x0d\x15\x1d\x25\x2d"
_FLOAT32: Final = np.dtype("<f4")
_COLUMNS: Final = tuple(map(attrgetter, (
    "id", "namespace", "label", "detection_box", "track_box", "track_id", "confidence", "parent_id", "draw_label"
)))  # fmt: skip


def read_objects(store: ObjectStore, parsed: Sequence[Any]) -> None:
    """Put parsed objects into an empty store.

    Raises:
        ProtocolError: One has no box, two have one id, a parent is not there or hangs below itself, or an attribute is
            out of its range.
    """
    objects = list(parsed)  # one Python object each, made once
    columns: list[list[Any]] = [list(map(column, objects)) for column in _COLUMNS]
    ids, namespaces, labels, detections, tracks, track_ids, confidences, parents, draw_labels = columns
    if ABSENT_BOX in detections:
        raise ProtocolError(f"objects: object {ids[detections.index(ABSENT_BOX)]} has no detection box")
    store.fill(ids, namespaces, labels, _boxes(detections, tracks), track_ids, confidences)
    if len(store.rows) < len(ids):
        raise ProtocolError(f"objects: object {_first_twice(ids)} is there twice")
    if parents.count(ABSENT_ID) < len(parents) or ABSENT_ID in store.rows:
        has = [number != ABSENT_ID or each.HasField("parent_id") for number, each in zip(parents, objects, strict=True)]
        store.parents = _parents(ids, dict(compress(zip(ids, parents, strict=True), has)))
    if draw_labels.count(ABSENT_TEXT) < len(ids):
        store.draw_labels = {ids[row]: label for row, label in enumerate(draw_labels) if label != ABSENT_TEXT}
    for number, each in zip(ids, objects, strict=True):
        attributes = each.attributes
        if attributes:
            store.attributes[number] = read_attributes(attributes, f"object {number}")


def read_object(parsed: Any) -> VideoObject:
    """Return one object on its own, without its parent; errors as ``read_objects``."""
    alone = VideoObject.__new__(VideoObject)
    alone._store = ObjectStore()
    parsed.ClearField("parent_id")
    read_objects(alone._store, [parsed])
    alone._store.attributes.setdefault(parsed.id, {})
    return alone


def _boxes(detections: Sequence[bytes], tracks: Sequence[bytes]) -> NDArray[np.float32]:
    """Return boxes as a store has them, ``(2, 5, N)``: detection and track; centre, size, angle; NaN for none."""
    count = len(detections)
    boxes = np.empty((2, 5, count), np.float32)
    size = len(detections[0])
    has_tracks = tracks.count(ABSENT_BOX) < count
    kinds = [*detections, *tracks] if has_tracks else detections
    alike = _boxes_alike(kinds, size) if set(map(len, kinds)) == {size} else None
    boxes.fill(np.nan)
    if alike is not None:  # all of both kinds in one step
        if has_tracks:
            boxes[:, : len(alike)] = alike.reshape(-1, 2, count).swapaxes(0, 1)
        else:
            boxes[DETECTION, : len(alike)] = alike
        return boxes
    for kind, contents in ((DETECTION, detections), (TRACK, tracks)):
        by_size: dict[int, list[int]] = {}
        for row, content in enumerate(contents):
            if content != ABSENT_BOX:
                by_size.setdefault(len(content), []).append(row)
        for size, rows in by_size.items():
            some = [contents[row] for row in rows]
            read = _boxes_alike(some, size)
            if read is None:
                read = _boxes_apart(some)
            columns = boxes[kind]
            columns[: len(read), rows] = read
    return boxes


def _boxes_alike(contents: Sequence[bytes], size: int) -> NDArray[np.float32] | None:
    """Return boxes that hold the same fields in the usual order; ``None`` when they do not."""
    sides = size // _SIDE
    if size not in (20, 25):
        return None
    count, whole = len(contents), b"".join(contents)
    if whole[::_SIDE] != _SIDE_TAGS[:sides] * count:
        return None
    return np.ndarray((sides, count), _FLOAT32, whole, 1, (_SIDE, size))


def _boxes_apart(contents: list[bytes]) -> NDArray[np.float32]:
    """Return boxes that are parsed one by one, such as those with a 0, which most senders leave out."""
    parse = reading_class("BoundingBox").FromString
    try:
        parsed = [parse(content) for content in contents]
    except decode_error() as error:
        raise ProtocolError(f"objects: a box cannot be read: {error}") from error
    rows = [(box.xc, box.yc, box.width, box.height, box.angle) for box in parsed]
    return np.array(rows, np.float32).T


def _parents(ids: Sequence[int], known: dict[int, int]) -> dict[int, int]:
    """Return the parent of each child; errors unless every chain of them ends at an object that has none."""
    present = set(ids)
    grounded = present - known.keys()
    for child, parent in known.items():
        if parent not in present:
            raise ProtocolError(f"objects: parent {parent} of object {child} is not there")
    for child in known:
        line: set[int] = set()
        ancestor = child
        while ancestor not in grounded:
            if ancestor in line:
                raise ProtocolError(f"objects: object {child} hangs below itself")
            line.add(ancestor)
            ancestor = known[ancestor]
        grounded |= line
    return known


def _first_twice(ids: Sequence[int]) -> int:
    seen: set[int] = set()
    return next(number for number in ids if number in seen or seen.add(number))  # type: ignore[func-returns-value]
