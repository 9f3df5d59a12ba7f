"""Where the encoded bytes of a frame are, and how they came to be."""

from __future__ import annotations

from picasso.primitives.checks import text
from picasso.primitives.enums import NativeEnum


class VideoFrameTranscodingMethod(NativeEnum):
    """Whether the content is the source's own or was encoded again."""

    Copy = 0
    Encoded = 1


class VideoFrameContent:
    """Immutable: nothing, bytes, or a place elsewhere; made by one of the three factories."""

    __slots__ = ("_data", "_location", "_method")
    _data: bytes | None
    _method: str | None
    _location: str | None

    @classmethod
    def none(cls) -> VideoFrameContent:
        """Hold no content."""
        return _NONE

    @classmethod
    def internal(cls, data: bytes) -> VideoFrameContent:
        """Hold the data itself; ``TypeError`` unless it is bytes."""
        if not isinstance(data, bytes):
            if not isinstance(data, (bytearray, memoryview)):
                raise TypeError(f"data: expected bytes, got {type(data).__name__}")
            data = bytes(data)
        content = VideoFrameContent()
        content._data = data
        content._method = content._location = None
        return content

    @classmethod
    def external(cls, method: str, location: str | None = None) -> VideoFrameContent:
        """Name the method by which to get the bytes, and their location."""
        place = None if location is None else text("location", location)
        return _content(method=text("method", method), location=place)

    def is_none(self) -> bool:
        """Say whether there is no content."""
        return self._data is None and self._method is None

    def is_internal(self) -> bool:
        """Say whether the bytes are here."""
        return self._data is not None

    def is_external(self) -> bool:
        """Say whether the bytes are elsewhere."""
        return self._method is not None

    def get_data(self) -> bytes:
        """Return the bytes; ``TypeError`` unless ``is_internal()``."""
        if self._data is None:
            raise TypeError(f"{self!r} holds no data")
        return self._data

    def get_method(self) -> str:
        """Return how to get the bytes; ``TypeError`` unless ``is_external()``."""
        if self._method is None:
            raise TypeError(f"{self!r} has no method")
        return self._method

    def get_location(self) -> str | None:
        """Return where the bytes are; ``TypeError`` unless ``is_external()``."""
        if self._method is None:
            raise TypeError(f"{self!r} has no location")
        return self._location

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, VideoFrameContent):
            return NotImplemented
        return (self._data, self._method, self._location) == (other._data, other._method, other._location)

    def __hash__(self) -> int:
        return hash((self._data, self._method, self._location))

    def __repr__(self) -> str:
        if self._data is not None:
            return f"VideoFrameContent.internal(<{len(self._data)} bytes>)"
        if self._method is not None:
            return f"VideoFrameContent.external({self._method!r}, {self._location!r})"
        return "VideoFrameContent.none()"


def _content(data: bytes | None = None, method: str | None = None, location: str | None = None) -> VideoFrameContent:
    content = VideoFrameContent()
    content._data, content._method, content._location = data, method, location
    return content


_NONE = _content()
