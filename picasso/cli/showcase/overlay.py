"""The line under each picture of the demo: clock, source, frame rate."""

from __future__ import annotations

import time
from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any

from picasso.draw import current_canvas
from picasso.draw.fonts import SHIPPED
from picasso.draw.skia_library import skia_module

if TYPE_CHECKING:
    from picasso.primitives import VideoFrame

BAR_HEIGHT = 24
"""Rows at the bottom of each picture that the overlay covers."""
RATE_SPAN_S = 1.0
"""Seconds over which the frame rate on the overlay is measured."""


class Overlay:
    """The engine's ``on_render``: clock, source and frame rate on a dark bar at the bottom.

    Several workers call it at once, each for a source of its own.

    Args:
        reproducible: Show the rate of the clip instead of the rate at which frames come by, so that two runs draw the
            same pixels.

    Raises:
        MissingDependencyError: Skia, which draws it, does not load.
    """

    def __init__(self, *, reproducible: bool = False) -> None:
        self._skia: Any = skia_module()
        skia = self._skia
        self._reproducible = reproducible
        self._moments: defaultdict[str, deque[float]] = defaultdict(deque)
        self._font = skia.Font(skia.Typeface.MakeFromFile(str(SHIPPED)), 14)
        self._bar = skia.Paint(Color=skia.ColorSetARGB(176, 0, 0, 0))
        self._ink = skia.Paint(Color=skia.ColorWHITE, AntiAlias=True)

    def __call__(self, source_id: str, _fbo_id: int, width: int, height: int, frame: VideoFrame) -> None:
        """Draw the line on the canvas of the current frame."""
        canvas = current_canvas()
        canvas.drawRect(self._skia.Rect.MakeXYWH(0, height - BAR_HEIGHT, width, BAR_HEIGHT), self._bar)
        rate = nominal_rate(frame) if self._reproducible else self._measured_rate(source_id)
        canvas.drawString(f"{clock(frame)}   {source_id}   {rate:.0f} fps", 8, height - 7, self._font, self._ink)

    def _measured_rate(self, source_id: str) -> float:
        moments, now = self._moments[source_id], time.perf_counter()
        moments.append(now)
        while moments[0] < now - RATE_SPAN_S:
            moments.popleft()
        return (len(moments) - 1) / max(now - moments[0], 1e-9)


def clock(frame: VideoFrame) -> str:
    """The time of a frame in its clip, e.g. ``"00:03.240"``."""
    numerator, denominator = frame.time_base
    milliseconds = frame.pts * numerator * 1000 // denominator
    return f"{milliseconds // 60_000:02}:{milliseconds // 1000 % 60:02}.{milliseconds % 1000:03}"


def nominal_rate(frame: VideoFrame) -> float:
    """The frames per second that the clip names."""
    numerator, denominator = frame.fps
    return float(numerator / denominator)
