"""The names of ``savant.utils.nms``: boxes that stand for the same thing."""

from __future__ import annotations

from typing import Any

from picasso.module.later import later

nms_cpu: Any = later("savant.utils.nms.nms_cpu", "models come")
nms_gpu: Any = later("savant.utils.nms.nms_gpu", "models come")

__all__ = ["nms_cpu", "nms_gpu"]
