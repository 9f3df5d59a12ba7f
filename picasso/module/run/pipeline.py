"""The elements one after another, on one thread or, between bounded queues, on a thread each."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, final

from picasso.engine.threads import EngineThread
from picasso.module.elements import Batch, StreamEvent
from picasso.module.run.batcher import Batcher, Closed, Work
from picasso.module.run.work_queue import QueueLimits, WorkQueue

if TYPE_CHECKING:
    from picasso.module.config import BufferQueues
    from picasso.module.meta import Frame

MODEL_BATCHES: Final = 1
"""Batches that wait before a model, and behind it."""
STOP_S: Final = 1.0
"""Seconds that ``on_stop`` of an element gets when the deadline has passed."""
logger: logging.Logger = logging.getLogger("picasso.module")


class Element(Protocol):
    """A step of a pipeline. Every method but ``stop`` is called on one thread at a time."""

    name: str

    def start(self) -> None:
        """Get ready; an ``ElementError`` refuses to start."""

    def process(self, batch: Batch) -> None:
        """Work on a ``batch``; an ``ElementError`` stops the module."""

    def event(self, event: StreamEvent) -> None:
        """Take notice of an ``event`` of a source, behind the frames that came before it."""

    def stop(self) -> None:
        """Let go; called once, also where ``start`` failed, and beside ``process`` where that does not return."""


PipelineStep = Element | QueueLimits
"""What a pipeline consists of: elements, and places where a queue parts two threads."""


@dataclass(slots=True)
class ElementStats:
    """What an element has done."""

    name: str
    stage: str = ""
    """Its name as a stage."""
    batches: int = 0
    frames: int = 0
    objects: int = 0
    """Objects of those frames behind it, the primary ones left out."""
    queue_length: int = 0
    """Batches that wait before it; 0 where it has no queue."""
    is_working: bool = False
    """Whether it works on a batch now."""
    batch_sizes: Counter[int] = field(default_factory=Counter)
    """How many batches had a given number of frames; where the element has an attribute of this name, what that says:
    of a model, what it takes at once."""
    is_of_model: bool = False
    """Whether the element counts those itself."""


@dataclass(slots=True)
class _Group:
    """What one thread runs: elements, behind a queue, except for the first group."""

    queue: WorkQueue | None
    elements: list[tuple[Element, ElementStats]] = field(default_factory=list)


@final
class Pipeline:
    """Takes batches from the batcher, sends them through the elements, and hands them on.

    Guarantees:

    - Every element sees all frames and events in the order in which the batcher gave them.
    - Every batch reaches ``deliver``, or after a failure ``fail`` is called once and what is left goes to ``drop``.
    - ``stop`` of every element is called once, also of those that did not start, and of one that does not return.
    """

    def __init__(
        self,
        batcher: Batcher,
        elements: Sequence[PipelineStep],
        *,
        queues: BufferQueues | None,
        deliver: Callable[[Work], None],
        drop: Callable[[Frame, str], None],
        fail: Callable[[BaseException], None],
        now_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Build the threads; nothing runs yet.

        Args:
            batcher: Where batches come from.
            elements: The steps.
            queues: What the queues around each pyfunc hold, or None for no such queues.
            deliver: Takes what has gone through; called on the last thread.
            drop: Takes a frame that goes no further, with the reason.
            fail: Told what ended the pipeline.
            now_ns: The time of the module's clock.
        """
        self._batcher = batcher
        self._deliver = deliver
        self._drop = drop
        self._fail = fail
        self._failed = threading.Event()
        self._groups = _groups(with_queues(elements, queues))
        self._elements = [element for group in self._groups for element, _stats in group.elements]
        self._now_ns = now_ns
        self.stats: list[ElementStats] = [stats for group in self._groups for _element, stats in group.elements]
        self.taken: int = 0
        """Batches that were taken."""
        self.taken_frames: int = 0
        """Their frames."""
        self.done: int = 0
        """Batches that have gone through."""
        self.done_frames: int = 0
        """Their frames."""
        self._stopping = threading.Lock()
        """Over what was not stopped yet, and over who fails first."""
        self._unstopped = list(self._elements)
        self._threads = [
            EngineThread(target=self._run, args=(index, group), name=f"elements-{index}", daemon=True)
            for index, group in enumerate(self._groups)
        ]

    @property
    def queues(self) -> list[WorkQueue]:
        """The queues between threads, in order."""
        return [group.queue for group in self._groups if group.queue is not None]

    def groups(self) -> list[tuple[WorkQueue | None, list[Element]]]:
        """Return the elements of each thread with the queue before them."""
        found: list[tuple[WorkQueue | None, list[Element]]] = []
        queue: WorkQueue | None = None
        for group in self._groups:
            queue = group.queue or queue
            found.append((queue, [element for element, _stats in group.elements]))
        return found

    def named_queues(self) -> dict[str, WorkQueue]:
        """Return the queues in order by name: of the element ``queue``, else ``before/`` and the stage behind it."""
        found: dict[str, WorkQueue] = {}
        for number, group in enumerate(self._groups):
            if group.queue is not None:
                behind = group.elements[0][1].stage if group.elements else "sinks"
                name = group.queue.limits.name or f"before/{behind}"
                found[name if name not in found else f"{name}_{number}"] = group.queue
        return found

    def stages(self) -> list[ElementStats | WorkQueue]:
        """Return elements, and queues that are elements of their own, in order."""
        found: list[ElementStats | WorkQueue] = []
        for group in self._groups:
            if group.queue is not None:
                if group.queue.limits.name is not None:
                    found.append(group.queue)
                if group.elements:
                    group.elements[0][1].queue_length = group.queue.qsize()
            found += [stats for _element, stats in group.elements]
        return found

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
        deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        for thread in self._threads:
            if thread.ident is not None:  # an element may have refused to start
                thread.join(None if deadline_s is None else max(deadline_s - time.monotonic(), 0.0))
        return not any(thread.is_alive() for thread in self._threads)

    def give_up(self) -> None:
        """Let no one wait in a queue any more, and drop what has not gone through."""
        self._failed.set()
        for queue in self.queues:
            queue.let_go()

    def stop_elements(self, timeout_s: float = STOP_S) -> None:
        """Call ``stop`` of every element that was not stopped, on threads of their own; report what does not return.

        For pipelines whose threads have not ended in time.
        """
        for stats in self.stats:
            if stats.is_working:
                logger.error("element %s does not return; it is stopped while it works", stats.name)
        with self._stopping:
            left, self._unstopped = self._unstopped, []
        deadline_s = time.monotonic() + timeout_s
        threads = [
            EngineThread(target=_stop, args=(element,), name=f"stop-{element.name}", daemon=True) for element in left
        ]
        for thread in threads:
            thread.start()
        for thread, element in zip(threads, left, strict=True):
            thread.join(max(deadline_s - time.monotonic(), 0.0))
            if thread.is_alive():
                logger.error(
                    "element %s: on_stop has not returned after %.1f s; it is left behind", element.name, timeout_s
                )

    def _run(self, index: int, group: _Group) -> None:
        is_last = index + 1 == len(self._groups)
        outgoing = None if is_last else self._groups[index + 1].queue
        while (work := self._next(group)) is not None:
            self._work(work, group, outgoing)
            del work  # frees the frames while we wait
        if outgoing is not None:
            outgoing.put(None)
        else:
            self._stop_elements()

    def _next(self, group: _Group) -> Work | None:
        if group.queue is not None:
            queued = group.queue.get()
            if queued is not None and group.queue.limits.name is not None:
                queued.trail.append((group.queue.limits.name, self._now_ns()))
            return queued
        try:
            work = self._batcher.take()
        except Closed:
            return None
        work.trail.append(("muxer", self._now_ns()))
        self.taken += bool(work.frames)
        self.taken_frames += len(work.frames)
        return work

    def _work(self, work: Work, group: _Group, outgoing: WorkQueue | None) -> None:
        if self._failed.is_set():
            self._give_up(work)
            return
        traces = [frame.trace for frame in work.frames if frame.trace is not None]
        try:
            for element, stats in group.elements:
                for trace in traces:
                    trace.enter(stats.stage, work.trail[-1][1])
                _process(work, element, stats)
                work.trail.append((stats.stage, self._now_ns()))
                for trace in traces:
                    trace.leave(work.trail[-1][1])
            if outgoing is None:
                self.done += bool(work.frames)
                self.done_frames += len(work.frames)
                self._deliver(work)
                self._batcher.release(work)
            else:
                outgoing.put(work)
        except BaseException as error:  # noqa: BLE001 - reported; a dead thread would leave the sources waiting
            for trace in traces:
                trace.stage.fail(error)
            self._fail_once(error)
            self._give_up(work)

    def _fail_once(self, error: BaseException) -> None:
        with self._stopping:
            is_first = not self._failed.is_set()
            self._failed.set()
        if is_first:
            self.give_up()
            self._batcher.discard(lambda frame: self._drop(frame, "stopped"))
            self._fail(error)

    def _give_up(self, work: Work) -> None:
        for frame in work.frames:
            self._drop(frame, "stopped")
        self._batcher.release(work)

    def _stop_elements(self) -> None:
        """Call ``stop`` of the elements in order, each once."""
        while True:
            with self._stopping:
                if not self._unstopped:
                    return
                element = self._unstopped.pop(0)
            _stop(element)


