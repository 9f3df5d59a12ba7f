"""Count the steps of the interpreter that a frame takes, over a driver that does nothing; print them as JSON.

Run by ``test_steps`` in a process of its own, which finds ``bench/gpu/hollow.c`` as the driver's library. With
``--functions`` it prints a table of the functions instead.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from types import CodeType, FrameType
from typing import Any

from engine_run import DeviceSink, device_spec, make_frame, open_pictures

from picasso.engine import Callbacks, GeneralSpec, PicassoEngine
from picasso_kernels.cpu.compile import prepare
from picasso_kernels.cpu.entries import ENTRIES
from picasso_kernels.cuda import cubin

WARM, COUNTED = 40, 16
"""Frames before those whose steps are counted: kernels turn to graphs, letters and looks are learnt."""
TESTS = ("engine_run.py", "frame_steps.py")


class Steps:
    """Counts instructions of bytecode of this package, by function, while it is on."""

    def __init__(self) -> None:
        self.on = False
        self.by_function: Counter[CodeType] = Counter()

    def enter(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        """Be told of a function that begins."""
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._step

    def _step(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if self.on and event == "opcode" and not frame.f_code.co_filename.endswith(TESTS):
            self.by_function[frame.f_code] += 1
        return self._step

    def each(self) -> Counter[CodeType]:
        """Return the steps a frame, by function."""
        return Counter({code: -(-steps // COUNTED) for code, steps in self.by_function.items()})


def measure(boxes: int) -> tuple[Steps, Steps]:
    """Return the steps of sending frames, and those of the source's thread, whose queue is never empty."""
    sending, working = Steps(), Steps()
    total = WARM + 2 * COUNTED
    all_sent, done, count = threading.Event(), threading.Event(), 0
    errors: list[Any] = []

    def on_encoded(_output: Any) -> None:
        nonlocal count
        count += 1
        if count == 1:
            all_sent.wait()
        working.on = WARM <= count < WARM + COUNTED
        if count == total:
            done.set()

    def on_error(*details: Any) -> None:
        errors.append(details)
        done.set()

    callbacks = Callbacks(on_encoded_frame=on_encoded, on_error=on_error)
    pictures = open_pictures()
    frames = [make_frame("camera", number * 33_000_000, boxes) for number in range(total)]
    threading.settrace(working.enter)
    with PicassoEngine(GeneralSpec(inflight_queue_size=total), callbacks, encoder_factory=DeviceSink) as engine:
        engine.set_source_spec("camera", device_spec(boxes))
        threading.settrace(None)  # type: ignore[arg-type]  # which ends it
        for number, frame in enumerate(frames):
            if number == WARM:
                sending.on = True
                sys.settrace(sending.enter)
            engine.send_frame("camera", frame, pictures[number % len(pictures)].share())
            if number == WARM + COUNTED - 1:
                sys.settrace(None)
                sending.on = False
        all_sent.set()
        done.wait()
    assert not errors, errors[0]
    return sending, working


def main() -> None:
    """Count and print."""
    cubin.load_cubin = lambda *_, **__: b"nothing"  # type: ignore[assignment]
    names = {"compose_frame", "make_calls"}
    prepare(*(kernel for kernel, entry in ENTRIES.items() if entry.name in names))
    counted = {boxes: measure(boxes) for boxes in (20, 0)}
    if "--functions" in sys.argv:
        for name, steps in zip(("send", "engine"), counted[20], strict=True):
            for code, number in steps.each().most_common():
                print(f"{number:6d} {name:6s} {code.co_qualname}")
        return
    print(json.dumps({boxes: [steps.each().total() for steps in both] for boxes, both in counted.items()}))


if __name__ == "__main__":
    main()
