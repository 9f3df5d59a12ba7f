"""The names of ``savant.base.converter``."""

from __future__ import annotations

from typing import Any

from picasso.module.later import later

BaseAttributeModelOutputConverter: Any = later("savant.base.converter.BaseAttributeModelOutputConverter", "models come")
BaseComplexModelOutputConverter: Any = later("savant.base.converter.BaseComplexModelOutputConverter", "models come")
BaseObjectModelOutputConverter: Any = later("savant.base.converter.BaseObjectModelOutputConverter", "models come")
TensorFormat: Any = later("savant.base.converter.TensorFormat", "models come")

__all__ = [
    "BaseAttributeModelOutputConverter",
    "BaseComplexModelOutputConverter",
    "BaseObjectModelOutputConverter",
    "TensorFormat",
]
