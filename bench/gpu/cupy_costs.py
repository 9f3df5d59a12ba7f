"""What CuPy costs where picasso calls the CUDA driver itself: microseconds a call, ours beside CuPy's.

python bench/gpu/cupy_costs.py [--rounds 9] [--out FILE.json]

Streams, events, memory of a pool, pinned memory, capsules. Each pair does the same on the same device; a figure is the
median of rounds, each the mean of many calls. Where CuPy's column is not slower beyond the spread, CuPy can carry it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from picasso.surface import SurfaceView
from picasso.surface.cuda_memory import DeviceBlock, Uploader, open_device
from picasso_kernels.cuda.driver import Event, PinnedMemory, Stream

CALLS = 2_000
MIB = 1 << 20
Way = Callable[[], object]


def pairs() -> dict[str, tuple[Way, Way, int]]:
    """Return what is measured: ours, CuPy's, and how many calls make a round."""
    import cupy

    device = open_device(0)
    device.make_current()
    ours, theirs = Stream(device), cupy.cuda.Stream(non_blocking=True)
    event, their_event = Event(device), cupy.cuda.Event(disable_timing=True)
    pool = cupy.cuda.MemoryAsyncPool()
    surface = Uploader(ours).upload(SurfaceView.wrap(np.zeros((720, 1280, 4), np.uint8)))
    array = surface.to_cupy()

    def ours_ordered() -> None:
        event.mark(ours.address)
        event.hold(theirs.ptr)

    def cupy_ordered() -> None:
        their_event.record(theirs)
        theirs.wait_event(their_event)

    def cupy_pooled() -> Any:
        with theirs:
            return pool.malloc(MIB)

    return {
        "make a stream and drop it": (lambda: Stream(device), lambda: cupy.cuda.Stream(non_blocking=True), 200),
        "make an event and drop it": (lambda: Event(device), lambda: cupy.cuda.Event(disable_timing=True), 500),
        "record an event, let a stream wait": (ours_ordered, cupy_ordered, CALLS),
        "1 MiB of the pool and back": (lambda: DeviceBlock(MIB, ours), cupy_pooled, CALLS),
        "1 MiB of pinned memory and back": (
            lambda: PinnedMemory(device, MIB),
            lambda: cupy.cuda.alloc_pinned_memory(MIB),
            50,
        ),
        "lend by DLPack and take": (
            lambda: cupy.from_dlpack(surface),
            lambda: cupy.from_dlpack(array),
            500,
        ),
        "take a CuPy array": (
            lambda: SurfaceView.from_cuda_array(array),
            lambda: cupy.asarray(surface.device_plane),
            500,
        ),
    }


def microseconds(way: Way, calls: int, rounds: int) -> list[float]:
    """Return the mean of each round, after one that is not counted."""
    found = []
    for _ in range(rounds + 1):
        began_s = time.perf_counter()
        for _ in range(calls):
            way()
        found.append((time.perf_counter() - began_s) / calls * 1e6)
        open_device(0).wait()
    return found[1:]


def main() -> None:
    """Measure, print a table, write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    args = parser.parse_args()
    figures = {}
    print(f"{'what':36} {'ours µs':>14} {'CuPy µs':>14} {'CuPy / ours':>12}")
    for name, (ours, theirs, calls) in pairs().items():
        both = [microseconds(way, calls, args.rounds) for way in (ours, theirs)]
        middle = [statistics.median(rounds) for rounds in both]
        spread = [(max(rounds) - min(rounds)) / 2 for rounds in both]
        columns = " ".join(f"{value:7.2f} ± {off:4.2f}" for value, off in zip(middle, spread, strict=True))
        print(f"{name:36} {columns} {middle[1] / middle[0]:12.2f}")
        figures[name] = {"ours_us": both[0], "cupy_us": both[1]}
    if args.out:
        args.out.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
