"""The names of ``savant.utils.artist``."""

from __future__ import annotations

from picasso.module.drawing import Artist, Position

__all__ = ["Artist", "Position"]
