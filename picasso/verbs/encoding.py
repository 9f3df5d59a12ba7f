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
    H264Profile,
    HevcDgpuProps,
    JpegProps,
)
from picasso.errors import SpecError

_RATED: dict[Codec, tuple[Callable[..., Any], Callable[[Any], EncoderProperties]]] = {
    Codec.H264: (H264DgpuProps, EncoderProperties.h264_dgpu),
    Codec.HEVC: (HevcDgpuProps, EncoderProperties.hevc_dgpu),
    Codec.AV1: (Av1DgpuProps, EncoderProperties.av1_dgpu),
}
"""The codecs that have a bit rate, and the properties that carry it."""


CRF = {Codec.H264: 23, Codec.HEVC: 24, Codec.AV1: 32}
"""Constant quality where nothing is said, with ``PRESETS``: near to libx264's at CRF 23 and its preset medium."""
PRESETS = {Codec.H264: DgpuPreset.P3, Codec.HEVC: DgpuPreset.P2, Codec.AV1: DgpuPreset.P5}
"""Effort where nothing is said."""
KEYFRAME_S = 2
"""Seconds from one keyframe to the next: how far a player seeks, and what is lost when a recording breaks off."""


def even_display_size(size_wh: tuple[int, int], scale_xy: tuple[Fraction, Fraction]) -> tuple[int, int]:
    """Scale a picture to square pixels: odd sides lose a pixel, broken ones go to the nearest even number."""
    width, height = (_even(side * scale) for side, scale in zip(size_wh, scale_xy, strict=True))
    return width, height


def _even(side: Fraction) -> int:
    return max(int(side) & ~1 if side.denominator == 1 else 2 * round(side / 2), 2)


def encoder_config(
    codec: Codec,
    size_wh: tuple[int, int],
    fps: Fraction,
    *,
    bit_rate: int | None = None,
    crf: float | None = None,
    quality: int | None = None,
    preset: DgpuPreset | None = None,
) -> EncoderConfig:
    """A configuration for one source.

    Args:
        codec: What to encode to.
        size_wh: Size of the encoded picture in pixels.
        fps: Frames per second.
        bit_rate: Bits per second of H.264, HEVC and AV1; None holds the quality instead.
        crf: Quality to hold, as ``EncoderConfig.constant_quality`` takes it; ``CRF`` where it is None.
        quality: Of JPEG, 0..100; None leaves it to the encoder.
        preset: Effort for H.264, HEVC and AV1, from P1 (fastest) to P7; ``PRESETS`` where it is None.

    Raises:
        SpecError: The codec does not have what is asked for, or a value is out of its range.
    """
    config = EncoderConfig(codec, *size_wh).fps(fps.numerator, fps.denominator)
    for name, value in (("bit rate", bit_rate), ("constant quality", crf), ("preset", preset)):
        if value is not None and codec not in _RATED:
            raise SpecError(f"{codec.name()} has no {name}; one of {', '.join(each.name() for each in _RATED)}")
    if quality is not None:
        if codec is not Codec.JPEG:
            raise SpecError(f"{codec.name()} has no quality from 0 to 100; only jpeg has")
        return config.properties(EncoderProperties.jpeg(JpegProps(quality=quality)))
    if codec not in _RATED:
        return config
    if bit_rate is not None and crf is not None:
        raise SpecError(f"a bit rate of {bit_rate} and a constant quality of {crf:g} exclude each other")
    make, wrap = _RATED[codec]
    props = make(bitrate=bit_rate, preset=preset or PRESETS[codec], iframeinterval=max(round(KEYFRAME_S * fps), 1))
    if codec is Codec.H264:
        props.profile = H264Profile.HIGH
    config.properties(wrap(props))
    return config if bit_rate is not None else config.constant_quality(CRF[codec] if crf is None else crf)
