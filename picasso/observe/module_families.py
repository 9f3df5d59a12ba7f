"""The account of a module as Prometheus reads it: of the module, and of each source that is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from picasso.flow import SourceState
from picasso.observe.families import counter, distinct, durations, gauge, one_of, sizes

if TYPE_CHECKING:
    from prometheus_client import Metric

    from picasso.observe.account import ModuleStatistics, SourceStatistics

STATES: Final = tuple(str(state) for state in SourceState)
MODULE_STATES: Final = ("initializing", "starting", "running", "stopping", "stopped")
_Pick = Callable[["SourceStatistics"], float]


def module_families(statistics: ModuleStatistics) -> Iterator[Metric]:
    """Yield every family of a snapshot."""
    yield from _of_module(statistics)
    yield from _of_stages(statistics)
    yield from _of_sinks(statistics)
    there = {name: source for name, source in statistics.sources.items() if source.is_there}
    yield from _of_sources(there)


def _of_module(statistics: ModuleStatistics) -> Iterator[Metric]:
    total = statistics.total
    states = Counter(source.state for source in statistics.sources.values() if source.is_there)
    yield counter("picasso_frames_received", "Frames that came in, of all sources.", (), {(): total.came})
    yield counter("picasso_frames_delivered", "Frames that were handed to the sinks.", (), {(): total.left})
    yield counter("picasso_frames_dropped", "Frames that were not, by reason.", ["reason"], _by_reason(total.dropped))
    yield gauge("picasso_frames_under_way", "Frames that are in the module.", (), {(): total.under_way})
    yield durations(
        "picasso_latency_seconds",
        "From the receipt of a frame until every sink has taken it, queues included.",
        (),
        {(): statistics.latency},
    )
    yield counter("picasso_encoded_bytes", "What encoders made.", (), {(): statistics.encoded_bytes})
    yield gauge("picasso_frames_per_second", "Frames that leave, over ten seconds.", (), {(): statistics.frames_per_s})
    yield gauge("picasso_sources", "Sources by state.", ["state"], {(state,): states[state] for state in STATES})
    yield gauge(
        "picasso_module_state",
        "1 for the state of the module.",
        ["state"],
        {(state,): on for state, on in one_of(statistics.state, MODULE_STATES).items()},
    )
    yield gauge("picasso_uptime_seconds", "Since the module was made.", (), {(): statistics.uptime_s})
    yield counter(
        "picasso_ingress_refused",
        "Messages of sockets that were not let in, by reason.",
        ["reason"],
        _by_reason(statistics.refused),
    )
    pool = statistics.batches
    yield gauge("picasso_pool_used", "What is taken of a pool.", ["pool"], {("batches",): pool.used})
    yield gauge(
        "picasso_pool_size", "How large a pool is.", ["pool"], {} if pool.size is None else {("batches",): pool.size}
    )
    made = statistics.auxiliary
    yield counter("picasso_auxiliary_frames_received", "Frames that elements made.", (), {(): made.came})
    yield counter("picasso_auxiliary_frames_delivered", "Frames of those that reached the sinks.", (), {(): made.left})
    yield counter(
        "picasso_auxiliary_frames_dropped", "Frames that did not, by reason.", ["reason"], _by_reason(made.dropped)
    )
    if statistics.etcd is not None:
        yield gauge("picasso_etcd_age_seconds", "Since etcd was last heard of.", (), {(): statistics.etcd.age_s})


def _of_stages(statistics: ModuleStatistics) -> Iterator[Metric]:
    stages = statistics.stages
    yield counter(
        "picasso_stage_frames", "Frames that came to a stage.", ["stage"], {(one.name,): one.frames for one in stages}
    )
    yield gauge(
        "picasso_stage_waiting",
        "What waits before a stage.",
        ["stage"],
        {(one.name,): one.queue_length for one in stages},
    )
    yield durations(
        "picasso_stage_latency_seconds",
        "How long frames are in a stage, waiting for it included.",
        ["stage"],
        {(one.name,): one.times for one in stages if one.times.count},
    )
    yield sizes(
        "picasso_batch_size",
        "Sizes of the batches of an element: frames, or what a model says that it takes at once.",
        ["stage"],
        {(one.name,): one.batch_sizes for one in stages if one.batch_sizes},
    )


def _of_sinks(statistics: ModuleStatistics) -> Iterator[Metric]:
    sinks = list(zip(distinct([sink.name for sink in statistics.sinks]), statistics.sinks, strict=True))
    yield counter(
        "picasso_sink_frames_received",
        "Frames that a sink was given.",
        ["sink"],
        {(name,): one.came for name, one in sinks},
    )
    yield counter(
        "picasso_sink_frames_written", "Frames that it wrote.", ["sink"], {(name,): one.written for name, one in sinks}
    )
    yield counter(
        "picasso_sink_frames_dropped",
        "Frames that it did not write, by reason.",
        ["sink", "reason"],
        {(name, why): count for name, one in sinks for why, count in one.dropped.items()},
    )
    yield gauge("picasso_sink_waiting", "Frames in its queue.", ["sink"], {(name,): one.waiting for name, one in sinks})
    yield gauge(
        "picasso_sink_failed",
        "1 where it has failed.",
        ["sink"],
        {(name,): one.failure is not None for name, one in sinks},
    )


def _of_sources(sources: Mapping[str, SourceStatistics]) -> Iterator[Metric]:
    def each(pick: _Pick) -> dict[tuple[str, ...], float]:
        return {(name,): pick(one) for name, one in sources.items()}

    label = ["source_id"]
    yield counter("picasso_source_frames_received", "Frames that came in.", label, each(lambda one: one.account.came))
    yield counter(
        "picasso_source_frames_delivered",
        "Frames that were handed to the sinks.",
        label,
        each(lambda one: one.account.left),
    )
    yield counter(
        "picasso_source_frames_dropped",
        "Frames that were not, by reason.",
        ["source_id", "reason"],
        {(name, why): count for name, one in sources.items() for why, count in one.account.dropped.items()},
    )
    yield gauge(
        "picasso_source_frames_under_way", "Frames in the module.", label, each(lambda one: one.account.under_way)
    )
    yield gauge(
        "picasso_source_state",
        "1 for the state of the source.",
        ["source_id", "state"],
        {(name, state): on for name, one in sources.items() for state, on in one_of(one.state, STATES).items()},
    )
    yield counter(
        "picasso_source_reconnects", "How often it was opened again.", label, each(lambda one: one.reconnects)
    )
    yield gauge(
        "picasso_source_frames_per_second",
        "Frames that leave, over ten seconds.",
        label,
        each(lambda one: one.frames_per_s),
    )
    yield counter("picasso_source_encoded_bytes", "What its encoder made.", label, each(lambda one: one.encoded_bytes))
    yield gauge(
        "picasso_source_encoder_bytes_per_second",
        "What its encoder makes, over ten seconds.",
        label,
        each(lambda one: one.bitrate_bps / 8),
    )
    yield durations(
        "picasso_source_latency_seconds",
        "From the receipt of a frame until every sink has taken it, queues included.",
        label,
        {(name,): one.latency for name, one in sources.items()},
    )
    yield durations(
        "picasso_source_stage_latency_seconds",
        "How long its frames are in a stage, waiting for it included.",
        ["source_id", "stage"],
        {(name, stage): times for name, one in sources.items() for stage, times in one.stages.items()},
    )
    yield gauge(
        "picasso_source_waiting",
        "What waits of it: packets for the decoder, decoded frames for the elements, frames for the sinks.",
        ["source_id", "queue"],
        {
            (name, queue): use.length
            for name, one in sources.items()
            for queue, use in (("ingress", one.ingress_queue), ("decoder", one.decoder_queue), ("egress", one.egress))
        },
    )
    yield gauge(
        "picasso_source_pool_used", "Pictures of its pool that are taken.", label, each(lambda one: one.pictures.used)
    )
    sized = {name: one.pictures.size for name, one in sources.items()}
    yield gauge(
        "picasso_source_pool_size",
        "Pictures of its pool.",
        label,
        {(name,): size for name, size in sized.items() if size is not None},
    )


def _by_reason(dropped: Mapping[str, int]) -> dict[tuple[str, ...], float]:
    return {(reason,): count for reason, count in dropped.items()}
