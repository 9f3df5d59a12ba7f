"""What a configuration asks of a video encoder, in one vocabulary for all codecs and platforms.

Here the properties of graphics cards and Jetsons become one set of wishes, with the defaults filled in; ``x264``,
``x265`` and ``svtav1`` say how each library fulfils them. docs/encoders.md holds the same as a table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, Literal

from picasso.encode.config import EncoderConfig
from picasso.encode.enums import (
    Codec,
    H264Profile,
    HevcProfile,
    JetsonPresetLevel,
    RateControl,
    TuningPreset,
)
from picasso.encode.property_types import QP_RANGE, QP_TRIPLE, TILES

DEFAULT_BITRATE: Final = 4_000_000
CRF_CEILING: Final = 100_000_000
"""Bit rate that a constant quality does not reach, for encoders that want one beside it."""
DEFAULT_INTERVAL: Final = 30
DEFAULT_QP: Final = (25, 28)
"""I and P quantisers on the scale of H.264 and HEVC, where constant ones are asked for and none are given."""
CQ_TO_AV1: Final = 63 / 51
ENDLESS: Final = 2**30
"""Frames between keyframes when only the first is one."""

JETSON_EFFORT: Final = {
    JetsonPresetLevel.DISABLED: 1,
    JetsonPresetLevel.ULTRA_FAST: 1,
    JetsonPresetLevel.FAST: 3,
    JetsonPresetLevel.MEDIUM: 5,
    JetsonPresetLevel.SLOW: 7,
}
BUFFER_SECONDS: Final = {
    TuningPreset.HIGH_QUALITY: 2.0,
    TuningPreset.LOW_LATENCY: 1.0,
    TuningPreset.ULTRA_LOW_LATENCY: 0.25,
    TuningPreset.LOSSLESS: 1.0,
}
"""Length of the rate control's buffer where its size is not given: a short one holds keyframes to less delay."""

NO_EQUIVALENT: Final[Mapping[str, tuple[object, str]]] = {
    "init_qp": (None, "rate control starts from an estimate of its own"),
    "temporal_aq": (False, "it needs frames ahead, which would be held back"),
    "maxperf_enable": (False, "it sets the clocks of a Jetson"),
    "two_pass_cbr": (False, "each frame is encoded once"),
    "insert_sps_pps": (True, "parameter sets always stand at every keyframe"),
    "insert_seq_hdr": (True, "the sequence header always stands at every keyframe"),
    "insert_vui": (True, "the colour tags are always written"),
    "quant_b_frames": (None, "there are no B-frames"),
}
"""Properties that nothing in a software encoder answers to: the value that holds anyway, and why no other can."""


@dataclass(frozen=True, slots=True)
class VideoSettings:
    """Wishes of one stream, defaults filled in; bit rates in bit/s, sizes in bits."""

    size_wh: tuple[int, int]
    frame_rate: Fraction
    mode: RateControl
    bitrate: int
    max_bitrate: int | None
    """Cap of variable bit rate."""
    buffer: int | None
    """Size of the rate control's buffer, if asked for."""
    buffer_fill: int | None
    """How full it is at the start, if asked for."""
    buffer_seconds: float
    """Its length where the size is not asked for."""
    tuning: TuningPreset
    quality: float | None
    """Quality to hold instead of a bit rate, under variable bit rate; on the scale of the codec's library."""
    quantisers: tuple[int | None, int | None]
    """Of I- and P-frames when they are constant, on the scale of the codec; None: the default."""
    first_quantisers: tuple[int, int, int] | None
    """Of I-, P- and B-frames where rate control starts, if asked for; NVENC only."""
    qp_range: tuple[int, int] | None
    """On the scale of the codec."""
    effort: int
    """1 (fastest) .. 7."""
    interval: int
    """Frames from one keyframe to the next."""
    lossless: bool
    full_range: bool
    aq: int | None
    """Spatial adaptive quantisation: None as the preset has it, 0 of the library's strength, or 1..15."""
    temporal_aq: bool
    """Adaptive quantisation over time; NVENC only."""
    profile: H264Profile | HevcProfile | None
    references: int | None
    cabac: bool | None
    """Arithmetic coding of H.264; None: as the profile has it."""
    delimiters: bool
    """Whether access unit delimiters are written."""
    tiles: tuple[int, int] | None
    """Base-two logarithms of the numbers of rows and columns."""

    @property
    def buffer_bits(self) -> int:
        """Size of the buffer that goes with a constant bit rate, or with the cap of a variable one."""
        return self.buffer or int((self.max_bitrate or self.bitrate) * self.buffer_seconds)


