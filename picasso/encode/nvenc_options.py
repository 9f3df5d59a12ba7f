"""How NVENC fulfils a stream's wishes: the options of ``PyNvVideoCodec.CreateEncoder``, all of them text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from picasso.encode.config import EncoderConfig
from picasso.encode.enums import Codec, HevcProfile, RateControl, TuningPreset
from picasso.encode.video_settings import DEFAULT_QP, VideoSettings, settings_of
from picasso.errors import EncoderError

CODECS: Final = {Codec.H264: "h264", Codec.HEVC: "hevc", Codec.AV1: "av1"}
TUNINGS: Final = {
    TuningPreset.HIGH_QUALITY: "high_quality",
    TuningPreset.LOW_LATENCY: "low_latency",
    TuningPreset.ULTRA_LOW_LATENCY: "ultra_low_latency",
    TuningPreset.LOSSLESS: "lossless",
}
MODES: Final = {
    RateControl.VARIABLE_BITRATE: "vbr",
    RateControl.CONSTANT_BITRATE: "cbr",
    RateControl.CONSTANT_QP: "constqp",
}
H26X_TO_INDEX: Final = 255 / 51

LIVE: Final = frozenset({"bitrate", "maxbitrate", "vbvbufsize", "vbvinit", "cq", "rc", "fps"})
"""What NVENC changes without a break, as long as there is a bit rate before and after."""


@dataclass(frozen=True, slots=True)
class NvencPlan:
    """How a session is opened."""

    settings: VideoSettings
    options: dict[str, str]
    ignored: dict[str, str] = field(default_factory=dict)
    """Properties that have no effect, each with the reason."""


def nvenc_plan(config: EncoderConfig) -> NvencPlan:
    """LibraryPlan a session for a validated configuration.

    Raises:
        EncoderError: What is asked for is beyond NV12 surfaces.
    """
    settings, ignored = settings_of(config)
    if settings.profile is HevcProfile.MAIN10:
        raise EncoderError("NVENC is fed NV12, which has 8 bits: it makes no MAIN10")
    ignored = {name: why for name, why in ignored.items() if name not in {"init_qp", "temporal_aq"}}
    if settings.profile not in {None, HevcProfile.MAIN}:
        ignored["profile"] = "NVENC chooses it by the tools that it uses"
    rate = settings.frame_rate
    options = {
        "codec": CODECS[config.codec],
        "preset": f"P{settings.effort}",
        "tuning_info": TUNINGS[TuningPreset.LOSSLESS if settings.lossless else settings.tuning],
        "fps": str(max(round(rate), 1)),
        "gop": str(settings.interval),
        "idrperiod": str(settings.interval),
        "bf": "0",
        "repeatspspps": "1",
    }
    if config.codec is Codec.AV1:
        options["use_ivf_container"] = "0"
    return NvencPlan(settings, options | _rate(settings, config.codec) | _adaptive(settings), ignored)


def _rate(settings: VideoSettings, codec: Codec) -> dict[str, str]:
    if settings.lossless:
        return {"rc": "constqp", "constqp": "0"}
    options = {"rc": MODES[settings.mode]}
    if settings.mode is RateControl.CONSTANT_QP:
        return options | {"constqp": _constant(settings, codec)}
    options["bitrate"] = str(settings.bitrate)
    if settings.quality is not None:
        options["cq"] = str(max(round(settings.quality), 1))  # 0 leaves it to NVENC
    peak = settings.bitrate if settings.mode is RateControl.CONSTANT_BITRATE else settings.max_bitrate
    if peak:
        options["maxbitrate"] = str(peak)
    if peak or settings.buffer:
        options["vbvbufsize"] = str(settings.buffer_bits)
        if settings.buffer_fill:
            options["vbvinit"] = str(min(settings.buffer_fill, settings.buffer_bits))
    if settings.qp_range:
        options |= {"qmin": str(settings.qp_range[0]), "qmax": str(settings.qp_range[1])}
    if settings.first_quantisers:
        intra, inter, both_ways = settings.first_quantisers
        options["initqp"] = f"{inter},{both_ways},{intra}"
    return options


def _constant(settings: VideoSettings, codec: Codec) -> str:
    """Return quantisers in NVENC's order: P, B, I."""
    scale = H26X_TO_INDEX if codec is Codec.AV1 else 1
    defaults = (round(qp * scale) for qp in DEFAULT_QP)
    intra, inter = (
        fallback if asked is None else asked for asked, fallback in zip(settings.quantisers, defaults, strict=True)
    )
    return f"{inter},{inter},{intra}"


def _adaptive(settings: VideoSettings) -> dict[str, str]:
    options = {} if settings.aq is None else {"aq": str(settings.aq)}
    return options | {"temporalaq": "1"} if settings.temporal_aq else options
