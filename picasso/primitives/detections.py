"""Objects of a picture as arrays, row by row the same object."""

from __future__ import annotations

import dataclasses
import inspect
import math
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from picasso.errors import ShapeError
from picasso.primitives.conversions.methods import Conversions
from picasso.primitives.geometry import as_boxes, wrapping_xyxy, xyxy_to_xywha
from picasso.primitives.masks import BoolArray, Masks
from picasso.primitives.nms import nms

UNTRACKED = -1
"""Stands in the arrays for the track id of an object that has none."""
NO_CLASS = -1
"""Stands for the class of an object of which only the label is known."""
NO_ID = -1
"""Stands for the id of an object that is in no frame yet."""


class _Tracker(Protocol):
    """What gives the boxes of frame after frame their track ids."""

    def update(self, xyxy: Any, confidences: Any, classes: Any, pts_ns: int, /) -> NDArray[np.int64]:
        """Return an id for each box, −1 for none."""


Polygons = tuple[NDArray[np.float64], ...]
"""The rings of one object, each ``(M, 2)`` in pixels."""


class Detection(NamedTuple):
    """One row of ``Detections``."""

    id: int
    xyxy: NDArray[np.float32]
    """``(4,)`` corners in pixels."""
    xywha: NDArray[np.float32]
    """``(5,)``."""
    namespace: str
    label: str
    class_id: int
    confidence: float
    track_id: int
    mask: BoolArray | None
    """``(height, width)`` of the whole picture."""
    keypoints: NDArray[np.float32] | None
    """``(K, 3)``."""
    polygons: Polygons | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Detections(Conversions):
    """Objects of a picture as arrays, row by row the same object.

    Those of a frame are copies, in the order the objects were added. ``Detections.of`` makes them of arrays.

    Convention: ``found[2]``, ``found[2:5]``, ``found[[4, 0]]`` and ``found[found.confidences > 0.8]`` give
    ``Detections``; ``found["weight"]`` gives a column of ``data``; ``for one in found`` gives a ``Detection`` each.
    """

    ids: NDArray[np.int64]
    """``(N,)``; −1 for those that are in no frame."""
    xyxy: NDArray[np.float32]
    """``(N, 4)`` corners in pixels; of a rotated box those of the upright box around it."""
    xywha: NDArray[np.float32]
    """``(N, 5)`` centre, size in pixels, and angle in degrees; NaN for no angle."""
    namespaces: NDArray[np.object_]
    """``(N,)`` of str."""
    labels: NDArray[np.object_]
    """``(N,)`` of str."""
    confidences: NDArray[np.float32]
    """``(N,)``, NaN where the detector did not say."""
    track_ids: NDArray[np.int64]
    """``(N,)``, −1 where there is none."""
    track_xywha: NDArray[np.float32]
    """``(N, 5)`` as ``xywha``, all NaN where there is no track box."""
    class_ids: NDArray[np.int64]
    """``(N,)`` numbers of the model's classes, −1 where only the label is known, as of the objects of a frame."""
    masks: Masks | None = None
    """N masks, in pixels."""
    keypoints: NDArray[np.float32] | None = None
    """``(N, K, 3)`` x and y in pixels, and confidence; 0 for one that is not there."""
    polygons: tuple[Polygons, ...] | None = None
    """N tuples of rings, each ``(M, 2)`` in pixels."""
    data: dict[str, NDArray[Any]] = field(default_factory=dict)
    """More columns, each ``(N, …)``."""

    if not TYPE_CHECKING:

        def __new__(cls, *columns, **named):  # noqa: D102  # no part of the interface
            if len(columns) + len(named) < _LEAST_COLUMNS and (columns or named):
                raise TypeError(
                    "Detections: expected all columns; Detections.of(xyxy, labels, confidences=...) makes the others"
                )
            return object.__new__(cls)

    def __post_init__(self) -> None:
        count = len(self.ids)
        is_plain = self.masks is None and self.keypoints is None and self.polygons is None
        if not (is_plain and _are_as_many(_required(self), count)):
            for name in _COLUMNS:
                column = getattr(self, name)
                if column is not None and len(column) != count:
                    raise ShapeError(f"{name}: expected {count} rows, got {len(column)}")
        for name, column in self.data.items():
            if len(column) != count:
                raise ShapeError(f"{name}: expected {count} rows, got {len(column)}")

    @classmethod
    def of(
        cls,
        xyxy: ArrayLike | None = None,
        labels: str | Sequence[str] | NDArray[Any] | None = None,
        *,
        xywha: ArrayLike | None = None,
        class_ids: ArrayLike | None = None,
        confidences: ArrayLike | None = None,
        track_ids: ArrayLike | None = None,
        track_xywha: ArrayLike | None = None,
        ids: ArrayLike | None = None,
        namespace: str | Sequence[str] | NDArray[Any] = "",
        masks: Masks | ArrayLike | None = None,
        keypoints: ArrayLike | None = None,
        polygons: Iterable[Iterable[ArrayLike]] | None = None,
        data: dict[str, Any] | None = None,
        **same: Any,
    ) -> Detections:
        """Make detections of arrays.

        Args:
            xyxy: ``(N, 4)`` corners in pixels; left out where ``xywha`` is given.
            labels: One text for all, or N; by default the class ids as text.
            xywha: ``(N, 5)`` centre, size, angle in degrees; NaN for no angle.
            class_ids: ``(N,)`` integers.
            confidences: ``(N,)``.
            track_ids: ``(N,)`` integers, −1 for none.
            track_xywha: ``(N, 5)`` as ``xywha``.
            ids: ``(N,)`` ids of objects.
            namespace: Who found them: one text for all, or N.
            masks: ``Masks``, or ``(N, height, width)``.
            keypoints: ``(N, K, 3)``, or ``(N, K, 2)``, all of confidence 1.
            polygons: N lists of rings, each ``(M, 2)``.
            data: More columns of N rows.
            same: The names that supervision has: ``confidence``, ``class_id``, ``tracker_id``, ``mask``.

        Raises:
            ShapeError: An array has another shape, or not N rows; or neither ``xyxy`` nor ``xywha`` is given.
            TypeError: There is no such column.

        >>> found = Detections.of([[0, 0, 4, 2], [1, 1, 3, 3]], ["car", "bus"], confidences=[0.9, 0.4])
        >>> found[found.confidences > 0.5].labels.tolist(), found.area.tolist()
        (['car'], [8.0, 4.0])
        """
        if same:
            given = {_named(name): column for name, column in same.items()}
            columns = {"class_ids": class_ids, "confidences": confidences, "track_ids": track_ids, "masks": masks}
            if twice := [name for name in given if columns[name] is not None]:
                raise TypeError(f"Detections.of: {', '.join(twice)}: given by two names")
            class_ids, confidences, track_ids, masks = (given.get(name, value) for name, value in columns.items())
        if (xyxy is None) == (xywha is None):
            raise ShapeError("expected one of xyxy and xywha")
        if xywha is None:
            corners = as_boxes(xyxy if xyxy is not None else [], 4, name="xyxy").astype(np.float32)
            turned = xyxy_to_xywha(corners)
        else:
            turned = as_boxes(xywha, 5, name="xywha").astype(np.float32)
            corners = wrapping_xyxy(turned)
        count = len(corners)
        classes = _whole(class_ids, count, NO_CLASS)
        if labels is None:
            labels = ["" if number == NO_CLASS else str(number) for number in classes.tolist()]
        shown = {name: np.asarray(column) for name, column in (data or {}).items()}
        return cls(
            ids=_whole(ids, count, NO_ID),
            xyxy=corners,
            xywha=turned,
            namespaces=_texts(namespace, count),
            labels=_texts(labels, count),
            confidences=_floats(confidences, (count,)),
            track_ids=_whole(track_ids, count, UNTRACKED),
            track_xywha=_floats(track_xywha, (count, 5)),
            class_ids=classes,
            masks=masks if masks is None or isinstance(masks, Masks) else Masks.from_dense(masks),
            keypoints=None if keypoints is None else as_keypoints(keypoints),
            polygons=None if polygons is None else _as_polygons(polygons),
            data=shown,
        )

    @classmethod
    def empty(cls) -> Detections:
        """Return detections of no object."""
        return cls.of(np.zeros((0, 4), np.float32))

    def __len__(self) -> int:
        return len(self.ids)

    def _repr_html_(self) -> str:
        from picasso.primitives.html import of_detections

        return of_detections(self)

    def __iter__(self) -> Iterator[Detection]:
        for row in range(len(self)):
            mask = None if self.masks is None else self.masks[row]
            yield Detection(
                id=int(self.ids[row]),
                xyxy=self.xyxy[row],
                xywha=self.xywha[row],
                namespace=self.namespaces[row],
                label=self.labels[row],
                class_id=int(self.class_ids[row]),
                confidence=float(self.confidences[row]),
                track_id=int(self.track_ids[row]),
                mask=mask if isinstance(mask, np.ndarray) else None,
                keypoints=None if self.keypoints is None else self.keypoints[row],
                polygons=None if self.polygons is None else self.polygons[row],
            )

    def __getitem__(self, rows: str | int | slice | ArrayLike) -> Any:
        if isinstance(rows, str):
            return self.data[rows]
        if isinstance(rows, int | np.integer):
            row = range(len(self))[int(rows)]
            return self.take(slice(row, row + 1))
        return self.take(rows)

    def take(self, rows: slice | ArrayLike) -> Detections:
        """Return the detections of ``rows``: a slice, numbers of rows, or ``(N,)`` of bool.

        Raises:
            IndexError: A row is not there, or there is not one bool for each.
        """
        picked = np.arange(len(self))[rows if isinstance(rows, slice) else _as_rows(rows)]
        return Detections(
            ids=self.ids[picked],
            xyxy=self.xyxy[picked],
            xywha=self.xywha[picked],
            namespaces=self.namespaces[picked],
            labels=self.labels[picked],
            confidences=self.confidences[picked],
            track_ids=self.track_ids[picked],
            track_xywha=self.track_xywha[picked],
            class_ids=self.class_ids[picked],
            masks=None if self.masks is None else self.masks.take(picked),
            keypoints=None if self.keypoints is None else self.keypoints[picked],
            polygons=None if self.polygons is None else tuple(self.polygons[row] for row in picked),
            data={name: column[picked] for name, column in self.data.items()},
        )

    def replace(self, **columns: Any) -> Detections:
        """Return the same detections with other ``columns``, as ``Detections.of`` takes them.

        ``found.replace(track_ids=ids)``. New boxes do not move masks, keypoints and polygons.

        Raises:
            ShapeError: A column has another shape, or not N rows.
            TypeError: There is no such column.
        """
        kept = {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}
        kept["namespace"] = kept.pop("namespaces")
        kept.pop("xywha" if "xyxy" in columns else "xyxy")
        given = {_SAME.get(name, name): column for name, column in columns.items()}
        return Detections.of(**{**kept, **given})

    def tracked_by(self, tracker: _Tracker, pts_ns: int) -> Detections:
        """Return the same detections with the track ids that a tracker of ``picasso.track`` gives them.

        Objects of different classes are never of one track; where no class is known the label counts.

        Args:
            tracker: One for each source, asked about each frame in order.
            pts_ns: When the frame is, nanoseconds: ``frame.pts`` of frames of a ``VideoReader``.
        """
        labels = [zlib.crc32(label.encode()) for label in self.labels.tolist()]
        classes = np.where(self.class_ids == NO_CLASS, np.array(labels, np.int64), self.class_ids)
        return self.replace(track_ids=tracker.update(self.xyxy, self.confidences, classes, pts_ns))

    @staticmethod
    def concatenate(parts: Sequence[Detections]) -> Detections:
        """Join detections, row below row.

        Masks, keypoints, polygons and columns of ``data`` are in all of them or in none; parts without rows do not
        count.

        Raises:
            ShapeError: Some have them and some have not, or masks or keypoints have different sizes.
        """
        full = [part for part in parts if len(part)] or list(parts[:1])
        if not full:
            return Detections.empty()
        joined: dict[str, Any] = {}
        for item in dataclasses.fields(Detections):
            columns = [getattr(part, item.name) for part in full]
            joined[item.name] = _joined(item.name, columns)
        return Detections(**joined)

    @property
    def confidence(self) -> NDArray[np.float32]:
        """``confidences`` ``(N,)``, by the name that other libraries have."""
        return self.confidences

    @property
    def class_id(self) -> NDArray[np.int64]:
        """``class_ids`` ``(N,)``, by the name that other libraries have."""
        return self.class_ids

    @property
    def tracker_id(self) -> NDArray[np.int64]:
        """``track_ids`` ``(N,)``, −1 where there is none, by the name that other libraries have."""
        return self.track_ids

    @property
    def area(self) -> NDArray[np.float32]:
        """``(N,)`` square pixels: of the mask where there are masks, else of the box as it is turned."""
        if self.masks is not None:
            return self.masks.areas.astype(np.float32)
        found: NDArray[np.float32] = self.xywha[:, 2] * self.xywha[:, 3]
        return found

    @property
    def is_rotated(self) -> bool:
        """Whether any box lies askew."""
        return bool((np.nan_to_num(self.xywha[:, 4]) != 0).any())

    def with_nms(self, iou: float = 0.5, *, agnostic: bool = False) -> Detections:
        """Return the detections without those that a better one of the same class covers, best first.

        Rotated boxes are compared as they lie.

        Args:
            iou: Boxes that overlap by more than this share, 0 … 1, stand for one object.
            agnostic: Whether boxes of different labels stand for one object, too.
        """
        groups = np.unique(self.labels.astype(str), return_inverse=True)[1]
        boxes = self.xywha if self.is_rotated else self.xyxy
        return self.take(nms(boxes, np.nan_to_num(self.confidences), iou, None if agnostic else groups))


