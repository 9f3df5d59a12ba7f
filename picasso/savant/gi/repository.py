"""The names of ``gi.repository``: types for signatures."""

from __future__ import annotations

from picasso.module.gst import Gst

__all__ = ["Gst"]