def with_queues(steps: Sequence[PipelineStep], queues: BufferQueues | None) -> list[PipelineStep]:
    """Put queues between elements: around each pyfunc where ``buffer_queues`` says so, and around each model.

    None is the first step, no two are in a row, and the last step is one only behind a model: so a model has a thread
    of its own, and the next batch need not wait until the last one has been handed on.
    """
    of_pyfuncs = None if queues is None else QueueLimits.of_buffer_queues(queues.length, queues.byte_size)
    of_models = QueueLimits.of_buffer_queues(MODEL_BATCHES, 0)
    made: list[PipelineStep] = []
    for step in steps:
        if made and not isinstance(made[-1], QueueLimits) and not isinstance(step, QueueLimits):
            if of_pyfuncs is not None and (_is_pyfunc(made[-1]) or _is_pyfunc(step)):
                made.append(of_pyfuncs)
            elif _has_own_thread(made[-1]) or _has_own_thread(step):
                made.append(of_models)
        made.append(step)
    if made and _has_own_thread(made[-1]):
        made.append(of_models)
    return made


def _has_own_thread(step: PipelineStep) -> bool:
    """Whether a step runs in a thread of its own; models say so."""
    return bool(getattr(step, "has_own_thread", False))


def _is_pyfunc(step: PipelineStep) -> bool:
    """Whether a step runs the user's Python; models say that they do not."""
    return bool(getattr(step, "is_pyfunc", True))


