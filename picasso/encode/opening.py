"""The one way to open an encoder: which of them makes a codec."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Final

from picasso.encode.enums import Codec, Platform
from picasso.encode.validate import validate
from picasso.errors import DeviceError, EncoderError, MissingDependencyError, require
from picasso.surface.formats import MemType

if TYPE_CHECKING:
    from picasso.encode.config import EncoderConfig
    from picasso.encode.encoder import Encoder

log = logging.getLogger("picasso.encode")

GPU_MEMORY: Final = frozenset({MemType.CUDA_PINNED, MemType.CUDA_DEVICE, MemType.CUDA_UNIFIED})
"""Where surfaces live that an encoder on the GPU reads."""


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


def beside_the_source(config: EncoderConfig) -> EncoderConfig:
    """Return the configuration for a source whose pixels are on the GPU: where nothing else is said, it stays there."""
    params = config.encoder_params
    if config.memory_type is not MemType.DEFAULT or (params is not None and params.platform is Platform.JETSON):
        return config
    return config.copy().mem_type(MemType.CUDA_DEVICE)


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


@functools.cache
def _say_once(text: str) -> None:
    log.warning(text)
