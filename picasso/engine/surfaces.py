"""The surfaces that a worker writes: its own, used again for every frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, final

from picasso.encode.opening import GPU_MEMORY
from picasso.surface import ColorSpace, MemType, SurfaceView, VideoFormat
from picasso.transform import Interpolation, Placement

if TYPE_CHECKING:
    from picasso.encode import Encoder, EncoderConfig
    from picasso.transform.cpu import CpuTransformer


class Surfaces(Protocol):
    """The surfaces that a worker writes: its own, used again for every frame, in host memory or on a GPU."""

    @property
    def encoder_format(self) -> VideoFormat:
        """What the encoder reads."""

    def transform(
        self, source: SurfaceView, placement: Placement, format: VideoFormat, interpolation: Interpolation
    ) -> SurfaceView:
        """Transform ``source`` into the surface of ``format``; it is brought to where the surfaces are first."""

    def convert(self, surface: SurfaceView, format: VideoFormat, *, on_host: bool = False) -> SurfaceView:
        """Return the pixels of ``surface`` in ``format``, in host memory if that is asked for."""

    def for_encoder(self, surface: SurfaceView) -> SurfaceView:
        """Return the pixels of ``surface`` as the encoder reads them, and where it reads them."""

    def expect_painting(self, format: VideoFormat) -> None:
        """Have what paints on surfaces of ``format`` compiled, if need be; returns at once."""

    def close(self) -> None:
        """Give everything back."""


def works_on_gpu(config: EncoderConfig, *, source_on_gpu: bool) -> bool:
    """Tell whether ``config.memory_type`` says so, or says nothing and the source is there."""
    wanted = config.memory_type
    return wanted in GPU_MEMORY or (wanted is MemType.DEFAULT and source_on_gpu)


def open_surfaces(config: EncoderConfig, encoder: Encoder, *, source_on_gpu: bool) -> Surfaces:
    """Return surfaces on a GPU where the source works on one, else in host memory."""
    if works_on_gpu(config, source_on_gpu=source_on_gpu):
        from picasso.engine.cuda_surfaces import CudaSurfaces

        return CudaSurfaces(config, encoder)
    return HostSurfaces((config.width, config.height), encoder.input_format, encoder.color)


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
        self.encoder_format = encoder_format
        """What the encoder reads."""

    def get(self, format: VideoFormat) -> SurfaceView:
        """Return the surface of ``format``; it holds whatever was written to it last."""
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
