"""How a module ends: what was read comes out, or is counted; elements are stopped; sinks finish their files."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from picasso.engine.threads import EngineThread

if TYPE_CHECKING:
    from picasso.flow import Runner
    from picasso.module.run.auxiliary import AuxiliaryStreams
    from picasso.module.run.batcher import Batcher
    from picasso.module.run.pipeline import Pipeline
    from picasso.module.run.sink_threads import SinkThreads
    from picasso.module.run.stage import ModuleStage

GRACE_S: Final = 10.0
"""Seconds that a stop waits for frames on their way."""
MOMENT_S: Final = 0.5
"""Seconds more for what was given up to end."""
FILES_S: Final = 1.0
"""Seconds at least for sinks to finish their files."""
logger: logging.Logger = logging.getLogger("picasso.module")


class Ending:
    """Ends the parts of a module that there are, in order, within a deadline and a moment.

    At the deadline every waiting thread is released, and what has not come out counts as ``stopped``. An element that
    hangs is stopped by another thread; one whose ``on_stop`` hangs, too, is reported and left behind.
    """

    def __init__(self, name: str, sinks: SinkThreads) -> None:
        """Begin with nothing but sinks.

        Args:
            name: The module's.
            sinks: Where frames go.
        """
        self._name = name
        self._sinks = sinks
        self._lock = threading.RLock()
        """Held by the thread that ends the module; its elements and sinks may ask for the end again."""
        self.runner: Runner | None = None
        self.stage: ModuleStage | None = None
        self.batcher: Batcher | None = None
        self.pipeline: Pipeline | None = None
        self.auxiliary: AuxiliaryStreams | None = None

    @contextmanager
    def alone(self, timeout_s: float) -> Iterator[bool]:
        """Be the one thread that ends the module; yield whether it is. One that is late waits for the other.

        Args:
            timeout_s: Seconds that it waits; what has not come out then is given up, and a moment later it goes on.
        """
        is_alone = self._lock.acquire(timeout=min(max(timeout_s, 0.0), threading.TIMEOUT_MAX))
        if not is_alone:
            self.give_up()
            is_alone = self._lock.acquire(timeout=MOMENT_S + FILES_S)
        try:
            yield is_alone
        finally:
            if is_alone:
                self._lock.release()

    def run(self, timeout_s: float) -> None:
        """End everything.

        Args:
            timeout_s: Seconds for what was read to come out.
        """
        deadline_s = time.monotonic() + timeout_s
        if self.runner is not None:
            self._drain(self.runner, timeout_s)
        if self.pipeline is not None and self.batcher is not None and self.stage is not None:
            self.batcher.close()
            if not self.pipeline.join(max(deadline_s - time.monotonic(), MOMENT_S)):
                self.give_up()
            self.pipeline.stop_elements()
            self.stage.release()
            self.stage.drop_all()
        if self.auxiliary is not None:
            self.auxiliary.close()
        self._sinks.finish()
        self._sinks.join(max(deadline_s, time.monotonic() + FILES_S))

    def give_up(self) -> None:
        """Let go of everyone who waits, and count what has not come out as stopped. Any thread."""
        self._sinks.finish()  # one that blocks lets go of who waits for it
        if self.pipeline is not None and self.batcher is not None and self.stage is not None:
            stage = self.stage
            self.pipeline.give_up()
            self.batcher.discard(lambda frame: stage.drop(frame, "stopped"))
            stage.release()
            stage.drop_all()

    def _drain(self, runner: Runner, timeout_s: float) -> None:
        """Let what was read come out; when the time is over, give up what still is on its way."""
        drained = threading.Event()

        def watch() -> None:
            if not drained.wait(timeout_s):
                logger.warning("module %r: not drained after %.1f s; what is left is dropped", self._name, timeout_s)
                self.give_up()

        watcher = EngineThread(target=watch, name="module-deadline", daemon=True)
        watcher.start()
        try:
            runner.close(timeout_s + MOMENT_S)
        finally:
            drained.set()
            watcher.join()
