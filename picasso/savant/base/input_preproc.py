"""The names of ``savant.base.input_preproc``: what prepares objects and their pictures for a model."""

from __future__ import annotations

from picasso.module.elements.models import BasePreprocessObjectImage, BasePreprocessObjectMeta

__all__ = ["BasePreprocessObjectImage", "BasePreprocessObjectMeta"]
