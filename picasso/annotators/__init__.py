"""What draws detections: boxes, labels, masks, skeletons, traces, zones, each as an annotator."""

from picasso.annotators.base import COLOR_BY, Annotator, Found
from picasso.annotators.call import annotate, drawing, usual
from picasso.annotators.insets import CropAnnotator, IconAnnotator
from picasso.annotators.keypoints import (
    COCO_SKELETON,
    EdgeAnnotator,
    VertexAnnotator,
    VertexLabelAnnotator,
    VertexRingAnnotator,
)
from picasso.annotators.labels import LabelAnnotator
from picasso.annotators.masks import BackgroundOverlayAnnotator, HaloAnnotator, MaskAnnotator, PolygonAnnotator
from picasso.annotators.motion import HeatMapAnnotator, TraceAnnotator
from picasso.annotators.palettes import NAMES, Palette
from picasso.annotators.shapes import (
    ANCHORS,
    BlurAnnotator,
    BoxAnnotator,
    BoxCornerAnnotator,
    CircleAnnotator,
    ColorAnnotator,
    DotAnnotator,
    EllipseAnnotator,
    OrientedBoxAnnotator,
    PercentageBarAnnotator,
    PixelateAnnotator,
    RoundBoxAnnotator,
    TriangleAnnotator,
)
from picasso.annotators.zones import LineZone, LineZoneAnnotator, PolygonZone, PolygonZoneAnnotator
from picasso.primitives.field_texts import explain_fields as _explain_fields

__all__ = [
    "ANCHORS",
    "COCO_SKELETON",
    "COLOR_BY",
    "NAMES",
    "Annotator",
    "BackgroundOverlayAnnotator",
    "BlurAnnotator",
    "BoxAnnotator",
    "BoxCornerAnnotator",
    "CircleAnnotator",
    "ColorAnnotator",
    "CropAnnotator",
    "DotAnnotator",
    "EdgeAnnotator",
    "EllipseAnnotator",
    "Found",
    "HaloAnnotator",
    "HeatMapAnnotator",
    "IconAnnotator",
    "LabelAnnotator",
    "LineZone",
    "LineZoneAnnotator",
    "MaskAnnotator",
    "OrientedBoxAnnotator",
    "Palette",
    "PercentageBarAnnotator",
    "PixelateAnnotator",
    "PolygonAnnotator",
    "PolygonZone",
    "PolygonZoneAnnotator",
    "RoundBoxAnnotator",
    "TraceAnnotator",
    "TriangleAnnotator",
    "VertexAnnotator",
    "VertexLabelAnnotator",
    "VertexRingAnnotator",
    "annotate",
    "drawing",
    "usual",
]

_explain_fields(globals())
