"""What a frame holds, and the fields that say which frame of which stream it is."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable
from functools import lru_cache
from operator import index
from typing import Self, SupportsIndex, TypeAlias, TypeVar

from picasso.errors import FrameInFlightError
from picasso.primitives.attribute import Attribute, AttributeHolder, AttributeKey
from picasso.primitives.checks import INT64_MAX, dimension, optional_whole, text, whole
from picasso.primitives.content import VideoFrameContent, VideoFrameTranscodingMethod
from picasso.primitives.enums import NamedNativeEnum
from picasso.primitives.object_store import ObjectStore
from picasso.primitives.transformation import VideoFrameTransformation

Ratio: TypeAlias = tuple[int, int]
"""Numerator and denominator, both > 0."""

CodecName: TypeAlias = str | NamedNativeEnum
"""A codec's name in any case, or a member of an enumeration with a ``name()``."""

NS_TIME_BASE: Ratio = (1, 1_000_000_000)
"""Ticks of a nanosecond."""

_NO_CONTENT = VideoFrameContent.none()
_COPY, _ENCODED = VideoFrameTranscodingMethod.Copy, VideoFrameTranscodingMethod.Encoded
_uuid_lock = threading.Lock()


class FrameState(AttributeHolder):
    """The state of a frame; ``VideoFrame`` says what its arguments mean."""

    __slots__ = (
        "__weakref__",
        "_attributes",
        "_codec",
        "_content",
        "_creation_timestamp_ns",
        "_dts",
        "_duration",
        "_fps",
        "_height",
        "_holder",
        "_keyframe",
        "_objects",
        "_previous_frame_seq_id",
        "_previous_keyframe_uuid",
        "_pts",
        "_source_id",
        "_time_base",
        "_transcoding_method",
        "_transformations",
        "_unclaimed",
        "_uuid",
        "_width",
    )

    _codec: str | None
    _keyframe: bool | None
    _uuid: str | None
    _previous_frame_seq_id: int | None
    _previous_keyframe_uuid: str | None
    _attributes: dict[AttributeKey, Attribute]
    _unclaimed: bool
    """The slot is empty while the frame is claimed."""

    def __init__(
        self,
        source_id: str,
        framerate: str | Ratio | None = None,
        width: SupportsIndex = 0,
        height: SupportsIndex = 0,
        content: VideoFrameContent | None = None,
        transcoding_method: VideoFrameTranscodingMethod = VideoFrameTranscodingMethod.Copy,
        codec: CodecName | None = None,
        keyframe: bool | None = None,
        time_base: tuple[SupportsIndex, SupportsIndex] = (1, 1_000_000),
        pts: SupportsIndex = 0,
        dts: SupportsIndex | None = None,
        duration: SupportsIndex | None = None,
        *,
        fps: Ratio | None = None,
    ) -> None:
        rate = framerate if fps is None else fps
        if rate is None or None not in (framerate, fps):
            raise TypeError("a frame takes framerate='30/1' or fps=(30, 1), one of both")
        self._source_id = text("source_id", source_id)
        self._fps = _ratio(rate)
        start = VideoFrameTransformation.initial_size(width, height)
        self._width, self._height = start.values
        self._content = _NO_CONTENT
        if content is not None:
            self.content = content
        if transcoding_method is _COPY:
            self._transcoding_method = _COPY
        else:
            self.transcoding_method = transcoding_method
        self._codec = self._keyframe = None
        if codec is not None:
            self.codec = codec
        if keyframe is not None:
            self.keyframe = keyframe
        self.time_base = time_base
        self._pts = pts if type(pts) is int and 0 <= pts <= INT64_MAX else whole("pts", pts, 0)
        self._dts = None if dts is None else whole("dts", dts, 0)
        self._duration = None if duration is None else whole("duration", duration, 0)
        self._creation_timestamp_ns = time.time_ns()
        self._uuid = self._previous_frame_seq_id = self._previous_keyframe_uuid = None
        self._transformations = [start]
        self._attributes = {}
        self._objects = ObjectStore()
        self._holder, self._unclaimed = "", True

    @property
    def source_id(self) -> str:
        """Name of the stream."""
        return self._source_id

    @source_id.setter
    def source_id(self, value: str) -> None:
        self._source_id = text("source_id", value)

    @property
    def framerate(self) -> str:
        """Frames per second, as ``"30/1"``."""
        return "{}/{}".format(*self._fps)

    @framerate.setter
    def framerate(self, value: str | Ratio) -> None:
        self._fps = _ratio(value)

    @property
    def fps(self) -> Ratio:
        """Frames per second, as ``(30, 1)``."""
        return self._fps

    @fps.setter
    def fps(self, value: str | Ratio) -> None:
        self._fps = _ratio(value)

    @property
    def width(self) -> int:
        """Width in pixels, > 0; setting it leaves the transformations as they are."""
        return self._width

    @width.setter
    def width(self, value: SupportsIndex) -> None:
        self._width = dimension("width", value)

    @property
    def height(self) -> int:
        """Height in pixels, > 0; setting it leaves the transformations as they are."""
        return self._height

    @height.setter
    def height(self, value: SupportsIndex) -> None:
        self._height = dimension("height", value)

    @property
    def content(self) -> VideoFrameContent:
        """Where the encoded bytes are."""
        return self._content

    @content.setter
    def content(self, value: VideoFrameContent) -> None:
        if not isinstance(value, VideoFrameContent):
            raise TypeError(f"content: expected VideoFrameContent, got {type(value).__name__}")
        self._content = value

    @property
    def transcoding_method(self) -> VideoFrameTranscodingMethod:
        """Whether the content is the source's own or was encoded again."""
        return self._transcoding_method

    @transcoding_method.setter
    def transcoding_method(self, value: VideoFrameTranscodingMethod) -> None:
        if not isinstance(value, VideoFrameTranscodingMethod):
            raise TypeError(f"transcoding_method: expected VideoFrameTranscodingMethod, got {value!r}")
        self._transcoding_method = value

    @property
    def codec(self) -> str | None:
        """Codec of the content in lower case, such as ``"h264"``."""
        return self._codec

    @codec.setter
    def codec(self, value: CodecName | None) -> None:
        if isinstance(value, NamedNativeEnum):
            value = value.name()
        self._codec = None if value is None else text("codec", value).lower()

    @property
    def keyframe(self) -> bool | None:
        """Whether the content decodes on its own; ``None`` when unknown."""
        return self._keyframe

    @keyframe.setter
    def keyframe(self, value: bool | None) -> None:
        if value is not None and not isinstance(value, bool):
            raise TypeError(f"keyframe: expected bool or None, got {value!r}")
        self._keyframe = value

    @property
    def time_base(self) -> Ratio:
        """Seconds in one tick of ``pts``, ``dts`` and ``duration``, as ``(1, 1000000)``."""
        return self._time_base

    @time_base.setter
    def time_base(self, value: tuple[SupportsIndex, SupportsIndex]) -> None:
        numerator, denominator = value
        if not (type(numerator) is type(denominator) is int and 0 < numerator <= INT64_MAX >= denominator > 0):
            numerator, denominator = whole("time_base", numerator, 1), whole("time_base", denominator, 1)
        self._time_base = numerator, denominator

    @property
    def pts(self) -> int:
        """When the frame is shown, ticks of ``time_base``, ≥ 0."""
        return self._pts

    @pts.setter
    def pts(self, value: SupportsIndex) -> None:
        self._pts = whole("pts", value, 0)

    @property
    def dts(self) -> int | None:
        """When the frame is decoded, ticks of ``time_base``, ≥ 0."""
        return self._dts

    @dts.setter
    def dts(self, value: SupportsIndex | None) -> None:
        self._dts = optional_whole("dts", value, 0)

    @property
    def duration(self) -> int | None:
        """How long the frame is shown, ticks of ``time_base``, ≥ 0."""
        return self._duration

    @duration.setter
    def duration(self, value: SupportsIndex | None) -> None:
        self._duration = optional_whole("duration", value, 0)

    def timing(self) -> tuple[Ratio, int, int | None]:
        """Return ``time_base``, ``pts`` and ``duration``."""
        return self._time_base, self._pts, self._duration

    def set_encoded(
        self, data: bytes, codec: str, keyframe: bool, pts_ns: int, dts_ns: int | None, duration_ns: int | None
    ) -> None:
        """Set the content to bytes that were encoded again, with their times in nanoseconds; all or nothing.

        Args:
            data: What the encoder made of the picture.
            codec: Its codec, in lower case.
            keyframe: Whether it decodes on its own.
            pts_ns: When the frame is shown, ≥ 0.
            dts_ns: When it is decoded, ≥ 0.
            duration_ns: How long it is shown, ≥ 0.

        Raises:
            TypeError: An argument is of another type.
            ValueError: A time is below 0.
        """
        content = VideoFrameContent.internal(data)
        if not (type(pts_ns) is type(dts_ns) is int and INT64_MAX >= pts_ns >= 0 <= dts_ns <= INT64_MAX):
            pts_ns, dts_ns = whole("pts", pts_ns, 0), optional_whole("dts", dts_ns, 0)
        if duration_ns is not None:
            duration_ns = whole("duration", duration_ns, 0)
        if keyframe is True or keyframe is False:
            self._keyframe = keyframe
        else:
            self.keyframe = keyframe
        self._content, self._transcoding_method, self._codec = content, _ENCODED, codec
        self._time_base = NS_TIME_BASE
        self._pts, self._dts, self._duration = pts_ns, dts_ns, duration_ns

    @property
    def creation_timestamp_ns(self) -> int:
        """When the frame was made, nanoseconds since 1970, ≥ 0."""
        return self._creation_timestamp_ns

    @creation_timestamp_ns.setter
    def creation_timestamp_ns(self, value: SupportsIndex) -> None:
        self._creation_timestamp_ns = whole("creation_timestamp_ns", value, 0)

    @property
    def uuid(self) -> str:
        """Identity of the frame, a UUID of version 7 that sorts by creation time; made when first asked for."""
        return self._uuid or self._make_uuid()

    @property
    def previous_frame_seq_id(self) -> int | None:
        """Sequence number of the frame before, if a sender counted."""
        return self._previous_frame_seq_id

    @property
    def previous_keyframe_uuid(self) -> str | None:
        """Identity of the last key frame before, if a sender noted it."""
        return self._previous_keyframe_uuid

    def claim(self, source_id: str) -> None:
        """Take the frame for yourself until ``release``; of several threads that try, one succeeds.

        ``PicassoEngine.send_frame`` does this: an engine works on the frame itself, so it can be in one place only.

        Args:
            source_id: Where it is from now on, for the error message of the next who tries.

        Raises:
            FrameInFlightError: Someone has it.
        """
        try:
            del self._unclaimed  # one step of the interpreter
        except AttributeError:
            raise FrameInFlightError(
                f"frame {self.uuid} of pts {self._pts} is in flight at source {self._holder!r}: wait until it comes"
                " out, or send frame.copy()"
            ) from None
        self._holder = source_id

    def release(self) -> None:
        """Give the frame back: it can be claimed again. Only who claimed it may do this."""
        self._unclaimed = True

    @property
    def is_claimed(self) -> bool:
        """Whether someone has claimed the frame, an engine for instance that it was sent to."""
        return not hasattr(self, "_unclaimed")

    def copy(self, no_gil: bool = True) -> Self:  # noqa: ARG002 - the reference's
        """Return an independent frame with the same identity, objects and attributes, which no one has claimed.

        ``no_gil`` has no effect; existing code gives it.
        """
        self._make_uuid()
        twin = object.__new__(type(self))
        for name in _COPIED:
            setattr(twin, name, getattr(self, name))
        twin._unclaimed = True
        twin._transformations = self._transformations.copy()
        twin._attributes = self._attributes.copy()
        twin._objects = self._objects.copy()
        return twin

    __copy__ = copy

    def __deepcopy__(self, _memo: object) -> Self:
        return self.copy()

    def _make_uuid(self) -> str:
        with _uuid_lock:  # two threads must see the same one
            if self._uuid is None:
                self._uuid = _uuid7(self._creation_timestamp_ns)
            return self._uuid

    def _attribute_table(self) -> dict[AttributeKey, Attribute]:
        return self._attributes


