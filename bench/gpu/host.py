"""Where the host's time of a frame goes: what each step costs a processor, for device frames with 20 boxes.

    python bench/gpu/host.py                  1 and 16 sources
    python bench/gpu/host.py --frames 100     fewer frames a source, for a look

Of a run without clocks: the time between frames by the clock on the wall, what all threads took of the processors, and
how often one of them went to sleep. Steps are timed by the clock of their thread, which stands still while it waits for
the interpreter's lock, each in a run of its own. So they tell what is computed, and what is left of the time between
frames tells what waiting and switching cost.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "cuda"))
from engine_run import run_engine

from picasso.draw import Scene
from picasso.draw.cuda import CudaPainter
from picasso.engine.engine import PicassoEngine
from picasso.engine.path.encoding import EncodeRoute
from picasso.engine.path.pipeline import Pipeline
from picasso.engine.path.session import EncoderSession
from picasso.primitives import VideoFrame
from picasso.transform.cuda import CudaTransformer

WARM = 50


class Step(NamedTuple):
    """One method of a frame's way."""

    label: str
    owner: type
    name: str


STEPS = [
    Step("send_frame, on the thread of the caller", PicassoEngine, "send_frame"),
    Step("a frame on the source's thread, from queue to callback", Pipeline, "process"),
    Step("    placement, times, permit, transform, boxes, drawing", EncodeRoute, "_compute"),
    Step("        transform", CudaTransformer, "transform"),
    Step("        boxes: kept and moved", VideoFrame, "save_geometry"),
    Step("        boxes: kept and moved", VideoFrame, "move_boxes"),
    Step("        display list", Scene, "build"),
    Step("        paint", CudaPainter, "paint"),
    Step("    delivery: metadata, message, callback", EncoderSession, "deliver"),
]


@contextmanager
def timed(steps: list[Step], spent_ns: dict[str, int]) -> Iterator[None]:
    """Add up what steps take while this lasts."""

    def wrapped(step: Step, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            started = time.thread_time_ns()
            try:
                return method(*args, **options)
            finally:
                spent_ns[step.label] += time.thread_time_ns() - started

        return call

    methods = {step: getattr(step.owner, step.name) for step in steps}
    for step, method in methods.items():
        setattr(step.owner, step.name, wrapped(step, method))
    try:
        yield
    finally:
        for step, method in methods.items():
            setattr(step.owner, step.name, method)


def measure(sources: int, frames: int) -> None:
    """Print a run without clocks, and each step in a run of its own."""
    run_engine(sources, 50, 20)
    taken = [run_engine(sources, frames, 20, warm=WARM).each() for _ in range(5)]
    wall, processors, switches = (statistics.median(column) for column in zip(*taken, strict=True))
    slowest, fastest = (1 / pick(one.seconds for one in taken) for pick in (max, min))
    print(
        f"{sources} sources: {1 / wall:.0f} frames/s ({slowest:.0f} to {fastest:.0f}), {1e6 * wall:.0f} us a frame, "
        f"{1e6 * processors:.0f} us of processors, {switches:.2f} switches"
    )
    count = sources * (frames + WARM)
    for label in dict.fromkeys(step.label for step in STEPS):
        spent_ns: dict[str, int] = defaultdict(int)
        with timed([step for step in STEPS if step.label == label], spent_ns):
            run_engine(sources, frames, 20, warm=WARM)
        print(f"    {label:56s} {spent_ns[label] / count / 1000:8.1f} us", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=300, help="of each source")
    arguments = parser.parse_args()
    for number in (1, 16):
        measure(number, arguments.frames)


if __name__ == "__main__":
    main()
