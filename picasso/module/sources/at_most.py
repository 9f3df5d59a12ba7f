"""``max_fps``: a source that gives at most a given number of frames a second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, final

from picasso.primitives import EndOfStream

if TYPE_CHECKING:
    from picasso.engine.clock import Bell, Clock
    from picasso.flow import Item, Source

REASON: Final = "max_fps"
"""Under which frames of a live source that come too soon are counted."""
EARLY: Final = Fraction(1, 4)
"""Share of the time between two frames that a live one may come early: cameras are not exact."""


def limited(source: Source, parameters: Mapping[str, Any], clock: Clock) -> Source:
    """Put ``max_fps`` before a source, where ``max_fps_control`` says that it holds."""
    if not parameters["max_fps_control"] or parameters["max_fps"] is None:
        return source
    return AtMost(source, Fraction(parameters["max_fps"]), clock)


@final
class AtMost:
    """A source with a limit: a file waits for its next turn; of a camera, frames that come too soon are dropped.

    What it has beyond a source, such as a restart policy, is that of the source within.
    """

    def __init__(self, source: Source, frames_per_s: Fraction, clock: Clock) -> None:
        """Put a limit before a source.

        Args:
            source: The source.
            frames_per_s: Most frames a second, > 0.
            clock: What they are counted by.
        """
        self._source = source
        self._step_ns = round(10**9 / frames_per_s)
        self._clock = clock
        self._bell: Bell = SimpleQueue()
        self._due_ns: int | None = None
        self._early_ns = round(self._step_ns * EARLY)
        self._is_stopped = False
        self._too_soon = 0
        self.came_ns: tuple[int, int] | None = None
        """Of the newest frame: when its bytes were received and decoded; where it had to wait for its turn, when that
        came."""

    @property
    def source_id(self) -> str:
        """The name of the source."""
        return self._source.source_id

    @property
    def dropped(self) -> Counter[str]:
        """Frames that were kept back, by reason."""
        return Counter(getattr(self._source, "dropped", {})) + Counter({REASON: self._too_soon})

    def stop(self) -> None:
        """End the running iteration, and every later one. Any thread."""
        self._is_stopped = True
        self._bell.put(None)
        self._source.stop()

    def __iter__(self) -> Iterator[Item]:
        is_live = bool(getattr(self._source, "is_live", False))
        for item in self._source:
            if isinstance(item, EndOfStream) or self._is_due(is_live):
                yield item
            if self._is_stopped:
                return

    def _is_due(self, is_live: bool) -> bool:
        now_ns = self._clock.now_ns()
        due_ns = now_ns if self._due_ns is None else self._due_ns
        if is_live and now_ns < due_ns - self._early_ns:
            self._too_soon += 1
            return False
        has_waited = not is_live and now_ns < due_ns
        while not is_live and now_ns < due_ns and not self._is_stopped:
            self._clock.wait(self._bell, due_ns)
            now_ns = self._clock.now_ns()
        self.came_ns = (now_ns, now_ns) if has_waited else getattr(self._source, "came_ns", None)
        self._due_ns = max(due_ns, now_ns - self._step_ns) + self._step_ns
        return True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)
