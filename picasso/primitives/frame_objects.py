"""The objects of a frame: adding, finding, removing them, and reading them as columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Any, Protocol, SupportsIndex, TypeAlias
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from picasso.primitives.attribute import Attribute, attribute_table
from picasso.primitives.box_fields import values_of
from picasso.primitives.checks import INT64_MAX, INT64_MIN, real, text, whole
from picasso.primitives.enums import NativeEnum
from picasso.primitives.frame_state import FrameState
from picasso.primitives.match_query import MatchQuery
from picasso.primitives.object_store import DETECTION, TRACK, ObjectStore
from picasso.primitives.objects_view import VideoObjectsView
from picasso.primitives.video_object import AnyBox, BorrowedVideoObject, VideoObject

Query: TypeAlias = MatchQuery | Callable[[BorrowedVideoObject], object]
"""A ``MatchQuery``, or a plain predicate."""


class IdCollisionResolutionPolicy(NativeEnum):
    """What ``add_object`` does when the id is taken."""

    GenerateNewId = 0
    Overwrite = 1
    Error = 2


class DrawLabelChoice(Protocol):
    """A draw label and whose it is, such as a ``SetDrawLabelKind``."""

    def is_own_label(self) -> bool:
        """Say whether the object itself is meant, and not its parent."""
        ...

    def get_label(self) -> str:
        """Return the text."""
        ...


class FrameObjects(FrameState):
    """A frame with its objects, kept in the order they were added."""

    __slots__ = ()

    def add_object(
        self,
        video_object: VideoObject,
        policy: IdCollisionResolutionPolicy = IdCollisionResolutionPolicy.GenerateNewId,
    ) -> BorrowedVideoObject:
        """Add a copy of an object and return the view on it.

        Args:
            video_object: Keeps its id where that is free.
            policy: When it is taken: a new id (one more than the largest the frame ever had), take the place of the
                object that has it, or ``ValueError``.
        """
        if not isinstance(video_object, VideoObject):
            raise TypeError(f"video_object: expected VideoObject, got {type(video_object).__name__}")
        store, (source, row) = self._objects, video_object.locate()
        object_id = video_object.id
        taken = store.rows.get(object_id)
        if taken is None:
            store.copy_row(source, row, object_id)
        elif policy == IdCollisionResolutionPolicy.GenerateNewId:
            object_id = store.first_new_id()
            store.copy_row(source, row, object_id)
        elif policy == IdCollisionResolutionPolicy.Overwrite:
            store.overwrite(taken, source, row)
        else:
            raise ValueError(f"id: object {object_id} is in this frame already")
        return self._borrow(object_id)

    def create_object(
        self,
        namespace: str,
        label: str,
        parent_id: SupportsIndex | None = None,
        confidence: float | None = None,
        detection_box: AnyBox | None = None,
        track_id: SupportsIndex | None = None,
        track_box: AnyBox | None = None,
        attributes: Iterable[Attribute] = (),
    ) -> BorrowedVideoObject:
        """Make an object under a new id and return the view on it.

        Args:
            namespace: Who made it, such as the name of a detector.
            label: What it is.
            parent_id: Id of the object that it belongs to.
            confidence: How sure the detector was.
            detection_box: Where it is, in pixels of the frame; required.
            track_id: Identity over frames.
            track_box: Where the tracker saw it.
            attributes: Its attributes.

        Raises:
            TypeError: An argument is of another type, or there is no detection box.
            ValueError: There is no such parent.
        """
        store = self._objects
        box = values_of("detection_box", detection_box)
        track = None if track_box is None else values_of("track_box", track_box)
        track_number = None if track_id is None else whole("track_id", track_id, INT64_MIN + 1)
        if confidence is None:
            sureness = math.nan
        else:
            sureness = confidence if type(confidence) is float else real("confidence", confidence)
        parent = None if parent_id is None else store.known_parent(whole("parent_id", parent_id))
        table = attribute_table(attributes) if attributes else None
        object_id = store.next_id if store.next_id <= INT64_MAX else store.first_new_id()
        row = store.append(object_id, text("namespace", namespace), text("label", label), box, sureness)
        if track is not None:
            store.put_box(TRACK, row, track)
        if track_number is not None:
            store.track_ids[row] = track_number
        if parent is not None:
            store.parents[object_id] = parent
        if table is not None:
            store.attributes[object_id] = table
        return BorrowedVideoObject(store.weak, object_id)

    @property
    def object_count(self) -> int:
        """How many objects there are."""
        return self._objects.count

    def has_objects(self) -> bool:
        """Say whether there are any objects."""
        return self._objects.count > 0

    def get_object(self, object_id: SupportsIndex) -> BorrowedVideoObject | None:
        """Return the object with this id, or ``None``."""
        number = whole("object_id", object_id)
        return self._borrow(number) if number in self._objects.rows else None

    def get_all_objects(self) -> VideoObjectsView:
        """Return all objects, in the order they were added."""
        return self._view(self._objects.rows)

    def access_objects(self, query: Query, no_gil: bool = True) -> VideoObjectsView:  # noqa: ARG002 - the reference's
        """Return the objects that the query matches, in the order they were added, up to where it stops.

        ``no_gil`` has no effect; existing code gives it.
        """
        objects = self.get_all_objects()
        if query is MatchQuery.idle():
            return objects
        return objects.of_same_frame(
            query.select(objects, self) if isinstance(query, MatchQuery) else filter(query, objects)
        )

    def access_objects_with_ids(self, object_ids: Iterable[SupportsIndex]) -> VideoObjectsView:
        """Return the objects with these ids, each once, in the order given; ids that are not there are passed over."""
        numbers = dict.fromkeys(whole("object_ids", object_id) for object_id in object_ids)
        return self._view(number for number in numbers if number in self._objects.rows)

    def delete_objects(self, query: Query, no_gil: bool = True) -> list[VideoObject]:  # noqa: ARG002 - the reference's
        """Remove the objects that the query matches, and return copies of them. Their children lose their parent.

        ``no_gil`` has no effect; existing code gives it.
        """
        return self._delete(self.access_objects(query))

    def delete_objects_with_ids(self, object_ids: Iterable[SupportsIndex]) -> list[VideoObject]:
        """Remove the objects with these ids, and return copies of them. Their children lose their parent."""
        return self._delete(self.access_objects_with_ids(object_ids))

    def clear_objects(self) -> None:
        """Remove all objects."""
        self._objects.remove(list(self._objects.rows))

    def get_children(self, object_id: SupportsIndex) -> VideoObjectsView:
        """Return the objects whose parent has this id."""
        number = whole("object_id", object_id)
        return self._view(child for child, parent in self._objects.parents.items() if parent == number)

    def set_parent(
        self,
        query: Query,
        parent: BorrowedVideoObject,
        no_gil: bool = True,  # noqa: ARG002 - the reference's
    ) -> VideoObjectsView:
        """Hang the objects that the query matches below ``parent``, and return them.

        ``no_gil`` has no effect; existing code gives it.

        Raises:
            ValueError: The parent is not in this frame, or an object would hang below itself; nothing is changed.
        """
        if parent.locate()[0] is not self._objects:
            raise ValueError(
                f"Cannot set parent ID={parent.id} for objects matching query: it must be attached to the same frame"
            )
        children = self.access_objects(query)
        self._objects.set_parents(children.ids, parent.id)
        return children

    def set_parent_by_id(self, object_id: SupportsIndex, parent_id: SupportsIndex) -> None:
        """Hang the object ``object_id`` below the object ``parent_id``.

        Raises:
            ValueError: One of the two is not in this frame, or the object would hang below itself.
        """
        number = whole("object_id", object_id)
        if number not in self._objects.rows:
            raise ValueError(f"object_id: no object {number} in this frame")
        self._objects.set_parents([number], whole("parent_id", parent_id))

    def clear_parent(self, query: Query, no_gil: bool = True) -> VideoObjectsView:  # noqa: ARG002 - the reference's
        """Hang the objects that the query matches below none, and return them.

        ``no_gil`` has no effect; existing code gives it.
        """
        children = self.access_objects(query)
        for child in children.ids:
            self._objects.parents.pop(child, None)
        return children

    def set_draw_label(self, query: Query, choice: DrawLabelChoice, no_gil: bool = False) -> None:  # noqa: ARG002 - the reference's
        """Set the text to draw of the objects that the query matches, or of their parents.

        ``no_gil`` has no effect; existing code gives it.
        """
        for video_object in self.access_objects(query):
            if choice.is_own_label():
                video_object.draw_label = choice.get_label()
            elif video_object.parent_id is not None:
                self._borrow(video_object.parent_id).draw_label = choice.get_label()

    def object_ids(self) -> NDArray[np.int64]:
        """Return the ids ``(N,)``; a view, valid until objects are added or removed."""
        return self._objects.ids[: self._objects.count]

    def confidences(self) -> NDArray[np.float64]:
        """Return the confidences ``(N,)``, NaN where a detector did not say; a view, valid as ``object_ids``."""
        return self._objects.confidences[: self._objects.count]

    def detection_boxes(self) -> NDArray[np.float32]:
        """Return the detection boxes ``(N, 5)``: xc, yc, width, height, angle; NaN for no angle.

        Convention: a live view, valid until objects are added or removed; its columns are contiguous.
        """
        return self._objects.boxes[DETECTION, :, : self._objects.count].T

    def track_boxes(self) -> NDArray[np.float32]:
        """Return the track boxes ``(N, 5)`` as ``detection_boxes`` does; all NaN for an object without one."""
        return self._objects.boxes[TRACK, :, : self._objects.count].T

    def box_columns(self) -> NDArray[np.float32]:
        """Return all boxes as they are stored, ``(2, 5, C)``: detection and track; xc, yc, width, height, angle; row.

        Convention: a live view, valid until objects are added or removed, and contiguous; ``C`` may be more than there
        are objects, and what lies behind the last one is NaN.
        """
        return self._objects.boxes

    def object_table(self) -> ObjectStore:
        """Return the objects as they are stored: columns, which must not be changed here.

        Convention: a live view; its arrays are replaced when objects are added or removed.
        """
        return self._objects

    def object_column(self, name: str) -> Sequence[Any]:
        """Return one field of all objects, in the order they were added.

        Args:
            name: ``id``, ``namespace``, ``label``, ``draw_label``, ``parent_id``, ``track_id`` or ``confidence``.

        Returns:
            Texts, or numbers with ``None`` where an object has none; a copy.

        Raises:
            ValueError: There is no such field.
        """
        return self._objects.column(name)

    def _borrow(self, object_id: int) -> BorrowedVideoObject:
        return BorrowedVideoObject(self._objects.weak, object_id)

    def _view(self, object_ids: Iterable[int]) -> VideoObjectsView:
        return VideoObjectsView(map(BorrowedVideoObject, repeat(self._objects.weak), object_ids), ref(self))

    def _delete(self, objects: VideoObjectsView) -> list[VideoObject]:
        removed = [video_object.detached_copy() for video_object in objects]
        self._objects.remove(objects.ids)
        return removed
