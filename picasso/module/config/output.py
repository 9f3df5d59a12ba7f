"""``output_frame``: which encoders make a codec, and what their parameters may be."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from picasso.module.config.problem import Path, nearest
from picasso.module.config.sound import is_broken

Tree = dict[str, Any]
Fault = tuple[Path, str]
STREAMS: Final = ("h264", "hevc", "av1")
"""Codecs of whole streams, whose frames depend on each other."""
RAW: Final = ("raw-rgba", "raw-rgb24")
ENCODERS: Final[dict[str, tuple[str, ...]]] = {
    "h264": ("nvenc", "software"),
    "hevc": ("nvenc", "software"),
    "av1": ("nvenc", "software"),
    "jpeg": ("nvenc", "software"),
    "png": ("software",),
}
SPEEDS: Final = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow"),
    *("slower", "veryslow", "placebo"),
)
"""``speed-preset`` 1 to 10."""
PASSES: Final = {"cbr": 0, "quant": 4, "qual": 5}
"""``pass``: constant bit rate, quantizer, quality."""
FEW_BITS: Final = 20_000
"""Bits per second below which a bit rate is probably meant in kilobits."""
_SMALLEST: Final = {"h264": 16, "hevc": 16, "av1": 64}
_BOOLEAN: Final = (True, False)
_TRUTHS: Final[dict[str, Any]] = {"true": True, "false": False}

_NVENC: Final[dict[str, Any]] = {
    "iframeinterval": range(1 << 31),
    "bitrate": range(1000, 1 << 32),
    "control-rate": range(2),
    "preset-id": range(1, 8),
    "tuning-info-id": range(1, 5),
    "force-idr": _BOOLEAN,
    "force-intra": _BOOLEAN,
    "extended-colorformat": _BOOLEAN,
}
_SOFTWARE: Final[dict[str, Any]] = {
    "bitrate": range(1, (1 << 32) // 1000),
    "key-int-max": range(1 << 31),
    "pass": (*PASSES.values(), *PASSES),
    "speed-preset": (*range(1, 11), *SPEEDS),
    "tune": ("none", "stillimage", "fastdecode", "zerolatency"),
}
_STILLS: Final[dict[str, dict[str, Any]]] = {
    "jpeg": {"quality": range(101), "idct-method": range(3)},
    "png": {"compression-level": range(10)},
}
_PROFILES: Final = {"h264": (0, 2, 4, 7), "hevc": (0, 1)}
"""``encoder_params.profile`` by its number."""


def blocks_of(parameters: Tree) -> Iterator[tuple[Tree, Path]]:
    """Yield every block that describes an encoder, with its path: ``output_frame``, and ``auxiliary_encoders``."""
    if isinstance(output := parameters.get("output_frame"), dict):
        yield output, ("parameters", "output_frame")
    listed = parameters.get("auxiliary_encoders")
    for index, entry in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(entry, dict):
            yield entry, ("parameters", "auxiliary_encoders", index)


def coerce(parameters: Tree) -> None:
    """Turn texts of ``encoder_params`` that are numbers or truth values into those, in place."""
    for block, _path in blocks_of(parameters):
        params = block.get("encoder_params")
        if not isinstance(params, dict):
            continue
        for name, value in params.items():
            if isinstance(value, str):
                text = value.strip().lower()
                params[name] = _TRUTHS.get(text, int(text) if re.fullmatch(r"[-+]?\d{1,18}", text) else value)


def faults(output: Tree, path: Path, broken: Collection[Path] = ()) -> Iterator[Fault]:
    """Yield what is wrong with a block of which the schema's faults, at ``broken``, were taken out."""
    codec, encoder = output.get("codec"), output.get("encoder")
    if codec is not None:
        yield from _codec_faults(output, codec, path)
    codecs = list(ENCODERS) if codec is None else [codec]
    encoders = ("nvenc", "software") if (*path, "encoder") in broken else (encoder,)
    known = [_params_of(one, by) for one in codecs for by in encoders]
    names = list(dict.fromkeys(name for params in known for name in params))
    for name, value in (output.get("encoder_params") or {}).items():
        here = (*path, "encoder_params", str(name))
        texts = [_misfit(value, params[name]) for params in known if name in params]
        if not texts:
            near = nearest(str(name), names)
            hint = f"did you mean {near!r}?" if near else f"one of {', '.join(names)}" if names else "it takes none"
            yield here, f"unknown parameter{f' of {codec}' if codec else ''}: {name!r}; {hint}"
        elif texts and texts[0] is not None and None not in texts:
            yield here, texts[0]


