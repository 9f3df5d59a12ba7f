"""The names of ``savant.utils.nms``: boxes that stand for the same thing."""

from __future__ import annotations

from picasso.module.elements.models import nms_cpu, nms_gpu

__all__ = ["nms_cpu", "nms_gpu"]
