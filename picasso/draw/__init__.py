"""What is drawn."""

from picasso.draw.canvas import CANVAS_FORMATS, canvas_for, current_canvas
from picasso.draw.painter import Painter
from picasso.draw.scene import DisplayList, Scene
from picasso.draw.spec import (
    BBoxSource,
    BoundingBoxDraw,
    ColorDraw,
    DotDraw,
    LabelDraw,
    LabelPosition,
    LabelPositionKind,
    ObjectDraw,
    ObjectDrawSpec,
    PaddingDraw,
    SetDrawLabelKind,
)

__all__ = [
    "CANVAS_FORMATS",
    "BBoxSource",
    "BoundingBoxDraw",
    "ColorDraw",
    "DisplayList",
    "DotDraw",
    "LabelDraw",
    "LabelPosition",
    "LabelPositionKind",
    "ObjectDraw",
    "ObjectDrawSpec",
    "PaddingDraw",
    "Painter",
    "Scene",
    "SetDrawLabelKind",
    "canvas_for",
    "current_canvas",
]
