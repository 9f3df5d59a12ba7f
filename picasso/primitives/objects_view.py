"""A list of objects of one frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, overload
from weakref import ReferenceType

from picasso.primitives.video_object import BorrowedVideoObject

if TYPE_CHECKING:
    from picasso.primitives.frame_state import FrameState


class VideoObjectsView(Sequence[BorrowedVideoObject]):
    """An immutable list of live views; removing an object from the frame does not shorten it."""

    __slots__ = ("_frame", "_objects")

    def __init__(self, objects: Iterable[BorrowedVideoObject], frame: ReferenceType[FrameState] | None = None) -> None:
        self._objects = tuple(objects)
        self._frame = frame

    @property
    def frame(self) -> FrameState | None:
        """The frame that the objects are in, while there is one; a view does not keep it alive."""
        return None if self._frame is None else self._frame()

    def of_same_frame(self, objects: Iterable[BorrowedVideoObject]) -> VideoObjectsView:
        """Return a view on other ``objects`` of the same frame."""
        return VideoObjectsView(objects, self._frame)

    def __iter__(self) -> Iterator[BorrowedVideoObject]:
        return iter(self._objects)

    def __len__(self) -> int:
        return len(self._objects)

    @overload
    def __getitem__(self, index: int) -> BorrowedVideoObject: ...
    @overload
    def __getitem__(self, index: slice) -> VideoObjectsView: ...
    def __getitem__(self, index: int | slice) -> BorrowedVideoObject | VideoObjectsView:
        if isinstance(index, slice):
            return self.of_same_frame(self._objects[index])
        return self._objects[index]

    @property
    def ids(self) -> list[int]:
        """The ids, in order."""
        return [video_object.id for video_object in self._objects]

    @property
    def track_ids(self) -> list[int | None]:
        """The track ids, in order; ``None`` for an object that is not tracked."""
        return [video_object.track_id for video_object in self._objects]

    @property
    def sorted_by_id(self) -> VideoObjectsView:
        """The same objects, ids rising."""
        return self.of_same_frame(sorted(self._objects, key=lambda video_object: video_object.id))

    def __repr__(self) -> str:
        return f"VideoObjectsView({list(self._objects)!r})"
