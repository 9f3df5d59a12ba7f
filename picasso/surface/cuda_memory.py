"""Surfaces in GPU memory: taken from a stream-ordered pool, filled from the host, read back.

The rule for pixels that are not where they are needed: ``upload`` copies a host surface through pinned memory to a
surface on a GPU, ``download`` copies one on a GPU through pinned memory to the host. Nothing else moves pixels, and
nothing moves them from GPU to GPU.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

import numpy as np

from picasso.errors import DeviceError, SurfaceError, require
from picasso.surface.cuda import DeviceArray, DevicePlane
from picasso.surface.formats import ColorSpace, VideoFormat
from picasso.surface.planes import Bytes, byte_size, over_memory
from picasso.surface.view import SurfaceView

if TYPE_CHECKING:
    from picasso_kernels.cuda.driver import Device, Event, Stream

_BLOCK: Final = 256
"""Device memory is handed out in multiples of this many bytes."""
_STAGED: Final = 1 << 15
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


def order_streams(gpu_id: int, first: int, then: int) -> None:
    """Let what stream ``then`` is told from now on start after what stream ``first`` has been told so far."""
    device = open_device(gpu_id)
    from picasso_kernels.cuda.driver import Event

    device.make_current()
    event = Event(device)
    event.mark(first)
    event.hold(then)


class DeviceBlock:
    """Memory of a device's pool; goes back, in the order of its stream, with the last thing that refers to it."""

    __slots__ = ("address", "stream")

    def __init__(self, size: int, stream: Stream) -> None:
        self.stream = stream
        self.address = stream.device.allocate(-(-size // _BLOCK) * _BLOCK, stream)

    def __del__(self) -> None:
        self.stream.device.release(self.address, self.stream)


class StagedMemory:
    """Host memory, and as much on a device: written on the host, then sent in the order of a stream.

    The host's is not pinned on purpose: the driver takes a copy at once and puts it among the stream's own commands.
    On an H200 the kernel then starts 7 microseconds sooner than behind a copy from pinned memory, and nobody has to
    know when the device has read it: it can be written again at once.
    """

    __slots__ = ("_block", "_source", "_stream", "address", "bytes", "host")

    def __init__(self, size: int, stream: Stream) -> None:
        self.host = np.zeros(size, np.uint8)
        self.bytes = self.host.data
        self._source = self.host.ctypes.data
        self._stream = stream
        self._block = DeviceBlock(size, stream)
        self.address = self._block.address
        """Of the device's."""

    def send(self, size: int) -> None:
        """Copy the first bytes."""
        from picasso_kernels.cuda.driver import copy_to_device

        if 0 < size <= _STAGED:
            copy_to_device(self.address, self._source, size, self._stream)
            return
        for start in range(0, size, _STAGED):
            part = min(_STAGED, size - start)
            copy_to_device(self.address + start, self._source + start, part, self._stream)


class _PinnedBlock:
    """Pinned host memory as an array interface; NumPy keeps it alive."""

    __slots__ = ("__array_interface__", "_memory")

    def __init__(self, device: Device, size: int) -> None:
        from picasso_kernels.cuda.driver import PinnedMemory

        self._memory = PinnedMemory(device, size)
        self.__array_interface__ = {
            "version": 3,
            "shape": (size,),
            "typestr": "|u1",
            "data": (self._memory.address, False),
        }


@functools.lru_cache(maxsize=64)
def _plane_places(format: VideoFormat, size_wh: tuple[int, int]) -> tuple[tuple[int, Bytes], ...]:
    """Return offset and an array of the shape and strides of each plane, as ``over_memory`` lays them out."""
    memory = np.empty(byte_size(format, size_wh), np.uint8)
    start = memory.ctypes.data
    return tuple((plane.ctypes.data - start, plane) for plane in over_memory(memory, format, size_wh))


def allocate_on_device(
    format: VideoFormat, size_wh: tuple[int, int], stream: Stream, color: ColorSpace | None = None
) -> SurfaceView:
    """Make a surface in GPU memory, laid out as ``SurfaceView.allocate`` does; what it holds means nothing.

    Its pixels may be used by what follows on ``stream``; the memory goes back to the pool in the order of ``stream``.
    """
    block = DeviceBlock(byte_size(format, size_wh), stream)
    return view_of_block(block, format, size_wh, color, owner=block)


def view_of_block(
    block: DeviceBlock,
    format: VideoFormat,
    size_wh: tuple[int, int],
    color: ColorSpace | None = None,
    *,
    owner: object,
    cuda_stream: int = 0,
) -> SurfaceView:
    """View a block of ``byte_size`` bytes as a picture whose pixels are ready on a stream, by default the block's."""
    ready = cuda_stream or block.stream.address
    planes = tuple(
        DevicePlane(block.address + offset, plane.shape, plane.strides, read_only=False, stream=ready, owner=owner)
        for offset, plane in _plane_places(format, size_wh)
    )
    return SurfaceView(planes, format, size_wh, color, gpu_id=block.stream.device.index, cuda_stream=ready)


def pinned_bytes(device: Device, size: int) -> Bytes:
    """Return flat pinned host memory; what it holds means nothing."""
    return np.asarray(_PinnedBlock(device, size))


def allocate_pinned(
    format: VideoFormat, size_wh: tuple[int, int], device: Device, color: ColorSpace | None = None
) -> SurfaceView:
    """Make a surface in pinned host memory, laid out as ``SurfaceView.allocate`` does."""
    memory = pinned_bytes(device, byte_size(format, size_wh))
    return SurfaceView(over_memory(memory, format, size_wh), format, size_wh, color)


class Uploader:
    """Brings host surfaces to a GPU, on one stream; pinned memory is kept for the next. For one thread."""

    __slots__ = ("_event", "_pinned", "_stream")

    def __init__(self, stream: Stream) -> None:
        from picasso_kernels.cuda.driver import Event

        self._stream = stream
        self._pinned: dict[tuple[VideoFormat, tuple[int, int]], SurfaceView] = {}
        self._event: Event = Event(stream.device)

    def upload(self, surface: SurfaceView) -> SurfaceView:
        """Return a copy in GPU memory, usable by what follows on the stream; the source may be changed at once."""
        key = (surface.format, surface.size_wh)
        pinned = self._pinned.get(key)
        if pinned is None:
            self._pinned.clear()
            pinned = self._pinned[key] = allocate_pinned(*key, self._stream.device)
        self._event.wait()  # until the pinned memory has been read
        for target, source in zip(pinned.planes, surface.planes, strict=True):
            np.copyto(target, source)
        copy = allocate_on_device(*key, self._stream, surface.color)
        copy_bytes_to_device(pinned, copy, self._stream)
        self._event.record(self._stream)
        return copy

    def __del__(self) -> None:
        self._event.settle()  # the pinned memory goes with this object


def copy_bytes_to_device(source: SurfaceView, target: SurfaceView, stream: Stream) -> None:
    """Copy between surfaces of one layout, of ``allocate_pinned`` and ``allocate_on_device``; does not wait."""
    from picasso_kernels.cuda.driver import copy_to_device

    copy_to_device(target.data_ptr, source.data_ptr, byte_size(target.format, target.size_wh), stream)


def copy_bytes_to_host(source: SurfaceView, target: SurfaceView, stream: Stream) -> None:
    """Copy between surfaces of one layout, of ``allocate_on_device`` and ``allocate_pinned``; does not wait."""
    from picasso_kernels.cuda.driver import copy_to_host

    copy_to_host(target.data_ptr, source.data_ptr, byte_size(source.format, source.size_wh), stream)


def download(surface: SurfaceView) -> SurfaceView:
    """Return a copy of a GPU surface in host memory, once its producer's stream has made the pixels.

    Raises:
        SurfaceError: The surface is in host memory already.
    """
    if not surface.is_cuda:
        raise SurfaceError("the surface is in host memory already")
    open_device(surface.gpu_id).wait_for(surface.cuda_stream)
    from picasso_kernels.cuda.driver import Rows, copy_rows

    copy = SurfaceView.allocate(surface.format, surface.size_wh, surface.color)
    for source, target in zip(surface.device_planes, copy.planes, strict=True):
        from_device = Rows(True, source.ptr, source.strides[0])
        copy_rows(from_device, Rows(False, target.ctypes.data, target.strides[0]), _rows_of(source.shape))
    return copy


def upload_corner(surface: SurfaceView, pixels: Bytes) -> None:
    """Copy an array ``(H, W, C)`` into the top left corner of a GPU surface of one plane, and wait for it."""
    _wait_to_write(surface)
    from picasso_kernels.cuda.driver import Rows, copy_rows

    plane, tight = surface.device_plane, np.ascontiguousarray(pixels)
    to_device = Rows(True, plane.ptr, plane.strides[0])
    copy_rows(Rows(False, tight.ctypes.data, tight.strides[0]), to_device, _rows_of(tight.shape))


def copy_array_to_surface(array: DeviceArray, gpu_id: int, surface: SurfaceView) -> None:
    """Copy an array of uint8 on a GPU into the top left corner of a surface of one plane, and wait for it.

    Args:
        array: What is copied; it fits.
        gpu_id: Where it is.
        surface: Where it goes: on the host, on the same GPU, or on another.
    """
    from picasso_kernels.cuda.driver import Rows, copy_rows

    if surface.readonly:
        raise SurfaceError("the pixels are read-only")
    shape = _rows_of(array.shape)
    source = Rows(True, array.ptr, array.strides[0] if array.strides else shape[1])
    device = open_device(gpu_id)
    device.wait_for(array.stream or 0)
    if surface.is_cuda and surface.gpu_id == gpu_id:
        device.wait_for(surface.cuda_stream)
        plane = surface.device_plane
        copy_rows(source, Rows(True, plane.ptr, plane.strides[0]), shape)
        device.wait_for(0)  # a copy on the device does not wait by itself
        return
    host = np.empty(array.shape, np.uint8)
    copy_rows(source, Rows(False, host.ctypes.data, shape[1]), shape)
    surface.upload(host)


def fill_planes(surface: SurfaceView, byte: int) -> None:
    """Set every byte of every plane of a GPU surface, and wait for it."""
    device = _wait_to_write(surface)
    for plane in surface.device_planes:
        device.fill(plane.ptr, plane.strides[0], byte, _rows_of(plane.shape))


def _wait_to_write(surface: SurfaceView) -> Device:
    """Make the surface's device current, and wait for the stream that makes its pixels."""
    if surface.readonly:
        raise SurfaceError("the pixels are read-only")
    device = open_device(surface.gpu_id)
    device.wait_for(surface.cuda_stream)
    return device


def _rows_of(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return how many rows a plane has, and how many bytes each."""
    return shape[0], int(np.prod(shape[1:]))
