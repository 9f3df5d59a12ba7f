"""Measure every kind of transform on this GPU against what its memory allows, and against torch and CV-CUDA.

    python bench/gpu/bench.py [folder]

Prints a table and writes ``gpu.json`` and, where matplotlib is installed, ``gpu.png`` into ``folder``. Figures are
microseconds of GPU time a frame, medians of 20, 32 frames of different memory a launch: several times the L2.

Two floors, both at the copy rate measured here. *bytes*: each source byte that a bilinear sample needs read once, each
target byte written once. *sectors*: the same, but memory moves in sectors of 32 bytes, and shrinking by more than that
leaves bytes in each sector that nobody asked for.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "cuda"))
from engine_run import drawing, make_frame, run_engine

from picasso.draw import Scene
from picasso.draw.cuda import CudaPainter
from picasso.surface import SurfaceView, VideoFormat
from picasso.surface.cuda_memory import Uploader, allocate_on_device
from picasso.surface.planes import byte_size
from picasso.transform import Placement
from picasso.transform.cuda import CudaTransformer, Job
from picasso_kernels.cuda_driver import Event, check, driver

FRAMES, REPEATS = 32, 20
WORK = {
    "1080p to 720p": ((1920, 1080), (1280, 720)),
    "1440x1080 to 720p": ((1440, 1080), (1280, 720)),
    "4K to 1080p": ((3840, 2160), (1920, 1080)),
    "4K to 640x640": ((3840, 2160), (640, 640)),
    "1080p to 1080p": ((1920, 1080), (1920, 1080)),
}
PAIRS = [("RGBA", "NV12"), ("RGBA", "RGBA"), ("NV12", "NV12"), ("NV12", "RGBA"), ("RGB", "NV12")]


@dataclass
class Figure:
    """One measurement."""

    work: str
    source: str
    target: str
    us: float
    floor_bytes_us: float
    floor_sectors_us: float

    @property
    def row(self) -> str:
        """A line of the table."""
        shares = f"{self.floor_bytes_us / self.us:5.2f} {self.floor_sectors_us / self.us:5.2f}"
        return f"{self.work:18s} {self.source:5s} {self.target:5s} {self.us:7.2f} {shares}"


class Stopwatch:
    """Times GPU work that the host has put on a stream while a long copy kept the GPU busy."""

    def __init__(self, transformer: CudaTransformer) -> None:
        self.stream = transformer.stream
        self.size = 1 << 30
        self.memory = [transformer.device.allocate(self.size, self.stream) for _ in range(2)]
        self.start, self.end = (Event(transformer.device, timed=True) for _ in range(2))

    def copy(self) -> None:
        """Copy a gigabyte."""
        check(driver.cuMemcpyDtoDAsync(*self.memory, self.size, self.stream.handle), "cuMemcpyDtoDAsync")

    def us(self, work: Callable[[], object]) -> float:
        """Return the median time of ``work`` in microseconds."""
        times = []
        for _ in range(REPEATS + 3):
            self.copy()
            self.start.record(self.stream)
            work()
            self.end.record(self.stream)
            self.end.wait()
            times.append(self.end.milliseconds_since(self.start) * 1000)
        return statistics.median(times[3:])

    def copy_rate(self) -> float:
        """Return bytes read and written a microsecond."""
        return 2 * self.size / self.us(self.copy)


def random_frames(form: VideoFormat, size_wh: tuple[int, int], gpu: CudaTransformer) -> list[SurfaceView]:
    """Return frames of random bytes, each in memory of its own."""
    host = SurfaceView.allocate(form, size_wh)
    generator = np.random.default_rng(0)
    for plane in host.planes:
        plane[...] = generator.integers(0, 256, plane.shape, np.uint8)
    uploader = Uploader(gpu.stream)
    return [uploader.upload(host) for _ in range(FRAMES)]


def floors(source: VideoFormat, target: VideoFormat, placement: Placement) -> tuple[float, float]:
    """Return the bytes and the bytes of sectors that one frame moves."""
    written = byte_size(target, placement.target_wh)
    whole = byte_size(source, placement.source_wh)
    across, down = (min(1.0, 2 * scale) for scale in placement.scale_xy)
    pixel = source.channels or 1
    touched = min(1.0, across * 32 / (2 * pixel))
    return written + whole * across * down, written + whole * touched * down


def measure_transforms(gpu: CudaTransformer, watch: Stopwatch) -> list[Figure]:
    """Time every pair of formats on every workload."""
    rate = watch.copy_rate()
    print(f"copy rate {rate / 1000:.0f} GB/s; us a frame, share of the floor in bytes, in sectors")
    figures = []
    for name, (source_wh, target_wh) in WORK.items():
        placement = Placement.compute(source_wh, target_wh)
        for source_name, target_name in PAIRS:
            source, target = VideoFormat[source_name], VideoFormat[target_name]
            targets = [allocate_on_device(target, target_wh, gpu.stream) for _ in range(FRAMES)]
            sources = random_frames(source, source_wh, gpu)
            jobs = [Job(a, placement, b) for a, b in zip(sources, targets, strict=True)]
            us = watch.us(lambda jobs=jobs: gpu.transform_batch(jobs)) / FRAMES
            least, sectors = floors(source, target, placement)
            figures.append(Figure(name, source_name, target_name, us, least / rate, sectors / rate))
            print(figures[-1].row, flush=True)
    return figures


def host_us(work: Callable[[], object], gpu: CudaTransformer) -> float:
    """Return the host's time for a call that puts work on a stream, in microseconds."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        for _ in range(40):
            work()
        times.append((time.perf_counter() - started) / 40 * 1e6)
        gpu.wait()
    return statistics.median(times)


