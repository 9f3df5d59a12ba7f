"""Measure the kernels on this GPU against what its memory allows, and against CV-CUDA, torch and DALI in the same run.

    python bench/gpu/bench.py [folder]

Prints tables and writes ``gpu.json`` and, where matplotlib is installed, ``gpu.png`` into ``folder``. Figures are
microseconds a frame, medians of 20, 32 frames of different memory at once: several times the L2. All libraries read
the same memory.

Two floors, both at the copy rate measured here. *bytes*: each source byte that a sample needs read once, each target
byte written once. *sectors*: the same, but memory moves in sectors of 32 bytes, and shrinking by more than 4 leaves
bytes in each sector that no one asked for.
"""

from __future__ import annotations

import itertools
import json
import math
import statistics
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "cuda"))
from clock import Stopwatch, kernel_us
from engine_run import drawing, make_frame, run_engine, run_on_one_processor
from peers import REMARKS, attempt, find_peers
from workloads import DETECTOR, FRAMES, PICTURES, Figure, Pictures, Workload, floors, upload_frames

from picasso.draw import Scene
from picasso.draw.cuda import CudaPainter
from picasso.engine import warm_up
from picasso.surface import VideoFormat
from picasso.surface.cuda_memory import allocate_on_device
from picasso.surface.planes import byte_size
from picasso.surface.tensor import DTYPES, allocate_tensor
from picasso.transform import Placement
from picasso.transform.cuda import CudaTransformer, Job
from picasso.transform.tensor import Normalization


