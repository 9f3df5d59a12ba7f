"""An engine, or a runner of sources, as Prometheus reads it: each source that is there, by the names of modules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from picasso.engine import Step
from picasso.observe.families import counter, durations, gauge, one_of
from picasso.observe.module_families import STATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prometheus_client import Metric

    from picasso.engine import EngineStats, SourceStats
    from picasso.flow import SourceStatus

_PARTS: Final = tuple(step for step in Step if step is not Step.TOTAL)


def engine_families(stats: EngineStats) -> Iterator[Metric]:
    """Yield every family of the sources that an engine has a thread for."""
    live = {name: source for name, source in stats.sources.items() if source.is_live}

    def each(pick: Callable[[SourceStats], float]) -> dict[tuple[str, ...], float]:
        return {(name,): pick(one) for name, one in live.items()}

    label = ["source_id"]
    yield counter("picasso_source_frames_received", "Frames that were sent.", label, each(lambda one: one.frames_in))
    yield counter("picasso_source_frames_delivered", "Frames that came out.", label, each(lambda one: one.frames_out))
    yield counter(
        "picasso_source_frames_dropped",
        "Frames that did not, by reason.",
        ["source_id", "reason"],
        {(name, str(why)): count for name, one in live.items() for why, count in one.dropped.items()},
    )
    yield gauge("picasso_source_frames_under_way", "Frames in the engine.", label, each(_under_way))
    yield gauge(
        "picasso_source_waiting",
        "Frames that wait for the thread of the source.",
        ["source_id", "queue"],
        {(name, "engine"): one.queue_depth for name, one in live.items()},
    )
    yield counter(
        "picasso_source_errors",
        "Calls of on_error, by stage.",
        ["source_id", "stage"],
        {(name, str(stage)): count for name, one in live.items() for stage, count in one.errors.items()},
    )
    yield counter("picasso_source_encoded_bytes", "What its encoders made.", label, each(lambda one: one.encoded_bytes))
    yield durations(
        "picasso_source_latency_seconds",
        "From sending a frame until its callback has returned.",
        label,
        {(name,): one.latency[Step.TOTAL] for name, one in live.items()},
    )
    yield durations(
        "picasso_source_stage_latency_seconds",
        "How long the steps of its frames took.",
        ["source_id", "stage"],
        {(name, str(step)): one.latency[step] for name, one in live.items() for step in _PARTS},
    )


def runner_families(statuses: Sequence[SourceStatus]) -> Iterator[Metric]:
    """Yield what a runner knows beyond its engine: states, reconnects, what sources kept back, sinks."""
    label = ["source_id"]
    yield gauge(
        "picasso_source_state",
        "1 for the state of the source.",
        ["source_id", "state"],
        {(one.source_id, state): on for one in statuses for state, on in one_of(str(one.state), STATES).items()},
    )
    yield counter(
        "picasso_source_reconnects",
        "How often it was opened again.",
        label,
        {(o.source_id,): o.restarts for o in statuses},
    )
    yield counter(
        "picasso_source_frames_read", "Frames that were read.", label, {(o.source_id,): o.read for o in statuses}
    )
    yield counter(
        "picasso_source_frames_kept_back",
        "Frames that did not come to the engine, by reason.",
        ["source_id", "reason"],
        {
            (one.source_id, why): count
            for one in statuses
            for why, count in _together(one.source_dropped, one.stage_dropped).items()
        },
    )
    yield counter(
        "picasso_sink_frames_written",
        "Frames that a sink wrote.",
        ["source_id", "sink"],
        {(one.source_id, f"{place}"): sink.written for one in statuses for place, sink in enumerate(one.sinks)},
    )
    yield counter(
        "picasso_sink_frames_dropped",
        "Frames that it did not write, by reason.",
        ["source_id", "sink", "reason"],
        {
            (one.source_id, f"{place}", why): count
            for one in statuses
            for place, sink in enumerate(one.sinks)
            for why, count in sink.dropped_by.items()
        },
    )


def _under_way(one: SourceStats) -> float:
    return max(one.frames_in - one.frames_out - sum(one.dropped.values()), 0)


def _together(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return {reason: first.get(reason, 0) + second.get(reason, 0) for reason in {**first, **second}}
