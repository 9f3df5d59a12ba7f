"""What is wrong with an encoder's configuration, told before the first frame."""

from __future__ import annotations

from typing import Final

from picasso.encode.config import EncoderConfig
from picasso.encode.enums import Codec, H264Profile, Platform, RateControl, TuningPreset
from picasso.encode.properties import H264DgpuProps
from picasso.encode.property_types import TILES, Props
from picasso.errors import SpecError
from picasso.surface.formats import MemType

ENCODABLE: Final = (
    Codec.H264,
    Codec.HEVC,
    Codec.AV1,
    Codec.JPEG,
    Codec.PNG,
    Codec.RAW_RGBA,
    Codec.RAW_RGB,
    Codec.RAW_NV12,
)
"""Codecs that a frame can be encoded with."""

_RATES: Final = (
    "bitrate",
    "control_rate",
    "ratecontrol_enable",
    "const_qp",
    "quant_i_frames",
    "quant_p_frames",
    "cq",
)
"""Properties that say what is held constant."""

SMALLEST_SIDE: Final = {Codec.H264: 16, Codec.HEVC: 16, Codec.AV1: 64, Codec.RAW_NV12: 2}
"""Codecs whose pixels share chroma in squares of four, with the shortest side that their encoder takes."""
AV1_MAX_FPS: Final = 240
AV1_MAX_TILES_LOG2: Final = 7
AV1_MAX_TILE_COLUMNS_LOG2: Final = 4
"""128 tiles in 16 columns (AV1 specification, annex A.3)."""

# nvbufsurface.h of the DeepStream SDK: the CUDA kinds belong to graphics cards, surface arrays and handles to Jetsons
PLATFORM_OF_MEMORY: Final = {
    MemType.CUDA_PINNED: Platform.DGPU,
    MemType.CUDA_DEVICE: Platform.DGPU,
    MemType.CUDA_UNIFIED: Platform.DGPU,
    MemType.SURFACE_ARRAY: Platform.JETSON,
    MemType.HANDLE: Platform.JETSON,
}


def validate(config: EncoderConfig) -> None:
    """Check that ``config`` can be encoded at all.

    Raises:
        SpecError: ``Unsupported codec`` (it can only be decoded), ``codec mismatch`` (the properties are another
            codec's), ``platform mismatch`` (properties of one platform with memory of the other), properties that
            exclude each other, a size or a frame rate that the codec does not have.
    """
    if config.codec not in ENCODABLE:
        choices = ", ".join(codec.name() for codec in ENCODABLE)
        raise SpecError(f"Unsupported codec: {config.codec.name()} cannot be encoded; one of {choices}")
    if config.encoder_params is not None:
        props = config.encoder_params.props
        _check_target(config, props)
        _check_together(props)
        _check_quality(config, props)
    _check_size(config)
    if config.codec is Codec.AV1 and config.fps_num > AV1_MAX_FPS * config.fps_den:
        raise SpecError(f"av1: fps = {config.fps_num}/{config.fps_den}: expected at most {AV1_MAX_FPS}")


def _check_target(config: EncoderConfig, props: Props) -> None:
    kind = type(props).__name__
    if props.codec is not config.codec:
        raise SpecError(f"codec mismatch: {kind} are for {props.codec.name()}, the codec is {config.codec.name()}")
    of_memory = PLATFORM_OF_MEMORY.get(config.memory_type)
    if props.platform is not None and of_memory is not None and props.platform is not of_memory:
        memory = config.memory_type.name()
        raise SpecError(f"platform mismatch: {kind} are for {props.platform!r}, {memory} memory for {of_memory!r}")


def _check_together(props: Props) -> None:
    given, kind = props.given(), type(props).__name__
    lossless = given.get("tuning_info") is TuningPreset.LOSSLESS
    if lossless and isinstance(props, H264DgpuProps) and props.profile not in {None, H264Profile.HIGH444}:
        raise SpecError(f"{kind}.profile = {props.profile!r}: a lossless stream needs {H264Profile.HIGH444!r}")
    if "tiles" in given:
        rows, columns = TILES.parse(given["tiles"])
        if columns > AV1_MAX_TILE_COLUMNS_LOG2 or rows + columns > AV1_MAX_TILES_LOG2:
            raise SpecError(f"{kind}.tiles = {given['tiles']!r}: expected at most 128 tiles in at most 16 columns")
    if given.get("control_rate") is RateControl.VARIABLE_BITRATE and "bitrate" in given:
        for cap in ("max_bitrate", "peak_bitrate"):
            if given.get(cap, given["bitrate"]) < given["bitrate"]:
                raise SpecError(f"{kind}.{cap} = {given[cap]}: expected at least bitrate = {given['bitrate']}")


def _check_quality(config: EncoderConfig, props: Props) -> None:
    """Refuse a rate beside a constant quality: one of the two would be forgotten."""
    given = props.given()
    rates: list[str] = [name for name in _RATES if name in given]
    if given.get("tuning_info") is TuningPreset.LOSSLESS or given.get("enable_lossless"):
        rates.append("lossless")
    if config.crf is not None and rates:
        kind = type(props).__name__
        raise SpecError(f"EncoderConfig.crf = {config.crf:g} excludes {', '.join(rates)} of {kind}: leave one out")


def _check_size(config: EncoderConfig) -> None:
    smallest = SMALLEST_SIDE.get(config.codec)
    if smallest is None:
        return
    if config.width % 2 or config.height % 2:
        raise SpecError(f"{config.codec.name()} needs an even width and height, got {config.width}x{config.height}")
    if min(config.width, config.height) < smallest:
        raise SpecError(
            f"{config.codec.name()} needs width and height of at least {smallest}, got {config.width}x{config.height}"
        )
