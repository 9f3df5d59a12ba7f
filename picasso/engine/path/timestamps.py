"""A frame's timestamps in nanoseconds, by exact integer arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from picasso.engine.policies import NS_PER_S
from picasso.errors import SpecError
from picasso.primitives.frame_state import NS_TIME_BASE

if TYPE_CHECKING:
    from picasso.primitives import VideoFrame

MAX_NS = 2**63 - 1
"""Encoders and containers count in signed 64-bit numbers."""


def to_ns(ticks: int, time_base: tuple[int, int]) -> int:
    """Convert ``ticks`` of ``num / den`` seconds to nanoseconds, halves rounded up; negative ticks count as 0.

    Raises:
        SpecError: More nanoseconds than 64 bits can hold.
    """
    num, den = time_base
    if num == 1 and den == NS_PER_S:
        return max(ticks, 0)  # of 64 bits, as every number of a frame
    ns = (2 * max(ticks, 0) * num * NS_PER_S + den) // (2 * den)
    if ns > MAX_NS:
        raise SpecError(f"{ticks} ticks of {num}/{den} s are {ns} ns: expected at most {MAX_NS}")
    return ns


def timestamps_ns(frame: VideoFrame) -> tuple[int, int | None]:
    """Return the presentation time of a frame and how long it is shown, nanoseconds.

    Raises:
        SpecError: More nanoseconds than 64 bits can hold.
    """
    time_base, pts, duration = frame.timing()
    if time_base == NS_TIME_BASE and duration is None and pts >= 0:
        return pts, None
    return to_ns(pts, time_base), None if duration is None else to_ns(duration, time_base)
