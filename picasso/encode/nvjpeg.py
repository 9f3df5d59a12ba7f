"""JPEG images by nvJPEG, of surfaces in GPU memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from picasso.encode.jpeg import JFIF, quality_of
from picasso.encode.nvjpeg_library import DeviceRows, NvJpeg, load_nvjpeg
from picasso.encode.still import StillEncoder
from picasso.errors import EncoderError
from picasso.surface.formats import VideoFormat
from picasso.surface.view import SurfaceView

if TYPE_CHECKING:
    from picasso.encode.config import EncoderConfig
    from picasso.encode.nvenc_gpu import Gpu


class NvjpegEncoder(StillEncoder):
    """One JFIF file with 4:2:0 chroma a frame; planes go in as they are. What is in host memory is uploaded."""

    reads_device_memory = True

    def __init__(self, config: EncoderConfig, library: Any, gpu: Gpu) -> None:
        """Open it.

        Args:
            config: JPEG of even size.
            library: What ``load_nvjpeg`` returned.
            gpu: Where it runs; closed with the encoder.

        Raises:
            EncoderError: An odd size, or nvJPEG refuses.
        """
        if config.width % 2 or config.height % 2:
            raise EncoderError(f"nvJPEG takes 4:2:0 of even size here, got {config.width}x{config.height}")
        super().__init__("nvjpeg", config, VideoFormat.I420, JFIF)
        self._gpu = gpu
        self._coder: NvJpeg | None = NvJpeg(library, gpu.stream, gpu.at_rest)
        self._apply(config)

    def close(self) -> None:
        """Take no more frames, and give back what is on the GPU; see ``Encoder.close``."""
        super().close()
        coder, self._coder = self._coder, None
        if coder is not None:
            self._gpu.settle()
            coder.close()
            self._gpu.close()

    def _apply(self, config: EncoderConfig) -> None:
        if self._coder is not None:
            self._coder.set_quality(max(quality_of(config), 1))

    def _compress(self, surface: SurfaceView) -> bytes:
        if self._coder is None:
            raise EncoderError("nvjpeg: the encoder is closed")
        there = self._gpu.ready(surface)
        planes = tuple(DeviceRows(plane.ptr, plane.strides[0]) for plane in there.device_planes)
        data = self._coder.encode(planes, there.size_wh)
        self._gpu.settle()
        return data


def open_nvjpeg(config: EncoderConfig) -> NvjpegEncoder:
    """Open nvJPEG on the GPU that ``config`` names.

    Raises:
        MissingDependencyError: nvJPEG, or the CUDA bindings, are not installed.
        DeviceError: There is no such GPU.
        EncoderError: An odd size, or nvJPEG refuses.
    """
    from picasso.encode.nvenc_gpu import CudaGpu

    gpu = CudaGpu(config.device_id)
    try:
        return NvjpegEncoder(config, load_nvjpeg(), gpu)
    except BaseException:
        gpu.close()
        raise
