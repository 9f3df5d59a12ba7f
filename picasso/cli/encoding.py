"""An encoder's configuration from what a command line says: codec, size, rate, effort."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from picasso.encode import (
    Av1DgpuProps,
    Codec,
    DgpuPreset,
    EncoderConfig,
    EncoderProperties,
    H264DgpuProps,
    HevcDgpuProps,
)

_RATED: dict[Codec, tuple[Callable[..., Any], Callable[[Any], EncoderProperties]]] = {
    Codec.H264: (H264DgpuProps, EncoderProperties.h264_dgpu),
    Codec.HEVC: (HevcDgpuProps, EncoderProperties.hevc_dgpu),
    Codec.AV1: (Av1DgpuProps, EncoderProperties.av1_dgpu),
}
"""The codecs that have a bit rate, and the properties that carry it."""


def encoder_config(
    codec: Codec,
    size_wh: tuple[int, int],
    fps: Fraction,
    *,
    bit_rate: int | None = None,
    preset: DgpuPreset | None = None,
) -> EncoderConfig:
    """A configuration for one source.

    Args:
        codec: What to encode to.
        size_wh: Size of the encoded picture in pixels.
        fps: Frames per second.
        bit_rate: Bits per second; None leaves it to the encoder. Images have none, so it is not looked at there.
        preset: Effort, from P1 (fastest) to P7; None leaves it to the encoder.
    """
    config = EncoderConfig(codec, *size_wh).fps(fps.numerator, fps.denominator)
    if codec in _RATED and (bit_rate, preset) != (None, None):
        make, wrap = _RATED[codec]
        config.properties(wrap(make(bitrate=bit_rate, preset=preset)))
    return config
