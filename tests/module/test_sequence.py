"""Frames past the encoder stand in their place between those that it takes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from picasso.module.run.sequence import Sequence
from picasso.primitives import VideoFrame


def frame(number: int) -> VideoFrame:
    return VideoFrame("s", "30/1", 16, 16, pts=number)


@given(st.lists(st.booleans(), max_size=30), st.data())
def test_the_order_holds_whenever_the_engine_delivers(goes_to_engine: list[bool], data: st.DataObject) -> None:
    came: list[int] = []
    sequence = Sequence(lambda one: came.append(one.pts))
    under_way: list[int] = []

    def deliver_one() -> None:
        came.append(under_way.pop(0))
        sequence.came_out()

    for number, to_engine in enumerate(goes_to_engine):
        if to_engine:
            sequence.sent()
            under_way.append(number)
        else:
            sequence.pass_on(frame(number))
        while under_way and data.draw(st.booleans()):
            deliver_one()
    while under_way:
        deliver_one()
    assert came == list(range(len(goes_to_engine)))
    assert sequence.waiting == 0