class Bench:
    """One run: a stream, a copy rate, the peers that are there, and what was measured."""

    def __init__(self) -> None:
        self.gpu = CudaTransformer()
        self.watch = Stopwatch(self.gpu.stream)
        self.rate = self.watch.copy_rate()
        self.peers = find_peers(self.watch)
        self.figures: list[Figure] = []
        self.calls: dict[str, float] = {}
        names = ", ".join(f"{peer.name} {peer.version} ({REMARKS[peer.name]})" for peer in self.peers)
        print(f"{self.gpu.device.name}, copy rate {self.rate / 1000:.0f} GB/s; beside {names or 'no one'}")
        print("us a frame, the kernel alone; share of the floor in bytes, in sectors; us of the others")

    def note(self, name: str, value: float | None) -> None:
        """Keep and print one number."""
        if value is not None:
            self.calls[name] = value
            print(f"{name:72s} {value:10.2f}", flush=True)

    def add(self, figure: Figure) -> None:
        """Keep and print one figure."""
        self.figures.append(figure)
        print(figure.row, flush=True)

    def measure_pictures(self, workload: Workload, source: VideoFormat) -> None:
        """Time one workload into every target that it has for a source."""
        placement, stream = workload.placement, self.gpu.stream
        together = source is VideoFormat.RGBA
        pictures = Pictures(source, placement.source_wh, stream) if together else None
        sources = pictures.views() if pictures else upload_frames(source, placement.source_wh, stream, workload.color)
        for name in (target for given, target in workload.pairs if given == source.name()):
            target = VideoFormat[name]
            targets = [allocate_on_device(target, placement.target_wh, stream) for _ in range(FRAMES)]
            jobs = [Job(a, placement, b) for a, b in zip(sources, targets, strict=True)]

            def batch(jobs: list[Job] = jobs) -> None:
                self.gpu.transform_batch(jobs, workload.interpolation)

            us = self.watch.gpu_us(batch) / FRAMES
            alone = kernel_us(batch, "_to_", self.gpu.device)
            least, sectors = floors(source, workload, byte_size(target, placement.target_wh))
            figure = Figure(workload.name, source.name(), name, us, least / self.rate, sectors / self.rate)
            figure.kernel_us = alone / FRAMES if alone else None
            for peer in self.peers if pictures else ():
                peer_us = attempt(peer, lambda peer=peer, name=name: peer.picture_us(workload, pictures, name))
                if peer_us:
                    figure.peers_us[peer.name] = peer_us
            self.add(figure)

    def measure_planes(self) -> None:
        """Time planes of numbers, of 4 bytes a pixel, and of the 3 that the others read."""
        (width, height), stream = DETECTOR.placement.target_wh, self.gpu.stream
        kinds = (VideoFormat.RGBA, VideoFormat.RGB, VideoFormat.NV12)
        for source, dtype in ((s, d) for d in DTYPES for s in kinds):
            packed = source is not VideoFormat.NV12
            pictures = Pictures(source, DETECTOR.placement.source_wh, stream) if packed else None
            views = pictures.views() if pictures else upload_frames(source, DETECTOR.placement.source_wh, stream)
            tensor = allocate_tensor((FRAMES, 3, height, width), dtype, stream)

            def batch(views: Any = views, tensor: Any = tensor, dtype: str = dtype) -> None:
                self.gpu.to_tensor(views, DETECTOR.placement, Normalization(), dtype=dtype, out=tensor)

            us, alone = self.watch.gpu_us(batch) / FRAMES, kernel_us(batch, "_to_", self.gpu.device)
            least, sectors = floors(source, DETECTOR, 3 * width * height * DTYPES[dtype])
            figure = Figure(DETECTOR.name, source.name(), dtype, us, least / self.rate, sectors / self.rate)
            figure.kernel_us = alone / FRAMES if alone else None
            for peer in self.peers if source is VideoFormat.RGB else ():
                peer_us = attempt(peer, lambda peer=peer, own=pictures, kind=dtype: peer.planes_us(own, kind))
                if peer_us:
                    figure.peers_us[peer.name] = peer_us
            self.add(figure)

    def measure_launch(self) -> None:
        """Time the host's part of one letterboxed NV12 picture, and of a batch."""
        workload = PICTURES[1]
        pictures = Pictures(VideoFormat.RGBA, workload.placement.source_wh, self.gpu.stream)
        sources = pictures.views()
        targets = [allocate_on_device(VideoFormat.NV12, workload.placement.target_wh, self.gpu.stream) for _ in sources]
        ours = self.watch.host_us(lambda: self.gpu.transform(sources[0], workload.placement, targets[0]))
        self.note("one letterboxed NV12 picture, host us", ours)
        bound = self.gpu.bind(targets[0])
        ours = self.watch.host_us(lambda: self.gpu.transform(sources[0], workload.placement, bound))
        self.note("the same, into a target that was bound, host us", ours)
        for peer in (peer for peer in self.peers if hasattr(peer, "launch_us")):
            theirs = attempt(peer, lambda peer=peer: peer.launch_us(workload, pictures))
            self.note(f"one letterboxed NV12 picture, {peer.name}, host us", theirs)
        others = upload_frames(VideoFormat.RGBA, workload.placement.source_wh, self.gpu.stream)
        binding = [self.gpu.bind(target) for target in targets]
        for name, into in (("", targets), (", into targets that were bound", binding)):
            jobs = [
                [Job(a, workload.placement, b) for a, b in zip(read, into, strict=True)] for read in (sources, others)
            ]
            turns = itertools.cycle(jobs)  # other memory each time, as with cameras
            ours = self.watch.host_us(lambda turns=turns: self.gpu.transform_batch(next(turns)))
            self.note(f"a batch of 32{name}, host us", ours)
        views = itertools.cycle([sources, others])
        placement = Placement.compute(workload.placement.source_wh, DETECTOR.placement.target_wh)
        ours = self.watch.host_us(lambda: self.gpu.to_tensor(next(views), placement))
        self.note("a tensor of 32, host us", ours)

    def measure_painting(self) -> None:
        """Time 20 labelled boxes on 720p."""
        scene, painter = Scene(), CudaPainter(self.gpu.stream)
        scene.set_specs(drawing())
        listed = scene.build(make_frame("bench", 0, 20, (1280, 720)), {}, (1280, 720))
        works: dict[str, Any] = {}
        for form in (VideoFormat.RGBA, VideoFormat.NV12):
            target = allocate_on_device(form, (1280, 720), self.gpu.stream)
            target.memset(90)

            def paint(target: Any = target) -> None:
                painter.paint(target, listed)

            name = f"20 labelled boxes on 720p {form.name()}"
            self.note(f"{name}, host us", self.watch.host_us(paint))
            self.note(f"{name}, with the list's copy, us", self.watch.gpu_us(paint))
            works[name] = paint
        for name, work in works.items():
            self.note(f"{name}, the kernel, us", kernel_us(work, "paint_", self.gpu.device))

    def measure_engine(self) -> None:
        """Time device frames through the engine, to an encoder that takes them and makes nothing."""
        warm_up()
        run_engine(2, 300, 20, warm=50)
        for sources, boxes in ((1, 20), (16, 20), (1, 0), (16, 0)):
            for where, run in (("", run_engine), (" on one processor", run_on_one_processor)):
                rates = [run(sources, 600, boxes, warm=50).rate() for _ in range(5)]
                name = f"engine{where}, {sources} sources, {boxes} boxes, frames/s, median of 5"
                self.note(name, statistics.median(rates))

    def report(self) -> dict[str, Any]:
        """Return all of it."""
        return {
            "device": self.gpu.device.name,
            "copy_gb_s": self.rate / 1000,
            "peers": {peer.name: f"{peer.version}: {REMARKS[peer.name]}" for peer in self.peers},
            "frames": [asdict(figure) for figure in self.figures],
            "calls": self.calls,
        }


