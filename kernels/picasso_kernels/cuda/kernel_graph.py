"""Graphs of one kernel: what the driver launches with the least calls."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Final

from picasso_kernels.cuda.driver import CudaError, Stream, bindings, check, demand
from picasso_kernels.cuda.libcuda import is_over, load_quick

_POINTER: Final = ctypes.c_void_p
_add: Final[Any] = getattr(load_quick(), "cuGraphAddKernelNode_v2", None)
"""By its address it takes the same parameters as the call that tells them later."""


class KernelGraph:
    """A graph of one kernel, ready to be launched on a stream; what is under way when it goes away goes on.

    It is put together and not captured: while a stream is captured, no thread may wait for the device.

    Raises:
        CudaError: The driver makes none of it.
    """

    def __init__(self, stream: Stream, parameters: int) -> None:
        """Make it of the ``CUDA_KERNEL_NODE_PARAMS_v2`` at an address; the device of ``stream`` has to be current."""
        self._device = stream.device
        self._graph: Any = None
        self._made: Any = None
        if _add is None:
            raise CudaError("this driver has no graphs")
        node = _POINTER()
        try:
            self._graph = check(bindings.cuGraphCreate(0), "cuGraphCreate")
            graph, no_other = _POINTER(int(self._graph)), (None, ctypes.c_size_t(0))
            demand(_add(ctypes.byref(node), graph, *no_other, _POINTER(parameters)), "cuGraphAddKernelNode")
            self._made = check(bindings.cuGraphInstantiate(self._graph, 0), "cuGraphInstantiate")
            check(bindings.cuGraphUpload(self._made, stream.handle), "cuGraphUpload")
        except (RuntimeError, ValueError) as error:  # a function that the driver lacks, a status without a name
            raise CudaError(f"no graph: {error}") from error
        self.address: int = int(self._made)
        self.node: int = node.value or 0
        """The kernel's."""

    def __del__(self, over: Callable[[], bool] = is_over) -> None:
        if over():
            return
        if self._made is not None:
            self._device.do(bindings.cuGraphExecDestroy, self._made)
        if self._graph is not None:
            self._device.do(bindings.cuGraphDestroy, self._graph)
