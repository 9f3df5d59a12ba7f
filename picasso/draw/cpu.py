"""The painter of the CPU: a display list by one native call, with the transform before it or without."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from picasso.draw.scene import DisplayList
from picasso.errors import SurfaceError
from picasso.surface import ColorSpace, PlaneLayout, SurfaceView, VideoFormat
from picasso.transform import Interpolation, Placement
from picasso.transform.cpu import CpuTransformer
from picasso_kernels.cpu.compile import host, ready, request
from picasso_kernels.frame.transform import transform_frame
from picasso_kernels.maths.color import to_yuv
from picasso_kernels.paint import display_list, painter, target
from picasso_kernels.paint.transform_and_paint import pixels_of_frame, planes_of_frame

Bytes = npt.NDArray[np.uint8]

_CHANNELS: Final = {VideoFormat.RGBA: (0, 1, 2), VideoFormat.BGRA: (2, 1, 0), VideoFormat.BGRx: (2, 1, 0)}
"""Bytes of red, green and blue in a pixel."""
_CHROMA: Final = {
    VideoFormat.I420: ((1, 0), (2, 0)),
    VideoFormat.NV12: ((1, 0), (1, 1)),
    VideoFormat.NV21: ((1, 1), (1, 0)),
}
"""Planes of U and V, and their bytes in a sample of it."""
PAINT_FORMATS: Final = (*_CHROMA, *_CHANNELS)
"""Formats that are painted on directly."""

FUSION_AFTER_S: Final = 10.0
"""A process that lives this long compiles the two halves of a frame once more, as one call; others do with two."""


def kernels_for(form: VideoFormat) -> tuple[Callable[..., None], Callable[..., None]]:
    """Return the kernels that paint on surfaces of a format: with the transform before it, and alone."""
    if form in _CHROMA:
        return planes_of_frame, painter.paint_planes
    return pixels_of_frame, painter.paint_pixels


class Workspace:
    """Working memory of one thread; it grows to what the largest drawing needs."""

    __slots__ = ("_memory",)

    def __init__(self) -> None:
        self._memory: Bytes = np.empty(0, np.uint8)

    def take(self, size: int) -> Bytes:
        """Return at least ``size`` bytes, the same ones each time."""
        if size > self._memory.size:
            self._memory = np.empty(size, np.uint8)
        return self._memory


class Finisher:
    """Brings pictures to a surface and paints on it, in one native call a frame. For one thread at a time."""

    __slots__ = ("_surface", "_table", "_transformer", "_workspace")

    def __init__(self) -> None:
        self._transformer = CpuTransformer()
        self._workspace = Workspace()
        self._surface: SurfaceView | None = None
        self._table: npt.NDArray[np.int64]

    def finish(
        self,
        source: SurfaceView,
        placement: Placement,
        target: SurfaceView,
        interpolation: Interpolation,
        drawing: DisplayList | None,
    ) -> None:
        """Do what ``transform`` does with the first four, then what ``paint_on`` does with ``target`` and ``drawing``.

        Raises:
            SurfaceError: See ``transform`` and ``paint_on``; nothing is written then.
            GeometryError: See ``transform``.
        """
        if drawing is None or not len(drawing):
            self._transformer.transform(source, placement, target, interpolation)
            return
        if target is not self._surface:
            self._surface = None
            _check(target)
            self._table, self._surface = _target_table(target), target
        arguments = self._transformer.arguments(source, placement, target, interpolation)
        scratch = _scratch(target, drawing, self._workspace)
        whole_frame, painter = kernels_for(target.format)
        in_one_call = ready(whole_frame, after_s=FUSION_AFTER_S)
        if in_one_call:
            in_one_call(*arguments, *_lists(drawing), self._table, scratch)
            return
        request(transform_frame, painter)
        host(transform_frame)(*arguments)
        _paint(target, drawing, self._table, scratch)


def paint_on(surface: SurfaceView, drawing: DisplayList, workspace: Workspace) -> None:
    """Paint ``drawing`` onto ``surface``.

    Convention: the surface counts as opaque. Agrees with Skia within 1 away from edges, and along edges within what
    ``docs/drawing.md`` says.

    Raises:
        SurfaceError: The format is not one of ``PAINT_FORMATS``, or the pixels are read-only or not packed.
    """
    _check(surface)
    if not len(drawing):
        return
    _paint(surface, drawing, _target_table(surface), _scratch(surface, drawing, workspace))


def _paint(surface: SurfaceView, drawing: DisplayList, table: npt.NDArray[np.int64], scratch: Bytes) -> None:
    layout = surface.plane_layout()
    if surface.format in _CHANNELS:
        host(painter.paint_pixels)(*_lists(drawing), table, layout[0].memory, scratch)
    else:
        (blue, _), (red, _) = _CHROMA[surface.format]
        memories = layout[0].memory, layout[blue].memory, layout[red].memory
        host(painter.paint_planes)(*_lists(drawing), table, *memories, scratch)


def _check(surface: SurfaceView) -> None:
    if surface.format not in PAINT_FORMATS:
        names = ", ".join(form.name() for form in PAINT_FORMATS)
        raise SurfaceError(f"the painter draws on {names}, not on {surface.format.name()}")
    if surface.readonly:
        raise SurfaceError("the pixels are read-only")


def _lists(drawing: DisplayList) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Bytes]:
    return drawing.commands.reshape(-1), drawing.glyphs.reshape(-1), drawing.coverage


def _scratch(surface: SurfaceView, drawing: DisplayList, workspace: Workspace) -> Bytes:
    has_blur = drawing.may_blur and display_list.BLUR in drawing.commands[:, display_list.KIND].tolist()
    return workspace.take(painter.scratch_bytes(*surface.size_wh, has_blur))


def _target_table(surface: SurfaceView) -> npt.NDArray[np.int64]:
    layout = surface.plane_layout()
    return _pixel_target(surface, layout[0]) if surface.format in _CHANNELS else _plane_target(surface, layout)


def _pixel_target(surface: SurfaceView, layout: PlaneLayout) -> npt.NDArray[np.int64]:
    if (layout.step, layout.channel_step) != (4, 1):
        raise SurfaceError(f"the painter needs packed pixels, got strides {layout[2:]}")
    table = [*surface.size_wh]
    for byte in _CHANNELS[surface.format]:
        table += [layout.base + byte, layout.pitch, layout.step]
    return np.array(table + [0] * (target.TARGET_SIZE - len(table)))


def _plane_target(surface: SurfaceView, layout: tuple[PlaneLayout, ...]) -> npt.NDArray[np.int64]:
    color = surface.color or ColorSpace.for_height(surface.height)
    return _plane_table(surface.format, surface.size_wh, color, tuple(plane[1:] for plane in layout))


@functools.lru_cache(maxsize=256)
def _plane_table(
    form: VideoFormat, size_wh: tuple[int, int], color: ColorSpace, planes: tuple[tuple[int, int, int, int], ...]
) -> npt.NDArray[np.int64]:
    """Return the target table of surfaces that lie alike; a worker paints on the same one again and again."""
    table = [*size_wh, *planes[0][:3]]
    for plane, byte in _CHROMA[form]:
        base, pitch, step, channel_step = planes[plane]
        table += [base + byte * channel_step, pitch, step]
    return np.array([*table, *to_yuv(color.matrix.value, color.full_range)])
