"""A frame as pyfuncs see it: its metadata in total coordinates, its pixels on demand."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from picasso.module.meta.attribute import from_value, to_value
from picasso.module.meta.object import ObjectMeta
from picasso.primitives import Attribute, BBox, Detections, RBBox, VideoFrame
from picasso.trace import NO_SPAN

if TYPE_CHECKING:
    from picasso.draw import DisplayList
    from picasso.module.elements.base import Batch
    from picasso.module.meta.pixels import FramePixels, Image
    from picasso.surface import SurfaceView
    from picasso.trace import FrameTrace

TAGS: Final = "default"
"""The namespace of frame attributes that are tags."""
Tag = bool | int | float | str


class Objects(Iterator[ObjectMeta]):
    """Objects of a frame, one after the other; its length is what is left of them."""

    __slots__ = ("_entries", "_next")

    def __init__(self, entries: Sequence[ObjectMeta]) -> None:
        """Begin with the first of ``entries``."""
        self._entries = entries
        self._next = 0

    def __next__(self) -> ObjectMeta:
        if self._next >= len(self._entries):
            raise StopIteration
        self._next += 1
        return self._entries[self._next - 1]

    def __len__(self) -> int:
        return len(self._entries) - self._next


class Frame:
    """One frame on its way through the elements of a module.

    Boxes are in pixels of the total frame: the processing frame and its padding. One thread at a time; elements must
    not keep a frame, its objects or its pixels after they return.
    """

    __slots__ = (
        "_batch", "_drawings", "_drop_reason", "_lists_primary", "_pixels", "_primary", "batch_id", "frame_num",
        "skipped_models", "telemetry_span", "trace", "video_frame",
    )  # fmt: skip

    def __init__(
        self,
        video_frame: VideoFrame,
        pixels: FramePixels | None,
        *,
        frame_num: int = 0,
        batch_id: int = 0,
        trace: FrameTrace | None = None,
        lists_primary: bool = False,
    ) -> None:
        """Wrap a frame.

        Args:
            video_frame: The metadata; its boxes are in pixels of the total frame, whose size it has.
            pixels: Its pixels, or None for a frame without any.
            frame_num: How many frames of the source came before; prefer ``pts``.
            batch_id: Place in the batch.
            trace: Its trace, where it has one.
            lists_primary: Whether ``objects`` begins with the primary object.
        """
        self.video_frame: VideoFrame = video_frame
        self.frame_num: int = frame_num
        self.batch_id: int = batch_id
        self.trace: FrameTrace | None = trace
        """Its trace; None where it is not traced."""
        self.telemetry_span: Any = NO_SPAN if trace is None else trace.root
        """Where spans are nested, from any thread; without effect where the frame is not traced."""
        self._lists_primary = lists_primary
        self._pixels = pixels
        self._primary: ObjectMeta | bool | None = False
        self._drop_reason: str | None = None
        self._drawings: list[DisplayList] | None = None
        self._batch: Callable[[], Batch | None] | None = None
        self.skipped_models: frozenset[str] = frozenset()
        """Elements that did not look at this frame, by their interval or as the primary object was removed."""

    @property
    def source_id(self) -> str:
        """The source."""
        return self.video_frame.source_id

    @property
    def pts(self) -> int:
        """When it is shown, nanoseconds."""
        return self.video_frame.pts

    @property
    def duration(self) -> int | None:
        """How long it is shown, nanoseconds."""
        return self.video_frame.duration

    @property
    def framerate(self) -> str:
        """Frames per second as a fraction, ``"30/1"``."""
        return self.video_frame.framerate

    @property
    def width(self) -> int:
        """Pixels of the total frame."""
        return self.video_frame.width

    @property
    def height(self) -> int:
        """Pixels of the total frame."""
        return self.video_frame.height

    # objects

    @property
    def objects(self) -> Objects:
        """The objects, without the primary one; adding and removing during the iteration is allowed.

        An iterator that knows its length: it is false where there are no objects. In a module that runs with ``compat``
        it begins with the primary object, as existing code expects.
        """
        return self.all_objects if self._lists_primary else Objects(self._others())

    @property
    def all_objects(self) -> Objects:
        """The primary object, unless it was removed, and then the others."""
        primary = self.primary
        return Objects([*([] if primary is None else [primary]), *self._others()])

    def _others(self) -> list[ObjectMeta]:
        frame = self.video_frame
        return [ObjectMeta.of(frame, fields) for fields in frame.get_all_objects()]

    @property
    def objects_number(self) -> int:
        """How many objects there are, the primary one included."""
        return self.video_frame.object_count + (self._primary is not None)

    @property
    def primary(self) -> ObjectMeta | None:
        """The object that stands for the whole frame; None where it was removed."""
        if self._primary is False:
            self._primary = ObjectMeta.primary(self.width, self.height)
        return self._primary if isinstance(self._primary, ObjectMeta) else None

    @property
    def primary_in_use(self) -> ObjectMeta | None:
        """The primary object if it was asked for; one that was never seen says nothing."""
        return self._primary if isinstance(self._primary, ObjectMeta) else None

    def reset_primary(self) -> None:
        """Have the primary object stand for the whole frame again."""
        self._primary = False

    @property
    def has_primary(self) -> bool:
        """Whether the primary object was not removed: whole-frame models run on this frame."""
        return self._primary is not None

    @property
    def roi(self) -> BBox | RBBox:
        """The box of the primary object.

        Raises:
            LookupError: It was removed.
        """
        if (primary := self.primary) is None:
            raise LookupError(f"frame of source {self.source_id!r} at pts {self.pts}: the primary object was removed")
        return primary.bbox

    @roi.setter
    def roi(self, value: BBox | RBBox) -> None:
        if (primary := self.primary) is None:
            raise LookupError(f"frame of source {self.source_id!r} at pts {self.pts}: the primary object was removed")
        primary.bbox = value

    def add_obj_meta(self, object_meta: ObjectMeta) -> None:
        """Add an object; ``object_meta`` is a view on it from now on.

        Raises:
            ValueError: It is in a frame already, or its parent is not in this one.
        """
        object_meta.attach(self.video_frame)

    def remove_obj_meta(self, object_meta: ObjectMeta) -> None:
        """Remove an object with what belongs to it; removing the primary one skips whole-frame models.

        Raises:
            ValueError: ``object_meta`` is not in this frame.
        """
        if object_meta.is_primary and object_meta is self._primary:
            self._primary = None
            return
        if not object_meta.is_of(self.video_frame):
            raise ValueError(f"{object_meta!r} is not in the frame of source {self.source_id!r} at pts {self.pts}")
        object_meta.detach()

    def add_detections(
        self, namespace: str | Detections, boxes: Any = None, labels: Any = None, **columns: Any
    ) -> None:
        """Add objects from arrays, as ``VideoFrame.add_detections`` does."""
        self.video_frame.add_detections(namespace, boxes, labels, **columns)

    def get_detections(
        self, namespace: str | None = None, label: str | None = None, *, shapes: bool = False
    ) -> Detections:
        """Return the objects as arrays, as ``VideoFrame.get_detections`` does."""
        return self.video_frame.get_detections(namespace, label, shapes=shapes)

    def object_of(self, object_id: int) -> ObjectMeta:
        """Return the object with that ``object_id``.

        Raises:
            LookupError: There is none.
        """
        found = self.video_frame.get_object(object_id)
        if found is None:
            raise LookupError(f"frame of source {self.source_id!r} at pts {self.pts}: there is no object {object_id}")
        return ObjectMeta.of(self.video_frame, found)

    def note_skipped(self, element_name: str) -> None:
        """Remember that the model ``element_name`` did not look at this frame: a tracker may say what it expects."""
        self.skipped_models |= {element_name}

    # tags

    def get_tag(self, name: str) -> Tag | None:
        """Return the value of a tag, or None."""
        attribute = self.video_frame.get_attribute(TAGS, name)
        if attribute is None or not attribute.values:
            return None
        value: Tag | None = from_value(attribute.values[0])
        return value

    def set_tag(self, name: str, value: Tag = True) -> None:
        """Set a tag. A condition holds while the tag is there, with any value.

        Raises:
            TypeError: ``value`` is not a boolean, number or text.
        """
        plain = value.item() if isinstance(value, np.generic) else value
        if not isinstance(plain, bool | int | float | str):
            raise TypeError(f"tag {name!r}: expected a boolean, number or text, got {type(value).__name__}")
        self.video_frame.set_attribute(Attribute(TAGS, name, [to_value(plain)]))

    def has_tag(self, name: str) -> bool:
        """Whether there is such a tag."""
        return self.video_frame.has_attribute(TAGS, name)

    def delete_tag(self, name: str) -> None:
        """Remove a tag; one that is not there is no error."""
        self.video_frame.delete_attribute(TAGS, name)

    # pixels

    @property
    def pixels(self) -> FramePixels:
        """The pixels.

        Raises:
            LookupError: The frame has none.
        """
        if self._pixels is None:
            raise LookupError(f"frame of source {self.source_id!r} at pts {self.pts} has no pixels")
        return self._pixels

    def image(self) -> Image:
        """Return the picture, ``(height, width, 4)`` RGBA uint8 of the total size, read-only; converted once."""
        return self.pixels.image()

    def cuda(self) -> SurfaceView:
        """Return the picture on a GPU, RGBA of the total size, to be read; converted once, and uploaded if need be.

        Raises:
            MissingDependencyError, DeviceError: The frame was decoded on the CPU, and there is no GPU.
        """
        return self.pixels.cuda()

    def edit_image(self) -> AbstractContextManager[Any]:
        """Give the picture for writing; the frame is encoded from it.

        ::

            with frame.edit_image() as pixels:
                pixels[:40] = 0
        """
        return self.pixels.edit()

    def add_drawing(self, drawing: DisplayList) -> None:
        """Have the engine paint ``drawing``, in pixels of the total frame, before the frame is encoded."""
        if self._drawings is None:
            self._drawings = []
        self._drawings.append(drawing)

    def take_drawings(self) -> list[DisplayList]:
        """Return what was added, lowest first, and forget it."""
        drawings, self._drawings = self._drawings or [], None
        return drawings

    # what existing code asks for

    @property
    def frame_meta(self) -> Self:
        """The frame itself: where existing code hands raw metadata on."""
        return self

    @property
    def batch_meta(self) -> Batch | None:
        """The batch that the frame is in while an element works on it."""
        return None if self._batch is None else self._batch()

    def in_batch(self, batch: Batch) -> None:
        """Take notice of the batch that the frame is in now."""
        self._batch = weakref.ref(batch)

    def drop(self, reason: str = "element") -> None:
        """Leave the frame out: it does not come out of the module, and is counted as dropped for this ``reason``."""
        self._drop_reason = reason

    @property
    def is_dropped(self) -> bool:
        """Whether ``drop`` was called."""
        return self._drop_reason is not None

    @property
    def drop_reason(self) -> str:
        """What ``drop`` was called with; empty where it was not called."""
        return self._drop_reason or ""

    def __repr__(self) -> str:
        return f"Frame({self.source_id!r}, pts={self.pts}, {self.width}x{self.height}, {self.objects_number} objects)"
