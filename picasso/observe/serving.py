"""Metrics of an engine or a runner by one call, for programs that embed them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from picasso.engine import PicassoEngine
from picasso.flow import Runner
from picasso.observe.custom import UserMetric, label_faults

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prometheus_client import CollectorRegistry, Metric

    from picasso.observe.exporter import MetricsServer, Registry


def serve_metrics(
    what: PicassoEngine | Runner,
    port: int,
    *,
    host: str = "",
    labels: Mapping[str, str] | None = None,
    custom: Sequence[UserMetric] = (),
) -> MetricsServer:
    """Let Prometheus read an engine or a runner at ``http://<host>:<port>/metrics``.

    ::

        with serve_metrics(runner, 9400, labels={"site": "north"}):
            runner.run()

    Each source that is there has its series: frames, drops by reason, latencies from sending to callback and by step,
    bytes; of a runner also states, reconnects and sinks. A source that is removed or evicted leaves no series behind.

    Args:
        what: The engine or the runner.
        port: TCP port; 0 takes a free one, which ``port`` of what is returned tells.
        host: Address to listen at; empty for every interface.
        labels: Added to every series.
        custom: Counters and gauges of the program, ``picasso.observe.Counter`` and ``Gauge``.

    Returns:
        The server; ``close``, or the end of a ``with`` block, ends it.

    Raises:
        MissingDependencyError: prometheus-client is not installed; the message names the ``pip install`` line.
        TransportError: The port cannot be listened at.
        ValueError: A label has a name that cannot be.
    """
    from picasso.errors import require

    require("prometheus_client", extra="metrics")
    from picasso.observe.exporter import MetricsServer

    return MetricsServer(_registry(what, labels, custom), port, host)


def metrics_registry(
    what: PicassoEngine | Runner, *, labels: Mapping[str, str] | None = None, custom: Sequence[UserMetric] = ()
) -> CollectorRegistry:
    """Return the same as a registry of prometheus-client, for programs with a server of their own.

    Args:
        what: The engine or the runner.
        labels: Added to every series.
        custom: Counters and gauges of the program.

    Raises:
        MissingDependencyError: prometheus-client is not installed.
        ValueError: A label has a name that cannot be.
    """
    return _registry(what, labels, custom).registry


def _registry(what: PicassoEngine | Runner, labels: Mapping[str, str] | None, custom: Sequence[UserMetric]) -> Registry:
    from picasso.observe.engine_families import engine_families, runner_families
    from picasso.observe.exporter import Registry
    from picasso.observe.families import custom_families

    if not isinstance(what, PicassoEngine | Runner):
        raise TypeError(f"serve_metrics: expected a PicassoEngine or a Runner, got {what!r:.80}")
    for name, why in label_faults(labels or {}):
        raise ValueError(f"serve_metrics: labels[{name!r}]: {why}")

    def collect() -> Iterator[Metric]:
        engine = what.engine if isinstance(what, Runner) else what
        yield from engine_families(engine.stats())
        if isinstance(what, Runner):
            yield from runner_families(what.statuses())
        yield from custom_families(custom)

    return Registry(collect, labels)
