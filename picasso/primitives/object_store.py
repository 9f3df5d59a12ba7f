"""The objects of a frame as a struct of arrays: one column a field, one row an object."""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from operator import methodcaller
from typing import Any, Final, TypeAlias, cast
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from picasso.errors import DetachedObjectError
from picasso.primitives.attribute import Attribute, AttributeKey
from picasso.primitives.checks import INT64_MAX, INT64_MIN

DETECTION: Final = 0
"""Index of the detection boxes in ``ObjectStore.boxes``."""
TRACK: Final = 1
"""Index of the track boxes in ``ObjectStore.boxes``."""
NO_TRACK_ID: Final = INT64_MIN
"""Stored instead of a track id that is not there."""

_FIELDS: Final = ("id", "namespace", "label", "draw_label", "parent_id", "track_id", "confidence")
_STEP = 16
"""Rows come in multiples of this: few sizes, for what is kept by size."""
_AT_ONCE = 32
"""Rows for which the first object that comes alone makes room: few frames have more, and to grow is slow."""
_FEW = 256
"""Rows up to which blank ones are copied and not made."""

Arrays: TypeAlias = tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def _blank_arrays(capacity: int) -> Arrays:
    """Return boxes, ids, track ids and confidences of a number of blank rows.

    Boxes are ``(2, 5, capacity)``: detection and track; xc, yc, width, height, angle; row. One field of all boxes of a
    kind is contiguous, so that moving a thousand boxes is a handful of vector operations.
    """
    if capacity > _FEW:
        return _make_blank_arrays(capacity)
    return cast("Arrays", tuple(map(_copied, _kept_blank_arrays(capacity))))


def _make_blank_arrays(capacity: int) -> Arrays:
    return (
        np.full((2, 5, capacity), np.nan, np.float32),
        np.zeros(capacity, np.int64),
        np.full(capacity, NO_TRACK_ID, np.int64),
        np.full(capacity, np.nan, np.float64),
    )


_copied = methodcaller("copy")
_first_rows = lru_cache(maxsize=_FEW)(lambda count: dict(zip(range(count), range(count), strict=True)))
"""The rows of objects that are the first of their frame: a copy takes a tenth of the time of making them."""
_kept_blank_arrays = lru_cache(maxsize=_FEW)(_make_blank_arrays)
"""Copying arrays is one call each, filling them several: for few rows the calls are all that counts."""


_NO_CELLS: Final = ()
_NOTHING: Final = *_blank_arrays(0), _NO_CELLS, 0, 0
"""What an empty store begins with: arrays, cells, count, and the next id."""
NO_BOX: Final = array("f", [math.nan] * 5)
"""The five values of a box that is not there."""


