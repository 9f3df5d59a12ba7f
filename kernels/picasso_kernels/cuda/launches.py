"""Kernels on their way to a stream: parameters as one block, and calls that are converted for the driver once."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Final

from picasso_kernels.cuda.driver import demand
from picasso_kernels.cuda.libcuda import load_quick

if TYPE_CHECKING:
    from picasso_kernels.cuda.driver import Stream

_quick: Final = load_quick()
_POINTER, _UINT = ctypes.c_void_p, ctypes.c_uint
_quick.cuLaunchKernel.argtypes = [_POINTER, *[_UINT] * 7, *[_POINTER] * 3]
_put_kernel: Final = _quick.cuLaunchKernelEx
"""Takes what ``Launch`` has converted already, so it is told no types."""


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


class Launch:
    """A kernel that goes on one stream again and again, only its parameters change: write those to ``block``.

    All else is converted for the driver once: of the 4.4 microseconds of ``launch``, half are conversions.
    """

    __slots__ = ("_call", "_config", "arguments", "block")

    def __init__(
        self,
        function: int,
        grid: tuple[int, int, int],
        block: tuple[int, int, int],
        stream: Stream,
        arguments: Arguments,
    ) -> None:
        config = _LaunchConfig((_UINT * 3)(*grid), (_UINT * 3)(*block), 0, stream.address, None, 0)
        self._config = config
        self._call = (ctypes.byref(config), _POINTER(function), None, _POINTER(arguments.address))
        self.arguments: Arguments = arguments
        self.block: bytearray = arguments.block
        """The kernel's parameters."""

    def put(self) -> None:
        """Put the kernel on its stream; the context of its device has to be current."""
        if status := _put_kernel(*self._call):
            demand(status, "cuLaunchKernelEx")