def _codec_faults(output: Tree, codec: str, path: Path) -> Iterator[Fault]:
    """Yield what a codec has against the encoder and profile beside it."""
    encoder, encoders = output.get("encoder"), ENCODERS.get(codec, ())
    if codec in ("vp8", "vp9"):
        yield (*path, "codec"), f"{codec} is read and not encoded; one of h264, hevc, av1, jpeg, png, copy"
    elif encoder is not None and encoder not in encoders:
        choices = f"; one of {', '.join(encoders)}" if encoders else ", which has no encoder"
        yield (*path, "encoder"), f"{encoder} does not encode {codec}{choices}"
    if output.get("profile") is not None and codec != "h264":
        yield (*path, "profile"), f"only h264 has one here, got codec {codec}"


def size_faults(frame: Tree, output: Tree, path: Path, broken: Collection[Path] = ()) -> Iterator[Fault]:
    """Yield what a codec has against the size of the output frame, where the module says that size."""
    codec, padding = output.get("codec"), frame.get("padding") or {}
    keeps = padding.get("keep", True)
    for side, pads in (("width", ("left", "right")), ("height", ("top", "bottom"))):
        pixels = frame.get(side)
        if not isinstance(pixels, int) or codec not in _SMALLEST:
            continue
        if any(is_broken((*path, "padding", pad), broken) for pad in (*pads, "keep")):
            continue
        total = pixels + sum(padding.get(pad, 0) for pad in pads) * keeps
        if total % 2:
            yield (*path, side), f"{codec} takes even sizes, got {total} pixels"
        elif total < _SMALLEST[codec]:
            yield (*path, side), f"{codec} takes at least {_SMALLEST[codec]} pixels, got {total}"


def warnings(output: Tree, path: Path) -> Iterator[Fault]:
    """Yield what is allowed and probably not meant."""
    codec, encoder, params = output["codec"], output.get("encoder"), output.get("encoder_params") or {}
    if codec in RAW and output.get("condition"):
        yield (*path, "condition"), f"ignored for codec {codec}"
    if encoder == "nvenc" and output.get("profile") is not None:
        yield (*path, "profile"), "only the software encoder reads it; NVENC reads encoder_params.profile"
    if (text := few_bits(encoder, params)) is not None:
        yield (*path, "encoder_params", "bitrate"), text
    for name, value in params.items():
        if name == "idct-method" or (name == "tune" and value in ("stillimage", "fastdecode")):
            yield (*path, "encoder_params", name), f"{value!r} has no effect on the encoder that is used here"


def few_bits(encoder: str | None, params: Tree) -> str | None:
    """Say that a bit rate in bits is probably meant in kilobits."""
    rate = params.get("bitrate")
    if encoder == "software" or not isinstance(rate, int | float) or not 0 < rate < FEW_BITS:
        return None
    return f"{rate} bit/s: bits are counted, and kilobits only where encoder is software"


def _params_of(codec: str, encoder: str | None) -> dict[str, Any]:
    """Return the parameters that an encoder takes, with their values; those of both where the encoder is not named."""
    if codec not in STREAMS:
        return _STILLS.get(codec, {})
    profile = {"profile": _PROFILES[codec]} if codec in _PROFILES else {}
    nvenc = {**_NVENC, **profile}
    if encoder is not None:
        return nvenc if encoder == "nvenc" else _SOFTWARE
    return {**_SOFTWARE, **nvenc}


def _misfit(value: Any, allowed: range | Sequence[Any]) -> str | None:
    """Say why a value of a parameter is not one that it may have."""
    if allowed is _BOOLEAN:
        return None if isinstance(value, bool) else f"expected true or false, got {value!r}"
    if isinstance(allowed, range):
        is_whole = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if is_whole and int(value) == value and int(value) in allowed:
            return None
        return f"expected a whole number from {allowed.start} to {allowed.stop - 1}, got {value!r}"
    if not isinstance(value, bool) and value in allowed:
        return None
    return f"unknown value {value!r}; one of {', '.join(map(str, allowed))}"
