"""The one snapshot of a module: where everything is counted, and how it becomes plain values."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, final
from weakref import WeakValueDictionary

from picasso.flow.sink import SinkThread
from picasso.module.run.accounts import Measures
from picasso.module.run.work_queue import WorkQueue
from picasso.observe.account import (
    EtcdStatistics,
    ModuleStatistics,
    SinkStatistics,
    SourceAccount,
    SourceStatistics,
    StageStatistics,
)
from picasso.observe.levels import NO_QUEUE, Limit, PoolUse, QueueUse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from picasso.engine.stats import LatencySummary
    from picasso.flow import Source, SourceStatus
    from picasso.module.params.etcd import EtcdMirror
    from picasso.module.run.accounts import Accounts
    from picasso.module.run.auxiliary import AuxiliaryStreams
    from picasso.module.run.batcher import Batcher
    from picasso.module.run.pipeline import ElementStats, Pipeline
    from picasso.module.run.stage import ModuleStage
    from picasso.observe.custom import AllMetrics

ERROR_LETTERS: Final = 200
"""Of an error's text that is kept."""


@final
class Statistician:
    """Knows where everything is counted, and takes the snapshots."""

    def __init__(
        self,
        name: str,
        accounts: Accounts,
        current: Callable[[], Sequence[SourceStatus]],
        with_past: Callable[[Sequence[SourceStatus]], Sequence[SourceStatus]] = lambda statuses: statuses,
        *,
        refused: Callable[[], Mapping[str, int]] = dict,
        is_real: bool = True,
    ) -> None:
        """Count from now on.

        Args:
            name: The module's.
            accounts: What became of the frames.
            current: How the sources are doing that are there.
            with_past: Adds what they counted before they were gone and came again.
            refused: What sockets did not let in, by reason.
            is_real: Whether the module goes by the system's monotonic clock.
        """
        self._name = name
        self._accounts = accounts
        self._current = current
        self._with_past = with_past
        self._refused = refused
        self._is_real = is_real
        self.metrics: AllMetrics | None = None
        self._known: set[str] = set()
        """Sources that are there, or were at the last snapshot."""
        self._started_s = time.monotonic()
        self._pulling = threading.Lock()
        """Over who is there and what it says to have kept back: a source is not forgotten between the two."""
        self._there: WeakValueDictionary[str, Any] = WeakValueDictionary()
        self.batcher: Batcher | None = None
        self.stage: ModuleStage | None = None
        self.pipeline: Pipeline | None = None
        self.etcd: EtcdMirror | None = None
        self.auxiliary: AuxiliaryStreams | None = None

    def notice(self, source: Source | None) -> Source | None:
        """Take notice of a source that joins; return the one of its name before it."""
        if source is None:
            return None
        before: Source | None = self._there.get(source.source_id)
        with suppress(TypeError):  # one that cannot be referred to has no queue of ours
            self._there[source.source_id] = source
        return before

    def has_joined(self, source_id: str) -> None:
        """Take notice that a source is there: what users count of it ends when it is gone."""
        with self._pulling:
            self._known.add(source_id)

    def came_ns(self, source_id: str) -> tuple[int, int] | None:
        """Return when the bytes of the newest frame of a source were received and decoded, where it tells.

        Sources go by the system's monotonic clock: under another clock it is not known.
        """
        return getattr(self._there.get(source_id), "came_ns", None) if self._is_real else None

    def forget(self, last: SourceStatus) -> None:
        """Take notice of a source that is gone, and how it fared."""
        with self._pulling:
            self._accounts.keep_back(last.source_id, _kept_back(last))
            self._accounts.forget_kept_back(last.source_id)

    def take(self, state: str, sinks: Sequence[SinkThread]) -> ModuleStatistics:
        """Return a snapshot. Any thread."""
        batcher, pipeline, etcd = self.batcher, self.pipeline, self.etcd
        current = self._pull()
        measures, together = self._accounts.measures()  # before the counts: no more frames took a time than have left
        accounts, gone = self._accounts.snapshot()
        stages = self._stages(sinks, together.stages)
        order = {stage.name: place for place, stage in enumerate(stages)}
        past = {status.source_id: status for status in self._with_past(list(current.values()))}
        return ModuleStatistics(
            name=self._name,
            state=state,
            uptime_s=time.monotonic() - self._started_s,
            sources={
                name: self._source(
                    accounts.get(name) or SourceAccount(),
                    measures.get(name, NOTHING),
                    past.get(name),
                    is_there=name in current,
                    order=order,
                )
                for name in {**current, **accounts}
            },
            gone=gone,
            sinks=[_sink(sink) for sink in sinks],
            stages=stages,
            batches=PoolUse(0, None) if batcher is None else batcher.batch_use,
            queues=[] if pipeline is None else [queue.use for queue in pipeline.queues],
            etcd=None if etcd is None else EtcdStatistics(etcd.age_s, len(etcd.values())),
            latency=together.latency,
            frames_per_s=together.frames_per_s,
            encoded_bytes=together.encoded_bytes,
            refused=self._refused(),
            auxiliary=SourceAccount() if self.auxiliary is None else self.auxiliary.account(),
        )

    def stages(self, sinks: Sequence[SinkThread]) -> list[StageStatistics]:
        """Return what every stage has done, without how long that took. Any thread."""
        self._pull()
        return self._stages(sinks, {})

    def _pull(self) -> dict[str, SourceStatus]:
        """Count what sources have kept back; return how those are doing that are there."""
        with self._pulling:
            known = set(self._known)
            current = {status.source_id: status for status in self._current()}
            for source_id, status in current.items():
                self._accounts.keep_back(source_id, _kept_back(status))
            gone = known - current.keys()
            self._known -= gone
        if gone and self.metrics is not None:
            self.metrics.drop_sources(gone)
        return current

    def _source(
        self,
        account: SourceAccount,
        measures: Measures,
        status: SourceStatus | None,
        *,
        is_there: bool,
        order: Mapping[str, int],
    ) -> SourceStatistics:
        known = SourceStatistics(
            account,
            frames_per_s=measures.frames_per_s,
            latency=measures.latency,
            stages=dict(sorted(measures.stages.items(), key=lambda one: order.get(one[0], len(order)))),
            encoded_bytes=measures.encoded_bytes,
            bitrate_bps=measures.bitrate_bps,
        )
        if status is None or self.batcher is None or self.stage is None:
            return known
        egress = self.stage.egress_of(status.source_id)
        return replace(
            known,
            state=str(status.state),
            is_there=is_there,
            reconnects=status.restarts,
            gap_s=status.gap_s,
            last_error=_line(status.last_error),
            ingress_queue=getattr(self._there.get(status.source_id), "ingress_use", None) or NO_QUEUE,
            decoder_queue=self.batcher.queue_use(status.source_id),
            pictures=self.batcher.picture_use(status.source_id),
            egress=NO_QUEUE if egress is None else egress.use,
        )

    def _stages(self, sinks: Sequence[SinkThread], times: Mapping[str, LatencySummary]) -> list[StageStatistics]:
        if self.batcher is None or self.stage is None or self.pipeline is None:
            return []
        total, stage, pipeline = self._accounts.total, self.stage, self.pipeline
        waiting, elements = self.batcher.depth, pipeline.stages()
        egresses = stage.egresses()
        encoding = sum(egress.encoding for egress in egresses)
        between = sum(egress.waiting for egress in egresses)
        come, taken, done, out = self._accounts.entered, pipeline.taken_frames, pipeline.done_frames, total.left
        ingress = sum(use.length for use in self._ingress_uses())
        entry = [StageStatistics("source", total.came, ingress), *(StageStatistics(name, come) for name in ENTRY)]
        muxer = [StageStatistics("muxer", come, waiting), StageStatistics("prepare-input", taken, 0, pipeline.taken)]
        middle = [_element(one) for one in elements]
        batches = [StageStatistics("update-frame-meta", done, 0, pipeline.done)]
        way_out = [StageStatistics(name, done) for name in EXIT]
        tagged = [StageStatistics("queue-tagged", stage.tagged, encoding)]
        encoder = [StageStatistics(name, self._accounts.encoded) for name in ENCODER]
        untagged = [StageStatistics("queue-not-tagged", stage.untagged, between)]
        end = [StageStatistics("frame-tag-funnel", out), StageStatistics("sink", out, _waiting(sinks))]
        found = [*entry, *muxer, *middle, *batches, *way_out, *tagged, *encoder, *untagged, *end]
        return [replace(one, times=times[one.name]) if one.name in times else one for one in found]

    def _ingress_uses(self) -> list[QueueUse]:
        uses = [getattr(source, "ingress_use", None) for source in list(self._there.values())]
        return [use for use in uses if use is not None]


