"""The names of ``savant_rs.utils``: expressions, what is done to boxes, bytes, spans."""

from __future__ import annotations

from picasso.module.params import (
    eval_expr,
)
from picasso.primitives import (
    BBoxMetricType,
    ByteBuffer,
    PropagatedContext,
    VideoObjectBBoxTransformation,
)
from picasso.trace import (
    TelemetrySpan,
)

__all__ = [
    "BBoxMetricType",
    "ByteBuffer",
    "PropagatedContext",
    "TelemetrySpan",
    "VideoObjectBBoxTransformation",
    "eval_expr",
]
