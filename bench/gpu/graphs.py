"""Measure what a CUDA graph would save in the steady state of a source, where each frame has other addresses.

    python bench/gpu/graphs.py

The same work in five ways, in turns: each kernel launched by itself; each kernel a graph of its own that is told its
parameters, as ``cuda/launches`` does with those that come often; one graph of all kernels, told their parameters again
for each frame by ``ctypes`` and by ``cuda.bindings``; and the same graph as it is, the least that any use of it takes.
Host and GPU time a frame, medians. The calls alone are timed: what a frame computes for its parameters is the same in
all ways. A way that fails says why, and the others go on.
"""

from __future__ import annotations

import ctypes
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "cuda"))
from clock import REPEATS, Stopwatch
from engine_run import drawing, make_frame
from workloads import FRAMES, PICTURES, upload_frames

from picasso.draw import Scene
from picasso.draw.cuda import CudaPainter
from picasso.surface import VideoFormat
from picasso.surface.cuda_memory import allocate_on_device
from picasso.transform.cuda import CudaTransformer, Job
from picasso_kernels.cuda.driver import Event, Stream, check, driver
from picasso_kernels.cuda.launches import Launch, NodeParameters
from picasso_kernels.cuda.libcuda import load_quick

IN_A_ROW = 40
"""Frames between two looks at the clock."""
_POINTER, _UINT = ctypes.c_void_p, ctypes.c_uint
Work = Callable[[], object]


class Kernel(NamedTuple):
    """A kernel of the steady state: how it is launched, and the same by its parts."""

    launch: Launch
    function: int
    grid: tuple[int, int, int]
    block: tuple[int, int, int]


def kernel_of(launch: Launch) -> Kernel:
    """Read a launch's parts."""
    launch.graph_calls()  # makes its graph, so that ``put`` no longer launches the kernel by itself
    return Kernel(launch, launch.function, tuple(launch.grid), tuple(launch.threads))


def plain_launch(launch: Launch) -> Work:
    """Return what puts a kernel on its stream by one call, as before it became a graph."""
    name, values = launch.call()
    call, arguments = getattr(load_quick(), name), [_POINTER(value) for value in values]

    def put() -> None:
        if status := call(*arguments):
            raise RuntimeError(f"{name}: {status}")

    return put


class Graph:
    """A captured graph, its kernels in their order."""

    def __init__(self, work: Work, stream: Stream) -> None:
        mode = driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED
        check(driver.cuStreamBeginCapture(stream.handle, mode), "cuStreamBeginCapture")
        work()
        self.graph = check(driver.cuStreamEndCapture(stream.handle), "cuStreamEndCapture")
        self.made = check(driver.cuGraphInstantiate(self.graph, 0), "cuGraphInstantiate")
        _, count = check(driver.cuGraphGetNodes(self.graph), "cuGraphGetNodes")
        nodes, _ = check(driver.cuGraphGetNodes(self.graph, count), "cuGraphGetNodes")
        kind = driver.CUgraphNodeType.CU_GRAPH_NODE_TYPE_KERNEL
        self.kernels = [node for node in nodes if check(driver.cuGraphNodeGetType(node), "type") == kind]
        check(driver.cuGraphUpload(self.made, stream.handle), "cuGraphUpload")

    def launch_by_ctypes(self, kernels: Sequence[Kernel], stream: Stream, *, told: bool) -> Work:
        """Return what tells the kernels their parameters, if it is to, and launches the graph."""
        quick, made = load_quick(), int(self.made)
        tell, launch = quick.cuGraphExecKernelNodeSetParams_v2, quick.cuGraphLaunch
        tell.argtypes, launch.argtypes = [_POINTER] * 3, [_POINTER] * 2
        calls, address = [], stream.address
        for node, (own, function, grid, block) in zip(self.kernels, kernels, strict=True):
            extra = own.arguments.address
            values = NodeParameters(function, (_UINT * 3)(*grid), (_UINT * 3)(*block), 0, None, extra, None, None)
            calls.append((int(node), values, ctypes.addressof(values)))

        def put() -> None:
            for node, _, values in calls:
                if status := tell(made, node, values):
                    raise RuntimeError(f"cuGraphExecKernelNodeSetParams: {status}")
            if status := launch(made, address):
                raise RuntimeError(f"cuGraphLaunch: {status}")

        def launch_only() -> None:
            if status := launch(made, address):
                raise RuntimeError(f"cuGraphLaunch: {status}")

        return put if told else launch_only

    def launch_by_bindings(self, kernels: Sequence[Kernel], stream: Stream) -> Work:
        """Return the same by ``cuda.bindings``."""
        calls = []
        for node, (own, function, grid, block) in zip(self.kernels, kernels, strict=True):
            values = driver.CUDA_KERNEL_NODE_PARAMS()
            values.func = driver.CUfunction(function)
            values.gridDimX, values.gridDimY, values.gridDimZ = grid
            values.blockDimX, values.blockDimY, values.blockDimZ = block
            values.extra = own.arguments.address
            calls.append((node, values))

        def put() -> None:
            for node, values in calls:
                check(driver.cuGraphExecKernelNodeSetParams(self.made, node, values), "SetParams")
            check(driver.cuGraphLaunch(self.made, stream.handle), "cuGraphLaunch")

        return put


