"""The head over HTTP: the same calls and the same page as those of a module, over all actors."""

from __future__ import annotations

import hmac
import logging
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, final

from picasso.cluster.scrapes import joined
from picasso.errors import MissingDependencyError, OperationError, PicassoError, TransportError, require
from picasso.module.config import ConfigError
from picasso.module.config.secrets import masked
from picasso.module.run.operations import account_record, module_record
from picasso.web import Listener, Live, Picture, WebServer
from picasso.web.listener import ALL

if TYPE_CHECKING:
    from picasso.cluster.ledger import Seat
    from picasso.cluster.streams import ClusterModule
    from picasso.module.config.model import ModuleConfig

LOCAL: Final = "127.0.0.1"
VIEWS_S: Final = {"tile": 1.0, "large": 0.25}
"""Seconds from one picture to the next, of each source that someone watches."""
SNAPSHOT_S: Final = 2.0
LOOK_S: Final = 0.1
logger = logging.getLogger("picasso.cluster")


@final
class ClusterOperations:
    """What ``picasso.web`` serves of a module on a cluster. Any thread."""

    def __init__(self, module: ClusterModule) -> None:
        """Take the head."""
        self.name = module.config.name
        self._module = module

    def state(self) -> str:
        """Return where the module stands."""
        return self._module.state

    def sources(self) -> list[dict[str, Any]]:
        """Return every source, with the actor and the node that it is on."""
        return self._module.source_records()

    def statistics(self) -> dict[str, Any]:
        """Return what all actors have done and do, each actor, and the latest losses."""
        found: dict[str, Any] = module_record(self._module.statistics())
        found["actors"] = self.actors()
        found["gaps"] = [
            {"source_id": gap.source_id, "epoch": gap.epoch, "old": gap.old, "new": gap.new, "basis": gap.basis}
            | {"seconds": round(gap.seconds, 3), "lost_frames": gap.lost_frames}
            for gap in self._module.gaps[-100:]
        ]
        return found

    def overview(self) -> dict[str, Any]:
        """Return both."""
        return {"sources": self.sources(), "module": self.statistics()}

    def actors(self) -> list[dict[str, Any]]:
        """Return each actor: node, process, state, and where it listens."""
        return self._module.actors()

    def metrics(self) -> tuple[bytes, str]:
        """Return the metrics of all actors, each with its ``actor`` and ``node``."""
        try:
            client = require("prometheus_client", extra="metrics")
        except MissingDependencyError as error:
            raise OperationError(str(error), 501) from None
        return joined(self._module.metrics_texts()).encode(), client.CONTENT_TYPE_LATEST

    def add_source(self, entry: Mapping[str, Any]) -> str:
        """Add a source; it goes where there is most room."""
        return self._module.add_source(entry)

    def remove_source(self, source_id: str) -> None:
        """End a source behind what was read, and forget it."""
        self._module.remove_source(source_id)

    def pause(self, source_id: str) -> None:
        """Read no further frame of a source for now."""
        self._module.ask(source_id, "pause", source_id)

    def resume(self, source_id: str) -> None:
        """Read a paused source on."""
        self._module.ask(source_id, "resume", source_id)

    def reconnect(self, source_id: str) -> None:
        """Open a source again now."""
        self._module.ask(source_id, "reconnect", source_id)

    def set_drawing(self, source_id: str, rendered_objects: Mapping[str, Any] | None, *, is_on: bool = True) -> None:
        """Change what is drawn on the frames of a source."""
        self._module.ask(source_id, "set_drawing", source_id, rendered_objects, is_on=is_on)

    def set_gate(self, source_id: str, tag: str | None, *, is_own: bool = True) -> None:
        """Change which frames of a source are encoded."""
        self._module.ask(source_id, "set_gate", source_id, tag, is_own=is_own)

    def request_keyframe(self, source_id: str) -> None:
        """Make the next frame of a source that is encoded a keyframe."""
        self._module.ask(source_id, "request_keyframe", source_id)

    def snapshot(self, source_id: str, timeout_s: float) -> bytes:
        """Return the next frame of a source as JPEG."""
        picture: bytes = self._module.ask(source_id, "snapshot", source_id, timeout_s)
        return picture

    def stop(self, auth: str | None) -> None:
        """Stop in order, where ``auth`` is ``parameters.shutdown_auth``."""
        key = self._module.config.parameters.get("shutdown_auth")
        if key is None:
            raise OperationError("parameters.shutdown_auth is not set, so no request stops this module", 403)
        if auth is None or not hmac.compare_digest(auth.encode(), str(key).encode()):
            raise OperationError("auth is not parameters.shutdown_auth", 403)
        self._module.finish()


