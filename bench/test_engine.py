"""What the engine itself costs: a frame's way with the encoder taken out.

python -m pytest bench/test_engine.py --benchmark-only -o addopts=

One frame is in flight, to an encoder that only remembers. From the frame's total time the native work is taken off:
transform, drawing and encoding, as ``engine.stats()`` has them. Drop and bypass are in ``test_reference.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from picasso.draw import BoundingBoxDraw, ColorDraw, ObjectDraw, ObjectDrawSpec
from picasso.encode import Codec, EncoderConfig
from picasso.engine import Callbacks, CodecSpec, GeneralSpec, OutputMessage, PicassoEngine, SourceSpec, Step
from picasso.primitives import VideoFrame
from picasso.testing import MemoryEncoders
from picasso.transform import TransformConfig

PIXELS = np.zeros((1080, 1920, 4), np.uint8)


def frame_of(source_id: str, pts: int = 0, boxes: int = 20) -> VideoFrame:
    """Make a 1080p frame with boxes of 80 x 60 pixels."""
    corners = np.random.default_rng(pts).uniform((0, 0), (1840, 1020), (boxes, 2))
    frame = VideoFrame(source_id, "30/1", 1920, 1080, time_base=(1, 1_000_000_000), pts=pts)
    frame.add_detections("bench", np.hstack([corners, corners + np.array((80, 60))]), "car")
    return frame


def drawn_cars() -> ObjectDrawSpec:
    draw = ObjectDrawSpec()
    draw.insert("bench", "car", ObjectDraw(BoundingBoxDraw(ColorDraw(255, 60, 60))))
    return draw


@pytest.mark.parametrize(
    ("boxes", "draw"), [(0, None), (20, None), (20, drawn_cars())], ids=["no boxes", "20 boxes", "20 boxes drawn"]
)
def test_one_frame_in_flight(benchmark: BenchmarkFixture, boxes: int, draw: ObjectDrawSpec | None) -> None:
    """From ``send_frame`` to the end of the callback, 1080p to 720p."""
    delivered: SimpleQueue[OutputMessage] = SimpleQueue()
    codec = CodecSpec.encode(TransformConfig(), EncoderConfig(Codec.RAW_RGBA, 1280, 720))
    frames = iter([frame_of("camera-0", pts, boxes) for pts in range(600)])
    with PicassoEngine(
        GeneralSpec(), Callbacks(on_encoded_frame=delivered.put), encoder_factory=MemoryEncoders()
    ) as engine:
        engine.set_source_spec("camera-0", SourceSpec(codec=codec, draw=draw))
        send: Callable[..., None] = engine.send_frame

        def there_and_back() -> None:
            send("camera-0", next(frames), PIXELS)
            delivered.get()

        benchmark.pedantic(there_and_back, rounds=500, warmup_rounds=50)
        latency = engine.stats().sources["camera-0"].latency
    native_ns = sum(latency[step].p50_ns for step in (Step.TRANSFORM, Step.DRAW, Step.ENCODE))
    benchmark.extra_info["overhead_us"] = round((latency[Step.TOTAL].p50_ns - native_ns) / 1000)
    benchmark.extra_info["hand_over_us"] = round(latency[Step.QUEUE].p50_ns / 1000)
