"""Where the host's time of a frame goes: what each step costs a processor, for device frames with 20 boxes.

    python bench/gpu/host.py

Steps are timed by the clock of their thread, which stands still while it waits for the interpreter's lock. So they
tell what is computed, and what is left of the time between frames tells what waiting and switching cost.
"""

from __future__ import annotations

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
from picasso.engine.path.session import EncoderSession
from picasso.primitives import VideoFrame
from picasso.transform.cuda import CudaTransformer

FRAMES, WARM = 300, 50


class Step(NamedTuple):
    """One method of a frame's way."""

    label: str
    owner: type
    name: str


STEPS = [
    Step("send_frame, on the thread of the caller", PicassoEngine, "send_frame"),
    Step("a frame on the source's thread, all of it but delivery", EncodeRoute, "_compute"),
    Step("    display list", Scene, "build"),
    Step("    transform", CudaTransformer, "transform"),
    Step("    paint", CudaPainter, "paint"),
    Step("    boxes", VideoFrame, "move_boxes"),
    Step("delivery: metadata, message, callback", EncoderSession, "deliver"),
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


def measure(sources: int) -> None:
    """Print the time between frames without clocks, and each step in a run of its own."""
    count = sources * (FRAMES + WARM)
    rates = sorted(run_engine(sources, FRAMES, 20, warm=WARM).rate(sources * FRAMES) for _ in range(5))
    spread = f"{rates[0]:.0f} to {rates[-1]:.0f}"
    print(f"{sources} sources: {rates[2]:.0f} frames/s ({spread}), {1e6 / rates[2]:.0f} us a frame")
    for step in STEPS:
        spent_ns: dict[str, int] = defaultdict(int)
        with timed([step], spent_ns):
            run_engine(sources, FRAMES, 20, warm=WARM)
        print(f"    {step.label:56s} {spent_ns[step.label] / count / 1000:8.1f} us", flush=True)


if __name__ == "__main__":
    run_engine(1, 50, 20)
    for number in (1, 16):
        measure(number)
