"""The names of ``savant.deepstream.drawfunc``."""

from __future__ import annotations

from picasso.module.drawing import NvDsDrawFunc

__all__ = ["NvDsDrawFunc"]
