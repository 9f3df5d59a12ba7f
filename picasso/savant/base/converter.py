"""The names of ``savant.base.converter``."""

from __future__ import annotations

from picasso.module.elements.models import (
    BaseAttributeModelOutputConverter,
    BaseComplexModelOutputConverter,
    BaseObjectModelOutputConverter,
    TensorFormat,
)

__all__ = [
    "BaseAttributeModelOutputConverter",
    "BaseComplexModelOutputConverter",
    "BaseObjectModelOutputConverter",
    "TensorFormat",
]
