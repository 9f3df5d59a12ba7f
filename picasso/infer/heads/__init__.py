"""Heads: a model's outputs become objects and attributes."""

from picasso.infer.heads.protocol import AttributeHead, HeadSettings, Label, ObjectHead

__all__ = ["AttributeHead", "HeadSettings", "Label", "ObjectHead"]