class Steady(NamedTuple):
    """A steady state: its name, what goes before the graph or the launches, its kernels, what all of it writes."""

    name: str
    before: Work
    kernels: list[Kernel]
    target: Any


def nothing() -> None:
    """Do what no frame needs before its kernels."""


def steady_states(gpu: CudaTransformer) -> list[Steady]:
    """Return one picture, one picture with 20 labelled boxes, and a batch of 32."""
    workload, stream = PICTURES[1], gpu.stream
    placement = workload.placement
    sources = upload_frames(VideoFormat.RGBA, placement.source_wh, stream)
    targets = [allocate_on_device(VideoFormat.NV12, placement.target_wh, stream) for _ in sources]
    gpu.transform(sources[0], placement, targets[0])
    transform = kernel_of(gpu._prepare(sources[0], placement, gpu.bind(targets[0]), workload.interpolation).launch)

    scene, painter = Scene(), CudaPainter(stream)
    scene.set_specs(drawing())
    listed = scene.build(make_frame("bench", 0, 20, placement.target_wh), {}, placement.target_wh)
    painter.paint(targets[0], listed)
    paint = kernel_of(painter._ready_canvas(targets[0])._launch)

    def send_lists() -> None:
        if listed.address:
            painter._lists.room_for(len(listed.glyphs) * 20 + 64 + listed.commands.nbytes)
            painter._lists.send_part(listed.address, -(-len(listed.glyphs) * 20 // 64) * 64 + listed.commands.nbytes)
        else:
            painter._lists.send(listed.commands, listed.glyphs)

    gpu.transform_batch([Job(a, placement, b) for a, b in zip(sources, targets, strict=True)])
    batch = kernel_of(gpu._batches._kept[0]._groups[0]._launch)
    kept = (sources, targets, painter, listed)
    return [
        Steady("a picture: transform, event", nothing, [transform], (targets[0], kept)),
        Steady(
            "a picture with 20 boxes: transform, list, paint, event", send_lists, [transform, paint], (targets[0], kept)
        ),
        Steady(f"a batch of {FRAMES}: 10 KB of parameters, event", nothing, [batch], (targets[-1], kept)),
    ]


def ways_of(state: Steady, stream: Stream) -> dict[str, Work]:
    """Return the ways to put a steady state on the stream; those that the driver refuses are named and left out."""
    event, kernels = Event(stream.device), state.kernels

    def whole(put: Work) -> Work:
        def frame() -> None:
            state.before()
            put()
            event.record(stream)

        return frame

    plain = [plain_launch(kernel.launch) for kernel in kernels]

    def launches() -> None:
        for put in plain:
            put()

    def graphs() -> None:
        for kernel in kernels:
            kernel.launch.put()

    graph = Graph(launches, stream)
    ways: dict[str, Callable[[], Work]] = {
        "each kernel launched": lambda: launches,
        "each kernel a graph, as today": lambda: graphs,
        "one graph, parameters told by ctypes": lambda: graph.launch_by_ctypes(kernels, stream, told=True),
        "one graph, parameters told by cuda.bindings": lambda: graph.launch_by_bindings(kernels, stream),
        "one graph as it is": lambda: graph.launch_by_ctypes(kernels, stream, told=False),
    }
    made: dict[str, Work] = {}
    expected: Any = None
    for name, make in ways.items():
        try:
            work = whole(make())
            state.target[0].memset(0)
            work()
            stream.wait()
            pixels = state.target[0].to_numpy()
            expected = pixels if expected is None else expected
            if not np.array_equal(pixels, expected):
                raise RuntimeError("other pixels than those of the first way")
            made[name] = work
        except Exception as error:  # noqa: BLE001  # the driver's refusal of one way hides no other
            print(f"{state.name}, {name}: {type(error).__name__}: {error}")
    return made


def host_us(work: Work, stream: Stream) -> float:
    """Return the host's time for a frame, of some in a row."""
    started = time.perf_counter()
    for _ in range(IN_A_ROW):
        work()
    spent = (time.perf_counter() - started) / IN_A_ROW * 1e6
    stream.wait()
    return spent


def main() -> None:
    """Measure and print."""
    gpu = CudaTransformer()
    watch = Stopwatch(gpu.stream)
    print(f"{gpu.device.name}; host us a frame (least, median), GPU us a frame")
    for state in steady_states(gpu):
        ways = ways_of(state, gpu.stream)
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(2 * REPEATS):
            for name, work in ways.items():
                times[name].append(host_us(work, gpu.stream))
        print(state.name)
        for name, work in ways.items():
            on_gpu = watch.gpu_us(lambda work=work: [work() for _ in range(8)]) / 8
            host = times[name]
            print(f"    {name:42s} {min(host):7.2f} {statistics.median(host):7.2f} {on_gpu:8.2f}", flush=True)


if __name__ == "__main__":
    main()
