"""The names of ``savant.meta.constants``."""

from __future__ import annotations

from picasso.module.meta import UNTRACKED_OBJECT_ID

__all__ = ["UNTRACKED_OBJECT_ID"]
