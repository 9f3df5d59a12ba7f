"""What can be asked of a running module from outside, and done to it."""

from __future__ import annotations

import hmac
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack, final

from picasso.errors import MissingDependencyError, OperationError, PicassoError, require
from picasso.flow import SourceState
from picasso.module.config import ConfigError
from picasso.module.config.pieces import rendered_objects as checked_looks
from picasso.module.config.pieces import source_config
from picasso.module.config.secrets import masked
from picasso.module.drawing.stock import StockDrawing
from picasso.module.sources import WIRE, limited, open_source

if TYPE_CHECKING:
    from picasso.engine.clock import Clock
    from picasso.engine.stats import LatencySummary
    from picasso.flow import Runner, Source, SourceStatus
    from picasso.module.config import ModuleConfig, SourceConfig
    from picasso.module.elements import CodePath
    from picasso.module.run.ingresses import Ingresses
    from picasso.module.run.overrides import Overrides
    from picasso.module.run.views import Views
    from picasso.observe.account import ModuleStatistics, SourceAccount, SourceStatistics
    from picasso.observe.exporter import Registry

ERROR_LETTERS: Final = 500
logger: logging.Logger = logging.getLogger("picasso.module")


class Parts(TypedDict):
    """What operations need of the module itself."""

    state: Callable[[], str]
    """Says where it stands."""
    statistics: Callable[[], ModuleStatistics]
    """Takes a snapshot."""
    add: Callable[[Source], None]
    """Lets a source in."""
    finish: Callable[[], None]
    """Ends it in order."""


