"""What an encoder can be told by name: codec, platform, rate control, profile, preset, tuning.

The numbers are those of the properties of NVIDIA's GStreamer encoders, which is why some profiles skip one.
"""

from __future__ import annotations

from picasso.primitives.enums import NamedNativeEnum, NativeEnum, any_case_or_dash


def _codec_spelling(spelling: str) -> str:
    return any_case_or_dash(spelling.strip())


class Codec(NamedNativeEnum, unknown="Unknown codec: {}", fold=_codec_spelling):
    """What a frame becomes; the CamelCase names are the same members.

    ``VP8``, ``VP9`` and ``SW_JPEG`` name what can only be decoded.
    """

    H264 = 0, "h264", "avc"
    HEVC = 1, "hevc", "h265"
    JPEG = 2, "jpeg"
    AV1 = 3, "av1"
    PNG = 4, "png"
    VP8 = 5, "vp8"
    VP9 = 6, "vp9"
    RAW_RGBA = 7, "raw_rgba"
    RAW_RGB = 8, "raw_rgb"
    RAW_NV12 = 9, "raw_nv12"
    SW_JPEG = 10, "swjpeg", "sw_jpeg"

    Hevc = 1
    Jpeg = 2
    Av1 = 3
    Png = 4
    Vp8 = 5
    Vp9 = 6
    RawRgba = 7
    RawRgb = 8
    RawNv12 = 9
    SwJpeg = 10


class Platform(NativeEnum, unknown="Unknown platform: '{}'"):
    """Whose encoder a set of properties is written for: a graphics card's or a Jetson's."""

    DGPU = 0, "dgpu", "gpu", "discrete"
    JETSON = 1, "jetson", "tegra"


class RateControl(NativeEnum, unknown="Unknown rate control: '{}'"):
    """What the encoder holds constant."""

    VARIABLE_BITRATE = 0, "variable_bitrate", "vbr", "0"
    CONSTANT_BITRATE = 1, "constant_bitrate", "cbr", "1"
    CONSTANT_QP = 2, "constant_qp", "cqp", "constantqp", "2"


class H264Profile(NativeEnum, unknown="Unknown H264 profile: '{}'"):
    """The coding tools that an H.264 stream may use."""

    BASELINE = 0, "baseline", "0"
    MAIN = 2, "main", "2"
    HIGH = 4, "high", "4"
    HIGH444 = 7, "high444", "high444predictive", "7"


class HevcProfile(NativeEnum, unknown="Unknown HEVC profile: '{}'"):
    """The coding tools and bit depth that an HEVC stream may use."""

    MAIN = 0, "main", "0"
    MAIN10 = 1, "main10", "1"
    FREXT = 3, "frext", "3"


class DgpuPreset(NativeEnum, unknown="Unknown dGPU preset: '{}'"):
    """Effort, from ``P1`` (fastest) to ``P7`` (smallest stream for the same picture)."""

    P1 = 1, "p1", "1"
    P2 = 2, "p2", "2"
    P3 = 3, "p3", "3"
    P4 = 4, "p4", "4"
    P5 = 5, "p5", "5"
    P6 = 6, "p6", "6"
    P7 = 7, "p7", "7"


class TuningPreset(NativeEnum, unknown="Unknown tuning preset: '{}'", fold=any_case_or_dash):
    """What the stream is for."""

    HIGH_QUALITY = 1, "high_quality", "highquality", "1"
    LOW_LATENCY = 2, "low_latency", "lowlatency", "2"
    ULTRA_LOW_LATENCY = 3, "ultra_low_latency", "ultralowlatency", "3"
    LOSSLESS = 4, "lossless", "4"


class JetsonPresetLevel(NativeEnum, unknown="Unknown Jetson preset level: '{}'", fold=any_case_or_dash):
    """Effort of a Jetson's encoder, from fastest to slowest; ``DISABLED`` leaves it to the encoder."""

    DISABLED = 0, "disabled", "disable", "0"
    ULTRA_FAST = 1, "ultrafast", "ultra_fast", "1"
    FAST = 2, "fast", "2"
    MEDIUM = 3, "medium", "3"
    SLOW = 4, "slow", "4"
