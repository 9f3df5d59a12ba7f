"""How pixels and boxes move."""

from picasso.primitives.field_texts import explain_fields as _explain_fields
from picasso.transform.config import (
    MIN_EFFECTIVE_DIM,
    ComputeMode,
    DstPadding,
    Interpolation,
    Padding,
    Rect,
    TransformConfig,
)
from picasso.transform.detections import place_detections, unplace_detections
from picasso.transform.mapping import (
    place,
    place_mask,
    place_points,
    place_xywha,
    unplace,
    unplace_mask,
    unplace_points,
    unplace_xywha,
)
from picasso.transform.placement import Placement
from picasso.transform.tensor import Normalization

__all__ = [
    "MIN_EFFECTIVE_DIM",
    "ComputeMode",
    "DstPadding",
    "Interpolation",
    "Normalization",
    "Padding",
    "Placement",
    "Rect",
    "TransformConfig",
    "place",
    "place_detections",
    "place_mask",
    "place_points",
    "place_xywha",
    "unplace",
    "unplace_detections",
    "unplace_mask",
    "unplace_points",
    "unplace_xywha",
]

_explain_fields(globals())
