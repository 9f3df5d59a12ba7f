"""Graphs of one kernel: what the driver launches with the least calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from picasso_kernels.cuda.driver import Stream, bindings, check, is_over


class KernelGraph:
    """A graph of one kernel, ready to be launched on a stream; what is under way when it goes away goes on.

    Raises:
        CudaError: The driver makes none of it.
    """

    def __init__(self, stream: Stream, put: Callable[[Stream], None]) -> None:
        """Make the graph of what ``put`` puts on a stream, which is one kernel; its device has to be current."""
        self._device = stream.device
        self._graph: Any = None
        self._made: Any = None
        aside = Stream(stream.device)  # no one else puts work there meanwhile
        mode = bindings.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED
        check(bindings.cuStreamBeginCapture(aside.handle, mode), "cuStreamBeginCapture")
        try:
            put(aside)
        finally:
            self._graph = check(bindings.cuStreamEndCapture(aside.handle), "cuStreamEndCapture")
        self._made = check(bindings.cuGraphInstantiate(self._graph, 0), "cuGraphInstantiate")
        nodes, _ = check(bindings.cuGraphGetNodes(self._graph, 1), "cuGraphGetNodes")
        check(bindings.cuGraphUpload(self._made, stream.handle), "cuGraphUpload")
        self.address: int = int(self._made)
        self.node: int = int(nodes[0])
        """The kernel's."""

    def __del__(self, over: Callable[[], bool] = is_over) -> None:
        if over():
            return
        if self._made is not None:
            self._device.do(bindings.cuGraphExecDestroy, self._made)
        if self._graph is not None:
            self._device.do(bindings.cuGraphDestroy, self._graph)
