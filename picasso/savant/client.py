"""The names of ``savant.client``."""

from __future__ import annotations

from picasso.module.awaited import JaegerLogProvider, JpegSource, SinkBuilder, SourceBuilder

__all__ = ["JaegerLogProvider", "JpegSource", "SinkBuilder", "SourceBuilder"]
