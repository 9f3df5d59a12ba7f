"""Telling the user which frames a shutdown gave up, without waiting for the user."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, final

from picasso.engine.callbacks import ErrorStage
from picasso.engine.threads import EngineThread
from picasso.errors import ShutDownError

if TYPE_CHECKING:
    from picasso.engine.messages import FrameMessage
    from picasso.engine.runtime.worker import Worker

logger: logging.Logger = logging.getLogger("picasso.engine")


@final
class Reports:
    """Calls ``on_error`` for frames that were given up, on a thread of its own.

    ``on_error``, the log's handlers and what runs when a frame's pixels go are the user's. They may want a lock
    that the callback holds which was given up on, and never return; so no one waits for them longer than a moment.
    """

    __slots__ = ("_done", "_never_wait", "_todo")

    def __init__(self, never_wait: set[int]) -> None:
        """Make it without a thread.

        Args:
            never_wait: Gets the thread's identifier as long as it runs.
        """
        self._never_wait = never_wait
        self._todo: SimpleQueue[tuple[Worker, list[FrameMessage]]] = SimpleQueue()
        self._done = threading.Event()

    def add(self, workers: list[Worker]) -> None:
        """Give workers up, and have their queued frames reported: they are counted when this returns."""
        for worker in workers:
            for each in worker.abandon():
                self._todo.put(each)

    def start(self) -> bool:
        """Begin to report, if there is anything; False where no thread starts: the caller must ``run``."""
        if self._todo.empty():
            self._done.set()
            return True
        self._done.clear()
        try:
            EngineThread(target=self.run, name="picasso-reports", daemon=True).start()
        except RuntimeError:  # too many threads, or the interpreter ends
            return False
        return True

    def wait(self, deadline_ns: int) -> None:
        """Wait until all is reported, or the deadline of the system's monotonic clock has come."""
        self._done.wait(max(deadline_ns - time.monotonic_ns(), 0) / 1e9)

    def run(self) -> None:
        """Report everything."""
        ident = threading.get_ident()
        self._never_wait.add(ident)
        try:
            with suppress(Empty):
                while True:
                    self._report(*self._todo.get_nowait())
        finally:
            self._never_wait.discard(ident)
            self._done.set()

    def _report(self, worker: Worker, messages: list[FrameMessage]) -> None:
        name, hooks = worker.source_id, worker.hooks
        with suppress(BaseException):  # handlers are the user's
            logger.warning("source %r did not stop in time; its queued frames are given up", name)
        error = ShutDownError(f"the engine shut down before source {name!r} came to this frame")
        for message in messages:
            message.release()
            hooks.report(ErrorStage.QUEUE, error, message.frame)
        hooks.let_go()
