"""The names of ``savant_rs.primitives``: frames, objects, attributes."""

from __future__ import annotations

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
    VideoFrameUpdate,
    VideoObject,
    VideoObjectBBoxTransformation,
    VideoObjectsView,
)

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
