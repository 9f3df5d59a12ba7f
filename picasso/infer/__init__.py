"""Models: pictures in, objects in source pixels out."""

from picasso.infer.classifier import Classifier
from picasso.infer.detector import Detector
from picasso.infer.heads import (
    AttributeHead,
    AttributeRule,
    ClassifierHead,
    HeadSettings,
    Label,
    ObjectHead,
    extra_feeds,
    find_head,
    head_names,
)
from picasso.infer.inference import Inference, Part
from picasso.infer.inputs import InputMaker, Inputs, InputSpec
from picasso.infer.providers import available_providers, choose_providers, threads_for
from picasso.infer.selectors import ObjectRule, Selector
from picasso.infer.session import Session, TensorInfo
from picasso.infer.tensors import to_tensor
from picasso.primitives.field_texts import explain_fields as _explain_fields

__all__ = [
    "AttributeHead",
    "AttributeRule",
    "Classifier",
    "ClassifierHead",
    "Detector",
    "HeadSettings",
    "Inference",
    "InputMaker",
    "InputSpec",
    "Inputs",
    "Label",
    "ObjectHead",
    "ObjectRule",
    "Part",
    "Selector",
    "Session",
    "TensorInfo",
    "available_providers",
    "choose_providers",
    "extra_feeds",
    "find_head",
    "head_names",
    "threads_for",
    "to_tensor",
]

_explain_fields(globals())
