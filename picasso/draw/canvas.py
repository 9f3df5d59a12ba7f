"""Skia canvases on the pixels of a surface."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy.typing as npt

from picasso.draw.skia_library import skia_module
from picasso.errors import EngineError, SurfaceError
from picasso.surface import SurfaceView, VideoFormat

CANVAS_FORMATS = (VideoFormat.RGBA, VideoFormat.BGRA, VideoFormat.BGRx)
"""Formats that Skia draws on."""

_current: ContextVar[Any] = ContextVar("picasso_canvas")


def check_canvas() -> None:
    """See whether there can be canvases at all.

    Raises:
        MissingDependencyError: Skia does not load; the message names the system packages that it needs.
    """
    skia_module()


def canvas_for(surface: SurfaceView) -> Any:
    """Return a ``skia.Canvas`` whose pixels are those of ``surface``, which it keeps alive.

    The surface counts as opaque. Drawing is visible at once.

    Raises:
        SurfaceError: The format is not one of ``CANVAS_FORMATS``, rows run upwards, or the pixels are read-only.
        MissingDependencyError: Skia does not load.
    """
    if surface.format not in CANVAS_FORMATS:
        names = ", ".join(form.name() for form in CANVAS_FORMATS)
        raise SurfaceError(f"Skia draws on {names}, not on {surface.format.name()}")
    if surface.readonly:
        raise SurfaceError("the pixels are read-only")
    layout = surface.plane_layout()[0]
    if layout.pitch < 4 * surface.width or (layout.step, layout.channel_step) != (4, 1):
        raise SurfaceError(f"Skia draws on rows of whole pixels that run downwards, not on strides {layout[2:]}")
    skia = skia_module()
    color_type = skia.kRGBA_8888_ColorType if surface.format is VideoFormat.RGBA else skia.kBGRA_8888_ColorType
    info = skia.ImageInfo.Make(surface.width, surface.height, color_type, skia.kOpaque_AlphaType)
    memory = layout.memory[layout.base :]
    canvas = skia.Surface.MakeRasterDirect(info, memory, layout.pitch).getCanvas()
    weakref.finalize(canvas, _let_go, memory).atexit = False  # Skia does not keep the memory alive itself
    return canvas


def _let_go(_memory: npt.NDArray[Any]) -> None:
    """Hold the memory of a canvas as an argument for as long as the canvas lives."""


@contextmanager
def drawing_on(surface: SurfaceView) -> Iterator[Any]:
    """Make the canvas of ``surface`` the current one of this thread for a while, and give it."""
    canvas = canvas_for(surface)
    token = _current.set(canvas)
    try:
        yield canvas
    finally:
        _current.reset(token)


def current_canvas() -> Any:
    """Return the ``skia.Canvas`` of the frame that is being drawn; call it inside ``on_render``.

    Raises:
        EngineError: Nothing is being drawn on this thread.
    """
    canvas = _current.get(None)
    if canvas is None:
        raise EngineError("there is a current canvas only inside on_render")
    return canvas
