"""What a launch has to know of a surface: where its planes are, and what its plan depends on."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence
from itertools import repeat
from operator import attrgetter, is_
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import numpy.typing as npt

from picasso.surface.device_memory import StreamMemory
from picasso.surface.pixels import CONSUMED
from picasso_kernels.frame.pixel_formats import Picture, Plane

if TYPE_CHECKING:
    from picasso.surface import DeviceTensor, SurfaceView
    from picasso.surface.cuda import DevicePlane
    from picasso.surface.pixels import Pixels
    from picasso_kernels.cuda.frame_table import FramePlan, Place

_PLANES: Final = struct.Struct("=6Q")
"""Three planes of the source, three of the target: the first fields of a row."""
_put_sources: Final = struct.Struct("=3Q").pack_into
_numbers: Final = itertools.count()
_pixels_of_target, _number_of_target = attrgetter("surface._pixels"), attrgetter("number")
Grid = tuple[int, int, int]
Addresses = tuple[int, int, int]
"""Of the three planes of a target."""


class BoundTarget:
    """A surface that many pictures are written to, and what each launch has to know of it, looked up once."""

    __slots__ = ("_addresses", "_places", "number", "signature", "stream", "surface")

    def __init__(self, surface: SurfaceView) -> None:
        self.surface: SurfaceView = surface
        self.number: int = next(_numbers)
        """Of this one and no other, so that it can be told from others without being kept alive."""
        self.signature: tuple[object, ...] = signature_of(surface.device_pixels)
        self.stream: int = surface.cuda_stream
        self._places: tuple[Place, Place, Place] | None = None
        self._addresses: Addresses = (0, 0, 0)

    def addresses(self, places: tuple[Place, Place, Place]) -> Addresses:
        """Return where a plan's planes are."""
        if places is not self._places:
            planes = self.surface.device_planes
            (first, at), (second, at_), (third, at__) = places
            self._addresses = planes[first].ptr + at, planes[second].ptr + at_, planes[third].ptr + at__
            self._places = places
        return self._addresses


def numbers_of(targets: Sequence[object]) -> list[int] | None:
    """Return the number of each target; None if one of them was not bound, or was handed over since."""
    if set(map(type, targets)) != {BoundTarget} or any(map(is_, map(_pixels_of_target, targets), repeat(CONSUMED))):
        return None
    return list(map(_number_of_target, targets))


def surfaces_of(targets: Sequence[SurfaceView | BoundTarget]) -> Sequence[SurfaceView]:
    """Return the surface of each target."""
    if BoundTarget not in set(map(type, targets)):
        return cast("Sequence[SurfaceView]", targets)
    return [target.surface if isinstance(target, BoundTarget) else target for target in targets]


def grid_of(columns: int, rows: int, frames: int = 1) -> tuple[Grid, Grid]:
    """Return the grid of a launch, and the threads of a block.

    A warp does 32 columns of a row. A block does 64 columns of two rows, or 32 of four where rows of 64 would leave a
    warp of the last block without work: its registers are free only when the whole block is done.
    """
    width, height = (32, 4) if -columns % 64 >= 32 else (64, 2)
    return (-(-columns // width), -(-rows // height), frames), (width, height, 1)


def goes_back_on(stream: int, planes: tuple[DevicePlane, ...]) -> bool:
    """Whether the memory of planes goes back in the order of a stream: it need not be held, if the stream waits."""
    for plane in planes:
        owner = plane.owner
        if not isinstance(owner, StreamMemory) or owner.stream.address != stream:
            return False
    return True


def write_planes(block: Any, plan: FramePlan, planes: tuple[DevicePlane, ...], targets: Addresses) -> None:
    """Write the addresses of the planes into a row."""
    (first, at), (second, at_), (third, at__) = plan.sources
    _PLANES.pack_into(block, 0, planes[first].ptr + at, planes[second].ptr + at_, planes[third].ptr + at__, *targets)


def write_sources(block: Any, plan: FramePlan, planes: tuple[DevicePlane, ...]) -> None:
    """Write the addresses of the source's planes into a row whose target stays where it is."""
    (first, at), (second, at_), (third, at__) = plan.sources
    _put_sources(block, 0, planes[first].ptr + at, planes[second].ptr + at_, planes[third].ptr + at__)


def signature_of(pixels: Pixels) -> tuple[object, ...]:
    """Return all that a plan depends on: format, size, colour, and of the planes strides, alignment, and permission."""
    planes, form, size_wh, color, gpu_id, _, _ = pixels
    return form, size_wh, color, gpu_id, alike(cast("tuple[DevicePlane, ...]", planes))


def alike(planes: tuple[DevicePlane, ...]) -> tuple[object, ...]:
    """Return all that a plan depends on of planes: of each strides, alignment and permission, one behind the other."""
    if len(planes) == 1:
        first = planes[0]
        return first.strides, first.ptr & 15, first.read_only
    return tuple([(plane.strides, plane.ptr & 15, plane.read_only) for plane in planes])


def picture_of(surface: SurfaceView) -> Picture:
    """Describe a surface to the kernels: its format, planes and colours."""
    planes = tuple(_plane(plane) for plane in surface.device_planes)
    color, name = surface.color, surface.format.name()
    return Picture(name, planes, color.matrix.value, color.full_range) if color else Picture(name, planes)


def _plane(plane: DevicePlane) -> Plane:
    lane_step = plane.strides[2] if len(plane.strides) > 2 else 1
    return Plane(plane.ptr & 15, plane.strides[0], plane.strides[1], lane_step)


def tensor_planes(tensor: DeviceTensor) -> npt.NDArray[np.uint64]:
    """Return where the planes of each picture are, ``(N, 3)``."""
    images, channels = tensor.strides[:2]
    first = np.uint64(tensor.data_ptr) + np.arange(len(tensor), dtype=np.uint64)[:, None] * np.uint64(images)
    planes: npt.NDArray[np.uint64] = first + np.arange(3, dtype=np.uint64) * np.uint64(channels)
    return planes
