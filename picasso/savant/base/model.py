"""The names of ``savant.base.model``."""

from __future__ import annotations

from typing import Any

from picasso.module.later import later

AttributeModel: Any = later("savant.base.model.AttributeModel", "models come")
ComplexModel: Any = later("savant.base.model.ComplexModel", "models come")
ObjectModel: Any = later("savant.base.model.ObjectModel", "models come")

__all__ = ["AttributeModel", "ComplexModel", "ObjectModel"]
