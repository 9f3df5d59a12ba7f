"""The engine behind the facade: which sources there are, their workers, and how it ends."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from picasso.engine import lifetime
from picasso.engine.hooks import Hooks
from picasso.engine.inbox import Inbox
from picasso.engine.messages import END_STREAM, FrameMessage, SpecUpdate
from picasso.engine.permits import Permits, Turn, default_computing
from picasso.engine.policies import NS_PER_S
from picasso.engine.routes import EncoderFactory, SourceContext
from picasso.engine.settings import SourceSettings
from picasso.engine.spec import GeneralSpec, SourceSpec
from picasso.engine.stats import EngineStats, Meter
from picasso.engine.watchdog import Watchdog
from picasso.engine.worker import Worker
from picasso.errors import EngineError, SendTimeoutError, ShutDownError

if TYPE_CHECKING:
    from picasso.engine.callbacks import Callbacks
    from picasso.engine.clock import Clock

MAX_REMEMBERED = 1024
"""Sources that ended by themselves and whose spec and counters are kept."""

logger = logging.getLogger("picasso.engine")


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
        self.is_open = True
        self._is_forked = False
        self._general = general
        self._callbacks = callbacks
        self._encoder_factory = encoder_factory
        self._permits = Permits(general.max_computing or default_computing(), clock)
        self._default_idle_ns = round(general.idle_timeout_secs * NS_PER_S)
        self._default_settings = SourceSpec().settings(self._default_idle_ns)
        self._lock = threading.Lock()
        self._live: dict[str, Live] = {}
        self._past: OrderedDict[str, Source] = OrderedDict()
        self._worker_idents: set[int] = set()
        self._watchdog = Watchdog(self.shutdown, clock)
        self._watchdog.start()
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
            live.source.removed = True  # in this order: whoever comes next waits for a worker that ends
        if not self._on_worker_thread():
            live.worker.ended.wait()
            live.worker.join()

    def stats(self) -> EngineStats:
        """Take a snapshot of every source that is alive or remembered."""
        if self._is_forked:
            self.check_open()
        with self._lock:
            depths = [(name, live.source, live.worker.inbox.depth) for name, live in self._live.items()]
            depths += [(name, source, 0) for name, source in self._past.items()]
        return EngineStats({name: source.meter.snapshot(depth) for name, source, depth in depths})

    def shutdown(self, timeout_ns: int | None = None) -> None:
        """Stop every worker behind the frames it was sent, all at once, and wait for them until one deadline.

        Workers that are late are abandoned. On a worker thread, and in a fork, nothing is waited for.
        """
        deadline_ns = None if timeout_ns is None else self.clock.now_ns() + timeout_ns
        workers = self.stop()
        if self._on_worker_thread():
            self._watchdog.ring()  # it does the rest
            return
        for worker in workers:
            if worker.ended.wait(deadline_ns):
                worker.join()
            else:
                self._abandon(worker)
        if not self._is_forked:
            self._watchdog.dismiss()
            self._watchdog.join(deadline_ns)
            lifetime.discard(self)

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

    def close_unowned(self) -> None:
        """Have the watchdog shut the engine down. Neither waits nor takes a lock: this is what a finaliser may call."""
        if not self._is_forked:
            self._watchdog.ring()

    def note_fork(self) -> None:
        """Refuse everything from now on: this is the child process, threads and locks stayed behind in the parent."""
        self._lock = threading.Lock()  # who held the other is not here to release it
        self._is_forked = True
        self.is_open = False

    def _on_worker_thread(self) -> bool:
        return threading.get_ident() in self._worker_idents

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
        hooks = Hooks(source_id, self._callbacks, meter, self.clock, self._general.name or "picasso")
        worker = Worker(
            source_id,
            settings,
            SourceContext(
                hooks, meter, self.clock, self._encoder_factory, self._general.pts_reset_policy, Turn(self._permits)
            ),
            Inbox(self._general.inflight_queue_size, settings.overflow, self.clock, meter, self._worker_idents),
            predecessor=predecessor.worker if predecessor else None,
            exempt=self._worker_idents,
            on_end=self._retire,
        )
        live = Live(source, worker)
        try:
            worker.start()
            self._live[source_id] = live
        except BaseException:
            worker.inbox.stop()  # no thread to be had, or an interrupt while one came up: it shall not linger
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

    def _abandon(self, worker: Worker) -> None:
        logger.warning("source %r did not stop in time; its queued frames are given up", worker.source_id)
        worker.abandon(ShutDownError(f"the engine shut down before source {worker.source_id!r} came to this frame"))
