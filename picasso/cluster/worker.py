"""What runs in an actor: one module with its share of the sources. It knows no Ray but the name of its node."""

from __future__ import annotations

import logging
import os
import resource
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from picasso.cluster.door import load_ray
from picasso.cluster.lease import Lease
from picasso.cluster.messages import Order, Position, Pulse, Resumption, SourcePulse, Terms
from picasso.cluster.resumed import Fenced, Resumed
from picasso.cluster.shares import share_of
from picasso.cluster.written import Written, clear_empty, files_of, pattern_of, written
from picasso.errors import OperationError, PicassoError
from picasso.observe.account import ModuleStatistics, SourceAccount, SourceStatistics

if TYPE_CHECKING:
    from picasso.flow import Source
    from picasso.module import Module

LOOK_S: Final = 0.1
"""Seconds between two looks at the lease."""
FAREWELL_S: Final = 1.5
"""Seconds before the end of a lease at which an actor begins to finish its files."""
DISMISS_S: Final = 20.0
"""Seconds that the sinks get to finish the files of a source that leaves."""
LETTERS: Final = 2_000
logger = logging.getLogger("picasso.cluster")


class Worker:
    """A module in a process of its own, as the head sees it. Every method may be called from any thread.

    Guarantees:

    - It delivers only while its lease runs. A moment before that ends it finishes its files, and at the end its process
      ends, also in the middle of its work; Ray starts another one.
    - An order that was meant for another process of the same actor does nothing.
    """

    def __init__(self, terms: Terms) -> None:
        """Start the module, without sources but its sockets.

        Raises:
            ConfigError, ElementError, MediaError: Something cannot be opened or refuses to start.
            OperationError: The node does not have the folder of the module.
        """
        from picasso.module import Module
        from picasso.module.elements import CodePath
        from picasso.module.sinks import open_sink

        self.incarnation: str = uuid.uuid4().hex
        """Names this process."""
        self._node = _node()
        self._lease = Lease(terms.lease_s)
        self._lock = threading.Lock()
        self._epochs: dict[str, int] = {}
        self._resumed: dict[str, Resumed] = {}
        self._before: dict[str, SourceAccount] = {}
        """What sources had counted here when this epoch of theirs began."""
        self._ordering = threading.Lock()
        self._dismissed: dict[str, int] = {}
        """The epochs that were ended: an order of one that comes later does nothing."""
        self._is_over = False
        config = share_of(terms.config, terms.config.sources, {"node": self._node, "actor": terms.actor})
        if config.folder is not None and not Path(config.folder).is_dir():
            raise OperationError(
                f"node {self._node} has no folder {config.folder}: put the module at the same path on every node"
            )
        if Path(terms.folder).is_dir():
            os.chdir(terms.folder)
        code = CodePath.of(config.folder, config.parameters.get("code_root"))
        self._config, self._code = config, code
        self._sinks = [Fenced(open_sink(one, config, code), self._lease) for one in config.sinks]
        self._module: Module = Module(config, sinks=self._sinks)
        self._module.start()
        self._watch = threading.Thread(target=self._look, name="lease", daemon=True)
        self._watch.start()

    def pulse(self, incarnation: str | None = None, stamp_s: float | None = None) -> Pulse:
        """Say how it is; with a stamp, which is of an earlier answer, the lease runs from there."""
        if stamp_s is not None and incarnation == self.incarnation:
            self._lease.renew(stamp_s)
        stamp_s = self._lease.stamp_s()
        statistics = self._statistics()
        records = {one["source_id"]: one for one in self._module.web.operations.records_of(statistics)}
        with self._lock:
            epochs = dict(self._epochs)
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return Pulse(
            self.incarnation,
            stamp_s,
            self._node,
            os.getpid(),
            str(self._module.state),
            _text(self._module.failure),
            statistics,
            {
                name: SourcePulse(epochs.get(name, 0), record, self._position(name), self._size_of(name))
                for name, record in records.items()
            },
            self._addresses(),
            usage.ru_utime + usage.ru_stime,
        )

    def place(self, incarnation: str, order: Order) -> Resumption:
        """Read a source from where an earlier epoch of it has come to.

        Raises:
            OperationError: The order is not for this process, the entry is wrong, or its id is in use.
        """
        self._check(incarnation)
        resumption, skips = self._look_up(order)
        for sink, skip in zip(self._sinks, skips, strict=True):
            sink.begin(order.source_id, 0 if resumption.after is None else resumption.after.part, skip)
        before = self._account(order.source_id)

        def wrap(source: Source) -> Source:
            self._resumed[order.source_id] = made = Resumed(source, resumption.after)
            return made

        with self._lock:
            known = self._epochs.get(order.source_id, 0), self._before.get(order.source_id, SourceAccount())
            self._epochs[order.source_id], self._before[order.source_id] = order.epoch, before
        try:
            with self._ordering:
                if order.epoch <= self._dismissed.get(order.source_id, 0):
                    raise OperationError(f"source {order.source_id!r} was removed before it began")
                self._module.web.operations.add_source(order.entry, wrap)
        except PicassoError:
            with self._lock:
                self._epochs[order.source_id], self._before[order.source_id] = known
            raise
        return resumption

    def dismiss(self, incarnation: str, source_id: str, epoch: int) -> tuple[SourceStatistics | None, Position | None]:
        """End a source behind what was read and finish its files; return what became of its frames, and where it is.

        An order of that epoch, or an earlier one, that is still on its way does nothing when it comes.

        Raises:
            OperationError: The order is not for this process, or there is no such source.
        """
        self._check(incarnation)
        with self._ordering:
            self._dismissed[source_id] = max(epoch, self._dismissed.get(source_id, 0))
        self._module.web.operations.remove_source(source_id)
        self._resumed.pop(source_id, None)
        deadline_s = time.monotonic() + DISMISS_S
        for sink in self._sinks:
            sink.end(source_id, max(deadline_s - time.monotonic(), 0.0))
        return self._statistics().sources.get(source_id), self._position(source_id)

    def ask(self, incarnation: str, name: str, *arguments: Any, **options: Any) -> Any:
        """Have the module do what ``picasso.web`` asks for.

        Raises:
            OperationError: It cannot be done.
        """
        self._check(incarnation)
        return getattr(self._module.web.operations, name)(*arguments, **options)

    def metrics(self) -> str:
        """Return the metrics of the module, with the labels of this actor, as Prometheus reads them."""
        text: bytes = self._module.web.operations.metrics()[0]
        return text.decode()

    def stop(self, timeout_s: float) -> Pulse:
        """Read no further, let everything out, finish every file; return how it all ended."""
        self._is_over = True
        self._lease.renew(self._lease.stamp_s() + timeout_s)  # a head that stops gives no source to another actor
        self._module.close(timeout_s)
        return self.pulse()

    def _look(self) -> None:
        """Watch the lease, and end with it."""
        while not self._is_over:
            time.sleep(LOOK_S)
            if self._module.failure is not None and str(self._module.state) == "running":
                self._module.close()
            if self._lease.was_granted and self._lease.left_s < FAREWELL_S and not self._is_over:
                logger.error("actor on %s: the lease ends, the head was not heard of; this process ends", self._node)
                closing = threading.Thread(target=self._module.close, args=(FAREWELL_S,), daemon=True)
                closing.start()
                while closing.is_alive() and self._lease.is_valid:
                    time.sleep(LOOK_S / 2)
                os._exit(1)

    def _check(self, incarnation: str) -> None:
        if incarnation != self.incarnation:
            raise OperationError(f"the order is for another process of this actor: {incarnation}")
        if self._is_over:
            raise OperationError("the actor stops")

    def _look_up(self, order: Order) -> tuple[Resumption, list[Position | None]]:
        """Return where a source goes on, and for each sink what it has already."""
        patterns = [pattern_of(sink) for sink in self._config.sinks]
        found = [[] if one is None else files_of(one, order.source_id, order.others) for one in patterns]
        if order.existing is None:
            existing = tuple(file for files in found for file in files)
            return Resumption(order.source_id, order.epoch, "start", None, None, existing), [None] * len(patterns)
        before = set(order.existing)
        fresh = [[file for file in files if file not in before] for files in found]
        left = [clear_empty(sink, files) for sink, files in zip(self._config.sinks, fresh, strict=True)]
        if self._is_live(order.entry):  # its times may begin again, and its files may be those of months
            return Resumption(order.source_id, order.epoch, "live", None, None, order.existing), [None] * len(patterns)
        are_read = order.known is None or order.known.part == 0
        held = [
            written(sink, files) if files and are_read else None
            for sink, files in zip(self._config.sinks, left, strict=True)
        ]
        return resumption(order, [one is not None for one in patterns], list(map(bool, fresh)), held)

    def _is_live(self, entry: Mapping[str, Any]) -> bool:
        """Whether the source of an entry gives what is there now, as a camera does. It is not opened for that."""
        from picasso.engine.clock import MonotonicClock
        from picasso.module.config import ConfigError
        from picasso.module.config.pieces import source_config
        from picasso.module.sources import open_source

        found: list[bool] = []

        def look(source: Source) -> Source:
            found.append(bool(getattr(source, "is_live", False)))
            return source

        try:
            open_source(source_config(self._config, entry), self._config, self._code, MonotonicClock(), look)
        except ConfigError:
            return False  # who adds it says what is wrong
        return any(found)

    def _statistics(self) -> ModuleStatistics:
        """Return a snapshot that can be sent: errors as text, sources with what their present epoch has counted."""
        found = self._module.statistics()
        with self._lock:
            before = dict(self._before)
        return replace(
            found,
            sources={name: _slim(one, before.get(name)) for name, one in found.sources.items()},
            sinks=[replace(sink, failure=_error(sink.failure)) for sink in found.sinks],
        )

    def _account(self, source_id: str) -> SourceAccount:
        found = self._module.statistics().sources.get(source_id)
        return SourceAccount() if found is None else found.account

    def _position(self, source_id: str) -> Position | None:
        """Return where the newest frame of a source is that every sink has taken."""
        found = [sink.position(source_id) for sink in self._sinks]
        there = [one for one in found if one is not None]
        return min(there) if there and len(there) == len(found) else None

    def _size_of(self, source_id: str) -> tuple[int, int] | None:
        source = self._resumed.get(source_id)
        return None if source is None else source.size_wh

    def _addresses(self) -> dict[str, str]:
        found: dict[str, str] = {}
        host = _host()
        if self._module.web.health is not None:
            found["health"] = self._module.web.health.replace("127.0.0.1", host)
        if self._module.metrics_port is not None:
            found["metrics"] = f"http://{host}:{self._module.metrics_port}/metrics"
        elif "health" in found:
            found["metrics"] = f"{found['health']}/metrics"
        for number, address in enumerate(self._module.addresses):
            if address is not None:
                found[f"source {number}"] = address
        for number, sink in enumerate(self._sinks):
            if sink.address is not None:
                found[f"sink {number}"] = sink.address
        return found