@final
class Operations:
    """The side of a module that ``picasso.web`` serves. Any thread.

    Sources that come through a socket are their senders' own: they can be watched, and not paused, opened again or
    removed, which would hold the others of the socket up.
    """

    def __init__(
        self,
        config: Callable[[], ModuleConfig],
        code: CodePath,
        clock: Clock,
        sources: list[Source],
        ingresses: Ingresses,
        overrides: Overrides,
        views: Views,
        registry: Callable[[Callable[[], str]], Registry],
        **parts: Unpack[Parts],
    ) -> None:
        """Take the parts of a module.

        Args:
            config: Its configuration.
            code: Where filters are looked for.
            clock: What new sources wait by.
            sources: Those of its file; those that come are added.
            ingresses: Its sockets.
            overrides: What is changed for single sources.
            views: Takes pictures.
            registry: Makes what Prometheus may read, given what says where the module stands.
            parts: What is done by the module itself.
        """
        self.name: str = config().name
        self.runner: Runner | None = None
        self.awaits_sources: bool = False
        """Whether the last source was removed: the module waits for another then, instead of ending."""
        self._is_closed = False
        self._config = config
        self._code = code
        self._clock = clock
        self._sources = sources
        self._ingresses = ingresses
        self._overrides = overrides
        self._views = views
        self._registry = registry
        self._families: Registry | None = None
        self._state = parts["state"]
        self._statistics = parts["statistics"]
        self._add = parts["add"]
        self._finish = parts["finish"]
        self._changing = threading.RLock()
        """Over sources that come and go by request."""
        self._specs: dict[str, SourceConfig] = {}
        named = [one for one in config().sources if one.element != WIRE]
        if len(named) == len(sources):
            self._specs = {source.source_id: one for source, one in zip(sources, named, strict=True)}

    def state(self) -> str:
        """Return where the module stands."""
        return self._state()

    def sources(self) -> list[dict[str, Any]]:
        """Return every source that is there."""
        return self.records_of(self._statistics())

    def statistics(self) -> dict[str, Any]:
        """Return what the module has done and does."""
        return module_record(self._statistics())

    def overview(self) -> dict[str, Any]:
        """Return both of one snapshot: taking it costs more than writing it down."""
        found = self._statistics()
        return {"sources": self.records_of(found), "module": module_record(found)}

    def has(self, source_id: str) -> bool:
        """Whether there is a source of that name. Costs next to nothing."""
        return self.runner is not None and self.runner.has(source_id)

    def metrics(self) -> tuple[bytes, str]:
        """Return the metrics as Prometheus reads them."""
        try:
            client = require("prometheus_client", extra="metrics")
            self._families = self._families or self._registry(self._state)
        except MissingDependencyError as error:
            raise OperationError(str(error), 501) from None
        return self._families.text().encode(), client.CONTENT_TYPE_LATEST

    def add_source(self, entry: Mapping[str, Any], wrap: Callable[[Source], Source] | None = None) -> str:
        """Add a source as ``pipeline.source`` names it; return its id.

        Args:
            entry: As there.
            wrap: Put around the source, behind the rules of ingress.
        """
        config = self._config()
        try:
            made = source_config(config, {key: value for key, value in entry.items() if value is not None})
            source = open_source(made, config, self._code, self._clock, wrap)
        except ConfigError as error:
            raise _refused(error) from error
        self._join(source, made)
        return source.source_id

    def remove_source(self, source_id: str) -> None:
        """End a source behind what was read, and forget it."""
        self._own(source_id)
        with self._changing:
            self._dismiss(source_id)
            self._overrides.forget(source_id)

    def pause(self, source_id: str) -> None:
        """Read no further frame of a source for now."""
        self._running(source_id)
        self._do(source_id, lambda runner: runner.pause(source_id))

    def resume(self, source_id: str) -> None:
        """Read a paused source on."""
        self._running(source_id)
        self._do(source_id, lambda runner: runner.resume(source_id))

    def reconnect(self, source_id: str) -> None:
        """Open a source again now; one that has failed or ended is made again from its entry."""
        status = self._own(source_id)
        if not status.state.is_over:
            if status.state is SourceState.PAUSED:
                raise OperationError(f"source {source_id!r} is paused; resume it")
            if not self._do(source_id, lambda runner: runner.reconnect(source_id)):
                raise OperationError(f"source {source_id!r} is a file: it is read once, and cannot be opened again now")
            return
        made = self._specs.get(source_id)
        if made is None:
            raise OperationError(f"source {source_id!r} is over, and the program that made it has to make another")
        with self._changing:
            if not self._own(source_id).state.is_over:
                return  # another request has made it again
            self._dismiss(source_id)
            try:
                source = open_source(made, self._config(), self._code, self._clock)
            except ConfigError as error:
                raise _refused(error) from error
            self._join(source, made)

    def set_drawing(self, source_id: str, rendered_objects: Mapping[str, Any] | None, *, is_on: bool = True) -> None:
        """Change what is drawn on the frames of a source."""
        self._status(source_id)
        if not is_on:
            self._overrides.set_look(source_id, None)
        elif rendered_objects is None:
            self._overrides.reset_look(source_id)
        else:
            try:
                look = StockDrawing(checked_looks(self._config(), rendered_objects))
            except (ConfigError, PicassoError) as error:
                raise _refused(error) from error
            self._overrides.set_look(source_id, look)

    def set_gate(self, source_id: str, tag: str | None, *, is_own: bool = True) -> None:
        """Change which frames of a source are encoded."""
        self._status(source_id)
        if self._config().output_frame is None:
            raise OperationError("output_frame is null: no frame is encoded, so there is no gate")
        if is_own:
            self._overrides.set_gate(source_id, tag)
        else:
            self._overrides.reset_gate(source_id)

    def request_keyframe(self, source_id: str) -> None:
        """Make the next frame of a source that is encoded a keyframe."""
        self._status(source_id)
        self._there().engine.request_keyframe(source_id)

    def snapshot(self, source_id: str, timeout_s: float) -> bytes:
        """Return the next frame of a source as JPEG."""
        status = self._status(source_id)
        if status.state.is_over:
            raise OperationError(f"source {source_id!r}: no frame comes, it has {status.state}")
        return self._views.snapshot(source_id, timeout_s)

    def stop(self, auth: str | None) -> None:
        """Stop in order, where ``auth`` is ``parameters.shutdown_auth``."""
        key = self._config().parameters.get("shutdown_auth")
        if key is None:
            raise OperationError("parameters.shutdown_auth is not set, so no request stops this module", 403)
        if auth is None or not hmac.compare_digest(auth.encode(), str(key).encode()):
            raise OperationError("auth is not parameters.shutdown_auth", 403)
        self._finish()

    def close_door(self) -> None:
        """Let no further source in: the module ends when its sources have."""
        self._is_closed = True
        self.awaits_sources = False

    def _join(self, source: Source, made: SourceConfig) -> None:
        source_id = source.source_id
        with self._changing:
            if self._state() != "running" or self._is_closed:
                raise OperationError(f"the module is {'stopping' if self._is_closed else self._state()}")
            parameters = self._config().parameters
            try:
                self._add(limited(source, parameters, self._clock))
            except (ValueError, PicassoError) as error:
                raise OperationError(str(error)) from error
            self._sources.append(source)
            self._specs[source_id] = made
            self.awaits_sources = False

    def records_of(self, found: ModuleStatistics) -> list[dict[str, Any]]:
        """Return every source that is there as JSON has it, with the numbers of a snapshot."""
        statuses = [] if self.runner is None else self.runner.statuses()
        return [
            self._record(status, found.sources[status.source_id])
            for status in statuses
            if status.source_id in found.sources
        ]

    def _dismiss(self, source_id: str) -> None:
        others = [status for status in self._there().statuses() if status.source_id != source_id]
        self.awaits_sources = not others and not self._is_closed  # before the last one is over: that ends the module
        try:
            self._ingresses.dismiss(source_id)
        except KeyError:
            raise OperationError(f"there is no source {source_id!r}", 404) from None
        self._sources[:] = [source for source in self._sources if source.source_id != source_id]

    def _there(self) -> Runner:
        if self.runner is None:
            raise OperationError(f"the module is {self._state()}")
        return self.runner

    def _status(self, source_id: str) -> SourceStatus:
        for status in self._there().statuses():
            if status.source_id == source_id:
                return status
        raise OperationError(f"there is no source {source_id!r}", 404)

    def _own(self, source_id: str) -> SourceStatus:
        status = self._status(source_id)
        if self._ingresses.has(source_id):
            raise OperationError(f"source {source_id!r} comes through a socket: its sender begins and ends it")
        return status

    def _running(self, source_id: str) -> None:
        status = self._own(source_id)
        if status.state.is_over:
            raise OperationError(f"source {source_id!r} has {status.state}")

    def _do(self, source_id: str, step: Callable[[Runner], bool | None]) -> bool | None:
        """Take a step with a source that was there a moment ago."""
        try:
            return step(self._there())
        except KeyError:
            raise OperationError(f"there is no source {source_id!r}", 404) from None

    def _record(self, status: SourceStatus, found: SourceStatistics) -> dict[str, Any]:
        made = self._specs.get(status.source_id)
        is_of_socket = self._ingresses.has(status.source_id)
        spec: dict[str, Any] = {"element": WIRE if is_of_socket else "program"}
        if made is not None:
            spec = {"element": made.element, "properties": masked(made.properties, ())}
        return {
            "source_id": status.source_id,
            "state": str(status.state),
            "spec": spec,
            "counts": {
                "read": found.account.came,
                "delivered": found.account.left,
                "dropped": sum(found.account.dropped.values()),
                "dropped_by": dict(found.account.dropped),
                "under_way": found.account.under_way,
                "total": status.total,
            },
            "frames_per_s": round(found.frames_per_s, 2),
            "bitrate_bps": round(found.bitrate_bps),
            "latency_ms": _ms(found.latency),
            "stages_ms": {name: _ms(times) for name, times in found.stages.items() if times.count},
            "queues": {
                "ingress": found.ingress_queue.length,
                "decoder": found.decoder_queue.length,
                "pictures": found.pictures.used,
                "egress": found.egress.length,
            },
            "waiting": found.waiting,
            "reconnects": found.reconnects,
            "gap_s": round(found.gap_s, 2),
            "failure": _text(status.failure),
            "last_error": _text(status.last_error),
            "stream": self._views.stream_codec(status.source_id),
            "can_reconnect": self._can_reconnect(status),
            "is_own": not is_of_socket,
            **self._overrides.describe(status.source_id),
        }

    def _can_reconnect(self, status: SourceStatus) -> bool:
        if self._ingresses.has(status.source_id):
            return False
        if status.state.is_over:
            return status.source_id in self._specs
        try:
            return self._there().can_reconnect(status.source_id)
        except KeyError:
            return False  # it was removed meanwhile


