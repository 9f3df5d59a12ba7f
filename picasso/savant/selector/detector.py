"""The names of ``savant.selector.detector``."""

from __future__ import annotations

from picasso.module.elements.models import BBoxSelector

__all__ = ["BBoxSelector"]
