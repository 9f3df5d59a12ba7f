"""The properties of every codec, in the order of their constructors, and the box that carries one of them.

What each field holds and its range: the types in ``property_types``. What it does to each encoder: docs/encoders.md.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import ClassVar, TypeVar, final

from picasso.encode.enums import Codec, Platform
from picasso.encode.property_types import (
    Av1Qp,
    Av1QpRange,
    Av1References,
    BitRate,
    Bits,
    ControlRate,
    H264ProfileName,
    HevcProfileName,
    Interval,
    JpegQuality,
    PngLevel,
    Preset,
    PresetLevel,
    Props,
    Qp,
    QpRange,
    QpTriple,
    Quality,
    References,
    SpatialAq,
    Switch,
    Tiles,
    Tuning,
)

AnyProps = TypeVar("AnyProps", bound=Props)


@dataclass(slots=True, repr=False)
class H264DgpuProps(Props):
    """H.264 on a graphics card."""

    codec: ClassVar[Codec] = Codec.H264
    platform: ClassVar[Platform | None] = Platform.DGPU

    bitrate: BitRate = None
    control_rate: ControlRate = None
    profile: H264ProfileName = None
    iframeinterval: Interval = None
    idrinterval: Interval = None
    preset: Preset = None
    tuning_info: Tuning = None
    qp_range: QpRange = None
    const_qp: QpTriple = None
    init_qp: QpTriple = None
    max_bitrate: BitRate = None
    vbv_buf_size: Bits = None
    vbv_init: Bits = None
    cq: Quality = None
    aq: SpatialAq = None
    temporal_aq: Switch = None
    extended_colorformat: Switch = None


@dataclass(slots=True, repr=False)
class HevcDgpuProps(Props):
    """HEVC on a graphics card."""

    codec: ClassVar[Codec] = Codec.HEVC
    platform: ClassVar[Platform | None] = Platform.DGPU

    bitrate: BitRate = None
    control_rate: ControlRate = None
    profile: HevcProfileName = None
    iframeinterval: Interval = None
    idrinterval: Interval = None
    preset: Preset = None
    tuning_info: Tuning = None
    qp_range: QpRange = None
    const_qp: QpTriple = None
    init_qp: QpTriple = None
    max_bitrate: BitRate = None
    vbv_buf_size: Bits = None
    vbv_init: Bits = None
    cq: Quality = None
    aq: SpatialAq = None
    temporal_aq: Switch = None
    extended_colorformat: Switch = None


@dataclass(slots=True, repr=False)
class H264JetsonProps(Props):
    """H.264 on a Jetson."""

    codec: ClassVar[Codec] = Codec.H264
    platform: ClassVar[Platform | None] = Platform.JETSON

    bitrate: BitRate = None
    control_rate: ControlRate = None
    profile: H264ProfileName = None
    iframeinterval: Interval = None
    idrinterval: Interval = None
    preset_level: PresetLevel = None
    peak_bitrate: BitRate = None
    vbv_size: Bits = None
    qp_range: QpRange = None
    quant_i_frames: Qp = None
    quant_p_frames: Qp = None
    ratecontrol_enable: Switch = None
    maxperf_enable: Switch = None
    two_pass_cbr: Switch = None
    num_ref_frames: References = None
    insert_sps_pps: Switch = None
    insert_aud: Switch = None
    insert_vui: Switch = None
    disable_cabac: Switch = None


@dataclass(slots=True, repr=False)
class HevcJetsonProps(Props):
    """HEVC on a Jetson."""

    codec: ClassVar[Codec] = Codec.HEVC
    platform: ClassVar[Platform | None] = Platform.JETSON

    bitrate: BitRate = None
    control_rate: ControlRate = None
    profile: HevcProfileName = None
    iframeinterval: Interval = None
    idrinterval: Interval = None
    preset_level: PresetLevel = None
    peak_bitrate: BitRate = None
    vbv_size: Bits = None
    qp_range: QpRange = None
    quant_i_frames: Qp = None
    quant_p_frames: Qp = None
    ratecontrol_enable: Switch = None
    maxperf_enable: Switch = None
    two_pass_cbr: Switch = None
    num_ref_frames: References = None
    enable_lossless: Switch = None


@dataclass(slots=True, repr=False)
class Av1DgpuProps(Props):
    """AV1 on a graphics card."""

    codec: ClassVar[Codec] = Codec.AV1
    platform: ClassVar[Platform | None] = Platform.DGPU

    bitrate: BitRate = None
    control_rate: ControlRate = None
    iframeinterval: Interval = None
    idrinterval: Interval = None
    preset: Preset = None
    tuning_info: Tuning = None
    qp_range: Av1QpRange = None
    max_bitrate: BitRate = None
    vbv_buf_size: Bits = None
    vbv_init: Bits = None
    cq: Quality = None
    aq: SpatialAq = None
    temporal_aq: Switch = None


@dataclass(slots=True, repr=False)
class Av1JetsonProps(Props):
    """AV1 on a Jetson."""

    codec: ClassVar[Codec] = Codec.AV1
    platform: ClassVar[Platform | None] = Platform.JETSON

    bitrate: BitRate = None
    control_rate: ControlRate = None
    iframeinterval: Interval = None
    idrinterval: Interval = None
    preset_level: PresetLevel = None
    peak_bitrate: BitRate = None
    vbv_size: Bits = None
    qp_range: Av1QpRange = None
    quant_i_frames: Av1Qp = None
    quant_p_frames: Av1Qp = None
    quant_b_frames: Av1Qp = None
    ratecontrol_enable: Switch = None
    maxperf_enable: Switch = None
    two_pass_cbr: Switch = None
    num_ref_frames: Av1References = None
    insert_seq_hdr: Switch = None
    tiles: Tiles = None


@dataclass(slots=True, repr=False)
class JpegProps(Props):
    """JPEG images."""

    codec: ClassVar[Codec] = Codec.JPEG

    quality: JpegQuality = None


@dataclass(slots=True, repr=False)
class PngProps(Props):
    """PNG images."""

    codec: ClassVar[Codec] = Codec.PNG

    compression_level: PngLevel = None


@final
class EncoderProperties:
    """The properties of one codec, copied when it is made: changing the original afterwards changes nothing here."""

    __slots__ = ("_props",)

    def __init__(self, props: Props) -> None:
        self._props = copy(_expect(props, Props))

    @property
    def props(self) -> Props:
        """A copy of the properties."""
        return copy(self._props)

    @property
    def codec(self) -> Codec:
        """What the properties are for."""
        return self._props.codec

    @property
    def platform(self) -> Platform | None:
        """Whose encoder the properties are written for; None: anybody's."""
        return self._props.platform

    @staticmethod
    def h264_dgpu(props: H264DgpuProps) -> EncoderProperties:
        """Wrap H.264 properties of a graphics card."""
        return EncoderProperties(_expect(props, H264DgpuProps))

    @staticmethod
    def h264_jetson(props: H264JetsonProps) -> EncoderProperties:
        """Wrap H.264 properties of a Jetson."""
        return EncoderProperties(_expect(props, H264JetsonProps))

    @staticmethod
    def hevc_dgpu(props: HevcDgpuProps) -> EncoderProperties:
        """Wrap HEVC properties of a graphics card."""
        return EncoderProperties(_expect(props, HevcDgpuProps))

    @staticmethod
    def hevc_jetson(props: HevcJetsonProps) -> EncoderProperties:
        """Wrap HEVC properties of a Jetson."""
        return EncoderProperties(_expect(props, HevcJetsonProps))

    @staticmethod
    def av1_dgpu(props: Av1DgpuProps) -> EncoderProperties:
        """Wrap AV1 properties of a graphics card."""
        return EncoderProperties(_expect(props, Av1DgpuProps))

    @staticmethod
    def av1_jetson(props: Av1JetsonProps) -> EncoderProperties:
        """Wrap AV1 properties of a Jetson."""
        return EncoderProperties(_expect(props, Av1JetsonProps))

    @staticmethod
    def jpeg(props: JpegProps) -> EncoderProperties:
        """Wrap JPEG properties."""
        return EncoderProperties(_expect(props, JpegProps))

    @staticmethod
    def png(props: PngProps) -> EncoderProperties:
        """Wrap PNG properties."""
        return EncoderProperties(_expect(props, PngProps))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EncoderProperties) and self._props == other._props

    def __hash__(self) -> int:
        return hash((type(self._props), *self._props.given().items()))

    def __repr__(self) -> str:
        return f"EncoderProperties({self._props!r})"


def _expect(props: object, kind: type[AnyProps]) -> AnyProps:
    if not isinstance(props, kind):
        raise TypeError(f"EncoderProperties: expected {kind.__name__}, got {props!r}")
    return props
