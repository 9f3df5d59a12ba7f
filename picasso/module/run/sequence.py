"""Frames that leave as metadata, in their place between those that the engine encodes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from picasso.primitives import VideoFrame


@final
class Sequence:
    """The order of one source behind its elements: some frames go through the encoder, others past it.

    A frame that goes past it waits until every frame that was sent before has come out, or is reported as lost.
    ``sent`` and ``pass_on`` are called by the thread that delivers, ``came_out`` by the engine's.
    """

    def __init__(self, emit: Callable[[VideoFrame], None]) -> None:
        """Begin with nothing under way.

        Args:
            emit: Hands a frame to the sinks; called on either thread, one call at a time.
        """
        self._emit = emit
        self._lock = threading.Lock()
        self._sent = 0
        self._out = 0
        self._waiting: deque[tuple[int, VideoFrame]] = deque()

    def sent(self) -> None:
        """A frame goes to the engine next."""
        with self._lock:
            self._sent += 1

    def pass_on(self, frame: VideoFrame) -> None:
        """Let a frame go past the engine, in its place."""
        with self._lock:
            if self._out >= self._sent and not self._waiting:
                self._emit(frame)
            else:
                self._waiting.append((self._sent, frame))

    def came_out(self) -> None:
        """The engine has delivered a frame to the sinks, or has lost one."""
        with self._lock:
            self._out += 1
            while self._waiting and self._waiting[0][0] <= self._out:
                self._emit(self._waiting.popleft()[1])

    @property
    def waiting(self) -> int:
        """Frames that wait for their place."""
        return len(self._waiting)
