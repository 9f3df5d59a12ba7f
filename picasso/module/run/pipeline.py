"""The elements one after another, on one thread or, between bounded queues, on a thread each."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Queue
from typing import TYPE_CHECKING, Final, Protocol, final

from picasso.engine.threads import EngineThread
from picasso.module.elements import Batch, StreamEvent
from picasso.module.run.batcher import Batcher, Closed, Work

if TYPE_CHECKING:
    from picasso.module.config import BufferQueues
    from picasso.module.meta import Frame

logger = logging.getLogger("picasso.module")


class Element(Protocol):
    """A step of a pipeline. Every method is called on one thread at a time."""

    name: str

    def start(self) -> None:
        """Get ready; an ``ElementError`` refuses to start."""

    def process(self, batch: Batch) -> None:
        """Work on a ``batch``; an ``ElementError`` stops the module."""

    def event(self, event: StreamEvent) -> None:
        """Take notice of an ``event`` of a source, behind the frames that came before it."""

    def stop(self) -> None:
        """Let go; called once, also where ``start`` failed."""


@dataclass(slots=True)
class ElementStats:
    """What an element has done."""

    name: str
    batches: int = 0
    frames: int = 0
    queue_length: int = 0
    """Batches that wait before it; 0 where it has no queue."""


_END: Final = None


@final
class Pipeline:
    """Takes batches from the batcher, sends them through the elements, and hands them on.

    Guarantees:

    - Every element sees all frames and events in the order in which the batcher gave them.
    - Every batch reaches ``deliver``, or after a failure ``fail`` is called once and what is left goes to ``drop``.
    - ``stop`` of every element is called once, also of those that did not start.
    """

    def __init__(
        self,
        batcher: Batcher,
        elements: Sequence[Element],
        *,
        queues: BufferQueues | None,
        deliver: Callable[[Work], None],
        drop: Callable[[Frame, str], None],
        fail: Callable[[BaseException], None],
    ) -> None:
        """Build the threads; nothing runs yet.

        Args:
            batcher: Where batches come from.
            elements: The steps.
            queues: Lengths of the queues around each element, or None for one thread.
            deliver: Takes what has gone through; called on the last thread.
            drop: Takes a frame that goes no further, with the reason.
            fail: Told what ended the pipeline.
        """
        self._batcher = batcher
        self._elements = list(elements)
        self._deliver = deliver
        self._drop = drop
        self._fail = fail
        self._failed = threading.Event()
        self.stats = [ElementStats(element.name) for element in elements]
        pairs = list(zip(self._elements, self.stats, strict=True))
        groups = [[pair] for pair in pairs] if queues is not None and pairs else [pairs]
        length = 0 if queues is None else queues.length
        self._queues: list[Queue[Work | None]] = [Queue(length) for _ in groups[1:]]
        self._threads = [
            EngineThread(target=self._run, args=(index, group), name=f"elements-{index}", daemon=True)
            for index, group in enumerate(groups)
        ]

    def start(self) -> None:
        """Start every element, then the threads.

        Raises:
            ElementError: An element refused; all of them have been stopped.
        """
        try:
            for element in self._elements:
                element.start()
        except BaseException:  # a signal, too
            self._stop_elements()
            raise
        for thread in self._threads:
            thread.start()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until everything that was taken has been handed on, once the batcher is closed; tell whether it has."""
        for thread in self._threads:
            if thread.ident is not None:  # an element may have refused to start
                thread.join(timeout_s)
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self, index: int, group: list[tuple[Element, ElementStats]]) -> None:
        outgoing = self._queues[index] if index < len(self._queues) else None
        while (work := self._next(index, group)) is not None:
            self._work(work, group, outgoing)
            del work  # frees the frames while we wait
        if outgoing is not None:
            outgoing.put(_END)
        else:
            self._stop_elements()

    def _next(self, index: int, group: list[tuple[Element, ElementStats]]) -> Work | None:
        if index:
            queue = self._queues[index - 1]
            group[0][1].queue_length = queue.qsize()
            return queue.get()
        try:
            return self._batcher.take()
        except Closed:
            return None

    def _work(self, work: Work, group: list[tuple[Element, ElementStats]], outgoing: Queue[Work | None] | None) -> None:
        if self._failed.is_set():
            self._give_up(work)
            return
        try:
            for element, stats in group:
                element.process(work.frames)
                for event in work.events:
                    element.event(event)
                stats.batches += 1
                stats.frames += len(work.frames)
            if outgoing is None:
                self._deliver(work)
            else:
                outgoing.put(work)
        except BaseException as error:  # noqa: BLE001 - reported; a dead thread would leave the sources waiting
            self._fail_once(error)
            self._give_up(work)

    def _fail_once(self, error: BaseException) -> None:
        if not self._failed.is_set():
            self._failed.set()
            self._batcher.discard(lambda frame: self._drop(frame, "stopped"))
            self._fail(error)

    def _give_up(self, work: Work) -> None:
        for frame in work.frames:
            self._drop(frame, "stopped")

    def _stop_elements(self) -> None:
        for element in self._elements:
            element.stop()