@dataclass(frozen=True, slots=True)
class LibraryPlan:
    """How one library is opened."""

    library: Literal["libx264", "libx265", "libsvtav1"]
    """Name of the encoder in libavcodec."""
    options: dict[str, str]
    pix_fmt: str = "yuv420p"
    """What the library takes in; I420 surfaces are widened to it where it differs."""
    ignored: dict[str, str] = field(default_factory=dict)
    """Properties that have no effect, each with the reason."""


def settings_of(config: EncoderConfig) -> tuple[VideoSettings, dict[str, str]]:
    """Read a validated configuration.

    Returns:
        The wishes, and the given properties that no software encoder can fulfil, each with the reason.
    """
    given = config.encoder_params.props.given() if config.encoder_params else {}
    ignored = {name: why for name, (held, why) in NO_EQUIVALENT.items() if name in given and given[name] is not held}
    return _settings(config, given), ignored


def _settings(config: EncoderConfig, given: Mapping[str, Any]) -> VideoSettings:
    tuning = given.get("tuning_info", TuningPreset.LOW_LATENCY)
    mode = _mode(given) if config.crf is None else RateControl.VARIABLE_BITRATE
    cap = (given.get("max_bitrate") or given.get("peak_bitrate")) if mode is RateControl.VARIABLE_BITRATE else None
    return VideoSettings(
        size_wh=(config.width, config.height),
        frame_rate=Fraction(config.fps_num, config.fps_den),
        mode=mode,
        bitrate=given.get("bitrate") or min(DEFAULT_BITRATE if config.crf is None else CRF_CEILING, cap or CRF_CEILING),
        max_bitrate=cap,
        buffer=given.get("vbv_buf_size") or given.get("vbv_size") or None,
        buffer_fill=given.get("vbv_init") or None,
        buffer_seconds=BUFFER_SECONDS[tuning],
        tuning=tuning,
        quality=_quality(config, given) if mode is RateControl.VARIABLE_BITRATE else None,
        quantisers=_quantisers(given),
        first_quantisers=_triple(QP_TRIPLE.parse(given["init_qp"])) if "init_qp" in given else None,
        qp_range=_pair(QP_RANGE.parse(given["qp_range"])) if "qp_range" in given else None,
        effort=int(given["preset"]) if "preset" in given else _jetson_effort(given),
        interval=_interval(given),
        lossless=tuning is TuningPreset.LOSSLESS or given.get("enable_lossless", False),
        full_range=given.get("extended_colorformat", False),
        aq=given.get("aq"),
        temporal_aq=given.get("temporal_aq", False),
        profile=given.get("profile"),
        references=given.get("num_ref_frames") or None,
        cabac=False if given.get("disable_cabac") else None,
        delimiters=given.get("insert_aud", False),
        tiles=_pair(TILES.parse(given["tiles"])) if "tiles" in given else None,
    )


def _mode(given: Mapping[str, Any]) -> RateControl:
    if given.get("ratecontrol_enable") is False:
        return RateControl.CONSTANT_QP
    mode: RateControl = given.get("control_rate", RateControl.CONSTANT_BITRATE)
    return mode


def _quality(config: EncoderConfig, given: Mapping[str, Any]) -> float | None:
    """Return the quality to hold: ``cq`` counts as H.264 does, for every codec."""
    if config.crf is not None:
        return config.crf
    cq: int = given.get("cq") or 0
    return (round(cq * CQ_TO_AV1) if config.codec is Codec.AV1 else cq) or None


def _jetson_effort(given: Mapping[str, Any]) -> int:
    return JETSON_EFFORT[given.get("preset_level", JetsonPresetLevel.ULTRA_FAST)]


def _interval(given: Mapping[str, Any]) -> int:
    """Every I-frame is an IDR, so the shorter of the two intervals rules; 0 stands for never again."""
    asked = [given[name] or ENDLESS for name in ("iframeinterval", "idrinterval") if name in given]
    if "iframeinterval" not in given:
        asked.append(DEFAULT_INTERVAL)
    return min(*asked, ENDLESS)


def _quantisers(given: Mapping[str, Any]) -> tuple[int | None, int | None]:
    if "const_qp" in given:
        intra, inter, _ = QP_TRIPLE.parse(given["const_qp"])
        return intra, inter
    return given.get("quant_i_frames"), given.get("quant_p_frames")


def _pair(numbers: tuple[int, ...]) -> tuple[int, int]:
    first, second = numbers
    return first, second


def _triple(numbers: tuple[int, ...]) -> tuple[int, int, int]:
    first, second, third = numbers
    return first, second, third