Frame = TypeVar("Frame", bound=FrameState)


def frames_like(first: Frame) -> Callable[[int, int, bool], Frame]:
    """Return what makes more frames of a stream: as the constructor makes them of the same arguments, but quicker.

    It takes when a frame is shown and how long, ticks of the same time base, ≥ 0, which are checked as by the
    constructor, and whether it decodes on its own, which is not checked.

    Args:
        first: A frame that nothing was added to or changed in since it was made: it gives all but times and keyframe.
    """
    kind, chain, now_ns = type(first), tuple(first._transformations), time.time_ns
    same = (
        *(first._source_id, first._fps, first._time_base, first._codec, first._width, first._height, first._content),
        *(first._transcoding_method, first._dts, "", None, None, None, True),
    )

    def make(pts: int, duration: int, keyframe: bool) -> Frame:
        if not 0 <= pts | duration <= INT64_MAX:  # one of them is below 0, or too large
            pts, duration = whole("pts", pts, 0), whole("duration", duration, 0)
        frame = object.__new__(kind)
        (
            frame._source_id,
            frame._fps,
            frame._time_base,
            frame._codec,
            frame._width,
            frame._height,
            frame._content,
            frame._transcoding_method,
            frame._dts,
            frame._holder,
            frame._uuid,
            frame._previous_frame_seq_id,
            frame._previous_keyframe_uuid,
            frame._unclaimed,
        ) = same
        frame._pts, frame._duration, frame._keyframe, frame._creation_timestamp_ns = pts, duration, keyframe, now_ns()
        frame._transformations, frame._attributes, frame._objects = [*chain], {}, ObjectStore()
        return frame

    return make


