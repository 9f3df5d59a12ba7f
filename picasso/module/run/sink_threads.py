"""The sinks of a module: each with a queue and a thread; every frame goes to all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, final

from picasso.engine.policies import OverflowPolicy
from picasso.flow.sink import SinkThread

if TYPE_CHECKING:
    from picasso.engine import OutputMessage
    from picasso.flow import Sink


@final
class SinkThreads:
    """Sinks that get everything that leaves the module.

    A sink that is slow slows the module down once its queue is full; one that fails takes nothing more, and the others
    go on. When the last one has failed, ``on_all_failed`` is told, once.
    """

    def __init__(self, name: str, queue_frames: int, on_all_failed: Callable[[BaseException], object]) -> None:
        """Begin without sinks.

        Args:
            name: The module's.
            queue_frames: Messages that wait for each sink; 0 for no limit.
            on_all_failed: Told what the last sink raised; called on its thread.
        """
        self._name = name
        self._queue_frames = queue_frames
        self._on_all_failed = on_all_failed
        self._threads: list[SinkThread] = []

    def add(self, sink: Sink) -> None:
        """Start the thread of a sink."""
        thread = SinkThread(sink, self._name, OverflowPolicy.BLOCK, self._queue_frames, self._failed)
        thread.start()
        self._threads.append(thread)

    def put(self, output: OutputMessage) -> None:
        """Queue an output for every sink; waits while a queue is full. Any thread."""
        for thread in self._threads:
            thread.put(output)

    def finish(self) -> None:
        """Have every sink closed behind what is queued. Threads that wait for room wait no longer."""
        for thread in self._threads:
            thread.finish()

    def join(self, deadline_s: float) -> None:
        """Wait until every sink is closed; what is queued at the deadline is dropped and counted.

        Args:
            deadline_s: Of ``time.monotonic()``.
        """
        for thread in self._threads:
            if not thread.join(max(deadline_s - time.monotonic(), 0.0)):
                thread.give_up()

    @property
    def failure(self) -> BaseException | None:
        """What the first sink raised, where all of them have failed."""
        failures = [thread.status().failure for thread in self._threads]
        return failures[0] if failures and all(failure is not None for failure in failures) else None

    def __iter__(self) -> Iterator[SinkThread]:
        return iter(self._threads)

    def _failed(self, error: BaseException) -> None:
        if self.failure is not None:
            self._on_all_failed(error)