def _groups(steps: Sequence[PipelineStep]) -> list[_Group]:
    groups = [_Group(None)]
    stages: Counter[str] = Counter()
    for step in steps:
        name = (step.name or "") if isinstance(step, QueueLimits) else getattr(step, "stage", step.name)
        stage = name if not stages[name] else f"{name}_{stages[name]}"
        stages[name] += bool(name)
        if isinstance(step, QueueLimits):
            groups.append(_Group(WorkQueue(step if step.name is None else step.named(stage))))
        else:
            own = getattr(step, "batch_sizes", None)
            sizes = Counter() if own is None else own
            stats = ElementStats(step.name, stage, batch_sizes=sizes, is_of_model=own is not None)
            groups[-1].elements.append((step, stats))
    return groups


def _process(work: Work, element: Element, stats: ElementStats) -> None:
    stats.is_working = True
    try:
        element.process(work.frames)
        for event in work.events:
            element.event(event)
    finally:
        stats.is_working = False
    stats.batches += bool(work.frames)
    stats.frames += len(work.frames)
    stats.objects += sum(frame.video_frame.object_count for frame in work.frames)
    if work.frames and not stats.is_of_model:
        stats.batch_sizes[len(work.frames)] += 1


def _stop(element: Element) -> None:
    try:
        element.stop()
    except BaseException:
        logger.exception("element %s: on_stop raised", element.name)