def _kept_back(status: SourceStatus) -> dict[str, int]:
    """Return the frames that have no ticket: those that the source kept back, or that were never let in."""
    kept_back = {**status.source_dropped}
    if TOO_MANY in status.stage_dropped:
        kept_back[TOO_MANY] = kept_back.get(TOO_MANY, 0) + status.stage_dropped[TOO_MANY]
    return kept_back


def _line(error: BaseException | None) -> str:
    return "" if error is None else (" ".join(str(error).split()) or type(error).__name__)[:ERROR_LETTERS]


NOTHING = Measures()
TOO_MANY = "max_sources"
"""Why the runner drops frames of a source that is one too many."""
ENTRY = ("source-demuxer", "decode", "source-convert", "source-capsfilter")
EXIT = ("demuxer", "output-queue", "frame-tag-filter")
ENCODER = ("sink-convert", "encode", "parse", "sink-capsfilter")
"""Stages of the reference that are one step here: they count the same frames."""


def _element(one: ElementStats | WorkQueue) -> StageStatistics:
    if isinstance(one, WorkQueue):
        return StageStatistics(one.limits.name or "queue", one.passed_frames, one.qsize(), one.passed)
    return StageStatistics(
        one.stage, one.frames, one.queue_length, one.batches, one.objects, batch_sizes=dict(one.batch_sizes)
    )


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