def plot(figures: list[Figure], path: Path) -> None:
    """Draw the share of both floors, and how many times longer the others take."""
    from matplotlib import pyplot

    shown = [figure for figure in figures if figure.source == "RGBA" or figure.peers_us]
    places = range(len(shown))
    _, (above, below) = pyplot.subplots(2, 1, figsize=(10, 8), sharex=True)
    above.bar([place - 0.2 for place in places], [figure.floor_bytes_us / figure.us for figure in shown], 0.4)
    above.bar([place + 0.2 for place in places], [figure.floor_sectors_us / figure.us for figure in shown], 0.4)
    above.legend(["bytes", "sectors of 32 bytes"], loc="upper center", ncols=2)
    above.set_ylim(0, 1.25)
    above.axhline(1, color="black", linewidth=0.8)
    above.set_ylabel("share of the copy rate")
    names = sorted({name for figure in shown for name in figure.peers_us})
    for index, name in enumerate(names):
        shift = (index - (len(names) - 1) / 2) * 0.25
        times = [figure.peers_us.get(name, math.nan) / figure.us for figure in shown]
        below.bar([place + shift for place in places], times, 0.25, label=name)
    below.axhline(1, color="black", linewidth=0.8)
    below.set_yscale("log")
    below.set_ylabel("times picasso's time")
    below.legend(loc="upper center", ncols=3)
    below.set_ylim(0.5, 60)
    below.set_xticks(list(places), [f"{figure.work}\n{figure.source} to {figure.target}" for figure in shown])
    below.tick_params(axis="x", labelrotation=75)
    pyplot.tight_layout()
    pyplot.savefig(path, dpi=110)


def main(folder: Path) -> None:
    """Measure and write."""
    bench = Bench()
    bench.measure_launch()  # first, as torch's profiler makes every later launch slower
    bench.measure_engine()
    bench.measure_painting()
    for workload in PICTURES:
        for source in dict.fromkeys(VideoFormat[name] for name, _ in workload.pairs):
            bench.measure_pictures(workload, source)
    bench.measure_planes()
    (folder / "gpu.json").write_text(json.dumps(bench.report(), indent=1) + "\n")
    try:
        plot(bench.figures, folder / "gpu.png")
    except ImportError:
        print("no plot: matplotlib is not installed")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
