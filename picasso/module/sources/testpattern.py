"""``videotestsrc``: pictures that no one has to bring."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from picasso.engine.clock import Clock, MonotonicClock
from picasso.flow import NEVER, Item
from picasso.media.timeline import Pacer
from picasso.primitives import VideoFrame
from picasso.surface import SurfaceView, VideoFormat

NS: Final = 1_000_000_000
_BARS: Final = (
    (255, 255, 255),
    (255, 255, 0),
    (0, 255, 255),
    (0, 255, 0),
    (255, 0, 255),
    (255, 0, 0),
    (0, 0, 255),
    (0, 0, 0),
)


class PatternSource:
    """Frames of a pattern: ``bars``, ``counter`` (the number in bits), ``black``, ``white``, or a ``moving`` square."""

    restart = NEVER

    def __init__(
        self,
        source_id: str = "test",
        *,
        width: int = 1280,
        height: int = 720,
        framerate: str = "30/1",
        frames: int = -1,
        is_live: bool = False,
        pattern: str = "moving",
        clock: Clock | None = None,
    ) -> None:
        """Choose what is shown.

        Args:
            source_id: Name of the source.
            width: Pixels, even.
            height: Pixels, even.
            framerate: Frames per second as a fraction.
            frames: How many; -1 never ends.
            is_live: Whether frames come at their own times.
            pattern: What is shown.
            clock: What paces.
        """
        self._source_id = source_id
        self._size_wh = (width, height)
        self._rate = Fraction(framerate)
        self.frame_count: int | None = None if frames < 0 else frames
        self.is_live = is_live
        self._pattern = pattern
        self._clock = clock or MonotonicClock()
        self._pacer = Pacer(self._clock)
        self._stopped = False

    @property
    def source_id(self) -> str:
        """The name of the source."""
        return self._source_id

    def __iter__(self) -> Iterator[Item]:
        self._pacer = Pacer(self._clock)
        return self._frames(self._pacer)

    def _frames(self, pacer: Pacer) -> Iterator[Item]:
        rate = (self._rate.numerator, self._rate.denominator)
        numbers = itertools.count() if self.frame_count is None else range(self.frame_count)
        for number in numbers:
            pts_ns = number * NS * rate[1] // rate[0]
            if self.is_live:
                pacer.wait(pts_ns)
            if self._stopped or pacer.stopped:
                return
            duration_ns = (number + 1) * NS * rate[1] // rate[0] - pts_ns
            frame = VideoFrame(
                self._source_id,
                rate,
                *self._size_wh,
                time_base=(1, NS),
                pts=pts_ns,
                duration=duration_ns,
                keyframe=True,
            )
            yield frame, self._picture(number)

    def stop(self) -> None:
        """End the running iteration, and every later one. Any thread."""
        self._stopped = True
        self._pacer.stop()

    def interrupt(self) -> None:
        """End the running iteration; a later one begins at the first frame. Any thread."""
        self._pacer.stop()

    def _picture(self, number: int) -> SurfaceView:
        width, height = self._size_wh
        surface = SurfaceView.allocate(VideoFormat.RGB, (width, height))
        pixels = surface.planes[0].reshape(height, width, 3)
        pixels[...] = 255 if self._pattern == "white" else 0
        if self._pattern == "bars":
            for index, color in enumerate(_BARS):
                pixels[:, index * width // 8 : (index + 1) * width // 8] = color
        elif self._pattern == "counter":
            for bit in range(16):
                pixels[:, bit * width // 16 : (bit + 1) * width // 16] = 255 * (number >> bit & 1)
        elif self._pattern == "moving":
            side = min(width, height) // 4
            left = number * max(width // 64, 1) % (width - side + 1)
            top = (height - side) // 2
            pixels[top : top + side, left : left + side] = (255, 128, 0)
        return surface
