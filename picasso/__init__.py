"""Multi-source video processing: crop, scale, letterbox, draw and encode many streams at once.

The names here are those that most programs need; each is loaded when it is first used. The rooms below hold the rest:
``picasso.primitives`` (frames, objects, boxes), ``picasso.surface`` (pixels), ``picasso.transform`` (how both move),
``picasso.draw``, ``picasso.encode``, ``picasso.media`` (files) and ``picasso.testing``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the same names and homes as _HOMES, for editors and type checkers; tests/house compares them
    from picasso.annotators import (
        annotate,
    )
    from picasso.draw import (
        ObjectDrawSpec,
    )
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
    from picasso.infer import (
        Classifier,
        Detector,
        to_tensor,
    )
    from picasso.media import (
        VideoReader,
    )
    from picasso.primitives import (
        Detections,
    )
    from picasso.signals import (
        stop_on_signals,
    )
    from picasso.transform import (
        place,
        unplace,
    )
    from picasso.verbs import (
        process_video,
    )

__version__ = "0.1.0"

_HOMES = {
    "Av1DgpuProps": "encode",
    "Av1JetsonProps": "encode",
    "CallbackInvocationOrder": "engine",
    "Callbacks": "engine",
    "Classifier": "infer",
    "CodecSpec": "engine",
    "ConditionalSpec": "engine",
    "Detections": "primitives",
    "Detector": "infer",
    "DgpuPreset": "encode",
    "EncoderConfig": "encode",
    "EncoderProperties": "encode",
    "EvictionDecision": "engine",
    "GeneralSpec": "engine",
    "H264DgpuProps": "encode",
    "H264JetsonProps": "encode",
    "H264Profile": "encode",
    "HevcDgpuProps": "encode",
    "HevcJetsonProps": "encode",
    "HevcProfile": "encode",
    "JetsonPresetLevel": "encode",
    "JpegProps": "encode",
    "ObjectDrawSpec": "draw",
    "OutputMessage": "engine",
    "PicassoEngine": "engine",
    "Platform": "encode",
    "PngProps": "encode",
    "PtsResetPolicy": "engine",
    "RateControl": "encode",
    "SourceSpec": "engine",
    "StreamResetReason": "engine",
    "TuningPreset": "encode",
    "VideoReader": "media",
    "WarmUp": "engine",
    "annotate": "annotators",
    "place": "transform",
    "process_video": "verbs",
    "stop_on_signals": "signals",
    "to_tensor": "infer",
    "unplace": "transform",
    "warm_up": "engine",
}
"""Where each name of this package comes from: the room, as a module below ``picasso``."""
_ROOMS = frozenset(
    {
        "annotators",
        "cli",
        "client",
        "cluster",
        "draw",
        "encode",
        "engine",
        "flow",
        "infer",
        "media",
        "module",
        "observe",
        "primitives",
        "savant",
        "savant_rs",
        "surface",
        "testing",
        "trace",
        "track",
        "transform",
        "verbs",
        "web",
        "wire",
    }
)

__all__ = [
    "Av1DgpuProps",
    "Av1JetsonProps",
    "CallbackInvocationOrder",
    "Callbacks",
    "Classifier",
    "CodecSpec",
    "ConditionalSpec",
    "Detections",
    "Detector",
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
    "VideoReader",
    "WarmUp",
    "annotate",
    "place",
    "process_video",
    "stop_on_signals",
    "to_tensor",
    "unplace",
    "warm_up",
]


def __getattr__(name: str) -> Any:
    """Load a name of this package, or a room, when it is first asked for."""
    if name in _HOMES:
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    elif name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name, obj=import_module(__name__))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_ROOMS})
