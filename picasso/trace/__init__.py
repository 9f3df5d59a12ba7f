"""Traces: what happened to a frame, and how long each step of it took, by OpenTelemetry.

``import picasso.trace`` loads no library; sending spans needs the extra ``traces``.
"""

from __future__ import annotations

from picasso.primitives.field_texts import explain_fields as _explain_fields
from picasso.trace.context import TraceContext, new_context, read_context
from picasso.trace.current import current_span
from picasso.trace.endpoint import TraceEndpoint
from picasso.trace.export import ExportCounts, SpanPipe
from picasso.trace.none import NO_SPAN, NO_TRACE, NoSpan
from picasso.trace.process import TelemetrySpan, close_tracer, init_jaeger_tracer
from picasso.trace.span import Span
from picasso.trace.tracer import FrameTrace, Tracer

__all__ = [
    "NO_SPAN",
    "NO_TRACE",
    "ExportCounts",
    "FrameTrace",
    "NoSpan",
    "Span",
    "SpanPipe",
    "TelemetrySpan",
    "TraceContext",
    "TraceEndpoint",
    "Tracer",
    "close_tracer",
    "current_span",
    "init_jaeger_tracer",
    "new_context",
    "read_context",
]

_explain_fields(globals())
