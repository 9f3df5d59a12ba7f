"""A snapshot of a module: what became of every frame, what waits where, what every stage has done."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final
from weakref import WeakValueDictionary

from picasso.module.run.accounts import SourceAccount
from picasso.module.run.limits import Limit, PoolUse, QueueUse
from picasso.module.run.work_queue import WorkQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from picasso.flow import Source, SourceStatus
    from picasso.flow.sink import SinkThread
    from picasso.module.params.etcd import EtcdMirror
    from picasso.module.run.accounts import Accounts
    from picasso.module.run.batcher import Batcher
    from picasso.module.run.pipeline import ElementStats, Pipeline
    from picasso.module.run.stage import ModuleStage


@dataclass(frozen=True, slots=True)
class SourceStatistics:
    """One source. ``account.came == account.left + sum(account.dropped.values()) + account.under_way``, always."""

    account: SourceAccount
    """What came in and what became of it, with what the source itself kept back."""
    state: str = ""
    """As ``SourceState`` names it; empty for a source that is gone."""
    ingress_queue: QueueUse = field(default=QueueUse(0, 0, Limit()))
    """What waits for the decoder, encoded: ``ingress_queue_length``, ``ingress_queue_byte_size``. Files are read by the
    decoder itself: nothing of them ever waits."""
    decoder_queue: QueueUse = field(default=QueueUse(0, 0, Limit()))
    """Decoded frames that wait for a picture of the pool: ``decoder_queue_length``, ``decoder_queue_byte_size``."""
    pictures: PoolUse = field(default=PoolUse(0, None))
    """Frames that wait for a batch or are in one: ``stream_buffer_pool_size``."""
    egress: QueueUse = field(default=QueueUse(0, 0, Limit()))
    """Frames between the elements and the sinks: ``egress_queue_length``, ``egress_queue_byte_size``."""


@dataclass(frozen=True, slots=True)
class SinkStatistics:
    """One sink: ``came == written + sum(dropped.values()) + waiting``, always."""

    name: str
    came: int
    """Frames that it was given."""
    written: int
    dropped: Mapping[str, int]
    """Frames that it did not write, by reason; only reasons that occurred."""
    waiting: int
    """Frames in its queue, the one that is being written included."""
    queue: QueueUse
    """Messages in its queue, ends of streams too: ``queue_maxsize``."""
    failure: BaseException | None
    """What it raised first; it takes nothing more."""


@dataclass(frozen=True, slots=True)
class StageStatistics:
    """One stage of a module's pipeline, since the start."""

    name: str
    frames: int
    """Frames that have come to it."""
    queue_length: int = 0
    """What waits before it now."""
    batches: int = 0
    """Batches, for stages that work on batches."""
    objects: int = 0
    """Objects of the frames behind it, for elements."""


@dataclass(frozen=True, slots=True)
class EtcdStatistics:
    """The mirror of etcd."""

    age_s: float
    """Seconds since etcd was last heard of; 0 while the connection stands."""
    keys: int
    """Keys below the watched path."""


@dataclass(frozen=True, slots=True)
class ModuleStatistics:
    """What a module has done and does. A snapshot: it does not change."""

    name: str
    state: str
    uptime_s: float
    sources: Mapping[str, SourceStatistics]
    """By source id: those that are there, and the latest 64 that are gone."""
    gone: SourceAccount
    """All sources together that were gone before those."""
    sinks: Sequence[SinkStatistics]
    stages: Sequence[StageStatistics]
    """In the order of a frame's way; elements are called ``pyfunc/<module>.<class>``, others by name or kind."""
    batches: PoolUse
    """Batches under way: ``muxer_buffer_pool_size``."""
    queues: Sequence[QueueUse]
    """Queues between elements, in batches: ``buffer_queues`` and elements ``queue``."""
    etcd: EtcdStatistics | None
    """None where no etcd is configured."""

    @property
    def total(self) -> SourceAccount:
        """All sources together."""
        return sum((source.account for source in self.sources.values()), self.gone)

    def __str__(self) -> str:
        return f"module {self.name!r}: {self.total}"


