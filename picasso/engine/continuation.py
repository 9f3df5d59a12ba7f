"""Times that start again, moved behind those before them: one arithmetic for engine, reader and writer."""

from __future__ import annotations

from typing import final


@final
class Continuation:
    """Moves the times of one stream so that they rise.

    A time that is not later than the one before it takes the place where the frame before it ended. It and all later
    ones are then moved by the same offset, so that what lies between them stays as it is. Times that rise are not
    touched.
    """

    __slots__ = ("_end_ns", "_last_ns", "offset_ns")

    def __init__(self) -> None:
        self.offset_ns: int = 0
        """What is added to each time, nanoseconds."""
        self._last_ns: int | None = None
        self._end_ns = 0

    def starts_again(self, time_ns: int) -> bool:
        """Tell whether ``move`` would change the offset for this time."""
        return self._last_ns is not None and time_ns + self.offset_ns <= self._last_ns

    def move(self, time_ns: int, duration_ns: int) -> int:
        """Return where a frame goes, nanoseconds; its duration counts as at least one."""
        if self.starts_again(time_ns):
            self.offset_ns = self._end_ns - time_ns
        self._last_ns = time_ns + self.offset_ns
        self._end_ns = self._last_ns + max(duration_ns, 1)
        return self._last_ns
