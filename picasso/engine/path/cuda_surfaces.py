"""The surfaces of a worker on a GPU, and the one way off it: pinned memory, for what only the host can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from picasso.engine.path.host_surfaces import HostSurfaces
from picasso.surface import SurfaceView, VideoFormat
from picasso.surface.cuda import DevicePlane
from picasso.surface.cuda_memory import (
    Uploader,
    allocate_on_device,
    allocate_pinned,
    copy_bytes_to_host,
)
from picasso.surface.pixels import pixels_of
from picasso.transform import Interpolation, Placement
from picasso.transform.cuda import CudaTransformer
from picasso.transform.cuda_surfaces import BoundTarget

if TYPE_CHECKING:
    from picasso.encode import Encoder, EncoderConfig


@final
class CudaSurfaces:
    """One device surface for each format in use, on one stream; host surfaces only where someone asks for them.

    Sources in host memory or on another GPU are brought here. Encoders that read device memory get a device surface;
    the others get the finished picture, in their own format, in pinned memory. Drawing on a canvas takes the pixels to
    the host, and there they stay until the frame is encoded.
    """

    __slots__ = ("_color", "_device", "_encoder_on_gpu", "_final", "_host", "_identity", "_pinned", "_size_wh",
                 "_surfaces", "_transformer", "_uploader", "encoder_format")  # fmt: skip

    def __init__(self, config: EncoderConfig, encoder: Encoder) -> None:
        self._size_wh = (config.width, config.height)
        self._color = encoder.color
        self._encoder_on_gpu: bool = getattr(encoder, "reads_device_memory", False)
        self._identity = Placement.identity(self._size_wh)
        self._transformer = CudaTransformer(config.device_id)
        self._uploader = Uploader(self._transformer.stream)
        self._device = self._transformer.device
        self._surfaces: dict[int, BoundTarget] = {}
        """By the number of their format, whose hash takes no step of the interpreter."""
        self._final: SurfaceView | None = None
        """The surface that the encoder reads as it is."""
        self._pinned: dict[VideoFormat, SurfaceView] = {}
        self._host = HostSurfaces(self._size_wh, encoder.input_format, encoder.color)
        self.encoder_format: VideoFormat = encoder.input_format
        """What the encoder reads."""

    def transform(
        self, source: SurfaceView, placement: Placement, format: VideoFormat, interpolation: Interpolation
    ) -> SurfaceView:
        """Transform ``source`` into the device surface of ``format``; one that is elsewhere is brought here first."""
        device = self._device
        device.make_current()  # this thread is the engine's, and code of users may have changed it
        pixels = pixels_of(source)
        if pixels.gpu_id != device.index or not isinstance(pixels.planes[0], DevicePlane):
            source = self._uploader.bring(source)
        target = self._surfaces.get(format._value_) or self._get(format)
        self._transformer.transform(source, placement, target, interpolation)
        return target.surface

    def convert(self, surface: SurfaceView, format: VideoFormat, *, on_host: bool = False) -> SurfaceView:
        """Return the pixels of ``surface`` in ``format``; what came to the host stays there."""
        if not surface.is_cuda:
            return self._host.convert(surface, format)
        if surface.format is not format:
            surface = self._converted(surface, format)
        return self._downloaded(surface) if on_host else surface

    def for_encoder(self, surface: SurfaceView) -> SurfaceView:
        """Return the pixels of ``surface`` in the encoder's format, where the encoder reads them."""
        if surface is self._final:
            return surface
        return self.convert(surface, self.encoder_format, on_host=not self._encoder_on_gpu)

    def expect_painting(self, format: VideoFormat) -> None:
        """Nothing: the painter of a GPU compiles by itself."""

    def close(self) -> None:
        """Wait, and give back everything on the GPU."""
        self._surfaces.clear()
        self._final = None
        self._transformer.close()

    def _get(self, format: VideoFormat) -> BoundTarget:
        target = self._surfaces.get(format._value_)
        if target is None:
            color = self._color if format.is_yuv else None
            surface = allocate_on_device(format, self._size_wh, self._transformer.stream, color)
            target = self._surfaces[format._value_] = self._transformer.bind(surface)
            if self._encoder_on_gpu and format is self.encoder_format:
                self._final = surface
        return target

    def _converted(self, surface: SurfaceView, format: VideoFormat) -> SurfaceView:
        target = self._get(format)
        self._transformer.transform(surface, self._identity, target)
        return target.surface

    def _downloaded(self, surface: SurfaceView) -> SurfaceView:
        """Copy to pinned memory, and wait: what follows reads it on the host."""
        device, pinned = self._transformer.device, self._pinned.get(surface.format)
        device.make_current()
        if pinned is None:
            pinned = allocate_pinned(surface.format, self._size_wh, device, surface.color)
            self._pinned[surface.format] = pinned
        copy_bytes_to_host(surface, pinned, self._transformer.stream)
        self._transformer.stream.wait()
        return pinned
