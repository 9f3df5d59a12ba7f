"""``output_frame`` as an encoder: which one, its parameters translated, and proof before the start that it works."""

from __future__ import annotations

import logging
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from picasso.encode import (
    Av1DgpuProps,
    Codec,
    DgpuPreset,
    EncoderConfig,
    EncoderProperties,
    H264DgpuProps,
    H264Profile,
    HevcDgpuProps,
    HevcProfile,
    JpegProps,
    PngProps,
    RateControl,
    TuningPreset,
    open_encoder,
)
from picasso.errors import PicassoError
from picasso.module.config import ConfigError, OutputFrame
from picasso.module.config.output import ENCODERS, PASSES, SPEEDS, STREAMS
from picasso.module.run.geometry import Geometry
from picasso.surface import MemType, SurfaceView

if TYPE_CHECKING:
    from picasso.module.config import ModuleConfig

CODECS: Final = {
    "h264": Codec.H264,
    "hevc": Codec.HEVC,
    "av1": Codec.AV1,
    "jpeg": Codec.JPEG,
    "png": Codec.PNG,
    "raw-rgba": Codec.RAW_RGBA,
    "raw-rgb24": Codec.RAW_RGB,
}
PROBE_WH: Final = (320, 240)
"""Size of the frame that is encoded for proof where each source keeps its own size."""
QUANTIZER: Final = 21
"""What ``pass: quant`` and ``pass: qual`` hold constant."""
AUTOMATIC_INTERVAL: Final = 250
"""Frames between keyframes where ``key-int-max`` is 0."""
_TUNINGS: Final = (
    TuningPreset.HIGH_QUALITY,
    TuningPreset.LOW_LATENCY,
    TuningPreset.ULTRA_LOW_LATENCY,
    TuningPreset.LOSSLESS,
)
logger: logging.Logger = logging.getLogger("picasso.module")


def with_proven_encoder(module: ModuleConfig) -> ModuleConfig:
    """Encode one frame, and return the module with the encoder that did it.

    Where the module names none, NVENC is tried first; that it cannot be used is logged with the reason.

    Raises:
        ConfigError: The encoder that the module names, or the last one, cannot be used here; with the reason.
    """
    output = module.output_frame
    if output is None or output.codec not in CODECS:
        return module
    size_wh = Geometry.of(PROBE_WH, module.frame).output_wh
    choices: tuple[str | None, ...] = ENCODERS.get(output.codec, (None,))
    if output.encoder is not None:
        choices = (output.encoder,)
    for place, encoder in enumerate(choices):
        tried = _named(output, encoder)
        try:
            prove(tried, size_wh)
        except PicassoError as error:
            if encoder == choices[-1]:
                key = "codec" if output.encoder is None else "encoder"
                text = f"{' by '.join(filter(None, (output.codec, encoder)))} cannot be encoded here: {error}"
                raise ConfigError([module.problem(("parameters", "output_frame", key), text)]) from error
            logger.info("output_frame: %s is encoded by %s: %s", output.codec, choices[place + 1], error)
            continue
        return replace(module, output_frame=tried)
    return module


def prove_auxiliary(module: ModuleConfig) -> None:
    """Encode one frame by each of ``parameters.auxiliary_encoders`` that names its encoder.

    Raises:
        ConfigError: With a line for each that cannot be used here.
    """
    found = []
    for place, one in enumerate(module.parameters.get("auxiliary_encoders") or ()):
        if one.get("encoder") is not None:
            output = OutputFrame(one["codec"], one["encoder"], one.get("encoder_params") or {}, one.get("profile"))
            try:
                prove(output, PROBE_WH)
            except PicassoError as error:
                text = f"{output.codec} by {output.encoder} cannot be encoded here: {error}"
                found.append(module.problem(("parameters", "auxiliary_encoders", place, "encoder"), text))
    if found:
        raise ConfigError(found)


def encoder_config(output: OutputFrame, size_wh: tuple[int, int], rate: Fraction) -> EncoderConfig:
    """Return the encoder's configuration, its parameters translated from the names of ``encoder_params``."""
    config = EncoderConfig(CODECS[output.codec], *size_wh).fps(rate.numerator, rate.denominator)
    properties = _properties(output)
    if properties is not None:
        config.properties(properties)
    if output.encoder is not None:
        config.mem_type(MemType.CUDA_DEVICE if output.encoder == "nvenc" else MemType.SYSTEM)
    return config


def _named(output: OutputFrame, encoder: str | None) -> OutputFrame:
    """Return the block with an encoder; a bit rate counts bits unless the module itself names the software encoder."""
    params = output.encoder_params
    if output.encoder is None and encoder == "software" and "bitrate" in params:
        params = {**params, "bitrate": params["bitrate"] / 1000}
    return replace(output, encoder=encoder, encoder_params=params)