def module_record(found: ModuleStatistics) -> dict[str, Any]:
    """Return a snapshot as JSON has it, without its sources."""
    return {
        "state": found.state,
        "uptime_s": round(found.uptime_s, 3),
        "frames_per_s": round(found.frames_per_s, 2),
        "latency_ms": _ms(found.latency),
        "total": account_record(found.total),
        "stages": [
            {
                "name": stage.name,
                "frames": stage.frames,
                "queue_length": stage.queue_length,
                "batches": stage.batches,
                "objects": stage.objects,
                "times_ms": _ms(stage.times),
            }
            for stage in found.stages
        ],
        "sinks": [
            {
                "name": sink.name,
                "written": sink.written,
                "waiting": sink.waiting,
                "dropped": dict(sink.dropped),
                "failure": _text(sink.failure),
            }
            for sink in found.sinks
        ],
    }


def _ms(times: LatencySummary) -> dict[str, float]:
    """Return durations in milliseconds; ``sum`` and ``count`` let a reader tell what came since the last look."""
    found = {"p50": times.p50_ns, "p99": times.p99_ns, "sum": times.sum_ns}
    return {"count": times.count, **{name: round(value_ns / 1e6, 3) for name, value_ns in found.items()}}


def account_record(account: SourceAccount) -> dict[str, Any]:
    """Return an account as JSON has it."""
    return {
        "came": account.came,
        "left": account.left,
        "dropped": dict(account.dropped),
        "under_way": account.under_way,
    }


def _text(error: BaseException | None) -> str | None:
    """Return what an error says, without the passwords of addresses."""
    if error is None:
        return None
    text = " ".join(str(error).split()) or type(error).__name__
    shown: str = masked(text[:ERROR_LETTERS], ())
    return shown


def _refused(error: PicassoError) -> OperationError:
    problems: Sequence[object] = getattr(error, "problems", ())
    return OperationError("; ".join(map(str, problems)) or str(error), 422, [str(problem) for problem in problems])
