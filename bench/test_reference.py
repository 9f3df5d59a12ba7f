"""Two workloads of the reference: a pipeline that draws with Skia, and the latency of HEVC, one frame at a time.

python -m pytest bench/test_reference.py --benchmark-only -o addopts=

The other two, frames dropped and bypassed, are in ``test_engine.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from queue import SimpleQueue

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from picasso.draw import (
    BoundingBoxDraw,
    ColorDraw,
    DotDraw,
    LabelDraw,
    LabelPosition,
    ObjectDraw,
    ObjectDrawSpec,
    PaddingDraw,
    current_canvas,
)
from picasso.encode import Codec, EncoderConfig, EncoderProperties, H264DgpuProps, HevcDgpuProps
from picasso.engine import Callbacks, CodecSpec, GeneralSpec, OutputMessage, PicassoEngine, SourceSpec
from picasso.primitives import VideoFrame
from picasso.transform import TransformConfig

PERIOD_NS = 33_333_333
SOURCES = ("camera-0", "camera-1", "camera-2", "camera-3")
FRAMES = 50
WARM_UP = 10


def look(color: ColorDraw, scale: float) -> ObjectDraw:
    fill = ColorDraw(color.red, color.green, color.blue, 50)
    box = BoundingBoxDraw(color, fill, thickness=2, padding=PaddingDraw())
    position, lines = LabelPosition(margin_y=0), ["{label} {confidence}"]
    label = LabelDraw(ColorDraw(0, 0, 0), color, font_scale=scale, position=position, format=lines)
    return ObjectDraw(box, DotDraw(color, 4), label)


def draw_spec(scale: float = 1.4) -> ObjectDrawSpec:
    table = ObjectDrawSpec()
    table.insert("bench", "car", look(ColorDraw(255, 80, 80), scale))
    return table


def frames(source_id: str, size_wh: tuple[int, int], boxes: int) -> Iterator[VideoFrame]:
    """Make frames with boxes of 60x40 pixels at places that only their number decides."""
    width, height = size_wh
    index = np.arange(boxes)
    corner = np.stack([50 + 37 * index % (width - 100), 50 + 23 * index % (height - 100)], 1).astype(np.float32)
    corners, confidences = np.hstack([corner, corner + np.array([60, 40])]).astype(np.float32), np.full(boxes, 0.9)
    for number in count():
        frame = VideoFrame(source_id, "30/1", *size_wh, pts=number * PERIOD_NS, time_base=(1, 1_000_000_000))
        if boxes:
            frame.add_detections("bench", corners, "car", confidences=confidences)
        yield frame


def decorate(_source_id: str, _fbo_id: int, width: int, height: int, _frame: VideoFrame) -> None:
    """Draw a gradient, a legend at the side and a footer."""
    import skia

    canvas = current_canvas()
    ends = [skia.Point(0, 0), skia.Point(0, 80)]
    shader = skia.GradientShader.MakeLinear(ends, [skia.Color(0, 0, 0, 160), skia.Color(0, 0, 0, 0)])
    canvas.drawRect(skia.Rect.MakeWH(width, 80), skia.Paint(Shader=shader))
    canvas.drawRect(skia.Rect.MakeXYWH(width - 220, 90, 210, 240), skia.Paint(Color=skia.Color(0, 0, 0, 140)))
    font, ink = skia.Font(None, 16), skia.Paint(Color=skia.ColorWHITE, AntiAlias=True)
    for line in range(8):
        canvas.drawString(f"class {line}", width - 200, 120 + 26 * line, font, ink)
    canvas.drawRect(skia.Rect.MakeXYWH(0, height - 30, width, 30), skia.Paint(Color=skia.Color(20, 20, 20, 200)))
    canvas.drawString("picasso", 12, height - 10, font, ink)


@pytest.mark.benchmark(group="skia pipeline: 4 sources of 720p, 20 boxes, on_render, H.264")
def test_skia_pipeline(benchmark: BenchmarkFixture) -> None:
    size_wh = (1280, 720)
    pixels = np.random.default_rng(0).integers(0, 255, (720, 1280, 4), np.uint8)
    properties = EncoderProperties(H264DgpuProps(bitrate=4_000_000, iframeinterval=30))
    codec = CodecSpec.encode(TransformConfig(), EncoderConfig(Codec.H264, *size_wh).properties(properties))
    done: SimpleQueue[OutputMessage] = SimpleQueue()
    streams = {source_id: frames(source_id, size_wh, 20) for source_id in SOURCES}
    with PicassoEngine(GeneralSpec(), Callbacks(on_encoded_frame=done.put, on_render=decorate)) as engine:
        for source_id in SOURCES:
            engine.set_source_spec(source_id, SourceSpec(codec, draw=draw_spec(1), use_on_render=True))

        def run(number: int = FRAMES) -> None:
            for _ in range(number):
                for source_id, stream in streams.items():
                    engine.send_frame(source_id, next(stream), pixels)
            for _ in range(number * len(SOURCES)):
                done.get()

        run(WARM_UP)
        benchmark.pedantic(run, rounds=3)
    if benchmark.stats is not None:
        benchmark.extra_info["frames_per_s"] = round(FRAMES * len(SOURCES) / benchmark.stats["min"], 1)


@pytest.mark.benchmark(group="HEVC of 1080p, one frame in flight: send to callback")
@pytest.mark.parametrize("boxes", [0, 10, 20, 50, 100, 200])
def test_synchronous_hevc(benchmark: BenchmarkFixture, boxes: int) -> None:
    size_wh = (1920, 1080)
    pixels = np.full((1080, 1920, 4), 90, np.uint8)
    properties = EncoderProperties(HevcDgpuProps())
    codec = CodecSpec.encode(TransformConfig(), EncoderConfig(Codec.HEVC, *size_wh).properties(properties))
    done: SimpleQueue[OutputMessage] = SimpleQueue()
    stream = frames("camera", size_wh, boxes)
    with PicassoEngine(GeneralSpec(), Callbacks(on_encoded_frame=done.put)) as engine:
        engine.set_source_spec("camera", SourceSpec(codec, draw=draw_spec() if boxes else ObjectDrawSpec()))

        def there_and_back() -> None:
            engine.send_frame("camera", next(stream), pixels)
            done.get()

        benchmark.pedantic(there_and_back, rounds=50, warmup_rounds=5)
