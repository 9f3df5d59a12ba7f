"""Shapes that an attribute may hold: points, polygons, crossings of a polygon."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from picasso.primitives.checks import real, text, whole
from picasso.primitives.enums import NativeEnum


@dataclass(frozen=True, slots=True)
class Point:
    """A position in pixels; ``TypeError`` for what is no number."""

    x: float
    y: float

    def __post_init__(self) -> None:
        if type(self.x) is not float or type(self.y) is not float:
            object.__setattr__(self, "x", real("x", self.x))
            object.__setattr__(self, "y", real("y", self.y))


@dataclass(frozen=True, slots=True, init=False)
class PolygonalArea:
    """A closed outline; edge *i* runs from vertex *i* to the next.

    Args:
        vertices: Its corners; with none it contains nothing.
        tags: One name or ``None`` for each edge; ``None`` for no names at all.

    Raises:
        ValueError: There is not one tag for each edge.
    """

    vertices: tuple[Point, ...]
    tags: tuple[str | None, ...] | None

    def __init__(self, vertices: Iterable[Point], tags: Iterable[str | None] | None = None) -> None:
        object.__setattr__(self, "vertices", tuple(vertices))
        object.__setattr__(self, "tags", None if tags is None else tuple(map(_tag, tags)))
        if self.tags is not None and len(self.tags) != len(self.vertices):
            raise ValueError(
                f"Vertices and tags must have the same length: {len(self.vertices)} vertices, {len(self.tags)} tags"
            )


class IntersectionKind(NativeEnum):
    """How a track meets an area."""

    Enter = 0
    Inside = 1
    Leave = 2
    Cross = 3
    Outside = 4


@dataclass(frozen=True, slots=True, init=False)
class Intersection:
    """How a track met an area, and the edges it touched: index and tag of each.

    Raises:
        TypeError: ``kind`` or a tag is of another type.
        ValueError: An index is below 0.
    """

    kind: IntersectionKind
    edges: tuple[tuple[int, str | None], ...]

    def __init__(self, kind: IntersectionKind, edges: Iterable[tuple[int, str | None]] = ()) -> None:
        if not isinstance(kind, IntersectionKind):
            raise TypeError(f"kind: expected IntersectionKind, got {kind!r}")
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "edges", tuple((whole("edges", edge, 0), _tag(tag)) for edge, tag in edges))


def _tag(tag: str | None) -> str | None:
    return tag if tag is None else text("tags", tag)
