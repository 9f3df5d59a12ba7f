"""How many sources may be in a runner at once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from picasso.engine.clock import Bell


@final
class Admission:
    """Counts the sources that are in: from the first frame of a stream to its end. Any thread; no one waits here.

    Sources that wait come in one after the other, in the order in which they began to wait.
    """

    def __init__(self, limit: int = 0) -> None:
        """Let no one in yet.

        Args:
            limit: Most sources at once, 0 for no limit.
        """
        self.limit = limit
        self._lock = threading.Lock()
        self._inside: set[str] = set()
        self._waiting: dict[str, Bell] = {}

    def enter(self, source_id: str, bell: Bell | None) -> bool:
        """Let a source in if there is room, also for those that have waited longer.

        Args:
            source_id: The source.
            bell: Where it waits: rung when another source has left. None for one that does not wait, but asks again.
        """
        with self._lock:
            ahead = list(self._waiting)
            if source_id in self._waiting:
                ahead = ahead[: ahead.index(source_id)]
            if not self.limit or source_id in self._inside or len(self._inside) + len(ahead) < self.limit:
                self._inside.add(source_id)
                self._waiting.pop(source_id, None)
                return True
            if bell is not None:
                self._waiting.setdefault(source_id, bell)
            return False

    def leave(self, source_id: str) -> None:
        """Let a source out, and ring for all that wait; one that is not in may leave, too."""
        with self._lock:
            self._inside.discard(source_id)
            self._waiting.pop(source_id, None)
            bells = list(self._waiting.values())
        for bell in bells:
            bell.put(None)
