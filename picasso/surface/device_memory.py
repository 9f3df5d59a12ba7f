"""Memory of GPUs, and pinned memory of the host: taken from a stream-ordered pool, filled, read back; no pictures.

``cuda_memory`` makes surfaces of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from picasso.errors import DeviceError, SurfaceError, require
from picasso.surface.cuda import DeviceArray, DevicePlane
from picasso.surface.planes import Bytes

if TYPE_CHECKING:
    from picasso.surface.view import SurfaceView
    from picasso_kernels.cuda.driver import Device, Stream

_BLOCK: Final = 256
"""Device memory is handed out in multiples of this many bytes."""
MOST_AT_ONCE: Final = 1 << 15
"""Bytes of host memory that the driver copies at once and without waiting; it may wait from 64 KB on."""


def open_device(gpu_id: int) -> Device:
    """Return a GPU.

    Raises:
        MissingDependencyError: ``cuda.bindings`` or the driver is not installed.
        DeviceError: There is no such GPU, or it cannot be used.
    """
    require("cuda.bindings.driver", extra="cuda13")
    require("picasso_kernels.cuda.driver", hint="install NVIDIA's driver")
    from picasso_kernels.cuda.driver import CudaError, device_of

    try:
        return device_of(gpu_id)
    except (CudaError, RuntimeError) as error:
        raise DeviceError(f"GPU {gpu_id} cannot be used: {error}") from error


def new_stream(gpu_id: int) -> Stream:
    """Make a stream on a GPU; it goes back to the driver with the last thing that refers to it.

    Raises:
        MissingDependencyError: ``cuda.bindings`` or the driver is not installed.
        DeviceError: There is no such GPU, or it cannot be used.
    """
    device = open_device(gpu_id)
    from picasso_kernels.cuda.driver import Stream

    return Stream(device)


def order_streams(gpu_id: int, first: int, then: int) -> None:
    """Let what stream ``then`` is told from now on start after what stream ``first`` has been told so far.

    Numbers of default streams mean those of GPU ``gpu_id``.
    """
    open_device(gpu_id).order(first, then)


class StreamMemory:
    """Memory of a device that is used again in the order of a stream: one that waits for a reader need not hold it."""

    __slots__ = ("address", "stream")

    def __init__(self, address: int, stream: Stream) -> None:
        self.address: int = address
        self.stream: Stream = stream


class DeviceBlock(StreamMemory):
    """Memory of a device's pool; goes back, in the order of its stream, with the last thing that refers to it.

    Raises:
        DeviceError: The device has no room for it.
    """

    __slots__ = ()

    def __init__(self, size: int, stream: Stream) -> None:
        try:
            address = stream.device.allocate(-(-size // _BLOCK) * _BLOCK, stream)
        except RuntimeError as error:
            raise DeviceError(f"GPU {stream.device.index} gives no memory: {error}") from error
        super().__init__(address, stream)

    def __del__(self) -> None:
        if hasattr(self, "address"):
            self.stream.device.release(self.address, self.stream)


class StagedMemory:
    """Host memory, and as much on a device: written on the host, then sent in the order of a stream.

    The host's is not pinned on purpose: the driver takes a copy at once and puts it among the stream's own commands.
    On an H200 the kernel then starts 7 microseconds sooner than behind a copy from pinned memory, and no one has to
    know when the device has read it: it can be written again at once.
    """

    __slots__ = ("_block", "_copy", "_source", "_stream", "address", "bytes", "host")

    def __init__(self, size: int, stream: Stream) -> None:
        from picasso_kernels.cuda.driver import copy_to_device

        self._copy = copy_to_device
        self.host: Bytes = np.zeros(size, np.uint8)
        self.bytes: memoryview[int] = self.host.data
        self._source = self.host.ctypes.data
        self._stream = stream
        self._block = DeviceBlock(size, stream)
        self.address: int = self._block.address
        """Of the device's."""

    def send(self, size: int) -> None:
        """Copy the first bytes."""
        self.send_from(self._source, size)

    def send_from(self, source: int, size: int) -> None:
        """Copy bytes of the host at an address, which are not pinned: they may be written again at once."""
        if 0 < size <= MOST_AT_ONCE:
            self._copy(self.address, source, size, self._stream)
            return
        for start in range(0, size, MOST_AT_ONCE):
            part = min(MOST_AT_ONCE, size - start)
            self._copy(self.address + start, source + start, part, self._stream)


class _PinnedBlock:
    """Pinned host memory as an array interface; NumPy keeps it alive."""

    __slots__ = ("__array_interface__", "_memory")

    def __init__(self, device: Device, size: int) -> None:
        from picasso_kernels.cuda.driver import PinnedMemory

        try:
            self._memory = PinnedMemory(device, size)
        except RuntimeError as error:
            raise DeviceError(f"GPU {device.index} gives no pinned memory: {error}") from error
        self.__array_interface__ = {
            "version": 3,
            "shape": (size,),
            "typestr": "|u1",
            "data": (self._memory.address, False),
        }


