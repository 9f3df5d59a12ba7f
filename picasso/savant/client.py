"""The names of ``savant.client``."""

from __future__ import annotations

from picasso.client import (
    FrameSource,
    JaegerLogProvider,
    JpegSource,
    LogProvider,
    PngSource,
    SinkBuilder,
    SourceBuilder,
)

__all__ = [
    "FrameSource",
    "JaegerLogProvider",
    "JpegSource",
    "LogProvider",
    "PngSource",
    "SinkBuilder",
    "SourceBuilder",
]
