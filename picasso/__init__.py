"""Multi-source video processing: crop, scale, letterbox, draw and encode many streams at once.

The names here are those of the engine's own interface. What they work on lives in the rooms below:
``picasso.primitives`` (frames, objects, boxes), ``picasso.surface`` (pixels), ``picasso.transform`` (how both move),
``picasso.draw``, ``picasso.encode``, ``picasso.media`` (files) and ``picasso.testing``.
"""

from __future__ import annotations

from picasso.draw import ObjectDrawSpec
from picasso.encode import (
    Av1DgpuProps,
    Av1JetsonProps,
    DgpuPreset,
    EncoderConfig,
    EncoderProperties,
    H264DgpuProps,
    H264JetsonProps,
    H264Profile,
    HevcDgpuProps,
    HevcJetsonProps,
    HevcProfile,
    JetsonPresetLevel,
    JpegProps,
    Platform,
    PngProps,
    RateControl,
    TuningPreset,
)
from picasso.engine import (
    CallbackInvocationOrder,
    Callbacks,
    CodecSpec,
    ConditionalSpec,
    EvictionDecision,
    GeneralSpec,
    OutputMessage,
    PicassoEngine,
    PtsResetPolicy,
    SourceSpec,
    StreamResetReason,
    WarmUp,
    warm_up,
)
from picasso.primitives import register_codec
from picasso.signals import stop_on_signals

__version__ = "0.1.0"

register_codec("picasso.wire.codec")  # loads when a frame is asked for its bytes

__all__ = [
    "Av1DgpuProps",
    "Av1JetsonProps",
    "CallbackInvocationOrder",
    "Callbacks",
    "CodecSpec",
    "ConditionalSpec",
    "DgpuPreset",
    "EncoderConfig",
    "EncoderProperties",
    "EvictionDecision",
    "GeneralSpec",
    "H264DgpuProps",
    "H264JetsonProps",
    "H264Profile",
    "HevcDgpuProps",
    "HevcJetsonProps",
    "HevcProfile",
    "JetsonPresetLevel",
    "JpegProps",
    "ObjectDrawSpec",
    "OutputMessage",
    "PicassoEngine",
    "Platform",
    "PngProps",
    "PtsResetPolicy",
    "RateControl",
    "SourceSpec",
    "StreamResetReason",
    "TuningPreset",
    "WarmUp",
    "stop_on_signals",
    "warm_up",
]
