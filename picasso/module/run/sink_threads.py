"""The sinks of a module: each with a queue and a thread; every frame goes to all of them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, final

from picasso.engine.policies import OverflowPolicy
from picasso.flow.sink import SinkThread

if TYPE_CHECKING:
    from picasso.engine import OutputMessage
    from picasso.flow import Sink
    from picasso.module.events import ModuleEvent

logger: logging.Logger = logging.getLogger("picasso.module")


@final
class SinkThreads:
    """Sinks that get everything that leaves the module.

    A sink that is slow slows the module down once its queue is full; one that fails takes nothing more, and the others
    go on. When the last one has failed, ``on_all_failed`` is told, once.
    """

    def __init__(
        self,
        name: str,
        queue_frames: int,
        on_all_failed: Callable[[BaseException], object],
        on_taken: Callable[[OutputMessage], object] | None = None,
        wrap: Callable[[Sink], Sink] = lambda sink: sink,
    ) -> None:
        """Begin without sinks.

        Args:
            name: The module's.
            queue_frames: Messages that wait for each sink; 0 for no limit.
            on_all_failed: Told what the last sink raised; called on its thread.
            on_taken: Told of each frame that every sink has taken or left out, once; must not raise or wait.
            wrap: What is done to each sink that is added.
        """
        self._name = name
        self._queue_frames = queue_frames
        self._on_all_failed = on_all_failed
        self._on_taken = on_taken
        self._wrap = wrap
        self._threads: list[SinkThread] = []
        self._listeners: list[Callable[[ModuleEvent], object]] = []
        """Of sinks that want to know what happens to the module."""
        self._open: dict[int, int] = {}
        """How many sinks have yet to take a frame, where there are several."""
        self._lock = threading.Lock()
        self._has_told = False
        """Whether ``on_all_failed`` knows."""

    def add(self, sink: Sink) -> None:
        """Start the thread of a sink."""
        self._listeners += [sink.on_event] if hasattr(sink, "on_event") else []
        thread = SinkThread(
            self._wrap(sink),
            self._name,
            OverflowPolicy.BLOCK,
            self._queue_frames,
            self._failed,
            self._done,
            owner=f"module {self._name!r}",
        )
        thread.start()
        self._threads.append(thread)

    def put(self, output: OutputMessage) -> None:
        """Queue an output for every sink; waits while a queue is full. Any thread."""
        threads = self._threads
        if not threads and self._on_taken is not None and not output.is_eos:
            self._on_taken(output)
        if len(threads) > 1 and not output.is_eos:
            with self._lock:
                self._open[id(output)] = len(threads)
        for thread in threads:
            thread.put(output)

    def tell(self, event: ModuleEvent) -> None:
        """Tell the sinks that want to know of an ``event``. Any thread; does not wait."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                logger.exception("module %r: a sink raised at an event", self._name)

    def _done(self, output: OutputMessage) -> None:
        """Take notice that one sink is done with a frame."""
        if len(self._threads) > 1:
            with self._lock:
                left = self._open.get(id(output), 1) - 1
                if left:
                    self._open[id(output)] = left
                    return
                self._open.pop(id(output), None)
        if self._on_taken is not None:
            self._on_taken(output)

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
        if self.failure is None:
            return
        with self._lock:  # the last two may fail at the same time
            knows, self._has_told = self._has_told, True
        if not knows:
            self._on_all_failed(error)
