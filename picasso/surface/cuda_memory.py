"""Surfaces in GPU memory: made, filled from the host or from another GPU, read back.

The rule for pixels that are not where they are needed: ``Uploader.bring`` copies a host surface through pinned memory,
and one of another GPU directly where the hardware can; ``download`` copies one on a GPU to the host. Nothing else moves
pixels.
"""

from __future__ import annotations

import functools
import sys
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from picasso.errors import SurfaceError
from picasso.surface.cuda import DevicePlane
from picasso.surface.device_memory import (
    MOST_AT_ONCE,
    DeviceBlock,
    StagedMemory,
    copy_planes,
    copy_planes_from_peer,
    new_stream,
    open_device,
    order_streams,
    pinned_bytes,
    read_planes,
)
from picasso.surface.formats import ColorSpace, VideoFormat
from picasso.surface.pixels import SQUARE, Pixels, pixels_of
from picasso.surface.planes import Bytes, byte_size, over_memory
from picasso.surface.view import SurfaceView, view_over

__all__ = [
    "MOST_AT_ONCE",
    "DeviceBlock",
    "StagedMemory",
    "Uploader",
    "allocate_on_device",
    "allocate_pinned",
    "allocator_on_device",
    "copied",
    "copy_bytes_to_device",
    "copy_bytes_to_host",
    "download",
    "new_stream",
    "open_device",
    "order_streams",
    "pinned_bytes",
    "view_of_block",
]

if TYPE_CHECKING:
    from picasso_kernels.cuda.driver import Device, Event, Stream


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


def allocator_on_device(
    format: VideoFormat, size_wh: tuple[int, int], stream: Stream, color: ColorSpace | None = None
) -> Callable[[], SurfaceView]:
    """Return what makes surfaces as ``allocate_on_device`` does: what all have in common is looked up once."""
    size, ready = byte_size(format, size_wh), stream.address
    places = [(offset, plane.shape, plane.strides) for offset, plane in _plane_places(format, size_wh)]
    none = SurfaceView((), format, size_wh, color, gpu_id=stream.device.index, cuda_stream=ready)
    same = pixels_of(none)[1:]

    def allocate() -> SurfaceView:
        block = DeviceBlock(size, stream)
        address = block.address
        planes = [DevicePlane(address + at, shape, strides, False, ready, block) for at, shape, strides in places]
        return view_over(SurfaceView, tuple.__new__(Pixels, (tuple(planes), *same)))

    return allocate


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


def allocate_pinned(
    format: VideoFormat, size_wh: tuple[int, int], device: Device, color: ColorSpace | None = None
) -> SurfaceView:
    """Make a surface in pinned host memory, laid out as ``SurfaceView.allocate`` does."""
    memory = pinned_bytes(device, byte_size(format, size_wh))
    return SurfaceView(over_memory(memory, format, size_wh), format, size_wh, color)


