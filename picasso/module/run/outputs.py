"""What ``output_frame`` and ``draw_func`` ask of the engine, and what leaves the module with each frame."""

from __future__ import annotations

import logging
from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from picasso.draw import ObjectDrawSpec
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
)
from picasso.engine import CodecSpec, ConditionalSpec, SourceSpec
from picasso.module.meta.frame import TAGS
from picasso.module.run.drawing import DEFAULT_DRAW, TRACKED_DRAW, draw_specs
from picasso.module.run.geometry import STRETCH

if TYPE_CHECKING:
    from picasso.draw import ObjectDraw
    from picasso.module.config import DrawFunc, ModuleConfig, OutputFrame
    from picasso.module.meta import Frame
    from picasso.primitives import BorrowedVideoObject, VideoFrame

CODECS: Final = {
    "h264": Codec.H264,
    "hevc": Codec.HEVC,
    "av1": Codec.AV1,
    "jpeg": Codec.JPEG,
    "png": Codec.PNG,
    "raw-rgba": Codec.RAW_RGBA,
    "raw-rgb24": Codec.RAW_RGB,
}
NAMESPACE: Final = "picasso.module"
SIZE: Final = "source_size"
"""The temporary attribute in which a frame carries its source's size through the engine."""
_TUNINGS: Final = (
    TuningPreset.HIGH_QUALITY,
    TuningPreset.LOW_LATENCY,
    TuningPreset.ULTRA_LOW_LATENCY,
    TuningPreset.LOSSLESS,
)
logger = logging.getLogger("picasso.module")


def source_spec(module: ModuleConfig, size_wh: tuple[int, int], rate: Fraction) -> SourceSpec:
    """Return what the engine does with the frames of a source.

    Args:
        module: The module; its ``output_frame`` has pixels.
        size_wh: Size of the output frame in pixels.
        rate: Nominal frames per second.
    """
    output = module.output_frame
    if output is None:
        return SourceSpec(codec=CodecSpec.drop_frames())
    encoder = encoder_config(output, size_wh, rate)
    draw = module.draw_func
    attribute = None
    if draw is not None and draw.tag is not None:
        attribute = TAGS, draw.tag
    elif draw is not None and draw.rendered_objects is None:
        attribute = NAMESPACE, SIZE  # every frame has it: all are drawn on, though no spec is listed
    return SourceSpec(
        codec=CodecSpec.encode(STRETCH, encoder),
        conditional=ConditionalSpec(render_attribute=attribute),
        draw=ObjectDrawSpec() if draw is None else draw_specs(draw),
    )


def encoder_config(output: OutputFrame, size_wh: tuple[int, int], rate: Fraction) -> EncoderConfig:
    """Return the encoder's configuration, its parameters translated from the names of ``encoder_params``."""
    codec = CODECS[output.codec]
    config = EncoderConfig(codec, *size_wh).fps(rate.numerator, rate.denominator)
    properties = _properties(output)
    if properties is not None:
        config.properties(properties)
    return config


def _properties(output: OutputFrame) -> EncoderProperties | None:
    params = output.encoder_params
    if output.codec == "jpeg":
        return EncoderProperties.jpeg(JpegProps(quality=int(params.get("quality", 85))))
    if output.codec == "png":
        return EncoderProperties.png(PngProps(compression_level=int(params.get("compression-level", 6))))
    if output.codec not in ("h264", "hevc", "av1"):
        return None
    common = _rates(output)
    if output.codec == "h264":
        profile = {"baseline": H264Profile.BASELINE, "main": H264Profile.MAIN, "high": H264Profile.HIGH}
        numbered = {0: H264Profile.BASELINE, 2: H264Profile.MAIN, 4: H264Profile.HIGH, 7: H264Profile.HIGH444}
        if output.profile is not None:
            common["profile"] = profile[output.profile]
        elif "profile" in params:
            common["profile"] = numbered[int(params["profile"])]
        return EncoderProperties.h264_dgpu(H264DgpuProps(**common))
    if output.codec == "hevc":
        if "profile" in params:
            common["profile"] = {0: HevcProfile.MAIN, 1: HevcProfile.MAIN10}[int(params["profile"])]
        return EncoderProperties.hevc_dgpu(HevcDgpuProps(**common))
    return EncoderProperties.av1_dgpu(Av1DgpuProps(**common))


def _rates(output: OutputFrame) -> dict[str, Any]:
    """Return bit rate, keyframe interval and effort; software encoders count kilobits, NVENC bits."""
    params = output.encoder_params
    software = output.encoder == "software"
    common: dict[str, Any] = {}
    if "bitrate" in params:
        common["bitrate"] = int(params["bitrate"]) * (1000 if software else 1)
    interval = params.get("key-int-max") or params.get("iframeinterval")
    if interval:
        common["iframeinterval"] = int(interval)
    if "control-rate" in params:
        common["control_rate"] = (
            RateControl.CONSTANT_BITRATE if int(params["control-rate"]) else RateControl.VARIABLE_BITRATE
        )
    if "preset-id" in params:
        common["preset"] = DgpuPreset(int(params["preset-id"]))
    if "tuning-info-id" in params:
        common["tuning_info"] = _TUNINGS[int(params["tuning-info-id"]) - 1]
    return common


def draw_default(draw: DrawFunc | None, one: BorrowedVideoObject) -> ObjectDraw | None:
    """Return what an object looks like that no map lists: the built-in look without a map, nothing with one."""
    if draw is None or draw.rendered_objects is not None:
        return None
    return DEFAULT_DRAW if one.track_id is None else TRACKED_DRAW


def finish_metadata(frame: Frame, *, legacy_track_ids: bool) -> None:
    """Make a frame's objects what leaves the module: the primary one only if it says something, track ids as set."""
    primary, video_frame = frame.primary, frame.video_frame
    if primary is not None:
        box = primary.bbox
        whole = (0.0, 0.0, float(frame.width), float(frame.height))
        if tuple(box.as_ltwh()) != whole or primary.fields.attributes:
            frame.add_obj_meta(primary)
    if legacy_track_ids:
        _number_untracked(video_frame)


def _number_untracked(frame: VideoFrame) -> None:
    numbers: Counter[str] = Counter()
    for one in frame.get_all_objects():
        if one.track_id is None:
            one.set_track_info(numbers[one.label], one.detection_box)
            numbers[one.label] += 1
