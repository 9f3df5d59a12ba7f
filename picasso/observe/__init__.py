"""What a running system says of itself: the account of its frames, records, metrics."""

from picasso.observe.account import (
    EtcdStatistics,
    ModuleStatistics,
    SinkStatistics,
    SourceAccount,
    SourceStatistics,
    StageStatistics,
)
from picasso.observe.custom import Counter, Gauge
from picasso.observe.levels import Limit, PoolUse, QueueUse
from picasso.observe.records import Record, StageRecord
from picasso.observe.serving import metrics_registry, serve_metrics
from picasso.primitives.field_texts import explain_fields as _explain_fields

__all__ = [
    "Counter",
    "EtcdStatistics",
    "Gauge",
    "Limit",
    "ModuleStatistics",
    "PoolUse",
    "QueueUse",
    "Record",
    "SinkStatistics",
    "SourceAccount",
    "SourceStatistics",
    "StageRecord",
    "StageStatistics",
    "metrics_registry",
    "serve_metrics",
]

_explain_fields(globals())
