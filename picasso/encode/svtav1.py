"""How libsvtav1 fulfils a stream's wishes.

Low-delay prediction gives one unit a frame, in the call that the frame went into. Constant rate is then the only rate
control of the library: a variable bit rate becomes a constant one with a long buffer, or a constant quality.

Its real-time mode makes the better stream, but libsvtav1 4.1 crashes in it once a frame comes out lossless (quantiser
index 0), so it is on only where rate control keeps the quantiser at 1 or more.
"""

from __future__ import annotations

from picasso.encode.enums import RateControl
from picasso.encode.video_settings import DEFAULT_QP, LibraryPlan, VideoSettings

PRESETS = (12, 11, 10, 9, 8, 7, 6)
"""For effort 1 to 7."""
SLOWEST_REAL_TIME = 7
MAX_RATE = 100_000_000
BUFFER_MS = (20, 10_000)
"""Shortest and longest buffer that the library takes."""
QP_STEP = 4
"""Quantiser indices (0..255) to one quantiser of the library (0..63)."""
INDEX_OF_LAST = {62: 249, 63: 255}
"""Where the step is another one, so that the last quantiser is the last index."""
KEY_OFFSETS = (-64, 63)
"""How far the quantiser index of keyframes may be from that of the others."""
H26X_TO_INDEX = 255 / 51
CONSTANT_QUALITY, CONSTANT_RATE = "0", "2"
"""Values of ``rc``."""


def svtav1_plan(settings: VideoSettings) -> LibraryPlan:
    """Options of libsvtav1, most of which go through one string."""
    preset = PRESETS[settings.effort - 1]
    params = {"pred-struct": "1", "lp": "1", "scd": "0"}
    rate, rate_params = _rate(settings)
    params |= rate_params
    by_rate = params["rc"] == CONSTANT_RATE
    if by_rate:
        preset = max(preset, SLOWEST_REAL_TIME)
        params["rtc"] = "1"
    if settings.aq is not None and not by_rate:
        params |= {"enable-variance-boost": "1", "variance-boost-strength": str(_boost(settings.aq))}
    if settings.tiles:
        params |= {"tile-rows": str(settings.tiles[0]), "tile-columns": str(settings.tiles[1])}
    options = {"preset": str(preset), "g": str(settings.interval)} | rate
    options["svtav1-params"] = ":".join(f"{name}={value}" for name, value in params.items())
    return LibraryPlan("libsvtav1", options, ignored=_ignored(settings, by_rate=by_rate))


def _rate(settings: VideoSettings) -> tuple[dict[str, str], dict[str, str]]:
    """Options of FFmpeg and parameters of the library."""
    if settings.lossless:
        return {}, {"rc": CONSTANT_QUALITY, "lossless": "1"}
    if settings.mode is RateControl.CONSTANT_QP:
        return _constant_qp(settings)
    if settings.quality is not None:
        return {"crf": f"{settings.quality:g}"}, {"rc": CONSTANT_QUALITY}
    params = {"rc": CONSTANT_RATE} | _buffer(settings)
    if settings.qp_range:
        low, high = (max(_quantiser(index), 1) for index in settings.qp_range)
        params |= {"min-qp": str(low), "max-qp": str(high)}
    return {"b": str(min(settings.bitrate, MAX_RATE))}, params


def _constant_qp(settings: VideoSettings) -> tuple[dict[str, str], dict[str, str]]:
    defaults = (round(qp * H26X_TO_INDEX) for qp in DEFAULT_QP)
    intra, inter = (
        fallback if index is None else index for index, fallback in zip(settings.quantisers, defaults, strict=True)
    )
    quantiser = _quantiser(inter)
    offset = intra - INDEX_OF_LAST.get(quantiser, quantiser * QP_STEP)
    offset = min(max(offset, KEY_OFFSETS[0]), KEY_OFFSETS[1])
    offsets = {"use-fixed-qindex-offsets": "1", "key-frame-qindex-offset": str(offset)}
    return {"qp": str(quantiser)}, {"rc": CONSTANT_QUALITY, "aq-mode": "0"} | offsets


def _buffer(settings: VideoSettings) -> dict[str, str]:
    """Buffer of the constant rate, in milliseconds; 60 % full at the start and on average, as the library has it."""
    constant = settings.mode is RateControl.CONSTANT_BITRATE
    length = _milliseconds(settings.buffer_bits, settings) if constant or settings.buffer else BUFFER_MS[1]
    fill = min(_milliseconds(settings.buffer_fill, settings), length) if settings.buffer_fill else length * 6 // 10
    sizes = {"buf-sz": length, "buf-initial-sz": fill, "buf-optimal-sz": length * 6 // 10}
    return {name: str(max(size, BUFFER_MS[0])) for name, size in sizes.items()}


def _milliseconds(bits: int, settings: VideoSettings) -> int:
    return min(max(bits * 1000 // settings.bitrate, BUFFER_MS[0]), BUFFER_MS[1])


def _quantiser(index: int) -> int:
    return min(round(index / QP_STEP), 63)


def _boost(aq: int) -> int:
    """Strength 1..4 for 1..15, and the library's own 2 for 0."""
    return -(-aq // 4) or 2


def _ignored(settings: VideoSettings, *, by_rate: bool) -> dict[str, str]:
    ignored = {}
    if settings.references:
        ignored["num_ref_frames"] = "libsvtav1 chooses its references itself"
    if settings.aq is not None and by_rate:
        ignored["aq"] = "libsvtav1 adapts to the picture only under constant quality or quantiser"
    if settings.max_bitrate:
        why = "libsvtav1 caps nothing at low delay; the bit rate is held constant instead"
        ignored |= {"max_bitrate": why, "peak_bitrate": why}
    return ignored
