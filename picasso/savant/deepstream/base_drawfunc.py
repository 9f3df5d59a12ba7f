"""The names of ``savant.deepstream.base_drawfunc``."""

from __future__ import annotations

from picasso.module.drawing import BaseNvDsDrawFunc

__all__ = ["BaseNvDsDrawFunc"]
