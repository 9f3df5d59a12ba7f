"""Count the steps of the interpreter that batches take, over a driver that does nothing; print them as JSON.

Run by ``test_steps`` in a process of its own, which finds ``bench/gpu/hollow.c`` as the driver's library.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from picasso.surface import VideoFormat
from picasso.surface.cuda_memory import allocate_on_device
from picasso.transform import Placement
from picasso.transform.cuda import CudaTransformer, Job
from picasso_kernels.cuda import cubin
from picasso_kernels.cuda.driver import Stream

SIZE_WH, TARGET_WH = (64, 48), (32, 24)


def steps_of(work: Callable[[], object]) -> int:
    """Return how many instructions of bytecode a call runs."""
    steps = 0

    def enter(frame: FrameType, _event: str, _argument: Any) -> Any:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False

        def trace(_frame: FrameType, event: str, _argument: Any) -> Any:
            nonlocal steps
            steps += event == "opcode"
            return trace

        return trace

    sys.settrace(enter)
    work()
    sys.settrace(None)
    return steps


def measure(count: int) -> dict[str, int]:
    """Return the steps of batches of ``count`` pictures that look like an earlier one, in other memory."""
    gpu = CudaTransformer()
    placement, producer = Placement.compute(SIZE_WH, TARGET_WH), Stream(gpu.device)
    rounds = [
        [allocate_on_device(VideoFormat.NV12, SIZE_WH, stream) for stream in [gpu.stream, producer] * (count // 2)]
        for _ in range(3)
    ]
    targets = [allocate_on_device(VideoFormat.NV12, TARGET_WH, gpu.stream) for _ in range(count)]
    bound = [gpu.bind(target) for target in targets]
    placed = [[Job(a, placement, b) for a, b in zip(sources, targets, strict=True)] for sources in rounds]
    into_bound = [[Job(a, placement, b) for a, b in zip(sources, bound, strict=True)] for sources in rounds]
    works: list[tuple[str, Callable[[Any], object], list[Any]]] = [
        ("into targets", gpu.transform_batch, placed),
        ("into targets that are bound", gpu.transform_batch, into_bound),
        ("tensors", lambda sources: gpu.to_tensor(sources, placement), rounds),
    ]
    found = {}
    for name, work, (first, second, third) in works:
        work(first)
        work(second)
        found[name] = steps_of(lambda work=work, third=third: work(third))
    return found


if __name__ == "__main__":
    cubin.load_cubin = lambda *_, **__: b"nothing"  # type: ignore[assignment]
    print(json.dumps([measure(count) for count in (8, 32)]))
