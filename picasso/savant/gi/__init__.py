"""``gi`` for modules that import it and need nothing of GStreamer."""

from __future__ import annotations

from picasso.module.gst import require_version

__all__ = ["require_version"]
