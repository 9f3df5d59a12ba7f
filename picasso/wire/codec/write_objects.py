"""The objects of a frame to bytes: boxes and confidences of all of them as one array, the rest row by row."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from picasso.primitives.object_store import DETECTION, NO_TRACK_ID, TRACK, ObjectStore
from picasso.wire.codec.numbers import SMALL, bytes_tag, text_field, varint
from picasso.wire.codec.write_attributes import attribute_fields

_NAMESPACE, _LABEL, _DRAW_LABEL, _ATTRIBUTES = (bytes_tag(number) for number in (3, 4, 5, 7))
_TRACK_ID: Final = b"\x50"
_CORNERS: Final = ((0x0D, "xc"), (0x15, "yc"), (0x1D, "width"), (0x25, "height"), (0x2D, "angle"))


@cache
def _layout(detection_sides: int, track_sides: int, has_confidence: bool) -> tuple[np.dtype[Any], bytes]:
    """Return the layout of what is of one size in every object, and a row whose numbers are 0."""
    fields: list[tuple[str, str]] = []
    blank = b""
    for name, tag, sides in (("detection", 0x32, detection_sides), ("track", 0x4A, track_sides)):
        if sides:
            fields.append((f"{name}_head", "V2"))
            blank += bytes((tag, 5 * sides))
        for corner_tag, corner in _CORNERS[:sides]:
            fields += [(f"{name}_{corner}_tag", "V1"), (f"{name}_{corner}", "<f4")]
            blank += bytes((corner_tag, 0, 0, 0, 0))
    if has_confidence:
        fields += [("confidence_tag", "V1"), ("confidence", "<f4")]
        blank += b"\x45\0\0\0\0"
    return np.dtype(fields), blank


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
    add = parts.append
    for row in range(count):
        number, track = ids[row], track_ids[row]
        body = b"\x08" + (SMALL[number] if 0 <= number < 4096 else varint(number)) + heads[row] + fixed[row]
        if track != NO_TRACK_ID:
            body += _TRACK_ID + (SMALL[track] if 0 <= track < 4096 else varint(track))
        if is_sparse:
            body += _sparse(store, number)
        add(tag)
        add(varint(len(body)))
        add(body)
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
    has = ~np.isnan(boxes[:, (0, 4), :])  # (kind, centre or angle, row)
    shapes = has[DETECTION, 1] + has[TRACK, 0] * (2 + 4 * has[TRACK, 1]) + 8 * ~np.isnan(confidences)
    first = int(shapes[0])
    if count == 1 or (shapes == first).all():
        return _fixed_alike(boxes, confidences, first)
    fixed: list[bytes] = [b""] * count
    for shape in np.unique(shapes).tolist():
        rows = np.flatnonzero(shapes == shape)
        alike = _fixed_alike(boxes[:, :, rows], confidences[rows], shape)
        for row, content in zip(rows.tolist(), alike, strict=True):
            fixed[row] = content
    return fixed


def _fixed_alike(boxes: NDArray[np.float32], confidences: NDArray[np.float64], shape: int) -> list[bytes]:
    """Return boxes and confidence of objects that have the same of them."""
    detection, track = 4 + (shape & 1), (4 + (shape >> 2 & 1)) * (shape >> 1 & 1)
    layout, blank = _layout(detection, track, shape >= 8)
    count, size = len(confidences), layout.itemsize
    written = bytearray(blank * count)
    rows = np.frombuffer(written, layout)
    for kind, name, sides in ((DETECTION, "detection", detection), (TRACK, "track", track)):
        for index in range(sides):
            rows[f"{name}_{_CORNERS[index][1]}"] = boxes[kind, index]
    if shape >= 8:
        with np.errstate(over="ignore"):
            rows["confidence"] = confidences
    whole = bytes(written)
    return [whole[start : start + size] for start in range(0, count * size, size)]