def record_of(seat: Seat, node: str | None) -> dict[str, Any]:
    """Return a source as ``/sources`` shows it; one that waits for an actor has the same keys."""
    account = seat.account
    record: dict[str, Any] = {
        "source_id": seat.source_id,
        "state": "failed" if seat.failure else "waiting",
        "spec": {"element": seat.entry["element"], "properties": masked(dict(seat.entry.get("properties") or {}), ())},
        "frames_per_s": 0.0,
        "bitrate_bps": 0,
        "latency_ms": {"count": 0, "p50": 0.0, "p99": 0.0, "sum": 0.0},
        "stages_ms": {},
        "queues": {"ingress": 0, "decoder": 0, "pictures": 0, "egress": 0},
        "waiting": 0,
        "reconnects": 0,
        "gap_s": 0.0,
        "failure": seat.failure or None,
        "last_error": seat.failure or seat.refusal or None,
        "can_reconnect": False,
        "is_own": True,
        **(seat.record if seat.home is not None else {}),
    }
    total = (record.get("counts") or {}).get("total")
    counts = account_record(account)
    record["counts"] = {
        "read": counts["came"],
        "delivered": counts["left"],
        "dropped": sum(account.dropped.values()),
        "dropped_by": counts["dropped"],
        "under_way": counts["under_way"],
        "total": total,
    }
    return {**record, "stream": None, "actor": seat.home, "node": node, "epoch": seat.epoch}


@final
class ClusterWeb:
    """The server of the head, where the configuration asks for one. It has the addresses that a module would have."""

    def __init__(self, module: ClusterModule, port: int | None) -> None:
        """Read what is asked for; nothing listens yet.

        Args:
            module: What is served.
            port: Of the page, in place of that of the configuration; None leaves it.

        Raises:
            MissingDependencyError: Something is asked for, and the ``web`` extra is not installed.
        """
        self.operations = ClusterOperations(module)
        """What can be asked of the module and done to it."""
        self._module = module
        self._watching = threading.Event()
        self._thread: threading.Thread | None = None
        self._live = Live(self)
        self._listeners = _listeners(module.config, port)
        self._server: WebServer | None = None
        if self._listeners:
            has_page = any(one.is_control for one in self._listeners.values())
            live = self._live if has_page else None
            self._server = WebServer(self.operations, list(self._listeners.values()), live)

    def start(self) -> None:
        """Listen.

        Raises:
            ConfigError: An address cannot be used.
        """
        if self._server is None:
            return
        try:
            self._server.start()
        except TransportError as error:
            raise ConfigError(
                [self._module.config.problem(("parameters", "web"), f"cannot listen: {error}")]
            ) from error
        if self.page is not None:
            logger.info("module %r: live page and control of all actors at %s", self._module.config.name, self.page)
            self._thread = threading.Thread(target=self._show, name="cluster-views", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Close every connection. May be called again."""
        self._watching.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._server is not None:
            self._server.stop()

    @property
    def page(self) -> str | None:
        """The address of the page and of control; None where it is off or does not listen."""
        return self._address("web")

    @property
    def health(self) -> str | None:
        """The address of ``healthcheck_port``; None where it is not set or does not listen."""
        return self._address("health")

    @property
    def metrics(self) -> str | None:
        """The address of metrics; None where no provider is set or does not listen."""
        return self._address("metrics") or self.health

    def has(self, source_id: str) -> bool:
        """Whether there is a source of that name."""
        return any(one["source_id"] == source_id for one in self._module.source_records())

    def stream_codec(self, source_id: str) -> str | None:  # noqa: ARG002 - pictures of JPEG for all
        """Return None: viewers of the head get pictures."""
        return None

    def request_keyframe(self, source_id: str) -> None:
        """Do nothing: pictures need no keyframe."""

    def _address(self, name: str) -> str | None:
        addresses = [] if self._server is None else self._server.addresses
        return dict(zip(self._listeners, addresses, strict=False)).get(name)

    def _show(self) -> None:
        """Take pictures of what someone watches, one after the other."""
        due_s: dict[tuple[str, str], float] = {}
        while not self._watching.wait(LOOK_S):
            for one in self._module.source_records():
                for view, every_s in VIEWS_S.items():
                    key = one["source_id"], view
                    now_s = time.monotonic()
                    if self._live.is_watched(*key) and now_s >= due_s.get(key, 0.0):
                        due_s[key] = now_s + every_s
                        self._take(*key)

    def _take(self, source_id: str, view: str) -> None:
        import simplejpeg

        try:
            data = self.operations.snapshot(source_id, SNAPSHOT_S)
        except PicassoError:
            return  # it is over, or between two actors
        height, width = simplejpeg.decode_jpeg_header(data)[:2]
        self._live.put(Picture(source_id, view, "jpeg", data, True, 0, (width, height), []))


def _listeners(config: ModuleConfig, port: int | None) -> dict[str, Listener]:
    """Return where the head listens, by what for: the ports of the file are the head's, those of actors are free."""
    parameters = config.parameters
    found: dict[str, Listener] = {}
    health = parameters.get("healthcheck_port")
    if health is not None:
        found["health"] = Listener(ALL, health)
    metrics = parameters["telemetry"].get("metrics") or {}
    if metrics.get("provider") is not None:
        own = int((metrics.get("provider_params") or {})["port"])
        if own != health:
            found["metrics"] = Listener(ALL, own)
    block = dict(parameters.get("web") or {})
    if port is not None:
        block["port"] = port
    if block:
        host = block.get("host") or LOCAL
        found["web"] = Listener(host, block["port"], is_control=True, token=block.get("token"))
    return found
