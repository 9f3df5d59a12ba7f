"""Multi-source video processing: crop, scale, letterbox, draw and encode many streams at once.

The names here are those that most programs need; each is loaded when it is first used. The rooms below hold the rest:
``picasso.primitives`` (frames, objects, boxes), ``picasso.surface`` (pixels), ``picasso.transform`` (how both move),
``picasso.draw``, ``picasso.encode``, ``picasso.media`` (files) and ``picasso.testing``.
"""

from __future__ import annotations

import os
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
        probe,
        read_image,
        read_images,
    )
    from picasso.primitives import (
        Detections,
        VideoFrame,
    )
    from picasso.signals import (
        stop_on_signals,
    )
    from picasso.surface import (
        SurfaceView,
    )
    from picasso.track import (
        open_tracker,
    )
    from picasso.transform import (
        Placement,
        place,
        unplace,
    )
    from picasso.verbs import (
        compare_videos,
        contact_sheet,
        crop_video,
        process_video,
        write_gif,
        write_video,
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
    "Placement": "transform",
    "Platform": "encode",
    "PngProps": "encode",
    "PtsResetPolicy": "engine",
    "RateControl": "encode",
    "SourceSpec": "engine",
    "StreamResetReason": "engine",
    "SurfaceView": "surface",
    "TuningPreset": "encode",
    "VideoFrame": "primitives",
    "VideoReader": "media",
    "WarmUp": "engine",
    "annotate": "annotators",
    "compare_videos": "verbs",
    "contact_sheet": "verbs",
    "crop_video": "verbs",
    "open_tracker": "track",
    "place": "transform",
    "probe": "media",
    "read_image": "media",
    "read_images": "media",
    "process_video": "verbs",
    "stop_on_signals": "signals",
    "to_tensor": "infer",
    "unplace": "transform",
    "warm_up": "engine",
    "write_gif": "verbs",
    "write_video": "verbs",
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
    "Placement",
    "Platform",
    "PngProps",
    "PtsResetPolicy",
    "RateControl",
    "SourceSpec",
    "StreamResetReason",
    "SurfaceView",
    "TuningPreset",
    "VideoFrame",
    "VideoReader",
    "WarmUp",
    "annotate",
    "compare_videos",
    "contact_sheet",
    "crop_video",
    "open_tracker",
    "place",
    "probe",
    "process_video",
    "read_image",
    "read_images",
    "stop_on_signals",
    "to_tensor",
    "unplace",
    "warm_up",
    "write_gif",
    "write_video",
]


def __getattr__(name: str) -> Any:
    """Load a name of this package, or a room, when it is first asked for."""
    if name in _HOMES:
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    elif name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    else:
        elsewhere = _rooms_with(name)
        hint = f"; there is {' and '.join(f'{__name__}.{room}.{name}' for room in elsewhere)}" if elsewhere else ""
        text = f"module {__name__!r} has no attribute {name!r}{hint}"
        raise AttributeError(text, name=name, obj=import_module(__name__))
    globals()[name] = value
    return value


def _rooms_with(name: str) -> list[str]:
    """Find the rooms that export a name, for the message of an error; none of them is imported."""
    if name.startswith("_"):
        return []
    doors = {room: os.path.join(__path__[0], room, "__init__.py") for room in sorted(_ROOMS)}
    found = []
    for room, door in doors.items():
        try:
            with open(door, encoding="utf-8") as file:
                text = file.read()
        except OSError:
            continue
        if f'    "{name}",\n' in text:
            found.append(room)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_ROOMS})
