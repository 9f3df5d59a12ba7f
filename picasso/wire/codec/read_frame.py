"""Bytes to a frame."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final, TypeVar
from uuid import UUID

from picasso.errors import ProtocolError
from picasso.primitives import VideoFrame, VideoFrameContent, VideoFrameTranscodingMethod, VideoFrameTransformation
from picasso.primitives.checks import INT64_MAX, MAX_DIMENSION
from picasso.wire.codec.read_attributes import read_attributes
from picasso.wire.codec.read_objects import read_objects
from picasso.wire.codec.schema import ABSENT_ID, ABSENT_TEXT

_Frame = TypeVar("_Frame", bound=VideoFrame)
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_FRAMERATE: Final = re.compile(r"([1-9][0-9]{0,17})/([1-9][0-9]{0,17})").fullmatch
_METHODS: Final = dict(enumerate(VideoFrameTranscodingMethod))
_SIZE: Final = ("width", "height")
_SIDES: Final = ("left", "top", "right", "bottom")
_BESIDE: Final = VideoFrameContent.external("zeromq")
"""Content that lies beside its message, which is the usual place."""


def read_frame(frame_type: type[_Frame], parsed: Any) -> _Frame:
    """Return the frame of a parsed message.

    Raises:
        ProtocolError: A field is out of its range; the message names it.
    """
    frame = frame_type(parsed.source_id, _ratio(parsed.framerate), *_size(parsed), time_base=_time_base(parsed))
    frame._pts = _time("pts", parsed.pts)
    dts, duration, codec = parsed.dts, parsed.duration, parsed.codec
    if dts != ABSENT_ID:
        frame._dts = _time("dts", dts)
    if duration != ABSENT_ID:
        frame._duration = _time("duration", duration)
    if codec != ABSENT_TEXT:
        frame._codec = codec.lower()
    if parsed.HasField("keyframe"):
        frame._keyframe = parsed.keyframe
    frame._transcoding_method = _method(parsed.transcoding_method)
    created = parsed.creation_timestamp_ns_low
    if created > INT64_MAX or parsed.creation_timestamp_ns_high:
        created += parsed.creation_timestamp_ns_high << 64
        raise ProtocolError(f"frame: creation_timestamp_ns: {created} is beyond the year 2262")
    frame._creation_timestamp_ns = created
    frame._uuid = _uuid("uuid", parsed.uuid)
    previous, keyframe = parsed.previous_frame_seq_id, parsed.previous_keyframe
    if previous != ABSENT_ID:
        frame._previous_frame_seq_id = previous
    if keyframe != ABSENT_TEXT:
        frame._previous_keyframe_uuid = _uuid("previous_keyframe", keyframe)
    kind = parsed.WhichOneof("content")
    if kind == "internal":
        frame._content = VideoFrameContent.internal(parsed.internal)
    elif kind == "external":
        frame._content = _external(parsed.external)
    frame._transformations = _transformations(parsed.transformations)
    attributes, objects = parsed.attributes, parsed.objects
    if attributes:
        frame._attributes = read_attributes(attributes, "frame")
    if objects:
        read_objects(frame._objects, objects)
    return frame


@lru_cache(maxsize=64)
def _ratio(text: str) -> tuple[int, int]:
    match = _FRAMERATE(text)
    if match is None:
        raise ProtocolError(f"frame: framerate: expected two whole numbers > 0 as '30/1', got {text[:50]!r}")
    return int(match[1]), int(match[2])


def _size(parsed: Any) -> tuple[int, int]:
    width, height = parsed.width, parsed.height
    if 0 < width <= MAX_DIMENSION and 0 < height <= MAX_DIMENSION:
        return width, height
    raise ProtocolError(f"frame: width and height: expected 1 to {MAX_DIMENSION}, got {width} and {height}")


def _time_base(parsed: Any) -> tuple[int, int]:
    numerator, denominator = parsed.time_base_numerator, parsed.time_base_denominator
    if numerator > 0 and denominator > 0:
        return numerator, denominator
    raise ProtocolError(f"frame: time_base: expected two numbers > 0, got {numerator} and {denominator}")


def _time(name: str, value: int) -> int:
    if value < 0:
        raise ProtocolError(f"frame: {name}: expected at least 0, got {value}")
    return value


def _method(value: int) -> VideoFrameTranscodingMethod:
    method = _METHODS.get(value)
    if method is None:
        raise ProtocolError(f"frame: transcoding_method: expected one of {list(_METHODS)}, got {value}")
    return method


def _uuid(name: str, text: str) -> str:
    if _UUID(text):
        return text
    try:
        return str(UUID(text))
    except ValueError:
        raise ProtocolError(f"frame: {name}: expected a UUID, got {text[:50]!r}") from None


def _external(parsed: Any) -> VideoFrameContent:
    method = parsed.method
    if method == "zeromq" and not parsed.HasField("location"):
        return _BESIDE
    return VideoFrameContent.external(method, parsed.location if parsed.HasField("location") else None)


def _transformations(parsed: Iterable[Any]) -> list[VideoFrameTransformation]:
    """Return the steps; those that the protocol does not know, such as a resulting size, are passed over."""
    chain = []
    for each in parsed:
        name = each.WhichOneof("step")
        if name is None:
            continue
        step = getattr(each, name)
        try:
            chain.append(_STEPS[name](step))
        except (ValueError, OverflowError) as error:
            raise ProtocolError(f"frame: transformations: {name}: {error}") from error
    return chain


_initial_size = lru_cache(maxsize=64)(VideoFrameTransformation.initial_size)
_STEPS: Final = {
    "initial_size": lambda step: _initial_size(step.width, step.height),
    "letter_box": lambda step: VideoFrameTransformation.letter_box(
        step.outer_width, step.outer_height, step.left, step.top, step.right, step.bottom
    ),
    "padding": lambda step: VideoFrameTransformation.padding(step.left, step.top, step.right, step.bottom),
    "crop": lambda step: VideoFrameTransformation.crop(step.left, step.top, step.right, step.bottom),
}
