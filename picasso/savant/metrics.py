"""The names of ``savant.metrics``."""

from __future__ import annotations

from picasso.module import Counter, Gauge

__all__ = ["Counter", "Gauge"]
