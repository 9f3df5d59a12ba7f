"""The names of ``savant_rs.primitives``: frames, objects, attributes."""

from __future__ import annotations

from picasso.primitives import (
    Attribute,
    AttributeUpdatePolicy,
    AttributeValue,
    AttributeValueType,
    BorrowedVideoObject,
    EndOfStream,
    IdCollisionResolutionPolicy,
    ObjectUpdatePolicy,
    Shutdown,
    UserData,
    VideoFrame,
    VideoFrameBatch,
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
    "AttributeUpdatePolicy",
    "AttributeValue",
    "AttributeValueType",
    "BorrowedVideoObject",
    "EndOfStream",
    "IdCollisionResolutionPolicy",
    "ObjectUpdatePolicy",
    "Shutdown",
    "UserData",
    "VideoFrame",
    "VideoFrameBatch",
    "VideoFrameContent",
    "VideoFrameTranscodingMethod",
    "VideoFrameTransformation",
    "VideoFrameUpdate",
    "VideoObject",
    "VideoObjectBBoxTransformation",
    "VideoObjectsView",
]
