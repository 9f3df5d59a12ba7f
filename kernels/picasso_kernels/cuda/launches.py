"""Kernels on streams: launched once, or again and again with other parameters.

A kernel that is launched often becomes a graph of this one kernel. To tell it its parameters and to launch it are two
calls of the driver that together take 2.5 microseconds; one launch of a kernel takes 4 to 5, and more with parameters
of many bytes (H200, driver 580). On the GPU both take the same time.
"""

from __future__ import annotations

import contextlib
import ctypes
from typing import Any, Final, NamedTuple

from picasso_kernels.cuda.driver import CudaError, Stream, demand
from picasso_kernels.cuda.kernel_graph import KernelGraph
from picasso_kernels.cuda.libcuda import load_quick

_quick: Final = load_quick()
_POINTER, _UINT = ctypes.c_void_p, ctypes.c_uint
_quick.cuLaunchKernel.argtypes = [_POINTER, *[_UINT] * 7, *[_POINTER] * 3]
_put_kernel: Final = _quick.cuLaunchKernelEx
_tell: Final[Any] = getattr(_quick, "cuGraphExecKernelNodeSetParams_v2", None)
_put_graph: Final[Any] = getattr(_quick, "cuGraphLaunch", None)
"""These take what ``Launch`` has converted already, so they are told no types."""
OFTEN: Final = 8
"""Launches after which a kernel becomes a graph."""
Size = tuple[int, int, int]


def address_of(call: str) -> int:
    """Return where a function of the driver is, by its name in the library."""
    return ctypes.cast(getattr(_quick, call), _POINTER).value or 0


class Arguments:
    """A kernel's parameters as the driver wants them: one packed block, handed over by its address.

    The driver copies the block when a kernel is launched; it can be written to again at once. Not for two threads.
    """

    def __init__(self, size: int) -> None:
        self.block: bytearray = bytearray(size)
        self._pinned = (ctypes.c_uint8 * size).from_buffer(self.block)  # keeps the block where it is
        self._size = ctypes.c_size_t(size)
        values = (1, ctypes.addressof(self._pinned), 2, ctypes.addressof(self._size), 0)
        self._extra = (ctypes.c_void_p * len(values))(*values)  # CU_LAUNCH_PARAM_BUFFER_POINTER, _SIZE, _END
        self.address: int = ctypes.addressof(self._extra)


def launch(
    function: int, grid: tuple[int, int, int], block: tuple[int, int, int], stream: Stream, arguments: Arguments
) -> None:
    """Put a kernel on a stream; the context of its device has to be current."""
    status = _quick.cuLaunchKernel(function, *grid, *block, 0, stream.address, None, arguments.address)
    demand(status, "cuLaunchKernel")


class _LaunchConfig(ctypes.Structure):
    """``CUlaunchConfig``: grid, block, dynamic shared memory, stream, no attributes."""

    _fields_ = (
        ("grid", _UINT * 3),
        ("block", _UINT * 3),
        ("shared", _UINT),
        ("stream", _POINTER),
        ("attributes", _POINTER),
        ("attribute_count", _UINT),
    )


class NodeParameters(ctypes.Structure):
    """``CUDA_KERNEL_NODE_PARAMS_v2``."""

    _fields_ = (
        ("function", _POINTER),
        ("grid", _UINT * 3),
        ("block", _UINT * 3),
        ("shared", _UINT),
        ("parameters", _POINTER),
        ("extra", _POINTER),
        ("kernel", _POINTER),
        ("context", _POINTER),
    )


class Call(NamedTuple):
    """A function of the driver and its arguments, as numbers."""

    name: str
    arguments: tuple[int, ...]


class _Graph:
    """A graph of one kernel, launched on one stream: told the kernel's parameters before each time.

    Raises:
        CudaError: The driver makes no such graph.
    """

    def __init__(self, launch: Launch, stream: Stream) -> None:
        if _tell is None or _put_graph is None:
            raise CudaError("this driver has no graphs")
        extra = launch.arguments.address
        self._parameters = NodeParameters(launch.function, launch.grid, launch.threads, 0, None, extra, None, None)
        parameters = ctypes.addressof(self._parameters)
        self._graph = KernelGraph(stream, parameters)  # keeps both addresses alive
        made, node = self._graph.address, self._graph.node
        self.calls: tuple[Call, ...] = (
            Call("cuGraphExecKernelNodeSetParams_v2", (made, node, parameters)),
            Call("cuGraphLaunch", (made, stream.address)),
        )
        self._told = _POINTER(made), _POINTER(node), _POINTER(parameters)
        self._put = _POINTER(made), _POINTER(stream.address)

    def put(self) -> None:
        """Tell the kernel its parameters, and launch the graph."""
        if status := _tell(*self._told):
            demand(status, "cuGraphExecKernelNodeSetParams")
        if status := _put_graph(*self._put):
            demand(status, "cuGraphLaunch")


class Launch:
    """A kernel that goes on one stream again and again, only its parameters change: write those to ``block``.

    All else is converted for the driver once. Not for two threads.
    """

    __slots__ = (
        "_call", "_config", "_count", "_graph", "_has_tried", "_stream", "arguments", "block", "function", "grid",
        "threads"
    )  # fmt: skip

    def __init__(self, function: int, grid: Size, threads: Size, stream: Stream, arguments: Arguments) -> None:
        self.function: int = function
        self.grid: Any = (_UINT * 3)(*grid)
        self.threads: Any = (_UINT * 3)(*threads)
        self._config = _LaunchConfig(self.grid, self.threads, 0, stream.address, None, 0)
        self._call = (ctypes.byref(self._config), _POINTER(function), None, _POINTER(arguments.address))
        self._stream = stream
        self._graph: _Graph | None = None
        self._has_tried = False
        """Whether the driver was asked for a graph; one that refused is not asked again."""
        self._count = 0
        self.arguments: Arguments = arguments
        self.block: bytearray = arguments.block
        """The kernel's parameters."""

    def put(self) -> None:
        """Put the kernel on its stream; the context of its device has to be current.

        Raises:
            CudaError: The driver refuses it. That it makes no graph of it is no error.
        """
        graph = self._graph
        if graph is not None:
            graph.put()
            return
        self._count += 1
        if status := _put_kernel(*self._call):
            demand(status, "cuLaunchKernelEx")
        if self._count == OFTEN:
            self._make_graph()

    def call(self) -> Call:
        """Return the call that puts it on its stream, for those who make it together with others."""
        config, arguments = ctypes.addressof(self._config), self.arguments.address
        return Call("cuLaunchKernelEx", (config, self.function, 0, arguments))

    def graph_calls(self) -> tuple[Call, ...]:
        """Return the calls that do the same by a graph, which is made if need be; ``call`` where there is none."""
        graph = self._graph or self._make_graph()
        return (self.call(),) if graph is None else graph.calls

    def _make_graph(self) -> _Graph | None:
        if not self._has_tried:
            self._has_tried = True
            with contextlib.suppress(CudaError):  # then it stays a launch
                self._graph = _Graph(self, self._stream)
        return self._graph
