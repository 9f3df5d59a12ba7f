"""What is said about a source."""

from __future__ import annotations

from hypothesis import strategies as st

from picasso.engine import (
    CallbackInvocationOrder,
    CodecSpec,
    ConditionalSpec,
    IdleTimeout,
    OverflowPolicy,
    SourceSpec,
)
from picasso.testing.strategies.attributes import TEXTS
from picasso.testing.strategies.drawing import draw_specs
from picasso.testing.strategies.encoders import encoder_configs
from picasso.testing.strategies.geometry import transform_configs

_KEYS = st.none() | st.tuples(TEXTS, TEXTS)


@st.composite
def _codec_specs(draw: st.DrawFn) -> CodecSpec:
    mode = draw(st.sampled_from(["drop", "bypass", "pass_through", "encode"]))
    if mode == "drop":
        return CodecSpec.drop_frames()
    if mode == "bypass":
        return CodecSpec.bypass()
    if mode == "pass_through":
        return CodecSpec.pass_through()
    config = draw(encoder_configs())
    return CodecSpec.encode(draw(transform_configs((config.width, config.height))), config)


@st.composite
def source_specs(draw: st.DrawFn, codecs: st.SearchStrategy[CodecSpec] | None = None) -> SourceSpec:
    """Make a ``SourceSpec``: every mode, gate, overlay, time-out and overflow policy.

    Args:
        draw: Given by hypothesis.
        codecs: What is done with the frames; by default any of what ``CodecSpec`` offers, with any encoder.
    """
    return SourceSpec(
        draw(codecs if codecs is not None else _codec_specs()),
        ConditionalSpec(draw(_KEYS), draw(_KEYS)),
        draw(draw_specs()),
        draw(st.sampled_from(["sans-serif", "no such font"])),
        draw(st.none() | st.just(IdleTimeout.ENGINE_DEFAULT) | st.floats(1e-3, 3600)),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.sampled_from(list(CallbackInvocationOrder))),
        draw(st.sampled_from(list(OverflowPolicy))),
    )