def measure_calls(gpu: CudaTransformer, watch: Stopwatch) -> dict[str, float]:
    """Time one frame's launch on the host, and the painting of 20 labelled boxes."""
    placement = Placement.compute((1440, 1080), (1280, 720))
    source = random_frames(VideoFormat.RGBA, (1440, 1080), gpu)[0]
    target = allocate_on_device(VideoFormat.NV12, (1280, 720), gpu.stream)
    scene, painter = Scene(), CudaPainter(gpu.stream)
    scene.set_specs(drawing())
    listed = scene.build(make_frame("bench", 0, 20, (1280, 720)), {}, (1280, 720))
    results = {
        "launch of one frame, host us": host_us(lambda: gpu.transform(source, placement, target), gpu),
        "20 labelled boxes on 720p NV12, host us": host_us(lambda: painter.paint(target, listed), gpu),
        "20 labelled boxes on 720p NV12, GPU us with the list's copy": watch.us(lambda: painter.paint(target, listed)),
    }
    for sources, boxes in ((1, 20), (16, 20), (16, 0)):
        run = run_engine(sources, 300, boxes, warm=50)
        results[f"engine, {sources} sources, {boxes} boxes, frames/s"] = sources * 300 / run.seconds
    return results


def measure_torch() -> dict[str, float]:
    """Time torch's resize of the same frames, where torch is installed."""
    try:
        import torch
    except ImportError:
        return {}
    results = {}
    for name, (source_wh, target_wh) in WORK.items():
        frames = torch.rand((FRAMES, 4, *source_wh[::-1]), device="cuda").half()
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        times = []
        for _ in range(REPEATS):
            start.record()
            torch.nn.functional.interpolate(frames, size=target_wh[::-1], mode="bilinear")
            end.record()
            end.synchronize()
            times.append(start.elapsed_time(end) * 1000 / FRAMES)
        results[f"torch interpolate, float16, {name}"] = statistics.median(times)
        del frames
    return results


def plot(figures: list[Figure], path: Path) -> None:
    """Draw the share of the floor in sectors."""
    from matplotlib import pyplot

    shown = [figure for figure in figures if figure.source == "RGBA"]
    names = [f"{figure.work}\n{figure.target}" for figure in shown]
    _, axes = pyplot.subplots(figsize=(10, 4))
    axes.bar(names, [figure.floor_sectors_us / figure.us for figure in shown])
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set_ylabel("share of the copy rate")
    axes.tick_params(axis="x", labelrotation=60)
    pyplot.tight_layout()
    pyplot.savefig(path, dpi=110)


def main(folder: Path) -> None:
    """Measure and write."""
    gpu = CudaTransformer()
    watch = Stopwatch(gpu)
    figures = measure_transforms(gpu, watch)
    calls: dict[str, Any] = {**measure_calls(gpu, watch), **measure_torch()}
    for name, value in calls.items():
        print(f"{name:64s} {value:10.2f}")
    report = {"device": gpu.device.name, "transforms": [asdict(figure) for figure in figures], "calls": calls}
    (folder / "gpu.json").write_text(json.dumps(report, indent=1) + "\n")
    try:
        plot(figures, folder / "gpu.png")
    except ImportError:
        print("no plot: matplotlib is not installed")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
