"""How much two convex outlines overlap."""

from __future__ import annotations

Vertex = tuple[float, float]
Vertices = list[Vertex]
"""Corners of a convex outline, clockwise on the screen (y points down)."""


def polygon_area(vertices: Vertices) -> float:
    """Return the area by the shoelace formula."""
    return 0.5 * sum(
        x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(vertices, vertices[1:] + vertices[:1], strict=True)
    )


def clipped(subject: Vertices, clip: Vertices) -> Vertices:
    """Return the part of ``subject`` inside ``clip``, by Sutherland and Hodgman: cut along one edge after the other."""
    for start, end in zip(clip, clip[1:] + clip[:1], strict=True):
        subject = _cut(subject, start, end)
    return subject


def _cut(subject: Vertices, start: Vertex, end: Vertex) -> Vertices:
    """Keep what lies on the inner side of the line from ``start`` to ``end``."""
    (x0, y0), (x1, y1) = start, end
    sides = [(x1 - x0) * (y - y0) - (y1 - y0) * (x - x0) for x, y in subject]
    kept: Vertices = []
    for index, (point, side) in enumerate(zip(subject, sides, strict=True)):
        before, side_before = subject[index - 1], sides[index - 1]
        if side * side_before < 0:
            share = side_before / (side_before - side)
            kept.append((before[0] + (point[0] - before[0]) * share, before[1] + (point[1] - before[1]) * share))
        if side >= 0:
            kept.append(point)
    return kept
