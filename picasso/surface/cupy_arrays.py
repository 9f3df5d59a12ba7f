"""Surfaces and tensors as CuPy arrays, and arrays on a GPU into surfaces; the one file here that imports CuPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from picasso.errors import DeviceError, SurfaceError, UploadError, require
from picasso.surface.cuda import DeviceArray, DevicePlane, read_array

if TYPE_CHECKING:
    from picasso.surface.view import SurfaceView


def cupy_module() -> Any:
    """Import CuPy.

    Raises:
        MissingDependencyError: It is not installed.
    """
    return require("cupy", extra="cuda13")


def cupy_of_surface(surface: SurfaceView) -> Any:
    """Return a surface as a CuPy array, see ``SurfaceView.to_cupy``."""
    cupy = cupy_module()
    if not surface.is_cuda:
        try:
            return cupy.asarray(surface.to_numpy())
        except cupy.cuda.runtime.CUDARuntimeError as error:
            raise DeviceError(f"CuPy finds no GPU to copy the picture to: {error}") from error
    planes = surface.device_planes
    if len(planes) == 1 and not planes[0].read_only:
        return lend_to_cupy(surface, surface.gpu_id)
    with cupy.cuda.Device(surface.gpu_id):
        if len(planes) == 1:  # DLPack before version 1 cannot say that memory is read-only
            return cupy.asarray(surface)
        return _joined(cupy, surface, planes)


def lend_to_cupy(lender: Any, gpu_id: int) -> Any:
    """Lend what offers DLPack to CuPy, whose current stream goes on once it is ready.

    Args:
        lender: A surface of one plane, or a tensor.
        gpu_id: Where its memory is.
    """
    cupy = cupy_module()
    with cupy.cuda.Device(gpu_id):
        return cupy.from_dlpack(lender)


def _joined(cupy: Any, surface: SurfaceView, planes: tuple[DevicePlane, ...]) -> Any:
    """Copy luma and chroma of 4:2:0 into one array, as ``to_numpy`` does on the host."""
    from picasso.surface.device_memory import open_device

    width, height = surface.size_wh
    open_device(surface.gpu_id).wait_for(surface.cuda_stream)
    joined = cupy.concatenate([cupy.asarray(plane).reshape(-1) for plane in planes])
    cupy.cuda.get_current_stream().synchronize()  # the planes may be given back now
    return joined.reshape(height * 3 // 2, width)


def upload_device_array(surface: SurfaceView, array: Any) -> None:
    """Copy an array on a GPU, ``(H, W, C)`` or ``(H, W)`` for one channel, into the top left corner, and wait for it.

    Raises:
        SurfaceError: The array is not a picture, or lies in parts.
        UploadError: It is larger than the surface, or has other channels.
    """
    from picasso.surface.device_memory import copy_array_to_surface

    given = read_array(array)
    check_fits(given, surface)
    copy_array_to_surface(given, given.gpu_id or 0, surface)


def check_fits(array: DeviceArray, surface: SurfaceView) -> None:
    """Demand that an array fits into a surface of one plane.

    Raises:
        SurfaceError: Its rows are not whole.
        UploadError: It is larger than the surface, or has other channels.
    """
    rows, columns, *channels = array.shape
    count = channels[0] if channels else 1
    if count != surface.channels:
        raise UploadError(f"channel count mismatch: surface has {surface.channels}, array has shape {array.shape}")
    if rows > surface.height or columns > surface.width:
        raise UploadError(
            f"array dimensions {columns}x{rows} exceed surface dimensions {surface.width}x{surface.height}"
        )
    inner = (count, 1) if channels else (1,)
    if array.strides is not None and tuple(array.strides[1:]) != inner:
        raise SurfaceError(f"only rows may be padded on a GPU, got strides {array.strides}")
