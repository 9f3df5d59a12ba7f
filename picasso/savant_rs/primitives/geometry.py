"""The names of ``savant_rs.primitives.geometry``: boxes and shapes."""

from __future__ import annotations

from picasso.primitives import (
    BBox,
    Intersection,
    IntersectionKind,
    Point,
    PolygonalArea,
    RBBox,
    Segment,
)

__all__ = [
    "BBox",
    "Intersection",
    "IntersectionKind",
    "Point",
    "PolygonalArea",
    "RBBox",
    "Segment",
]
