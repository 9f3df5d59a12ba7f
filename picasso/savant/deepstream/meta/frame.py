"""The names of ``savant.deepstream.meta.frame``."""

from __future__ import annotations

from picasso.module.meta import Frame as NvDsFrameMeta
from picasso.primitives import BBox, RBBox

__all__ = ["BBox", "NvDsFrameMeta", "RBBox"]
