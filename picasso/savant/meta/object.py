"""The names of ``savant.meta.object``."""

from __future__ import annotations

from picasso.module.meta import ObjectMeta

__all__ = ["ObjectMeta"]
