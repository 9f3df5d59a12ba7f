"""The surfaces of a worker in host memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from picasso.surface import ColorSpace, SurfaceView, VideoFormat
from picasso.transform import Interpolation, Placement

if TYPE_CHECKING:
    from picasso.transform.cpu import CpuTransformer


@final
class HostSurfaces:
    """One surface for each format in use, all of the encoder's size and, where YUV, of its colour space."""

    __slots__ = ("_color", "_identity", "_size_wh", "_surfaces", "_transformer", "encoder_format")

    def __init__(self, size_wh: tuple[int, int], encoder_format: VideoFormat, color: ColorSpace) -> None:
        self._size_wh = size_wh
        self._color = color
        self._identity = Placement.identity(size_wh)
        self._surfaces: dict[VideoFormat, SurfaceView] = {}
        self._transformer: CpuTransformer | None = None
        self.encoder_format: VideoFormat = encoder_format
        """What the encoder reads."""

    def get(self, format: VideoFormat) -> SurfaceView:
        """Return the surface of ``format``; it holds what was written to it last."""
        surface = self._surfaces.get(format)
        if surface is None:
            color = self._color if format.is_yuv else None
            surface = self._surfaces[format] = SurfaceView.allocate(format, self._size_wh, color)
        return surface

    def transform(
        self, source: SurfaceView, placement: Placement, format: VideoFormat, interpolation: Interpolation
    ) -> SurfaceView:
        """Transform ``source`` into the surface of ``format``; one on a GPU is downloaded first."""
        if source.is_cuda:
            from picasso.surface.cuda_memory import download

            source = download(source)
        if self._transformer is None:
            from picasso.transform.cpu import CpuTransformer

            self._transformer = CpuTransformer()
        target = self.get(format)
        self._transformer.transform(source, placement, target, interpolation)
        return target

    def for_encoder(self, surface: SurfaceView) -> SurfaceView:
        """Return the pixels of ``surface`` in the encoder's format."""
        return self.convert(surface, self.encoder_format)

    def expect_painting(self, format: VideoFormat) -> None:
        """Have the kernels of the transform and of the painter compiled at the same time."""
        from picasso.draw.cpu import kernel_for
        from picasso_kernels.cpu.compile import request
        from picasso_kernels.frame.transform import transform_frame

        request(transform_frame, kernel_for(format))

    def close(self) -> None:
        """Forget the surfaces."""
        self._surfaces.clear()
        self._transformer = None

    def convert(self, surface: SurfaceView, format: VideoFormat, *, on_host: bool = True) -> SurfaceView:  # noqa: ARG002  # all of them are
        """Return the pixels of ``surface`` in ``format``: the surface itself, or that of the format."""
        if surface.format is format:
            return surface
        from picasso.transform.cpu import transform

        target = self.get(format)
        transform(surface, self._identity, target)
        return target
