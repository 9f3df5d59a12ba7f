"""What a labelled frame costs in Python: everything of an engine's way but pixels and encoder, for 1 and 16 sources.

    python bench/labelled.py
    python bench/labelled.py --against ../before            another checkout, in turns with this one
    python bench/labelled.py --gpu                           the way of device frames, over a driver that does nothing

Processor time of all threads, microseconds a frame, medians; each figure is a process of its own. Frames of 1080p go to
720p with 20 labelled boxes or none. Without ``--gpu`` no pixel is read or written; with it the driver's calls return at
once (``gpu/hollow.c``, made by ``cc``; needs ``cuda.bindings`` and no GPU). What remains is what sources that share one
interpreter lock have to share.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CASES = ((1, 20), (1, 0), (16, 20), (16, 0))
FRAMES, WARM = 4800, 50
"""Frames of all sources together, and of each before the time is taken."""


class NoPixels:
    """Surfaces that nothing is written to."""

    def __init__(self, config: Any, encoder: Any) -> None:
        from picasso.surface import SurfaceView

        self.encoder_format = encoder.input_format
        self._surface = SurfaceView.allocate(encoder.input_format, (config.width, config.height), encoder.color)

    def transform(self, *_: Any) -> Any:
        """Return the surface as it is."""
        return self._surface

    def convert(self, surface: Any, _format: Any, *, on_host: bool = False) -> Any:  # noqa: ARG002
        """Convert nothing."""
        return surface

    def for_encoder(self, surface: Any) -> Any:
        """Convert nothing."""
        return surface

    def expect_painting(self, format: Any) -> None:
        """Nothing is painted."""

    def close(self) -> None:
        """There is nothing to give back."""


def measure(sources: int, boxes: int, *, gpu: bool) -> float:
    """Return microseconds of processor time a frame, in this process."""
    import engine_run

    from picasso.engine.runtime import core
    from picasso_kernels.cpu.compile import prepare
    from picasso_kernels.cpu.entries import ENTRIES

    prepare(*(kernel for kernel, entry in ENTRIES.items() if entry.name in {"compose", "compose_frame", "make_calls"}))
    core.default_computing = lambda: sources + 1  # as on a machine that has the processors
    if gpu:
        from picasso_kernels.cuda import cubin

        cubin.load_cubin = lambda *_, **__: b"nothing"  # type: ignore[assignment]
    else:
        leave_out_pixels(engine_run)
    engine_run.run_engine(1, 50, boxes)
    result = engine_run.run_engine(sources, FRAMES // sources, boxes, warm=WARM)
    return 1e6 * float(result.each().processor_seconds)


def leave_out_pixels(engine_run: Any) -> None:
    """Have the engine work in host memory, and leave out what reads or writes pixels."""
    from picasso.draw.painter import Painter
    from picasso.engine.path import session
    from picasso.surface import MemType, SurfaceView, VideoFormat

    session.open_surfaces = lambda config, encoder, **_: NoPixels(config, encoder)  # type: ignore[assignment]
    Painter.paint_list = lambda *_: None  # type: ignore[method-assign]
    engine_run.MemType = type("MemType", (), {"CUDA_DEVICE": MemType.DEFAULT})
    picture = SurfaceView.allocate(VideoFormat.RGBA, (1920, 1080))
    engine_run.open_pictures = lambda: [picture] * 4


def run(checkout: Path, case: tuple[int, int], *, gpu: bool, driver: str | None) -> float:
    """Return the figure of a checkout, by a process of its own."""
    paths = [checkout, checkout / "kernels", ROOT / "tests" / "cuda"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))}
    if driver:
        environment["LD_LIBRARY_PATH"] = driver
    command = [sys.executable, __file__, "--once", *map(str, case), *(["--gpu"] if gpu else [])]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, help="another checkout")
    parser.add_argument("--gpu", action="store_true", help="the way of device frames")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--once", type=int, nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.once:
        print(measure(*arguments.once, gpu=arguments.gpu))
        return
    checkouts = [ROOT, *([arguments.against.resolve()] if arguments.against else [])]
    with tempfile.TemporaryDirectory() as folder:
        if arguments.gpu:
            source = ROOT / "bench" / "gpu" / "hollow.c"
            made = f"{folder}/libcuda.so.1"
            subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", made, str(source), "-ldl"], check=True)
        for case in CASES:
            taken: dict[Path, list[float]] = {checkout: [] for checkout in checkouts}
            for number in range(arguments.rounds):
                for checkout in checkouts[:: -1 if number % 2 else 1]:
                    figure = run(checkout, case, gpu=arguments.gpu, driver=folder if arguments.gpu else None)
                    taken[checkout].append(figure)
            medians = [statistics.median(taken[checkout]) for checkout in checkouts]
            ratio = f", before {medians[1]:.1f}, ratio {medians[0] / medians[1]:.2f}" if len(medians) > 1 else ""
            print(f"{case[0]:2d} sources, {case[1]:2d} boxes: {medians[0]:6.1f} us a frame{ratio}", flush=True)


if __name__ == "__main__":
    main()
