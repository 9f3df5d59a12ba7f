"""The frames of a source in a module: what enters total pixels and leaves again is where it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picasso.module.config import FrameConfig, Padding
from picasso.module.run.geometry import Geometry
from picasso.primitives import RBBox, VideoFrame

SIDES = st.integers(1, 8).map(lambda number: 16 * number)
PADS = st.integers(0, 2).map(lambda number: 8 * number)


@st.composite
def configs(draw: st.DrawFn) -> FrameConfig:
    padding = draw(st.none() | st.builds(Padding, PADS, PADS, PADS, PADS, st.booleans()))
    size = draw(st.none() | st.tuples(SIDES, SIDES))
    return FrameConfig(*(size or (None, None)), padding, 8)


@given(
    configs(),
    SIDES,
    SIDES,
    st.lists(
        st.tuples(*[st.floats(1, 200)] * 4, st.none() | st.floats(-180, 180).filter(lambda angle: abs(angle) > 0.5)),
        max_size=4,
    ),
)
def test_what_enters_and_leaves_is_where_it_was(
    config: FrameConfig, width: int, height: int, boxes: list[tuple[float, float, float, float, float | None]]
) -> None:
    geometry = Geometry.of((width, height), config)
    frame = VideoFrame("s", "30/1", width, height)
    for index, box in enumerate(boxes):
        rotated = RBBox(*box)
        frame.create_object("m", "o", detection_box=rotated, track_id=index, track_box=rotated)
    before = [(one.detection_box.copy(), one.track_box.copy()) for one in frame.get_all_objects() if one.track_box]
    geometry.enter(frame)
    assert (frame.width, frame.height) == geometry.total.target_wh
    geometry.leave(frame)
    assert (frame.width, frame.height) == (width, height)
    for one, pair in zip(frame.get_all_objects(), before, strict=True):
        for box, was in zip((one.detection_box, one.track_box), pair, strict=True):
            assert box is not None
            assert box.as_xcycwh() == pytest.approx(was.as_xcycwh(), rel=1e-3, abs=1e-2)


def test_a_turned_box_keeps_its_size_through_unequal_scales() -> None:
    geometry = Geometry.of((64, 48), FrameConfig(128, 48, None, 8))
    frame = VideoFrame("s", "30/1", 64, 48)
    one = frame.create_object("m", "o", detection_box=RBBox(32, 24, 12, 6, 30))
    geometry.enter(frame)
    assert one.detection_box.width == pytest.approx(21.63, abs=0.01)
    geometry.leave(frame)
    assert one.detection_box.as_xcycwh() == pytest.approx((32, 24, 12, 6), abs=1e-3)
