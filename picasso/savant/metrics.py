"""The names of ``savant.metrics``."""

from __future__ import annotations

from picasso.module.awaited import Counter, Gauge

__all__ = ["Counter", "Gauge"]
