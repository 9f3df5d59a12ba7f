"""Names of metrics and labels that are ours: users' own are others."""

from __future__ import annotations

from typing import Final

RECORD_FAMILIES: Final = (
    "frame_counter",
    "object_counter",
    "stage_queue_length",
    "stage_frame_counter",
    "stage_object_counter",
    "stage_batch_counter",
)
"""Families that existing dashboards read; their values are those of records."""
PREFIX: Final = "picasso_"
"""Every other name of ours begins with it."""
LABELS: Final = frozenset(
    {"le", "pool", "queue", "reason", "record_type", "sink", "source_id", "stage", "stage_name", "state", "version"}
)
"""Labels that our series have."""


def is_taken(name: str) -> bool:
    """Tell whether a metric of a user may not have a ``name``."""
    return name in RECORD_FAMILIES or name.startswith((PREFIX, "process_"))
