"""What is drawn."""

from picasso.draw.canvas import CANVAS_FORMATS, canvas_for, current_canvas
from picasso.draw.lists import DisplayList
from picasso.draw.painter import Painter
from picasso.draw.scene import Scene
from picasso.draw.spec import (
    BBoxSource,
    BoundingBoxDraw,
    DotDraw,
    KeypointsDraw,
    LabelDraw,
    LabelPosition,
    LabelPositionKind,
    MaskDraw,
    ObjectDraw,
    ObjectDrawSpec,
    PaddingDraw,
    PolygonDraw,
    SetDrawLabelKind,
    TraceDraw,
)
from picasso.draw.values import ColorDraw
from picasso.primitives.field_texts import explain_fields as _explain_fields

__all__ = [
    "CANVAS_FORMATS",
    "BBoxSource",
    "BoundingBoxDraw",
    "ColorDraw",
    "DisplayList",
    "DotDraw",
    "KeypointsDraw",
    "LabelDraw",
    "LabelPosition",
    "LabelPositionKind",
    "MaskDraw",
    "ObjectDraw",
    "ObjectDrawSpec",
    "PaddingDraw",
    "Painter",
    "PolygonDraw",
    "Scene",
    "SetDrawLabelKind",
    "TraceDraw",
    "canvas_for",
    "current_canvas",
]

_explain_fields(globals())
