"""A module whose sources are divided over actors of a Ray cluster: the head."""

from __future__ import annotations

import dataclasses
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final, Self

from picasso.cluster.actors import WORD, Needs, Slot, start_actor, wait_for
from picasso.cluster.door import RaySession, load_ray
from picasso.cluster.lease import LEASE_S
from picasso.cluster.ledger import Seat, together
from picasso.cluster.messages import Gap, Pulse, Terms
from picasso.cluster.operations import ClusterWeb, record_of
from picasso.cluster.placement import rebalance, weigh
from picasso.cluster.seating import START_S, Seating
from picasso.cluster.shares import WIRE, entries_of, sockets_of
from picasso.engine.clock import MonotonicClock
from picasso.errors import ClusterError, OperationError, PicassoError
from picasso.module.config import ConfigError, load_config
from picasso.module.config.model import ModuleConfig
from picasso.module.config.pieces import source_config
from picasso.module.elements import CodePath
from picasso.module.run.reading import configured_sources
from picasso.module.sources import open_source
from picasso.signals import Stop, Stopped, hold_stop, stop_on_signals

if TYPE_CHECKING:
    import signal
    from types import ModuleType

    from picasso.observe.account import ModuleStatistics, SourceAccount

STEP_S: Final = 0.1
GRACE_S: Final = 10.0
"""Seconds that a stop waits for frames on their way and for sinks."""
MEMORY_S: Final = 3600.0
"""Seconds that the epoch of a source that was removed is remembered: orders of it may be on their way."""
WAIT_S: Final = 30.0
"""Seconds that a call waits for an actor."""
logger = logging.getLogger("picasso.cluster")


