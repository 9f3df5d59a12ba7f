"""A frame to bytes."""

from __future__ import annotations

from functools import lru_cache
from math import gcd
from typing import Final

from picasso.errors import ProtocolError
from picasso.primitives import VideoFrame, VideoFrameContent, VideoFrameTransformation
from picasso.primitives.checks import MAX_DIMENSION
from picasso.primitives.transformation import ChainStep
from picasso.wire.codec.numbers import SMALL, bytes_tag, field, tag_of, text_field, varint
from picasso.wire.codec.write_attributes import attribute_fields
from picasso.wire.codec.write_objects import write_objects

_INT32_MAX: Final = 2**31 - 1
_SOURCE_ID, _UUID, _FRAMERATE, _CODEC = (bytes_tag(number) for number in (2, 3, 6, 10))
_INTERNAL, _EXTERNAL, _NONE = (bytes_tag(number) for number in (17, 18, 19))
_TRANSFORMATION, _ATTRIBUTE, _OBJECT, _PREVIOUS_KEYFRAME = (bytes_tag(number) for number in (23, 24, 25, 26))
_SEQ, _CREATED, _WIDTH, _HEIGHT, _METHOD, _KEYFRAME = (tag_of(number, 0) for number in (1, 5, 7, 8, 9, 11))
_NUMERATOR, _DENOMINATOR, _PTS, _DTS, _DURATION = (tag_of(number, 0) for number in (12, 13, 14, 15, 16))
_STEPS: Final = {ChainStep.INITIAL_SIZE: 1, ChainStep.LETTER_BOX: 2, ChainStep.PADDING: 3, ChainStep.CROP: 5}
_LONG: Final = 256
"""Characters from which on a text is not kept: it may come from a peer."""
_UNKNOWN: Final = {ChainStep.ORIENTATION}
_UNKNOWN_TO_OLD: Final = {ChainStep.ORIENTATION, ChainStep.CROP}


def write_frame(frame: VideoFrame, old_peers: bool = False) -> bytes:
    """Return the bytes of a frame, without temporary attributes.

    Args:
        frame: The frame.
        old_peers: Whether its chain is written in steps that savant-rs before 1.0 knows.

    Raises:
        ProtocolError: Its time base does not fit 32 bits.
    """
    numerator, denominator = _time_base(frame)
    parts = [
        _shared_text(_SOURCE_ID, frame._source_id),
        text_field(_UUID, frame.uuid),
        _CREATED,
        varint(frame._creation_timestamp_ns),
        _framerate(frame._fps),
        _WIDTH,
        varint(frame._width),
        _HEIGHT,
        varint(frame._height),
        _METHOD,
        SMALL[frame._transcoding_method._value_],
        _NUMERATOR,
        varint(numerator),
        _DENOMINATOR,
        varint(denominator),
        _PTS,
        varint(frame._pts),
    ]
    if frame._previous_frame_seq_id is not None:
        parts += _SEQ, varint(frame._previous_frame_seq_id)
    if frame._codec is not None:
        parts.append(_shared_text(_CODEC, frame._codec))
    if frame._keyframe is not None:
        parts += _KEYFRAME, SMALL[frame._keyframe]
    if frame._dts is not None:
        parts += _DTS, varint(frame._dts)
    if frame._duration is not None:
        parts += _DURATION, varint(frame._duration)
    if frame._previous_keyframe_uuid is not None:
        parts.append(text_field(_PREVIOUS_KEYFRAME, frame._previous_keyframe_uuid))
    parts += _content(frame._content)
    parts += _transformations(frame._transformations, old_peers)
    if frame._attributes:
        parts += attribute_fields(_ATTRIBUTE, frame._attributes.values())
    parts += write_objects(frame._objects, _OBJECT)
    return b"".join(parts)


def _time_base(frame: VideoFrame) -> tuple[int, int]:
    numerator, denominator = frame._time_base
    if max(numerator, denominator) > _INT32_MAX:
        common = gcd(numerator, denominator)
        numerator, denominator = numerator // common, denominator // common
        if max(numerator, denominator) > _INT32_MAX:
            raise ProtocolError(f"time_base: {numerator}/{denominator} does not fit the protocol's 32 bits")
    return numerator, denominator


def _content(content: VideoFrameContent) -> tuple[bytes, ...]:
    if content.is_internal():
        data = content.get_data()
        return _INTERNAL, varint(len(data)), data
    if content.is_external():
        method, location = content.get_method(), content.get_location()
        return (_beside(method) if location is None and len(method) < _LONG else _external(method, location),)
    return _NONE, b"\0"


def _shared_text(tag: bytes, content: str) -> bytes:
    """Return the field of a text that the frames of a stream share; a short one is kept."""
    return _kept_text(tag, content) if len(content) < _LONG else text_field(tag, content)


_kept_text = lru_cache(maxsize=256)(text_field)


@lru_cache(maxsize=64)
def _framerate(fps: tuple[int, int]) -> bytes:
    return text_field(_FRAMERATE, "{}/{}".format(*fps))


@lru_cache(maxsize=64)
def _beside(method: str) -> bytes:
    return _external(method, None)


def _external(method: str, location: str | None) -> bytes:
    place = b"" if location is None else text_field(bytes_tag(2), location)
    return field(_EXTERNAL, text_field(bytes_tag(1), method) + place)


def _transformations(chain: list[VideoFrameTransformation], old_peers: bool) -> list[bytes]:
    """Return a field for each step.

    What a step that the peer does not know made of the picture is sent as the initial picture: a turn to any peer, a
    crop to old ones. Old peers are told of a padded letter box as a scale and a padding.
    """
    unknown = _UNKNOWN_TO_OLD if old_peers else _UNKNOWN
    steps, last = chain, -1
    for index, step in enumerate(chain):
        if step.step in unknown:
            last = index
    if last >= 0:
        size = _size_after(chain[: last + 1])
        first = [] if size is None else [VideoFrameTransformation.initial_size(*size)]
        steps = first + chain[last + 1 :]
    parts: list[bytes] = []
    for step in steps:
        box = step.as_letter_box if old_peers else None
        if box is None:
            parts.append(_step(step.step, step.values))
        else:
            width, height, left, top, right, bottom = box
            parts.append(_step(ChainStep.LETTER_BOX, (max(1, width - left - right), max(1, height - top - bottom))))
            if any(box[2:]):
                parts.append(_step(ChainStep.PADDING, box[2:]))
    return parts


@lru_cache(maxsize=256)
def _step(step: ChainStep, values: tuple[int, ...]) -> bytes:
    numbers = [b"%c%s" % (index << 3, varint(value)) for index, value in enumerate(values, 1)]
    return field(_TRANSFORMATION, field(bytes_tag(_STEPS[step]), b"".join(numbers)))


def _size_after(steps: list[VideoFrameTransformation]) -> tuple[int, int] | None:
    """Return the size that a chain leads to; ``None`` where it says none, nothing is left, or it is too large."""
    size: tuple[int, int] | None = None
    for step in steps:
        start, box, turn = step.as_initial_size, step.as_letter_box, step.as_orientation
        if start is not None:
            size = start
        elif size is None:
            continue
        elif box is not None:
            size = box[:2]
        elif turn is not None:
            size = turn.size(size)
        else:
            left, top, right, bottom = step.values
            sign = 1 if step.is_padding else -1
            size = size[0] + sign * (left + right), size[1] + sign * (top + bottom)
    return size if size is not None and min(size) > 0 and max(size) <= MAX_DIMENSION else None
