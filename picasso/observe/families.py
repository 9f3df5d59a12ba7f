"""Building blocks of what Prometheus reads: families of samples, made again for each scrape.

prometheus-client is imported by these files only; they are imported when metrics are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Final

from picasso.engine.stats import BOUNDS_NS
from picasso.errors import require

core: ModuleType = require("prometheus_client.core", extra="metrics")

if TYPE_CHECKING:
    from prometheus_client import Metric

    from picasso.engine.stats import LatencySummary
    from picasso.observe.custom import UserMetric
    from picasso.observe.records import Record

NS_PER_S: Final = 1_000_000_000
MS_PER_S: Final = 1_000
SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
"""Bounds of the sizes of batches."""
_SIZES: Final = [f"{size}.0" for size in SIZES]
Values = Mapping[tuple[str, ...], float]
_LE: Final = [repr(bound_ns / NS_PER_S) for bound_ns in BOUNDS_NS]


def counter(name: str, text: str, labels: Sequence[str], values: Values) -> Metric:
    """Return a family of counters, called ``<name>_total``, with a value for each combination of labels."""
    family: Metric = core.CounterMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(_key(key), value)  # type: ignore[attr-defined]  # of the families only
    return family


def gauge(name: str, text: str, labels: Sequence[str], values: Values) -> Metric:
    """Return a family of gauges, with a value for each combination of labels."""
    family: Metric = core.GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(_key(key), value)  # type: ignore[attr-defined]
    return family


def durations(
    name: str, text: str, labels: Sequence[str], summaries: Mapping[tuple[str, ...], LatencySummary]
) -> Metric:
    """Return a family of histograms in seconds, all with the same buckets, so that they can be added."""
    family: Metric = core.HistogramMetricFamily(name, text, labels=labels)
    for key, summary in summaries.items():
        buckets = [*zip(_LE, summary.within, strict=True), ("+Inf", summary.count)]
        family.add_metric(_key(key), buckets, summary.sum_ns / NS_PER_S)  # type: ignore[attr-defined]
    return family


def sizes(name: str, text: str, labels: Sequence[str], counts: Mapping[tuple[str, ...], Mapping[int, int]]) -> Metric:
    """Return a family of histograms of sizes: how many there were of each."""
    family: Metric = core.HistogramMetricFamily(name, text, labels=labels)
    for key, by_size in counts.items():
        within = [sum(count for size, count in by_size.items() if size <= bound) for bound in SIZES]
        buckets = [*zip(_SIZES, within, strict=True), ("+Inf", sum(by_size.values()))]
        total = sum(size * count for size, count in by_size.items())
        family.add_metric(_key(key), buckets, total)  # type: ignore[attr-defined]
    return family


def one_of(now: str, all_of_them: Sequence[str]) -> dict[str, float]:
    """Return 1 for what is so now, 0 for what else could be."""
    return {one: float(one == now) for one in all_of_them}


def _key(names: Sequence[str]) -> tuple[str, ...]:
    """Return values of labels that can be written: names of others may hold half of a character."""
    return tuple(name if name.isascii() else name.encode("utf-8", "replace").decode() for name in names)


def distinct(names: Sequence[str]) -> list[str]:
    """Return names in which repeats have got a number: two series with the same labels are one too many."""
    seen: dict[str, int] = {}
    made = []
    for name in names:
        number = seen[name] = seen.get(name, -1) + 1
        made.append(name if not number else f"{name}_{number}")
    return made


def record_families(records: Sequence[Record]) -> Iterator[Metric]:
    """Yield the families of records: values and times are those of the newest record of each kind."""
    for name, text in (("frame_counter", "Frames that have left"), ("object_counter", "Objects of those frames")):
        family = core.CounterMetricFamily(name, f"{text}, by the newest record.", labels=["record_type"])
        for one in records:
            value = one.frame_no if name == "frame_counter" else one.object_counter
            family.add_metric([one.record_type], value, timestamp=one.ts / MS_PER_S)
        yield family
    stages = (
        ("stage_queue_length", core.GaugeMetricFamily, "queue_length", "What waits before a stage"),
        ("stage_frame_counter", core.CounterMetricFamily, "frame_counter", "Frames that came to a stage"),
        ("stage_object_counter", core.CounterMetricFamily, "object_counter", "Objects of frames behind a stage"),
        ("stage_batch_counter", core.CounterMetricFamily, "batch_counter", "Batches that came to a stage"),
    )
    for name, kind, field, text in stages:
        family = kind(name, f"{text}, by the newest record.", labels=["record_type", "stage_name"])
        for one in records:
            for stage in one.stage_stats:
                value = getattr(stage, field)
                family.add_metric(_key([one.record_type, stage.stage_name]), value, timestamp=one.ts / MS_PER_S)
        yield family


def custom_families(metrics: Sequence[UserMetric]) -> Iterator[Metric]:
    """Yield the counters and gauges of users."""
    for metric in metrics:
        kind = core.CounterMetricFamily if metric.kind == "counter" else core.GaugeMetricFamily
        family = kind(metric.name, metric.description or metric.name, labels=metric.labelnames)
        for labels, value, given_s in metric.samples():
            family.add_metric(_key(labels), value, timestamp=given_s)
        yield family