def prove(output: OutputFrame, size_wh: tuple[int, int]) -> None:
    """Encode one black frame of ``size_wh`` pixels as ``output`` says.

    Raises:
        PicassoError: That cannot be done, with the reason.
    """
    config = encoder_config(output, size_wh, Fraction(30))
    if output.encoder == "nvenc":
        _open_on_gpu(config).close()
        return
    encoder = open_encoder(config)
    try:
        form = encoder.input_format
        surface = SurfaceView.allocate(form, size_wh, encoder.color if form.is_yuv else None)
        encoder.encode(surface, 0, 33_333_333)
    finally:
        encoder.close()


def _open_on_gpu(config: EncoderConfig) -> Any:
    if config.codec is Codec.JPEG:
        from picasso.encode.nvjpeg import open_nvjpeg

        return open_nvjpeg(config)
    from picasso.encode.nvenc import open_nvenc

    return open_nvenc(config)


def _properties(output: OutputFrame) -> EncoderProperties | None:
    params = output.encoder_params
    if output.codec == "jpeg":
        return EncoderProperties.jpeg(JpegProps(quality=int(params.get("quality", 85))))
    if output.codec == "png":
        return EncoderProperties.png(PngProps(compression_level=int(params.get("compression-level", 6))))
    if output.codec not in STREAMS:
        return None
    common = _rates(output)
    if "preset-id" in params:
        common["preset"] = DgpuPreset(int(params["preset-id"]))
    if "speed-preset" in params:
        speed = params["speed-preset"]
        number = SPEEDS.index(speed) + 1 if isinstance(speed, str) else int(speed)
        common["preset"] = DgpuPreset(min(number, 7))
    if "tuning-info-id" in params:
        common["tuning_info"] = _TUNINGS[int(params["tuning-info-id"]) - 1]
    if params.get("extended-colorformat") and output.codec != "av1":
        common["extended_colorformat"] = True
    if output.codec == "h264":
        common["profile"] = _h264_profile(output)
        return EncoderProperties.h264_dgpu(H264DgpuProps(**common))
    if output.codec == "hevc":
        if "profile" in params:
            common["profile"] = {0: HevcProfile.MAIN, 1: HevcProfile.MAIN10}[int(params["profile"])]
        return EncoderProperties.hevc_dgpu(HevcDgpuProps(**common))
    return EncoderProperties.av1_dgpu(Av1DgpuProps(**common))


def _h264_profile(output: OutputFrame) -> H264Profile | None:
    """Return the profile: by name for the software encoder, by number for NVENC; the name wins where both are there."""
    by_name = {"baseline": H264Profile.BASELINE, "main": H264Profile.MAIN, "high": H264Profile.HIGH}
    by_number = {0: H264Profile.BASELINE, 2: H264Profile.MAIN, 4: H264Profile.HIGH, 7: H264Profile.HIGH444}
    if output.profile is not None and output.encoder != "nvenc":
        return by_name[output.profile]
    number = output.encoder_params.get("profile")
    return None if number is None else by_number[int(number)]


def _rates(output: OutputFrame) -> dict[str, Any]:
    """Return bit rate, rate control and keyframe interval; software encoders count kilobits, NVENC bits."""
    params = output.encoder_params
    common: dict[str, Any] = {}
    if "bitrate" in params:
        common["bitrate"] = round(params["bitrate"] * (1000 if output.encoder == "software" else 1))
    interval = params.get("key-int-max", params.get("iframeinterval"))
    if interval is not None:
        common["iframeinterval"] = int(interval) or ("key-int-max" in params) * AUTOMATIC_INTERVAL
    if params.get("force-intra"):
        common["iframeinterval"] = 1
    if "control-rate" in params:
        common["control_rate"] = (
            RateControl.CONSTANT_BITRATE if int(params["control-rate"]) else RateControl.VARIABLE_BITRATE
        )
    kind = params.get("pass")
    kind = PASSES[kind] if isinstance(kind, str) else kind
    if kind == PASSES["quant"]:
        common |= {"control_rate": RateControl.CONSTANT_QP, "const_qp": f"{QUANTIZER}:{QUANTIZER}:{QUANTIZER}"}
    elif kind == PASSES["qual"]:
        common |= {"control_rate": RateControl.VARIABLE_BITRATE, "cq": QUANTIZER}
    if kind in (PASSES["quant"], PASSES["qual"]):
        common.pop("bitrate", None)
    return common
