"""Strided arrays as the planes of a picture: checks, shapes and the flat form that kernels index."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from picasso.errors import SurfaceError
from picasso.surface.formats import VideoFormat

Bytes = npt.NDArray[np.uint8]
"""A uint8 array of any rank."""

ALIGNMENT: Final = 64
"""Surfaces of our own start, and where the format allows have their rows start, at multiples of this many bytes."""

_BYTE: Final = np.dtype(np.uint8)
_BY_CHANNELS: Final = {1: VideoFormat.GRAY8, 3: VideoFormat.RGB, 4: VideoFormat.RGBA}


class PlaneLayout(NamedTuple):
    """One plane as kernels index it.

    Byte ``c`` of the sample at ``(x, y)`` is ``memory[base + y * pitch + x * step + c * channel_step]``.
    """

    memory: Bytes
    """1-D, contiguous, at least from the plane's lowest byte to its highest; keeps the pixels alive."""
    base: int
    """Index of the first byte of the first sample, not 0 where a stride is negative."""
    pitch: int
    """Bytes from a row to the next; may be negative."""
    step: int
    """Bytes from a sample to the next; may be negative."""
    channel_step: int
    """Bytes from a channel to the next: 1, unless the array's last axis is strided (``image[..., ::-1]``)."""


def layout_of(plane: Bytes) -> PlaneLayout:
    """Describe a 2-D or 3-D plane of any strides by its flat memory."""
    pitch, step = plane.strides[:2]
    channel_step = plane.strides[2] if plane.ndim > 2 else 1
    if plane.flags.c_contiguous:
        return PlaneLayout(plane.reshape(-1), 0, pitch, step, channel_step)
    reach = [(size - 1) * stride for size, stride in zip(plane.shape, plane.strides, strict=True)]
    base = -sum(distance for distance in reach if distance < 0)
    length = base + sum(distance for distance in reach if distance > 0) + 1
    lowest = plane[tuple(slice(None, None, -1 if stride < 0 else 1) for stride in plane.strides)]
    return PlaneLayout(as_strided(lowest, (length,), (1,)), base, pitch, step, channel_step)


def check_bytes(array: npt.NDArray[Any]) -> Bytes:
    """Return ``array`` if it holds bytes.

    Raises:
        SurfaceError: Its dtype is not uint8.
    """
    if array.dtype != _BYTE:
        raise SurfaceError(f"expected an array of uint8, got dtype {array.dtype}")
    return array


def split(array: Bytes, form: VideoFormat | None) -> tuple[VideoFormat, tuple[int, int], tuple[Bytes, ...]]:
    """Read one array as a picture: its format, ``(width, height)`` and planes, all views on the array.

    Without a format ``(H, W, 4)`` is RGBA, ``(H, W, 3)`` RGB, ``(H, W)`` and ``(H, W, 1)`` GRAY8.
    NV12, NV21 and I420 are one array ``(H * 3 / 2, W)``.

    Raises:
        SurfaceError: The shape is not one of the format, or the size not one that it allows.
    """
    form, size_wh = _read_shape(array.shape, form)
    channels = form.channels
    if not channels:
        return form, size_wh, _split_420(array, form, size_wh)
    return form, size_wh, (array[:, :, 0] if channels == 1 and array.ndim == 3 else array,)


