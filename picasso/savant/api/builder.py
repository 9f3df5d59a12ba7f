"""The names of ``savant.api.builder``."""

from __future__ import annotations

from picasso.module.meta import build_bbox

__all__ = ["build_bbox"]
