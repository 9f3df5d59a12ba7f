"""Which trace a message belongs to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

TRACEPARENT: Final = "traceparent"
"""The header of W3C Trace Context."""
UBER: Final = "uber-trace-id"
"""That of Jaeger."""


def new_context() -> tuple[str, dict[str, str]]:
    """Begin a trace: return its id, 32 hexadecimal digits, and the context that travels."""
    trace_id, span_id = os.urandom(16).hex(), os.urandom(8).hex()
    return trace_id, {TRACEPARENT: f"00-{trace_id}-{span_id}-01", UBER: f"{trace_id}:{span_id}:0:1"}


def trace_id_of(context: Mapping[str, str]) -> str | None:
    """Return the id of the trace of a propagated ``context``; None where it names none."""
    if text := context.get(UBER):
        return text.partition(":")[0]
    parts = context.get(TRACEPARENT, "").split("-")
    return parts[1] if len(parts) >= 4 else None
