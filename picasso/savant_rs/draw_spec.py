"""The names of ``savant_rs.draw_spec``: what is drawn for an object."""

from __future__ import annotations

from picasso.draw import (
    BBoxSource,
    BoundingBoxDraw,
    ColorDraw,
    DotDraw,
    LabelDraw,
    LabelPosition,
    LabelPositionKind,
    ObjectDraw,
    PaddingDraw,
    SetDrawLabelKind,
)

__all__ = [
    "BBoxSource",
    "BoundingBoxDraw",
    "ColorDraw",
    "DotDraw",
    "LabelDraw",
    "LabelPosition",
    "LabelPositionKind",
    "ObjectDraw",
    "PaddingDraw",
    "SetDrawLabelKind",
]
