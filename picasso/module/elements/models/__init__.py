"""The elements that look at pictures: models, and the tracker behind them."""

from picasso.module.elements.models.block import (
    AttributeModel,
    AttributeOutput,
    ComplexModel,
    Model,
    ModelInput,
    ModelOutput,
    ObjectModel,
    ObjectOutput,
)
from picasso.module.elements.models.converting import (
    BaseAttributeModelOutputConverter,
    BaseComplexModelOutputConverter,
    BaseObjectModelOutputConverter,
    TensorFormat,
)
from picasso.module.elements.models.element import ModelElement
from picasso.module.elements.models.stock import (
    BasePreprocessObjectImage,
    BasePreprocessObjectMeta,
    BaseSelector,
    BBoxSelector,
    nms_cpu,
    nms_gpu,
)
from picasso.module.elements.models.tracking import TrackerElement

__all__ = [
    "AttributeModel",
    "AttributeOutput",
    "BBoxSelector",
    "BaseAttributeModelOutputConverter",
    "BaseComplexModelOutputConverter",
    "BaseObjectModelOutputConverter",
    "BasePreprocessObjectImage",
    "BasePreprocessObjectMeta",
    "BaseSelector",
    "ComplexModel",
    "Model",
    "ModelElement",
    "ModelInput",
    "ModelOutput",
    "ObjectModel",
    "ObjectOutput",
    "TensorFormat",
    "TrackerElement",
    "nms_cpu",
    "nms_gpu",
]
