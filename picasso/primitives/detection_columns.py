"""Many objects at once, between arrays and the rows of a frame: checked on the way in, copied on the way out."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from picasso.errors import ShapeError
from picasso.primitives.checks import INT64_MAX, text
from picasso.primitives.detection_shapes import read_shapes, shape_attributes
from picasso.primitives.detections import NO_CLASS, UNTRACKED, Detections
from picasso.primitives.geometry import FloatArray, as_boxes, wrapping_xyxy
from picasso.primitives.object_store import DETECTION, NO_TRACK_ID, TRACK, ObjectStore

MAX_DETECTIONS = 1_000_000
"""Objects that ``add_detections`` takes at once; more is a mistake, refused before memory is taken for it."""

_FLOAT32 = np.dtype(np.float32)
_HALF = np.float32(0.5)
_FIRST_NUMBERS = np.arange(256)
_INFINITY_BITS = 0x7F800000
"""Of float32: what is finite and has no sign lies below, as an integer."""
_Column = TypeVar("_Column", bound=Sized)


class NewDetections(NamedTuple):
    """Checked columns, ready to become rows of a store."""

    boxes: NDArray[np.float32]
    """``(N, 5)``."""
    labels: list[str]
    confidences: FloatArray | None
    track_ids: NDArray[np.int64] | None
    track_boxes: NDArray[np.float32] | None

    @staticmethod
    def of(
        xyxy: ArrayLike,
        labels: str | Iterable[str],
        angles: ArrayLike | None,
        confidences: ArrayLike | None,
        track_ids: ArrayLike | None,
        track_xyxy: ArrayLike | None,
    ) -> NewDetections:
        """Check the arguments of ``VideoFrame.add_detections``, whose errors these are."""
        boxes = _boxes("xyxy", xyxy)
        count = len(boxes)
        if angles is not None:
            boxes[:, 4] = _numbers("angles", angles, count)
        return NewDetections(
            boxes,
            _labels(labels, count),
            None if confidences is None else _numbers("confidences", confidences, count),
            None if track_ids is None else _track_ids(track_ids, count),
            None if track_xyxy is None else _as_many("track_xyxy", _boxes("track_xyxy", track_xyxy), count),
        )

    @staticmethod
    def of_detections(found: Detections) -> NewDetections:
        """Check detections from elsewhere, with the errors of ``VideoFrame.add_detections``."""
        if len(found) > MAX_DETECTIONS:
            raise ValueError(f"detections: {len(found)} boxes: expected at most {MAX_DETECTIONS} at once")
        bad = ~np.isfinite(found.xywha[:, :4]).all(axis=1) | (found.xywha[:, 2:4] < 0).any(axis=1)
        if bad.any():
            row = int(bad.argmax())
            box = found.xywha[row].tolist()
            raise ValueError(f"detections.xywha[{row}]: expected finite numbers and sizes of 0 or more, got {box}")
        return NewDetections(
            found.xywha,
            _labels(found.labels, len(found)),
            found.confidences,
            _track_ids(found.track_ids, len(found)),
            found.track_xywha,
        )

    def add_to(self, store: ObjectStore, namespace: str | list[str]) -> NDArray[np.int64]:
        """Append the rows under new ids and return the ids; ``namespace`` is one for all, or N."""
        count = len(self.boxes)
        first = store.first_new_id(count)
        ids = (_FIRST_NUMBERS[:count] if count <= len(_FIRST_NUMBERS) else np.arange(count)) + first
        namespaces = [namespace] * count if isinstance(namespace, str) else namespace
        rows = store.extend(ids, namespaces, self.labels)
        store.boxes[DETECTION, :, rows] = self.boxes.T
        if self.confidences is not None:
            store.confidences[rows] = self.confidences
        if self.track_ids is not None:
            store.track_ids[rows] = self.track_ids
        if self.track_boxes is not None:
            store.boxes[TRACK, :, rows] = self.track_boxes.T
        return ids


def add_shaped(store: ObjectStore, found: Detections, namespace: str | None) -> NDArray[np.int64]:
    """Append detections, with what they look like as attributes, and return the new ids."""
    new = NewDetections.of_detections(found)
    has_shapes = any(column is not None for column in (found.masks, found.keypoints, found.polygons))
    shapes = shape_attributes(found) if has_shapes else []
    given = _labels(found.namespaces, len(found)) if namespace is None else text("namespace", namespace)
    ids = new.add_to(store, given)
    for number, made in zip(ids.tolist(), shapes, strict=False):
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
        boxes = _as_many("track_xyxy", _boxes("track_xyxy", track_xyxy), len(rows)).T
    store.track_ids[rows] = numbers
    store.boxes[TRACK][:, rows] = np.where(numbers == NO_TRACK_ID, np.float32(np.nan), boxes)


def read_detections(
    store: ObjectStore, namespace: str | None, label: str | None, shapes_of_wh: tuple[int, int] | None = None
) -> Detections:
    """Gather the objects of a namespace and a label; ``None`` means any.

    With the size of the frame also their masks, keypoints and polygons.
    """
    rows = _matching(store, namespace, label)
    xywha = store.boxes[DETECTION, :, : store.count].T[rows]
    track_ids = store.track_ids[: store.count][rows]
    with np.errstate(over="ignore"):
        confidences = store.confidences[: store.count][rows].astype(np.float32)
    return Detections(
        ids=store.ids[: store.count][rows],
        xyxy=wrapping_xyxy(xywha).astype(np.float32, copy=False),
        xywha=np.ascontiguousarray(xywha),
        namespaces=np.array(store.namespaces, object)[rows],
        labels=np.array(store.labels, object)[rows],
        confidences=confidences,
        track_ids=np.where(track_ids == NO_TRACK_ID, UNTRACKED, track_ids),
        track_xywha=np.ascontiguousarray(store.boxes[TRACK, :, : store.count].T[rows]),
        class_ids=np.full(len(rows), NO_CLASS, np.int64),
        **({} if shapes_of_wh is None else read_shapes(store, rows.tolist(), shapes_of_wh)),
    )


def _matching(store: ObjectStore, namespace: str | None, label: str | None) -> NDArray[np.intp]:
    rows: Iterable[int] = range(store.count)
    if namespace is not None:
        rows = [row for row in rows if store.namespaces[row] == namespace]
    if label is not None:
        rows = [row for row in rows if store.labels[row] == label]
    return np.array(rows, np.intp)


def _boxes(name: str, xyxy: ArrayLike) -> NDArray[np.float32]:
    """Return ``(N, 5)`` rows of corners; NaN, infinite or crossed corners are a ``ValueError``, and so are too many."""
    if isinstance(xyxy, Sized) and len(xyxy) > MAX_DETECTIONS:
        raise ValueError(f"{name}: {len(xyxy)} boxes: expected at most {MAX_DETECTIONS} at once")
    with np.errstate(over="ignore", invalid="ignore"):  # what becomes infinite, or no number, is refused as such
        corners = as_boxes(xyxy, 4, name=name)
        if corners.dtype != _FLOAT32:
            corners = corners.astype(_FLOAT32)
        boxes = np.empty((len(corners), 5), np.float32)
        sizes, starts = boxes[:, 2:4], corners[:, :2]
        np.subtract(corners[:, 2:], starts, sizes)
        # one reduction: corners with a size that is finite and has no sign are a box
        if not (len(boxes) and np.maximum.reduce(sizes.view(np.uint32), None) < _INFINITY_BITS):
            _check_corners(name, corners)
        np.add(starts, sizes * _HALF, boxes[:, :2])
        boxes[:, 4] = np.nan
    return boxes


def _check_corners(name: str, corners: NDArray[np.float32]) -> None:
    """Raise for the first row that is not a box."""
    bad = ~np.isfinite(corners).all(axis=1) | (corners[:, 2:] < corners[:, :2]).any(axis=1)
    if bad.any():
        row = int(bad.argmax())
        raise ValueError(f"{name}[{row}]: expected finite x0 <= x1 and y0 <= y1, got {corners[row].tolist()}")


def _labels(labels: str | Iterable[str], count: int) -> list[str]:
    if isinstance(labels, str):
        return [labels] * count
    kept = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
    try:
        plain = "".join(kept).isascii()
    except TypeError:
        plain = False
    if not plain:
        for label in kept:
            text("labels", label)
    return _as_many("labels", kept, count)


def _numbers(name: str, values: ArrayLike, count: int) -> FloatArray:
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
