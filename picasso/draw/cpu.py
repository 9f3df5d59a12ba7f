"""The painter of the CPU: a display list by one native call, during which the GIL is free."""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
import numpy.typing as npt

from picasso.draw.scene import DisplayList
from picasso.errors import SurfaceError
from picasso.surface import ColorSpace, PlaneLayout, SurfaceView, VideoFormat
from picasso_kernels import display, paint, target
from picasso_kernels.color import to_yuv
from picasso_kernels.compile import host

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


def paint_on(surface: SurfaceView, drawing: DisplayList, workspace: Workspace) -> None:
    """Paint ``drawing`` onto ``surface``.

    Convention: the surface counts as opaque. Agrees with Skia within 1 away from edges, and along edges within what
    ``docs/drawing.md`` says.

    Raises:
        SurfaceError: The format is not one of ``PAINT_FORMATS``, or the pixels are read-only or not packed.
    """
    if surface.format not in PAINT_FORMATS:
        names = ", ".join(form.name() for form in PAINT_FORMATS)
        raise SurfaceError(f"the painter draws on {names}, not on {surface.format.name()}")
    if surface.readonly:
        raise SurfaceError("the pixels are read-only")
    if not len(drawing):
        return
    has_blur = bool((drawing.commands[:, display.KIND] == display.BLUR).any())
    scratch = workspace.take(paint.scratch_bytes(surface.width, surface.height, has_blur))
    tables = drawing.commands.reshape(-1), drawing.glyphs.reshape(-1), drawing.coverage
    layout = surface.plane_layout()
    if surface.format in _CHANNELS:
        host(paint.paint_pixels, inline=True)(*tables, _pixel_target(surface, layout[0]), layout[0].memory, scratch)
    else:
        (blue, _), (red, _) = _CHROMA[surface.format]
        memories = layout[0].memory, layout[blue].memory, layout[red].memory
        host(paint.paint_planes, inline=True)(*tables, _plane_target(surface, layout), *memories, scratch)


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