@final
class Statistician:
    """Knows where everything is counted, and takes the snapshots."""

    def __init__(self, name: str, accounts: Accounts, statuses: Callable[[], Sequence[SourceStatus]]) -> None:
        """Count from now on.

        Args:
            name: The module's.
            accounts: What became of the frames.
            statuses: How the sources are doing.
        """
        self._name = name
        self._accounts = accounts
        self._statuses = statuses
        self._started_s = time.monotonic()
        self._there: WeakValueDictionary[str, Any] = WeakValueDictionary()
        self.batcher: Batcher | None = None
        self.stage: ModuleStage | None = None
        self.pipeline: Pipeline | None = None
        self.etcd: EtcdMirror | None = None

    def notice(self, source: Source) -> None:
        """Take notice of a source that joins."""
        with suppress(TypeError):  # one that cannot be referred to has no queue of ours
            self._there[source.source_id] = source

    def take(self, state: str, sinks: Sequence[SinkThread]) -> ModuleStatistics:
        """Return a snapshot. Any thread."""
        batcher, pipeline, etcd = self.batcher, self.pipeline, self.etcd
        return ModuleStatistics(
            name=self._name,
            state=state,
            uptime_s=time.monotonic() - self._started_s,
            sources=self._sources(),
            gone=self._accounts.gone,
            sinks=[_sink(sink) for sink in sinks],
            stages=self._stages(sinks),
            batches=PoolUse(0, None) if batcher is None else batcher.batch_use,
            queues=[] if pipeline is None else [queue.use for queue in pipeline.queues],
            etcd=None if etcd is None else EtcdStatistics(etcd.age_s, len(etcd.values())),
        )

    def stages(self, sinks: Sequence[SinkThread]) -> list[StageStatistics]:
        """Return what every stage has done. Any thread."""
        return self._stages(sinks)

    def _sources(self) -> dict[str, SourceStatistics]:
        statuses = {status.source_id: status for status in self._statuses()}
        accounts = self._accounts.sources()
        return {name: self._source(name, accounts.get(name), statuses.get(name)) for name in {**statuses, **accounts}}

    def _source(self, source_id: str, account: SourceAccount | None, status: SourceStatus | None) -> SourceStatistics:
        account = account or SourceAccount()
        if status is None or self.batcher is None or self.stage is None:
            return SourceStatistics(account)
        kept_back = {**status.source_dropped}
        if TOO_MANY in status.stage_dropped:  # it was never let in, so it has no ticket
            kept_back[TOO_MANY] = status.stage_dropped[TOO_MANY]
        egress = self.stage.egress_of(source_id)
        return SourceStatistics(
            account + SourceAccount(came=sum(kept_back.values()), dropped=kept_back),
            str(status.state),
            getattr(self._there.get(source_id), "ingress_use", None) or QueueUse(0, 0, Limit()),
            self.batcher.queue_use(source_id),
            self.batcher.picture_use(source_id),
            QueueUse(0, 0, Limit()) if egress is None else egress.use,
        )

    def _stages(self, sinks: Sequence[SinkThread]) -> list[StageStatistics]:
        if self.batcher is None or self.stage is None or self.pipeline is None:
            return []
        total, stage, pipeline = self._accounts.total, self.stage, self.pipeline
        waiting, elements = self.batcher.depth, pipeline.stages()
        egresses = stage.egresses()
        encoding = sum(egress.encoding for egress in egresses)
        between = sum(egress.waiting for egress in egresses)
        come, taken, done, out = total.came, pipeline.taken_frames, pipeline.done_frames, total.left
        entry = [StageStatistics(name, come) for name in ENTRY]
        muxer = [StageStatistics("muxer", come, waiting), StageStatistics("prepare-input", taken, 0, pipeline.taken)]
        middle = [_element(one) for one in elements]
        batches = [StageStatistics("update-frame-meta", done, 0, pipeline.done)]
        way_out = [StageStatistics(name, done) for name in EXIT]
        tagged = [StageStatistics("queue-tagged", stage.tagged, encoding)]
        encoder = [StageStatistics(name, self._accounts.encoded) for name in ENCODER]
        untagged = [StageStatistics("queue-not-tagged", stage.untagged, between)]
        end = [StageStatistics("frame-tag-funnel", out), StageStatistics("sink", out, _waiting(sinks))]
        return [*entry, *muxer, *middle, *batches, *way_out, *tagged, *encoder, *untagged, *end]


TOO_MANY = "max_sources"
"""Why the runner drops frames of a source that is one too many."""
ENTRY = ("source", "source-demuxer", "decode", "source-convert", "source-capsfilter")
EXIT = ("demuxer", "output-queue", "frame-tag-filter")
ENCODER = ("sink-convert", "encode", "parse", "sink-capsfilter")
"""Stages of the reference that are one step here: they count the same frames."""


def _element(one: ElementStats | WorkQueue) -> StageStatistics:
    if isinstance(one, WorkQueue):
        return StageStatistics(one.limits.name or "queue", one.passed_frames, one.qsize(), one.passed)
    return StageStatistics(one.stage, one.frames, one.queue_length, one.batches, one.objects)


def _waiting(sinks: Sequence[SinkThread]) -> int:
    return max((sink.status().waiting for sink in sinks), default=0)


def _sink(sink: SinkThread) -> SinkStatistics:
    status = sink.status()
    return SinkStatistics(
        status.name,
        status.came,
        status.written,
        status.dropped_by,
        status.came - status.written - status.dropped,
        QueueUse(status.waiting, 0, Limit(sink.limit)),
        status.failure,
    )