class ObjectStore:
    """Rows ``0 … count`` hold the objects in the order they were added.

    Rows from ``count`` on hold blanks: NaN boxes and confidences, no track id. Columns that few objects fill
    (attributes, parents, draw labels) are dicts keyed by object id.
    """

    __slots__ = (
        "__weakref__",
        "_cells",
        "attributes",
        "boxes",
        "confidences",
        "count",
        "draw_labels",
        "ids",
        "labels",
        "namespaces",
        "next_id",
        "parents",
        "rows",
        "track_ids",
        "weak",
    )

    boxes: NDArray[np.float32]
    ids: NDArray[np.int64]
    track_ids: NDArray[np.int64]
    confidences: NDArray[np.float64]
    count: int
    next_id: int
    """One more than the largest id that was ever here, at least 0."""
    rows: dict[int, int]
    """Row of each id."""
    namespaces: list[str]
    labels: list[str]
    attributes: dict[int, dict[AttributeKey, Attribute]]
    parents: dict[int, int]
    """Id of the parent of each child."""
    draw_labels: dict[int, str]
    weak: ref[ObjectStore]
    """For the views on the objects, one for all: every object that is added gets one."""
    _cells: tuple[Any, ...]
    """Of the arrays that are here now."""

    def __init__(self) -> None:  # of every frame
        self.boxes, self.ids, self.track_ids, self.confidences, self._cells, self.count, self.next_id = _NOTHING
        self.rows = {}
        self.attributes = {}
        self.parents = {}
        self.draw_labels = {}
        self.namespaces = []
        self.labels = []
        self.weak = ref(self)

    def __getstate__(self) -> dict[str, Any]:
        hidden = {"__weakref__", "_cells", "weak"}
        return {name: getattr(self, name) for name in self.__slots__ if name not in hidden}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self._cells = _NO_CELLS
        self.weak = ref(self)

    def reserve(self, extra: int) -> None:
        """Make room for ``extra`` rows; views on the arrays made before may then be stale."""
        count, capacity = self.count, len(self.ids)
        if count + extra <= capacity:
            return
        rows = -(-max(count + extra, 2 * capacity) // _STEP) * _STEP
        before = self.arrays if count else None
        self.boxes, self.ids, self.track_ids, self.confidences = _blank_arrays(rows)
        self._cells = _NO_CELLS
        if before is not None:
            boxes, ids, track_ids, confidences = before
            self.boxes[:, :, :count] = boxes[:, :, :count]
            self.ids[:count] = ids[:count]
            self.track_ids[:count] = track_ids[:count]
            self.confidences[:count] = confidences[:count]

    def append(
        self,
        object_id: int,
        namespace: str,
        label: str,
        detection_box: array[float] = NO_BOX,
        confidence: float = math.nan,
    ) -> int:
        """Add a row for a new id and return it; what is not given is blank."""
        row, capacity = self.count, len(self.ids)
        if row == capacity:
            self.reserve(_AT_ONCE)
            capacity = len(self.ids)
        detections, _, ids, confidences = self._cells or self._make_cells()
        ids[row] = object_id
        detections[row::capacity] = detection_box
        confidences[row] = confidence
        self.rows[object_id] = row
        self.namespaces.append(namespace)
        self.labels.append(label)
        self.count = row + 1
        if object_id >= self.next_id:
            self.next_id = object_id + 1
        return row

    def fill(
        self,
        ids: Sequence[int],
        namespaces: list[str],
        labels: list[str],
        boxes: NDArray[np.float32],
        track_ids: Sequence[int],
        confidences: Sequence[float],
    ) -> None:
        """Make an empty store hold these objects, in this order; it keeps what it is given.

        Args:
            ids: Each once.
            namespaces: As many as ``ids``.
            labels: As many.
            boxes: ``(2, 5, N)``, as ``self.boxes``.
            track_ids: As many; ``NO_TRACK_ID`` for none.
            confidences: As many; NaN for none.
        """
        self.count = len(ids)
        self.rows = dict(zip(ids, range(len(ids)), strict=True))
        self.namespaces, self.labels, self.boxes = namespaces, labels, boxes
        # by way of an array of the standard library, which takes a list in half of NumPy's time
        self.ids = np.frombuffer(array("q", ids), np.int64)
        self.track_ids = np.frombuffer(array("q", track_ids), np.int64)
        self.confidences = np.frombuffer(array("d", confidences), np.float64)
        self._cells = _NO_CELLS
        self.next_id = max(0, max(ids, default=-1) + 1)

    def extend(self, ids: NDArray[np.int64], namespaces: Iterable[str], labels: Iterable[str]) -> slice:
        """Add blank rows for new ids and return them; both texts must be as many as ``ids``."""
        rows = slice(self.count, self.count + len(ids))
        self.reserve(len(ids))
        self.ids[rows] = ids
        listed: list[int] = ids.tolist()
        self.rows.update(zip(listed, range(rows.start, rows.stop), strict=True))
        self.namespaces.extend(namespaces)
        self.labels.extend(labels)
        self.count = rows.stop
        if listed:
            self.next_id = max(self.next_id, max(listed) + 1)
        return rows

    def append_filled(self, namespaces: list[str], labels: list[str]) -> NDArray[np.int64]:
        """Count the next rows, whose boxes and numbers were written already, and return their new ids.

        Args:
            namespaces: One for each row; there is room for them.
            labels: As many.
        """
        start, first, count = self.count, self.next_id, len(labels)
        stop, end = start + count, first + count
        ids = np.arange(first, end) if end <= INT64_MAX else np.arange(count) + self.first_new_id(count)
        self.ids[start:stop] = ids
        if end == stop == count <= _FEW:
            self.rows = _first_rows(count).copy()
        else:
            self.rows.update(zip(range(first, end), range(start, stop), strict=True))
        self.namespaces += namespaces
        self.labels += labels
        self.count, self.next_id = stop, end
        return ids

    @property
    def arrays(self) -> Arrays:
        """Boxes, ids, track ids and confidences as they are now."""
        return self.boxes, self.ids, self.track_ids, self.confidences

    def take_back(self, rows: slice, before: Arrays | None) -> None:
        """Make rows behind the last one blank again, in the arrays of before, on which there may be views."""
        if before is not None:
            self.boxes, self.ids, self.track_ids, self.confidences = before
            self._cells = _NO_CELLS
        self.boxes[:, :, rows] = np.nan
        self.track_ids[rows] = NO_TRACK_ID
        self.confidences[rows] = np.nan

    def first_new_id(self, count: int = 1) -> int:
        """Return an id that was never here, and is followed by others until there are ``count``.

        Raises:
            OverflowError: They do not fit into 64 bits.
        """
        if self.next_id + count - 1 > INT64_MAX:
            raise OverflowError(f"object ids: {count} more do not fit after {self.next_id - 1}")
        return self.next_id

    def row_of(self, object_id: int) -> int:
        """Return the row of an object.

        Raises:
            DetachedObjectError: The object is gone.
        """
        try:
            return self.rows[object_id]
        except KeyError:
            raise DetachedObjectError(f"object {object_id} is no longer in its frame") from None

    def put_box(self, kind: int, row: int, values: array[float]) -> None:
        """Write xc, yc, width, height and angle of one box."""
        cells = self._cells or self._make_cells()
        cells[kind][row :: len(self.ids)] = values

    def _make_cells(self) -> tuple[Any, ...]:
        """Return detection boxes, track boxes, ids and confidences as flat memory.

        It takes one number in half of NumPy's time, and the five of a box in a quarter.
        """
        detections, tracks = self.boxes.reshape(2, -1)
        self._cells = detections.data, tracks.data, self.ids.data, self.confidences.data
        return self._cells

    def has_track_box(self, row: int) -> bool:
        """Say whether there is a track box: one with a NaN centre is none."""
        xc = self.boxes[TRACK, 0, row]
        return bool(xc == xc)  # noqa: PLR0124 - only NaN differs from itself

    def copy_row(self, source: ObjectStore, source_row: int, object_id: int) -> int:
        """Add a copy of an object of another store under ``object_id``, without its parent, and return its row."""
        row = self.append(object_id, source.namespaces[source_row], source.labels[source_row])
        self.overwrite(row, source, source_row)
        return row

    def overwrite(self, row: int, source: ObjectStore, source_row: int) -> None:
        """Make an object the copy of one of another store; it keeps its id and loses its parent."""
        object_id, source_id = int(self.ids[row]), int(source.ids[source_row])
        self.namespaces[row] = source.namespaces[source_row]
        self.labels[row] = source.labels[source_row]
        self.boxes[:, :, row] = source.boxes[:, :, source_row]
        self.track_ids[row] = source.track_ids[source_row]
        self.confidences[row] = source.confidences[source_row]
        self._forget(object_id)
        if source.attributes.get(source_id):
            self.attributes[object_id] = dict(source.attributes[source_id])
        if source_id in source.draw_labels:
            self.draw_labels[object_id] = source.draw_labels[source_id]

    def remove(self, object_ids: Iterable[int]) -> None:
        """Remove the objects of these ids; the rest keep their order, children of removed ones lose their parent."""
        removed = self.rows.keys() & set(object_ids)
        if not removed:
            return
        kept = [row for object_id, row in self.rows.items() if object_id not in removed]
        for object_id in removed:
            self._forget(object_id)
        self.parents = {child: parent for child, parent in self.parents.items() if parent not in removed}
        self._keep(kept)

    def _forget(self, object_id: int) -> None:
        """Drop what the sparse columns hold of an object."""
        self.attributes.pop(object_id, None)
        self.draw_labels.pop(object_id, None)
        self.parents.pop(object_id, None)

    def _keep(self, kept: list[int]) -> None:
        """Close the gaps between the rows that are kept."""
        count, old = len(kept), self.count
        self.boxes[:, :, :count] = self.boxes[:, :, kept]
        self.boxes[:, :, count:old] = np.nan
        self.ids[:count] = self.ids[kept]
        self.track_ids[:count] = self.track_ids[kept]
        self.track_ids[count:old] = NO_TRACK_ID
        self.confidences[:count] = self.confidences[kept]
        self.confidences[count:old] = np.nan
        self.namespaces = [self.namespaces[row] for row in kept]
        self.labels = [self.labels[row] for row in kept]
        self.rows = {object_id: row for row, object_id in enumerate(self.ids[:count].tolist())}
        self.count = count

    def known_parent(self, parent: int) -> int:
        """Return ``parent``; ``ValueError`` unless there is such an object."""
        if parent not in self.rows:
            raise ValueError(f"parent_id: no object {parent} in this frame")
        return parent

    def set_parents(self, children: Collection[int], parent: int) -> None:
        """Hang objects below another; all or none.

        Raises:
            ValueError: There is no such parent, or a child is the parent itself or above it.
        """
        ancestor: int | None = self.known_parent(parent)
        while ancestor is not None:
            if ancestor in children:
                raise ValueError(f"parent_id: object {ancestor} cannot hang below itself, through {parent}")
            ancestor = self.parents.get(ancestor)
        self.parents.update(dict.fromkeys(children, parent))

    def column(self, name: str) -> list[Any]:  # noqa: PLR0911  # one for each field
        """Return one field of all objects; ``ValueError`` unless there is such a field."""
        match name:
            case "id":
                return list(self.rows)
            case "namespace":
                return self.namespaces.copy()
            case "label":
                return self.labels.copy()
            case "confidence":
                return [None if math.isnan(c) else c for c in self.confidences[: self.count].tolist()]
            case "track_id":
                return [None if n == NO_TRACK_ID else n for n in self.track_ids[: self.count].tolist()]
            case "draw_label":
                return list(map(self.draw_labels.get, self.rows, self.labels))
            case "parent_id":
                return list(map(self.parents.get, self.rows))
        raise ValueError(f"unknown field {name!r}; one of {', '.join(_FIELDS)}")

    def rename_only(self, object_id: int) -> None:
        """Give the object of a store with one row another id."""
        old = int(self.ids[0])
        self.ids[0] = object_id
        self.rows = {object_id: 0}
        self.next_id = max(self.next_id, object_id + 1)
        self.attributes = {object_id: self.attributes.get(old, {})}
        self.draw_labels = dict.fromkeys((object_id,), self.draw_labels[old]) if self.draw_labels else {}

    def copy(self) -> ObjectStore:
        """Return an independent store with the same rows."""
        other = ObjectStore()
        other.count, other.next_id = self.count, self.next_id
        other.rows, other.parents, other.draw_labels = self.rows.copy(), self.parents.copy(), self.draw_labels.copy()
        other.namespaces, other.labels = self.namespaces.copy(), self.labels.copy()
        other.attributes = {object_id: table.copy() for object_id, table in self.attributes.items()}
        other.boxes, other.ids = self.boxes.copy(), self.ids.copy()  # has not been asked for single numbers yet
        other.track_ids, other.confidences = self.track_ids.copy(), self.confidences.copy()
        return other