class Uploader:
    """Brings surfaces to a GPU, on one stream; pinned memory is kept for the next. For one thread."""

    __slots__ = ("_event", "_leaving", "_pinned", "_stream")

    def __init__(self, stream: Stream) -> None:
        from picasso_kernels.cuda.driver import Event

        self._stream = stream
        self._pinned: dict[tuple[VideoFormat, tuple[int, int]], SurfaceView] = {}
        self._event: Event = Event(stream.device)
        self._leaving: deque[tuple[Event, tuple[DevicePlane, ...]]] = deque()
        """What is being read on another GPU, until it has been read."""

    def bring(self, surface: SurfaceView) -> SurfaceView:
        """Return a surface that is on the stream's GPU: the same one, or a copy that follows on the stream.

        The source may be changed at once if it is in host memory. One on another GPU is kept alive until it has been
        read, after its producer's stream has made it, and that stream goes on once it has been read.
        """
        if not surface.is_cuda:
            return self.upload(surface)
        device = self._stream.device
        if surface.gpu_id == device.index:
            return surface
        from picasso_kernels.cuda.driver import Event

        planes, producer, owner = surface.device_planes, surface.cuda_stream, open_device(surface.gpu_id)
        if producer:
            owner.order(producer, self._stream.address)
        with device.current():
            copy = allocate_on_device(surface.format, surface.size_wh, self._stream, surface.color)
            copy_planes_from_peer(planes, copy.device_planes, surface.gpu_id, self._stream)
            read = Event(device)
            read.record(self._stream)
        self._leaving.append((read, planes))
        if producer:
            with owner.current():  # a default stream is that of the device that is current
                read.hold(producer)
        with device.current():
            while self._leaving and self._leaving[0][0].done:
                self._leaving.popleft()
        return with_ratio_of(surface, copy)

    def upload(self, surface: SurfaceView) -> SurfaceView:
        """Return a copy in GPU memory, usable by what follows on the stream; the source may be changed at once."""
        key = (surface.format, surface.size_wh)
        self._event.wait()  # until the pinned memory has been read
        pinned = self._pinned.get(key)
        if pinned is None:
            self._pinned.clear()
            pinned = self._pinned[key] = allocate_pinned(*key, self._stream.device)
        for target, source in zip(pinned.planes, surface.planes, strict=True):
            np.copyto(target, source)
        with self._stream.device.current():
            copy = allocate_on_device(*key, self._stream, surface.color)
            copy_bytes_to_device(pinned, copy, self._stream)
            self._event.record(self._stream)
        return with_ratio_of(surface, copy)

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        if ending() or not hasattr(self, "_leaving"):  # at the end of the process: a thread may have held it until then
            return
        self._event.settle()  # the pinned memory goes with this object
        for read, _ in self._leaving:
            read.settle()


def copy_bytes_to_device(source: SurfaceView, target: SurfaceView, stream: Stream) -> None:
    """Copy between surfaces of one layout, of ``allocate_pinned`` and ``allocate_on_device``; does not wait."""
    from picasso_kernels.cuda.driver import copy_to_device

    copy_to_device(target.data_ptr, source.data_ptr, byte_size(target.format, target.size_wh), stream)


def copy_bytes_to_host(source: SurfaceView, target: SurfaceView, stream: Stream) -> None:
    """Copy between surfaces of one layout, of ``allocate_on_device`` and ``allocate_pinned``; does not wait."""
    from picasso_kernels.cuda.copies import copy_to_host

    copy_to_host(target.data_ptr, source.data_ptr, byte_size(source.format, source.size_wh), stream)


def download(surface: SurfaceView) -> SurfaceView:
    """Return a copy of a GPU surface in host memory, once its producer's stream has made the pixels.

    Raises:
        SurfaceError: The surface is in host memory already.
    """
    if not surface.is_cuda:
        raise SurfaceError("the surface is in host memory already")
    copy = SurfaceView.allocate(surface.format, surface.size_wh, surface.color)
    read_planes(surface.device_planes, copy.planes, surface.gpu_id, surface.cuda_stream)
    return with_ratio_of(surface, copy)


def copied(surface: SurfaceView) -> SurfaceView:
    """Return a copy of a surface on its own GPU, and wait for it: the surface may be written to again at once.

    Raises:
        DeviceError: The GPU has no room for it.
    """
    device = open_device(surface.gpu_id)
    from picasso_kernels.cuda.driver import Stream

    stream = Stream(device)
    copy = allocate_on_device(surface.format, surface.size_wh, stream, surface.color)
    stream.wait()  # the memory is there for what follows on this stream
    copy_planes(surface.device_planes, copy.device_planes, surface.gpu_id, surface.cuda_stream)
    return with_ratio_of(surface, copy)


def with_ratio_of(surface: SurfaceView, copy: SurfaceView) -> SurfaceView:
    """Return a copy of a surface whose pixels have the shape of the surface's."""
    ratio = surface.sample_aspect_ratio
    return copy if ratio is SQUARE else copy.with_sample_aspect_ratio(ratio)
