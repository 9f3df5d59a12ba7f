"""Many objects at once, between arrays and the rows of a frame: checked on the way in, copied on the way out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from picasso.errors import ShapeError
from picasso.primitives.checks import INT64_MAX, text
from picasso.primitives.detection_shapes import read_shapes, shape_attributes
from picasso.primitives.detections import NO_CLASS, UNTRACKED, Detections
from picasso.primitives.geometry import ANGLE, FloatArray, as_boxes, wrapping_xyxy
from picasso.primitives.object_store import DETECTION, NO_TRACK_ID, TRACK, ObjectStore

MAX_DETECTIONS = 1_000_000
"""Objects that ``add_detections`` takes at once; more is a mistake, refused before memory is taken for it."""

_FLOAT32 = np.dtype(np.float32)
_HALF = np.float32(0.5)
_BITS = np.dtype(np.uint32)
_INFINITY_BITS = 0x7F800000
"""Of float32: what is finite and has no sign lies below, as an integer."""
_NO_SIGN = np.uint32(0x7FFFFFFF)
_NO_ANGLE = np.float32(np.nan).tobytes()
_FOUR = (4,)
_ROWS = (0, 2, 1)
"""Axes of the boxes of a store, objects before fields."""
_largest = np.maximum.reduce
_Column = TypeVar("_Column", bound=Sized)


def add_boxes(
    store: ObjectStore,
    namespace: str,
    xyxy: ArrayLike,
    labels: str | Iterable[str],
    angles: ArrayLike | None,
    confidences: ArrayLike | None,
    track_ids: ArrayLike | None,
    track_xyxy: ArrayLike | None,
) -> NDArray[np.int64]:
    """Check the arguments of ``VideoFrame.add_detections``, whose errors these are, and append the rows; all or none.

    What is checked is written where it will be: rows behind the last one do not count yet.
    """
    listed = labels if isinstance(labels, str) else _listed(labels)
    corners = _corners("xyxy", xyxy)
    count, start = len(corners), store.count
    rows, before = slice(start, start + count), store.arrays if start else None
    store.reserve(count)
    try:
        boxes = store.boxes[DETECTION, :, rows]
        _write_boxes("xyxy", corners, boxes)
        if angles is not None:
            boxes[4] = _numbers("angles", angles, count)
        kept = [listed] * count if isinstance(listed, str) else _labels(listed, count)
        if confidences is not None:
            store.confidences[rows] = _numbers("confidences", confidences, count)
        if track_ids is not None:
            store.track_ids[rows] = _track_ids(track_ids, count)
        if track_xyxy is not None:
            _write_boxes("track_xyxy", _track_corners(track_xyxy, count), store.boxes[TRACK, :, rows])
        return store.append_filled([text("namespace", namespace)] * count, kept)
    except BaseException:
        store.take_back(rows, before)
        raise


def add_shaped(store: ObjectStore, found: Detections, namespace: str | None) -> NDArray[np.int64]:
    """Append detections, with what they look like as attributes, and return the new ids; errors as ``add_boxes``."""
    count, xywha = len(found.ids), found.xywha
    if count > MAX_DETECTIONS:
        raise ValueError(f"detections: {count} boxes: expected at most {MAX_DETECTIONS} at once")
    _check_xywha(xywha)
    labels, track_ids = _labels(_listed(found.labels), count), _track_ids(found.track_ids, count)
    has_shapes = found.masks is not None or found.keypoints is not None or found.polygons is not None
    shapes = shape_attributes(found) if has_shapes else ()
    names = found.namespaces
    namespaces = _labels(_listed(names), count) if namespace is None else [text("namespace", namespace)] * count
    start = store.count
    rows, before = slice(start, start + count), store.arrays if start else None
    store.reserve(count)
    try:
        store.boxes[DETECTION, :, rows], store.boxes[TRACK, :, rows] = xywha.T, found.track_xywha.T
        store.confidences[rows], store.track_ids[rows] = found.confidences, track_ids
        ids = store.append_filled(namespaces, labels)
    except BaseException:
        store.take_back(rows, before)
        raise
    if shapes:
        for number, made in zip(ids.tolist(), shapes, strict=True):
            store.attributes[number] = {attribute.key: attribute for attribute in made}
    return ids


def set_tracks(store: ObjectStore, ids: ArrayLike, track_ids: ArrayLike, track_xyxy: ArrayLike | None) -> None:
    """Check the arguments of ``VideoFrame.set_tracks``, whose errors these are, and write them."""
    listed = np.asarray(ids, np.int64).reshape(-1).tolist()
    rows = [store.row_of(number) for number in listed]
    numbers = _track_ids(track_ids, len(rows))
    if track_xyxy is None:
        boxes = store.boxes[DETECTION][:, rows]
    else:
        boxes = np.full((5, len(rows)), np.nan, np.float32)
        _write_boxes("track_xyxy", _track_corners(track_xyxy, len(rows)), boxes)
    store.track_ids[rows] = numbers
    store.boxes[TRACK][:, rows] = np.where(numbers == NO_TRACK_ID, np.float32(np.nan), boxes)


def read_detections(
    store: ObjectStore, namespace: str | None, label: str | None, shapes_of_wh: tuple[int, int] | None = None
) -> Detections:
    """Gather the objects of a namespace and a label; ``None`` means any.

    With the size of the frame also their masks, keypoints and polygons.
    """
    count = store.count
    if namespace is None and label is None:
        rows: Sequence[int] = range(count)
        boxes, ids, track_ids = store.boxes[:, :, :count], store.ids[:count].copy(), store.track_ids[:count].copy()
        sureness, namespaces, labels = store.confidences[:count], store.namespaces, store.labels
    else:
        rows = _matching(store, namespace, label)
        picked = np.array(rows, np.intp)
        count = len(rows)
        boxes, ids, track_ids = store.boxes[:, :, picked], store.ids[picked], store.track_ids[picked]
        sureness = store.confidences[picked]
        namespaces, labels = [store.namespaces[row] for row in rows], [store.labels[row] for row in rows]
    xywha, tracks = np.array(boxes.transpose(_ROWS), order="C")
    xyxy, class_ids = np.empty((count, 4), np.float32), np.empty(count, np.int64)
    class_ids.fill(NO_CLASS)
    track_ids[track_ids == NO_TRACK_ID] = UNTRACKED
    with np.errstate(over="ignore", invalid="ignore"):
        confidences = sureness.astype(np.float32)
        if boxes[DETECTION, ANGLE].tobytes() == _NO_ANGLE * count:
            centres, halves, ends = boxes[DETECTION, :2], boxes[DETECTION, 2:4] * _HALF, xyxy.T
            np.subtract(centres, halves, ends[:2])
            np.add(centres, halves, ends[2:])
        else:
            xyxy[...] = wrapping_xyxy(xywha)
    return Detections(
        ids,
        xyxy,
        xywha,
        np.array(namespaces, object),
        np.array(labels, object),
        confidences,
        track_ids,
        tracks,
        class_ids,
        **({} if shapes_of_wh is None else read_shapes(store, list(rows), shapes_of_wh)),
    )


def _matching(store: ObjectStore, namespace: str | None, label: str | None) -> list[int]:
    rows: Iterable[int] = range(store.count)
    if namespace is not None:
        rows = [row for row in rows if store.namespaces[row] == namespace]
    if label is not None:
        rows = [row for row in rows if store.labels[row] == label]
    return list(rows)


def _corners(name: str, xyxy: ArrayLike) -> NDArray[np.float32]:
    """Return corners ``(N, 4)``; ``ValueError`` for too many."""
    if type(xyxy) is np.ndarray and xyxy.dtype is _FLOAT32 and xyxy.shape[1:] == _FOUR:
        corners = xyxy
    else:
        if isinstance(xyxy, Sized) and len(xyxy) > MAX_DETECTIONS:
            raise ValueError(f"{name}: {len(xyxy)} boxes: expected at most {MAX_DETECTIONS} at once")
        with np.errstate(over="ignore", invalid="ignore"):  # what becomes infinite is refused as such
            corners = as_boxes(xyxy, 4, name=name).astype(_FLOAT32, copy=False)
    if len(corners) > MAX_DETECTIONS:
        raise ValueError(f"{name}: {len(corners)} boxes: expected at most {MAX_DETECTIONS} at once")
    return corners


def _write_boxes(name: str, corners: NDArray[np.float32], boxes: NDArray[np.float32]) -> None:
    """Write centres and sizes of corners ``(N, 4)`` into columns ``(5, N)``; ``ValueError`` for what is no box."""
    ends = corners.T
    starts, sizes, centres = ends[:2], boxes[2:4], boxes[:2]
    with np.errstate(over="ignore", invalid="ignore"):  # what becomes infinite, or no number, is refused as such
        np.subtract(ends[2:], starts, sizes)
        # one reduction: corners with a size that is finite and has no sign are a box
        if not (len(corners) and _largest(sizes.view(_BITS), None) < _INFINITY_BITS):
            _check_corners(name, corners)
        np.multiply(sizes, _HALF, centres)
        np.add(starts, centres, centres)


def _track_corners(track_xyxy: ArrayLike, count: int) -> NDArray[np.float32]:
    """Return the corners of as many boxes."""
    corners = _corners("track_xyxy", track_xyxy)
    if len(corners) != count:
        _check_corners("track_xyxy", corners)
    return _as_many("track_xyxy", corners, count)


def _check_xywha(xywha: NDArray[np.float32]) -> None:
    """Raise for the first row of detections that is not a box."""
    if len(xywha) and xywha.dtype is _FLOAT32:
        bits = xywha[:, :4].view(_BITS)
        if _largest(bits[:, 2:], None) < _INFINITY_BITS > _largest(bits & _NO_SIGN, None):
            return
    bad = ~np.isfinite(xywha[:, :4]).all(axis=1) | (xywha[:, 2:4] < 0).any(axis=1)
    if bad.any():
        row = int(bad.argmax())
        box = xywha[row].tolist()
        raise ValueError(f"detections.xywha[{row}]: expected finite numbers and sizes of 0 or more, got {box}")


def _check_corners(name: str, corners: NDArray[np.float32]) -> None:
    """Raise for the first row that is not a box."""
    bad = ~np.isfinite(corners).all(axis=1) | (corners[:, 2:] < corners[:, :2]).any(axis=1)
    if bad.any():
        row = int(bad.argmax())
        raise ValueError(f"{name}[{row}]: expected finite x0 <= x1 and y0 <= y1, got {corners[row].tolist()}")


def _listed(labels: Iterable[str] | NDArray[np.object_]) -> list[str]:
    """Return texts as a list, before anything is written: what makes them may look at the frame."""
    return labels.tolist() if isinstance(labels, np.ndarray) else list(labels)


def _labels(labels: list[str], count: int) -> list[str]:
    """Return texts that were checked, one for each box."""
    try:
        plain = "".join(labels).isascii()
    except TypeError:
        plain = False
    if not plain:
        for label in labels:
            text("labels", label)
    return labels if len(labels) == count else _as_many("labels", labels, count)


def _numbers(name: str, values: ArrayLike, count: int) -> FloatArray:
    if type(values) is np.ndarray and values.dtype is _FLOAT32 and values.shape == (count,):
        return values
    return _as_many(name, np.asarray(values, np.float64).reshape(-1), count)


def _track_ids(track_ids: ArrayLike, count: int) -> NDArray[np.int64]:
    """Return track ids with the store's own sign for none."""
    given = np.asarray(track_ids).reshape(-1)
    if given.dtype == object:
        given = np.array([UNTRACKED if number is None else number for number in given])
    if given.size and given.dtype.kind not in "iu":
        raise TypeError(f"track_ids: expected integers or None, got dtype {given.dtype}")
    if given.dtype == np.uint64 and (given > INT64_MAX).any():
        raise OverflowError(f"track_ids: {given.max()} does not fit, at most {INT64_MAX}")
    return _as_many("track_ids", np.where(given == UNTRACKED, NO_TRACK_ID, given.astype(np.int64)), count)


def _as_many(name: str, values: _Column, count: int) -> _Column:
    """Return ``values``; ``ShapeError`` unless there are ``count`` of them."""
    if len(values) != count:
        raise ShapeError(f"{name}: expected {count}, one for each box, got {len(values)}")
    return values