@lru_cache(maxsize=256, typed=True)  # the frames of a stream are alike
def _read_shape(shape: tuple[int, ...], form: VideoFormat | None) -> tuple[VideoFormat, tuple[int, int]]:
    """Return format and ``(width, height)`` of the picture in an array of this shape; errors as ``split``."""
    if form is None:
        form = _BY_CHANNELS.get(shape[2] if len(shape) == 3 else 1)
        if form is None or len(shape) not in {2, 3}:
            raise SurfaceError(f"expected an array (H, W), (H, W, 3) or (H, W, 4), got shape {shape}")
    if not form.channels:
        if len(shape) != 2 or shape[0] % 3:
            raise SurfaceError(f"{form.name()} needs an array (H * 3 / 2, W), got shape {shape}")
        return form, form.check_size((shape[1], shape[0] // 3 * 2))
    samples = () if shape[2:] == (1,) else shape[2:]
    if samples != ((form.channels,) if form.channels > 1 else ()) or len(shape) < 2:
        wanted = "(H, W)" if form.channels == 1 else f"(H, W, {form.channels})"
        raise SurfaceError(f"{form.name()} needs an array {wanted}, got shape {shape}")
    return form, form.check_size((shape[1], shape[0]))


def _split_420(array: Bytes, form: VideoFormat, size_wh: tuple[int, int]) -> tuple[Bytes, ...]:
    """Cut ``(H * 3 / 2, W)`` into luma and the chroma below it."""
    width, height = size_wh
    luma, chroma = array[:height], array[height:]
    if form is not VideoFormat.I420:
        pitch, step = array.strides
        return luma, as_strided(chroma, (height // 2, width // 2, 2), (pitch, 2 * step, step))
    if not array.flags.c_contiguous:
        raise SurfaceError(f"I420 in one array must be C-contiguous, got strides {array.strides}; pass its planes")
    planes = chroma.reshape(2, height // 2, width // 2)
    return luma, planes[0], planes[1]


def check_planes(planes: Sequence[Bytes], form: VideoFormat, size_wh: tuple[int, int]) -> tuple[Bytes, ...]:
    """Return ``planes`` with the shapes that the format asks for, as views.

    Interleaved chroma may come as ``(H / 2, W)``, samples of one byte as ``(H, W, 1)``.

    Raises:
        SurfaceError: The count, a dtype or a shape is not that of the format and size.
    """
    size_wh = form.check_size(size_wh)
    if len(planes) != len(form.planes):
        raise SurfaceError(f"{form.name()} has {len(form.planes)} planes, got {len(planes)}")
    return tuple(
        _as_shape(check_bytes(plane), shape.of(size_wh), f"plane {index} of {form.name()}")
        for index, (plane, shape) in enumerate(zip(planes, form.planes, strict=True))
    )


def _as_shape(plane: Bytes, shape: tuple[int, ...], place: str) -> Bytes:
    if plane.shape == shape:
        return plane
    if plane.shape == (*shape, 1):
        return plane[..., 0]
    if len(shape) == 3 and plane.shape == (shape[0], shape[1] * shape[2]):
        pitch, step = plane.strides
        return as_strided(plane, shape, (pitch, step * shape[2], step))
    raise SurfaceError(f"{place} needs shape {shape}, got {plane.shape}")


def byte_size(form: VideoFormat, size_wh: tuple[int, int]) -> int:
    """Bytes that ``over_memory`` needs for a picture of this format and size."""
    width, height = form.check_size(size_wh)
    if form is VideoFormat.I420:
        return width * height * 3 // 2
    return _aligned(width * form.planes[0].channels) * sum(height >> plane.y_shift for plane in form.planes)


def over_memory(memory: Bytes, form: VideoFormat, size_wh: tuple[int, int]) -> tuple[Bytes, ...]:
    """Lay the planes of a picture over flat memory of ``byte_size`` bytes.

    Rows start at multiples of 64 bytes. I420 is one tight block, which PyAV and OpenCV take as ``(H * 3 / 2, W)``.
    """
    width = size_wh[0]
    pitch = width if form is VideoFormat.I420 else _aligned(width * form.planes[0].channels)
    planes, offset = [], 0
    for plane in form.planes:
        shape = plane.of(size_wh)
        row = shape[1] if form is VideoFormat.I420 else pitch
        strides = (row, plane.channels, 1)[: len(shape)]
        planes.append(np.ndarray(shape, np.uint8, memory, offset, strides))
        offset += row * shape[0]
    return tuple(planes)


def zeros(length: int) -> Bytes:
    """Return flat zeroed memory that starts at a multiple of 64 bytes."""
    block = np.zeros(length + ALIGNMENT, np.uint8)
    start = -int(block.__array_interface__["data"][0]) % ALIGNMENT
    return block[start : start + length]


def _aligned(length: int) -> int:
    return -(-length // ALIGNMENT) * ALIGNMENT
