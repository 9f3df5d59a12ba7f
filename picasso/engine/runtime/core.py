"""The engine behind the facade: which sources there are, their workers, and how it ends."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, final

from picasso.encode import open_encoder
from picasso.engine import lifetime
from picasso.engine.callbacks import Callbacks
from picasso.engine.clock import Bell, MonotonicClock
from picasso.engine.messages import END_STREAM, KEYFRAME, FrameMessage, SpecUpdate
from picasso.engine.path.hooks import Hooks
from picasso.engine.path.routes import EncoderFactory, SourceContext
from picasso.engine.path.steps import Steps
from picasso.engine.policies import NS_PER_S
from picasso.engine.runtime.inbox import Inbox
from picasso.engine.runtime.permits import Permits, default_computing
from picasso.engine.runtime.reports import Reports
from picasso.engine.runtime.watchdog import Watchdog
from picasso.engine.runtime.worker import Worker
from picasso.engine.settings import SourceSettings
from picasso.engine.spec import GeneralSpec, SourceSpec
from picasso.engine.stats import EngineStats, Meter
from picasso.engine.threads import is_owned
from picasso.errors import EngineError, SendTimeoutError, ShutDownError

if TYPE_CHECKING:
    from picasso.engine.clock import Clock

MAX_REMEMBERED = 1024
"""Sources that ended by themselves and whose spec and counters are kept."""


def _finish(job: Callable[[], object] | None, _garbage: list[object]) -> None:
    """Do the last job of an engine; what else it held goes with the arguments."""
    if job is not None:
        job()


@final
@dataclass(slots=True, eq=False)
class Source:
    """What stays of a source when its worker goes."""

    settings: SourceSettings
    """The newest, whether or not the worker has come to them."""
    meter: Meter
    removed: bool = False
    """Whether it is to be forgotten when its worker ends."""


@final
@dataclass(frozen=True, slots=True, eq=False)
class Live:
    """A source and its newest worker, which may have ended just now."""

    source: Source
    worker: Worker


@final
class Core:
    """Everything about an engine but the user's handle on it; threads refer to this, never to the facade.

    One lock guards which sources there are. It is held for dictionary operations, for starting a thread and for control
    messages, which do not wait; never while frames are put, threads are joined, or callbacks run. Order of locks: this
    one, then an inbox's.
    """

    def __init__(
        self, general: GeneralSpec, callbacks: Callbacks, clock: Clock, encoder_factory: EncoderFactory
    ) -> None:
        self.clock = clock
        self.is_open: bool = True
        self._is_forked = False
        self._general = general
        self._callbacks = callbacks
        self._encoder_factory = encoder_factory
        self._permits = Permits(general.max_computing or default_computing(), clock)
        self._default_idle_ns = round(general.idle_timeout_secs * NS_PER_S)
        self._default_settings = SourceSpec().settings(self._default_idle_ns)
        self._lock = threading.RLock()  # a signal's handler may come amid any of these methods
        self._live: dict[str, Live] = {}
        self._past: OrderedDict[str, Source] = OrderedDict()
        self._never_wait: set[int] = set()
        """Identifiers of the threads that run callbacks."""
        self._reports = Reports(self._never_wait)
        self._watchdog = Watchdog(self.shutdown, clock)
        self.closing_bell: Bell = self._watchdog.bell
        """``put(None)`` has the engine shut down: it neither waits nor takes a lock, as is right for a finaliser."""
        try:
            self._watchdog.start()
        except RuntimeError as error:
            raise EngineError(f"the engine gets no thread: {error}") from error
        lifetime.add(self)

    def check_open(self) -> None:
        """Raise unless the engine is running, in the process that made it.

        Raises:
            ShutDownError: ``shutdown`` was called.
            EngineError: This process is a fork of the engine's.
        """
        if not self.is_open:
            if self._is_forked:
                raise EngineError("the engine's threads are in the parent process: make an engine after the fork")
            raise ShutDownError("engine is shut down")

    def send_frame(self, source_id: str, message: FrameMessage, timeout_ns: int | None) -> None:
        """Put a frame into the inbox of its source, which comes to life for it if need be."""
        live = self._live.get(source_id)
        try:
            while live is None or not live.worker.inbox.put_frame(message, timeout_ns):
                live = self._revive(source_id)
        except SendTimeoutError as error:
            raise SendTimeoutError(f"source {source_id!r}: {error}") from None

    def send_eos(self, source_id: str) -> None:
        """Have the stream of a source ended, if it is alive."""
        live = self._live.get(source_id)
        if live is not None:
            live.worker.inbox.put(END_STREAM)

    def request_keyframe(self, source_id: str) -> None:
        """Have the next frame that a source encodes made a keyframe, if it is alive."""
        live = self._live.get(source_id)
        if live is not None:
            live.worker.inbox.put(KEYFRAME)

    def set_source_spec(self, source_id: str, spec: SourceSpec) -> None:
        """Give a source its spec, between the frames sent before and after; an unknown one comes to life."""
        with self._lock:
            self.check_open()
            live = self._live.get(source_id)
            if live is not None and not live.source.removed:
                settings = spec.settings(self._default_idle_ns, live.source.settings.idle_timeout_ns)
                if live.worker.inbox.put(SpecUpdate(settings)):
                    live.worker.inbox.overflow = settings.overflow
                    live.source.settings = settings
                    return
            source = self._recall(source_id, live)
            source.settings = spec.settings(self._default_idle_ns)
            self._launch(source_id, source, predecessor=live)

    def remove_source_spec(self, source_id: str) -> None:
        """End a source behind the frames it was sent, forget it, and wait for that; a worker thread does not wait."""
        with self._lock:
            self.check_open()
            self._past.pop(source_id, None)
            live = self._live.get(source_id)
            if live is None:
                return
            live.worker.inbox.stop()
            live.source.removed = True  # in this order: the next thread waits for a worker that ends
        if not (self.may_not_wait() or lifetime.is_amid_engine()):
            live.worker.wait(None, self.clock)

    def stats(self) -> EngineStats:
        """Take a snapshot of every source that is alive or remembered."""
        if self._is_forked:
            self.check_open()
        with self._lock:
            known = [(name, live.source, live.worker.inbox.depth, True) for name, live in self._live.items()]
            known += [(name, source, 0, False) for name, source in self._past.items()]
        return EngineStats(
            {name: source.meter.snapshot(depth, is_live=is_live) for name, source, depth, is_live in known}
        )

    def shutdown(self, timeout_ns: int | None = None) -> None:
        """Stop every worker behind the frames it was sent, all at once, and wait for them until one deadline.

        Workers that are late are abandoned. On a thread that runs callbacks, amid another call, and in a fork, nothing
        is waited for. When the interpreter ends, its deadline holds, too.
        """
        if self.may_not_wait() or lifetime.is_amid_engine():
            self.is_open = False
            self._watchdog.ring()  # it does the rest
            return
        exit_deadline_ns = lifetime.exit_deadline_ns()
        if exit_deadline_ns is None:
            self._end(None if timeout_ns is None else self.clock.now_ns() + timeout_ns, self.clock)
        elif timeout_ns is None:
            self.end(exit_deadline_ns)
        else:
            self.end(min(exit_deadline_ns, time.monotonic_ns() + timeout_ns))
        self.wait_for_reports(time.monotonic_ns() + lifetime.REPORTS_NS)

    def end(self, deadline_ns: int) -> None:
        """Do as ``shutdown``, until a moment of the system's monotonic clock, and do not wait for reports."""
        self._end(deadline_ns, MonotonicClock())

    def _end(self, deadline_ns: int | None, clock: Clock) -> None:
        workers = self.stop()
        if self._is_forked:
            return
        self._reports.add([worker for worker in workers if not worker.wait(deadline_ns, clock)])
        job = None if self._reports.start() else self._reports.run
        last = partial(_finish, job, [workers, self._callbacks, self._encoder_factory])
        self._callbacks, self._encoder_factory = Callbacks(), open_encoder
        del workers
        self._watchdog.dismiss(last)
        del last
        self._watchdog.join(deadline_ns, clock)
        lifetime.discard(self)

    def wait_for_reports(self, deadline_ns: int) -> None:
        """Wait for the reports of frames that were given up, until a moment of the system's monotonic clock."""
        if not self._is_forked:
            self._reports.wait(deadline_ns)

    def stop(self) -> list[Worker]:
        """Refuse all further calls, tell the workers to stop, and return those that have not ended. Does not wait."""
        if self._is_forked:
            return []
        with self._lock:
            self.is_open = False
            workers = [live.worker for live in self._live.values()]
            for worker in workers:
                worker.inbox.stop()
        return workers

    def is_held_here(self) -> bool:
        """Whether the calling thread holds the lock of this engine, or of an inbox. Any thread; takes none of them."""
        return is_owned(self._lock) or any(live.worker.inbox.is_held_here for live in list(self._live.values()))

    def note_fork(self) -> None:
        """Refuse everything from now on: this is the child process, threads and locks stayed behind in the parent."""
        self._lock = threading.RLock()  # who held the other is not here to release it
        self._is_forked = True
        self.is_open = False

    def may_not_wait(self) -> bool:
        """Whether this thread runs a callback: what it would wait for may be itself."""
        return threading.get_ident() in self._never_wait

    def _revive(self, source_id: str) -> Live:
        """Return the source with a worker that takes messages: the one there is, or a new one."""
        with self._lock:
            self.check_open()
            live = self._live.get(source_id)
            if live is not None and not live.worker.inbox.closed:
                return live
            return self._launch(source_id, self._recall(source_id, live), predecessor=live)

    def _recall(self, source_id: str, live: Live | None) -> Source:
        """Return what is known of a source whose worker, if it still is there, takes no more messages."""
        if live is not None and not live.source.removed:
            return live.source
        return self._past.get(source_id) or Source(self._default_settings, Meter())

    def _launch(self, source_id: str, source: Source, predecessor: Live | None) -> Live:
        """Start a worker for a source that has none, or one that takes no more messages. Under the lock."""
        settings, meter = source.settings, source.meter
        steps = Steps(meter, self.clock)
        hooks = Hooks(source_id, self._callbacks, meter, steps, self._general.name or "picasso")
        worker = Worker(
            source_id,
            settings,
            SourceContext(
                hooks,
                meter,
                self.clock,
                self._encoder_factory,
                self._general.pts_reset_policy,
                self._permits,
                steps,
            ),
            Inbox(self._general.inflight_queue_size, settings.overflow, self.clock, meter, self._never_wait),
            predecessor=predecessor.worker if predecessor else None,
            exempt=self._never_wait,
            on_end=self._retire,
        )
        live = Live(source, worker)
        try:
            worker.start()
            self._live[source_id] = live
        except BaseException as error:
            worker.inbox.stop()  # an interrupt while the thread came up: it must end
            if isinstance(error, RuntimeError):
                raise EngineError(f"source {source_id!r} gets no thread: {error}") from error
            raise
        self._past.pop(source_id, None)
        return live

    def _retire(self, worker: Worker) -> None:
        """Take a worker that has ended out of the books, unless another has taken its place already."""
        with self._lock:
            live = self._live.get(worker.source_id)
            if live is None or live.worker is not worker:
                return
            del self._live[worker.source_id]
            if not live.source.removed:
                self._past[worker.source_id] = live.source
                if len(self._past) > MAX_REMEMBERED:
                    self._past.popitem(last=False)
