"""Heads: a model's outputs become objects and attributes."""

from picasso.infer.heads.classifier import AttributeRule, ClassifierHead
from picasso.infer.heads.finding import extra_feeds, find_head, head_names
from picasso.infer.heads.protocol import AttributeHead, HeadSettings, Label, ObjectHead

__all__ = [
    "AttributeHead",
    "AttributeRule",
    "ClassifierHead",
    "HeadSettings",
    "Label",
    "ObjectHead",
    "extra_feeds",
    "find_head",
    "head_names",
]
