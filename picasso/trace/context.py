"""The context of a trace on its way between programs: which headers carry it, and what they say."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

TRACEPARENT: Final = "traceparent"
"""The header of W3C Trace Context."""
TRACESTATE: Final = "tracestate"
"""What vendors add to it."""
UBER: Final = "uber-trace-id"
"""The header of Jaeger."""
_PARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
_MEMBER: Final = re.compile(
    r"[a-z0-9][a-z0-9_*/@-]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)
MAX_STATE: Final = 512
"""Characters of a ``tracestate`` that travel on; a longer one is left out, as W3C allows."""
_JAEGER: Final = re.compile(r"([0-9a-f]{1,32}):([0-9a-f]{1,16}):[0-9a-f]{1,16}:[0-9a-f]{1,2}")


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A place in a trace: what comes next is a child of this span."""

    trace_id: int
    """1 to 2**128 - 1."""
    span_id: int
    """1 to 2**64 - 1."""
    state: str = ""
    """What vendors wrote beside it, which travels on."""

    @property
    def trace_text(self) -> str:
        """The id of the trace, 32 hexadecimal digits."""
        return f"{self.trace_id:032x}"

    def headers(self) -> dict[str, str]:
        """Return the headers that carry it: those of W3C and that of Jaeger."""
        trace_id, span_id = self.trace_text, f"{self.span_id:016x}"
        headers = {TRACEPARENT: f"00-{trace_id}-{span_id}-01", UBER: f"{trace_id}:{span_id}:0:1"}
        if self.state:
            headers[TRACESTATE] = self.state
        return headers


def new_context() -> TraceContext:
    """Begin a trace, with ids that no other program has; what is seeded for repeatable runs is left alone."""
    return TraceContext(int.from_bytes(os.urandom(16)) or 1, int.from_bytes(os.urandom(8)) or 1)


def read_context(headers: Mapping[str, str]) -> TraceContext | None:
    """Read the context that ``headers`` carry; None where they carry none that is valid.

    ``traceparent`` counts before ``uber-trace-id``. Names of headers are compared without case.
    """
    known = {name.lower(): value.strip() for name, value in headers.items()}
    found = _PARENT.fullmatch(known.get(TRACEPARENT, "").lower())
    if found is not None and found[1] != "ff" and (found[1] != "00" or found[4] is None):
        context = TraceContext(int(found[2], 16), int(found[3], 16), _state(known.get(TRACESTATE, "")))
        if context.trace_id and context.span_id:
            return context
    found = _JAEGER.fullmatch(known.get(UBER, "").lower().replace("%3a", ":"))
    if found is not None and int(found[1], 16) and int(found[2], 16):
        return TraceContext(int(found[1], 16), int(found[2], 16))
    return None


def _state(text: str) -> str:
    """Return what vendors wrote, if it is as W3C says; a peer may send anything."""
    members = [member.strip() for member in text.split(",") if member.strip()] if len(text) <= MAX_STATE else []
    keys = {member.partition("=")[0] for member in members}
    is_sound = len(keys) == len(members) <= 32 and all(map(_MEMBER.fullmatch, members))
    return ",".join(members) if is_sound else ""
