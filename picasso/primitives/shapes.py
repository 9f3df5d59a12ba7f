"""Shapes that an attribute may hold: points, lines, areas, and how a line meets an area."""

from __future__ import annotations

from collections.abc import Iterable
from ctypes import c_float
from dataclasses import dataclass
from typing import SupportsIndex

from picasso.primitives.area_crossings import XY, crosses_itself, is_inside, is_on_edge, touched_edges
from picasso.primitives.checks import real, text, whole
from picasso.primitives.enums import NativeEnum


@dataclass(frozen=True, slots=True)
class Point:
    """A position in pixels; ``TypeError`` for what is not a number."""

    x: float
    """Pixels from the left edge."""
    y: float
    """Pixels from the top edge."""

    def __post_init__(self) -> None:
        if type(self.x) is not float or type(self.y) is not float:
            object.__setattr__(self, "x", real("x", self.x))
            object.__setattr__(self, "y", real("y", self.y))


@dataclass(frozen=True, slots=True)
class Segment:
    """A line from one point to another; ``TypeError`` for anything else."""

    begin: Point
    """Where it starts."""
    end: Point
    """Where it ends."""

    def __post_init__(self) -> None:
        for name, point in (("begin", self.begin), ("end", self.end)):
            if not isinstance(point, Point):
                raise TypeError(f"{name}: expected Point, got {type(point).__name__}")


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
    """How they met."""
    edges: tuple[tuple[int, str | None], ...]
    """Index and tag of each edge that was touched, in the order of the way."""

    def __init__(self, kind: IntersectionKind, edges: Iterable[tuple[int, str | None]] = ()) -> None:
        if not isinstance(kind, IntersectionKind):
            raise TypeError(f"kind: expected IntersectionKind, got {kind!r}")
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "edges", tuple((whole("edges", edge, 0), _tag(tag)) for edge, tag in edges))


@dataclass(frozen=True, slots=True, init=False)
class PolygonalArea:
    """A closed outline; edge *i* runs from vertex *i* to the next.

    Args:
        vertices: Its corners; with none it contains nothing.
        tags: One name or ``None`` for each edge; ``None`` for no names at all.

    Raises:
        TypeError: A tag is not text.
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

    def contains(self, p: Point) -> bool:
        """Say whether ``p`` lies strictly inside; on an edge it does not."""
        return is_inside(self._ring(), _xy(p))

    def contains_many_points(self, points: Iterable[Point]) -> list[bool]:
        """Say of each of ``points`` whether it lies strictly inside, in the order given."""
        ring = self._ring()
        return [is_inside(ring, _xy(point)) for point in points]

    def crossed_by_segment(self, s: Segment) -> Intersection:
        """Return how ``s`` meets the area, and the edges it touches, the nearest to its beginning first.

        Convention: an end on an edge is in the area.
        """
        if not isinstance(s, Segment):
            raise TypeError(f"expected Segment, got {type(s).__name__}")
        ring = self._ring()
        begin, end = _xy(s.begin), _xy(s.end)
        touched = touched_edges(ring, (begin, end))
        begins_in, ends_in = (is_inside(ring, point) or is_on_edge(ring, point) for point in (begin, end))
        if begins_in:
            kind = IntersectionKind.Inside if ends_in else IntersectionKind.Leave
        elif ends_in:
            kind = IntersectionKind.Enter
        else:
            kind = IntersectionKind.Cross if touched else IntersectionKind.Outside
        return Intersection(kind, [(edge, self.get_tag(edge)) for edge in touched])

    def crossed_by_segments(self, segments: Iterable[Segment]) -> list[Intersection]:
        """Return how each of ``segments`` meets the area, in the order given."""
        return [self.crossed_by_segment(segment) for segment in segments]

    def is_self_intersecting(self) -> bool:
        """Say whether two edges cross, or lie on each other; edges that touch at a corner do not."""
        return crosses_itself(self._ring())

    def get_tag(self, edge: SupportsIndex) -> str | None:
        """Return the tag of ``edge``, ``None`` where there is none.

        Raises:
            OverflowError: The index is below 0.
            ValueError: It is beyond the last edge of an area with tags.
        """
        index = whole("edge", edge)
        if index < 0:
            raise OverflowError(f"edge: must be at least 0, got {index}")
        if self.tags is None:
            return None
        if index >= len(self.tags):
            raise ValueError(f"Index {index} out of range!")
        return self.tags[index]

    def build_polygon(self) -> None:
        """Do nothing; existing code calls it, to prepare what is prepared here already."""

    @staticmethod
    def points_positions(
        polys: Iterable[PolygonalArea],
        points: Iterable[Point],
        no_gil: bool = False,  # noqa: ARG004 - the reference's
    ) -> list[list[bool]]:
        """Say of each area and each point whether it lies strictly inside.

        Args:
            polys: The areas; one inner list for each.
            points: The points; one value for each.
            no_gil: Has no effect; existing code gives it.
        """
        listed = list(points)
        return [area.contains_many_points(listed) for area in polys]

    @staticmethod
    def segments_intersections(
        polys: Iterable[PolygonalArea],
        segments: Iterable[Segment],
        no_gil: bool = False,  # noqa: ARG004 - the reference's
    ) -> list[list[Intersection]]:
        """Return how each line meets each area.

        Args:
            polys: The areas; one inner list for each.
            segments: The lines; one value for each.
            no_gil: Has no effect; existing code gives it.
        """
        listed = list(segments)
        return [area.crossed_by_segments(listed) for area in polys]

    def _ring(self) -> list[XY]:
        return [_xy(vertex) for vertex in self.vertices]


def _xy(point: Point) -> XY:
    """Return a point in float32."""
    if not isinstance(point, Point):
        raise TypeError(f"expected Point, got {type(point).__name__}")
    return c_float(point.x).value, c_float(point.y).value


def _tag(tag: str | None) -> str | None:
    return tag if tag is None else text("tags", tag)
