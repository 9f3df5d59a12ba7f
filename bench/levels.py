"""The kernels of each level beside Numba's for this processor: the same calls in turns, CPU time of one thread.

python -m picasso_build && python bench/levels.py --rounds 8 --out out/levels.json

Arguments are those of whole frames. In each turn every form does the same call; a ratio is the median of those of
neighbours in time. A round is 60 turns of each work.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import test_draw
import test_transform

from picasso.draw import Scene
from picasso.draw.cpu import CpuPainter
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform import Interpolation, Placement
from picasso.transform.cpu import CpuTransformer
from picasso_kernels.cpu import compile as compiling
from picasso_kernels.cpu import forms
from picasso_kernels.cpu.entries import ENTRIES
from picasso_kernels.cpu.levels import levels_of_this_architecture, processor_flags

Call = Callable[[], object]

TURNS, FIRST_TURNS = 60, 5


def calls_of(work: Call) -> list[tuple[Any, tuple[Any, ...]]]:
    """Return which entry kernels ``work`` calls, and with what, after a first time."""
    work()
    calls: list[tuple[Any, tuple[Any, ...]]] = []
    plain = compiling._host

    def host(kernel: Any, _inline: object, _keep_gil: object) -> Any:
        def run(*args: Any) -> Any:
            calls.append((kernel, args))
            return numba_of(kernel)(*args)

        return run

    compiling._READY.clear()
    compiling._host = host  # type: ignore[assignment]
    try:
        work()
    finally:
        compiling._host = plain
    return calls


def numba_of(kernel: Any) -> Any:
    """Return what Numba makes of an entry for this processor."""
    entry = ENTRIES[kernel]
    return compiling._compiled(kernel, True, entry.inline, not entry.keep_gil)


def labelled(read: VideoFormat, write: VideoFormat) -> Call:
    """1080p to 720p with 20 labelled boxes: transform and painter."""
    source, target = (SurfaceView.allocate(form, size) for form, size in ((read, (1920, 1080)), (write, (1280, 720))))
    for plane in source.planes:
        plane[...] = np.random.default_rng(0).integers(0, 256, plane.shape, np.uint8)
    placement, scene = Placement.compute((1920, 1080), (1280, 720)), Scene()
    transformer, painter = CpuTransformer(), CpuPainter()
    scene.set_specs(test_draw.specs())
    drawing = scene.build(test_draw.frame_of(20), {}, target.size_wh)

    def run() -> None:
        transformer.transform(source, placement, target, Interpolation.BILINEAR)
        painter.paint(target, drawing)

    return run


def composed() -> Call:
    """The display list of 20 labelled boxes."""
    scene, frame = Scene(), test_draw.frame_of(20)
    scene.set_specs(test_draw.specs())
    return lambda: scene.build(frame, {}, (1280, 720))


def runs_of(calls: list[tuple[Any, tuple[Any, ...]]]) -> dict[str, Call]:
    """Return by form what does the same calls."""

    def replay(ways: list[tuple[Any, tuple[Any, ...]]]) -> Call:
        def run() -> None:
            for way, args in ways:
                way(*args)

        return run

    entries = [(ENTRIES[kernel], args) for kernel, args in calls]
    runs = {"jit": replay([(numba_of(kernel), args) for kernel, args in calls])}
    for level in levels_of_this_architecture():
        module = forms.open_level(level, processor_flags())
        if not isinstance(module, str):
            runs[level.name] = replay([(getattr(module, entry.name), args) for entry, args in entries])
    return runs


def turns(runs: dict[str, Call], count: int) -> np.ndarray[Any, Any]:
    """Return seconds, a row a turn, a column a form."""
    return np.array([[_seconds(run) for run in runs.values()] for _ in range(count)])


def _seconds(run: Call) -> float:
    started = time.thread_time()
    run()
    return time.thread_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    works = {name: test_transform.ours(work) for name, work in test_transform.WORK.items()}
    works |= {
        "W1 RGB to NV12, 20 labels": labelled(VideoFormat.RGB, VideoFormat.NV12),
        "W1 NV12 to NV12, 20 labels": labelled(VideoFormat.NV12, VideoFormat.NV12),
        "W1 RGBA to RGBA, 20 labels": labelled(VideoFormat.RGBA, VideoFormat.RGBA),
        "display list, 20 labels": composed(),
    }
    runs = {name: runs_of(calls_of(work)) for name, work in works.items()}
    times: dict[str, list[Any]] = {name: [] for name in runs}
    for forms_of_work in runs.values():
        turns(forms_of_work, FIRST_TURNS)
    for _ in range(args.rounds):
        for name, forms_of_work in runs.items():
            times[name].append(turns(forms_of_work, TURNS))
    table = {}
    for name, rounds in times.items():
        seconds = np.concatenate(rounds)
        ratios = np.median(seconds / seconds[:, :1], axis=0)
        table[name] = {
            "jit_ms": float(seconds[:, 0].min() * 1e3),
            **dict(zip(runs[name], ratios.tolist(), strict=True)),
        }
        print(f"{name:32}", " ".join(f"{key} {value:.3f}" for key, value in table[name].items()), flush=True)
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
