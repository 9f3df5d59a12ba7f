"""The names of ``savant.base.model``."""

from __future__ import annotations

from picasso.module.awaited import AttributeModel, ComplexModel, ObjectModel

__all__ = ["AttributeModel", "ComplexModel", "ObjectModel"]
