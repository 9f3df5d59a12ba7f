"""Rules of kernels and their graphs, as those of ``driven``; run over ``strict_driver.c`` by ``test_driver_rules``."""

from __future__ import annotations

import ctypes
import gc
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import pytest
from driven import PRIMARY, SIZE_WH, STRICT, WHOLE, borrowed, calls, current

from picasso.draw.cuda import CudaPainter
from picasso.draw.lists import DisplayList
from picasso.surface import SurfaceView, VideoFormat, driver_calls
from picasso.surface.cuda_memory import allocate_on_device
from picasso.transform.cuda import CudaTransformer, Job
from picasso_kernels.cuda import kernel_graph, launches
from picasso_kernels.cuda.driver import CudaError, Stream
from picasso_kernels.cuda.launches import OFTEN, Launch

STRICT.driver_refuse_graphs.argtypes = [ctypes.c_char_p, ctypes.c_int]
STEPS: Final = ("mark", "let", "launch on", "graph on", "tell")


def steps() -> list[str]:
    """Return what streams were told since the last time; no graph was told what it may not be."""
    lines = calls()
    assert not [line for line in lines if line.startswith("capture") or line.endswith((": 201", ": 400"))], lines
    return [line for line in lines if line.startswith(STEPS)]


def each_place() -> Iterator[tuple[int | None, int]]:
    """Yield which context is current, and which device works."""
    for before in (None, *PRIMARY):
        STRICT.cuCtxSetCurrent(before)
        for gpu_id in (0, 1):
            yield before, gpu_id


def ways(gpu: CudaTransformer) -> list[tuple[int, Callable[[], object]]]:
    """Return each way that a kernel gets on a stream, and how many kernels it is."""
    made, place = Stream(gpu.device), gpu.device.index
    target = allocate_on_device(VideoFormat.RGBA, SIZE_WH, gpu.stream)
    own, other = (allocate_on_device(VideoFormat.NV12, SIZE_WH, stream) for stream in (gpu.stream, made))
    foreign = allocate_on_device(VideoFormat.RGBA, SIZE_WH, made)
    drawing = DisplayList(np.zeros((1, 32), np.int32), np.zeros((0, 8), np.int32), np.zeros(0, np.uint8), 1)
    painter, lent = CudaPainter(gpu.stream), borrowed(place)
    return [
        (1, lambda: (gpu.transform(own, WHOLE, target), gpu.transform(other, WHOLE, target))),
        (1, lambda: gpu.transform(lent, WHOLE, foreign)),
        (2, lambda: gpu.transform_batch([Job(other, WHOLE, target), Job(lent, WHOLE, target)])),
        (1, lambda: gpu.to_tensor([own, other], WHOLE)),
        (1, lambda: painter.paint(target, drawing)),
    ]


