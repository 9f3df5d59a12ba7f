"""One object: on its own (``VideoObject``), or as a live view on a row of a frame (``BorrowedVideoObject``)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self, SupportsIndex, TypeAlias
from weakref import ReferenceType

from picasso.errors import DetachedObjectError
from picasso.primitives.attribute import Attribute, AttributeHolder, AttributeKey, attribute_table
from picasso.primitives.box_fields import values_of
from picasso.primitives.boxes import BBox, RBBox
from picasso.primitives.checks import INT64_MIN, real, text, whole
from picasso.primitives.object_store import DETECTION, NO_BOX, NO_TRACK_ID, TRACK, ObjectStore
from picasso.primitives.protocol import registered_codec

AnyBox: TypeAlias = RBBox | BBox


@dataclass(frozen=True, slots=True)
class VideoObjectBBoxTransformation:
    """One step for ``transform_geometry``; made by its two factories."""

    is_scale: bool
    """Whether it scales; otherwise it moves."""
    xy: tuple[float, float]
    """Factors of a scale, pixels of a shift."""

    @classmethod
    def scale(cls, x: float, y: float) -> Self:
        """Scale about the origin by the factors ``x`` and ``y``."""
        return cls(True, (x, y))

    @classmethod
    def shift(cls, x: float, y: float) -> Self:
        """Move by ``x`` and ``y`` pixels."""
        return cls(False, (x, y))

    def apply(self, box: RBBox) -> None:
        """Move a box, in place."""
        (box.scale if self.is_scale else box.shift)(*self.xy)


class ObjectFields(AttributeHolder):
    """The fields that both kinds of object have. Subclasses say which row of which store they mean."""

    __slots__ = ()

    def locate(self) -> tuple[ObjectStore, int]:
        """Return the store and the row of the object.

        Raises:
            DetachedObjectError: The object is gone.
        """
        raise NotImplementedError

    @property
    def id(self) -> int:
        """Identity within a frame, signed 64 bit."""
        store, row = self.locate()
        return int(store.ids[row])

    @property
    def namespace(self) -> str:
        """Who made the object, such as the name of a detector."""
        store, row = self.locate()
        return store.namespaces[row]

    @namespace.setter
    def namespace(self, value: str) -> None:
        store, row = self.locate()
        store.namespaces[row] = text("namespace", value)

    @property
    def label(self) -> str:
        """What the object is."""
        store, row = self.locate()
        return store.labels[row]

    @label.setter
    def label(self, value: str) -> None:
        store, row = self.locate()
        store.labels[row] = text("label", value)

    @property
    def draw_label(self) -> str:
        """The text to draw; the label unless one was set. ``None`` unsets it."""
        store, row = self.locate()
        return store.draw_labels.get(int(store.ids[row]), store.labels[row])

    @draw_label.setter
    def draw_label(self, value: str | None) -> None:
        store, row = self.locate()
        object_id = int(store.ids[row])
        if value is None:
            store.draw_labels.pop(object_id, None)
        else:
            store.draw_labels[object_id] = text("draw_label", value)

    @property
    def confidence(self) -> float | None:
        """How sure the detector was, usually 0 … 1."""
        store, row = self.locate()
        confidence = store.confidences.item(row)
        return confidence if confidence == confidence else None  # noqa: PLR0124 - only NaN differs from itself

    @confidence.setter
    def confidence(self, value: float | None) -> None:
        store, row = self.locate()
        store.confidences[row] = math.nan if value is None else real("confidence", value)

    @property
    def detection_box(self) -> RBBox:
        """Where the detector saw it; editing the returned box edits the object."""
        self.locate()
        return RBBox.over(_StoredBox(self, DETECTION))

    @detection_box.setter
    def detection_box(self, value: AnyBox) -> None:
        store, row = self.locate()
        store.put_box(DETECTION, row, values_of("detection_box", value))

    @property
    def track_id(self) -> int | None:
        """Identity over frames, signed 64 bit except the lowest; ``None`` while it is not tracked."""
        store, row = self.locate()
        track_id = store.track_ids.item(row)
        return None if track_id == NO_TRACK_ID else track_id

    @track_id.setter
    def track_id(self, value: SupportsIndex | None) -> None:
        store, row = self.locate()
        store.track_ids[row] = NO_TRACK_ID if value is None else whole("track_id", value, INT64_MIN + 1)

    @property
    def track_box(self) -> RBBox | None:
        """Where the tracker saw it, or ``None``; editing the returned box edits the object."""
        store, row = self.locate()
        return RBBox.over(_StoredBox(self, TRACK)) if store.has_track_box(row) else None

    @track_box.setter
    def track_box(self, value: AnyBox | None) -> None:
        store, row = self.locate()
        store.put_box(TRACK, row, NO_BOX if value is None else values_of("track_box", value))

    def set_track_info(self, track_id: SupportsIndex, track_box: AnyBox) -> None:
        """Set what the tracker said, both parts."""
        self.track_box = track_box
        self.track_id = track_id

    def clear_track_info(self) -> None:
        """Forget what the tracker said."""
        self.track_id = None
        self.track_box = None

    def transform_geometry(self, ops: Iterable[VideoObjectBBoxTransformation]) -> None:
        """Apply steps to the detection box and the track box, in order."""
        boxes = [box for box in (self.detection_box, self.track_box) if box is not None]
        for op in ops:
            for box in boxes:
                op.apply(box)

    def detached_copy(self) -> VideoObject:
        """Return an independent object with the same fields and attributes, without parent."""
        copied = VideoObject.__new__(VideoObject)
        copied._store = ObjectStore()
        copied._store.reserve(1)
        store, row = self.locate()
        copied._store.copy_row(store, row, int(store.ids[row]))
        return copied

    def to_protobuf(self) -> bytes:
        """Return the object in the protocol of the Savant peers, without temporary attributes."""
        return registered_codec().encode_part(self)

    def _attribute_table(self) -> dict[AttributeKey, Attribute]:
        store, row = self.locate()
        return store.attributes.setdefault(int(store.ids[row]), {})

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(id={self.id}, namespace={self.namespace!r}, label={self.label!r}, "
            f"confidence={self.confidence}, detection_box={self.detection_box!r}, track_id={self.track_id})"
        )


class VideoObject(ObjectFields):
    """An object of its own; a frame that it is added to takes a copy.

    Args:
        id: Identity within a frame; see ``IdCollisionResolutionPolicy``.
        namespace: Who made it.
        label: What it is.
        detection_box: Where it is, in pixels of the frame; copied.
        attributes: Its attributes; of two with one namespace and name the later counts.
        confidence: How sure the detector was; ``None`` (or NaN) when it did not say.
        track_id: Identity over frames.
        track_box: Where the tracker saw it; copied.
    """

    __slots__ = ("_store",)

    def __init__(
        self,
        id: SupportsIndex,
        namespace: str,
        label: str,
        detection_box: AnyBox,
        attributes: Iterable[Attribute] = (),
        confidence: float | None = None,
        track_id: SupportsIndex | None = None,
        track_box: AnyBox | None = None,
    ) -> None:
        self._store = ObjectStore()
        self._store.reserve(1)
        self._store.append(whole("id", id), text("namespace", namespace), text("label", label))
        self.detection_box = detection_box
        self.confidence = confidence
        self.track_id = track_id
        self.track_box = track_box
        self._store.attributes[self.id] = attribute_table(attributes)

    @classmethod
    def from_protobuf(cls, data: bytes) -> Self:
        """Read the data that ``to_protobuf`` wrote, as an object without a parent.

        Raises:
            ProtocolError: The bytes hold none.
        """
        made: Self = registered_codec().decode_part(cls, data)
        return made

    def locate(self) -> tuple[ObjectStore, int]:
        """Return the own store and its only row."""
        return self._store, 0

    @property
    def id(self) -> int:
        """Identity within a frame, signed 64 bit."""
        return int(self._store.ids[0])

    @id.setter
    def id(self, value: SupportsIndex) -> None:
        self._store.rename_only(whole("id", value))


class BorrowedVideoObject(ObjectFields):
    """A live view on an object of a frame: reads and writes go to the frame.

    It does not keep the frame alive. Once the frame or the object is gone, every access raises
    ``DetachedObjectError``.
    """

    __slots__ = ("_id", "_store")

    def __init__(self, store: ReferenceType[ObjectStore], object_id: int) -> None:
        self._store = store
        self._id = object_id

    def locate(self) -> tuple[ObjectStore, int]:
        """Return the store and the row of the object.

        Raises:
            DetachedObjectError: The frame or the object is gone.
        """
        store = self._store()
        if store is None:
            raise DetachedObjectError(f"the frame of object {self._id} is gone")
        try:
            return store, store.rows[self._id]
        except KeyError:
            return store, store.row_of(self._id)  # which says it

    @property
    def id(self) -> int:
        """Identity within a frame, signed 64 bit."""
        self.locate()
        return self._id

    @property
    def parent_id(self) -> int | None:
        """Id of the object that this one belongs to; setting one that is not in the frame is a ``ValueError``."""
        store, _ = self.locate()
        return store.parents.get(self._id)

    @parent_id.setter
    def parent_id(self, value: SupportsIndex | None) -> None:
        store, _ = self.locate()
        if value is None:
            store.parents.pop(self._id, None)
        else:
            store.set_parents([self._id], whole("parent_id", value))

    def _parent(self) -> BorrowedVideoObject | None:
        parent = self.parent_id
        return None if parent is None else BorrowedVideoObject(self._store, parent)

    def _children(self) -> list[BorrowedVideoObject]:
        store, _ = self.locate()
        children = [child for child, parent in store.parents.items() if parent == self._id]
        return [BorrowedVideoObject(self._store, child) for child in sorted(children, key=store.rows.__getitem__)]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BorrowedVideoObject):
            return NotImplemented
        return self._id == other._id and self._store is other._store

    def __hash__(self) -> int:
        return hash(self._id)


class _StoredBox:
    """The five values of a box that lives in a store."""

    __slots__ = ("_kind", "_owner")

    def __init__(self, owner: ObjectFields, kind: int) -> None:
        self._owner = owner
        self._kind = kind

    def __getitem__(self, index: int) -> float:
        store, row = self._owner.locate()
        return store.boxes.item(self._kind, index, row)

    def __iter__(self) -> Iterator[float]:
        store, row = self._owner.locate()
        values: list[float] = store.boxes[self._kind, :, row].tolist()
        return iter(values)

    def __setitem__(self, index: int, value: float) -> None:
        store, row = self._owner.locate()
        store.boxes[self._kind, index, row] = real("box", value)