if not TYPE_CHECKING:  # what help() and notebooks show stays that of the columns
    Detections.__new__.__signature__ = inspect.signature(Detections.__init__)

_LEAST_COLUMNS = 9
"""Without masks, keypoints, polygons and data."""
_COLUMNS = tuple(item.name for item in dataclasses.fields(Detections) if item.name != "data")
_required = attrgetter(*_COLUMNS[:_LEAST_COLUMNS])


def _are_as_many(columns: tuple[Any, ...], count: int) -> bool:
    try:
        return {*map(len, columns)} == {count}
    except TypeError:  # one of them is no column
        return False


_SAME = {"confidence": "confidences", "class_id": "class_ids", "tracker_id": "track_ids", "mask": "masks"}
"""What supervision calls a column, and what it is here."""


def _named(name: str) -> str:
    if name not in _SAME:
        known = [item.name for item in dataclasses.fields(Detections)]
        raise TypeError(f"Detections.of: unknown column {name!r}; one of {', '.join(known)}; yours go into data")
    return _SAME[name]


def _joined(name: str, columns: list[Any]) -> Any:
    if name == "data":
        keys = list(columns[0])
        if any(set(column) != set(keys) for column in columns):
            raise ShapeError("data: expected the same columns in all parts, or none")
        return {key: np.concatenate([column[key] for column in columns]) for key in keys}
    if all(column is None for column in columns):
        return None
    if any(column is None for column in columns):
        raise ShapeError(f"{name}: expected them in all parts, or in none")
    if name == "masks":
        return Masks.concatenate(columns)
    if name == "polygons":
        return tuple(rings for column in columns for rings in column)
    if len({column.shape[1:] for column in columns}) > 1:
        raise ShapeError(f"{name}: expected parts of one shape, got {', '.join(str(c.shape) for c in columns)}")
    return np.concatenate(columns)