def frames_keep_their_order_before_and_after_their_kernel_becomes_a_graph() -> None:
    for before, gpu_id in each_place():
        gpu = CudaTransformer(gpu_id)
        ours, makers = gpu.stream.address, [Stream(gpu.device) for _ in range(2)]
        bound = gpu.bind(allocate_on_device(VideoFormat.RGBA, SIZE_WH, gpu.stream))
        sources = [
            allocate_on_device(VideoFormat.RGBA, SIZE_WH, makers[number // 2 % 2]) for number in range(3 * OFTEN)
        ]
        steps()
        for number, source in enumerate(sources):
            gpu.transform(source, WHOLE, bound)
            found = steps()
            assert current() == before
            event = found[0].split()[1]
            put = [f"launch on {ours:x} of {gpu_id}"]
            if number >= OFTEN:
                put = ["tell a graph: 0", f"graph on {ours:x} of {gpu_id}: {source.device_planes[0].ptr:x}"]
            assert found == [
                f"mark {event} on {source.cuda_stream:x} of {gpu_id}",
                f"let {ours:x} of {gpu_id} wait for {event}",
                *put,
                f"mark {event} on {ours:x} of {gpu_id}",
                f"let {source.cuda_stream:x} of {gpu_id} wait for {event}",
            ]
        del gpu, bound
        gc.collect()
        ended = [line for line in calls() if line.startswith("destroy") and "graph" in line]
        assert ended == ["destroy what a graph became: 0", "destroy graph: 0"]
        assert current() == before


def each_way_to_a_kernel_becomes_a_graph() -> None:
    for before, gpu_id in each_place():
        for _, work in ways(CudaTransformer(gpu_id)):
            for _ in range(2 * OFTEN):
                work()
                assert current() == before
            steps()
            work()
            told = [line.split(" on ")[0] for line in steps() if line.startswith(("launch", "graph"))]
            assert told
            assert set(told) == {"graph"}


def a_graph_that_is_refused_is_its_frames_error() -> None:
    for before, gpu_id in each_place():
        gpu = CudaTransformer(gpu_id)
        for _, work in ways(gpu):
            for _ in range(2 * OFTEN):
                work()
            STRICT.driver_refuse(1)
            with pytest.raises(CudaError, match=r"^cuGraphLaunch: CUDA_ERROR_LAUNCH_FAILED$"):
                work()
            assert current() == before
            work()
            assert steps()


def a_driver_that_makes_no_graphs_launches_each_frame_and_is_asked_once() -> None:
    for before, gpu_id in each_place():
        for step, status in ((b"create", 1), (b"add", 12345), (b"instantiate", 801), (b"upload", 719)):
            STRICT.driver_refuse_graphs(step, status)
            for kernels, work in ways(CudaTransformer(gpu_id)):
                calls()
                asked = 0
                for _ in range(3 * OFTEN):
                    work()
                    assert current() == before
                    lines = calls()
                    asked += (tried := lines.count("graph: create"))
                    assert sum(line.startswith("launch on") for line in lines) >= kernels
                    assert lines.count("destroy graph: 0") == tried * (step != b"create")
                    assert lines.count("destroy what a graph became: 0") == tried * (step == b"upload")
                assert asked == kernels


def a_driver_without_the_functions_of_graphs_launches() -> None:
    for module, name in ((kernel_graph, "_add"), (launches, "_tell"), (launches, "_put_graph")):
        found = getattr(module, name)
        setattr(module, name, None)
        for _, work in ways(CudaTransformer(0)):
            for _ in range(2 * OFTEN):
                work()
            steps()
            work()
            assert not [line for line in steps() if line.startswith("graph")]
        setattr(module, name, found)


def a_batch_half_of_which_is_refused_is_waited_for() -> None:
    gpu = CudaTransformer(0)
    maker, own = Stream(gpu.device), Stream(gpu.device)
    sources: list[SurfaceView] = [borrowed(0, maker.address), allocate_on_device(VideoFormat.NV12, SIZE_WH, maker)]
    jobs = [Job(source, WHOLE, allocate_on_device(VideoFormat.RGBA, SIZE_WH, own)) for source in sources]
    real, put = Launch.put, 0

    def put_one(launch: Launch) -> None:
        nonlocal put
        put += 1
        if put == 2:
            raise CudaError("cuLaunchKernelEx: CUDA_ERROR_OUT_OF_MEMORY")
        real(launch)

    Launch.put = put_one  # type: ignore[method-assign]
    steps()
    with pytest.raises(CudaError, match="cuLaunchKernelEx: CUDA_ERROR_OUT_OF_MEMORY"):
        gpu.transform_batch(jobs)
    lines = steps()
    after = lines[lines.index(f"launch on {gpu.stream.address:x} of 0") + 1 :]
    event = after[0].split()[1]
    assert after[0] == f"mark {event} on {gpu.stream.address:x} of 0"
    waiting = {f"let {stream.address:x} of 0 wait for {event}" for stream in (maker, own)}
    assert set(after[1:]) == waiting
    assert any(plane in held for _, held in gpu._reading for plane in sources[0].device_planes)


def a_list_of_calls_whose_change_is_interrupted_stays_as_it_was() -> None:
    gpu = CudaTransformer(0)
    source, target = (allocate_on_device(VideoFormat.RGBA, SIZE_WH, gpu.stream) for _ in range(2))
    real: Any = driver_calls.address_of
    left = 0

    def interrupted(name: str) -> int:
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt
        return int(real(name))

    for _ in range(OFTEN - 1):
        gpu.transform(source, WHOLE, target)
    driver_calls.address_of, left = interrupted, 2
    with pytest.raises(KeyboardInterrupt):
        gpu.transform(source, WHOLE, target)
    gc.collect()
    for _ in range(2 * OFTEN):
        steps()
        gpu.transform(source, WHOLE, target)
        assert steps() == [f"launch on {gpu.stream.address:x} of 0"]
        assert current() is None


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # that no encoder of a GPU is there
    globals()[sys.argv[1]]()
