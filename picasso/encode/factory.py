"""The one way to open an encoder: which of them makes a codec."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from picasso.encode.enums import Codec, Platform
from picasso.encode.validate import validate
from picasso.errors import DeviceError, EncoderError, MissingDependencyError, require
from picasso.surface.formats import MemType
from picasso_kernels.cache.once import SayOnce

if TYPE_CHECKING:
    from picasso.encode.config import EncoderConfig
    from picasso.encode.encoder import Encoder
    from picasso.surface.view import SurfaceView

log: logging.Logger = logging.getLogger("picasso.encode")
_say_once: Final = SayOnce(log)

GPU_MEMORY: Final = frozenset({MemType.CUDA_PINNED, MemType.CUDA_DEVICE, MemType.CUDA_UNIFIED})
"""Where surfaces live that an encoder on the GPU reads."""

TAGGED: Final = frozenset({Codec.H264, Codec.HEVC, Codec.AV1})
"""Codecs whose streams say what their numbers mean."""


def open_encoder(config: EncoderConfig) -> Encoder:
    """Open the encoder for ``config``.

    H.264, HEVC and AV1 from GPU memory are encoded by NVENC where a session opens, JPEG by nvJPEG where it is
    installed, and on the CPU where not: the reason is logged once. Without GPU memory no GPU is looked for.

    Raises:
        SpecError: ``config`` makes no sense; see ``validate``.
        EncoderError: The library refuses it, with its reason.
        MissingDependencyError: The library is not installed.
    """
    validate(config)
    require("simplejpeg" if config.codec is Codec.JPEG else "av")
    on_gpu = config.memory_type in GPU_MEMORY
    match config.codec:
        case Codec.JPEG:
            from picasso.encode.jpeg import JpegEncoder

            return (_on_gpu(config) if on_gpu else None) or JpegEncoder(config)
        case Codec.PNG:
            from picasso.encode.png import PngEncoder

            return PngEncoder(config)
        case Codec.RAW_RGBA | Codec.RAW_RGB | Codec.RAW_NV12:
            from picasso.encode.raw import RawEncoder

            return RawEncoder(config)
        case _:
            return (_on_gpu(config) if on_gpu else None) or _on_cpu(config)


def like_the_source(config: EncoderConfig, surface: SurfaceView) -> EncoderConfig:
    """Return the configuration where the source's first picture decides what it leaves open.

    Pixels on a GPU stay there, on the same one unless the configuration names another; a stream that is tagged with its
    colour space keeps the matrix of YUV.
    """
    if surface.is_cuda and config.memory_type is MemType.DEFAULT:
        params = config.encoder_params
        if params is None or params.platform is not Platform.JETSON:
            from picasso.encode.config import names_gpu

            where = config.device_id if names_gpu(config) else surface.gpu_id
            config = config.copy().mem_type(MemType.CUDA_DEVICE).gpu_id(where)
    if surface.color is not None and config.color_matrix is None and config.codec in TAGGED:
        config = config.copy().matrix(surface.color.matrix)
    return config


def _on_cpu(config: EncoderConfig) -> Encoder:
    from picasso.encode.av import AvEncoder

    return AvEncoder(config)


def _on_gpu(config: EncoderConfig) -> Encoder | None:
    """Open NVENC or nvJPEG; None where that cannot be done. Opening a session is the only proof that there is NVENC."""
    try:
        if config.codec is Codec.JPEG:
            from picasso.encode.nvjpeg import open_nvjpeg

            return open_nvjpeg(config)
        from picasso.encode.nvenc import open_nvenc

        return open_nvenc(config)
    except (DeviceError, EncoderError, MissingDependencyError) as error:
        _say_once(f"{config.codec.name()} is encoded on the CPU: {error}")
        return None
