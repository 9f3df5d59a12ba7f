"""Shapes that an attribute may hold: points, polygons, crossings of a polygon."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from picasso.primitives.enums import NativeEnum


@dataclass(frozen=True, slots=True)
class Point:
    """A position in pixels."""

    x: float
    y: float


@dataclass(frozen=True, slots=True, init=False)
class PolygonalArea:
    """A closed outline; edge *i* runs from vertex *i* to the next.

    Args:
        vertices: At least three points.
        tags: One name or ``None`` for each edge; ``None`` for no names at all.

    Raises:
        ValueError: There are fewer than three vertices, or not one tag for each edge.
    """

    vertices: tuple[Point, ...]
    tags: tuple[str | None, ...] | None

    def __init__(self, vertices: Iterable[Point], tags: Iterable[str | None] | None = None) -> None:
        object.__setattr__(self, "vertices", tuple(vertices))
        object.__setattr__(self, "tags", None if tags is None else tuple(tags))
        if len(self.vertices) < 3:
            raise ValueError(f"vertices: expected at least 3 points, got {len(self.vertices)}")
        if self.tags is not None and len(self.tags) != len(self.vertices):
            raise ValueError(f"tags: expected one for each of {len(self.vertices)} edges, got {len(self.tags)}")


class IntersectionKind(NativeEnum):
    """How a track meets an area."""

    Enter = 0
    Inside = 1
    Leave = 2
    Cross = 3
    Outside = 4


@dataclass(frozen=True, slots=True, init=False)
class Intersection:
    """How a track met an area, and the edges it crossed: index and tag of each."""

    kind: IntersectionKind
    edges: tuple[tuple[int, str | None], ...]

    def __init__(self, kind: IntersectionKind, edges: Iterable[tuple[int, str | None]] = ()) -> None:
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "edges", tuple(edges))
