"""What a running system says of itself: the account of its frames, records, metrics."""

from picasso.observe.account import (
    EtcdStatistics,
    ModuleStatistics,
    SinkStatistics,
    SourceAccount,
    SourceStatistics,
    StageStatistics,
)
from picasso.observe.levels import Limit, PoolUse, QueueUse
from picasso.observe.records import Record, StageRecord

__all__ = [
    "EtcdStatistics",
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
]
