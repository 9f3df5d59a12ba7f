"""Configurations of encoders that can be opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hypothesis import strategies as st

from picasso.encode import (
    Av1DgpuProps,
    Av1JetsonProps,
    Codec,
    EncoderConfig,
    EncoderProperties,
    H264DgpuProps,
    H264JetsonProps,
    HevcDgpuProps,
    HevcJetsonProps,
    JpegProps,
    PngProps,
    validate,
)
from picasso.encode.property_types import Boolean, Integer, Member, Numbers, Props, Rule, rules_of
from picasso.encode.validate import ENCODABLE, SMALLEST_SIDE
from picasso.errors import SpecError
from picasso.surface import VideoFormat
from picasso.testing.strategies.geometry import SizeWH, sizes

KINDS: Final[dict[Codec, tuple[type[Props], ...]]] = {
    Codec.H264: (H264DgpuProps, H264JetsonProps),
    Codec.HEVC: (HevcDgpuProps, HevcJetsonProps),
    Codec.AV1: (Av1DgpuProps, Av1JetsonProps),
    Codec.JPEG: (JpegProps,),
    Codec.PNG: (PngProps,),
}
"""The properties that each codec has."""


@st.composite
def encoder_properties(draw: st.DrawFn, codec: Codec) -> EncoderProperties | None:
    """Make properties of a codec, each field set or not; None now and then, and for codecs that have none.

    Args:
        draw: Given by hypothesis.
        codec: Whose properties.
    """
    kinds = KINDS.get(codec)
    if not kinds or draw(st.booleans()):
        return None
    kind = draw(st.sampled_from(kinds))
    rules = rules_of(kind)
    names = draw(st.lists(st.sampled_from(sorted(rules)), unique=True, max_size=4))
    return EncoderProperties(kind(**{name: draw(_values(rules[name])) for name in names}))


@st.composite
def encoder_configs(
    draw: st.DrawFn,
    codecs: Sequence[Codec] = ENCODABLE,
    size_wh: SizeWH | None = None,
    *,
    max_side: int = 256,
    properties: bool = True,
) -> EncoderConfig:
    """Make an ``EncoderConfig`` that ``picasso.encode.validate`` finds nothing wrong with.

    Args:
        draw: Given by hypothesis.
        codecs: Codecs to choose from; by default all that can be encoded.
        size_wh: Width and height in pixels; by default any that the codec has, up to ``max_side``.
        max_side: Longest side in pixels where ``size_wh`` is not given, at least 64.
        properties: Whether some have properties.
    """
    codec = draw(st.sampled_from(list(codecs)))
    smallest = SMALLEST_SIDE.get(codec)
    width, height = size_wh or draw(sizes(smallest or 1, max_side, even=smallest is not None))
    config = EncoderConfig(codec, width, height)
    config.fps(draw(st.integers(1, 240)), draw(st.sampled_from([1, 1001])))
    config.format(draw(st.sampled_from([VideoFormat.NV12, VideoFormat.RGBA, VideoFormat.I420])))
    if properties and (params := draw(encoder_properties(codec))) is not None:
        config.properties(params)
        try:
            validate(config)
        except SpecError:  # properties that exclude each other
            config.encoder_params = None
    return config


def _values(rule: Rule) -> st.SearchStrategy[Any]:
    match rule:
        case Integer(low, high):
            return st.integers(low, min(high, 100_000_000))
        case Boolean():
            return st.booleans()
        case Member():
            return st.sampled_from(list(rule.kind.__members__.values()))
        case Numbers(names, high, separator, rising):
            numbers = st.lists(st.integers(0, high), min_size=len(names), max_size=len(names))
            ordered = numbers.map(sorted) if rising else numbers
            return ordered.map(lambda values: separator.join(map(str, values)))
    raise TypeError(f"no strategy for {rule!r}")
