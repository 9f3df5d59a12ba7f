"""Several frames that travel together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, SupportsIndex

from picasso.primitives.checks import whole
from picasso.primitives.frame_objects import Query
from picasso.primitives.objects_view import VideoObjectsView
from picasso.primitives.protocol import as_message, registered_codec
from picasso.primitives.video_frame import VideoFrame

if TYPE_CHECKING:
    from picasso.primitives.message import Message


class VideoFrameBatch:
    """Frames by number, in the order they were added. Frames are shared, not copied."""

    __slots__ = ("_frames",)
    __hash__: Any = None

    def __init__(self) -> None:
        self._frames: dict[int, VideoFrame] = {}

    def add(self, id: SupportsIndex, frame: VideoFrame) -> None:
        """Put a frame instead of the one with this number.

        Args:
            id: Its number, signed 64 bit.
            frame: The frame; ``TypeError`` for anything else.
        """
        if not isinstance(frame, VideoFrame):
            raise TypeError(f"frame: expected VideoFrame, got {type(frame).__name__}")
        self._frames[whole("id", id)] = frame

    def get(self, id: SupportsIndex) -> VideoFrame | None:
        """Return the frame with the number ``id``, or ``None``."""
        return self._frames.get(whole("id", id))

    def del_(self, id: SupportsIndex) -> VideoFrame | None:
        """Remove the frame with the number ``id`` and return it, or ``None``."""
        return self._frames.pop(whole("id", id), None)

    @property
    def ids(self) -> list[int]:
        """The numbers."""
        return list(self._frames)

    @property
    def frames(self) -> list[VideoFrame]:
        """The frames, in the order of ``ids``."""
        return list(self._frames.values())

    def access_objects(self, q: Query, no_gil: bool = True) -> dict[int, VideoObjectsView]:  # noqa: ARG002
        """Return the objects that a query matches, by the number of their frame.

        Args:
            q: The query.
            no_gil: Has no effect; existing code gives it.
        """
        return {number: frame.access_objects(q) for number, frame in self._frames.items()}

    def delete_objects(self, q: Query, no_gil: bool = True) -> None:  # noqa: ARG002
        """Remove the objects that a query matches from every frame.

        Args:
            q: The query.
            no_gil: Has no effect; existing code gives it.
        """
        for frame in self._frames.values():
            frame.delete_objects(q)

    def to_message(self) -> Message:
        """Return a message that holds it."""
        return as_message(self)

    def to_protobuf(self) -> bytes:
        """Return the bytes of the protocol."""
        return registered_codec().encode_part(self)

    @classmethod
    def from_protobuf(cls, data: bytes) -> Self:
        """Read the data that ``to_protobuf`` wrote.

        Raises:
            ProtocolError: The bytes hold none.
        """
        made: Self = registered_codec().decode_part(cls, data)
        return made

    def __len__(self) -> int:
        return len(self._frames)

    def __repr__(self) -> str:
        return f"VideoFrameBatch({self._frames!r})"