def pinned_bytes(device: Device, size: int) -> Bytes:
    """Return flat pinned host memory; what it holds means nothing."""
    return np.asarray(_PinnedBlock(device, size))


def read_planes(planes: Sequence[DevicePlane], targets: Sequence[Bytes], gpu_id: int, stream: int) -> None:
    """Copy planes of a GPU into host arrays of the same shapes, once ``stream`` has made them, and wait for it."""
    device = open_device(gpu_id)
    device.wait_for(stream)
    from picasso_kernels.cuda.copies import Rows, copy_rows

    for source, target in zip(planes, targets, strict=True):
        from_device = Rows(True, source.ptr, source.strides[0])
        copy_rows(device, from_device, Rows(False, target.ctypes.data, target.strides[0]), _rows_of(source.shape))


def copy_planes(planes: Sequence[DevicePlane], targets: Sequence[DevicePlane], gpu_id: int, stream: int) -> None:
    """Copy planes of a GPU into planes of the same shapes there, once ``stream`` has made them, and wait for it."""
    device = open_device(gpu_id)
    device.wait_for(stream)
    from picasso_kernels.cuda.copies import Rows, copy_rows

    for source, target in zip(planes, targets, strict=True):
        there, here = Rows(True, source.ptr, source.strides[0]), Rows(True, target.ptr, target.strides[0])
        copy_rows(device, there, here, _rows_of(source.shape))


def copy_planes_from_peer(
    planes: Sequence[DevicePlane], targets: Sequence[DevicePlane], gpu_id: int, stream: Stream
) -> None:
    """Copy planes of another GPU into planes of the same shapes on that of ``stream``, in its order; does not wait."""
    from picasso_kernels.cuda.copies import Rows, copy_rows_from_peer

    owner = open_device(gpu_id)
    stream.device.reach(owner)
    for source, target in zip(planes, targets, strict=True):  # the stream's device is current
        there = Rows(True, source.ptr, source.strides[0])
        here = Rows(True, target.ptr, target.strides[0])
        copy_rows_from_peer(there, owner, here, _rows_of(source.shape), stream)


def write_corner(plane: DevicePlane, pixels: Bytes, gpu_id: int, stream: int) -> None:
    """Copy an array ``(H, W, C)`` into the top left corner of a plane of a GPU, and wait for it."""
    device = _wait_to_write([plane], gpu_id, stream)
    from picasso_kernels.cuda.copies import Rows, copy_rows

    tight = np.ascontiguousarray(pixels)
    to_device = Rows(True, plane.ptr, plane.strides[0])
    copy_rows(device, Rows(False, tight.ctypes.data, tight.strides[0]), to_device, _rows_of(tight.shape))


def copy_array_to_surface(array: DeviceArray, gpu_id: int, surface: SurfaceView) -> None:
    """Copy an array of uint8 on a GPU into the top left corner of a surface of one plane, and wait for it.

    Args:
        array: What is copied; it fits.
        gpu_id: Where it is.
        surface: Where it goes: on the host, on the same GPU, or on another.
    """
    from picasso_kernels.cuda.copies import Rows, copy_rows

    if surface.readonly:
        raise SurfaceError("the pixels are read-only")
    shape = _rows_of(array.shape)
    source = Rows(True, array.ptr, array.strides[0] if array.strides else shape[1])
    device = open_device(gpu_id)
    device.wait_for(array.stream or 0)
    if surface.is_cuda and surface.gpu_id == gpu_id:
        device.wait_for(surface.cuda_stream)
        plane = surface.device_plane
        copy_rows(device, source, Rows(True, plane.ptr, plane.strides[0]), shape)
        return
    host = np.empty(array.shape, np.uint8)
    copy_rows(device, source, Rows(False, host.ctypes.data, shape[1]), shape)
    surface.upload(host)


def fill_planes(planes: Sequence[DevicePlane], byte: int, gpu_id: int, stream: int) -> None:
    """Set every byte of planes of a GPU, and wait for it."""
    device = _wait_to_write(planes, gpu_id, stream)
    for plane in planes:
        device.fill(plane.ptr, plane.strides[0], byte, _rows_of(plane.shape))


def _wait_to_write(planes: Sequence[DevicePlane], gpu_id: int, stream: int) -> Device:
    """Return the device of planes, once the stream that makes their pixels is done."""
    if any(plane.read_only for plane in planes):
        raise SurfaceError("the pixels are read-only")
    device = open_device(gpu_id)
    device.wait_for(stream)
    return device


def _rows_of(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return how many rows a plane has, and how many bytes each."""
    return shape[0], int(np.prod(shape[1:]))
