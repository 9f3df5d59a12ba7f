"""Measure every filter between common formats in shapes that users have: the worst is shown beside the best.

    python bench/gpu/shapes.py [folder [word ...]]

Writes gpu_shapes.json and images/gpu_shapes.png into docs, or folder; with words only rows that have all of them, such
as ``NV12 area``.

Two figures a shape: 32 frames in one launch, and 16 frames one launch each, both as microseconds a frame, medians of 20
with a cold L2. Shares are those of ``bench.py``: the floor in bytes and in sectors of 32 bytes at the copy rate of this
run. No launch takes less than ``start``, that of 32 pictures of 2x2 pixels: small pictures are measured against both.
Kernels are compiled before, on all cores. A shape that fails is named, and the rest goes on.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from clock import Stopwatch, Work
from peers import attempt, find_peers
from shape_cases import NUMBERS, SHAPES, Layout, Shape, kernel_of, layouts, list_kernels, rows_with
from shape_report import Cell, extremes, show, write_report
from workloads import FRAMES, Pictures, Workload, floors

from picasso.surface import ColorSpace, SurfaceView, VideoFormat
from picasso.surface.cuda import DevicePlane
from picasso.surface.cuda_memory import DeviceBlock
from picasso.surface.tensor import allocate_tensor
from picasso.transform import Interpolation, Placement
from picasso.transform.cuda import CudaTransformer, Job
from picasso.transform.tensor import Normalization
from picasso_kernels.cuda.driver import Stream, check, copy_to_device, driver

ALONE = 16
"""Frames that are launched one by one."""


def compile_one(work: tuple[str, bool, tuple[int, int]]) -> str:
    """Build a kernel in a process of its own, or find it on disk; return what went wrong."""
    from picasso_kernels.cuda.cubin import load_cubin

    name, batched, capability = work
    try:
        load_cubin(name, capability, batched=batched)
    except Exception as error:  # noqa: BLE001  # the others are still built
        return f"{name} does not compile: {str(error).splitlines()[0]}"
    return ""


def compile_all(names: list[str], capability: tuple[int, int]) -> None:
    """Build kernels on all cores."""
    work = [(name, batched, capability) for name in names for batched in (True, False)]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for fault in pool.map(compile_one, work):
            if fault:
                print(fault, flush=True)


class Memory:
    """Random bytes on a GPU, which pictures of any layout are views of."""

    def __init__(self, size: int, stream: Stream) -> None:
        stream.device.make_current()
        self.stream, self.size = stream, size
        self._block = DeviceBlock(size, stream)
        part = np.random.default_rng(0).integers(0, 256, min(size, 1 << 25), np.uint8)
        copy_to_device(self._block.address, part.ctypes.data, part.nbytes, stream)
        done = part.nbytes
        while done < size:
            more = min(done, size - done)
            copied = driver.cuMemcpyDtoDAsync(self._block.address + done, self._block.address, more, stream.handle)
            check(copied, "cuMemcpyDtoDAsync")
            done += more
        stream.wait()

    def views(self, layout: Layout, count: int = FRAMES) -> list[SurfaceView]:
        """Return pictures one behind the other."""
        if layout.size * count > self.size:
            raise ValueError(f"{count} pictures of {layout.size} bytes do not fit into {self.size}")
        return [self._view(layout, self._block.address + index * layout.size) for index in range(count)]

    def _view(self, layout: Layout, at: int) -> SurfaceView:
        planes = tuple(
            DevicePlane(at + offset, shape, strides, False, None, self._block)
            for offset, shape, strides in layout.planes
        )
        color = None if layout.format.channels else ColorSpace.for_height(layout.size_wh[1])
        own: dict[str, Any] = {"cuda_stream": self.stream.address}
        return SurfaceView(planes, layout.format, layout.size_wh, color, **own)


class Works:
    """What puts the cells of the sweep on a GPU, over memory that they share."""

    def __init__(self) -> None:
        self.gpu = CudaTransformer()
        self.sources = Memory(FRAMES * 3840 * 2160 * 4, self.gpu.stream)
        self.targets = Memory(FRAMES * 1920 * 1080 * 4, self.gpu.stream)

    def of(self, shape: Shape, source: str, target: str, how: Interpolation) -> tuple[Work, Work]:
        """Return what launches all frames of a cell at once, and what launches ``ALONE`` of them one by one."""
        read, written = layouts(shape, source, target)
        place, views = shape.placement, self.sources.views(read)
        if isinstance(written, str):
            return self._planes_of(views, place, written, how)
        targets = [self.gpu.bind(view) for view in self.targets.views(written)]
        jobs = [Job(view, place, into) for view, into in zip(views, targets, strict=True)]

        def alone() -> None:
            for view, _, into in jobs[:ALONE]:
                self.gpu.transform(view, place, into, how)

        return lambda: self.gpu.transform_batch(jobs, how), alone

    def _planes_of(
        self, views: list[SurfaceView], place: Placement, dtype: str, how: Interpolation
    ) -> tuple[Work, Work]:
        width, height = place.target_wh
        tensor = allocate_tensor((FRAMES, 3, height, width), dtype, self.gpu.stream)
        ones = [allocate_tensor((1, 3, height, width), dtype, self.gpu.stream) for _ in range(ALONE)]

        def batch() -> None:
            self.gpu.to_tensor(views, place, Normalization(), out=tensor, dtype=dtype, interpolation=how)

        def alone() -> None:
            for view, out in zip(views[:ALONE], ones, strict=True):
                self.gpu.to_tensor([view], place, Normalization(), out=out, dtype=dtype, interpolation=how)

        return batch, alone


class Sweep:
    """One run over all cells."""

    def __init__(self, words: list[str]) -> None:
        self.rows = rows_with(words)
        self.works = Works()
        self.gpu = self.works.gpu
        self.watch = Stopwatch(self.gpu.stream)
        self.rate = self.watch.copy_rate()
        self.start_us = self.measure_start()
        self.cells: list[Cell] = []

    def measure_start(self) -> float:
        """Return the time of a launch that has next to nothing to do, a frame."""
        shape = Shape("2x2", Placement.identity((2, 2)))
        batch, _ = self.works.of(shape, "RGBA", "RGBA", Interpolation.BILINEAR)
        return self.watch.gpu_us(batch) / FRAMES

    def measure(self, shape: Shape, source: str, target: str, how: Interpolation) -> Cell:
        """Time one cell."""
        cell = Cell(
            shape.name, source, target, how.name.lower(), kernel_of(shape, *layouts(shape, source, target), how)
        )
        batch, alone = self.works.of(shape, source, target, how)
        width, height = shape.placement.target_wh
        pixel = 3 * NUMBERS[target] if target in NUMBERS else VideoFormat[target].channels or 1.5
        cell.us, cell.alone_us = self.watch.gpu_us(batch) / FRAMES, self.watch.gpu_us(alone) / ALONE
        least, sectors = floors(VideoFormat[source], Workload(shape.name, shape.placement, how), width * height * pixel)
        cell.floor_bytes_us, cell.floor_sectors_us = least / self.rate, sectors / self.rate
        cell.start_us = self.start_us
        return cell

    def measure_all(self) -> None:
        """Time all cells; a line a row."""
        for source, target, how in self.rows:
            row = []
            for shape in SHAPES:
                try:
                    row.append(self.measure(shape, source, target, how))
                except Exception as error:  # noqa: BLE001  # a shape that fails hides no other
                    print(f"{source} to {target}, {how.name.lower()}, {shape.name}: {type(error).__name__}: {error}")
            shares = " ".join(f"{cell.share:.2f}" for cell in row)
            print(f"{source:4s} {target:7s} {how.name.lower():8s} {shares}", flush=True)
            self.cells += row

    def measure_peers(self) -> None:
        """Time other libraries on the best and the worst shape of RGBA, where they have the filter and take no crop."""
        peers = find_peers(self.watch)
        for cell in extremes(self.cells):
            shape = next(shape for shape in SHAPES if shape.name == cell.shape)
            whole = shape.placement.crop_ltwh[2:] == shape.placement.source_wh and shape.row_unit == 64
            if cell.source != "RGBA" or cell.filter == "nearest" or not whole:
                continue
            pictures = Pictures(VideoFormat.RGBA, shape.placement.source_wh, self.gpu.stream)
            work = Workload(cell.shape, shape.placement, Interpolation[cell.filter.upper()])
            for peer in peers:
                us = attempt(
                    peer, lambda peer=peer, work=work, own=pictures, to=cell.target: peer.picture_us(work, own, to)
                )
                if us:
                    cell.peers_us[peer.name] = us


def main(folder: Path, words: list[str]) -> None:
    """Compile, measure, write."""
    from picasso_kernels.cuda import libcuda

    started = time.perf_counter()
    cuda = libcuda.open_driver()
    device = libcuda.device_at(cuda, 0)
    assert device is not None
    compile_all([*list_kernels(words), "words_copied_to_pixels"], libcuda.compute_capability_of(cuda, device))
    compiled = time.perf_counter()
    sweep = Sweep(words)
    print(f"{sweep.gpu.device.name}, copy rate {sweep.rate / 1000:.0f} GB/s, start {sweep.start_us * FRAMES:.2f} us")
    sweep.measure_all()
    measured = time.perf_counter()
    sweep.measure_peers()
    report: dict[str, Any] = {"device": sweep.gpu.device.name, "copy_gb_s": sweep.rate / 1000}
    write_report(report, sweep.cells, folder / "gpu_shapes.json")
    show(sweep.cells, folder)
    seconds = (compiled - started, measured - compiled, time.perf_counter() - measured)
    print("seconds: {:.1f} to compile, {:.1f} to measure, {:.1f} for the others and the picture".format(*seconds))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"), sys.argv[2:])
