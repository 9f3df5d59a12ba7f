"""Whole pictures in another format or size, as arrays and notebooks want them."""

from __future__ import annotations

import operator
from typing import Any

from picasso.errors import SurfaceError
from picasso.surface import SurfaceView, VideoFormat
from picasso.transform.anywhere import transform
from picasso.transform.config import TransformConfig
from picasso.transform.fitting import Interpolation, Padding
from picasso.transform.placement import Placement


def converted(surface: SurfaceView, format: VideoFormat, size_wh: tuple[int, int] | None = None) -> SurfaceView:
    """Return a picture in host memory in another format.

    Args:
        surface: In any memory, of any format.
        format: One that can be written: RGB, BGR, RGBA and the like, NV12, I420.
        size_wh: Another size in pixels; by default the same.

    Raises:
        SurfaceError: The format cannot be written, or have this size.
    """
    target = SurfaceView.allocate(format, size_wh or surface.size_wh)
    transform(surface, _stretched(surface, target), target, Interpolation.BILINEAR)
    return target


def resized(
    surface: SurfaceView, size_wh: tuple[int, int], interpolation: Interpolation | str | None = None
) -> SurfaceView:
    """Return a picture of another size in the same format and memory.

    Args:
        surface: The picture.
        size_wh: Width and height in pixels.
        interpolation: The filter, or its name, such as ``area``; by default bilinear.

    Raises:
        SurfaceError: The format cannot have this size, or cannot be written.
        ValueError: There is no such filter.
    """
    filter_ = Interpolation.BILINEAR if interpolation is None else interpolation
    if isinstance(filter_, str):
        filter_ = Interpolation.from_name(filter_)
    size_wh = _whole(size_wh)
    if surface.format is VideoFormat.GRAY8 and not surface.is_cuda:
        wide = SurfaceView.allocate(VideoFormat.RGB, size_wh)  # the three are equal
        transform(surface, _stretched(surface, wide), wide, filter_)
        return SurfaceView.wrap(wide.planes[0][..., 0].copy())
    if surface.format in {VideoFormat.UYVY, VideoFormat.GRAY8}:
        raise SurfaceError(f"resize: {surface.format.name()} is not written here; convert it first: surface.to_rgb()")
    if surface.is_cuda:
        from picasso.surface.cuda_memory import allocate_on_device
        from picasso.transform.cuda import CudaTransformer

        transformer = CudaTransformer(surface.gpu_id)
        target = allocate_on_device(surface.format, size_wh, transformer.stream, surface.color)
        transformer.transform(surface, _stretched(surface, target), target, filter_)
        transformer.wait()
        return target
    target = SurfaceView.allocate(surface.format, size_wh, surface.color)
    transform(surface, _stretched(surface, target), target, filter_)
    return target


def _whole(size_wh: Any) -> tuple[int, int]:
    """Return a size that a user gives.

    Raises:
        SurfaceError: It is not two whole numbers.
    """
    try:
        width, height = map(operator.index, size_wh)
    except (TypeError, ValueError):
        raise SurfaceError(f"resize: expected (width, height) in whole pixels, got {size_wh!r}") from None
    return width, height


def _stretched(source: SurfaceView, target: SurfaceView) -> Placement:
    return Placement.compute(source.size_wh, target.size_wh, TransformConfig(Padding.NONE))
