"""The names of ``savant.entrypoint.main``."""

from __future__ import annotations

from picasso.module.entry import main

__all__ = ["main"]
