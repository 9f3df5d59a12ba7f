"""What messages cost: a frame with its objects to bytes of the protocol and back.

python -m pytest bench/test_wire_codec.py --benchmark-only -o addopts=
"""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from picasso.primitives import AttributeValue, RBBox, VideoFrame, VideoFrameContent
from picasso.wire import decode_message, encode_message


def frame_of(count: int, *, attributes: bool = False) -> VideoFrame:
    """A JPEG beside the message; every object is tracked, as behind a detector and a tracker."""
    content = VideoFrameContent.external("zeromq")
    frame = VideoFrame("cam-1", "30/1", 1280, 720, content, codec="jpeg", keyframe=True, time_base=(1, 10**9))
    for number in range(count):
        box = RBBox(400 + number % 50, 300, 200, 100)
        found = frame.create_object("detector", "person", None, 0.87, box, number, box)
        if attributes:
            found.set_persistent_attribute("color", "body", values=[AttributeValue.string("red", 0.9)])
    return frame


@pytest.mark.benchmark(group="a frame to bytes and back")
@pytest.mark.parametrize("count", [0, 10, 1000])
def test_there_and_back(benchmark: BenchmarkFixture, count: int) -> None:
    message = frame_of(count).to_message()
    back = benchmark(lambda: decode_message(encode_message(message)))
    assert back.content.object_count == count


@pytest.mark.benchmark(group="a frame to bytes and back")
def test_there_and_back_with_attributes(benchmark: BenchmarkFixture) -> None:
    message = frame_of(10, attributes=True).to_message()
    back = benchmark(lambda: decode_message(encode_message(message)))
    assert back.content.get_object(9).has_attribute("color", "body")


@pytest.mark.benchmark(group="a frame to bytes")
@pytest.mark.parametrize("count", [10, 1000])
def test_to_bytes(benchmark: BenchmarkFixture, count: int) -> None:
    message = frame_of(count).to_message()
    benchmark(lambda: encode_message(message))


@pytest.mark.benchmark(group="bytes to a frame")
@pytest.mark.parametrize("count", [10, 1000])
def test_from_bytes(benchmark: BenchmarkFixture, count: int) -> None:
    data = encode_message(frame_of(count).to_message())
    benchmark(lambda: decode_message(data))
