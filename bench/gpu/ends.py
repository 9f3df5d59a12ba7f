"""Measure the two ends of the GPU's way: JPEG by nvJPEG beside libjpeg-turbo, and what ``VideoReader`` gives by NVDEC.

    python bench/gpu/ends.py

Milliseconds a call, medians of 50 after 10; frames a second of one reader that no one hinders. The picture is waves
with noise, the clip 120 frames of moving noise in H.264.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import av
import numpy as np

from picasso.encode import Codec, EncoderConfig, open_encoder
from picasso.media import VideoReader
from picasso.surface import MemType, SurfaceView
from picasso.surface.cuda_memory import Uploader, open_device
from picasso_kernels.cuda.driver import Stream

WIDTH, HEIGHT, CALLS, WARM, FRAMES = 1280, 720, 50, 10, 120


def waves(like: SurfaceView) -> SurfaceView:
    """Fill the planes of an I420 surface."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    noise = np.random.default_rng(0).integers(0, 24, (HEIGHT, WIDTH))
    like.planes[0][...] = 127 + 60 * np.sin(x / 20) * np.cos(y / 31) + noise
    like.planes[1][...], like.planes[2][...] = 120, 140
    return like


def measure_jpeg(memory: MemType, stream: Stream) -> None:
    """Time one encoder over one picture, where it reads it."""
    encoder = open_encoder(EncoderConfig(Codec.JPEG, WIDTH, HEIGHT).mem_type(memory))
    picture = waves(SurfaceView.allocate(encoder.input_format, (WIDTH, HEIGHT), encoder.color))
    if memory is MemType.CUDA_DEVICE:
        picture = Uploader(stream).upload(picture)
        stream.wait()
    times = []
    for number in range(CALLS + WARM):
        started = time.perf_counter()
        (unit,) = encoder.encode(picture, number, None)
        times.append(time.perf_counter() - started)
    encoder.close()
    ms = statistics.median(times[WARM:]) * 1e3
    print(f"JPEG {WIDTH}x{HEIGHT} {encoder.name:16s} {ms:8.3f} ms, {len(unit.data)} bytes")


def write_clip(path: Path) -> Path:
    """Write 1080p."""
    noise = np.random.default_rng(0).integers(0, 255, (1620, 1920), np.uint8) // 8 + 100
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        for number in range(FRAMES):
            block = np.ascontiguousarray(np.roll(noise, number, 1))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(block, "yuv420p")))
        container.mux(stream.encode(None))
    return path


def main() -> None:
    """Measure and print."""
    stream = Stream(open_device(0))
    for memory in (MemType.CUDA_DEVICE, MemType.SYSTEM):
        measure_jpeg(memory, stream)
    with tempfile.TemporaryDirectory() as folder:
        clip = write_clip(Path(folder) / "clip.mp4")
        bits = clip.stat().st_size * 8 / FRAMES * 25 / 1e6
        for form in ("native", "rgba"):
            with VideoReader(clip, device="cuda", pixel_format=form) as reader:
                started = time.perf_counter()
                count = sum(1 for _ in reader.frames())
                rate = count / (time.perf_counter() - started)
                print(f"reader 1080p {form:6s} on {reader.device}, {bits:.0f} Mbit/s at 25 fps: {rate:.1f} frames/s")


if __name__ == "__main__":
    main()
