"""The names of ``savant.utils.logging``."""

from __future__ import annotations

from picasso.module.logs import get_logger, init_logging

__all__ = ["get_logger", "init_logging"]
