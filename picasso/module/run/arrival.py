"""Frames that were decoded, back in the order in which they arrived, as ``codec: copy`` sends them."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from picasso.primitives import VideoFrame

PATIENCE: Final = 17
"""Frames that wait for one that arrived before them: the most that H.264 and HEVC reorder, and one."""


@final
class ArrivalOrder:
    """Puts the frames of one source, which come as they are shown, back into the order of their numbers.

    A frame waits only while one with a smaller number has not come, and for at most ``PATIENCE`` frames: those that
    were dropped on the way never come. Belongs to one thread.
    """

    def __init__(self) -> None:
        """Begin a stream with the number that comes first."""
        self._waiting: list[tuple[int, int, VideoFrame]] = []
        self._next: int | None = None
        self._count = 0
        self._last_dts = -1

    def add(self, number: int | None, frame: VideoFrame | None) -> Iterator[VideoFrame]:
        """Take a frame, or the number of one that was dropped; yield those whose turn has come.

        Args:
            number: Its place in the order of arrival; None where it is not known: its turn is now.
            frame: The frame; None where it was dropped.
        """
        if number is None:
            if frame is not None:
                yield self._timed(frame)
            return
        if self._next is None:
            self._next = number
        if frame is None:
            self._next += number == self._next
        else:
            self._count += 1  # of two frames with one number, the first one goes first
            heapq.heappush(self._waiting, (number, self._count, frame))
        while self._waiting and (self._waiting[0][0] <= self._next or len(self._waiting) >= PATIENCE):
            yield self._pop()

    def flush(self) -> Iterator[VideoFrame]:
        """End the stream: yield what waits. The next one begins with the next number."""
        while self._waiting:
            yield self._pop()
        self._next, self._last_dts = None, -1

    @property
    def waiting(self) -> int:
        """Frames that wait for their turn."""
        return len(self._waiting)

    def _pop(self) -> VideoFrame:
        number, _count, frame = heapq.heappop(self._waiting)
        self._next = max(self._next or 0, number + 1)
        return self._timed(frame)

    def _timed(self, frame: VideoFrame) -> VideoFrame:
        """See that times of decoding rise: a stream that is reordered begins before 0, and frames cannot."""
        if frame.dts is not None:
            frame.dts = self._last_dts = max(frame.dts, self._last_dts + 1)
        return frame