def _as_rows(rows: ArrayLike) -> NDArray[Any]:
    """Return an index; an empty list is no rows."""
    array = np.asarray(rows)
    return array if array.size or array.dtype == np.bool_ else array.astype(np.intp)


def _whole(values: ArrayLike | None, count: int, missing: int) -> NDArray[np.int64]:
    """Return whole numbers; ``missing`` for each None and NaN, as other libraries write what is not known."""
    if values is None:
        return np.full(count, missing, np.int64)
    given = np.asarray(values)
    if given.dtype.kind == "O":
        rows = given.reshape(-1).tolist()
        is_missing = [row is None or (isinstance(row, float) and math.isnan(row)) for row in rows]
        numbers = [missing if absent else int(row) for row, absent in zip(rows, is_missing, strict=True)]
        given = np.array(numbers, np.int64)
    elif given.dtype.kind == "f":
        given = np.where(np.isnan(given), missing, given)
    return given.astype(np.int64).reshape(-1)


def _floats(values: ArrayLike | None, shape: tuple[int, ...]) -> NDArray[np.float32]:
    if values is None:
        return np.full(shape, np.nan, np.float32)
    return np.asarray(values, np.float32).reshape(-1, *shape[1:])


def _texts(values: str | Sequence[str] | NDArray[Any], count: int) -> NDArray[np.object_]:
    """Return ``(N,)`` of plain str."""
    column = np.empty(count if isinstance(values, str) else len(values), object)
    column[:] = values if isinstance(values, str) else ["" if value is None else str(value) for value in values]
    return column


def as_keypoints(keypoints: ArrayLike) -> NDArray[np.float32]:
    """Return ``(N, K, 3)``; points ``(N, K, 2)`` have confidence 1.

    Raises:
        ShapeError: They have another shape.
    """
    given = np.asarray(keypoints, np.float32)
    if given.ndim != 3 or given.shape[2] not in (2, 3):
        raise ShapeError(f"keypoints: expected (N, K, 3) or (N, K, 2), got {given.shape}")
    if given.shape[2] == 3:
        return given
    return np.concatenate([given, np.ones((*given.shape[:2], 1), np.float32)], axis=2)


def _as_polygons(polygons: Iterable[Iterable[ArrayLike]]) -> tuple[Polygons, ...]:
    made = tuple(tuple(np.asarray(ring, np.float64) for ring in rings) for rings in polygons)
    for row, rings in enumerate(made):
        for ring in rings:
            if ring.ndim != 2 or ring.shape[1] != 2:
                raise ShapeError(f"polygons[{row}]: expected rings (M, 2), got {ring.shape}")
    return made
