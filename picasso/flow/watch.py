"""Who notices that a source says nothing: its own thread waits for the next frame."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final, Protocol, final

from picasso.engine.threads import EngineThread
from picasso.errors import SpecError

if TYPE_CHECKING:
    from picasso.engine.clock import Bell, Clock

LOOK_S: Final = 1.0
"""Seconds between two looks at sources without an ``IdlePolicy``."""


@dataclass(frozen=True, slots=True)
class IdlePolicy:
    """When the stream of a source that says nothing is ended. The source stays open; its next frame begins another."""

    timeout_s: float = 10.0
    """Seconds without a frame, > 0."""
    check_s: float = LOOK_S
    """Seconds between two looks, > 0: the end comes that much later at most."""

    def __post_init__(self) -> None:
        for name, value in (("timeout_s", self.timeout_s), ("check_s", self.check_s)):
            if not value > 0:
                raise SpecError(f"IdlePolicy.{name} = {value}: expected seconds > 0")


class Watched(Protocol):
    """What is looked at."""

    @property
    def look_s(self) -> float:
        """Seconds between two looks."""

    def look(self) -> None:
        """Notice that nothing has come; returns at once, and does not raise."""


@final
class Watch:
    """A thread that looks at sources from time to time."""

    def __init__(self, clock: Clock, watched: Callable[[], Iterable[Watched]]) -> None:
        self._clock = clock
        self._watched = watched
        self._bell: Bell = SimpleQueue()
        self._stopped = False
        self._thread = EngineThread(target=self._run, name="flow-watch", daemon=True)

    def start(self) -> None:
        """Begin to look. May be called again."""
        if self._thread.ident is None:
            self._thread.start()

    def look_again(self) -> None:
        """Take notice of sources that joined. Any thread."""
        self._bell.put(None)

    @property
    def is_current(self) -> bool:
        """Whether the calling thread is the one that looks."""
        return threading.current_thread() is self._thread

    def stop(self, timeout_s: float) -> None:
        """End the thread, and wait ``timeout_s`` seconds for it."""
        self._stopped = True
        self._bell.put(None)
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopped:
            watched = list(self._watched())
            for one in watched:
                one.look()
            pause_s = min((one.look_s for one in watched), default=None)
            now_ns = self._clock.now_ns()
            self._clock.wait(self._bell, None if pause_s is None else now_ns + round(pause_s * 1e9))
