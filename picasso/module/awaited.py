"""What existing modules import and this version does not have; a name leaves this file when it is built."""

from __future__ import annotations

from typing import Any

from picasso.module.later import later

AttributeModel: Any = later("savant.base.model.AttributeModel", "models come")
ComplexModel: Any = later("savant.base.model.ComplexModel", "models come")
ObjectModel: Any = later("savant.base.model.ObjectModel", "models come")
BaseAttributeModelOutputConverter: Any = later("savant.base.converter.BaseAttributeModelOutputConverter", "models come")
BaseComplexModelOutputConverter: Any = later("savant.base.converter.BaseComplexModelOutputConverter", "models come")
BaseObjectModelOutputConverter: Any = later("savant.base.converter.BaseObjectModelOutputConverter", "models come")
TensorFormat: Any = later("savant.base.converter.TensorFormat", "models come")
nms_cpu: Any = later("savant.utils.nms.nms_cpu", "models come")
nms_gpu: Any = later("savant.utils.nms.nms_gpu", "models come")

__all__ = [
    "AttributeModel",
    "BaseAttributeModelOutputConverter",
    "BaseComplexModelOutputConverter",
    "BaseObjectModelOutputConverter",
    "ComplexModel",
    "ObjectModel",
    "TensorFormat",
    "nms_cpu",
    "nms_gpu",
]
