"""The names of ``savant_rs.utils``: expressions, what is done to boxes, bytes."""

from __future__ import annotations

from picasso.module.params import (
    eval_expr,
)
from picasso.primitives import (
    BBoxMetricType,
    ByteBuffer,
    VideoObjectBBoxTransformation,
)

__all__ = [
    "BBoxMetricType",
    "ByteBuffer",
    "VideoObjectBBoxTransformation",
    "eval_expr",
]
