"""The thread of one source."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, final

from picasso.engine.callbacks import ErrorStage
from picasso.engine.clock import Latch
from picasso.engine.messages import END_STREAM, KEYFRAME, STOP, FrameMessage, Message, SpecUpdate
from picasso.engine.path.pipeline import Pipeline
from picasso.engine.threads import EngineThread, join
from picasso.errors import EngineError

if TYPE_CHECKING:
    from picasso.engine.clock import Clock
    from picasso.engine.path.hooks import Hooks
    from picasso.engine.path.routes import SourceContext
    from picasso.engine.runtime.inbox import Inbox
    from picasso.engine.settings import SourceSettings


@final
class Worker:
    """Takes one message after another from its inbox and hands it to its pipeline, until it is told to stop.

    Guarantees:

    - The pipeline, its encoder and its surfaces are touched by this thread only, from first to last.
    - A worker begins when its predecessor of the same source has ended: a source never calls back twice at once.
    - Nothing but ``STOP`` and eviction ends it. However it ends, what it held is delivered or reported, its inbox is
      closed, ``on_end`` is called and ``ended`` opens, in this order.
    """

    __slots__ = (
        "_abandoned",
        "_context",
        "_exempt",
        "_idle_timeout_ns",
        "_on_end",
        "_pipeline",
        "_predecessor",
        "_thread",
        "ended",
        "inbox",
        "source_id",
    )

    def __init__(
        self,
        source_id: str,
        settings: SourceSettings,
        context: SourceContext,
        inbox: Inbox,
        *,
        predecessor: Worker | None,
        exempt: set[int],
        on_end: Callable[[Worker], None],
    ) -> None:
        """Make a worker that has not begun.

        Args:
            source_id: Its source; the thread is called ``picasso-<source_id>``.
            settings: To begin with.
            context: What the pipeline works with.
            inbox: Its own.
            predecessor: The source's worker before this one, if it may still be running.
            exempt: The thread's identifier is in this set as long as the thread lives.
            on_end: Called on the thread, last of all; must not raise.
        """
        self.source_id: str = source_id
        self.inbox: Inbox = inbox
        self.ended: Latch = Latch(context.clock)
        self._context = context
        self._pipeline = Pipeline(context, settings)
        self._idle_timeout_ns = settings.idle_timeout_ns
        self._predecessor = predecessor
        self._exempt = exempt
        self._on_end = on_end
        self._abandoned = False
        self._thread = EngineThread(target=self._main, name=f"picasso-{source_id}", daemon=True, source_id=source_id)

    def start(self) -> None:
        """Begin. Called once.

        Raises:
            RuntimeError: The system gives no more threads.
        """
        self._thread.start()

    @property
    def hooks(self) -> Hooks:
        """The callbacks of its source."""
        return self._context.hooks

    def join(self) -> None:
        """Wait until the thread is gone; only a moment, once ``ended`` is open."""
        self._thread.join()

    def wait(self, deadline_ns: int | None, clock: Clock) -> bool:
        """Wait until the thread is gone, or return False at the deadline of ``clock``."""
        if not self.ended.wait(deadline_ns, clock):
            return False
        join(self._thread, deadline_ns, clock)
        return True

    def abandon(self) -> list[tuple[Worker, list[FrameMessage]]]:
        """Give up waiting for this worker and those before it: frames in their inboxes are counted as lost.

        When the callback or encoder that holds it up returns, the worker delivers nothing more and ends. Runs none of
        the user's code.

        Returns:
            What is to be reported, oldest first; pixels go with it.
        """
        before = predecessor.abandon() if (predecessor := self._predecessor) else []
        self._abandoned = True
        messages: list[FrameMessage] = list(self.inbox.abandon())
        for message in messages:
            self._context.hooks.count_lost(message.frame)
        return [*before, (self, messages)]

    def _main(self) -> None:
        ident = threading.get_ident()
        self._exempt.add(ident)
        try:
            self._live()
        finally:  # a thread waits for this in every case
            self._context.hooks.let_go()
            self._context.steps.progress.observe = None  # which leads to the callbacks, and back here
            self._on_end(self)
            self._exempt.discard(ident)
            self.ended.open()

    def _live(self) -> None:
        try:
            if predecessor := self._predecessor:
                predecessor.ended.wait()
                self._predecessor = predecessor = None
            self._serve()
        except BaseException as error:  # noqa: BLE001  # reported; the source comes back with its next frame
            self._context.hooks.report(ErrorStage.WORKER, error)
        self._report_left(EngineError(f"the thread of source {self.source_id!r} ended"))
        self._pipeline.close(deliver=False)

    def _serve(self) -> None:
        hooks, get, process = self._context.hooks, self.inbox.get, self._pipeline.process
        patience_ns = self._idle_timeout_ns
        while (message := get(patience_ns)) is not STOP:
            if message is not None:
                if type(message) is FrameMessage:
                    process(message)
                else:
                    self._handle(message)
                del message  # frees the surface while we wait
                if hooks.frames:
                    hooks.let_go()
                patience_ns = self._idle_timeout_ns
            elif (keep_ns := self._decide_eviction()) is not None:
                patience_ns = keep_ns
            else:
                return
        self._pipeline.close(deliver=not self._abandoned)

    def _handle(self, message: Message) -> None:
        if isinstance(message, SpecUpdate):
            self._idle_timeout_ns = message.settings.idle_timeout_ns
            self._pipeline.update(message.settings)
        elif message is END_STREAM:
            self._pipeline.end_stream()
        elif message is KEYFRAME:
            self._pipeline.request_keyframe()

    def _decide_eviction(self) -> int | None:
        """Ask about the idle source; return how long to wait for the next message, or None to end."""
        decision = self._context.hooks.eviction()
        if decision.keep_ns is not None:
            return decision.keep_ns
        if decision.drains:
            self._pipeline.end_stream()
        else:
            self._pipeline.close(deliver=False)
        # What arrived in the meantime begins a new stream, as if on the next worker.
        return None if self.inbox.close_if_empty() else self._idle_timeout_ns

    def _report_left(self, error: BaseException) -> None:
        for message in self.inbox.abandon():
            message.release()
            self._context.hooks.lost(ErrorStage.QUEUE, error, message.frame)
