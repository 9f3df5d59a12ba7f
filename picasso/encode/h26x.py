"""How libx264 and libx265 fulfil a stream's wishes.

Both are run with ``tune=zerolatency``: no B-frames, no lookahead, so a frame comes out of the call that it went into.
Scene cuts start no keyframe, so keyframes stand at the interval, and where one is forced.
"""

from __future__ import annotations

from picasso.encode.enums import H264Profile, HevcProfile, RateControl
from picasso.encode.video_settings import DEFAULT_QP, LibraryPlan, VideoSettings

PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow")
"""Of both libraries, for effort 1 to 7."""
MAX_RATE = 2_000_000_000
"""Both count in kbit; libx264 takes 2,000,000 of them, and FFmpeg's options end a little above."""
X264_LOWEST_QP = 1
"""libx264 takes 0 to mean lossless, which is another profile."""
NEUTRAL_AQ = 8
"""The strength of NVIDIA's spatial adaptive quantisation that stands for the libraries' own, 1.0."""

LEVEL_41_SAMPLES = 2_228_224
LEVEL_41_SAMPLES_A_SECOND = 133_693_440
LEVEL_41_BITS = 20_000_000
LEVEL_41_REFERENCES = 5
SMALLEST_CTU_ABOVE_LEVEL_41 = 32

X264_PROFILES = {
    H264Profile.BASELINE: "baseline",
    H264Profile.MAIN: "main",
    H264Profile.HIGH: "high",
    H264Profile.HIGH444: "high444",
}


def x264_plan(settings: VideoSettings) -> LibraryPlan:
    """Options of libx264."""
    options = _common(settings) | {"sc_threshold": "0"}
    if settings.lossless:
        options |= {"qp": "0", "profile": "high444"}
    elif settings.mode is RateControl.CONSTANT_QP:
        intra, inter = _quantisers(settings)
        inter = max(inter, X264_LOWEST_QP)
        options |= _x264_tools(settings) | {"qp": str(inter), "i_qfactor": f"{2 ** ((intra - inter) / 6):.6f}"}
    else:
        options |= _x264_tools(settings) | _rate(settings)
    if settings.aq is not None:
        options |= {"aq-mode": "variance", "aq-strength": _aq_strength(settings.aq)}
    if settings.delimiters:
        options["aud"] = "1"
    return LibraryPlan("libx264", options)


def _x264_tools(settings: VideoSettings) -> dict[str, str]:
    """Switch on what the profile is named for: a stream that uses none of it would be labelled Baseline."""
    profile = settings.profile or H264Profile.BASELINE
    tools = {"profile": X264_PROFILES[H264Profile(profile)]}
    if profile is not H264Profile.BASELINE:
        tools["coder"] = "cavlc" if settings.cabac is False else "cabac"
    if profile in {H264Profile.HIGH, H264Profile.HIGH444}:
        tools["8x8dct"] = "1"
    return tools


def x265_plan(settings: VideoSettings) -> LibraryPlan:
    """Options of libx265, most of which go through one string."""
    options = _common(settings)
    params = {
        "log-level": "none",
        "info": "0",  # no message about the encoder in the stream
        "repeat-headers": "1",
        "open-gop": "0",
        "scenecut": "0",
        "pools": "none",
        "frame-threads": "1",
    }
    if settings.effort == 1 and not settings.lossless and _fits_level_41(settings):
        params["ctu"] = "16"  # a third less work than with ultrafast's 32, for 0.1 dB; higher levels forbid it
    if min(settings.size_wh) < SMALLEST_CTU_ABOVE_LEVEL_41:
        params["allow-non-conformance"] = "1"  # blocks end at the picture; above level 4.1 libx265 would give up
    if settings.lossless:
        params["lossless"] = "1"
    elif settings.mode is RateControl.CONSTANT_QP:
        intra, inter = _quantisers(settings)
        options["qp"], params["ipratio"] = str(inter), f"{2 ** ((inter - intra) / 6):.6f}"
    else:
        options |= _rate(settings)
    if settings.aq is not None:
        params |= {"aq-mode": "1", "aq-strength": _aq_strength(settings.aq)}
    options["x265-params"] = ":".join(f"{name}={value}" for name, value in params.items())
    ten_bits = settings.profile is HevcProfile.MAIN10
    ignored = {"profile": "4:2:0 at 8 bits is the Main profile"} if settings.profile is HevcProfile.FREXT else {}
    return LibraryPlan("libx265", options, "yuv420p10le" if ten_bits else "yuv420p", ignored)


def _fits_level_41(settings: VideoSettings) -> bool:
    """Tell whether the stream is of level 4.1 or lower, main tier (ITU-T H.265, A.4.1, tables A.8 and A.9)."""
    width, height = (-(-side // 16) * 16 for side in settings.size_wh)  # as coded, in whole blocks
    samples = width * height
    return (
        samples <= LEVEL_41_SAMPLES
        and max(width, height) ** 2 <= 8 * LEVEL_41_SAMPLES
        and samples * settings.frame_rate <= LEVEL_41_SAMPLES_A_SECOND
        and max(settings.bitrate, settings.max_bitrate or 0, settings.buffer_bits) <= LEVEL_41_BITS
        and (settings.references or 1) <= LEVEL_41_REFERENCES
    )


def _common(settings: VideoSettings) -> dict[str, str]:
    options = {
        "preset": PRESETS[settings.effort - 1],
        "tune": "zerolatency",
        "bf": "0",
        "g": str(settings.interval),
        "forced-idr": "1",
    }
    if settings.references:
        options["refs"] = str(settings.references)
    return options


def _rate(settings: VideoSettings) -> dict[str, str]:
    """Options of bit rate or quality, which FFmpeg names alike for both."""
    options = {"crf": f"{settings.quality:g}"} if settings.quality is not None else {"b": _rate_text(settings.bitrate)}
    if settings.qp_range:
        options |= {"qmin": str(settings.qp_range[0]), "qmax": str(settings.qp_range[1])}
    peak = settings.bitrate if settings.mode is RateControl.CONSTANT_BITRATE else settings.max_bitrate
    if peak:
        options |= {"maxrate": _rate_text(peak), "bufsize": _rate_text(settings.buffer_bits)}
        if settings.buffer_fill:
            options["rc_init_occupancy"] = _rate_text(min(settings.buffer_fill, settings.buffer_bits))
    return options


def _rate_text(bits: int) -> str:
    return str(min(bits, MAX_RATE))


def _quantisers(settings: VideoSettings) -> tuple[int, int]:
    """Of I- and P-frames; the libraries take the first as its ratio to the second, 2**(difference / 6)."""
    intra, inter = settings.quantisers
    return DEFAULT_QP[0] if intra is None else intra, DEFAULT_QP[1] if inter is None else inter


def _aq_strength(aq: int) -> str:
    return f"{(aq or NEUTRAL_AQ) / NEUTRAL_AQ:g}"
