"""Sources that are refused for a while."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import final


@final
class Blacklist:
    """Source ids, each refused for the same time; the newest ``size`` of them. Safe from any thread."""

    def __init__(self, size: int = 1024, ttl_s: float = 10.0, now_s: Callable[[], float] = time.monotonic) -> None:
        """Refuse no one yet.

        Args:
            size: Sources that are refused at once; a further one lets the oldest go. 0 refuses no one.
            ttl_s: Seconds for which a source is refused.
            now_s: Tells the time in seconds.
        """
        self._size = size
        self._ttl_s = ttl_s
        self._now_s = now_s
        self._until_s: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, source_id: str) -> None:
        """Refuse a source from now on; one that is refused already is refused for longer."""
        with self._lock:
            self._until_s.pop(source_id, None)
            self._until_s[source_id] = self._now_s() + self._ttl_s
            while len(self._until_s) > self._size:
                self._until_s.popitem(last=False)

    def remove(self, source_id: str) -> None:
        """Refuse a source no longer."""
        with self._lock:
            self._until_s.pop(source_id, None)

    def __contains__(self, source_id: str) -> bool:
        if not self._until_s:
            return False
        with self._lock:
            until_s = self._until_s.get(source_id)
            if until_s is None:
                return False
            if self._now_s() < until_s:
                return True
            del self._until_s[source_id]
            return False

    def __len__(self) -> int:
        return len(self._until_s)
