"""The names of ``savant.deepstream.utils``."""

from __future__ import annotations

from picasso.module.pixels import get_nvds_buf_surface

__all__ = ["get_nvds_buf_surface"]
