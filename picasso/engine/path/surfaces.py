"""The surfaces that a worker writes, as its route sees them: in host memory, or on a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from picasso.encode.factory import GPU_MEMORY
from picasso.surface import MemType

if TYPE_CHECKING:
    from picasso.encode import Encoder, EncoderConfig
    from picasso.surface import SurfaceView, VideoFormat
    from picasso.transform import Interpolation, Placement


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
        from picasso.engine.path.cuda_surfaces import CudaSurfaces

        return CudaSurfaces(config, encoder)
    from picasso.engine.path.host_surfaces import HostSurfaces

    return HostSurfaces((config.width, config.height), encoder.input_format, encoder.color)
