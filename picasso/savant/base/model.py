"""The names of ``savant.base.model``."""

from __future__ import annotations

from picasso.module.elements.models import AttributeModel, ComplexModel, ObjectModel

__all__ = ["AttributeModel", "ComplexModel", "ObjectModel"]
