"""The names of ``savant.client``."""

from __future__ import annotations

from typing import Any

from picasso.module.later import later

JaegerLogProvider: Any = later("savant.client.JaegerLogProvider", "the client SDK comes")
JpegSource: Any = later("savant.client.JpegSource", "the client SDK comes")
SinkBuilder: Any = later("savant.client.SinkBuilder", "the client SDK comes")
SourceBuilder: Any = later("savant.client.SourceBuilder", "the client SDK comes")

__all__ = ["JaegerLogProvider", "JpegSource", "SinkBuilder", "SourceBuilder"]
