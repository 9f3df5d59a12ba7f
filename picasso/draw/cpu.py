"""The painter of the CPU: a display list by one native call."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from picasso.draw.lists import DisplayList
from picasso.errors import SurfaceError
from picasso.surface import ColorSpace, SurfaceView, VideoFormat
from picasso_kernels.cpu.compile import host
from picasso_kernels.maths.color import to_yuv
from picasso_kernels.paint import display_list, painter

Bytes = npt.NDArray[np.uint8]

_CHANNELS: Final = {
    **{VideoFormat.RGBA: (0, 1, 2), VideoFormat.BGRA: (2, 1, 0), VideoFormat.BGRx: (2, 1, 0)},
    **{VideoFormat.RGB: (0, 1, 2), VideoFormat.BGR: (2, 1, 0), VideoFormat.GRAY8: (0, 0, 0)},
}
"""Bytes of red, green and blue in a pixel."""
_GRAY: Final = to_yuv("bt601", True)
"""How a colour becomes a shade of gray, each of which a byte is."""
_CHROMA: Final = {
    VideoFormat.I420: ((1, 0), (2, 0)),
    VideoFormat.NV12: ((1, 0), (1, 1)),
    VideoFormat.NV21: ((1, 1), (1, 0)),
}
"""Planes of U and V, and their bytes in a sample of it."""
PAINT_FORMATS: Final = (*_CHROMA, *_CHANNELS)
"""Formats that are painted on directly."""
COMMON_FORMATS: Final = tuple(form for form in PAINT_FORMATS if form.channels in {0, 4})
"""Those of them that GPUs paint on, too."""


def kernel_for(form: VideoFormat) -> Callable[..., None]:
    """Return the kernel that paints on surfaces of a format."""
    return painter.paint_planes if form in _CHROMA else painter.paint_pixels


class CpuPainter:
    """Paints display lists onto surfaces in host memory. For one thread at a time."""

    __slots__ = ("_color", "_last", "_scratch", "_table")

    def __init__(self) -> None:
        self._scratch: Bytes = np.empty(0, np.uint8)
        self._table: npt.NDArray[np.int64]
        self._last: Callable[[], Bytes | None] = _nothing
        """The pixels that were painted on last, if they are still there: a worker paints on the same ones again."""
        self._color: ColorSpace | None = None

    def paint(self, surface: SurfaceView, drawing: DisplayList) -> None:
        """Paint ``drawing`` onto ``surface`` by one native call, without the GIL.

        Convention: the surface counts as opaque. Agrees with Skia within 1 away from edges, and along edges within what
        ``docs/drawing.md`` says.

        Raises:
            SurfaceError: The format is not one of ``PAINT_FORMATS``, or the pixels are read-only or not packed.
        """
        layout = surface.plane_layout()
        if self._last() is not layout[0].memory or surface.color is not self._color:
            self._last = _nothing
            _check(surface)
            if not len(drawing):
                return  # there may be no table for it
            self._table, self._color = _table(surface), surface.color
            self._last = weakref.ref(layout[0].memory)
        if not len(drawing):
            return
        planes = _CHROMA.get(surface.format)
        lists = drawing.commands.reshape(-1), drawing.glyphs.reshape(-1), drawing.coverage
        scratch = self._scratch_for(surface, drawing)
        if planes is None:
            host(painter.paint_pixels)(*lists, self._table, layout[0].memory, scratch)
        else:
            (blue, _), (red, _) = planes
            memories = layout[0].memory, layout[blue].memory, layout[red].memory
            host(painter.paint_planes)(*lists, self._table, *memories, scratch)

    def _scratch_for(self, surface: SurfaceView, drawing: DisplayList) -> Bytes:
        """Return working memory; it grows to what the largest drawing needs."""
        has_blur = drawing.may_blur and display_list.BLUR in drawing.commands[:, display_list.KIND].tolist()
        size = painter.scratch_bytes(*surface.size_wh, has_blur)
        if size > self._scratch.size:
            self._scratch = np.empty(size, np.uint8)
        return self._scratch


def _nothing() -> None:
    """Stand for pixels that are gone."""


def _check(surface: SurfaceView) -> None:
    if surface.format not in PAINT_FORMATS:
        names = ", ".join(form.name() for form in PAINT_FORMATS)
        raise SurfaceError(f"the painter draws on {names}, not on {surface.format.name()}")
    if surface.readonly:
        raise SurfaceError("the pixels are read-only")


def _table(surface: SurfaceView) -> npt.NDArray[np.int64]:
    """Return what the kernels read of a target: its size, where its components are, and how colours become YUV."""
    places = tuple(plane[1:] for plane in surface.plane_layout())
    return _table_of(surface.format, surface.size_wh, places, surface.color)


@lru_cache(maxsize=64)
def _table_of(
    form: VideoFormat, size_wh: tuple[int, int], places: tuple[tuple[int, ...], ...], color: ColorSpace | None
) -> npt.NDArray[np.int64]:
    table = [*size_wh]
    if form in _CHANNELS:
        base, pitch, step, channel_step = places[0]
        if step != form.channels or (form.channels > 1 and channel_step != 1):
            raise SurfaceError(f"the painter needs packed pixels, got strides {(pitch, step, channel_step)}")
        for byte in _CHANNELS[form]:
            table += [base + byte, pitch, step]
        return np.array([*table, *_GRAY])
    table += places[0][:3]
    for plane, byte in _CHROMA[form]:
        base, pitch, step, channel_step = places[plane]
        table += [base + byte * channel_step, pitch, step]
    color = color or ColorSpace.for_height(size_wh[1])
    return np.array([*table, *to_yuv(color.matrix.value, color.full_range)])
