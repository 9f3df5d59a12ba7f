"""What a transform on a GPU refuses before it begins: pixels elsewhere, or of another size or format than was said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from picasso.errors import GeometryError, SurfaceError
from picasso.surface import SurfaceView, VideoFormat
from picasso.surface.cuda import check_layout

if TYPE_CHECKING:
    from picasso_kernels.cuda.driver import Device


def check_place(device: Device, surface: SurfaceView, what: str) -> None:
    """Refuse a surface, the ``what`` of the transform, that is not on its GPU.

    Raises:
        SurfaceError: It is in host memory, or on another GPU.
    """
    if not surface.is_cuda or surface.gpu_id != device.index:
        place = f"on GPU {surface.gpu_id}" if surface.is_cuda else "in host memory"
        raise SurfaceError(f"the {what} is {place}, the transform works on GPU {device.index}")


def check_surface(device: Device, surface: SurfaceView, what: str, size_wh: tuple[int, int], formats: Any) -> None:
    """Refuse a surface that the kernels cannot read as a source, or not write as a target.

    Raises:
        GeometryError: Its size is not ``size_wh``.
        SurfaceError: Its format is none of ``formats``, its planes are not on this GPU or too far apart, or a target
            is read-only.
    """
    check_layout(what, surface.device_planes)
    for plane in surface.device_planes:
        check_address(device, plane.ptr, what)
    if surface.size_wh != size_wh:
        width, height = size_wh
        raise GeometryError(f"the {what} is {surface.width}x{surface.height}, the placement says {width}x{height}")
    if surface.format.name() not in formats:
        choices = ", ".join(sorted(name for name in formats if name in VideoFormat.__members__))
        raise SurfaceError(f"the {what} of a transform on a GPU cannot be {surface.format.name()}; one of {choices}")
    if what == "target" and surface.readonly:
        raise SurfaceError("the target of a transform is read-only")


def check_address(device: Device, address: int, what: str) -> None:
    """Refuse what a kernel would fault on, after which no call to the GPU succeeds any more.

    Raises:
        SurfaceError: The address is not memory of the GPU.
    """
    if not device.holds(address):
        raise SurfaceError(f"the {what} is at {address:#x}, which is not memory of GPU {device.index}")
