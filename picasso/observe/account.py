"""The account of a module: a snapshot of plain values. Tables, lines, metrics and pages show these and no others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from picasso.engine.stats import NO_TIMES, LatencySummary
from picasso.observe.levels import NO_QUEUE, PoolUse, QueueUse


@dataclass(frozen=True, slots=True)
class SourceAccount:
    """What became of the frames of a source: ``came == left + sum(dropped.values()) + under_way``, always."""

    came: int = 0
    """Frames that came in."""
    left: int = 0
    """Frames that were handed to the sinks."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Frames that were not, by reason; only reasons that occurred."""
    under_way: int = 0
    """Frames that are in the module."""

    def __add__(self, other: SourceAccount) -> SourceAccount:
        return SourceAccount(
            self.came + other.came,
            self.left + other.left,
            dict(Counter(self.dropped) + Counter(other.dropped)),
            self.under_way + other.under_way,
        )

    def __str__(self) -> str:
        dropped = ", ".join(f"{reason} {count}" for reason, count in sorted(self.dropped.items()))
        rest = f" + {self.under_way} under way" if self.under_way else ""
        why = f" ({dropped})" if dropped else ""
        return f"{self.came} frames in = {self.left} out + {sum(self.dropped.values())} dropped{why}{rest}"


@dataclass(frozen=True, slots=True)
class SourceStatistics:
    """One source. ``account.came == account.left + sum(account.dropped.values()) + account.under_way``, always."""

    account: SourceAccount
    """What came in and what became of it, with what the source itself kept back."""
    state: str = ""
    """As ``SourceState`` names it; empty for a source of which nothing but its account is known."""
    is_there: bool = False
    """Whether the module has it: False for a source that came through a socket and is gone."""
    frames_per_s: float = 0.0
    """Frames that leave, over the last ten seconds."""
    latency: LatencySummary = NO_TIMES
    """From the receipt of a frame's bytes until every sink has taken it, every queue included; of frames that left."""
    stages: Mapping[str, LatencySummary] = field(default_factory=dict)
    """How long frames were in each stage, waiting for it included, in the order of their way. The stages of a frame
    follow each other without a gap: for frames that left, they add up to ``latency``."""
    encoded_bytes: int = 0
    """Bytes of the frames that were encoded here."""
    bitrate_bps: float = 0.0
    """Those in bits a second, over the last ten seconds."""
    reconnects: int = 0
    """How often it was opened again."""
    gap_s: float = 0.0
    """Seconds without a frame when it was last lost or silent, and came back."""
    last_error: str = ""
    """The newest error of the source in one line, whether or not it ended it; empty where there was none."""
    ingress_queue: QueueUse = NO_QUEUE
    """What waits for the decoder, encoded: ``ingress_queue_length``, ``ingress_queue_byte_size``. Files are read by the
    decoder itself: nothing of them ever waits."""
    decoder_queue: QueueUse = NO_QUEUE
    """Decoded frames that wait for a picture of the pool: ``decoder_queue_length``, ``decoder_queue_byte_size``."""
    pictures: PoolUse = field(default=PoolUse(0, None))
    """Frames that wait for a batch or are in one: ``stream_buffer_pool_size``."""
    egress: QueueUse = NO_QUEUE
    """Frames between the elements and the sinks: ``egress_queue_length``, ``egress_queue_byte_size``."""

    @property
    def waiting(self) -> int:
        """Frames that wait in its queues or are in a batch."""
        return self.ingress_queue.length + self.decoder_queue.length + self.pictures.used + self.egress.length


@dataclass(frozen=True, slots=True)
class SinkStatistics:
    """One sink: ``came == written + sum(dropped.values()) + waiting``, always."""

    name: str
    """Its name, or its element."""
    came: int
    """Frames that it was given: those that left the module, and those of auxiliary streams."""
    written: int
    """Frames that it wrote."""
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
    """Its name."""
    frames: int
    """Frames that have come to it."""
    queue_length: int = 0
    """What waits before it now."""
    batches: int = 0
    """Batches, for stages that work on batches."""
    objects: int = 0
    """Objects of the frames behind it, for elements."""
    times: LatencySummary = NO_TIMES
    """How long frames of all sources were in it, waiting for it included; nothing for a stage that is a part of another
    one here."""
    batch_sizes: Mapping[int, int] = field(default_factory=dict)
    """How many batches had a given size, for elements: in frames, or in what a model says that it takes."""


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
    """The name of the module."""
    state: str
    """What it does: ``initializing``, ``starting``, ``running``, ``stopping`` or ``stopped``."""
    uptime_s: float
    """Seconds since it started."""
    sources: Mapping[str, SourceStatistics]
    """By source id: those that are there, and the latest that are gone."""
    gone: SourceAccount
    """All sources together that were gone before those."""
    sinks: Sequence[SinkStatistics]
    """Each of its sinks."""
    stages: Sequence[StageStatistics]
    """In the order of a frame's way; elements are called ``pyfunc/<module>.<class>``, others by name or kind."""
    batches: PoolUse
    """Batches under way: ``muxer_buffer_pool_size``."""
    queues: Sequence[QueueUse]
    """Queues between elements, in batches: ``buffer_queues`` and elements ``queue``."""
    etcd: EtcdStatistics | None
    """None where no etcd is configured."""
    latency: LatencySummary = NO_TIMES
    """As ``SourceStatistics.latency``, of all sources that ever were."""
    frames_per_s: float = 0.0
    """Frames that leave, over the last ten seconds."""
    encoded_bytes: int = 0
    """Bytes of the frames that were encoded here, of all sources that ever were."""
    refused: Mapping[str, int] = field(default_factory=dict)
    """Frames and messages that a socket did not let in, by reason. Those of sources that are let in stand in their
    accounts, too."""
    auxiliary: SourceAccount = field(default=SourceAccount())
    """Frames that elements made for auxiliary streams, which go to the sinks, too; all streams together."""

    @property
    def total(self) -> SourceAccount:
        """All sources together."""
        return sum((source.account for source in self.sources.values()), self.gone)

    def __str__(self) -> str:
        return f"module {self.name!r}: {self.total}"

    def _repr_html_(self) -> str:
        from picasso.primitives.html import table

        rows = [
            (
                *(name, one.state, one.account.came, one.account.left, sum(one.account.dropped.values())),
                *(one.account.under_way, one.frames_per_s, one.latency.p50_ns / 1e6, one.latency.p99_ns / 1e6),
                one.last_error,
            )
            for name, one in self.sources.items()
        ]
        about = ("frames/s", "p50 ms", "p99 ms", "last error")
        headings = ("source", "state", "came", "left", "dropped", "under way", *about)
        steps = [
            (stage.name, stage.times.count, stage.times.p50_ns / 1e6, stage.times.p99_ns / 1e6) for stage in self.stages
        ]
        return table(headings, rows) + table(("stage", "frames", "p50 ms", "p99 ms"), steps)
