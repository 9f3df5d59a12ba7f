"""The names of ``savant_rs.primitives``: frames, objects, attributes."""

from __future__ import annotations

from typing import Any

from picasso.module.later import later
from picasso.primitives import (
    Attribute,
    AttributeValue,
    BorrowedVideoObject,
    EndOfStream,
    IdCollisionResolutionPolicy,
    VideoFrame,
    VideoFrameContent,
    VideoFrameTranscodingMethod,
    VideoFrameTransformation,
    VideoObject,
    VideoObjectBBoxTransformation,
    VideoObjectsView,
)

VideoFrameUpdate: Any = later("savant_rs.primitives.VideoFrameUpdate", "updates of frames come with the wire")

__all__ = [
    "Attribute",
    "AttributeValue",
    "BorrowedVideoObject",
    "EndOfStream",
    "IdCollisionResolutionPolicy",
    "VideoFrame",
    "VideoFrameContent",
    "VideoFrameTranscodingMethod",
    "VideoFrameTransformation",
    "VideoFrameUpdate",
    "VideoObject",
    "VideoObjectBBoxTransformation",
    "VideoObjectsView",
]
