"""The names of ``savant.config.schema``."""

from __future__ import annotations

from picasso.module.config import DrawFunc

__all__ = ["DrawFunc"]
