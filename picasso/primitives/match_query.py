"""Which objects of a frame are meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from picasso.primitives.video_object import BorrowedVideoObject


class MatchQuery:
    """A condition on objects.

    Args:
        predicate: Called with each object; what it returns is read as a truth value.

    Raises:
        TypeError: The predicate cannot be called.

    >>> from picasso.primitives import BBox, VideoFrame
    >>> frame = VideoFrame("cam", "30/1", 640, 480)
    >>> for label in ("car", "bus", "car"):
    ...     _ = frame.create_object("detector", label, detection_box=BBox(10, 10, 4, 4))
    >>> cars = MatchQuery(lambda found: found.label == "car")
    >>> [found.id for found in frame.access_objects(cars)]
    [0, 2]
    """

    __slots__ = ("_predicate",)

    def __init__(self, predicate: Callable[[BorrowedVideoObject], object]) -> None:
        if not callable(predicate):
            raise TypeError(f"predicate: expected a callable, got {type(predicate).__name__}")
        self._predicate = predicate

    @staticmethod
    def idle() -> MatchQuery:
        """Match every object."""
        return _IDLE

    def __call__(self, video_object: BorrowedVideoObject) -> bool:
        """Say whether the object is meant."""
        return bool(self._predicate(video_object))

    def __repr__(self) -> str:
        return "MatchQuery.idle()" if self is _IDLE else f"MatchQuery({self._predicate!r})"


_IDLE = MatchQuery(lambda _: True)
