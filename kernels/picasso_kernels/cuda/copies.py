"""Copies between the host and GPUs, and from one GPU to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from picasso_kernels.cuda.driver import bindings, check

if TYPE_CHECKING:
    from picasso_kernels.cuda.driver import Device, Stream


class Rows(NamedTuple):
    """Rows of bytes on a device or on the host."""

    on_device: bool
    address: int
    pitch: int
    """Bytes from a row to the next."""


def copy_to_host(target: int, source: int, size: int, stream: Stream) -> None:
    """Copy GPU memory to the host; asynchronous if the host's is pinned."""
    check(bindings.cuMemcpyDtoHAsync(target, source, size, stream.handle), "cuMemcpyDtoHAsync")


def copy_rows(device: Device, source: Rows, target: Rows, shape: tuple[int, int]) -> None:
    """Copy ``(rows, bytes a row)`` between the host and a device, or on it, and wait until all of it is there."""
    with device.current():
        check(bindings.cuMemcpy2D(_copy_of(source, target, shape)), "cuMemcpy2D")
        if target.on_device:  # the driver returns once it has read the host's memory, or has begun
            device.wait_for(0)


def copy_rows_in_order(source: Rows, target: Rows, shape: tuple[int, int], stream: Stream) -> None:
    """Copy ``(rows, bytes a row)`` on a stream's device, in its order; does not wait."""
    with stream.device.current():
        check(bindings.cuMemcpy2DAsync(_copy_of(source, target, shape), stream.handle), "cuMemcpy2DAsync")


def copy_rows_from_peer(source: Rows, owner: Device, target: Rows, shape: tuple[int, int], stream: Stream) -> None:
    """Copy ``(rows, bytes a row)`` from another device to that of ``stream``, in its order."""
    kinds = bindings.CUmemorytype
    copy = bindings.CUDA_MEMCPY3D_PEER()
    copy.srcMemoryType = copy.dstMemoryType = kinds.CU_MEMORYTYPE_DEVICE
    copy.srcContext, copy.dstContext = owner.context, stream.device.context
    copy.srcDevice, copy.dstDevice = source.address, target.address
    copy.srcPitch, copy.dstPitch = source.pitch, target.pitch
    copy.srcHeight = copy.dstHeight = copy.Height = shape[0]
    copy.WidthInBytes, copy.Depth = shape[1], 1
    check(bindings.cuMemcpy3DPeerAsync(copy, stream.handle), "cuMemcpy3DPeerAsync")


def _copy_of(source: Rows, target: Rows, shape: tuple[int, int]) -> Any:
    kinds = bindings.CUmemorytype
    copy = bindings.CUDA_MEMCPY2D()
    copy.srcMemoryType = kinds.CU_MEMORYTYPE_DEVICE if source.on_device else kinds.CU_MEMORYTYPE_HOST
    copy.dstMemoryType = kinds.CU_MEMORYTYPE_DEVICE if target.on_device else kinds.CU_MEMORYTYPE_HOST
    copy.srcDevice, copy.dstDevice = source.address * source.on_device, target.address * target.on_device
    copy.srcHost, copy.dstHost = source.address * (not source.on_device), target.address * (not target.on_device)
    copy.srcPitch, copy.dstPitch = source.pitch, target.pitch
    copy.Height, copy.WidthInBytes = shape
    return copy
