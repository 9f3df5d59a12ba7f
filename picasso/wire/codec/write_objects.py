"""The objects of a frame to bytes: boxes and confidences of all of them as one array, the rest row by row."""

from __future__ import annotations

from array import array
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from picasso.primitives.object_store import DETECTION, NO_TRACK_ID, TRACK, ObjectStore
from picasso.wire.codec.numbers import SMALL, bytes_tag, text_field, varint
from picasso.wire.codec.write_attributes import attribute_fields

_NAMESPACE, _LABEL, _DRAW_LABEL, _ATTRIBUTES = (bytes_tag(number) for number in (3, 4, 5, 7))
_IDS: Final = [b"\x08" + number for number in SMALL]
_TRACK_ID: Final = b"\x50"
_SIDE: Final = 5
"""Bytes of one number of a box: a tag, then float32."""
_SIDE_TAGS: Final = b"\x0d\x15\x1d\x25\x2d"
_FLOAT32: Final = np.dtype("<f4")
_HEAD: Final = 2
"""Bytes before the numbers of a box."""


@cache
def _blank(detection_sides: int, track_sides: int, has_confidence: bool) -> bytes:
    """Return what is of one size in every object, with numbers that are 0."""
    parts = []
    for tag, sides in ((0x32, detection_sides), (0x4A, track_sides)):
        if sides:
            parts.append(bytes((tag, _SIDE * sides)))
            parts += [bytes((side_tag, 0, 0, 0, 0)) for side_tag in _SIDE_TAGS[:sides]]
    return b"".join(parts) + (b"\x45\0\0\0\0" if has_confidence else b"")


def write_objects(store: ObjectStore, tag: bytes) -> list[bytes]:
    """Return a field for each object, and its parts, in the order the objects were added.

    Args:
        store: The objects.
        tag: The bytes before each.
    """
    count = store.count
    if not count:
        return []
    ids: list[int] = store.ids[:count].tolist()
    heads = _heads(store)
    fixed = _fixed(store, count)
    track_ids: list[int] = store.track_ids[:count].tolist()
    is_sparse = bool(store.attributes or store.parents or store.draw_labels)
    parts: list[bytes] = []
    for number, track, head, content in zip(ids, track_ids, heads, fixed, strict=True):
        body = (_IDS[number] if 0 <= number < 4096 else b"\x08" + varint(number)) + head + content
        if track != NO_TRACK_ID:
            body += _TRACK_ID + (SMALL[track] if 0 <= track < 4096 else varint(track))
        if is_sparse:
            body += _sparse(store, number)
        size = len(body)
        parts += tag, (SMALL[size] if size < 4096 else varint(size)), body
    return parts


def write_object(store: ObjectStore, row: int) -> bytes:
    """Return the bytes of one object."""
    alone = ObjectStore()
    alone.copy_row(store, row, int(store.ids[row]))
    return write_objects(alone, b"")[-1]


def _heads(store: ObjectStore) -> list[bytes]:
    """Return namespace and label of every object; few differ."""
    known: dict[tuple[str, str], bytes] = {}
    heads = []
    for pair in zip(store.namespaces, store.labels, strict=True):
        head = known.get(pair)
        if head is None:
            head = known[pair] = text_field(_NAMESPACE, pair[0]) + text_field(_LABEL, pair[1])
        heads.append(head)
    return heads


def _sparse(store: ObjectStore, number: int) -> bytes:
    """Return what few objects have."""
    parts = []
    parent = store.parents.get(number)
    if parent is not None:
        parts += [b"\x10", varint(parent)]
    label = store.draw_labels.get(number)
    if label is not None:
        parts.append(text_field(_DRAW_LABEL, label))
    table = store.attributes.get(number)
    if table:
        parts += attribute_fields(_ATTRIBUTES, table.values())
    return b"".join(parts)


def _fixed(store: ObjectStore, count: int) -> list[bytes]:
    """Return boxes and confidence of every object."""
    boxes, confidences = store.boxes[:, :, :count], store.confidences[:count]
    # a byte for each object, 1 where it has none: centre and angle of detection boxes, of track boxes, confidences
    absent = np.isnan(boxes[:, ::4]).tobytes() + np.isnan(confidences).tobytes()
    shape = 0
    for bit, column in enumerate((1, 2, 3, 4)):
        missing = absent.count(1, column * count, (column + 1) * count)
        if not missing:
            shape |= 1 << bit
        elif missing < count:
            return _fixed_apart(boxes, confidences)
    return _fixed_alike(boxes, confidences, shape)


def _fixed_apart(boxes: NDArray[np.float32], confidences: NDArray[np.float64]) -> list[bytes]:
    """Return the same for objects of which some have what others have not: those that are alike at once."""
    fixed: list[bytes] = [b""] * len(confidences)
    shapes = 1 * ~np.isnan(boxes[DETECTION, 4]) + 2 * ~np.isnan(boxes[TRACK, 0]) + 4 * ~np.isnan(boxes[TRACK, 4])
    shapes += 8 * ~np.isnan(confidences)
    for shape in np.unique(shapes).tolist():
        rows = np.flatnonzero(shapes == shape)
        alike = _fixed_alike(boxes[:, :, rows], confidences[rows], shape)
        for row, content in zip(rows.tolist(), alike, strict=True):
            fixed[row] = content
    return fixed


def _fixed_alike(boxes: NDArray[np.float32], confidences: NDArray[np.float64], shape: int) -> list[bytes]:
    """Return boxes and confidence of objects that have the same of them.

    Args:
        boxes: ``(2, 5, N)``, as in the store.
        confidences: ``(N,)``.
        shape: 1 for an angle of the detection box, 2 for a track box, 4 for its angle, 8 for a confidence.
    """
    detection, track = 4 + (shape & 1), (4 + (shape >> 2 & 1)) * (shape >> 1 & 1)
    blank = _blank(detection, track, shape >= 8)
    count, size = len(confidences), len(blank)
    written = bytearray(blank * count)
    _put(written, size, _HEAD + 1, boxes[DETECTION, :detection])
    if track:
        _put(written, size, 2 * _HEAD + _SIDE * detection + 1, boxes[TRACK, :track])
    if shape >= 8:
        singles = np.frombuffer(array("f", confidences.tolist()), np.float32)  # what is too large becomes infinite
        _put(written, size, size - 4, singles[None])
    whole = bytes(written)
    return [whole[start : start + size] for start in range(0, count * size, size)]


def _put(written: bytearray, size: int, start: int, columns: NDArray[np.float32]) -> None:
    """Write numbers ``(sides, N)`` into rows of ``size`` bytes, the first at ``start``."""
    np.ndarray(columns.shape, _FLOAT32, written, start, (_SIDE, size))[...] = columns
