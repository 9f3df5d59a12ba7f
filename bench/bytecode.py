"""How much Python a frame runs: instructions of bytecode by function, counted and so without noise.

python bench/bytecode.py                                 720p as it is, 20 boxes with labels, H.264
python bench/bytecode.py --work W1 --route bypass --top 20

Behind an encoder Python finds cold caches, and what a frame costs goes with the number of different things that it
touches. Times of a loop do not show that; this count does, on any machine. One frame is in flight at a time: what
threads do to wait for each other under load is not in it.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections import Counter
from pathlib import Path
from queue import SimpleQueue
from types import FrameType
from typing import Any

sys.path.insert(0, str(Path(__file__).with_name("peers")))
from adapter import send, source_spec
from scripts import Case, Material, material
from workloads import COLORS, NAMES, WORKLOADS

from picasso.engine import Callbacks, CodecSpec, GeneralSpec, PicassoEngine, SourceSpec

WARM_UP, FRAMES = 64, 128
SOURCE = "source"


class Count:
    """Instructions and calls by thread and function, while ``running``; for threads that start after it."""

    def __init__(self) -> None:
        self.running = False
        self.instructions: dict[str, Counter[str]] = {}
        self.calls: dict[str, Counter[str]] = {}
        threading.settrace(self._enter)

    def close(self) -> None:
        threading.settrace(None)  # type: ignore[arg-type]  # the standard library's own way

    def _enter(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        thread, name = threading.current_thread().name, _name(frame)
        instructions = self.instructions.setdefault(thread, Counter())
        if self.running:
            self.calls.setdefault(thread, Counter())[name] += 1

        def trace(_frame: FrameType, event: str, _argument: Any) -> Any:
            if self.running and event == "opcode":
                instructions[name] += 1
            return trace

        return trace


def _name(frame: FrameType) -> str:
    path = Path(frame.f_code.co_filename)
    return f"{'/'.join(path.parts[-2:])}: {frame.f_code.co_qualname}"


def spec(route: str, source: Material) -> SourceSpec:
    if route == "encode":
        return source_spec(source.workload.target_wh, dict(zip(NAMES, COLORS, strict=True)))
    return SourceSpec(CodecSpec.bypass() if route == "bypass" else CodecSpec.drop_frames())


def measure(work: str, route: str) -> Count:
    """Send frames one at a time and count what each takes."""
    source, count, done = material(Case("picasso", work)), Count(), SimpleQueue[object]()
    callbacks = Callbacks(on_encoded_frame=done.put, on_bypass_frame=done.put)

    def run(engine: PicassoEngine) -> None:
        for number in range(WARM_UP + FRAMES):
            count.running = number >= WARM_UP
            pixels, moment = source.at(number)
            names = moment.names
            send(engine, SOURCE, number, pixels, moment.corners, names, moment.confidences)
            if route != "drop":
                done.get()
        engine.send_eos(SOURCE)
        if route != "drop":
            done.get()

    with PicassoEngine(GeneralSpec(idle_timeout_secs=600), callbacks) as engine:
        engine.set_source_spec(SOURCE, spec(route, source))
        sender = threading.Thread(target=run, args=(engine,), name="sender")
        sender.start()
        sender.join()
    count.close()
    return count


def main() -> None:
    """Count and print, the most expensive functions first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", choices=WORKLOADS, default="W3")
    parser.add_argument("--route", choices=("encode", "bypass", "drop"), default="encode")
    parser.add_argument("--top", type=int, default=10, help="functions of each thread to print")
    arguments = parser.parse_args()
    count = measure(arguments.work, arguments.route)
    for thread, instructions in count.instructions.items():
        if instructions.total() < FRAMES:
            continue  # it only watches
        calls = count.calls.get(thread, Counter())
        print(
            f"{thread}: {instructions.total() / FRAMES:.0f} instructions and {calls.total() / FRAMES:.0f} calls a frame"
        )
        for name, number in instructions.most_common(arguments.top):
            print(f"  {number / FRAMES:7.1f} in {calls[name] / FRAMES:4.1f} calls  {name}")


if __name__ == "__main__":
    main()