class ClusterModule:
    """A module on a Ray cluster: each actor is a process with an engine and its share of the sources.

    ::

        from picasso.cluster import ClusterModule

        statistics = ClusterModule("module.yml", address="local", actors=2).run()

    Guarantees:

    - A source runs in one place at most. An actor that is not heard of has stopped before another one begins.
    - A source whose actor or node is gone runs again within 15 s, where an actor is left. A file goes on behind the
      last frame that its outputs hold; a live source goes on with what comes. ``gaps`` says how long that took and
      what was lost.
    - ``statistics`` is one account over all actors and all runs: what came in is what came out, what was dropped and
      what is under way.
    """

    def __init__(
        self,
        config: str | os.PathLike[str] | ModuleConfig | Mapping[str, Any],
        *,
        address: str | None = None,
        actors: int | None = None,
        needs: Needs | None = None,
        lease_s: float = LEASE_S,
        web: int | None = None,
        **local_options: Any,
    ) -> None:
        """Load the module; no actor is asked for yet.

        Args:
            config: The module's file, its configuration, or the tree of one. The folder of the file must be at the same
                path on every node.
            address: Of the cluster: ``host:port``, ``auto`` or ``local``, see ``RaySession``.
            actors: How many; by default one for each node.
            needs: What Ray reserves for each actor; by default one processor.
            lease_s: Seconds without a word of the head after which an actor ends itself, and its sources go elsewhere.
            web: The port of control and the live page of all, instead of that of ``parameters.web``; 0 takes a free
                one.
            local_options: What ``ray.init`` takes where a cluster is started here.

        Raises:
            ConfigError: Something is wrong.
            MissingDependencyError: Ray is not installed.
            ValueError: ``actors`` is below 1, or ``lease_s`` is below 3 seconds.
        """
        load_ray()
        if actors is not None and actors < 1:
            raise ValueError(f"ClusterModule: actors = {actors}: expected at least 1")
        if not lease_s >= 3:
            raise ValueError(f"ClusterModule: lease_s = {lease_s}: expected at least 3 seconds")
        self.config: ModuleConfig = config if isinstance(config, ModuleConfig) else load_config(config)
        self.state = "initializing"
        """As that of a module."""
        self.failure: str = ""
        """What ended it before its time."""
        self.stopped_by: signal.Signals | None = None
        """The signal that ended it, in order."""
        self._session = RaySession(address, **local_options)
        self._wanted = actors
        self._needs = needs or Needs()
        self._lease_s = lease_s
        self._lock = threading.RLock()
        """Over seats and slots. No one waits for an actor under it."""
        self._closing = threading.RLock()
        self._changing = threading.Lock()
        """Over sources that come and go by request."""
        self._slots: list[Slot] = []
        self._gone: dict[str, tuple[int, float]] = {}
        """Of ids whose sources were removed the newest epoch, and when they may run again."""
        self._stopped = threading.Event()
        self._started_s = 0.0
        self._awaits_sources = False
        self._is_finishing = False
        self._ray: ModuleType
        self._code = CodePath.of(self.config.folder, self.config.parameters.get("code_root"))
        named = [entry for entry in entries_of(self.config) if entry["element"] != WIRE]
        made = configured_sources(self.config, self._code, MonotonicClock())
        self._seats = {
            source.source_id: Seat(source.source_id, entry) for source, entry in zip(made, named, strict=True)
        }
        self._seating = Seating(self._seats)
        self.gaps: list[Gap] = self._seating.gaps
        """Every loss that a source came back from, the newest last."""
        self.web: ClusterWeb = ClusterWeb(self, web)
        """Where health, control and the live page of all are, while they listen."""

    def start(self) -> None:
        """Join or start the cluster, and ask for the actors.

        Raises:
            ClusterError: No actor can run the module, or Ray has no room for one.
            ConfigError: An address cannot be used.
            RuntimeError: It was started before: it runs once.
            TransportError: There is no cluster at the address.
        """
        if self.state != "initializing":
            raise RuntimeError(f"ClusterModule.start: it is {self.state}; it runs once, make another one")
        self.state = "starting"
        self._started_s = time.monotonic()
        try:
            self._ray = self._session.__enter__()
            self._open_slots()
            self.web.start()
            self._wait_for_one()
        except BaseException:
            self.close(0.0)
            raise
        self.state = "running"

    def run(self, on_progress: Callable[[ModuleStatistics], object] | None = None) -> ModuleStatistics:
        """Start, read all sources to their ends, finish every file, and return what became of all.

        In the main thread SIGINT, SIGTERM and SIGHUP end it in order, as those of a module do.

        Args:
            on_progress: Called about ten times a second, on this thread.

        Raises:
            ClusterError: An element failed, or no actor can run the module.
        """
        is_main = threading.current_thread() is threading.main_thread()
        with stop_on_signals(exits=False) if is_main else nullcontext(Stop()) as stop:
            try:
                if self.state == "initializing":
                    self.start()
                while not self._stopped.is_set() and not self.is_over:
                    self.step()
                    if on_progress is not None:
                        on_progress(self.statistics())
                    self._stopped.wait(STEP_S)
            except Stopped as stopped:
                self.stopped_by = stopped.signum
                stop.is_obeyed = True
            finally:
                self.close()
        if self.failure:
            raise ClusterError(self.failure)
        return self.statistics()

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes: every source is over, and none is awaited."""
        with self._lock:
            awaited = self._awaits_sources and not self._is_finishing
            has_sockets = bool(sockets_of(self.config)) and not self._is_finishing
            return not (awaited or has_sockets) and all(seat.is_over for seat in self._seats.values())

    def stop(self) -> None:
        """Read no further; ``run`` finishes every file and returns. Any thread; does not wait."""
        self._stopped.set()

    def finish(self) -> None:
        """As ``stop``: what was read comes out. Any thread; does not wait."""
        self._is_finishing = True
        self.stop()

    def close(self, timeout_s: float = GRACE_S) -> None:
        """Let what was read come out, finish every file, end the actors, leave the cluster. Any thread, and again.

        Args:
            timeout_s: Seconds for the modules of all actors.
        """
        with hold_stop(), self._closing:  # one thread closes, those that come meanwhile wait
            if self.state != "stopped":
                self.state = "stopping"
                self._stopped.set()
                self._end_actors(timeout_s)
                self.state = "stopped"
                self.web.stop()
                self._session.__exit__()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add_source(self, entry: Mapping[str, Any]) -> str:
        """Add a source as ``pipeline.source`` names it; return its id. Any thread.

        Raises:
            OperationError: The entry is wrong, its id is in use, or the module stops.
        """
        entry = {key: value for key, value in entry.items() if value is not None}
        try:
            made = source_config(self.config, entry)
            source_id = open_source(made, self.config, self._code, MonotonicClock()).source_id
        except ConfigError as error:
            problems = list(map(str, error.problems))
            raise OperationError("; ".join(problems), 422, problems) from error
        with self._lock:
            if self.state not in ("starting", "running") or self._is_finishing:
                raise OperationError(f"the module is {self.state}")
            if source_id in self._seats:
                raise OperationError(f"the source id {source_id!r} is in use")
            self._gone = {name: gone for name, gone in self._gone.items() if gone[1] + MEMORY_S > time.monotonic()}
            epoch, free_s = self._gone.get(source_id, (0, 0.0))
            self._seats[source_id] = Seat(source_id, entry, epoch=epoch, free_s=free_s)
            self._awaits_sources = False
        return source_id

    def remove_source(self, source_id: str) -> SourceAccount:
        """End a source behind what was read, finish its files, forget it; return what became of it. Any thread; waits.

        Raises:
            OperationError: There is no such source, or its actor cannot be reached.
        """
        with self._changing:
            seat = self._seat(source_id)
            with self._lock:
                seat.is_leaving = True  # no one places it meanwhile
                slot = self._slot_of(seat)
            try:
                if slot is not None:
                    self._dismiss(slot, seat)
                with self._lock:
                    self._seats.pop(source_id, None)
                    self._gone[source_id] = seat.epoch, max(seat.free_s, time.monotonic())
                    self._awaits_sources = not self._seats
            finally:
                seat.is_leaving = False  # where it stays, another actor gets it when this one is gone
            return seat.account

    def ask(self, source_id: str, name: str, *arguments: Any, **options: Any) -> Any:
        """Have the actor of a source do what ``picasso.web`` asks for. Any thread; waits.

        Args:
            source_id: The source.
            name: Of a method of ``picasso.web.Operated``.
            arguments: What that takes.
            options: What that takes by keyword.

        Raises:
            OperationError: It cannot be done, or the source has no actor now.
        """
        seat = self._seat(source_id)
        with self._lock:
            slot = self._slot_of(seat)
        if slot is None:
            raise OperationError(f"source {source_id!r} has no actor now", 503)
        return self._call(slot.handle.ask.remote(seat.incarnation, name, *arguments, **options))

    def statistics(self) -> ModuleStatistics:
        """Take a snapshot over all actors and all runs. Any thread."""
        with self._lock:
            pulses = [slot.pulse for slot in self._slots if slot.pulse is not None]
            uptime_s = time.monotonic() - self._started_s if self._started_s else 0.0
            return together(self.config.name, self.state, uptime_s, list(self._seats.values()), pulses)

    def actors(self) -> list[dict[str, Any]]:
        """Return each actor: node, process, state, restarts, and where it listens. Any thread."""
        with self._lock:
            return [slot.describe() for slot in self._slots]

    def source_records(self) -> list[dict[str, Any]]:
        """Return each source as ``/sources`` shows it, with its actor, node and epoch. Any thread."""
        with self._lock:
            nodes = {slot.name: slot.pulse.node for slot in self._slots if slot.pulse is not None}
            return [record_of(seat, nodes.get(seat.home or "")) for seat in self._seats.values()]

    def metrics_texts(self) -> list[str]:
        """Return what Prometheus may read of each actor. Any thread; waits."""
        with self._lock:
            asked = [slot.handle.metrics.remote() for slot in self._slots if slot.is_ready]
        found = wait_for(self._ray, asked, WAIT_S / 3)
        return [text for text in found if isinstance(text, str)]

    def step(self) -> None:
        """Hear every actor, place what has no home, ask again. For the thread that runs it; ``run`` does this.

        Raises:
            ClusterError: Every actor has failed for good.
        """
        with self._lock:
            now_s = time.monotonic()
            for slot in self._slots:
                had = slot.tenancy
                for word, pulse in slot.hear(self._ray, now_s):
                    if word == "lost" and had is not None:
                        self._seating.lose(slot, had.incarnation, had.free_s)
                    elif pulse is not None:
                        self._take(slot, pulse, now_s)
                slot.ask(now_s)
            self._seating.take_placed(self._ray, now_s)
            if not self._stopped.is_set():
                self._seating.divide(self._slots, now_s, self._started_s)
            self._check_slots()

    def _open_slots(self) -> None:
        ray = self._ray
        count = self._wanted or max(sum(1 for node in ray.nodes() if node["Alive"]), 1)
        sockets = sockets_of(self.config)
        plain = dataclasses.replace(self.config, watch=None)
        for number in range(count):
            own = tuple(sockets[number::count])
            terms = Terms(dataclasses.replace(plain, sources=own), f"actor-{number}", os.getcwd(), self._lease_s)
            self._slots.append(start_actor(ray, terms, self._needs))

    def _wait_for_one(self) -> None:
        """Wait until one actor runs; those that take longer join later."""
        deadline_s = time.monotonic() + START_S
        while not any(slot.is_ready for slot in self._slots) and not self._stopped.is_set():
            self.step()
            if time.monotonic() > deadline_s + WAIT_S:
                raise ClusterError(
                    f"no actor runs after {START_S + WAIT_S:.0f} s: does the cluster have a node with {self._needs}?"
                )
            time.sleep(STEP_S / 2)

    def _take(self, slot: Slot, pulse: Pulse, now_s: float) -> None:
        """Take what an actor says; a module that has failed stops all."""
        if pulse.failure and not self.failure:
            self.failure = f"{slot.name} on {pulse.node}: {pulse.failure}"
            logger.error("module %r stops: %s", self.config.name, self.failure)
            self.stop()
        self._seating.take(slot, pulse, now_s)

    def _check_slots(self) -> None:
        errors = [slot.error for slot in self._slots if slot.error]
        if errors and len(errors) == len(self._slots):
            self.failure = f"no actor can run the module: {errors[0]}"
            self.stop()
            raise ClusterError(self.failure)

    def rebalance(self) -> int:
        """Move sources from actors with too much to those with too little; return how many moved. Any thread; waits.

        A source that moves is ended in order and goes on elsewhere: a file without a gap, a live source with one.
        """
        with self._changing:
            with self._lock:
                ready = {slot.name: 1.0 for slot in self._slots if slot.is_ready}
                seats = {n: s for n, s in self._seats.items() if not s.is_over and s.home in ready and not s.is_placing}
                weights = weigh({name: seat.weight for name, seat in seats.items()})
                moves = rebalance(weights, ready, {name: seat.home or "" for name, seat in seats.items()})
            for move in moves:
                seat = self._seat(move.source_id)
                with self._lock:
                    slot = self._slot_of(seat)
                if slot is None:
                    continue
                self._dismiss(slot, seat)
                with self._lock:
                    target = next((one for one in self._slots if one.name == move.new and one.is_ready), None)
                    if target is not None and not self._stopped.is_set():
                        self._seating.place(seat, target)
            return len(moves)

    def _dismiss(self, slot: Slot, seat: Seat) -> None:
        """Have an actor end a source in order."""
        epoch = seat.epoch
        try:
            last, position = self._call(slot.handle.dismiss.remote(seat.incarnation, seat.source_id, epoch))
        except OperationError as error:
            if error.status != 404:
                raise
            last, position = None, None
        with self._lock:
            if seat.epoch == epoch and seat.home == slot.name:
                seat.leave(None if last is None else last.account, position)

    def _end_actors(self, timeout_s: float) -> None:
        """Have every module finish, take its last word, and end its process."""
        slots = [slot for slot in self._slots if slot.tenancy is not None and not slot.error]
        asked = [slot.handle.stop.options(concurrency_group=WORD).remote(timeout_s) for slot in slots]
        for slot, pulse in zip(slots, wait_for(self._ray, asked, timeout_s + GRACE_S) if slots else [], strict=True):
            if isinstance(pulse, Pulse) and slot.tenancy is not None:
                slot.pulse = pulse
                with self._lock:
                    self._take(slot, pulse, time.monotonic())
            else:
                logger.warning("%s did not end in order: %s", slot.name, pulse)
        for slot in self._slots:
            self._ray.kill(slot.handle, no_restart=True)

    def _call(self, reference: Any) -> Any:
        ray = self._ray
        try:
            return ray.get(reference, timeout=WAIT_S)
        except ray.exceptions.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, PicassoError):
                raise cause from None
            raise OperationError(f"{type(cause).__name__}: {cause}", 500) from None
        except (ray.exceptions.RayError, TimeoutError) as error:
            raise OperationError(f"the actor cannot be reached: {type(error).__name__}", 503) from None

    def _seat(self, source_id: str) -> Seat:
        with self._lock:
            seat = self._seats.get(source_id)
        if seat is None:
            raise OperationError(f"there is no source {source_id!r}", 404)
        return seat

    def _slot_of(self, seat: Seat) -> Slot | None:
        """Return the actor of a source, while the process is there that was told to run it."""
        there = (one for one in self._slots if (one.name, one.incarnation) == (seat.home, seat.incarnation))
        return next(there, None)
