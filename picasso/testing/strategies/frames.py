"""Frames with their objects."""

from __future__ import annotations

from hypothesis import strategies as st

from picasso.primitives import RBBox, VideoFrame, VideoFrameContent, VideoFrameTranscodingMethod
from picasso.primitives import VideoFrameTransformation as Step
from picasso.testing.strategies.attributes import COUNTS, RBBOXES, SOME_TEXT, TEXTS, attributes
from picasso.testing.strategies.geometry import SizeWH, rotated_boxes, sizes

_RATES = st.tuples(st.integers(1, 10**6), st.integers(1, 10**6))
_SIDES = st.integers(0, 2**31 - 1)
_DIMENSIONS = st.integers(1, 2**31 - 1)
_CODECS = st.none() | st.sampled_from(["h264", "hevc", "av1", "jpeg", "raw_rgba"])
_CONTENTS = st.one_of(
    st.just(VideoFrameContent.none()),
    st.builds(VideoFrameContent.internal, st.binary(max_size=16)),
    st.builds(VideoFrameContent.external, TEXTS, SOME_TEXT),
)
_STEPS = st.one_of(
    st.builds(Step.initial_size, _DIMENSIONS, _DIMENSIONS),
    st.builds(Step.letter_box, _DIMENSIONS, _DIMENSIONS, _SIDES, _SIDES, _SIDES, _SIDES),
    st.builds(Step.padding, _SIDES, _SIDES, _SIDES, _SIDES),
    st.builds(Step.crop, _SIDES, _SIDES, _SIDES, _SIDES),
)


@st.composite
def video_frames(
    draw: st.DrawFn,
    size_wh: SizeWH | None = None,
    *,
    source_id: str | None = None,
    max_objects: int = 4,
    max_attributes: int = 2,
    wild: bool = False,
) -> VideoFrame:
    """Make a ``VideoFrame`` with objects, tracks, parents and attributes.

    Args:
        draw: Given by hypothesis.
        size_wh: Width and height in pixels; by default any up to 4096, with ``wild`` up to 2³¹ − 1.
        source_id: Whose frame it is; by default any text.
        max_objects: Most objects.
        max_attributes: Most attributes of the frame, and of each object.
        wild: Whether all that a frame can hold may be in it: boxes with NaN and infinite numbers, any chain of
            transformations, any time. Otherwise an engine takes it: boxes are finite and near the picture, the chain
            is the frame's size, and times fit 64 bits of nanoseconds.
    """
    wide, tall = size_wh or draw(st.tuples(_DIMENSIONS, _DIMENSIONS) if wild else sizes())
    times = COUNTS if wild else st.integers(0, 2**40)
    frame = VideoFrame(
        draw(TEXTS) if source_id is None else source_id,
        draw(_RATES),
        wide,
        tall,
        draw(_CONTENTS),
        draw(st.sampled_from(list(VideoFrameTranscodingMethod))),
        draw(_CODECS),
        draw(st.none() | st.booleans()),
        draw(_RATES) if wild else (1, draw(st.sampled_from([1_000_000_000, 90_000, 1_000]))),
        draw(times),
        draw(st.none() | times),
        draw(st.none() | times),
    )
    frame.creation_timestamp_ns = draw(COUNTS)
    for attribute in draw(st.lists(attributes(), max_size=max_attributes)):
        frame.set_attribute(attribute)
    if wild:
        for step in draw(st.lists(_STEPS, max_size=3)):
            frame.add_transformation(step)
    near = rotated_boxes((wide, tall), min_count=1, max_count=1).map(_as_box)
    found = RBBOXES if wild else near
    for _ in range(draw(st.integers(0, max_objects))):
        _add_object(draw, frame, found, max_attributes)
    return frame


def _as_box(row: object) -> RBBox:
    ((x, y, width, height, angle),) = row.tolist()  # type: ignore[attr-defined]  # an array of one box
    return RBBox(x, y, width, height, None if angle != angle else angle)  # noqa: PLR0124  # NaN


def _add_object(draw: st.DrawFn, frame: VideoFrame, found: st.SearchStrategy[RBBox], max_attributes: int) -> None:
    ids = frame.get_all_objects().ids
    made = frame.create_object(
        draw(TEXTS),
        draw(TEXTS),
        draw(st.none() | st.sampled_from(ids)) if ids else None,
        draw(st.none() | st.floats(allow_nan=False)),
        draw(found),
        draw(st.none() | st.integers(-(2**63) + 1, 2**63 - 1)),
        draw(st.none() | found),
        draw(st.lists(attributes(), max_size=max_attributes)),
    )
    made.draw_label = draw(SOME_TEXT)