def resumption(
    order: Order, tells: Sequence[bool], are_seen: Sequence[bool], held: Sequence[Written | None]
) -> tuple[Resumption, list[Position | None]]:
    """Return where a source goes on that was placed before, and for each sink what it has already.

    Args:
        order: The source.
        tells: Of each sink, whether its files say how far it has come.
        are_seen: Whether this node sees files of earlier epochs.
        held: What those hold; None where that is no frame, as where the process was gone before its first fragment.
    """
    existing, known = order.existing or (), order.known
    if any(are_seen) and (known is None or known.part == 0):
        skips = [_after(one) if can_tell else known for can_tell, one in zip(tells, held, strict=True)]
        of_files = [one for can_tell, one in zip(tells, held, strict=True) if can_tell]
        there = [one for one in of_files if one is not None]
        least = min(there, key=lambda one: one.last_ns) if len(there) == len(of_files) else None
        frames = 0 if least is None else least.frames  # one of them that has nothing yet needs all
        return Resumption(order.source_id, order.epoch, "files", _after(least), frames, existing), skips
    basis = "start" if known is None else "report"
    return Resumption(order.source_id, order.epoch, basis, known, None, existing), [known] * len(tells)


def _after(one: Written | None) -> Position | None:
    return None if one is None else Position(0, one.last_ns)


