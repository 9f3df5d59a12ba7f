"""An object of a frame as pyfuncs see it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from picasso.module.meta.attribute import AttributeMeta, from_attribute, to_attribute
from picasso.primitives import BBox, BorrowedVideoObject, RBBox, VideoFrame, VideoObject

AUTO: Final = "auto"
"""The element name of the primary object."""
FRAME: Final = "frame"
"""The label of the primary object."""
UNTRACKED_OBJECT_ID: Final = 2**64 - 1
"""The track id of objects that no tracker knows."""


class ObjectMeta:
    """Something in a frame: a box with a label, made by an element.

    Made by a pyfunc it is of its own until ``Frame.add_obj_meta`` puts it into a frame; from then on it is a view on
    the frame's object. Two are equal when they are the same object of the same frame.
    """

    __slots__ = ("_fields", "_frame", "_is_primary", "_parent")

    def __init__(
        self,
        element_name: str,
        label: str,
        bbox: BBox | RBBox,
        confidence: float | None = 1.0,
        track_id: int | None = UNTRACKED_OBJECT_ID,
        parent: ObjectMeta | None = None,
        attributes: Iterable[AttributeMeta] | None = None,
        draw_label: str | None = None,
    ) -> None:
        """Make an object.

        Args:
            element_name: Who made it.
            label: What it is.
            bbox: Where it is, in pixels of the frame; copied.
            confidence: 0..1.
            track_id: Identity over frames; None or ``UNTRACKED_OBJECT_ID`` for none.
            parent: The object that it belongs to.
            attributes: Its attributes.
            draw_label: What is drawn instead of the label.

        Raises:
            ValueError: ``confidence`` is not a finite number.
        """
        if confidence is not None and not math.isfinite(confidence):
            raise ValueError(f"confidence: expected a finite number or None, got {confidence!r}")
        track = None if track_id in (None, UNTRACKED_OBJECT_ID) else track_id
        self._fields: VideoObject | BorrowedVideoObject = VideoObject(
            0, element_name, label, _rotated(bbox), (), confidence, track, None if track is None else _rotated(bbox)
        )
        self._frame: VideoFrame | None = None
        self._parent = parent
        self._is_primary = False
        if draw_label is not None:
            self._fields.draw_label = draw_label
        for attribute in attributes or ():
            self.add_attr_meta(attribute.element_name, attribute.name, attribute.value, attribute.confidence)

    @classmethod
    def of(cls, frame: VideoFrame, fields: BorrowedVideoObject) -> ObjectMeta:
        """View an object of a frame."""
        view = object.__new__(cls)
        view._fields, view._frame, view._parent, view._is_primary = fields, frame, None, False
        return view

    @classmethod
    def primary(cls, width: int, height: int) -> ObjectMeta:
        """Make the object that stands for a whole frame of that size in pixels."""
        view = cls(AUTO, FRAME, BBox(width / 2, height / 2, width, height))
        view._is_primary = True
        return view

    @property
    def fields(self) -> VideoObject | BorrowedVideoObject:
        """The object as ``picasso.primitives`` has it."""
        return self._fields

    @property
    def element_name(self) -> str:
        """Who made it."""
        return self._fields.namespace

    @property
    def label(self) -> str:
        """What it is."""
        return self._fields.label

    @label.setter
    def label(self, value: str) -> None:
        self._fields.label = value

    @property
    def draw_label(self) -> str:
        """What is drawn and looked up in ``rendered_objects``; by default the label."""
        return self._fields.draw_label

    @draw_label.setter
    def draw_label(self, value: str) -> None:
        self._fields.draw_label = value

    @property
    def bbox(self) -> BBox | RBBox:
        """Where it is, in pixels of the frame; changing it changes the object.

        A ``BBox`` for an upright object, an ``RBBox`` for one that has an angle; set another box to give it one.
        """
        box = self._fields.detection_box
        return BBox.over(box._values) if box.angle is None else box

    @bbox.setter
    def bbox(self, value: BBox | RBBox) -> None:
        self._fields.detection_box = _rotated(value)

    @property
    def confidence(self) -> float | None:
        """0..1, or None where the detector did not say."""
        return self._fields.confidence

    @property
    def track_id(self) -> int:
        """Identity over frames; ``UNTRACKED_OBJECT_ID`` where there is none."""
        track_id = self._fields.track_id
        return UNTRACKED_OBJECT_ID if track_id is None else track_id

    @track_id.setter
    def track_id(self, value: int | None) -> None:
        if value is None or value == UNTRACKED_OBJECT_ID:
            self._fields.clear_track_info()
        elif self._fields.track_box is None:
            self._fields.set_track_info(value, self._fields.detection_box)
        else:
            self._fields.track_id = value

    @property
    def is_tracked(self) -> bool:
        """Whether it has a track id."""
        return self._fields.track_id is not None

    @property
    def uid(self) -> int:
        """Identity within the frame."""
        return self._fields.id

    @property
    def is_primary(self) -> bool:
        """Whether it stands for the whole frame."""
        return self._is_primary

    @property
    def parent(self) -> ObjectMeta | None:
        """The object that it belongs to."""
        if isinstance(self._fields, BorrowedVideoObject) and self._frame is not None:
            parent_id = self._fields.parent_id
            if parent_id is not None:
                found = self._frame.get_object(parent_id)
                return None if found is None else ObjectMeta.of(self._frame, found)
        return self._parent

    @parent.setter
    def parent(self, value: ObjectMeta | None) -> None:
        if isinstance(self._fields, BorrowedVideoObject):
            self._fields.parent_id = None if value is None or value.is_primary else value.uid
        self._parent = value if value is None or value.is_primary or self._frame is None else None

    def get_attr_meta(self, element_name: str, name: str) -> AttributeMeta | None:
        """Return the first value of an attribute, or None."""
        found = self.get_attr_meta_list(element_name, name)
        return found[0] if found else None

    def get_attr_meta_list(self, element_name: str, name: str) -> list[AttributeMeta]:
        """Return all values of an attribute; none where there is no such attribute."""
        attribute = self._fields.get_attribute(element_name, name)
        return [] if attribute is None else from_attribute(attribute)

    def add_attr_meta(
        self, element_name: str, name: str, value: Any, confidence: float = 1.0, replace: bool = False
    ) -> None:
        """Add a value to an attribute.

        Args:
            element_name: Who says so.
            name: Name of the attribute.
            value: A boolean, number or text, or a list of one kind of those. Anything else stays in the module.
            confidence: 0..1.
            replace: Whether the values that are there are dropped.
        """
        before = [] if replace else self.get_attr_meta_list(element_name, name)
        self._fields.set_attribute(to_attribute([*before, AttributeMeta(element_name, name, value, confidence)]))

    def replace_attr_meta_list(self, element_name: str, name: str, attributes: Sequence[AttributeMeta]) -> None:
        """Set the values of an attribute; none removes it.

        ``element_name`` and ``name`` are those of the attribute, ``attributes`` its new values.
        """
        if not attributes:
            self.remove_attr_meta_list(element_name, name)
            return
        values = [AttributeMeta(element_name, name, one.value, one.confidence) for one in attributes]
        self._fields.set_attribute(to_attribute(values))

    def remove_attr_meta_list(self, element_name: str, name: str) -> None:
        """Remove an attribute with all its values."""
        self._fields.delete_attribute(element_name, name)

    def attach(self, frame: VideoFrame) -> None:
        """Put the object into a frame, and become a view on it there."""
        if not isinstance(self._fields, VideoObject):
            raise ValueError(f"object {self.uid} ({self.element_name}.{self.label}) is in a frame already")
        parent = self._parent
        if parent is not None and not parent.is_primary and parent._frame is not frame:
            raise ValueError(f"the parent {parent.element_name}.{parent.label} is not in this frame; add it first")
        self._fields = frame.add_object(self._fields)
        self._frame = frame
        if parent is not None and not parent.is_primary:
            self._fields.parent_id = parent.uid
            self._parent = None

    def detach(self) -> None:
        """Become an object of its own again; the frame's is gone afterwards."""
        if isinstance(self._fields, BorrowedVideoObject) and self._frame is not None:
            copy = self._fields.detached_copy()
            self._frame.delete_objects_with_ids([self._fields.id])
            self._fields, self._frame, self._parent = copy, None, None

    def detached(self) -> ObjectMeta:
        """Return a copy that is in no frame: changing it changes nothing."""
        copy = object.__new__(ObjectMeta)
        copy._fields, copy._frame, copy._is_primary = self._fields.detached_copy(), None, self._is_primary
        copy._parent = self.parent
        return copy

    def is_of(self, frame: VideoFrame) -> bool:
        """Whether it is an object of a frame."""
        return self._frame is frame

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ObjectMeta):
            return NotImplemented
        if isinstance(self._fields, BorrowedVideoObject) and isinstance(other._fields, BorrowedVideoObject):
            return self._fields == other._fields
        return self._fields is other._fields

    def __hash__(self) -> int:
        return hash(self._fields) if isinstance(self._fields, BorrowedVideoObject) else id(self._fields)

    def __repr__(self) -> str:
        track = f", track_id={self.track_id}" if self.is_tracked else ""
        return f"ObjectMeta({self.element_name!r}, {self.label!r}, {self.bbox!r}, confidence={self.confidence}{track})"


def build_bbox(bbox: Mapping[str, float] | Sequence[float]) -> BBox | RBBox:
    """Make a box of the numbers that metadata beside files has.

    Args:
        bbox: ``xc``, ``yc``, ``width``, ``height`` and, of a turned box, ``angle``, by name or in this order.

    Raises:
        ValueError: A number is missing, or one too many.
    """
    names = ("xc", "yc", "width", "height", "angle")
    given = dict(bbox) if isinstance(bbox, Mapping) else dict(zip(names, bbox, strict=False))
    if not set(names[:4]) <= set(given) <= set(names) or len(bbox) != len(given):
        raise ValueError(f"bbox: expected xc, yc, width, height and perhaps angle, got {bbox!r}")
    angle = given.pop("angle", None)
    return RBBox(**given, angle=angle) if angle else BBox(**given)


def _rotated(bbox: BBox | RBBox) -> RBBox:
    if isinstance(bbox, RBBox):
        return bbox
    if isinstance(bbox, BBox):
        return bbox.as_rbbox()
    raise TypeError(f"bbox: expected BBox or RBBox, got {type(bbox).__name__}")
