"""Models: pictures in, objects in source pixels out."""

from picasso.infer.heads import AttributeHead, HeadSettings, Label, ObjectHead
from picasso.infer.providers import available_providers, choose_providers, threads_for
from picasso.infer.selectors import ObjectRule, Selector
from picasso.infer.session import Session, TensorInfo

__all__ = [
    "AttributeHead",
    "HeadSettings",
    "Label",
    "ObjectHead",
    "ObjectRule",
    "Selector",
    "Session",
    "TensorInfo",
    "available_providers",
    "choose_providers",
    "threads_for",
]