def _slim(one: SourceStatistics, before: SourceAccount | None) -> SourceStatistics:
    """Return the statistics of a source without the fine buckets of its durations, and of its present epoch alone."""
    account = one.account if before is None else minus(one.account, before)
    return replace(one, account=account, latency=replace(one.latency, buckets=()), stages={})


def minus(now: SourceAccount, before: SourceAccount) -> SourceAccount:
    """Return what was counted since ``before``."""
    dropped = Counter(now.dropped)
    dropped.subtract(before.dropped)
    return SourceAccount(
        now.came - before.came,
        now.left - before.left,
        {reason: count for reason, count in dropped.items() if count},
        now.under_way - before.under_way,
    )


def _text(error: BaseException | None) -> str:
    return "" if error is None else (f"{type(error).__name__}: {' '.join(str(error).split())}")[:LETTERS]


def _error(error: BaseException | None) -> BaseException | None:
    """Return an error that can be sent anywhere."""
    return None if error is None else RuntimeError(_text(error))


def _host() -> str:
    """Return the address of this node that others of the cluster reach."""
    ray = load_ray()
    return str(ray.util.get_node_ip_address()) if ray.is_initialized() else socket.gethostname()


def _node() -> str:
    """Return a name of this node that people know, and that no other node has."""
    ray = load_ray()
    number = f"-{ray.get_runtime_context().get_node_id()[:6]}" if ray.is_initialized() else ""
    return f"{socket.gethostname()}{number}"
