"""The names of ``savant.meta.attribute``."""

from __future__ import annotations

from picasso.module.meta import AttributeMeta

__all__ = ["AttributeMeta"]
