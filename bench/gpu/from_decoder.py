"""Measure the GPU's work end to end: files decoded by NVDEC, and what picasso does with their frames behind it.

    python bench/gpu/from_decoder.py                                      all rows, 8 readers: a minute
    python bench/gpu/from_decoder.py --only pace engine --threads 1 16    readers beside the decoder alone; an engine

Needs PyNvVideoCodec. Clips of moving pictures are encoded first, see ``clips``. Each thread reads a file of its own and
works in batches of 16 frames; all of them run for a while, and what each did in its time is added up. *share*: frames a
second with the work behind it, over those of the reader alone, both of this run. *GPU us*: of the work on the last
batch, alone, a frame. The last batch of each thread is compared with what the CPU makes of the same decoded pixels, bit
for bit: a row whose bits differ is an error. A row that fails says so, and the others go on.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from clips import CLIPS, mbit_s, write_clips
from clock import Stopwatch
from through_engine import BOXES, run_engine, run_readers
from workloads import DETECTOR, PICTURES, Workload

from picasso.media import VideoReader
from picasso.surface import SurfaceView, VideoFormat
from picasso.surface.cuda_memory import allocate_on_device, download
from picasso.surface.tensor import DTYPES, allocate_tensor
from picasso.transform import Normalization
from picasso.transform.cpu import transform
from picasso.transform.cuda import CudaTransformer, Job
from picasso.transform.tensor import to_tensor

BATCH = 16
"""Frames a launch: half of what a decoder lends at once."""
OPENING = 3
"""Readers that are opened at once."""
TURNS = 5
"""Of readers and the decoder alone."""


class Task(Protocol):
    """What one thread does again and again."""

    def step(self) -> int:
        """Do some of it, and return of how many frames."""

    def finish(self) -> None:
        """Wait until the GPU has done it."""


class Pace(NamedTuple):
    """What a run gave."""

    rate: float
    """Frames a second of all threads."""
    cpu_us: float
    """Processor time of all threads a frame."""


def run(tasks: Sequence[Task], seconds: float) -> Pace:
    """Do tasks for a while, each on a thread of its own."""
    for task in tasks:
        task.step()
        task.finish()
    barrier = threading.Barrier(len(tasks))

    def work(task: Task) -> tuple[int, float]:
        barrier.wait(30)
        started, count = time.perf_counter(), 0
        while time.perf_counter() - started < seconds:
            count += task.step()
        task.finish()
        return count, count / (time.perf_counter() - started)

    with ThreadPoolExecutor(len(tasks)) as pool:
        before = time.process_time()
        done = list(pool.map(work, tasks))
        spent = time.process_time() - before
    return Pace(sum(rate for _, rate in done), spent / sum(count for count, _ in done) * 1e6)


class Reading:
    """A file read by ``VideoReader``, its frames dropped as they come."""

    def __init__(self, reader: VideoReader) -> None:
        self.frames = reader.frames()

    def step(self) -> int:
        """Read a batch."""
        count = sum(1 for _ in islice(self.frames, BATCH))
        return _all(count)

    def finish(self) -> None:
        """Nothing is under way."""


def _all(count: int) -> int:
    if count < BATCH:
        raise RuntimeError("the clip is too short for this run")
    return count


class Decoding:
    """A file decoded by PyNvVideoCodec without picasso, as its samples do."""

    def __init__(self, path: Path, gpu_id: int = 0) -> None:
        import PyNvVideoCodec

        demuxer = PyNvVideoCodec.CreateDemuxer(str(path))
        self.decoder = PyNvVideoCodec.CreateDecoder(gpuid=gpu_id, codec=demuxer.GetNvCodecId(), usedevicememory=True)
        self.packets = iter(demuxer)

    def step(self) -> int:
        """Decode a batch."""
        count = 0
        for packet in self.packets:
            count += len(self.decoder.Decode(packet))
            if count >= BATCH:
                break
        return _all(count)

    def finish(self) -> None:
        """Nothing is under way."""


class Resizing:
    """Frames of a reader, made pictures of another size and format."""

    def __init__(self, reader: VideoReader, workload: Workload, target: VideoFormat) -> None:
        self.frames, self.workload = reader.frames(), workload
        self.gpu = CudaTransformer()
        size_wh = workload.placement.target_wh
        self.targets = [allocate_on_device(target, size_wh, self.gpu.stream) for _ in range(BATCH)]
        self.bound = [self.gpu.bind(surface) for surface in self.targets]
        self.sources: list[SurfaceView] = []

    def step(self) -> int:
        """Read a batch and put its work on the GPU; the batch before goes back to the decoder first."""
        self.sources = []
        self.sources = [surface for _, surface in islice(self.frames, BATCH)]
        self.put(self.gpu)
        return _all(len(self.sources))

    def put(self, gpu: CudaTransformer) -> None:
        """Put the work on a stream."""
        pairs = zip(self.sources, self.bound, strict=True)
        jobs = [Job(source, self.workload.placement, target) for source, target in pairs]
        gpu.transform_batch(jobs, self.workload.interpolation)

    def finish(self) -> None:
        """Wait for the GPU."""
        self.gpu.wait()

    def check(self, count: int) -> None:
        """Compare the last frames of the last batch with the CPU's."""
        for source, target in list(zip(self.sources, self.targets, strict=True))[-count:]:
            expected = SurfaceView.allocate(target.format, target.size_wh, target.color)
            transform(download(source), self.workload.placement, expected, self.workload.interpolation)
            np.testing.assert_array_equal(target.to_numpy(), expected.to_numpy())


