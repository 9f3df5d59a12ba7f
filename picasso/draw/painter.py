"""The door that the engine draws through."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple

from picasso.draw.canvas import drawing_on
from picasso.draw.cpu import COMMON_FORMATS, CpuPainter
from picasso.draw.lists import DisplayList
from picasso.draw.scene import Scene
from picasso.draw.spec import ObjectDraw, ObjectDrawSpec
from picasso.surface import SurfaceView, VideoFormat
from picasso.surface.pixels import pixels_of

if TYPE_CHECKING:
    from picasso.draw.cuda import CudaPainter
    from picasso.primitives import VideoFrame


class _OnGpu(NamedTuple):
    """What was painted on last."""

    surface: SurfaceView
    stream: object
    painter: CudaPainter
    is_nameless: bool
    """Whether the surface names no stream: then its pixels are ready at any time."""


class Painter:
    """Draws the objects of frames; keeps their letters and styles. For one thread at a time."""

    __slots__ = ("_cpu", "_cuda", "_scene")

    def __init__(self, font_family: str = "sans-serif", *, clamp_labels: bool = False) -> None:
        """Draw nothing, until ``set_specs``.

        Args:
            font_family: Of the labels; the default ships with the package, an unknown one falls back to it.
            clamp_labels: Move labels that would leave the surface into it.
        """
        self._scene = Scene(font_family, clamp_labels=clamp_labels)
        self._cpu = CpuPainter()
        self._cuda: _OnGpu | None = None

    @property
    def formats(self) -> tuple[VideoFormat, ...]:
        """What ``paint`` can draw on, on the host and on GPUs; ``canvas`` takes those of one plane only.

        On the host, ``paint`` draws on RGB, BGR and GRAY8 as well.
        """
        return COMMON_FORMATS

    def set_specs(self, specs: ObjectDrawSpec) -> None:
        """Draw objects as ``specs`` says now; later changes of it have no effect."""
        self._scene.set_specs(specs)

    def paint(self, surface: SurfaceView, frame: VideoFrame, overrides: Mapping[int, ObjectDraw]) -> None:
        """Draw the objects of ``frame`` in the order of their ids; its boxes are in pixels of ``surface``.

        Args:
            surface: Of one of ``formats``.
            frame: Whose objects are drawn.
            overrides: By object id, what is drawn instead of what the specs say.

        Raises:
            SurfaceError: The format is not one of ``formats``, or the pixels are read-only; or, in host memory, there
                is something to draw and RGBA, BGRA or BGRx pixels do not lie side by side from left to right: a view
                that skips columns or mirrors them. Rows may lie anywhere.
        """
        self.paint_list(surface, self._scene.build(frame, overrides, pixels_of(surface).size_wh))

    def paint_list(self, surface: SurfaceView, drawing: DisplayList) -> None:
        """Paint ``drawing`` on ``surface``, of one of ``formats``; on a GPU on its stream, and waited for without one.

        Raises:
            SurfaceError: As ``paint``.
        """
        cuda = self._cuda
        if cuda is None or cuda.surface is not surface:
            if not surface.is_cuda:
                self._cpu.paint(surface, drawing)
                return
            cuda = self._ready_cuda(surface)
        cuda.painter.paint(surface, drawing)
        if cuda.is_nameless:
            cuda.painter.wait()

    def drawing(self, frame: VideoFrame, overrides: Mapping[int, ObjectDraw], size_wh: tuple[int, int]) -> DisplayList:
        """Return what ``paint`` would draw on a surface of ``size_wh``; it holds until the next is asked for."""
        return self._scene.build(frame, overrides, size_wh)

    def _ready_cuda(self, surface: SurfaceView) -> _OnGpu:
        """Return the painter of the surface's stream: its own, kept alive here, or the number that it came with."""
        stream = getattr(surface.device_plane.owner, "stream", None) or (surface.gpu_id, surface.cuda_stream)
        if self._cuda is None or self._cuda.stream != stream:
            from picasso.draw.cuda import CudaPainter
            from picasso.surface.cuda_memory import open_device
            from picasso_kernels.cuda.driver import Stream

            ours = stream if isinstance(stream, Stream) else Stream(open_device(surface.gpu_id), surface.cuda_stream)
            self._cuda = _OnGpu(surface, stream, CudaPainter(ours), not surface.cuda_stream)
        else:
            self._cuda = self._cuda._replace(surface=surface, is_nameless=not surface.cuda_stream)
        return self._cuda

    def canvas(self, surface: SurfaceView) -> AbstractContextManager[Any]:
        """Give a ``skia.Canvas`` on ``surface``, which ``current_canvas()`` returns inside the ``with`` block.

        Raises:
            SurfaceError: Skia does not draw on this kind of surface.
            MissingDependencyError: Skia does not load.
        """
        return drawing_on(surface)
