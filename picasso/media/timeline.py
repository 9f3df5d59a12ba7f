"""When frames are shown: their times over all loops, and waiting for them."""

from __future__ import annotations

from fractions import Fraction
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final, Protocol

from picasso.media.times import Ticks, to_ns

if TYPE_CHECKING:
    from picasso.engine.clock import Bell, Clock

FALLBACK_RATE: Final = Fraction(30)
"""Frames per second of streams that do not tell."""


class Timed(Protocol):
    """A decoded frame's own times, in ticks."""

    @property
    def pts(self) -> int | None:
        """When it is shown, if the stream tells."""

    @property
    def duration(self) -> int | None:
        """How long it is shown; 0 or None where the stream does not tell."""


class Timeline:
    """Gives decoded frames their times in nanoseconds: from 0 or later on, each loop where the one before ended."""

    def __init__(self, time_base: Fraction, frame_rate: Fraction | None) -> None:
        self._ticks = Ticks(time_base)
        self._frame_ns = to_ns(1, 1 / (frame_rate or FALLBACK_RATE))
        self._end_ns = 0
        self._offset_ns: int | None = None
        self._first_pass = True

    def next_pass(self) -> None:
        """Let the next frame follow the last one."""
        self._offset_ns = None
        self._first_pass = False

    def place(self, frame: Timed) -> tuple[int, int]:
        """Return when the frame is shown and for how long; one without a time follows the one before."""
        duration_ns = self._ticks.to_ns(frame.duration) if frame.duration else self._frame_ns
        if frame.pts is None:
            pts_ns = self._end_ns
        else:
            own_ns = self._ticks.to_ns(frame.pts)
            if self._offset_ns is None:
                self._offset_ns = max(-own_ns, 0) if self._first_pass else self._end_ns - own_ns
            pts_ns = max(own_ns + self._offset_ns, 0)
        self._end_ns = max(self._end_ns, pts_ns + duration_ns)
        return pts_ns, duration_ns


class Pacer:
    """Holds frames back until their time has come; the first one sets the start."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bell: Bell = SimpleQueue()
        self._start_ns: int | None = None
        self.stopped = False

    def wait(self, pts_ns: int) -> None:
        """Return when the frame is due, or when stopped; one that is late is due at once."""
        if self._start_ns is None:
            self._start_ns = self._clock.now_ns() - pts_ns
        due_ns = self._start_ns + pts_ns
        while not self.stopped and self._clock.now_ns() < due_ns:
            self._clock.wait(self._bell, due_ns)

    def stop(self) -> None:
        """Let everything through from now on. Any thread."""
        self.stopped = True
        self._bell.put(None)