class Planes(Resizing):
    """Frames of a reader, made a detector's tensor."""

    def __init__(self, reader: VideoReader, workload: Workload, dtype: str) -> None:
        self.frames, self.workload, self.dtype = reader.frames(), workload, dtype
        self.gpu = CudaTransformer()
        width, height = workload.placement.target_wh
        self.tensor = allocate_tensor((BATCH, 3, height, width), dtype, self.gpu.stream)
        self.sources = []

    def put(self, gpu: CudaTransformer) -> None:
        """Put the work on a stream."""
        gpu.to_tensor(self.sources, self.workload.placement, Normalization(), dtype=self.dtype, out=self.tensor)

    def check(self, count: int) -> None:
        """Compare the last frames of the last batch with the CPU's."""
        hosts = [download(source) for source in self.sources[-count:]]
        expected = to_tensor(hosts, self.workload.placement, Normalization(), dtype=self.dtype)
        np.testing.assert_array_equal(self.tensor.to_numpy()[-count:], expected)


class Row(NamedTuple):
    """One line for each number of threads."""

    clip: str
    form: str
    """What the reader gives: ``native`` is NV12."""
    workload: Workload
    target: VideoFormat | str
    """The format of a picture, or the dtype of planes."""

    @property
    def label(self) -> str:
        """Work, source and target."""
        source = "NV12" if self.form == "native" else self.form.upper()
        target = self.target if isinstance(self.target, str) else self.target.name()
        return f"{CLIPS[self.clip].codec} {self.workload.name}, {source} to {target}"


def rows() -> list[Row]:
    """Return what is measured, those of one clip beside each other."""
    by_name = {workload.name: workload for workload in PICTURES}
    both = (VideoFormat.NV12, VideoFormat.RGBA)
    made = [
        *[Row("1080p H.264", "native", by_name["1080p to 720p"], target) for target in both],
        *[Row("1080p H.264", "native", by_name["1080p to 1080p"], target) for target in both],
        *[Row("1080p H.264", "native", DETECTOR, dtype) for dtype in DTYPES],
        *[Row("1080p H.264", "rgba", by_name["1080p to 720p"], target) for target in both],
        *[Row("1080p HEVC", "native", by_name["1080p to 720p"], target) for target in both],
        *[Row("1440x1080 H.264", "native", by_name["1440x1080 to 720p"], target) for target in both],
    ]
    for name in ("4K to 1080p", "4K to 1080p, area", "4K to 640x640", "4K to 640x640, area"):
        made += [Row("4K H.264", "native", by_name[name], target) for target in both]
    return [*made, Row("4K HEVC", "native", by_name["4K to 1080p"], VideoFormat.NV12)]