_COPIED = tuple(name for name in FrameState.__slots__ if name not in {"__weakref__", "_unclaimed"})


def _ratio(value: str | Ratio) -> Ratio:
    """Read ``"30/1"`` or ``(30, 1)``.

    Raises:
        TypeError: It is neither a text nor a pair of whole numbers.
        ValueError: It does not read as two whole numbers > 0.
    """
    return _ratio_of_text(value) if isinstance(value, str) else _checked_ratio(value, value)


@lru_cache(maxsize=64)
def _ratio_of_text(framerate: str) -> Ratio:
    parts = framerate.split("/")
    numbers = tuple(map(int, parts)) if all(part.isascii() and part.isdigit() for part in parts) else ()
    return _checked_ratio(numbers, framerate)


def _checked_ratio(parts: tuple[int, ...], value: str | Ratio) -> Ratio:
    """Return a pair of numbers > 0, or say that ``value`` is none."""
    try:
        numerator, denominator = map(index, parts)
    except (TypeError, ValueError) as error:
        raise type(error)(f"framerate: expected '30/1' or (30, 1), got {value!r}") from None
    if not (0 < numerator <= INT64_MAX and 0 < denominator <= INT64_MAX):
        raise ValueError(f"framerate: both parts must be positive, got {value!r}")
    return numerator, denominator


def _uuid7(timestamp_ns: int) -> str:
    """Make a UUID of version 7 (RFC 9562): 48 bits of milliseconds, then random bits."""
    bits = (timestamp_ns // 1_000_000 & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(os.urandom(10))
    bits = bits & ~(0xF << 76) | 7 << 76
    return str(uuid.UUID(int=bits & ~(0b11 << 62) | 0b10 << 62))
