"""How the threads of a source begin: once, or not at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, final

from picasso.errors import ShutDownError

if TYPE_CHECKING:
    from picasso.engine import PicassoEngine
    from picasso.flow.output import Branch


@final
class Beginning:
    """The thread of a source and those of its sinks. Any thread may call any method.

    One thread starts a source, others remove it or close the runner meanwhile: which of them comes first is decided in
    one step, and who is late waits until the other one is done.
    """

    def __init__(self, engine: PicassoEngine, branches: Sequence[Branch], thread: threading.Thread) -> None:
        """Begin nothing yet.

        Args:
            engine: What the branches are set up in.
            branches: Where frames go.
            thread: Reads the source.
        """
        self._engine = engine
        self._branches = branches
        self._thread = thread
        self._lock = threading.Lock()
        self._is_decided = False
        """Whether the source was started, or ended before that."""

    def start(self) -> bool:
        """Set up the branches and start all threads; False where the source was started or ended before.

        Raises:
            Exception: What the engine has against a spec; the sinks close then.
        """
        with self._lock:
            if self._is_decided:
                return False
            self._is_decided = True
            try:
                for branch in self._branches:
                    self._engine.set_source_spec(branch.engine_id, branch.spec)
                    branch.start()
                self._thread.start()
            except BaseException:
                self._close_sinks()
                raise
            return True

    def end_unread(self) -> bool:
        """Close the sinks of a source that is never read; False where it was started or ended before."""
        with self._lock:
            if self._is_decided:
                return False
            self._is_decided = True
            self._close_sinks()
            return True

    def join(self, deadline_s: float | None) -> bool:
        """Wait for all threads until ``time.monotonic()`` is at a deadline; tell whether they have begun and ended."""
        if not self._lock.acquire(timeout=-1.0 if deadline_s is None else max(deadline_s - time.monotonic(), 0.0)):
            return False
        is_decided = self._is_decided
        self._lock.release()
        if not is_decided:
            return False
        if self._thread.ident is not None:
            self._thread.join(None if deadline_s is None else max(deadline_s - time.monotonic(), 0.0))
        sinks_closed = [branch.join(deadline_s) for branch in self._branches]
        return not self._thread.is_alive() and all(sinks_closed)

    def _close_sinks(self) -> None:
        for branch in self._branches:
            with suppress(ShutDownError):
                self._engine.remove_source_spec(branch.engine_id)
            branch.start()
            branch.finish()