class Bench:
    """One run: the clips, and how long each measurement lasts."""

    def __init__(self, folder: Path, clips: list[str], threads: list[int], seconds: float) -> None:
        self.clips, self.threads, self.seconds = clips, threads, seconds
        self.paths: dict[str, Path] = {}
        self.folder = folder
        self.gpu = CudaTransformer()
        self.watch = Stopwatch(self.gpu.stream)
        self.failed = 0
        self.shares: dict[int, list[tuple[float, str]]] = {count: [] for count in threads}
        """Of each row by number of threads, with its name."""

    def prepare(self) -> None:
        """Make clips."""
        started = time.perf_counter()
        self.paths = write_clips(self.clips, self.folder)
        for name, path in self.paths.items():
            print(f"{name}: {mbit_s(path, CLIPS[name]):.1f} Mbit/s at 25 frames/s")
        print(f"made in {time.perf_counter() - started:.1f} s; {self.gpu.device.name}", flush=True)

    def readers(self, clip: str, form: Any, count: int, held: ExitStack) -> list[VideoReader]:
        """Open some, nearly one after the other: the driver deals decoders to its engines as they come."""

        def opened(number: int) -> VideoReader:
            return VideoReader(self.paths[clip], f"camera-{number}", device="cuda", pixel_format=form)

        with ThreadPoolExecutor(OPENING) as pool:
            made = [held.enter_context(reader) for reader in pool.map(opened, range(count))]
        if any(reader.device != "cuda" for reader in made):
            raise RuntimeError("NVDEC does not read the clip")
        return made

    def attempt(self, label: str, work: Callable[[], None]) -> None:
        """Do some work; where it fails, say so."""
        try:
            work()
        except Exception as error:  # noqa: BLE001  # the other rows go on
            self.failed += 1
            where = traceback.extract_tb(error.__traceback__)[-1]
            text = " ".join(str(error).split())[:300]
            print(f"{label}: {type(error).__name__} at {Path(where.filename).name}:{where.lineno}: {text}", flush=True)

    def paces(self) -> None:
        """Compare readers with the decoder alone, in turns."""
        print(f"readers beside PyNvVideoCodec alone, frames/s and processor us a frame, medians of {TURNS} turns")
        for clip in self.clips:
            for threads in self.threads:
                self.attempt(f"{clip} {threads}", lambda clip=clip, threads=threads: self.pace_of(clip, threads))

    def pace_of(self, clip: str, threads: int) -> None:
        """Measure one clip with some threads."""
        with ExitStack() as held:
            kinds = {
                "Decode": [Decoding(self.paths[clip]) for _ in range(threads)],
                "reader": [Reading(reader) for reader in self.readers(clip, "native", threads, held)],
                "reader, RGBA": [Reading(reader) for reader in self.readers(clip, "rgba", threads, held)],
            }
            found: dict[str, list[Pace]] = {name: [] for name in kinds}
            for turn in range(TURNS):
                for name in list(kinds)[:: -1 if turn % 2 else 1]:
                    found[name].append(run(kinds[name], self.seconds / 2))
        rates = {name: statistics.median(pace.rate for pace in paces) for name, paces in found.items()}
        texts = []
        for name, paces in found.items():
            cpu_us = statistics.median(pace.cpu_us for pace in paces)
            texts.append(f"{name} {rates[name]:.0f} ({rates[name] / rates['Decode']:.2f}, {cpu_us:.0f} us)")
        print(f"{clip:16s} {threads:2d} threads: {'; '.join(texts)}", flush=True)

    def measure(self, wanted: list[Row]) -> None:
        """Measure rows of one clip and format: readers alone first, and again after."""
        clip, form = wanted[0][:2]
        with ExitStack() as held:
            readers = self.readers(clip, form, max(self.threads), held)
            tasks = [Reading(reader) for reader in readers]
            for row in wanted:
                self.attempt(row.label, lambda row=row: self.measure_row(row, readers, tasks))

    def measure_row(self, row: Row, readers: list[VideoReader], readings: list[Reading]) -> None:
        """Measure one row with all numbers of threads: its work between two runs of the readers alone."""
        made: Callable[..., Resizing] = Planes if isinstance(row.target, str) else Resizing
        tasks = [made(reader, row.workload, row.target) for reader in readers]
        for count in self.threads:
            before = run(readings[:count], self.seconds / 2)
            pace = run(tasks[:count], self.seconds)
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda task: task.check(BATCH if task is tasks[0] else 1), tasks[:count]))
            us = self.watch.gpu_us(lambda: tasks[0].put(self.gpu)) / BATCH
            for task in tasks[:count]:
                task.sources = []
            alone = (before.rate + run(readings[:count], self.seconds / 2).rate) / 2
            figures = f"{alone:8.0f} {pace.rate:8.0f} {pace.rate / alone:6.2f} {us:7.2f} {pace.cpu_us:7.0f}"
            self.shares[count].append((pace.rate / alone, row.label))
            print(f"{row.label:52s} {count:2d} {figures}", flush=True)

    def all_rows(self) -> None:
        """Measure them, clip by clip."""
        print(f"{'work':52s} threads, frames/s alone, with the work, share, GPU us a frame, processor us a frame")
        groups: dict[tuple[str, str], list[Row]] = {}
        for row in rows():
            if row.clip in self.clips:
                groups.setdefault(row[:2], []).append(row)
        for group in groups.values():
            self.attempt(group[0].label, lambda group=group: self.measure(group))
        for count, shares in self.shares.items():
            if shares:
                (worst, slow), (best, quick) = min(shares), max(shares)
                print(f"{count:2d} threads: worst share {worst:.2f} ({slow}), best {best:.2f} ({quick})")

    def engine(self) -> None:
        """Measure readers that feed an engine."""
        print(
            "1080p H.264 to 720p with 20 labelled boxes, NV12 to an encoder that only takes, frames/s: readers alone,"
        )
        print("the engine alone with RGBA frames made before, readers into the engine, its share of the slower of both")
        run_engine(2, 100, BOXES, warm=50)
        for count in self.threads:
            self.attempt(f"engine, {count} sources", lambda count=count: self.engine_of(count))

    def engine_of(self, count: int) -> None:
        """Measure some sources: readers and engine together, between runs of each alone."""
        with ExitStack() as held:
            readers = self.readers("1080p H.264", "native", count, held)
            readings = [Reading(reader) for reader in readers]
            frames = 3200 // count
            before = run(readings, self.seconds / 2).rate, run_engine(count, frames, BOXES, warm=50)
            rate, checked = run_readers(readers, max(2 * self.seconds, 1))
            after = run(readings, self.seconds / 2).rate, run_engine(count, frames, BOXES, warm=50)
        alone = (before[0] + after[0]) / 2
        engine = sum(result.rate(frames * count) for result in (before[1], after[1])) / 2
        share = rate / min(alone, engine)
        figures = f"{alone:8.0f} {engine:8.0f} {rate:8.0f} {share:6.2f}"
        print(f"{count:2d} sources {figures}; {checked} frames compared", flush=True)


def main() -> None:
    """Measure and print; the status says whether a row failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=("pace", "rows", "engine"), default=["rows"])
    parser.add_argument("--threads", nargs="+", type=int, default=[8])
    parser.add_argument("--seconds", type=float, default=0.3)
    parser.add_argument("--clips", nargs="+", choices=list(CLIPS), default=list(CLIPS))
    parser.add_argument("--folder", type=Path, help="keeps the clips for the next run")
    arguments = parser.parse_args()
    with ExitStack() as held:
        folder = arguments.folder or Path(held.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        bench = Bench(folder, arguments.clips, sorted(arguments.threads), arguments.seconds)
        bench.prepare()
        for part, work in (("pace", bench.paces), ("rows", bench.all_rows), ("engine", bench.engine)):
            if part in arguments.only:
                work()
    sys.exit(bench.failed > 0)


if __name__ == "__main__":
    main()
