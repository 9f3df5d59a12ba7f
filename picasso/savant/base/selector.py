"""The names of ``savant.base.selector``."""

from __future__ import annotations

from picasso.module.elements.models import BaseSelector

__all__ = ["BaseSelector"]
