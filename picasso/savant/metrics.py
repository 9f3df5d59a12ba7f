"""The names of ``savant.metrics``."""

from __future__ import annotations

from typing import Any

from picasso.module.later import later

Counter: Any = later("savant.metrics.Counter", "metrics come")
Gauge: Any = later("savant.metrics.Gauge", "metrics come")

__all__ = ["Counter", "Gauge"]
